// Package contrib holds caches for Options.CacheFactory.
package contrib

import (
	"sync/atomic"
	"time"

	"github.com/maypok86/otter"

	groupcache "github.com/cohort-cache/cohort/bindings/go"
	"github.com/cohort-cache/cohort/bindings/go/transport"
)

// NowFunc tells the time.
type NowFunc func() time.Time

// OtterCache is a groupcache.Cache on github.com/maypok86/otter. It refuses values larger than a tenth of its size, which
// Stats counts as rejected. The engine's own cache has no such limit, and is faster.
type OtterCache struct {
	cache    otter.Cache[string, transport.ByteView]
	rejected atomic.Int64
	gets     atomic.Int64

	// Now is compared with what values say of when they expire; default time.Now.
	Now NowFunc
}

var _ groupcache.Cache = &OtterCache{}

// NewOtterCache returns a cache for values of maxBytes in all; keys are not counted.
func NewOtterCache(maxBytes int64) (*OtterCache, error) {
	builder, err := otter.NewBuilder[string, transport.ByteView](int(maxBytes))
	if err != nil {
		return &OtterCache{Now: time.Now}, err
	}
	size := func(_ string, value transport.ByteView) uint32 { return uint32(value.Len()) }
	cache, err := builder.CollectStats().Cost(size).Build()
	return &OtterCache{cache: cache, Now: time.Now}, err
}

// Get returns a value that has not expired.
func (o *OtterCache) Get(key string) (transport.ByteView, bool) {
	value, ok := o.cache.Get(key)
	if expire := value.Expire(); !expire.IsZero() && expire.Before(o.Now()) {
		o.cache.Delete(key)
		return transport.ByteView{}, false
	}
	o.gets.Add(1)
	return value, ok
}

// Add keeps a value, if it is not too large.
func (o *OtterCache) Add(key string, value transport.ByteView) {
	if !o.cache.Set(key, value) {
		o.rejected.Add(1)
	}
}

// Remove forgets a key.
func (o *OtterCache) Remove(key string) { o.cache.Delete(key) }

// Stats returns counters and gauges. Bytes is the cache's size: how much of it is used is not known.
func (o *OtterCache) Stats() groupcache.CacheStats {
	s := o.cache.Stats()
	return groupcache.CacheStats{
		Rejected:  o.rejected.Load(),
		Bytes:     int64(o.cache.Capacity()),
		Items:     int64(o.cache.Size()),
		Gets:      o.gets.Load(),
		Hits:      s.Hits(),
		Evictions: s.EvictedCount(),
	}
}

// Bytes returns 0: how much is used is not known.
func (o *OtterCache) Bytes() int64 { return 0 }

// Close ends the cache.
func (o *OtterCache) Close() { o.cache.Close() }
