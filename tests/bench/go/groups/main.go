// Command groups measures groupcache-go v3, and Cohort under the same interface: it is built twice, with the real module, and
// with Cohort's drop-in by one replace line and the tag "cohort". Each file says what its subjects can be asked.
package main

import "bench/harness"

func main() {
	harness.Main(map[string]func(){
		"hits":    hits,
		"fill":    fill,
		"owner":   owner,
		"asker":   asker,
		"node":    node,
		"waiting": waiting,
		"changes": changes,
		"ring":    ring,
	})
}
