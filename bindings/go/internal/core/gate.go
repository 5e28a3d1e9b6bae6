package core

import (
	"math/bits"
	"runtime"
	"sync/atomic"
)

// A thread that the operating system takes off the processor in the middle of a call into C, or that waits there for a
// lock, is replaced by Go with another one, which may be next: with many goroutines on a busy machine the threads grow
// into hundreds. So the gate lets about as many goroutines into C at once as there are processors; the others wait as
// goroutines do.
//
// Gets need not be counted while few threads have ever made one, since no more than those can be inside: C counts each
// thread once (go.i), and a get only looks at the sum, which hardly ever changes.
//
// The counters are spread so that processors do not fight for one of them: a Call mostly stays with one processor and
// always counts in the same place. Who finds its place empty goes in unseen, which keeps the common case at one
// addition.
var gate struct {
	shards  [64]gateShard
	mask    uint64
	few     int32
	threads *atomic.Int32 // C's: how many have made a get
	limit   atomic.Int32
	waiting atomic.Int32
	tokens  chan struct{}
}

type gateShard struct {
	inside atomic.Int32
	_      [124]byte // each in cache lines of its own
}

func init() {
	procs := runtime.GOMAXPROCS(0)
	gate.mask = 1<<bits.Len(uint(max(procs/2, 2)-1)) - 1
	gate.mask = min(gate.mask, uint64(len(gate.shards)-1))
	gate.limit.Store(int32(procs))
	gate.few = int32(procs) + 8
	gate.threads = (*atomic.Int32)(pointer(Cohort_go_threads()))
	gate.tokens = make(chan struct{}, 1024)
}

// enterGet is enter for a get: nil if it need not be counted.
func enterGet(hint uint64) *gateShard {
	if gate.threads.Load() <= gate.few {
		return nil
	}
	return enter(hint)
}

// enter is called before a call into C, leave after it. hint says where to count.
func enter(hint uint64) *gateShard {
	s := &gate.shards[hint&gate.mask]
	if s.inside.Add(1) > 1 && inside() > gate.limit.Load() {
		s.wait()
	}
	return s
}

func (s *gateShard) leave() {
	if s == nil {
		return
	}
	s.inside.Add(-1)
	if gate.waiting.Load() > 0 && takeWaiting() {
		gate.tokens <- struct{}{}
	}
}

func inside() (all int32) {
	for i := range gate.mask + 1 {
		all += gate.shards[i].inside.Load()
	}
	return all
}

// wait steps back until there is room:
//
//  1. it is full                           1. it is full
//  2. the last one leaves, nobody waits    2. this one waits
//  3. this one waits, looks again, enters  3. whoever leaves lets it look again
func (s *gateShard) wait() {
	gate.limit.Store(int32(runtime.GOMAXPROCS(0)))
	for inside() > gate.limit.Load() {
		s.inside.Add(-1)
		gate.waiting.Add(1)
		if inside() >= gate.limit.Load() || !takeWaiting() {
			<-gate.tokens
		}
		s.inside.Add(1)
	}
}

// takeWaiting takes one from the number of those who wait. Whoever does so lets one of them go on.
func takeWaiting() bool {
	for {
		n := gate.waiting.Load()
		if n <= 0 {
			return false
		}
		if gate.waiting.CompareAndSwap(n, n-1) {
			return true
		}
	}
}
