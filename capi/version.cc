// Which library this is.
#include <cohort/cohort.h>

extern "C" {

int32_t cohort_api_level(void) { return COHORT_API_LEVEL; }

const char* cohort_version(void) { return COHORT_VERSION; }

}  // extern "C"
