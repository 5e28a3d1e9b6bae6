package core

import "fmt"

// The header may be newer than the library that the program finds when it starts: Go neither rebuilds nor complains when
// something outside of its modules changes.
func init() {
	if have := Cohort_api_level(); have < COHORT_API_LEVEL {
		panic(fmt.Sprintf("cohort: libcohort %s has API level %d, but this program was built for level %d: "+
			"install the newer libcohort, or rebuild the program with the older one",
			CString(Cohort_version()), have, COHORT_API_LEVEL))
	}
}
