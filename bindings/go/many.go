package groupcache

import (
	"context"
	"runtime"

	"github.com/cohort-cache/cohort/bindings/go/internal/bridge"
	"github.com/cohort-cache/cohort/bindings/go/internal/core"
	"github.com/cohort-cache/cohort/bindings/go/transport"
)

// Result is the end of one get of GetMany. The values of one call may share memory with each other: who keeps one of them for long
// keeps all, unless it is copied.
type Result struct {
	Value transport.ByteView
	Err   error
}

func (g *group) GetMany(ctx context.Context, keys []string) []Result {
	results := make([]Result, len(keys))
	for first := 0; first < len(keys); first += core.MaxBatchEntries {
		last := min(first+core.MaxBatchEntries, len(keys))
		g.getMany(ctx, keys[first:last], results[first:last])
	}
	runtime.KeepAlive(g)
	return results
}

func (g *group) getMany(ctx context.Context, keys []string, results []Result) {
	if g.instance.calls {
		for _, key := range keys {
			op := operation{core.COHORT_REQUEST_GET, g.name, key}
			asks := g.instance.callers.enter(ctx, op)
			defer g.instance.callers.leave(op, asks)
		}
	}
	batch := core.NewBatch(keys)
	defer batch.Close()
	if err := batch.Begin(g.handle, timeoutMs(ctx), g.keeps(ctx)); err != nil {
		for i := range results {
			results[i].Err = err
		}
		return
	}
	batch.Wait(ctx, g.handle)
	for i := range batch.Events {
		e := &batch.Events[i]
		if e.Kind != core.COHORT_EVENT_GET {
			continue // a hit
		}
		if results[i].Err = g.failure(ctx, e, keys[i]); results[i].Err == nil {
			batch.Answers[i].Bring(e)
		} else if u, ok := results[i].Err.(*bridge.Unanswered); ok {
			results[i].Err = u.Err
		}
	}
	takeValues(batch, results)
}

// takeValues copies all values into one piece of memory, with one call.
func takeValues(batch *core.Batch, results []Result) {
	all := int64(0)
	for i := range batch.Answers {
		if a := &batch.Answers[i]; a.IsHit() {
			all += a.Size
		}
	}
	values := make([]byte, all)
	batch.TakeHits(values)
	for i := range batch.Answers {
		if a := &batch.Answers[i]; a.IsHit() {
			results[i].Value = transport.ByteViewWithExpire(values[:a.Size:a.Size], fromUnixNs(a.ExpireUnixNs))
			values = values[a.Size:]
		}
	}
}

// packedSizes returns the size of each key; the keys themselves travel one after the other.
func packedSizes(keys []string) []int64 {
	sizes := make([]int64, len(keys))
	for i, key := range keys {
		sizes[i] = int64(len(key))
	}
	return sizes
}
