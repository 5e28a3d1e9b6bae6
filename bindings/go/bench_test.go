package groupcache_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	groupcache "github.com/cohort-cache/cohort/bindings/go"
	"github.com/cohort-cache/cohort/bindings/go/transport"
)

func benchGroup(b *testing.B, valueBytes int) groupcache.ExtendedGroup {
	b.Helper()
	value := make([]byte, valueBytes)
	g, err := groupcache.New(groupcache.Options{}).NewGroup("bench", 1<<30, groupcache.GetterFunc(
		func(_ context.Context, _ string, dest transport.Sink) error { return dest.SetBytes(value, time.Time{}) }))
	if err != nil {
		b.Fatal(err)
	}
	return g.(groupcache.ExtendedGroup)
}

// cpuTime reports the processor time of each operation, which a busy machine disturbs less than the clock's.
func cpuTime(b *testing.B) (report func()) {
	used := func() int64 {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return u.Utime.Nano() + u.Stime.Nano()
	}
	before := used()
	return func() { b.ReportMetric(float64(used()-before)/float64(b.N), "cpu-ns/op") }
}

// benchHits measures get on keys that are all in the cache: many, so that values come from memory, or few, which shows what
// the binding itself costs.
func benchHits(b *testing.B, get func(g groupcache.ExtendedGroup, key string, buf []byte)) {
	b.Run("few", func(b *testing.B) { benchHitsOf(b, 64, 1024, get) })
	b.Run("many", func(b *testing.B) { benchHitsOf(b, 100_000, 1024, get) })
}

func benchHitsOf(b *testing.B, keys uint64, valueBytes int, get func(g groupcache.ExtendedGroup, key string, buf []byte)) {
	g := benchGroup(b, valueBytes)
	names := make([]string, keys)
	buf := make([]byte, 2048)
	for i := range names {
		names[i] = fmt.Sprintf("user:%07d", i)
		get(g, names[i], buf)
	}
	var seed atomic.Uint64
	b.ReportAllocs()
	b.ResetTimer()
	defer cpuTime(b)()
	b.RunParallel(func(pb *testing.PB) {
		buf := make([]byte, 2048)
		x := seed.Add(0x9e3779b97f4a7c15)
		for pb.Next() {
			x ^= x << 13
			x ^= x >> 7
			x ^= x << 17
			get(g, names[x%keys], buf)
		}
	})
}

func BenchmarkHitInto(b *testing.B) {
	benchHits(b, func(g groupcache.ExtendedGroup, key string, buf []byte) {
		if _, err := g.GetInto(context.Background(), key, buf); err != nil {
			panic(err)
		}
	})
}

func BenchmarkHitFreshSlice(b *testing.B) {
	benchHits(b, func(g groupcache.ExtendedGroup, key string, _ []byte) {
		var dst []byte
		if err := g.Get(context.Background(), key, transport.AllocatingByteSliceSink(&dst)); err != nil {
			panic(err)
		}
	})
}

func BenchmarkHitByteView(b *testing.B) {
	benchHits(b, func(g groupcache.ExtendedGroup, key string, _ []byte) {
		var view transport.ByteView
		if err := g.Get(context.Background(), key, transport.ByteViewSink(&view)); err != nil {
			panic(err)
		}
	})
}

func BenchmarkMiss(b *testing.B) {
	g := benchGroup(b, 64)
	buf := make([]byte, 1024)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := g.GetInto(context.Background(), fmt.Sprint(i), buf); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGetMany100Hits(b *testing.B) {
	g := benchGroup(b, 1024)
	keys := make([]string, 100)
	for i := range keys {
		keys[i] = fmt.Sprint("key", i)
	}
	g.GetMany(context.Background(), keys)
	b.ReportAllocs()
	for b.Loop() {
		for _, r := range g.GetMany(context.Background(), keys) {
			if r.Err != nil {
				b.Fatal(r.Err)
			}
		}
	}
}

// BenchmarkRemote gets keys that another node owns, each once, with 256 goroutines. Both nodes are in this process.
func BenchmarkRemote(b *testing.B) {
	nodes := startNodes(b, 2, plainHTTP, groupcache.Options{})
	var next atomic.Int64
	b.SetParallelism(256)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			for {
				key := fmt.Sprint(next.Add(1), "-key")
				if _, remote := nodes[0].instance.PickPeer(key); !remote {
					continue
				}
				if _, err := getString(context.Background(), nodes[0].group, key); err != nil {
					panic(err)
				}
				break
			}
		}
	})
}
