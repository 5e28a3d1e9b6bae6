package core

import (
	"sync"
	"sync/atomic"
	"unsafe"
)

// A Batch waits for the events of many gets that began in one call. Its tags are batchBit, its number and the index.
// Batches are pooled, with what such a call needs and does not hand out.
type Batch struct {
	Events  []Event // what has come; Kind 0: nothing
	Answers []Answer
	keys    []byte
	sizes   []int64
	number  uint64
	dirty   bool
	missing atomic.Int64
	done    chan struct{}
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
	b.missing.Store(1 << 32)
	b.number = batches.Add(b)
	return b
}

// Begin begins the gets. Returns how many are hits: those are in Answers.
func (b *Batch) Begin(group uintptr, timeoutMs int64) (hits int, err error) {
	err = Try(func(object uintptr) bool {
		hits = int(Cohort_group_begin_many(group, unsafe.String(unsafe.SliceData(b.keys), len(b.keys)), b.sizes, 0, timeoutMs,
			Queue(), b.number<<batchIndexBits|batchBit, b.Answers, object))
		return hits >= 0
	})
	if err == nil {
		b.dirty = hits < len(b.sizes)
		b.count(int64(len(b.sizes)-hits) - 1<<32) // when as many events have come, Done tells so
	}
	return hits, err
}

// IsHit tells whether the get was a hit: something else has no source yet.
func (a *Answer) IsHit() bool { return a.Source != 0 }

// TakeHits copies all hits, one after the other, to a buffer of their size.
func (b *Batch) TakeHits(values []byte) { Cohort_go_take_hits(b.Answers, b.sizes, values) }

// Done tells once that every expected event has come.
func (b *Batch) Done() <-chan struct{} { return b.done }

// Close ends the use of the Batch. After Done, or when Begin has failed.
func (b *Batch) Close() {
	batches.Take(b.number)
	if cap(b.Events) > pooledEntries || cap(b.keys) > 64*pooledEntries {
		return
	}
	if b.dirty {
		clear(b.Events)
		b.dirty = false
	}
	batchPool.Put(b)
}

func (b *Batch) count(change int64) {
	if b.missing.Add(change) == 0 {
		b.done <- struct{}{}
	}
}

func (b *Batch) deliver(event *Event) {
	b.Events[event.Tag&batchIndexMask] = *event
	b.count(-1)
}
