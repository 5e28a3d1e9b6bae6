# What the engine stands on. The system's packages are found first; elsewhere a pinned source is fetched and built.
#
# To try the second way on a system that has the packages: -DCOHORT_FETCH=ON, with
# -DFETCHCONTENT_SOURCE_DIR_<NAME>=<folder> for each source that is at hand already.
option(COHORT_FETCH "Build the pinned sources even where the system has the packages" OFF)
include(FetchContent)

find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(PkgConfig QUIET)

# Fetches a pinned source and adds its targets, without its install rules and with warnings of its headers off.
# Policies: old projects set their options with option(), which must not undo ours (CMP0077), and ask for a CMake that is
# too old for CMake 4.
macro(cohort_fetch NAME REPOSITORY TAG FOLDER)
  message(STATUS "${NAME}: not found on this system; using ${TAG} of ${REPOSITORY}")
  set(CMAKE_POLICY_DEFAULT_CMP0077 NEW)
  set(CMAKE_POLICY_VERSION_MINIMUM 3.5)
  set(COHORT_SAVED_SHARED ${BUILD_SHARED_LIBS})
  set(BUILD_SHARED_LIBS OFF)
  if(CMAKE_VERSION VERSION_LESS 3.28)
    FetchContent_Declare(${NAME} GIT_REPOSITORY ${REPOSITORY} GIT_TAG ${TAG} GIT_SHALLOW ON)
    FetchContent_GetProperties(${NAME})
    if(NOT ${NAME}_POPULATED)
      FetchContent_Populate(${NAME})
      add_subdirectory(${${NAME}_SOURCE_DIR}/${FOLDER} ${${NAME}_BINARY_DIR} EXCLUDE_FROM_ALL)
    endif()
  else()
    FetchContent_Declare(${NAME} GIT_REPOSITORY ${REPOSITORY} GIT_TAG ${TAG} GIT_SHALLOW ON SOURCE_SUBDIR ${FOLDER}
                         EXCLUDE_FROM_ALL SYSTEM)
    FetchContent_MakeAvailable(${NAME})
  endif()
  set(BUILD_SHARED_LIBS ${COHORT_SAVED_SHARED})
endmacro()

# A library of our own name over one that was fetched; SYSTEM keeps its headers' warnings out of our build.
function(cohort_wrap NAME TARGET)
  add_library(${NAME} INTERFACE)
  target_link_libraries(${NAME} INTERFACE ${TARGET})
  target_include_directories(${NAME} SYSTEM INTERFACE $<TARGET_PROPERTY:${TARGET},INTERFACE_INCLUDE_DIRECTORIES>)
endfunction()

# protobuf: its own config where there is one (it knows what newer versions need), else CMake's module.
if(NOT COHORT_FETCH)
  find_package(Protobuf CONFIG QUIET)
  if(NOT Protobuf_FOUND)
    find_package(Protobuf QUIET)
  endif()
endif()
if(NOT TARGET protobuf::libprotobuf-lite OR NOT TARGET protobuf::protoc)
  set(protobuf_BUILD_TESTS OFF)
  set(protobuf_WITH_ZLIB OFF)
  cohort_fetch(protobuf https://github.com/protocolbuffers/protobuf v21.12 .)
endif()
cohort_wrap(cohort_protobuf protobuf::libprotobuf-lite)

# xxHash
if(PkgConfig_FOUND AND NOT COHORT_FETCH)
  pkg_check_modules(XXHASH QUIET IMPORTED_TARGET libxxhash)
endif()
if(TARGET PkgConfig::XXHASH)
  cohort_wrap(cohort_xxhash PkgConfig::XXHASH)
else()
  set(XXHASH_BUILD_XXHSUM OFF)
  cohort_fetch(xxhash https://github.com/Cyan4973/xxHash v0.8.1 cmake_unofficial)
  cohort_wrap(cohort_xxhash xxhash)
endif()

# cpp-httplib, compiled: its settings are fixed in the library, and its target carries the macros that say which.
if(PkgConfig_FOUND AND NOT COHORT_FETCH)
  pkg_check_modules(HTTPLIB QUIET IMPORTED_TARGET cpp-httplib)
endif()
if(TARGET PkgConfig::HTTPLIB)
  cohort_wrap(cohort_httplib PkgConfig::HTTPLIB)
else()
  set(HTTPLIB_COMPILE ON)
  set(HTTPLIB_REQUIRE_OPENSSL ON)
  set(HTTPLIB_USE_BROTLI_IF_AVAILABLE OFF)
  cohort_fetch(httplib https://github.com/yhirose/cpp-httplib v0.11.4 .)
  cohort_wrap(cohort_httplib httplib::httplib)
endif()

# nlohmann json
if(NOT COHORT_FETCH)
  find_package(nlohmann_json 3.11 QUIET)
endif()
if(NOT TARGET nlohmann_json::nlohmann_json)
  cohort_fetch(nlohmann_json https://github.com/nlohmann/json v3.11.2 .)
endif()
cohort_wrap(cohort_json nlohmann_json::nlohmann_json)

# GoogleTest
if(COHORT_TESTS)
  if(NOT COHORT_FETCH)
    find_package(GTest QUIET)
  endif()
  if(NOT TARGET GTest::gtest_main)
    set(INSTALL_GTEST OFF)
    cohort_fetch(googletest https://github.com/google/googletest release-1.12.1 .)
  endif()
endif()
