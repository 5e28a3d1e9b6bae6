// Package core is libcohort as Go sees it: the C ABI through SWIG (cohort.go, cohort_wrap.c and consts.go, all generated
// by bindings/swig/generate), the layouts of the structs that C writes (layout.go), the one completion queue of the
// process with its reader (queue.go), what waits for events (call.go), and what C calls (upcalls.go).
package core
