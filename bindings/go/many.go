package groupcache

import (
	"context"
	"runtime"

	"github.com/cohort-cache/cohort/bindings/go/internal/bridge"
	"github.com/cohort-cache/cohort/bindings/go/internal/core"
	"github.com/cohort-cache/cohort/bindings/go/transport"
)

// Result is the end of one get of GetMany. Values that were in this node's cache may share memory with each other.
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
	hits, err := batch.Begin(g.handle, timeoutMs(ctx))
	if err != nil {
		for i := range results {
			results[i].Err = err
		}
		return
	}
	takeHits(batch, results)
	if hits == len(keys) {
		<-batch.Done()
		return
	}
	if ctx == nil {
		<-batch.Done()
	} else {
		select {
		case <-batch.Done():
		case <-ctx.Done():
			for i := range batch.Answers {
				if ticket := batch.Answers[i].Ticket; ticket != 0 {
					core.Cohort_group_cancel(g.handle, ticket)
				}
			}
			<-batch.Done()
		}
	}
	core.Fence()
	for i := range batch.Events {
		e := &batch.Events[i]
		if e.Kind != core.COHORT_EVENT_GET {
			continue // a hit
		}
		if results[i].Err = g.failure(ctx, e, keys[i]); results[i].Err == nil {
			results[i].Err = deliver(transport.ByteViewSink(&results[i].Value), core.Bytes(e.Data, e.Size), e.ExpireUnixNs)
			core.Cohort_value_free(e.Value)
		}
		if u, ok := results[i].Err.(*bridge.Unanswered); ok {
			results[i].Err = u.Err
		}
	}
}

// takeHits copies all hits into one piece of memory, with one call.
func takeHits(batch *core.Batch, results []Result) {
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
