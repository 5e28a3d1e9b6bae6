package core

import "sync"

// A getter's error travels through the engine as a number, so that every waiting goroutine of this process gets the very
// value that the getter returned.
var failures struct {
	mu   sync.Mutex
	last uint64
	m    map[uint64]*failure
}

type failure struct {
	err error
	// Events that are still to come. While they are not counted yet it is far above 0.
	events int64
}

const notCounted = 1 << 40

// fail runs one failing call with a tag for err. The call tells how many events will carry the tag:
//
//  1. the call pushes events           1. the call pushes events
//  2. a waiter takes its event         2. the call tells their number
//  3. the call tells their number      3. the last waiter takes its event
//
// Either way the last of these forgets the tag.
func fail(err error, call func(tag uint64) (events int64)) {
	failures.mu.Lock()
	if failures.m == nil {
		failures.m = make(map[uint64]*failure)
	}
	failures.last++
	tag := failures.last
	f := &failure{err: err, events: notCounted}
	failures.m[tag] = f
	failures.mu.Unlock()
	Fence()
	place := enter(tag)
	n := call(tag)
	place.leave()
	failures.mu.Lock()
	if f.events += n - notCounted; f.events == 0 {
		delete(failures.m, tag)
	}
	failures.mu.Unlock()
}

// TakeFailure returns the error that an event's ErrorTag stands for; nil if it is 0.
func TakeFailure(tag uint64) error {
	if tag == 0 {
		return nil
	}
	failures.mu.Lock()
	defer failures.mu.Unlock()
	f := failures.m[tag]
	if f == nil {
		return nil
	}
	if f.events--; f.events == 0 {
		delete(failures.m, tag)
	}
	return f.err
}

// OpenFailures counts the errors whose events have not all been taken.
func OpenFailures() int {
	failures.mu.Lock()
	defer failures.mu.Unlock()
	return len(failures.m)
}

// FailLoad ends a load with err.
func FailLoad(load uintptr, status int, err error) {
	message := err.Error()
	fail(err, func(tag uint64) int64 { return Cohort_load_fail(load, status, message, tag) })
}

// FailRequest ends a request of a transport with err.
func FailRequest(request uintptr, status int, err error) {
	message := err.Error()
	fail(err, func(tag uint64) int64 { return Cohort_request_fail(request, status, message, tag) })
}

// CompleteLoad ends a load with a value.
func CompleteLoad(load uintptr, value []byte, expireUnixNs int64) {
	Fence()
	place := enter(uint64(load) >> 4)
	defer place.leave()
	Cohort_load_complete(load, value, expireUnixNs, 0)
}
