package groupcache

import (
	"strconv"
	"sync/atomic"
)

// AtomicInt is a number that goroutines may change at once.
type AtomicInt int64

// Add adds n.
func (i *AtomicInt) Add(n int64) { atomic.AddInt64((*int64)(i), n) }

// Store sets the number to n.
func (i *AtomicInt) Store(n int64) { atomic.StoreInt64((*int64)(i), n) }

// Get returns the number.
func (i *AtomicInt) Get() int64 { return atomic.LoadInt64((*int64)(i)) }

func (i *AtomicInt) String() string { return strconv.FormatInt(i.Get(), 10) }

// CacheStats are the counters and gauges of one of a group's caches.
type CacheStats struct {
	// Rejected counts values that did not fit.
	Rejected int64
	// Bytes is a gauge: the bytes of keys and values.
	Bytes int64
	// Items is a gauge: the number of values.
	Items int64
	// Gets counts lookups.
	Gets int64
	// Hits counts lookups that found something.
	Hits int64
	// Evictions counts values that left for others.
	Evictions int64
}

// GroupStats are the counters of a group.
type GroupStats struct {
	Gets                     AtomicInt // every Get, those of peers included
	CacheHits                AtomicInt // found in either cache
	GetFromPeersLatencyLower AtomicInt // the slowest answer of a peer, in milliseconds
	PeerLoads                AtomicInt // values that came from a peer
	PeerErrors               AtomicInt // peers that could not be asked
	Loads                    AtomicInt // Gets that found nothing
	LoadsDeduped             AtomicInt // of these, those that began a load
	LocalLoads               AtomicInt // getters that brought a value
	LocalLoadErrs            AtomicInt // getters that failed
	RemoveKeysRequests       AtomicInt // calls of RemoveKeys
	RemovedKeys              AtomicInt // keys in them
}
