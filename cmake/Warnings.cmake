# Warnings of our own code (cohort_warnings) and the sanitizers of the whole build (cohort_sanitize).
add_library(cohort_warnings INTERFACE)
target_compile_options(cohort_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wcast-qual -Wimplicit-fallthrough -Wundef -Wvla
  $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor> $<$<COMPILE_LANGUAGE:CXX>:-Wold-style-cast>
  $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes> $<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes>
  $<$<BOOL:${COHORT_WERROR}>:-Werror>)
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  target_compile_options(cohort_warnings INTERFACE -Wthread-safety -Wno-gnu-zero-variadic-macro-arguments)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(cohort_warnings INTERFACE -Wno-restrict) # gcc 12 at -O3 sees it in std::string itself (gcc bug 105651)
endif()
add_library(cohort_sanitize INTERFACE)
if(COHORT_SANITIZE)
  target_compile_options(cohort_sanitize INTERFACE -fsanitize=${COHORT_SANITIZE} -fno-omit-frame-pointer
                         -fno-sanitize-recover=all)
  target_link_options(cohort_sanitize INTERFACE -fsanitize=${COHORT_SANITIZE})
endif()
