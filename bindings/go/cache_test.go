package groupcache_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/segmentio/fasthash/fnv1"
	"github.com/segmentio/fasthash/fnv1a"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	groupcache "github.com/cohort-cache/cohort/bindings/go"
	"github.com/cohort-cache/cohort/bindings/go/contrib"
	"github.com/cohort-cache/cohort/bindings/go/transport"
	"github.com/cohort-cache/cohort/bindings/go/transport/peer"
)

// mapCache is a cache as a program may bring it.
type mapCache struct {
	mu     sync.Mutex
	m      map[string]transport.ByteView
	gets   int64
	closed bool
}

func newMapCache() *mapCache { return &mapCache{m: make(map[string]transport.ByteView)} }

func (c *mapCache) Get(key string) (transport.ByteView, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gets++
	if key == "panic" {
		panic("in the cache")
	}
	v, ok := c.m[key]
	return v, ok
}

func (c *mapCache) Add(key string, v transport.ByteView) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.m[key] = v
}

func (c *mapCache) Remove(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.m, key)
}

func (c *mapCache) Stats() groupcache.CacheStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return groupcache.CacheStats{Items: int64(len(c.m)), Gets: c.gets}
}

func (c *mapCache) Bytes() int64 { return 4711 }

func (c *mapCache) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
}

func (c *mapCache) isClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// withCaches makes a group with caches of the program's own, and returns those made so far.
func withCaches(t *testing.T, getter groupcache.GetterFunc) (groupcache.ExtendedGroup, func() []*mapCache) {
	t.Helper()
	var mu sync.Mutex
	var made []*mapCache
	i := groupcache.New(groupcache.Options{
		Logger: quiet,
		CacheFactory: func(maxBytes int64) (groupcache.Cache, error) {
			mu.Lock()
			defer mu.Unlock()
			if maxBytes == 8*7 {
				return nil, errors.New("too small")
			}
			made = append(made, newMapCache())
			return made[len(made)-1], nil
		},
	})
	g, err := i.NewGroup("group", 8000, getter)
	require.NoError(t, err)
	return g.(groupcache.ExtendedGroup), func() []*mapCache {
		mu.Lock()
		defer mu.Unlock()
		return append([]*mapCache{}, made...)
	}
}

func TestACacheOfTheProgramsOwnIsUsed(t *testing.T) {
	loads := 0
	g, made := withCaches(t, func(_ context.Context, key string, dest transport.Sink) error {
		loads++
		return dest.SetString("value of "+key, time.Now().Add(time.Hour))
	})
	for range 3 {
		value, err := getString(context.Background(), g, "key")
		require.NoError(t, err)
		assert.Equal(t, "value of key", value)
	}
	assert.Equal(t, 1, loads)
	main, hot := made()[0], made()[1]
	assert.EqualValues(t, 1, main.Stats().Items)
	assert.Zero(t, hot.Stats().Items)
	assert.Equal(t, main.Stats(), g.CacheStats(groupcache.MainCache))
	bytes, _ := g.UsedBytes()
	assert.EqualValues(t, 4711, bytes)
	require.NoError(t, g.Remove(context.Background(), "key"))
	assert.Zero(t, main.Stats().Items)

	_, err := getString(context.Background(), g, "panic")
	assert.NoError(t, err, "a cache that panics has nothing")

	require.NoError(t, g.ResetCacheSize(16000))
	require.Len(t, made(), 4)
	eventually(t, "replaced caches are closed", func() bool { return main.isClosed() && hot.isClosed() })
	_, err = getString(context.Background(), g, "key")
	require.NoError(t, err)
	assert.EqualValues(t, 1, made()[2].Stats().Items)
	assert.ErrorContains(t, g.ResetCacheSize(64), "too small")
}

func TestNoCacheKeepsWhatARemovePassed(t *testing.T) {
	release, started := make(chan struct{}), make(chan struct{}, 2)
	var loads atomic.Int64
	g, made := withCaches(t, func(_ context.Context, key string, dest transport.Sink) error {
		n := loads.Add(1)
		started <- struct{}{}
		if n == 1 {
			<-release
		}
		return dest.SetString(fmt.Sprint("load ", n), time.Time{})
	})
	first := make(chan string)
	go func() {
		value, err := getString(context.Background(), g, "key")
		assert.NoError(t, err)
		first <- value
	}()
	<-started
	require.NoError(t, g.Remove(context.Background(), "key"))
	value, err := getString(context.Background(), g, "key")
	require.NoError(t, err)
	assert.Equal(t, "load 2", value, "a get that begins after the Remove does not join the load before it")
	close(release)
	assert.Equal(t, "load 1", <-first, "who waited before gets it")
	value, err = getString(context.Background(), g, "key")
	require.NoError(t, err)
	assert.Equal(t, "load 2", value, "it has not entered the cache")
	kept, _ := made()[0].Get("key")
	assert.Equal(t, "load 2", kept.String())
}

func TestOtterServesAsCache(t *testing.T) {
	i := groupcache.New(groupcache.Options{
		CacheFactory: func(maxBytes int64) (groupcache.Cache, error) { return contrib.NewOtterCache(maxBytes) },
	})
	loads := 0
	g, err := i.NewGroup("group", 1<<20, groupcache.GetterFunc(func(_ context.Context, key string, dest transport.Sink) error {
		loads++
		return dest.SetString(key, time.Time{})
	}))
	require.NoError(t, err)
	for range 3 {
		_, err := getString(context.Background(), g, "key")
		require.NoError(t, err)
	}
	assert.Equal(t, 1, loads)
}

func TestTheEngineAndThePickerAgreeOnOwners(t *testing.T) {
	var calls atomic.Int64
	for name, hash := range map[string]peer.HashFn{
		"default": nil,
		"named":   fnv1.HashBytes64,
		"other":   fnv1a.HashBytes64,
		"own": func(data []byte) uint64 {
			calls.Add(1)
			return fnv1.HashBytes64(data) * 31
		},
	} {
		t.Run(name, func(t *testing.T) {
			plain := startNodes(t, 3, plainHTTP, groupcache.Options{HashFn: hash, Replicas: 20})
			for k := range 50 {
				key := fmt.Sprint(k, "-key")
				client, remote := plain[0].instance.PickPeer(key)
				want := 0
				for n := range plain {
					if remote && client.PeerInfo().Address == plain[n].address {
						want = n
					}
				}
				value, err := getString(context.Background(), plain[0].group, key)
				require.NoError(t, err)
				assert.Equal(t, fmt.Sprintf("%d:%s", want, key), value)
			}
		})
	}
	assert.NotZero(t, calls.Load())
}

func TestStatisticsCountKeysAndValues(t *testing.T) {
	g := newGroup(t, func(_ context.Context, key string, dest transport.Sink) error {
		return dest.SetString("value", time.Time{})
	})
	for range 3 {
		_, err := getString(context.Background(), g, "key")
		require.NoError(t, err)
	}
	main, hot := g.UsedBytes()
	assert.EqualValues(t, len("key")+len("value"), main)
	assert.Zero(t, hot)
	stats := g.CacheStats(groupcache.MainCache)
	assert.EqualValues(t, 1, stats.Items)
	assert.Equal(t, main, stats.Bytes)
	all := g.GroupStats()
	assert.Equal(t, "3", all.Gets.String())
	assert.EqualValues(t, 2, all.CacheHits.Get())
	assert.EqualValues(t, 1, all.LocalLoads.Get())
	assert.Zero(t, g.CacheStats(groupcache.CacheType(7)))
}
