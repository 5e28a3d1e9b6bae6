package core

import (
	"context"
	"sync"
	"sync/atomic"
	"unsafe"
)

// A Batch waits for the events of many gets that began in one call: at a seat, where their tags are their indices, or for the
// reader, where they are batchBit, the Batch's number and the index. Batches are pooled, with what such a call needs and does not
// hand out.
type Batch struct {
	Events  []Event // what has come; Kind 0: nothing
	Answers []Answer
	keys    []byte
	sizes   []int64
	seat    *seat  // nil: the reader counts missing down, and tells done
	number  uint64 // 0: the reader does not know it
	coming  int    // events, when it begins
	missing atomic.Int64
	done    chan struct{}
	waited  bool // the last one had to wait, so the next one will, too
}

const (
	batchBit        = 1 << 63
	batchIndexBits  = 24
	batchIndexMask  = 1<<batchIndexBits - 1
	MaxBatchEntries = 1 << batchIndexBits // MaxBatchEntries is the most that one Batch can hold.
)

// The most gets whose Batch is kept for others.
const pooledEntries = 4096

var (
	batches   Registry[*Batch]
	batchPool = sync.Pool{New: func() any { return &Batch{done: make(chan struct{}, 1)} }}
)

// NewBatch makes a Batch for these keys, which must be at most MaxBatchEntries.
func NewBatch(keys []string) *Batch {
	b := batchPool.Get().(*Batch)
	if cap(b.Events) < len(keys) {
		b.Events, b.Answers, b.sizes = make([]Event, len(keys)), make([]Answer, len(keys)), make([]int64, len(keys))
	}
	b.Events, b.Answers, b.sizes, b.keys = b.Events[:len(keys)], b.Answers[:len(keys)], b.sizes[:len(keys)], b.keys[:0]
	for i, key := range keys {
		b.keys = append(b.keys, key...)
		b.sizes[i] = int64(len(key))
	}
	return b
}

// Begin begins the gets. Returns an error, or Wait must follow. keep: the thread may be kept for it.
func (b *Batch) Begin(group uintptr, timeoutMs int64, keep bool) error {
	queue, first := b.place(keep)
	var hits int64
	err := Try(func(object uintptr) bool {
		hits = Cohort_group_begin_many(group, unsafe.String(unsafe.SliceData(b.keys), len(b.keys)), b.sizes, 0, timeoutMs,
			queue, first, b.Answers, object)
		return hits >= 0
	})
	if err == nil {
		b.coming = len(b.sizes) - int(hits)
	}
	b.waited = b.coming > 0
	if b.seat == nil && err == nil {
		b.count(int64(b.coming) - 1<<32) // when as many events have come, done tells so
	} else if b.seat != nil && b.coming == 0 {
		b.stand()
	}
	return err
}

// place returns where the events will go, and the first one's tag.
func (b *Batch) place(keep bool) (queue uintptr, first uint64) {
	if b.waited {
		b.seat = sit()
	}
	switch {
	case b.seat == nil:
		b.missing.Store(1 << 32)
		b.number = batches.Add(b)
		return Queue(), b.number<<batchIndexBits | batchBit
	case keep && b.seat.keepThread():
		return b.seat.plain, 0
	}
	return b.seat.queue, 0
}

// Wait waits until every event has come, which are in Events then. When ctx ends the gets are cancelled. ctx may be nil.
func (b *Batch) Wait(ctx context.Context, group uintptr) {
	var ended <-chan struct{}
	if ctx != nil && b.coming > 0 {
		ended = ctx.Done()
	}
	switch {
	case b.seat != nil:
		if ended != nil {
			defer afterEnd(ctx, func() { b.cancel(group) })()
		}
		b.seat.waitMany(b)
		b.stand()
	case b.number != 0:
		standing.Add(1)
		select {
		case <-b.done:
		case <-ended: // never, if it is nil
			b.cancel(group)
			<-b.done
		}
		standing.Add(-1)
	}
	Fence()
}

func (b *Batch) cancel(group uintptr) {
	for i := range b.Answers {
		if ticket := b.Answers[i].Ticket; ticket != 0 {
			Cohort_group_cancel(group, ticket)
		}
	}
}

func (b *Batch) stand() {
	b.seat.stand()
	b.seat = nil
}

// IsHit tells whether the get was a hit, or has been brought: something else has no source.
func (a *Answer) IsHit() bool { return a.Source != 0 }

// TakeHits copies all hits, one after the other, to a buffer of their size.
func (b *Batch) TakeHits(values []byte) { Cohort_go_take_hits(b.Answers, b.sizes, values) }

// Close ends the use of the Batch. After Wait, or when Begin has failed.
func (b *Batch) Close() {
	if b.number != 0 {
		batches.Take(b.number)
		b.number = 0
	}
	if cap(b.Events) > pooledEntries || cap(b.keys) > 64*pooledEntries {
		return
	}
	if b.coming > 0 {
		clear(b.Events)
		b.coming = 0
	}
	batchPool.Put(b)
}

func (b *Batch) count(change int64) {
	if b.missing.Add(change) == 0 {
		b.done <- struct{}{}
	}
}

func (b *Batch) put(event *Event) { b.Events[event.Tag&batchIndexMask] = *event }

// deliver runs on the reader.
func (b *Batch) deliver(event *Event) {
	b.put(event)
	b.count(-1)
}
