package groupcache

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/groupcache/groupcache-go/v3/internal/core"
)

// load is one run of a getter, and the context that the getter gets: it has the values of the caller that leads, the
// latest deadline of those who wait, and is cancelled when the last of them has gone or when the load has ended. What a
// getter does not ask for costs nothing: the engine is told to watch only when somebody looks.
type load struct {
	group  *group
	key    string
	values context.Context // where the values come from; nil: there are none
	leader context.Context // of the caller that leads; nil: none does

	mu     sync.Mutex
	handle uintptr // cohort_load_t; 0 once the load has ended
	err    error   // why done is closed
	done   chan struct{}
	watch  uint64 // tag of the CANCEL event
	unlead func() bool
	after  map[*func()]struct{}
}

// A deadline this far away is nobody's: waiting callers without one end with the load's longest time.
const noDeadline = 12 * time.Hour

type loadKey struct{}

// Value returns that of the caller, and the load itself.
func (l *load) Value(key any) any {
	if _, ok := key.(loadKey); ok {
		return l
	}
	if l.values == nil {
		return nil
	}
	return l.values.Value(key)
}

// Deadline changes as callers come and go.
func (l *load) Deadline() (deadline time.Time, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.handle == 0 {
		return time.Time{}, false
	}
	left := time.Duration(core.Cohort_load_time_left_ms(l.handle)) * time.Millisecond
	if left >= noDeadline {
		return time.Time{}, false
	}
	return time.Now().Add(left), true
}

// Done is closed when nobody waits any more, or when the load has ended.
func (l *load) Done() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.look()
	return l.done
}

// Err tells why Done is closed.
func (l *load) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.look()
	return l.err
}

// AfterFunc is what the context package asks for, so that contexts made from this one need no goroutine each.
func (l *load) AfterFunc(f func()) (stop func() bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.look()
	if l.err != nil {
		go f()
		return func() bool { return false }
	}
	if l.after == nil {
		l.after = make(map[*func()]struct{})
	}
	l.after[&f] = struct{}{}
	return func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		_, waits := l.after[&f]
		delete(l.after, &f)
		return waits
	}
}

// look begins to watch, once. REQUIRES: l.mu is held.
func (l *load) look() {
	if l.done != nil {
		return
	}
	l.done = make(chan struct{})
	if l.handle == 0 {
		l.cancel(context.Canceled)
		return
	}
	l.watch = core.Cancels.Add(l.abandoned)
	core.Fence()
	core.Cohort_load_watch(l.handle, core.Queue(), l.watch, 0)
	if core.Cohort_load_cancelled(l.handle) != 0 {
		l.cancel(l.whyAbandoned(core.COHORT_CANCELLED))
	}
	if l.leader != nil && l.leader.Done() != nil {
		l.unlead = context.AfterFunc(l.leader, l.leave)
	}
}

// leave tells the engine that the leader's own caller has gone.
func (l *load) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.handle != 0 {
		core.Fence()
		core.Cohort_load_leave(l.handle)
	}
}

// abandoned is called when nobody waits any more.
func (l *load) abandoned(status int32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cancel(l.whyAbandoned(status))
}

// whyAbandoned tells a deadline from a cancellation, also when it was the leader's, which only Go knows.
func (l *load) whyAbandoned(status int32) error {
	if status == core.COHORT_TIMEOUT || l.leader != nil && errors.Is(l.leader.Err(), context.DeadlineExceeded) {
		return context.DeadlineExceeded
	}
	return context.Canceled
}

// cancel closes done, once. REQUIRES: l.mu is held.
func (l *load) cancel(err error) {
	if l.err != nil {
		return
	}
	l.err = err
	if l.done != nil {
		close(l.done)
	}
	for f := range l.after {
		go (*f)()
	}
	l.after = nil
}

// take ends the load for this side and returns its handle, 0 if that was done before.
func (l *load) take() (handle uintptr) {
	l.mu.Lock()
	handle, l.handle = l.handle, 0
	watch, unlead := l.watch, l.unlead
	if handle != 0 {
		l.cancel(context.Canceled)
	}
	l.mu.Unlock()
	if handle != 0 && watch != 0 {
		core.Cancels.Take(watch)
		if unlead != nil {
			unlead()
		}
	}
	return handle
}

// loads reports whether ctx is that of a getter that loads the key, or of one that such a getter waits for.
func loads(ctx context.Context, g *group, key string) bool {
	for ctx != nil {
		l, ok := ctx.Value(loadKey{}).(*load)
		if !ok {
			return false
		}
		if l.group == g && l.key == key {
			l.mu.Lock()
			open := l.handle != 0
			l.mu.Unlock()
			if open {
				return true
			}
		}
		ctx = l.values
	}
	return false
}
