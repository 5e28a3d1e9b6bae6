package groupcache

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"time"

	"github.com/groupcache/groupcache-go/v3/internal/core"
)

func (g *group) Set(ctx context.Context, key string, value []byte, expire time.Time, _ bool) error {
	if key == "" {
		return errors.New("empty Set() key not allowed")
	}
	return g.change(ctx, operation{core.COHORT_REQUEST_SET, g.name, key}, func(queue uintptr, tag uint64, object uintptr) int {
		return core.Cohort_group_begin_set(g.handle, key, value, unixNs(expire), timeoutMs(ctx), queue, tag, object)
	})
}

func (g *group) Remove(ctx context.Context, key string) error {
	return g.change(ctx, operation{core.COHORT_REQUEST_REMOVE, g.name, key}, func(queue uintptr, tag uint64, object uintptr) int {
		return core.Cohort_group_begin_remove(g.handle, key, timeoutMs(ctx), queue, tag, object)
	})
}

func (g *group) RemoveKeys(ctx context.Context, keys ...string) error {
	if len(keys) == 0 {
		return nil
	}
	packed := strings.Join(keys, "")
	return g.change(ctx, operation{core.COHORT_REQUEST_REMOVE_KEYS, g.name, packed}, func(queue uintptr, tag uint64, object uintptr) int {
		if status := core.Cohort_group_remove_keys_queue(
			g.handle, packed, packedSizes(keys), timeoutMs(ctx), queue, tag, object); status != core.COHORT_OK {
			return -status
		}
		return core.COHORT_BEGIN_PENDING
	})
}

// change begins a set or remove and waits for its end. Whoever stops to wait does not stop the change.
func (g *group) change(ctx context.Context, op operation, begin func(queue uintptr, tag uint64, object uintptr) int) error {
	defer runtime.KeepAlive(g)
	if ctx == nil {
		ctx = context.Background()
	} else if err := ctx.Err(); err != nil {
		return err
	}
	var asks *caller
	if g.instance.calls {
		asks = g.instance.callers.enter(ctx, op)
		defer g.instance.callers.leave(op, asks)
	}
	c := core.NewCall()
	if ended, failed := c.Change(begin); ended || failed != nil {
		c.Free()
		if failed == nil {
			return nil
		}
		if failed.Status != core.COHORT_UNREACHABLE {
			return failed
		}
		return unreachable(asks, failed)
	}
	select {
	case <-c.Done():
	case <-ctx.Done():
		c.Leave()
		return ctx.Err()
	}
	core.Fence()
	c.Taken()
	status, message := c.Event.Status, core.String(c.Event.Data, c.Event.Size)
	c.Event.Release()
	c.Free()
	switch status {
	case core.COHORT_OK:
		return nil
	case core.COHORT_UNREACHABLE:
		return unreachable(asks, &core.Error{Status: status, Message: message})
	}
	return callError(ctx, status, message)
}

// unreachable is the error of a change that not every peer took: what the peers' clients failed with, if they were asked.
func unreachable(asks *caller, err *core.Error) error {
	if failed := asks.failed(); failed != nil {
		return failed
	}
	several := &MultiError{}
	several.Add(err)
	return several
}
