package core

import "fmt"

// The header may be newer than the library that the program finds when it starts: Go neither rebuilds nor complains when
// something outside of its modules changes.
func init() {
	if err := checkLevel(Cohort_api_level(), CString(Cohort_version())); err != nil {
		panic(err)
	}
}

func checkLevel(have int, version string) error {
	if have >= COHORT_API_LEVEL {
		return nil
	}
	return fmt.Errorf("cohort: libcohort %s has API level %d, but this program was built for level %d: "+
		"install the newer libcohort, or build the program against the older one", version, have, COHORT_API_LEVEL)
}
