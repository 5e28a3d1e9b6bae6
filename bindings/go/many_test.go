package groupcache_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	groupcache "github.com/cohort-cache/cohort/bindings/go"
	"github.com/cohort-cache/cohort/bindings/go/transport"
)

func TestGetManyReturnsEachKeysOwnEnd(t *testing.T) {
	failure := errors.New("broken")
	g := newGroup(t, func(_ context.Context, key string, dest transport.Sink) error {
		switch {
		case strings.HasPrefix(key, "missing"):
			return &transport.ErrNotFound{Msg: "no " + key}
		case strings.HasPrefix(key, "broken"):
			return failure
		}
		return dest.SetString("value of "+key, time.Now().Add(time.Hour))
	})
	keys := []string{"a", "missing-1", "", "b", "broken", "a", "long" + strings.Repeat("x", 2000)}
	for _, from := range []string{"getter", "cache"} {
		results := g.GetMany(context.Background(), keys)
		require.Len(t, results, len(keys))
		for i, key := range keys {
			switch {
			case strings.HasPrefix(key, "missing"):
				assert.ErrorIs(t, results[i].Err, &transport.ErrNotFound{}, from)
			case key == "broken":
				assert.Same(t, failure, results[i].Err, from)
			default:
				require.NoError(t, results[i].Err, "%s %q", from, key)
				assert.Equal(t, "value of "+key, results[i].Value.String(), from)
				assert.False(t, results[i].Value.Expire().IsZero(), from)
			}
		}
	}
	assert.Empty(t, g.GetMany(context.Background(), nil))
}

func TestGetManyEndsWithItsContext(t *testing.T) {
	release := make(chan struct{})
	var loads atomic.Int64
	g := newGroup(t, func(_ context.Context, key string, dest transport.Sink) error {
		if key == "slow" {
			loads.Add(1)
			<-release
		}
		return dest.SetString(key, time.Time{})
	})
	defer close(release)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		eventually(t, "the slow key is being loaded", func() bool { return loads.Load() == 1 })
		eventually(t, "the quick one is here", func() bool { return g.CacheStats(groupcache.MainCache).Items == 1 })
		cancel()
	}()
	results := g.GetMany(ctx, []string{"quick", "slow"})
	assert.NoError(t, results[0].Err)
	assert.ErrorIs(t, results[1].Err, context.Canceled)
	for _, r := range g.GetMany(ctx, []string{"slow", "slow"}) { // who waits again waits at a seat
		assert.ErrorIs(t, r.Err, context.Canceled)
	}

	short, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	assert.ErrorIs(t, g.GetMany(short, []string{"slow"})[0].Err, context.DeadlineExceeded)
}

func TestGetManyOfManyNodes(t *testing.T) {
	nodes := startNodes(t, 3, plainHTTP, groupcache.Options{})
	var keys []string
	for i := range 1200 {
		keys = append(keys, fmt.Sprint(i, "-key"))
	}
	ends, cancel := context.WithCancel(context.Background())
	defer cancel()
	for turn, ctx := range []context.Context{nil, context.Background(), ends, nil} { // who waits again waits at a seat
		require.NoError(t, nodes[0].group.ResetCacheSize(1<<20))
		for i, r := range nodes[0].group.GetMany(ctx, keys) {
			require.NoError(t, r.Err, turn)
			owner := 0
			client, remote := nodes[0].instance.PickPeer(keys[i])
			for n := range nodes {
				if remote && client.PeerInfo().Address == nodes[n].address {
					owner = n
				}
			}
			assert.Equal(t, fmt.Sprintf("%d:%s", owner, keys[i]), r.Value.String())
		}
	}
}

func TestGetIntoUsesTheBufferThatItIsGiven(t *testing.T) {
	g := newGroup(t, func(_ context.Context, key string, dest transport.Sink) error {
		switch key {
		case "string":
			return dest.SetString("value", time.Time{})
		case "large":
			return dest.SetBytes(make([]byte, 100_000), time.Time{})
		}
		return &transport.ErrNotFound{Msg: "no"}
	})
	buf := make([]byte, 3, 10)
	for range 2 {
		value, err := g.GetInto(context.Background(), "string", buf)
		require.NoError(t, err)
		assert.Equal(t, "value", string(value))
		assert.Same(t, &buf[0], &value[0])
		value, err = g.GetInto(context.Background(), "large", buf)
		require.NoError(t, err)
		assert.Len(t, value, 100_000)
		value, err = g.GetInto(context.Background(), "string", nil)
		require.NoError(t, err)
		assert.Equal(t, "value", string(value))
		_, err = g.GetInto(context.Background(), "missing", buf)
		assert.ErrorIs(t, err, &transport.ErrNotFound{})
	}
}

func TestAHitIntoABufferAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	g := newGroup(t, func(_ context.Context, _ string, dest transport.Sink) error {
		return dest.SetBytes(make([]byte, 1000), time.Time{})
	})
	buf := make([]byte, 1000)
	ctx := context.Background()
	get := func() {
		if _, err := g.GetInto(ctx, "key", buf); err != nil {
			t.Fatal(err)
		}
	}
	get()
	assert.Zero(t, testing.AllocsPerRun(1000, get))
}

func TestPeekShowsWhatIsHereAndNeverLoads(t *testing.T) {
	loads := 0
	g := newGroup(t, func(_ context.Context, key string, dest transport.Sink) error {
		loads++
		return dest.SetString(strings.TrimPrefix(key, "empty"), time.Time{})
	})
	_, ok := g.Peek("key", nil)
	assert.False(t, ok)
	assert.Zero(t, loads)
	long := strings.Repeat("x", 5000)
	for _, key := range []string{"key", "empty", long} {
		_, err := getString(context.Background(), g, key)
		require.NoError(t, err)
		for _, buf := range [][]byte{nil, make([]byte, 4), make([]byte, 0, 10_000)} {
			value, ok := g.Peek(key, buf)
			assert.True(t, ok)
			assert.NotNil(t, value)
			assert.Equal(t, strings.TrimPrefix(key, "empty"), string(value))
			if cap(buf) >= len(value) && cap(buf) > 0 {
				assert.Same(t, &buf[:1][0], &value[:1][0], "the caller's buffer was used")
			}
		}
	}
	assert.Equal(t, 3, loads)
}
