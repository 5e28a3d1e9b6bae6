package core

import (
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
)

// What is interested in events that are nobody's answer. The functions run on the reader and must not block: whatever
// takes time gets a goroutine of its own.
var (
	Loads   Registry[func(load uintptr)]             // LOAD, by the group's tag
	Sends   Registry[func(request uintptr)]          // SEND, by the transport's tag
	Cancels Registry[func(status int32)]             // CANCEL, by the watch's tag
	Logs    Registry[func(level int32, line string)] // LOG, by the registration's tag
)

var (
	queue     atomic.Uintptr
	queueOnce sync.Once
	logLines  chan func()
)

// Queue returns the one completion queue of the process. The first call starts its reader.
func Queue() uintptr {
	if q := queue.Load(); q != 0 {
		return q
	}
	queueOnce.Do(startQueue)
	return queue.Load()
}

// startQueue makes the queue and starts its reader.
func startQueue() {
	q, conn, err := newPolledQueue()
	if err != nil {
		panic(fmt.Sprintf("cannot make the completion queue: %v", err))
	}
	logLines = make(chan func(), 1024)
	go func() {
		for line := range logLines {
			line()
		}
	}()
	queue.Store(q)
	go read(q, conn)
}

// read takes batches of events for as long as the process lives. The descriptor is readable while events wait; taking
// the last one makes it unreadable, and the next push wakes the poller again:
//
//  1. read takes events until none is left   1. the queue is found empty
//  2. read asks the poller to wait           2. an event is pushed, which makes the descriptor readable
//  3. the poller wakes read                  3. the poller saw it already: read does not wait
func read(q uintptr, conn syscall.RawConn) {
	events := make([]Event, 256)
	calls := make([]*Call, len(events))
	drain := func(uintptr) (stop bool) {
		for {
			n := int(Cohort_queue_wait(q, events, 0))
			if n == 0 {
				return false
			}
			Fence()
			dispatch(events[:n], calls)
			if n < len(events) {
				return false
			}
		}
	}
	for {
		if err := conn.Read(drain); err != nil {
			panic(fmt.Sprintf("the completion queue cannot be read: %v", err))
		}
	}
}

func dispatch(events []Event, calls []*Call) {
	slots.mu.RLock()
	for i := range events {
		e := &events[i]
		calls[i] = nil
		switch e.Kind {
		case COHORT_EVENT_GET, COHORT_EVENT_LEAD, COHORT_EVENT_DONE, COHORT_EVENT_RESPONSE:
			if e.Tag&batchBit == 0 {
				calls[i] = slots.calls[e.Tag].Value()
			}
		}
	}
	slots.mu.RUnlock()
	for i := range events {
		e := &events[i]
		if c := calls[i]; c != nil {
			c.deliver(e)
			continue
		}
		calls[i] = nil
		switch e.Kind {
		case COHORT_EVENT_GET:
			if b, ok := batches.Get(e.Tag &^ batchBit >> batchIndexBits); ok && e.Tag&batchBit != 0 {
				b.deliver(e)
				continue
			}
		case COHORT_EVENT_LOAD:
			if run, ok := Loads.Get(e.Tag); ok {
				run(e.Load)
				continue
			}
		case COHORT_EVENT_SEND:
			if send, ok := Sends.Get(e.Tag); ok {
				send(e.Request)
				continue
			}
		case COHORT_EVENT_CANCEL:
			if cancel, ok := Cancels.Take(e.Tag); ok {
				cancel(e.Status)
			}
		case COHORT_EVENT_LOG:
			if write, ok := Logs.Get(e.Tag); ok {
				level, line := e.Status, String(e.Data, e.Size)
				select {
				case logLines <- func() { write(level, line) }:
				default: // a logger that cannot keep up loses lines
				}
			}
		}
		e.Release()
	}
	clear(calls)
}
