# What src/grpc needs beyond gRPC's public interface: its internal headers, of exactly the installed
# version, compiled with the library's own NDEBUG setting, which is part of that interface.
# Defines the target turnout_grpc_internals.
set(TURNOUT_GRPC_SUPPORTED 1.51)  # major.minor; each release changes the internal interface

set(TURNOUT_GRPC_SOURCE_DIR "${PROJECT_SOURCE_DIR}/build/deps/grpc-${gRPC_VERSION}"
    CACHE PATH "A gRPC source tree of the installed version (its headers are enough)")

# Where a tree comes from, said by each check that fails.
set(_advice "Run `./run build`, which fetches the headers of Debian's gRPC, or name the source tree "
            "that your gRPC was built from: -DTURNOUT_GRPC_SOURCE_DIR=<folder>.")
list(JOIN _advice "" _advice)

string(REGEX MATCH "^[0-9]+\\.[0-9]+" _installed_minor "${gRPC_VERSION}")
if(NOT _installed_minor STREQUAL TURNOUT_GRPC_SUPPORTED)
  message(FATAL_ERROR
    "gRPC ${gRPC_VERSION} is installed (${gRPC_DIR}); Turnout supports gRPC ${TURNOUT_GRPC_SUPPORTED}.x: "
    "the interface that resolvers and balancing policies are made of is internal to gRPC and changes "
    "with each release. Build on Debian 12, or give -DgRPC_DIR= of a gRPC ${TURNOUT_GRPC_SUPPORTED}.")
endif()

set(_version_header "${TURNOUT_GRPC_SOURCE_DIR}/include/grpcpp/version_info.h")
if(NOT EXISTS "${_version_header}"
   OR NOT EXISTS "${TURNOUT_GRPC_SOURCE_DIR}/src/core/lib/load_balancing/lb_policy.h")
  message(FATAL_ERROR "No gRPC source tree in ${TURNOUT_GRPC_SOURCE_DIR}. ${_advice}")
endif()
file(STRINGS "${_version_header}" _version_line REGEX "GRPC_CPP_VERSION_STRING")
string(REGEX REPLACE ".*\"(.*)\".*" "\\1" _tree_version "${_version_line}")
if(NOT _tree_version STREQUAL gRPC_VERSION)
  message(FATAL_ERROR "The gRPC source tree in ${TURNOUT_GRPC_SOURCE_DIR} is of version "
                      "${_tree_version}, the installed library is ${gRPC_VERSION}. ${_advice}")
endif()

# A reference count's debug twin holds 24 bytes (vtable, name, flag) when gRPC was compiled without
# NDEBUG, and next to nothing with it.
function(turnout_detect_grpc_ndebug result)
  get_target_property(configs gRPC::grpc IMPORTED_CONFIGURATIONS)
  list(GET configs 0 config)
  get_target_property(library gRPC::grpc IMPORTED_LOCATION_${config})
  set(flags -SC)
  if(library MATCHES "\\.so")
    set(flags -DSC)
  endif()
  execute_process(COMMAND "${CMAKE_NM}" ${flags} "${library}" OUTPUT_VARIABLE symbols ERROR_QUIET)
  if(NOT symbols MATCHES "[0-9a-f]+ ([0-9a-f]+) [A-Za-z] grpc_core::grpc_trace_lb_policy_refcount")
    message(FATAL_ERROR
      "Cannot tell whether ${library} was compiled with NDEBUG: `${CMAKE_NM} ${flags}` shows no "
      "grpc_core::grpc_trace_lb_policy_refcount in it. Use Debian's libgrpc-dev, or a gRPC that "
      "exports its internal symbols.")
  endif()
  math(EXPR size "0x${CMAKE_MATCH_1}")
  if(size EQUAL 24)
    set(${result} OFF PARENT_SCOPE)
  elseif(size LESS 24)
    set(${result} ON PARENT_SCOPE)
  else()
    message(FATAL_ERROR "grpc_core::grpc_trace_lb_policy_refcount in ${library} has ${size} bytes; "
                        "gRPC ${TURNOUT_GRPC_SUPPORTED} has at most 24. Is it another version's library?")
  endif()
endfunction()
turnout_detect_grpc_ndebug(TURNOUT_GRPC_NDEBUG)

add_library(turnout_grpc_internals INTERFACE)
target_include_directories(turnout_grpc_internals SYSTEM INTERFACE
  "${TURNOUT_GRPC_SOURCE_DIR}"
  "${TURNOUT_GRPC_SOURCE_DIR}/src/core/ext/upb-generated"
  "${TURNOUT_GRPC_SOURCE_DIR}/src/core/ext/upbdefs-generated"
  "${TURNOUT_GRPC_SOURCE_DIR}/third_party/upb"
  "${TURNOUT_GRPC_SOURCE_DIR}/third_party/xxhash")
# Comes after the build type's own flags, and so overrides them.
if(TURNOUT_GRPC_NDEBUG)
  target_compile_options(turnout_grpc_internals INTERFACE -DNDEBUG)
else()
  target_compile_options(turnout_grpc_internals INTERFACE -UNDEBUG)
endif()
message(STATUS "gRPC ${gRPC_VERSION}, compiled with NDEBUG: ${TURNOUT_GRPC_NDEBUG}, "
               "internals from ${TURNOUT_GRPC_SOURCE_DIR}")
