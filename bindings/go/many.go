package groupcache

import (
	"context"
	"runtime"
	"strings"

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
	sizes := packedSizes(keys)
	answers := make([]core.Answer, len(keys))
	batch := core.NewBatch(len(keys))
	defer batch.Close()
	hits := int64(0)
	err := core.Try(func(object uintptr) bool {
		hits = core.Cohort_group_begin_many(g.handle, strings.Join(keys, ""), sizes, 0, timeoutMs(ctx), core.Queue(),
			batch.FirstTag(), answers, object)
		return hits >= 0
	})
	if err != nil {
		for i := range results {
			results[i].Err = err
		}
		return
	}
	batch.Expect(len(keys) - int(hits))
	takeHits(answers, sizes, results)
	if ctx == nil {
		<-batch.Done()
	} else {
		select {
		case <-batch.Done():
		case <-ctx.Done():
			for i := range answers {
				if answers[i].Ticket != 0 {
					core.Cohort_group_cancel(g.handle, answers[i].Ticket)
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
func takeHits(answers []core.Answer, sizes []int64, results []Result) {
	all := int64(0)
	for i := range answers {
		if answers[i].Value != 0 {
			all += answers[i].Size
		}
	}
	values := make([]byte, all)
	isHit := make([]bool, len(answers))
	for i := range answers {
		isHit[i] = answers[i].Value != 0
	}
	core.Cohort_go_take_hits(answers, sizes, values)
	for i := range answers {
		if isHit[i] {
			size := answers[i].Size
			results[i].Value = transport.ByteViewWithExpire(values[:size:size], fromUnixNs(answers[i].ExpireUnixNs))
			values = values[size:]
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
