package core

import (
	"strings"
	"testing"
)

func TestAnOlderLibraryIsRefusedInWords(t *testing.T) {
	err := checkLevel(COHORT_API_LEVEL-1, "0.0.9")
	if err == nil || !strings.Contains(err.Error(), "libcohort 0.0.9") {
		t.Fatal(err)
	}
	for _, level := range []int{COHORT_API_LEVEL, COHORT_API_LEVEL + 1} {
		if err := checkLevel(level, "1.0.0"); err != nil {
			t.Error(err)
		}
	}
}
