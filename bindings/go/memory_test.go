package groupcache_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cohort-cache/cohort/bindings/go/transport"
)

// record has bytes that lie beside Go pointers, which cgo's own check of a pointer into it would refuse.
type record struct {
	next *record
	key  [4]byte
	body [64]byte
}

func TestBuffersMayLieBesideGoPointers(t *testing.T) {
	ctx := context.Background()
	r := &record{next: &record{}, key: [4]byte{'k', 'e', 'y', '1'}}
	g := newGroup(t, func(_ context.Context, key string, dest transport.Sink) error {
		copy(r.body[:], "loaded "+key)
		return dest.SetBytes(r.body[:11], time.Time{})
	})
	got, err := g.GetInto(ctx, string(r.key[:]), r.next.body[:])
	require.NoError(t, err)
	assert.Equal(t, "loaded key1", string(got))
	got, err = g.GetInto(ctx, "key1", r.next.body[:])
	require.NoError(t, err)
	assert.Equal(t, "loaded key1", string(got), "a hit")
	assert.Same(t, &r.next.body[0], &got[0])

	require.NoError(t, g.Set(ctx, "key2", r.body[:6], time.Time{}, false))
	got, hit := g.Peek("key2", r.next.body[:])
	assert.True(t, hit)
	assert.Equal(t, "loaded", string(got))
}

func TestWhatAHitAllocates(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	ctx := context.Background()
	g := newGroup(t, func(_ context.Context, key string, dest transport.Sink) error {
		if key == "large" {
			return dest.SetBytes(make([]byte, 100_000), time.Now().Add(time.Hour))
		}
		return dest.SetBytes(make([]byte, 1000), time.Time{})
	})
	deadline, cancel := context.WithTimeout(ctx, time.Hour)
	defer cancel()
	buf := make([]byte, 100_000)
	var fresh []byte
	truncating, allocating := transport.TruncatingByteSliceSink(&buf), transport.AllocatingByteSliceSink(&fresh)
	var text string
	for _, c := range []struct {
		what string
		want float64
		get  func(key string) error
	}{
		{"into a buffer", 0, func(key string) error {
			_, err := g.GetInto(ctx, key, buf)
			return err
		}},
		{"into a buffer, with a deadline", 0, func(key string) error {
			_, err := g.GetInto(deadline, key, buf)
			return err
		}},
		{"into nothing", 1, func(key string) error {
			_, err := g.GetInto(ctx, key, nil)
			return err
		}},
		{"into a buffer that is too small", 1, func(key string) error {
			_, err := g.GetInto(ctx, key, buf[:0:10])
			return err
		}},
		{"a look into a buffer", 0, func(key string) error {
			_, ok := g.Peek(key, buf)
			assert.True(t, ok)
			return nil
		}},
		{"to a sink that fills a buffer", 0, func(key string) error {
			buf = buf[:cap(buf)]
			return g.Get(ctx, key, truncating)
		}},
		{"to a sink that makes a slice", 1, func(key string) error { return g.Get(ctx, key, allocating) }},
		{"to a new sink that makes a slice", 2, func(key string) error {
			return g.Get(ctx, key, transport.AllocatingByteSliceSink(&fresh))
		}},
		{"to a new sink that makes a string", 2, func(key string) error {
			return g.Get(ctx, key, transport.StringSink(&text))
		}},
	} {
		for _, key := range []string{"small", "large"} {
			get := func() {
				if err := c.get(key); err != nil {
					t.Fatal(err)
				}
			}
			_, err := g.GetInto(ctx, key, nil)
			require.NoError(t, err)
			assert.Equal(t, c.want, testing.AllocsPerRun(1000, get), "a %s value %s", key, c.what)
		}
	}
}

func TestASinksViewIsTheValueThatItTook(t *testing.T) {
	ctx := context.Background()
	expire := time.Now().Add(time.Hour)
	g := newGroup(t, func(_ context.Context, key string, dest transport.Sink) error {
		return dest.SetString("value", expire)
	})
	for _, c := range []struct {
		name string
		sink func(dst *[]byte) transport.Sink
		want string // what *dst holds
	}{
		{"allocating", transport.AllocatingByteSliceSink, "value"},
		{"truncating", transport.TruncatingByteSliceSink, "value"},
		{"truncating, too small", func(dst *[]byte) transport.Sink {
			*dst = (*dst)[:3]
			return transport.TruncatingByteSliceSink(dst)
		}, "val"},
		{"string", func(dst *[]byte) transport.Sink { *dst = []byte("value"); return transport.StringSink(new(string)) }, "value"},
		{"view", func(dst *[]byte) transport.Sink {
			*dst = []byte("value")
			return transport.ByteViewSink(new(transport.ByteView))
		}, "value"},
	} {
		for _, how := range []string{"loaded", "hit"} {
			dst := []byte("something longer")
			sink := c.sink(&dst)
			require.NoError(t, g.Get(ctx, c.name, sink))
			assert.Equal(t, c.want, string(dst), "%s, %s", c.name, how)
			view, err := sink.View()
			require.NoError(t, err)
			assert.Equal(t, "value", view.String(), "%s, %s", c.name, how)
			assert.Equal(t, expire.UnixNano(), view.Expire().UnixNano(), "%s, %s", c.name, how)
		}
		dst := []byte("before")
		sink := c.sink(&dst)
		view, err := sink.View()
		require.NoError(t, err)
		assert.Zero(t, view.Len(), "%s: nothing was set", c.name)
	}
}
