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
		return core.Cohort_group_set_queue(g.handle, key, value, unixNs(expire), timeoutMs(ctx), queue, tag, object)
	})
}

func (g *group) Remove(ctx context.Context, key string) error {
	return g.change(ctx, operation{core.COHORT_REQUEST_REMOVE, g.name, key}, func(queue uintptr, tag uint64, object uintptr) int {
		return core.Cohort_group_remove_queue(g.handle, key, timeoutMs(ctx), queue, tag, object)
	})
}

func (g *group) RemoveKeys(ctx context.Context, keys ...string) error {
	if len(keys) == 0 {
		return nil
	}
	packed := strings.Join(keys, "")
	return g.change(ctx, operation{core.COHORT_REQUEST_REMOVE_KEYS, g.name, packed}, func(queue uintptr, tag uint64, object uintptr) int {
		return core.Cohort_group_remove_keys_queue(g.handle, packed, packedSizes(keys), timeoutMs(ctx), queue, tag, object)
	})
}

// change starts a set or remove and waits for its end. Whoever stops to wait does not stop the change.
func (g *group) change(ctx context.Context, op operation, start func(queue uintptr, tag uint64, object uintptr) int) error {
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
	if err := c.Start(start); err != nil {
		c.Free()
		return err
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
	if status == core.COHORT_OK {
		return nil
	}
	if status == core.COHORT_UNREACHABLE {
		if failed := asks.failed(); failed != nil {
			return failed
		}
		several := &MultiError{}
		several.Add(&core.Error{Status: status, Message: message})
		return several
	}
	return callError(ctx, status, message)
}
