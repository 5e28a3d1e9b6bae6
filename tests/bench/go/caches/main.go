// Command caches measures Go's cache libraries: otter v2, ristretto v2, and golang/groupcache in one process.
package main

import (
	"bytes"
	"context"
	"log"
	"sync/atomic"

	"github.com/dgraph-io/ristretto/v2"
	"github.com/golang/groupcache"
	"github.com/maypok86/otter/v2"

	. "bench/harness"
)

// cache is what they have in common. A value is handed out as it is kept.
type cache struct {
	get    func(key string) []byte
	set    func(key string, value []byte)
	remove func(key string)
	load   func(key string) // what is not there
	count  func() int
}

func open(entries, size int) cache {
	switch *Cache {
	case "otter":
		c := Must(otter.New(&otter.Options[string, []byte]{MaximumSize: entries}))
		return cache{
			func(key string) []byte { v, _ := c.GetIfPresent(key); return v },
			func(key string, value []byte) { c.Set(key, value) },
			func(key string) { c.Invalidate(key) },
			func(key string) {
				Must(c.Get(context.Background(), key, otter.LoaderFunc[string, []byte](
					func(_ context.Context, key string) ([]byte, error) { return Value(NumberOf(key), size), nil })))
			},
			func() int { c.CleanUp(); return c.EstimatedSize() },
		}
	case "ristretto":
		// As its documentation advises: ten counters an entry. IgnoreInternalCost, so that a cost of 1 is an entry.
		c := Must(ristretto.NewCache(&ristretto.Config[string, []byte]{
			NumCounters: int64(entries) * 10, MaxCost: int64(entries), BufferItems: 64, IgnoreInternalCost: true}))
		return cache{
			func(key string) []byte { v, _ := c.Get(key); return v },
			func(key string, value []byte) {
				for !c.Set(key, value, 1) { // its buffer is full
				}
			},
			func(key string) { c.Del(key) },
			func(key string) { c.Set(key, Value(NumberOf(key), size), 1) },
			func() int { // it keeps no count of its own
				c.Wait()
				there := 0
				for i := range *Entries {
					if _, ok := c.Get(Key(i)); ok {
						there++
					}
				}
				return there
			},
		}
	case "groupcache":
		g := groupcache.NewGroup("bench", int64(entries)*int64(size+256)*2, groupcache.GetterFunc(
			func(_ context.Context, key string, dest groupcache.Sink) error {
				return dest.SetBytes(Value(NumberOf(key), size))
			}))
		return cache{
			func(key string) []byte {
				var fresh []byte
				Check(g.Get(context.Background(), key, groupcache.AllocatingByteSliceSink(&fresh)))
				return fresh
			},
			func(key string, _ []byte) {
				var view groupcache.ByteView
				Check(g.Get(context.Background(), key, groupcache.ByteViewSink(&view)))
			},
			nil,
			nil,
			func() int { return int(g.CacheStats(groupcache.MainCache).Items) },
		}
	}
	log.Fatalf("bench: no cache is called %q", *Cache)
	panic("")
}

type state struct {
	sum    uint64
	buffer []byte
	random Random
	_      [64]byte
}

func states(n int) []state {
	all := make([]state, n)
	for w := range all {
		all[w].buffer, all[w].random = make([]byte, ValueBytes), Random(w)
	}
	return all
}

// hits -cache NAME -entries N: asked "reference|copy|fresh GOROUTINES SECONDS"; copy: into a reused buffer.
func hits() {
	c := open(*Entries, ValueBytes)
	asked := NewAsked(*Entries)
	// Ristretto may refuse what comes too fast, so what is missing is set again.
	for missing := 1; missing > 0; {
		missing = 0
		for i, key := range asked.Keys {
			if *Cache == "groupcache" || c.get(key) == nil {
				c.set(key, Value(i, ValueBytes))
			}
		}
		c.count() // has taken in what was set
		for _, key := range asked.Keys {
			if c.get(key) == nil {
				missing++
			}
		}
	}
	for i, key := range asked.Keys {
		Verify(i, c.get(key))
	}
	Serve(nil, func(words Words) Answer {
		all := states(words.Int(1))
		get := func(s *state, key string) {
			s.sum += uint64(c.get(key)[ValueBytes/2])
		}
		switch words[0] {
		case "copy":
			get = func(s *state, key string) {
				copy(s.buffer, c.get(key))
				s.sum += uint64(s.buffer[ValueBytes/2])
			}
		case "fresh":
			if *Cache != "groupcache" { // whose slices are fresh already
				get = func(s *state, key string) { s.sum += uint64(bytes.Clone(c.get(key))[ValueBytes/2]) }
			}
		}
		return Measure(len(all), words.Float(2), 256, false, func(worker, call int) int {
			get(&all[worker], asked.Key(worker, call))
			return 1
		})
	})
}

// fill -cache NAME -entries N -size BYTES: answers at once what the entries cost; asked "hits SECONDS".
func fill() {
	c := open(*Entries+*Entries/50, *Size)
	answer := Fill(*Entries, func(i int) { c.set(Key(i), Value(i, *Size)) }, c.count)
	Serve(answer, func(words Words) Answer {
		return UniformHits(*Entries, words.Float(1), func(key string) {
			if c.get(key) == nil {
				log.Fatal("bench: a miss")
			}
		})
	})
}

// changes -cache NAME -entries N: asked "replace|evict|remove|miss GOROUTINES SECONDS", as changes.cc says.
func changes() {
	roomy, full := open(*Entries*2, ValueBytes), open(*Entries, ValueBytes)
	keys := Keys(*Entries)
	for i, key := range keys {
		roomy.set(key, Value(i, ValueBytes))
		full.set(key, Value(i, ValueBytes))
	}
	var next atomic.Int64
	next.Store(int64(*Entries))
	value := Value(0, ValueBytes)
	Serve(nil, func(words Words) Answer {
		all := states(words.Int(1))
		return Measure(len(all), words.Float(2), 16, true, func(worker, _ int) int {
			key := keys[all[worker].random.Next()%uint64(len(keys))]
			switch words[0] {
			case "replace":
				roomy.set(key, bytes.Clone(value))
			case "evict":
				full.set(Key(int(next.Add(1))), bytes.Clone(value))
			case "miss":
				full.load(Key(int(next.Add(1))))
			default:
				roomy.set(key, bytes.Clone(value))
				roomy.remove(key)
			}
			return 1
		})
	})
}

func main() {
	Main(map[string]func(){"hits": hits, "fill": fill, "changes": changes})
}
