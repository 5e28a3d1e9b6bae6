# What `cmake --install` puts down: the library, the headers, cohort.pc and cohortConfig.cmake.
include(CMakePackageConfigHelpers)
install(TARGETS cohort EXPORT cohortTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/cohort DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT cohortTargets NAMESPACE cohort:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/cohort)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/cohortConfigVersion.cmake COMPATIBILITY SameMinorVersion)
file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/cohortConfig.cmake "include(\${CMAKE_CURRENT_LIST_DIR}/cohortTargets.cmake)\n")
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/cohortConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/cohortConfigVersion.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/cohort)

set(PC_PREFIX ${CMAKE_INSTALL_PREFIX})
set(PC_LIBDIR "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
set(PC_INCLUDEDIR "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
set(PC_RPATH "")
configure_file(cmake/cohort.pc.in ${CMAKE_CURRENT_BINARY_DIR}/cohort.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/cohort.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# The same file for use before installation: PKG_CONFIG_PATH=<build>/pkgconfig. It carries an rpath.
set(PC_PREFIX ${CMAKE_CURRENT_SOURCE_DIR})
set(PC_LIBDIR ${CMAKE_CURRENT_BINARY_DIR})
set(PC_INCLUDEDIR "\${prefix}/include")
set(PC_RPATH "-Wl,-rpath,${CMAKE_CURRENT_BINARY_DIR} ")
configure_file(cmake/cohort.pc.in ${CMAKE_CURRENT_BINARY_DIR}/pkgconfig/cohort.pc @ONLY)
