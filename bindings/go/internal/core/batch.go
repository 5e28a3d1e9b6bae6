package core

import "sync/atomic"

// A Batch waits for the events of many gets that began in one call. Its tags are batchBit, its number and the index.
type Batch struct {
	Events  []Event
	number  uint64
	missing atomic.Int64
	done    chan struct{}
}

const (
	batchBit        = 1 << 63
	batchIndexBits  = 24
	batchIndexMask  = 1<<batchIndexBits - 1
	MaxBatchEntries = 1 << batchIndexBits // MaxBatchEntries is the most that one Batch can hold.
)

var batches Registry[*Batch]

// NewBatch makes a Batch for size gets, which must be at most MaxBatchEntries.
func NewBatch(size int) *Batch {
	b := &Batch{Events: make([]Event, size), done: make(chan struct{}, 1)}
	b.missing.Store(1 << 32)
	b.number = batches.Add(b)
	return b
}

// FirstTag is the tag of the first get.
func (b *Batch) FirstTag() uint64 { return batchBit | b.number<<batchIndexBits }

// Expect tells how many events will come: when they have, Done tells so.
func (b *Batch) Expect(count int) { b.count(int64(count) - 1<<32) }

// Done tells once that every expected event has come.
func (b *Batch) Done() <-chan struct{} { return b.done }

// Close forgets the Batch. After Done.
func (b *Batch) Close() { batches.Take(b.number) }

func (b *Batch) count(change int64) {
	if b.missing.Add(change) == 0 {
		b.done <- struct{}{}
	}
}

func (b *Batch) deliver(event *Event) {
	b.Events[event.Tag&batchIndexMask] = *event
	b.count(-1)
}
