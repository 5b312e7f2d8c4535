# libturnout, static and shared, from the layers' objects; how it is installed.
include(CMakePackageConfigHelpers)

get_property(layers GLOBAL PROPERTY TURNOUT_LAYERS)
if(NOT layers)
  return()
endif()
set(objects)
set(links)
foreach(layer IN LISTS layers)
  list(APPEND objects $<TARGET_OBJECTS:turnout_${layer}>)
  get_target_property(link turnout_${layer} TURNOUT_LINK)
  list(APPEND links ${link})
endforeach()
list(REMOVE_DUPLICATES links)
# Needed to compile our sources, not to use the library.
list(REMOVE_ITEM links nlohmann_json::nlohmann_json turnout_grpc_internals)

add_library(turnout STATIC ${objects})
add_library(turnout_shared SHARED ${objects})
set_target_properties(turnout PROPERTIES LINKER_LANGUAGE CXX)
set_target_properties(turnout_shared PROPERTIES LINKER_LANGUAGE CXX OUTPUT_NAME turnout
  VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
foreach(library turnout turnout_shared)
  add_library(turnout::${library} ALIAS ${library})
  target_compile_features(${library} PUBLIC cxx_std_20)
  target_include_directories(${library} PUBLIC
    "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>"
    "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
  target_link_libraries(${library}
    PUBLIC gRPC::grpc++ absl::status absl::statusor absl::strings Threads::Threads
    PRIVATE ${links})
endforeach()
# Whoever links the library gets the resolver and the policies, even if nothing in the program names
# them: the static one by way of turnout::Init(), the shared one also where the linker would drop it.
# And whoever unloads a plugin with the library in it leaves the code in place: its threads go on.
target_link_options(turnout INTERFACE "LINKER:--undefined=_ZN7turnout4InitEv,-z,nodelete")
target_link_options(turnout_shared PRIVATE "LINKER:-z,nodelete")
target_link_options(turnout_shared INTERFACE
  "LINKER:--push-state,--no-as-needed,$<TARGET_FILE:turnout::turnout_shared>,--pop-state")

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/turnout")
install(TARGETS turnout turnout_shared EXPORT turnoutTargets)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/turnout" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT turnoutTargets NAMESPACE turnout:: DESTINATION "${package_dir}")
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/turnoutConfig.cmake.in"
                              "${PROJECT_BINARY_DIR}/turnoutConfig.cmake"
                              INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/turnoutConfigVersion.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/turnoutConfig.cmake"
              "${PROJECT_BINARY_DIR}/turnoutConfigVersion.cmake" DESTINATION "${package_dir}")
file(RELATIVE_PATH pkgconfig_to_prefix "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
configure_file("${PROJECT_SOURCE_DIR}/cmake/turnout.pc.in" "${PROJECT_BINARY_DIR}/turnout.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/turnout.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
