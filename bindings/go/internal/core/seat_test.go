package core

import "testing"

func TestSeatsAreFewAndForThoseWhoWaitAlone(t *testing.T) {
	var taken []*seat
	for range seats {
		s := sit()
		if s == nil {
			t.Fatal("there is no seat")
		}
		taken = append(taken, s)
	}
	if sit() != nil {
		t.Error("one more than there are sits")
	}
	for _, s := range taken {
		s.stand()
	}
	standing.Add(int64(len(seats)))
	if sit() != nil {
		t.Error("one sits although many wait")
	}
	standing.Add(-int64(len(seats)))
	s := sit()
	if s == nil {
		t.Fatal("no seat was given back")
	}
	Cohort_queue_wake(s.queue)
	if s.look(0) {
		t.Error("an event has come to a seat that nobody had")
	}
	s.stand()
}

func TestAProcessorIsLeftForWhatTheKeptThreadsWaitFor(t *testing.T) {
	limit := gate.limit.Load()
	defer gate.limit.Store(limit)
	var a, b seat
	gate.limit.Store(1)
	if a.keepThread() {
		t.Error("the only processor's thread is kept")
	}
	gate.limit.Store(2)
	if !a.keepThread() || b.keepThread() {
		t.Error("of two processors' threads not just one is kept")
	}
	a.stand()
	if !b.keepThread() {
		t.Error("no thread is kept although none is")
	}
	b.stand()
	if n := kept.Load(); n != 0 {
		t.Errorf("%d threads are kept in the end, want none", n)
	}
}
