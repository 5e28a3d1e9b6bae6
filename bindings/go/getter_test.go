package groupcache_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cohort-cache/cohort/bindings/go/internal/core"
	"github.com/cohort-cache/cohort/bindings/go/transport"
)

func TestEveryWaiterGetsTheVeryErrorOfTheGetter(t *testing.T) {
	failure := errors.New("the database is gone")
	release := make(chan struct{})
	g := newGroup(t, func(context.Context, string, transport.Sink) error {
		<-release
		return fmt.Errorf("loading: %w", failure)
	})
	const callers = 100
	errs := make(chan error, callers)
	for range callers {
		go func() {
			_, err := getString(context.Background(), g, "key")
			errs <- err
		}()
	}
	waiting(t, g, callers)
	close(release)
	first := <-errs
	assert.ErrorIs(t, first, failure)
	for range callers - 1 {
		assert.Same(t, first, <-errs)
	}
	assert.Zero(t, core.OpenFailures(), "errors are forgotten once they have been delivered")
}

func TestNotFoundStaysNotFound(t *testing.T) {
	g := newGroup(t, func(context.Context, string, transport.Sink) error {
		return fmt.Errorf("wrapped: %w", &transport.ErrNotFound{Msg: "no such user"})
	})
	_, err := getString(context.Background(), g, "key")
	assert.ErrorIs(t, err, &transport.ErrNotFound{})
}

func TestAPanicOfTheGetterIsAnErrorForAll(t *testing.T) {
	release := make(chan struct{})
	g := newGroup(t, func(context.Context, string, transport.Sink) error {
		<-release
		panic("out of cheese")
	})
	errs := make(chan error, 10)
	for range cap(errs) {
		go func() {
			_, err := getString(context.Background(), g, "key")
			errs <- err
		}()
	}
	waiting(t, g, int64(cap(errs)))
	close(release)
	for range cap(errs) {
		assert.ErrorContains(t, <-errs, "out of cheese")
	}
}

func TestAGetterThatEndsItsGoroutineFailsTheOthers(t *testing.T) {
	release := make(chan struct{})
	g := newGroup(t, func(context.Context, string, transport.Sink) error {
		<-release
		runtime.Goexit()
		return nil
	})
	var returned atomic.Int64
	var ended sync.WaitGroup
	for range 10 {
		ended.Add(1)
		go func() {
			defer ended.Done()
			_, err := getString(context.Background(), g, "key")
			assert.ErrorContains(t, err, "ended its goroutine")
			returned.Add(1)
		}()
	}
	waiting(t, g, 10)
	close(release)
	ended.Wait()
	assert.EqualValues(t, 9, returned.Load(), "the leader's goroutine ends inside of the getter")
}

func TestAGetterThatAsksForItsOwnKeyIsTold(t *testing.T) {
	var g interface {
		transport.Group
	}
	g = newGroup(t, func(ctx context.Context, key string, dest transport.Sink) error {
		ctx, cancel := context.WithCancel(context.WithValue(ctx, dest, 1))
		defer cancel()
		return g.Get(ctx, key, dest)
	})
	_, err := getString(context.Background(), g, "key")
	assert.ErrorIs(t, err, &core.Error{Status: core.COHORT_WOULD_DEADLOCK})
}

func TestTheGetterRunsOnTheGoroutineOfItsCaller(t *testing.T) {
	stack := ""
	g := newGroup(t, func(_ context.Context, _ string, dest transport.Sink) error {
		buf := make([]byte, 1<<16)
		stack = string(buf[:runtime.Stack(buf, false)])
		return dest.SetString("value", time.Time{})
	})
	_, err := getString(context.Background(), g, "key")
	require.NoError(t, err)
	assert.True(t, strings.Contains(stack, "TestTheGetterRunsOnTheGoroutineOfItsCaller("), stack)
}

func TestAGetterMayGetFromAnotherGroupIntoItsOwnSink(t *testing.T) {
	inner := newGroup(t, func(_ context.Context, key string, dest transport.Sink) error {
		return dest.SetString("inner "+key, time.Time{})
	})
	outer := newGroup(t, inner.Get)
	for range 2 { // a load, a hit
		for _, sink := range []func(*[]byte) transport.Sink{transport.AllocatingByteSliceSink, transport.TruncatingByteSliceSink} {
			value := make([]byte, 100)
			require.NoError(t, inner.Get(context.Background(), "key", sink(&value)))
			assert.Equal(t, "inner key", string(value))
			value = make([]byte, 100)
			require.NoError(t, outer.Get(context.Background(), fmt.Sprintf("key%p", sink), sink(&value)))
			assert.Equal(t, fmt.Sprintf("inner key%p", sink), string(value))
		}
	}
	value, err := getString(context.Background(), outer, "last")
	require.NoError(t, err)
	assert.Equal(t, "inner last", value)
	again := make([]byte, 3)
	require.NoError(t, outer.Get(context.Background(), "last", transport.TruncatingByteSliceSink(&again)))
	assert.Equal(t, "inn", string(again))
}

func TestKeysAndValuesMayHoldAnyBytesAndSizes(t *testing.T) {
	g := newGroup(t, func(_ context.Context, key string, dest transport.Sink) error {
		return dest.SetBytes([]byte(strings.Repeat(key, 7)), time.Time{})
	})
	for _, key := range []string{"\x00", "a\x00b", "\xff\xfe", "\u00fc", " ", strings.Repeat("k", 3000), "x/y?z#%20"} {
		for _, from := range []string{"getter", "cache"} {
			value, err := getString(context.Background(), g, key)
			require.NoError(t, err, from)
			assert.Equal(t, strings.Repeat(key, 7), value, from)
		}
	}
}

func TestAnEmptyValueIsAValue(t *testing.T) {
	loads := 0
	g := newGroup(t, func(_ context.Context, _ string, dest transport.Sink) error {
		loads++
		return dest.SetBytes(nil, time.Time{})
	})
	for range 2 {
		var view transport.ByteView
		require.NoError(t, g.Get(context.Background(), "key", transport.ByteViewSink(&view)))
		assert.Zero(t, view.Len())
	}
	assert.Equal(t, 1, loads)
}

func TestExpiryReachesTheSink(t *testing.T) {
	expire := time.Now().Add(time.Hour)
	g := newGroup(t, func(_ context.Context, _ string, dest transport.Sink) error {
		return dest.SetString("value", expire)
	})
	for range 2 {
		var view transport.ByteView
		require.NoError(t, g.Get(context.Background(), "key", transport.ByteViewSink(&view)))
		assert.True(t, expire.Equal(view.Expire()), "%v %v", expire, view.Expire())
	}
}
