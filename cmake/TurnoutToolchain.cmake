# The compiler's settings, and the libraries that everything stands on.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib")
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Release, RelWithDebInfo or Debug" FORCE)
endif()

# "address,undefined" or "thread".
set(TURNOUT_SANITIZE "" CACHE STRING "Sanitizers to build with, as -fsanitize= takes them")
if(TURNOUT_SANITIZE)
  add_compile_options(-fsanitize=${TURNOUT_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${TURNOUT_SANITIZE})
endif()

find_program(TURNOUT_CCACHE ccache)
if(TURNOUT_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${TURNOUT_CCACHE}")
endif()

# For our own code; what comes from elsewhere is included as SYSTEM.
set(TURNOUT_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Werror
    -Wno-missing-field-initializers)  # designated initialisers leave out what has its default

find_package(Threads REQUIRED)
find_package(Protobuf REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(absl CONFIG REQUIRED)
find_package(gRPC CONFIG REQUIRED)  # brings re2::re2
find_package(nlohmann_json CONFIG REQUIRED)
find_package(ZLIB REQUIRED)
find_package(spdlog CONFIG REQUIRED)
find_package(CLI11 CONFIG REQUIRED)
if(TURNOUT_TESTS)
  find_package(GTest REQUIRED)
endif()
if(TURNOUT_BENCHMARKS)
  find_package(benchmark CONFIG REQUIRED)
endif()
