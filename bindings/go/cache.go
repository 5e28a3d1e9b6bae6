package groupcache

import (
	"fmt"
	"sync"
	"time"

	"github.com/cohort-cache/cohort/bindings/go/internal/core"
	"github.com/cohort-cache/cohort/bindings/go/transport"
)

// Cache is a cache of the program's own for Options.CacheFactory. The engine decides what may enter it: a value whose
// load began before a Remove or Set of its key never does. The functions are called under the lock of the key's load, so
// they must neither block nor call the group.
type Cache interface {
	// Get returns the value of a key
	Get(string) (transport.ByteView, bool)
	// Add keeps a value
	Add(string, transport.ByteView)
	// Stats returns counters and gauges
	Stats() CacheStats
	// Remove forgets a key
	Remove(string)
	// Bytes returns the bytes of all keys and values
	Bytes() int64
	// Close ends what runs in the background. It is called when the cache has been replaced.
	Close()
}

// tier lets the engine use a Cache as one of the two of a group.
type tier struct {
	make func(maxBytes int64) (Cache, error)
	log  Logger

	mu       sync.RWMutex
	cache    Cache
	next     Cache // takes the place of cache when the engine clears the tier
	maxBytes int64
}

func newTier(options *Options, maxBytes int64) (*tier, error) {
	t := &tier{make: options.CacheFactory, log: options.Logger, maxBytes: maxBytes}
	var err error
	if t.cache, err = t.make(maxBytes); err != nil {
		return nil, fmt.Errorf("Options.CacheFactory(): %w", err)
	}
	return t, nil
}

// prepare makes the cache that the engine's next Clear will put in place.
func (t *tier) prepare(maxBytes int64) error {
	next, err := t.make(maxBytes)
	if err != nil {
		return fmt.Errorf("Options.CacheFactory(): %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.next, t.maxBytes = next, maxBytes
	return nil
}

func (t *tier) current() Cache {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.cache
}

// Get is called by the engine.
func (t *tier) Get(key string) (value uintptr) {
	defer t.recovered("Get")
	view, ok := t.current().Get(key)
	if !ok {
		return 0
	}
	return core.Cohort_value_new(viewBytes(view), unixNs(view.Expire()), 0)
}

// Add is called by the engine.
func (t *tier) Add(key string, value uintptr) {
	defer t.recovered("Add")
	bytes := core.Bytes(core.Cohort_value_data(value), core.Cohort_value_size(value))
	expire := fromUnixNs(core.Cohort_value_expire_unix_ns(value))
	t.current().Add(key, transport.ByteViewWithExpire(append([]byte{}, bytes...), expire))
}

// Remove is called by the engine.
func (t *tier) Remove(key string) {
	defer t.recovered("Remove")
	t.current().Remove(key)
}

// Clear is called by the engine.
func (t *tier) Clear() {
	defer t.recovered("Clear")
	t.mu.Lock()
	old, next := t.cache, t.next
	if next == nil {
		var err error
		if next, err = t.make(t.maxBytes); err != nil {
			t.mu.Unlock()
			panic(err)
		}
	}
	t.cache, t.next = next, nil
	t.mu.Unlock()
	if old != next {
		go old.Close()
	}
}

// recovered keeps a panic of the program's cache from crossing C: the call then did nothing.
func (t *tier) recovered(call string) {
	if r := recover(); r != nil && t.log != nil {
		t.log.Error("the cache made by Options.CacheFactory panicked", "call", call, "panic", r)
	}
}

// grab is an io.Writer that remembers where the bytes lie that are written to it.
type grab struct{ b []byte }

func (g *grab) Write(b []byte) (int, error) {
	g.b = b
	return len(b), nil
}

func (g *grab) WriteString(s string) (int, error) {
	g.b = core.TextBytes(s)
	return len(s), nil
}

// viewBytes returns a view's bytes without a copy; they must not be changed.
func viewBytes(view transport.ByteView) []byte {
	var g grab
	_, _ = view.WriteTo(&g)
	return g.b
}

// The last moment that fits into nanoseconds since 1970; what expires later never does.
var endOfTime = time.Unix(0, 1<<63-1)

// unixNs is a time as the engine takes it: 0 never, 1 has passed.
func unixNs(t time.Time) int64 {
	switch {
	case t.IsZero(), !t.Before(endOfTime):
		return 0
	case t.Unix() <= 0:
		return 1
	}
	return t.UnixNano()
}

func fromUnixNs(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns)
}
