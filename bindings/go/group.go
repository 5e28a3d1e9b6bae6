package groupcache

import (
	"context"
	"runtime"
	"time"
	"weak"

	"github.com/cohort-cache/cohort/bindings/go/internal/core"
	"github.com/cohort-cache/cohort/bindings/go/transport"
)

// Group is a named cache with a getter, spread over the nodes of a cluster.
type Group interface {
	// Set stores a value at the key's owner and drops it from every other node. The zero time means that it never expires.
	// The last argument means nothing.
	Set(context.Context, string, []byte, time.Time, bool) error
	// Get hands the value of a key to a sink.
	Get(context.Context, string, transport.Sink) error
	// Remove drops a key from every node. An error names the nodes that did not acknowledge.
	Remove(context.Context, string) error
	// UsedBytes returns the bytes of keys and values in the main and in the hot cache.
	UsedBytes() (int64, int64)
	// Name returns the group's name.
	Name() string
	// RemoveKeys drops keys from every node. An error names the nodes that did not acknowledge.
	RemoveKeys(ctx context.Context, keys ...string) error
	// GroupStats returns the counters so far.
	GroupStats() GroupStats
}

// ExtendedGroup is what every Group of this package can do besides.
type ExtendedGroup interface {
	Group
	// GetMany gets many keys at once, with one call into the engine. There is a Result for each key, in order.
	GetMany(ctx context.Context, keys []string) []Result
	// GetInto returns the value of a key: in buf[:0] if it has room for it, else in a new slice.
	GetInto(ctx context.Context, key string, buf []byte) ([]byte, error)
	// Peek returns the value of a key if it is in this node's caches, and whether it is: in buf[:0] if it has room for it,
	// else in a new slice. It neither loads nor waits.
	Peek(key string, buf []byte) ([]byte, bool)
	// CacheStats returns counters and gauges of one of the two caches.
	CacheStats(which CacheType) CacheStats
	// ResetCacheSize forgets every value on this node and gives the caches a new size.
	ResetCacheSize(maxBytes int64) error
}

// CacheType names one of the two caches of a group.
type CacheType int

const (
	// MainCache holds the keys that this node owns.
	MainCache CacheType = iota + 1
	// HotCache holds copies of values that other nodes own.
	HotCache
)

var _ ExtendedGroup = &group{}

// Without a deadline of its own a get lasts as long as the getter runs, at most this long.
const longestLoadMs = 24 * 60 * 60 * 1000

type group struct {
	instance *Instance
	name     string
	getter   Getter
	handle   uintptr // cohort_group_t
	main     *tier   // nil: the engine's own
	hot      *tier
}

func newGroup(i *Instance, name string, cacheBytes int64, getter Getter) (*group, error) {
	g := &group{instance: i, name: name, getter: getter}
	if i.opts.CacheFactory != nil {
		mainBytes, hotBytes := tierBytes(cacheBytes)
		var err error
		if g.main, err = newTier(&i.opts, mainBytes); err != nil {
			return nil, err
		}
		if g.hot, err = newTier(&i.opts, hotBytes); err != nil {
			return nil, err
		}
	}
	self := weak.Make(g)
	tag := core.Loads.Add(func(handle uintptr) {
		if g := self.Value(); g != nil {
			go g.loadFor(handle)
		} else {
			go core.Cohort_load_free(handle)
		}
	})
	err := core.Try(func(object uintptr) bool {
		options := core.Cohort_group_options_new()
		defer core.Cohort_group_options_free(options)
		if core.Cohort_group_options_set_cache_bytes(options, cacheBytes, object) != core.COHORT_OK ||
			core.Cohort_group_options_set_policy(options, int(i.opts.Policy), object) != core.COHORT_OK ||
			core.Cohort_group_options_set_load_timeout_ms(options, longestLoadMs, object) != core.COHORT_OK ||
			core.Cohort_group_options_set_getter_queue(options, core.Queue(), tag, object) != core.COHORT_OK {
			return false
		}
		if g.main != nil &&
			(core.Cohort_go_set_cache(options, core.COHORT_TIER_MAIN, core.RegisterCache(g.main), object) != core.COHORT_OK ||
				core.Cohort_go_set_cache(options, core.COHORT_TIER_HOT, core.RegisterCache(g.hot), object) != core.COHORT_OK) {
			return false
		}
		g.handle = core.Cohort_instance_new_group(i.engine.instance, name, options, object)
		return g.handle != 0
	})
	if err != nil {
		core.Loads.Take(tag)
		return nil, err
	}
	e := i.engine
	e.mu.Lock()
	e.groups[g.handle] = tag
	e.mu.Unlock()
	unobserve, err := g.observe(i.opts.MetricProvider)
	if err != nil {
		core.Cohort_instance_remove_group(e.instance, name, 0)
		e.freeGroup(g.handle)
		return nil, err
	}
	runtime.AddCleanup(g, func(handle uintptr) {
		unobserve()
		e.freeGroup(handle)
	}, g.handle)
	return g, nil
}

