package core

import (
	"testing"
	"unsafe"
)

// The numbers are those that go.i asserts of the C structs when they are compiled.
func TestStructsHaveTheLayoutsOfC(t *testing.T) {
	var e Event
	var a Answer
	var h Shared
	var r RequestView
	var s ResponseView
	for _, c := range []struct {
		name      string
		got, want uintptr
	}{
		{"Event", unsafe.Sizeof(e), 88},
		{"Event.Status", unsafe.Offsetof(e.Status), 4},
		{"Event.Tag", unsafe.Offsetof(e.Tag), 8},
		{"Event.Data", unsafe.Offsetof(e.Data), 16},
		{"Event.Size", unsafe.Offsetof(e.Size), 24},
		{"Event.ExpireUnixNs", unsafe.Offsetof(e.ExpireUnixNs), 32},
		{"Event.ErrorTag", unsafe.Offsetof(e.ErrorTag), 40},
		{"Event.Value", unsafe.Offsetof(e.Value), 48},
		{"Event.Load", unsafe.Offsetof(e.Load), 56},
		{"Event.Request", unsafe.Offsetof(e.Request), 64},
		{"Event.Response", unsafe.Offsetof(e.Response), 72},
		{"Event.Source", unsafe.Offsetof(e.Source), 80},
		{"Event.Flags", unsafe.Offsetof(e.Flags), 84},
		{"Answer", unsafe.Sizeof(a), 48},
		{"Answer.ExpireUnixNs", unsafe.Offsetof(a.ExpireUnixNs), 8},
		{"Answer.Value", unsafe.Offsetof(a.Value), 16},
		{"Answer.Load", unsafe.Offsetof(a.Load), 24},
		{"Answer.Ticket", unsafe.Offsetof(a.Ticket), 32},
		{"Answer.Source", unsafe.Offsetof(a.Source), 40},
		{"Shared", unsafe.Sizeof(h), 80},
		{"Shared.Data", unsafe.Offsetof(h.Data), 48},
		{"Shared.queue", unsafe.Offsetof(h.queue), 56},
		{"Shared.tag", unsafe.Offsetof(h.tag), 64},
		{"Shared.error", unsafe.Offsetof(h.error), 72},
		{"RequestView", unsafe.Sizeof(r), 152},
		{"RequestView.Peer", unsafe.Offsetof(r.Peer), 8},
		{"RequestView.Group", unsafe.Offsetof(r.Group), 24},
		{"RequestView.Key", unsafe.Offsetof(r.Key), 40},
		{"RequestView.KeySizes", unsafe.Offsetof(r.KeySizes), 56},
		{"RequestView.KeyCount", unsafe.Offsetof(r.KeyCount), 64},
		{"RequestView.Value", unsafe.Offsetof(r.Value), 72},
		{"RequestView.ExpireUnixNs", unsafe.Offsetof(r.ExpireUnixNs), 88},
		{"RequestView.Method", unsafe.Offsetof(r.Method), 96},
		{"RequestView.Target", unsafe.Offsetof(r.Target), 112},
		{"RequestView.Headers", unsafe.Offsetof(r.Headers), 128},
		{"RequestView.TimeLeftMs", unsafe.Offsetof(r.TimeLeftMs), 144},
		{"ResponseView", unsafe.Sizeof(s), 40},
		{"ResponseView.Headers", unsafe.Offsetof(s.Headers), 8},
		{"ResponseView.HeadersSize", unsafe.Offsetof(s.HeadersSize), 16},
		{"ResponseView.Body", unsafe.Offsetof(s.Body), 24},
		{"ResponseView.BodySize", unsafe.Offsetof(s.BodySize), 32},
		{"GroupStats", unsafe.Sizeof(GroupStats{}), 23 * 8},
		{"CacheStats", unsafe.Sizeof(CacheStats{}), 9 * 8},
	} {
		if c.got != c.want {
			t.Errorf("%s: %d, want %d as in cohort.h", c.name, c.got, c.want)
		}
	}
}
