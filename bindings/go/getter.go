package groupcache

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/cohort-cache/cohort/bindings/go/internal/core"
	"github.com/cohort-cache/cohort/bindings/go/transport"
)

// A Getter loads the value of a key.
type Getter interface {
	// Get loads the value and hands it to dest. It returns a *transport.ErrNotFound if there is no such key. See the
	// package's documentation for what ctx does; it is never nil.
	Get(ctx context.Context, key string, dest transport.Sink) error
}

// A GetterFunc is a function that is a Getter.
type GetterFunc func(ctx context.Context, key string, dest transport.Sink) error

// Get calls f.
func (f GetterFunc) Get(ctx context.Context, key string, dest transport.Sink) error {
	return f(ctx, key, dest)
}

var errGoexit = errors.New("groupcache: the getter ended its goroutine")

// lead runs the getter for a caller that leads, on the caller's goroutine and with the caller's sink.
func (g *group) lead(ctx context.Context, handle uintptr, key string, dest transport.Sink) error {
	return g.run(&load{group: g, key: key, values: ctx, leader: ctx, handle: handle}, dest)
}

// loadFor runs the getter for those who wait in the engine: peers, or callers that cannot lead.
func (g *group) loadFor(handle uintptr) {
	key := core.String(core.Cohort_load_key(handle), core.Cohort_load_key_size(handle))
	asks := g.instance.callers.first(operation{core.COHORT_REQUEST_GET, g.name, key})
	var view transport.ByteView
	// The error has gone to those who wait.
	_ = g.run(&load{group: g, key: key, values: asks.context(), handle: handle}, transport.ByteViewSink(&view))
}

// run runs the getter and ends the load, whatever the getter does: it may panic or end the goroutine.
func (g *group) run(l *load, dest transport.Sink) (err error) {
	returned := false
	defer func() {
		if returned {
			return
		}
		err = errGoexit
		if r := recover(); r != nil {
			err = fmt.Errorf("groupcache: the getter panicked: %v", r)
			if log := g.instance.opts.Logger; log != nil {
				log.Error("a getter panicked", "group", g.name, "key", l.key, "panic", r, "stack", string(debug.Stack()))
			}
		}
		l.fail(err)
	}()
	var view transport.ByteView
	if err = g.getter.Get(l, l.key, dest); err == nil {
		view, err = dest.View()
	}
	returned = true
	if err != nil {
		l.fail(err)
		return err
	}
	if handle := l.take(); handle != 0 {
		core.CompleteLoad(handle, viewBytes(view), unixNs(view.Expire()))
	}
	return nil
}

func (l *load) fail(err error) {
	handle := l.take()
	if handle == 0 {
		return
	}
	status := core.COHORT_LOAD_FAILED
	if errors.Is(err, &transport.ErrNotFound{}) {
		status = core.COHORT_NOT_FOUND
	}
	core.FailLoad(handle, status, err)
}
