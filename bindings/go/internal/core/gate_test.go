package core

import (
	"bytes"
	"runtime"
	"testing"
	"time"
)

// parked reports whether a goroutine sleeps in the gate, which it does without using a processor.
func parked() bool {
	stacks := make([]byte, 1<<20)
	for _, stack := range bytes.Split(stacks[:runtime.Stack(stacks, true)], []byte("\n\n")) {
		if bytes.Contains(stack, []byte("[chan receive")) && bytes.Contains(stack, []byte("(*gateShard).wait")) {
			return true
		}
	}
	return false
}

func TestWhoFindsTheGateFullSleepsUntilThereIsRoom(t *testing.T) {
	gate.limit.Store(int32(runtime.GOMAXPROCS(0)))
	var in []*gateShard
	for i := range gate.limit.Load() {
		in = append(in, enter(uint64(i)))
	}
	entered := make(chan *gateShard)
	go func() { entered <- enter(0) }()
	for end := time.Now().Add(time.Minute); !parked(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatal("the goroutine does not sleep")
		}
	}
	in[0].leave()
	(<-entered).leave()
	for _, s := range in[1:] {
		s.leave()
	}
	if n, waiting := inside(), gate.waiting.Load(); n != 0 || waiting != 0 {
		t.Errorf("%d are inside and %d wait, want none", n, waiting)
	}
}

func TestGetsAreCountedOnlyWhenMoreThanFewThreadsMakeThem(t *testing.T) {
	few := gate.few
	defer func() { gate.few = few }()
	gate.few = gate.threads.Load()
	place := enterGet(0)
	if n := inside(); place != nil || n != 0 {
		t.Errorf("with few threads %d are counted, want none", n)
	}
	place.leave()
	gate.few--
	place = enterGet(0)
	if n := inside(); place == nil || n != 1 {
		t.Errorf("with more threads %d are counted, want 1", n)
	}
	place.leave()
	if n := inside(); n != 0 {
		t.Errorf("%d are inside at the end, want none", n)
	}
}
