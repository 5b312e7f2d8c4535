# How each folder says what it is made of.
include(GNUInstallDirs)
add_custom_target(turnout_generated)  # all that protoc makes; enough for clang-tidy

# turnout_layer(<name> SOURCES a.cc … PROTO <file under proto/> DEPENDS <lower layers> LINK <targets>)
# An OBJECT library turnout_<name>, part of libturnout. LINK: what it needs from elsewhere. PROTO:
# messages that only this layer uses.
function(turnout_layer name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "PROTO" "SOURCES;DEPENDS;LINK")
  set(generated)
  if(arg_PROTO)
    turnout_generate(generated ${arg_PROTO})
  endif()
  add_library(turnout_${name} OBJECT ${arg_SOURCES} ${generated})
  set_target_properties(turnout_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON
                        TURNOUT_DEPENDS "${arg_DEPENDS}" TURNOUT_LINK "${arg_LINK}")
  target_include_directories(turnout_${name} PUBLIC
    "${PROJECT_SOURCE_DIR}" "${PROJECT_SOURCE_DIR}/include")
  target_include_directories(turnout_${name} SYSTEM PUBLIC "${PROJECT_BINARY_DIR}/gen")
  target_compile_options(turnout_${name} PRIVATE ${TURNOUT_WARNINGS})
  # Everything that our public headers include.
  target_link_libraries(turnout_${name} PUBLIC absl::status absl::statusor absl::strings
                        Threads::Threads ${arg_LINK})
  set_property(GLOBAL APPEND PROPERTY TURNOUT_LAYERS ${name})
endfunction()

# The layers named in ARGN and all that they stand on.
function(turnout_closure result)
  set(todo ${ARGN})
  set(closure)
  while(todo)
    list(POP_FRONT todo layer)
    if(layer IN_LIST closure)
      continue()
    endif()
    if(NOT TARGET turnout_${layer})
      message(FATAL_ERROR "no layer `${layer}` (src/CMakeLists.txt states their order)")
      continue()
    endif()
    list(APPEND closure ${layer})
    get_target_property(depends turnout_${layer} TURNOUT_DEPENDS)
    list(APPEND todo ${depends})
  endwhile()
  set(${result} ${closure} PARENT_SCOPE)
endfunction()

# Links whole layers, and what they stand on, into a target of our own.
function(turnout_link_layers target)
  turnout_closure(closure ${ARGN})
  list(TRANSFORM closure PREPEND turnout_)
  target_link_libraries(${target} PRIVATE ${closure})
endfunction()

# turnout_test(<name> LAYERS <layers…> SOURCES x_test.cc … LINK <targets> [SUPPORT] LABELS <labels…>)
# A GoogleTest program and its ctest entry. SUPPORT links tests/support.
function(turnout_test name)
  if(NOT TURNOUT_TESTS)
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 arg "SUPPORT" "" "LAYERS;SOURCES;LINK;LABELS")
  add_executable(${name} ${arg_SOURCES})
  set_target_properties(${name} PROPERTIES
                        RUNTIME_OUTPUT_DIRECTORY "${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/tests")
  target_compile_options(${name} PRIVATE ${TURNOUT_WARNINGS})
  if(TURNOUT_SANITIZE)
    # Optimising what sanitizers add to tests takes a third of their compile time, and speeds up little.
    target_compile_options(${name} PRIVATE -O0)
  endif()
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  turnout_link_layers(${name} ${arg_LAYERS})
  target_link_libraries(${name} PRIVATE ${arg_LINK} GTest::gmock GTest::gtest_main)
  if(arg_SUPPORT)
    target_link_libraries(${name} PRIVATE turnout_test_support)
  endif()
  add_test(NAME ${name} COMMAND ${name})
  turnout_test_environment(${name} LABELS ${arg_LABELS})
endfunction()

# The flags of a program that is under ThreadSanitizer whatever sanitizers the build has: the last
# word counts.
set(TURNOUT_TSAN_FLAGS -fno-sanitize=all -fsanitize=thread)

# turnout_tsan_test(<name> LAYERS <layers…> SOURCES x_test.cc … LINK <targets>)
# As turnout_test, but always under ThreadSanitizer, for which the layers are compiled once more, so
# name few; single sources of a layer may stand among SOURCES.
function(turnout_tsan_test name)
  if(NOT TURNOUT_TESTS OR TURNOUT_SANITIZE STREQUAL "thread")
    turnout_test(${name} ${ARGN})
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LAYERS;SOURCES;LINK")
  turnout_closure(closure ${arg_LAYERS})
  foreach(layer IN LISTS closure)
    turnout_tsan_layer(${layer})
  endforeach()
  list(TRANSFORM closure PREPEND turnout_tsan_)
  turnout_test(${name} SOURCES ${arg_SOURCES} LINK ${closure} ${arg_LINK})
  target_compile_options(${name} PRIVATE ${TURNOUT_TSAN_FLAGS})
  target_link_options(${name} PRIVATE ${TURNOUT_TSAN_FLAGS})
