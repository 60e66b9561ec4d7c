# What `cmake --install` leaves: the command, the library, headers, weir.pc, the
# CMake package, and the folder in which `plugin: NAME` is found.
include(CMakePackageConfigHelpers)

set(WEIR_HANDLER_DIR ${CMAKE_INSTALL_LIBDIR}/weir/handlers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/weir)

install(TARGETS weir RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS weir_library weir_handler EXPORT weirTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/weir
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(DIRECTORY DESTINATION ${WEIR_HANDLER_DIR})

# An installed tree can be moved, so weir.pc starts from its own folder; not when
# the folders were given as absolute ones.
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}" OR IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
  set(WEIR_PC_PREFIX ${CMAKE_INSTALL_PREFIX})
  set(WEIR_PC_INCLUDEDIR ${CMAKE_INSTALL_FULL_INCLUDEDIR})
  set(WEIR_PC_LIBDIR ${CMAKE_INSTALL_FULL_LIBDIR})
else()
  file(RELATIVE_PATH up /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
  set(WEIR_PC_PREFIX "\${pcfiledir}/${up}")
  set(WEIR_PC_INCLUDEDIR "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
  set(WEIR_PC_LIBDIR "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
endif()
configure_file(weir.pc.in weir.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/weir.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

configure_package_config_file(weirConfig.cmake.in weirConfig.cmake
  INSTALL_DESTINATION ${package_dir} PATH_VARS WEIR_HANDLER_DIR)
write_basic_package_version_file(weirConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/weirConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/weirConfigVersion.cmake
  DESTINATION ${package_dir})
install(EXPORT weirTargets NAMESPACE weir:: DESTINATION ${package_dir})
