package core

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"
	"weak"
)

// A hit of at most this size is copied here on its way to the caller: one crossing into C instead of three.
const scratchBytes = 4096

// Call is one operation that may wait for an event. Calls are pooled, each with a tag of its own for life, so that
// beginning an operation allocates nothing and takes no lock.
type Call struct {
	Hit     Shared // what begin answered
	Event   Event  // what came; valid after Done
	scratch *[scratchBytes]byte
	done    chan struct{}
	state   atomic.Int32
	seat    *seat // where this get waits; nil: at Done
	waited  bool  // the last get had to wait, so the next one will, too
}

// A Call's event meets the waiting goroutine here.
const (
	callOpen     = iota
	callServed   // the event is in Event, and Done tells so
	callAbsented // the caller has left: whoever delivers releases what the event owns
)

var (
	callPool sync.Pool
	// A Call that waits lends its buffer to others: what waits must be small.
	scratchPool = sync.Pool{New: func() any { return new([scratchBytes]byte) }}
	slots       slotTable
	absent      sync.Map // *Call that nobody waits for any more, until its event comes
)

// slotTable finds Calls by tag. It holds them weakly: a Call that waits is held by its goroutine, one that does not may
// leave the pool at any garbage collection and gives its slot back.
type slotTable struct {
	mu    sync.RWMutex
	calls []weak.Pointer[Call]
	free  []uint64
}

func newCall() *Call {
	c := &Call{done: make(chan struct{}, 1)}
	c.Hit.queue, c.Hit.error = Queue(), Cohort_error_new()
	slots.mu.Lock()
	if n := len(slots.free); n > 0 {
		c.Hit.tag = slots.free[n-1]
		slots.free = slots.free[:n-1]
	} else {
		c.Hit.tag = uint64(len(slots.calls))
		slots.calls = append(slots.calls, weak.Pointer[Call]{})
	}
	slots.calls[c.Hit.tag] = weak.Make(c)
	slots.mu.Unlock()
	type owned struct {
		tag   uint64
		error uintptr
	}
	runtime.AddCleanup(c, func(o owned) {
		Cohort_error_free(o.error)
		slots.mu.Lock()
		slots.free = append(slots.free, o.tag)
		slots.mu.Unlock()
	}, owned{c.Hit.tag, c.Hit.error})
	return c
}

// NewCall takes a Call from the pool.
func NewCall() *Call {
	if c, ok := callPool.Get().(*Call); ok {
		return c
	}
	return newCall()
}

// Free puts the Call back. Not while its event may still come: Leave then.
func (c *Call) Free() { callPool.Put(c) }

// Scratch returns a buffer for a hit, which is the Call's until Done is asked for or the Call is freed.
func (c *Call) Scratch() []byte {
	if c.scratch == nil {
		c.scratch = scratchPool.Get().(*[scratchBytes]byte)
	}
	return c.scratch[:]
}

// BufferFor returns what a hit for a caller with this buffer is copied to: buf, or Scratch if buf is empty.
func (c *Call) BufferFor(buf []byte) []byte {
	if len(buf) == 0 {
		return c.Scratch()
	}
	return buf
}

// Error copies the error of the operation that could not begin.
func (c *Call) Error() *Error { return takeError(c.Hit.error) }

// Begin begins a get. Returns COHORT_BEGIN_* or a negated status. buf takes a hit; c.Hit tells the rest. A get that is
// PENDING ends with Wait. keep: the thread may be kept for it.
func (c *Call) Begin(group uintptr, key string, buf []byte, flags int, timeoutMs int64, keep bool) int {
	Fence()
	if c.waited {
		flags |= c.sit(keep)
	}
	var place *gateShard
	if flags&COHORT_GET_LEND == 0 { // who is lent mostly waits, and is one of few
		place = enterGet(c.Hit.tag)
	}
	began := Cohort_go_begin(group, key, buf, flags, timeoutMs, uintptr(unsafe.Pointer(&c.Hit)))
	place.leave()
	Fence()
	runtime.KeepAlive(c)
	if c.waited = began == COHORT_BEGIN_PENDING; !c.waited && c.seat != nil {
		c.stand()
	}
	return began
}

