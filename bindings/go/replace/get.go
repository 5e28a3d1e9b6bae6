package groupcache

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/groupcache/groupcache-go/v3/internal/bridge"
	"github.com/groupcache/groupcache-go/v3/internal/core"
	"github.com/groupcache/groupcache-go/v3/transport"
)

var errNilSink = errors.New("groupcache: nil dest Sink")

func (g *group) Get(ctx context.Context, key string, dest transport.Sink) error {
	err := g.get(ctx, key, dest, core.COHORT_GET_CAN_LEAD)
	if u, ok := err.(*bridge.Unanswered); ok {
		return u.Err
	}
	return err
}

// get is the whole story of a get. The engine answers at once with the value, or that it will, or that this goroutine is
// to run the getter. An error that is not a getter's is an *bridge.Unanswered.
func (g *group) get(ctx context.Context, key string, dest transport.Sink, flags int) error {
	if dest == nil {
		return errNilSink
	}
	if g.instance.calls || flags&core.COHORT_GET_LOCAL != 0 {
		op := operation{core.COHORT_REQUEST_GET, g.name, key}
		asks := g.instance.callers.enter(ctx, op)
		defer g.instance.callers.leave(op, asks)
	}
	c := core.NewCall()
	began := c.Begin(g.handle, key, c.Scratch(), flags, timeoutMs(ctx), g.keeps(ctx))
	return g.finish(ctx, c, key, c.Scratch(), began, flags, dest)
}

// finish brings what began to its end and frees the Call. buf is what begin was given.
func (g *group) finish(ctx context.Context, c *core.Call, key string, buf []byte, began, flags int, dest transport.Sink) error {
	defer runtime.KeepAlive(g)
	if began == core.COHORT_BEGIN_HIT {
		err := deliverHit(c, buf, dest)
		c.Free()
		return err
	}
	load, err := g.await(ctx, c, key, began)
	if err == nil && load == 0 {
		if flags&core.COHORT_GET_LOCAL != 0 && c.Event.Flags&core.COHORT_EVENT_OVERTAKEN != 0 {
			c.Event.ExpireUnixNs = 1 // the peer that asked must not keep it
		}
		err = deliverEvent(c, dest)
	}
	c.Free()
	if err == nil && load != 0 {
		err = g.lead(ctx, load, key, dest)
	}
	return err
}

// await waits for what begin has promised: a value, which is in c.Event, or a load that this goroutine is to run.
func (g *group) await(ctx context.Context, c *core.Call, key string, began int) (load uintptr, err error) {
	switch began {
	case core.COHORT_BEGIN_LEAD:
		load = c.Hit.Load
	case core.COHORT_BEGIN_PENDING:
		if ctx != nil && loads(ctx, g, key) {
			c.Cancel(g.handle, c.Hit.Ticket)
		}
		c.Wait(ctx, g.handle)
		if c.Event.Kind != core.COHORT_EVENT_LEAD {
			return 0, g.failure(ctx, &c.Event, key)
		}
		load = c.Event.Load
	default:
		return 0, &bridge.Unanswered{Err: c.Error()}
	}
	if ctx != nil && ctx.Err() != nil {
		core.Cohort_load_free(load) // the next waiter that can lead does
		return 0, &bridge.Unanswered{Err: ctx.Err()}
	}
	return load, nil
}

// failure returns the error that an event stands for; nil if it brings a value.
func (g *group) failure(ctx context.Context, e *core.Event, key string) error {
	if e.Status == core.COHORT_OK {
		return nil
	}
	defer e.Release()
	if err := core.TakeFailure(e.ErrorTag); err != nil {
		return err
	}
	message := core.String(e.Data, e.Size)
	switch e.Status {
	case core.COHORT_NOT_FOUND:
		return &transport.ErrNotFound{Msg: message}
	case core.COHORT_REMOTE_FAILED, core.COHORT_LOAD_FAILED:
		return &transport.ErrRemoteCall{Msg: message}
	case core.COHORT_CANCELLED:
		if ctx != nil && ctx.Err() == nil && loads(ctx, g, key) {
			e.Status = core.COHORT_WOULD_DEADLOCK
			message = fmt.Sprintf("the getter of group %q asked for the key it is loading", g.name)
		}
	}
	return &bridge.Unanswered{Err: callError(ctx, e.Status, message)}
}

// callError is the error of an operation that ended without an answer: the context's own, if it is that which ended it.
func callError(ctx context.Context, status int32, message string) error {
	switch status {
	case core.COHORT_TIMEOUT:
		return context.DeadlineExceeded
	case core.COHORT_CANCELLED:
		if ctx != nil && ctx.Err() != nil {
			return ctx.Err()
		}
		return context.Canceled
	}
	return &core.Error{Status: status, Message: message}
}

// keeps reports whether a get may keep its thread: nothing but its time can end it, and the engine itself asks the peers.
func (g *group) keeps(ctx context.Context) bool {
	return g.instance.sender == nil && (ctx == nil || ctx.Done() == nil)
}

// timeoutMs is the time that ctx leaves, in milliseconds; 0: it sets no limit.
func timeoutMs(ctx context.Context) int64 {
	if ctx == nil {
		return 0
	}
	deadline, ok := ctx.Deadline()
	if !ok {
		return 0
	}
	// Rounded up, so that the engine's timer does not fire before the context's.
	return max(1, int64((time.Until(deadline)+time.Millisecond-1)/time.Millisecond))
}

// deliverHit hands a hit to the sink. Small values lie in buf, which is used again; others are the engine's.
func deliverHit(c *core.Call, buf []byte, dest transport.Sink) error {
	if c.Hit.Value == 0 {
		return deliver(dest, buf[:c.Hit.Size], c.Hit.ExpireUnixNs)
	}
	defer c.FreeValue(c.Hit.Value)
	return deliver(dest, core.Bytes(c.Hit.Data, c.Hit.Size), c.Hit.ExpireUnixNs)
}

// deliverEvent hands the value that has come to the sink.
func deliverEvent(c *core.Call, dest transport.Sink) error {
	err := deliver(dest, core.Bytes(c.Event.Data, c.Event.Size), c.Event.ExpireUnixNs)
	c.FreeValue(c.Event.Value)
	return err
}

// deliver hands a value to the sink that the sink may not keep.
func deliver(dest transport.Sink, value []byte, expireUnixNs int64) error {
	if ok, err := bridge.Deliver(dest, value, expireUnixNs); ok {
		return err
	}
	// A sink of the program's own might keep what it gets, which groupcache-go forgives.
	own := append(make([]byte, 0, len(value)), value...)
	return transport.SetSinkView(dest, transport.ByteViewWithExpire(own, fromUnixNs(expireUnixNs)))
}
