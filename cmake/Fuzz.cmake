# libFuzzer programs (clang): tests/<room>/<what>_fuzz.cc becomes <what>_fuzz. It sees the engine's own headers, as tests do;
# those of the C ABI see the library alone.
# tests/<room>/corpus/<what>/ holds the inputs that it starts from; tests/stages/fuzz runs them all.
file(GLOB FUZZERS CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/*/*_fuzz.cc)
foreach(SOURCE ${FUZZERS})
  cmake_path(GET SOURCE STEM NAME)
  add_executable(${NAME} ${SOURCE})
  set_target_properties(${NAME} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzz)
  target_include_directories(${NAME} PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/tests)
  cmake_path(GET SOURCE PARENT_PATH ROOM)
  cmake_path(GET ROOM FILENAME ROOM)
  target_link_libraries(${NAME} PRIVATE $<IF:$<STREQUAL:${ROOM},capi>,cohort,cohort_engine> cohort_sanitize cohort_warnings)
  target_link_options(${NAME} PRIVATE -fsanitize=fuzzer)
endforeach()
