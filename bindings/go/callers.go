package groupcache

import (
	"context"
	"slices"
	"sync"
)

// callers knows who in this process waits for what, where the values of a caller's context must travel on: to a client
// that is called for it, or to a getter that runs for a request of a peer. Nobody is entered where neither can be.
type callers struct {
	mu sync.Mutex
	m  map[operation][]*caller
}

// operation names what goroutines are waiting for.
type operation struct {
	kind  int // COHORT_REQUEST_*
	group string
	key   string // of REMOVE_KEYS all, one after the other
}

// caller is one goroutine that waits for an operation. What a client answered comes back to it.
type caller struct {
	ctx    context.Context
	mu     sync.Mutex
	errors MultiError
}

func (cs *callers) enter(ctx context.Context, op operation) *caller {
	c := &caller{ctx: ctx}
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.m == nil {
		cs.m = make(map[operation][]*caller)
	}
	cs.m[op] = append(cs.m[op], c)
	return c
}

func (cs *callers) leave(op operation, c *caller) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	left := slices.DeleteFunc(cs.m[op], func(other *caller) bool { return other == c })
	if len(left) == 0 {
		delete(cs.m, op)
	} else {
		cs.m[op] = left
	}
}

// first returns the caller that has waited longest; nil if there is none in this process.
func (cs *callers) first(op operation) *caller {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if all := cs.m[op]; len(all) > 0 {
		return all[0]
	}
	return nil
}

// context returns the context of a caller, which may be nil.
func (c *caller) context() context.Context {
	if c == nil {
		return nil
	}
	return c.ctx
}

func (c *caller) fail(err error) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.errors.Add(err)
}

func (c *caller) failed() error {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.errors.NilOrError()
}
