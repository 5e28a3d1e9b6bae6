# What `cmake --install` puts down: the library, the headers, cohort.pc and cohortConfig.cmake. All of it may be moved
# afterwards: both files find the rest from where they are themselves.
include(CMakePackageConfigHelpers)
install(TARGETS cohort EXPORT cohortTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/cohort DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(COHORT_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/cohort)
install(EXPORT cohortTargets NAMESPACE cohort:: DESTINATION ${COHORT_CMAKE_DIR})
configure_package_config_file(cmake/cohortConfig.cmake.in ${PROJECT_BINARY_DIR}/cohortConfig.cmake
                              INSTALL_DESTINATION ${COHORT_CMAKE_DIR})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/cohortConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/cohortConfig.cmake ${PROJECT_BINARY_DIR}/cohortConfigVersion.cmake
        DESTINATION ${COHORT_CMAKE_DIR})

# cohort.pc, as installed. pkg-config puts the folder of the file in ${pcfiledir}.
set(PC_FOLDER ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
  set(PC_PREFIX ${CMAKE_INSTALL_PREFIX})
  set(PC_LIBDIR ${CMAKE_INSTALL_LIBDIR})
else()
  file(RELATIVE_PATH PC_UP /prefix/${PC_FOLDER} /prefix)
  string(REGEX REPLACE "/$" "" PC_UP "${PC_UP}")
  set(PC_PREFIX "\${pcfiledir}/${PC_UP}")
  set(PC_LIBDIR "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
endif()
if(IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
  set(PC_INCLUDEDIR ${CMAKE_INSTALL_INCLUDEDIR})
else()
  set(PC_INCLUDEDIR "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
endif()
set(PC_RPATH "")
configure_file(cmake/cohort.pc.in ${PROJECT_BINARY_DIR}/cohort.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/cohort.pc DESTINATION ${PC_FOLDER})

# The same file for use before installation: PKG_CONFIG_PATH=<build>/pkgconfig. It carries an rpath.
set(PC_PREFIX ${PROJECT_SOURCE_DIR})
set(PC_LIBDIR ${PROJECT_BINARY_DIR})
set(PC_INCLUDEDIR "\${prefix}/include")
set(PC_RPATH "-Wl,-rpath,\${libdir} ")
configure_file(cmake/cohort.pc.in ${PROJECT_BINARY_DIR}/pkgconfig/cohort.pc @ONLY)