endfunction()

# The layer's objects under ThreadSanitizer: turnout_tsan_<layer>, which the tests above share.
function(turnout_tsan_layer layer)
  if(TARGET turnout_tsan_${layer})
    return()
  endif()
  get_target_property(folder turnout_${layer} SOURCE_DIR)
  get_target_property(sources turnout_${layer} SOURCES)
  list(TRANSFORM sources PREPEND "${folder}/")
  add_library(turnout_tsan_${layer} OBJECT EXCLUDE_FROM_ALL ${sources})
  get_target_property(libraries turnout_${layer} LINK_LIBRARIES)
  target_link_libraries(turnout_tsan_${layer} PUBLIC ${libraries})
  target_include_directories(turnout_tsan_${layer} PUBLIC
    "${PROJECT_SOURCE_DIR}" "${PROJECT_SOURCE_DIR}/include")
  target_compile_options(turnout_tsan_${layer} PRIVATE ${TURNOUT_WARNINGS} ${TURNOUT_TSAN_FLAGS})
endfunction()

# What every ctest entry may rely on: where etcd is, and where our programs are.
function(turnout_test_environment name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LABELS")
  set_tests_properties(${name} PROPERTIES
    LABELS "${arg_LABELS}"
    TIMEOUT 300
    ENVIRONMENT "TURNOUT_TEST_ETCD=${TURNOUT_ETCD};TURNOUT_TEST_BIN_DIR=${CMAKE_RUNTIME_OUTPUT_DIRECTORY};LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/support/lsan.supp:print_suppressions=0")
endfunction()

# turnout_binary(<name> SOURCES … LINK <targets>)
# A program that uses libturnout (static); it lands in <build>/bin.
function(turnout_binary name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINK")
  add_executable(${name} ${arg_SOURCES})
  target_compile_options(${name} PRIVATE ${TURNOUT_WARNINGS})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE turnout::turnout ${arg_LINK})
endfunction()

# turnout_benchmark(bench_<name> LAYERS <layers…> SOURCES … LINK <targets>)
# A Google Benchmark program in <build>/bin.
function(turnout_benchmark name)
  if(NOT TURNOUT_BENCHMARKS)
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LAYERS;SOURCES;LINK")
  add_executable(${name} ${arg_SOURCES})
  target_compile_options(${name} PRIVATE ${TURNOUT_WARNINGS})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  turnout_link_layers(${name} ${arg_LAYERS})
  target_link_libraries(${name} PRIVATE ${arg_LINK} benchmark::benchmark)
endfunction()

# turnout_generate(<result> <file under proto/> [GRPC])
# The sources that protoc makes of it, with service stubs if GRPC; their headers are
# "proto/<file>.pb.h" and "proto/<file>.grpc.pb.h". For a target of the same folder.
function(turnout_generate result file)
  cmake_parse_arguments(PARSE_ARGV 2 arg "GRPC" "" "")
  set(gen "${PROJECT_BINARY_DIR}/gen")
  file(MAKE_DIRECTORY "${gen}")
  cmake_path(GET file STEM stem)
  set(sources "${gen}/proto/${stem}.pb.cc")
  set(headers "${gen}/proto/${stem}.pb.h")
  set(flags --cpp_out "${gen}")
  if(arg_GRPC)
    list(APPEND sources "${gen}/proto/${stem}.grpc.pb.cc")
    list(APPEND headers "${gen}/proto/${stem}.grpc.pb.h")
    list(APPEND flags --grpc_out "${gen}"
         "--plugin=protoc-gen-grpc=$<TARGET_FILE:gRPC::grpc_cpp_plugin>")
  endif()
  add_custom_command(
    OUTPUT ${sources} ${headers}
    COMMAND protobuf::protoc ${flags} -I "${PROJECT_SOURCE_DIR}" "proto/${file}"
    WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
    DEPENDS "${PROJECT_SOURCE_DIR}/proto/${file}"
    VERBATIM)
  add_custom_target(turnout_generate_${stem} DEPENDS ${sources} ${headers})
  add_dependencies(turnout_generated turnout_generate_${stem})
  set_source_files_properties(${sources} PROPERTIES COMPILE_OPTIONS "-w")
  set(${result} ${sources} ${headers} PARENT_SCOPE)
endfunction()
