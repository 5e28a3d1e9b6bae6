package main

import (
	"context"
	"time"

	"github.com/groupcache/groupcache-go/v3"
	"github.com/groupcache/groupcache-go/v3/transport"

	. "bench/harness"
)

func load(_ context.Context, key string, dest transport.Sink) error {
	return dest.SetBytes(Value(NumberOf(key), ValueBytes), time.Time{})
}

func alone(cacheBytes int64, getter groupcache.GetterFunc) transport.Group {
	return Must(groupcache.New(options()).NewGroup("bench", cacheBytes, getter))
}

func getView(g transport.Group, key string) transport.ByteView {
	var view transport.ByteView
	Check(g.Get(context.Background(), key, transport.ByteViewSink(&view)))
	return view
}

type state struct {
	sum    uint64
	buffer []byte
	keys   []string
	_      [64]byte
}

// hits -entries N: asked "into|view|fresh|many GOROUTINES SECONDS"; many: 100 keys a call.
func hits() {
	g := alone(512<<20, load)
	asked := NewAsked(*Entries)
	for i, key := range asked.Keys {
		getView(g, key)
		Verify(i, getView(g, key).ByteSlice())
	}
	Serve(nil, func(words Words) Answer {
		states := make([]state, words.Int(1))
		for w := range states {
			states[w].buffer, states[w].keys = make([]byte, ValueBytes), make([]string, 100)
		}
		turn := 256
		get := func(s *state, worker, call int) int {
			s.sum += uint64(getView(g, asked.Key(worker, call)).At(ValueBytes / 2))
			return 1
		}
		switch words[0] {
		case "into":
			get = func(s *state, worker, call int) int {
				s.sum += uint64(into(g, asked.Key(worker, call), s.buffer)[ValueBytes/2])
				return 1
			}
		case "fresh":
			get = func(s *state, worker, call int) int {
				var fresh []byte
				Check(g.Get(context.Background(), asked.Key(worker, call), transport.AllocatingByteSliceSink(&fresh)))
				s.sum += uint64(fresh[ValueBytes/2])
				return 1
			}
		case "many":
			turn = 4
			get = func(s *state, worker, call int) int {
				for i := range s.keys {
					s.keys[i] = asked.Key(worker, call*len(s.keys)+i)
				}
				many(g, s.keys, func(v transport.ByteView) { s.sum += uint64(v.At(ValueBytes / 2)) })
				return len(s.keys)
			}
		}
		return Measure(len(states), words.Float(2), turn, false, func(worker, call int) int {
			return get(&states[worker], worker, call)
		})
	})
}

// fill -entries N -size BYTES: answers at once what the entries cost; asked "hits SECONDS".
func fill() {
	g := alone(int64(*Entries)*int64(*Size+1024)*2+64<<20, func(_ context.Context, key string, dest transport.Sink) error {
		return dest.SetBytes(Value(NumberOf(key), *Size), time.Time{})
	})
	answer := Fill(*Entries, func(i int) { getView(g, Key(i)) }, func() int { return -1 })
	Serve(answer, func(words Words) Answer {
		return UniformHits(*Entries, words.Float(1), func(key string) { getView(g, key) })
	})
}

// changes -entries N: asked "replace|evict|remove|miss GOROUTINES SECONDS", as changes.cc says.
func changes() {
	roomy, full := alone(512<<20, load), alone(int64(*Entries)*ValueBytes, load)
	ctx, value, keys := context.Background(), Value(0, ValueBytes), Keys(*Entries)
	for i, key := range keys {
		Check(roomy.Set(ctx, key, Value(i, ValueBytes), time.Time{}, false))
		Check(full.Set(ctx, key, Value(i, ValueBytes), time.Time{}, false))
	}
	next := newCounter(*Entries)
	Serve(nil, func(words Words) Answer {
		randoms := make([]struct {
			Random
			_ [56]byte
		}, words.Int(1))
		for w := range randoms {
			randoms[w].Random = Random(w)
		}
		return Measure(len(randoms), words.Float(2), 16, true, func(worker, _ int) int {
			key := keys[randoms[worker].Next()%uint64(len(keys))]
			switch words[0] {
			case "replace":
				Check(roomy.Set(ctx, key, value, time.Time{}, false))
			case "evict":
				Check(full.Set(ctx, Key(next()), value, time.Time{}, false))
			case "miss":
				getView(full, Key(next()))
			default:
				Check(roomy.Set(ctx, key, value, time.Time{}, false))
				Check(roomy.Remove(ctx, key))
			}
			return 1
		})
	})
}
