# Compiles one .proto of a room into the room's library: src/wire/x.proto is included as "wire/x.pb.h".
# (protobuf_generate comes only with an installed protobuf, not with a fetched one.)
function(cohort_protobuf_sources ROOM PROTO)
  cmake_path(REMOVE_EXTENSION PROTO OUTPUT_VARIABLE STEM)
  set(FOLDER ${PROJECT_BINARY_DIR}/generated)
  add_custom_command(
    OUTPUT ${FOLDER}/${STEM}.pb.cc ${FOLDER}/${STEM}.pb.h
    COMMAND ${CMAKE_COMMAND} -E make_directory ${FOLDER}
    COMMAND protobuf::protoc --cpp_out=${FOLDER} -I ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/src/${PROTO}
    DEPENDS ${PROJECT_SOURCE_DIR}/src/${PROTO} VERBATIM)
  string(MAKE_C_IDENTIFIER generate_${STEM} GENERATE)
  add_custom_target(${GENERATE} DEPENDS ${FOLDER}/${STEM}.pb.cc ${FOLDER}/${STEM}.pb.h)
  add_dependencies(generated_sources ${GENERATE})
  add_dependencies(cohort_${ROOM} ${GENERATE})
  set_source_files_properties(${FOLDER}/${STEM}.pb.cc PROPERTIES COMPILE_OPTIONS -w)
  target_sources(cohort_${ROOM} PRIVATE ${FOLDER}/${STEM}.pb.cc ${FOLDER}/${STEM}.pb.h)
  target_include_directories(cohort_${ROOM} SYSTEM PRIVATE ${FOLDER})
endfunction()