// sit lets a get that will wait do so at a seat, if one is free. Returns COHORT_GET_LEND if it will be in C.
func (c *Call) sit(keep bool) (flags int) {
	if c.seat = sit(); c.seat == nil {
		return 0
	}
	if keep && c.seat.keepThread() {
		c.Hit.queue = c.seat.plain
		return COHORT_GET_LEND
	}
	c.Hit.queue = c.seat.queue
	return 0
}

// Wait waits for the Event of a get that is PENDING. When ctx ends the get is cancelled: the event comes all the same, and at
// once, with the value if that was quicker. ctx may be nil.
func (c *Call) Wait(ctx context.Context, group uintptr) {
	var ended <-chan struct{}
	if ctx != nil {
		ended = ctx.Done()
	}
	if c.seat != nil && c.seat.keeps {
		c.seat.waitInC(&c.Event)
		c.stand()
	} else if c.seat != nil {
		c.waitSeated(ctx, ended != nil, group)
	} else {
		standing.Add(1)
		select {
		case <-c.Done():
		case <-ended: // never, if it is nil
			c.Cancel(group, c.Hit.Ticket)
			<-c.Done()
		}
		standing.Add(-1)
	}
	Fence()
	c.Taken()
}

func (c *Call) waitSeated(ctx context.Context, ends bool, group uintptr) {
	if ends {
		ticket := c.Hit.Ticket
		defer afterEnd(ctx, func() { c.Cancel(group, ticket) })()
	}
	c.seat.wait(&c.Event)
	c.stand()
}

// afterEnd runs f when ctx ends. The returned function ends that: f has run, or will not. The group may be gone after that.
func afterEnd(ctx context.Context, f func()) (end func()) {
	ran := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		f()
		close(ran)
	})
	return func() {
		if !stop() {
			<-ran
		}
	}
}

func (c *Call) stand() {
	c.seat.stand()
	c.seat, c.Hit.queue = nil, Queue()
}

// Start runs one call that puts the Call's event into the queue if it returns COHORT_OK.
func (c *Call) Start(operation func(queue uintptr, tag uint64, object uintptr) (status int)) error {
	Fence()
	place := enter(c.Hit.tag)
	status := operation(c.Hit.queue, c.Hit.tag, c.Hit.error)
	place.leave()
	if status != COHORT_OK {
		return c.Error()
	}
	return nil
}

// Change runs one call that begins a change, and answers as cohort_group_begin_set does. Unless it has ended, its event will come.
func (c *Call) Change(begin func(queue uintptr, tag uint64, object uintptr) (begun int)) (ended bool, failed *Error) {
	Fence()
	place := enter(c.Hit.tag)
	begun := begin(c.Hit.queue, c.Hit.tag, c.Hit.error)
	place.leave()
	Fence()
	if begun < 0 {
		return false, c.Error()
	}
	return begun == COHORT_BEGIN_DONE, nil
}

// Cancel ends the wait that began with the ticket. The event comes all the same.
func (c *Call) Cancel(group uintptr, ticket uint64) {
	place := enter(c.Hit.tag)
	Cohort_group_cancel(group, ticket)
	place.leave()
}

// FreeValue releases a value that the Call brought.
func (c *Call) FreeValue(value uintptr) {
	place := enter(c.Hit.tag)
	Cohort_value_free(value)
	place.leave()
}

// Done tells once that Event has come.
func (c *Call) Done() <-chan struct{} {
	if c.scratch != nil {
		scratchPool.Put(c.scratch)
		c.scratch = nil
	}
	return c.done
}

// Leave is for a caller that does not wait for its event: what the event will own is released when it comes. The Call
// is not the caller's any more.
func (c *Call) Leave() {
	// 1. This goroutine leaves            1. The reader finds the Call open
	// 2. the reader releases the event    2. this goroutine loses the exchange, takes the event and releases it
	absent.Store(c, nil)
	if c.state.CompareAndSwap(callOpen, callAbsented) {
		return
	}
	absent.Delete(c)
	<-c.done
	c.Taken()
	c.Event.Release()
	c.Free()
}

// Taken makes the Call ready for its next operation, after Done and before another Begin.
func (c *Call) Taken() { c.state.Store(callOpen) }

// deliver hands the event to the goroutine that waits. Runs on the reader, never blocks.
func (c *Call) deliver(event *Event) {
	if c.state.CompareAndSwap(callOpen, callServed) {
		c.Event = *event
		c.done <- struct{}{}
		return
	}
	absent.Delete(c)
	c.Taken()
	event.Release()
	c.Free()
}