// tierBytes splits a group's bytes as the engine does: 7/8 for the main cache, 1/8 for the hot one.
func tierBytes(all int64) (main, hot int64) {
	hot = max(all, 0) / 8
	return hot * 7, hot
}

func (g *group) Name() string { return g.name }

func (g *group) UsedBytes() (main int64, hot int64) {
	if g.main != nil {
		return g.main.current().Bytes(), g.hot.current().Bytes()
	}
	return g.engineStats(core.COHORT_TIER_MAIN).Bytes, g.engineStats(core.COHORT_TIER_HOT).Bytes
}

func (g *group) CacheStats(which CacheType) CacheStats {
	switch {
	case which != MainCache && which != HotCache:
		return CacheStats{}
	case g.main != nil && which == MainCache:
		return g.main.current().Stats()
	case g.main != nil:
		return g.hot.current().Stats()
	}
	tier := core.COHORT_TIER_MAIN
	if which == HotCache {
		tier = core.COHORT_TIER_HOT
	}
	s := g.engineStats(tier)
	return CacheStats{
		Rejected:  s.Rejected,
		Bytes:     s.Bytes,
		Items:     s.Items,
		Gets:      s.Gets,
		Hits:      s.Hits,
		Evictions: s.Evictions,
	}
}

func (g *group) engineStats(tier int) (stats core.CacheStats) {
	core.Cohort_group_cache_stats(g.handle, tier, &stats)
	runtime.KeepAlive(g)
	return stats
}

func (g *group) GroupStats() GroupStats {
	var s core.GroupStats
	core.Cohort_group_stats(g.handle, &s)
	runtime.KeepAlive(g)
	return GroupStats{
		Gets:                     AtomicInt(s.Gets),
		CacheHits:                AtomicInt(s.CacheHits),
		GetFromPeersLatencyLower: AtomicInt(s.GetFromPeersLatencyMaxMs),
		PeerLoads:                AtomicInt(s.PeerLoads),
		PeerErrors:               AtomicInt(s.PeerErrors),
		Loads:                    AtomicInt(s.Loads),
		LoadsDeduped:             AtomicInt(s.LoadsDeduped),
		LocalLoads:               AtomicInt(s.LocalLoads),
		LocalLoadErrs:            AtomicInt(s.LocalLoadErrors),
		RemoveKeysRequests:       AtomicInt(s.RemoveKeysRequests),
		RemovedKeys:              AtomicInt(s.RemovedKeys),
	}
}

func (g *group) ResetCacheSize(maxBytes int64) error {
	if g.main != nil {
		mainBytes, hotBytes := tierBytes(maxBytes)
		if err := g.main.prepare(mainBytes); err != nil {
			return err
		}
		if err := g.hot.prepare(hotBytes); err != nil {
			return err
		}
	}
	err := core.Try(func(object uintptr) bool {
		return core.Cohort_group_reset_cache(g.handle, maxBytes, object) == core.COHORT_OK
	})
	runtime.KeepAlive(g)
	return err
}

// RemoteSet is what a peer's Set does here; for servers of transports.
func (g *group) RemoteSet(key string, value []byte, expire time.Time) {
	core.Fence()
	core.Cohort_group_local_set(g.handle, key, value, unixNs(expire), 0)
	runtime.KeepAlive(g)
}

// LocalRemove is what a peer's Remove does here; for servers of transports.
func (g *group) LocalRemove(key string) {
	core.Fence()
	core.Cohort_group_local_remove(g.handle, key, 0)
	runtime.KeepAlive(g)
}
