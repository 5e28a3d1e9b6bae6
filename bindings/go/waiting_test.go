package groupcache_test

import (
	"context"
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

// One goroutine that waits again and again takes the short way; what ends its waiting must not differ.
func TestOneGoroutineMayWaitForOneLoadAfterTheOther(t *testing.T) {
	release := make(chan struct{})
	g := newGroup(t, func(_ context.Context, key string, dest transport.Sink) error {
		<-release
		return dest.SetString("value of "+key, time.Time{})
	})
	for i := range 60 {
		key := fmt.Sprint("key", i)
		led := make(chan error)
		go func() {
			_, err := getString(context.Background(), g, key)
			led <- err
		}()
		waiting(t, g, int64(2*i+1))
		end := func(f func()) { // when the get below waits
			waiting(t, g, int64(2*i+2))
			f()
		}
		switch i % 4 {
		case 0:
			go end(func() { release <- struct{}{} })
			value, err := getString(context.Background(), g, key)
			require.NoError(t, err)
			assert.Equal(t, "value of "+key, value)
		case 1:
			ctx, cancel := context.WithCancel(context.Background())
			go end(func() { release <- struct{}{} })
			value, err := getString(ctx, g, key)
			cancel()
			require.NoError(t, err)
			assert.Equal(t, "value of "+key, value)
		case 2:
			ctx, cancel := context.WithCancel(context.Background())
			go end(cancel)
			_, err := getString(ctx, g, key)
			assert.ErrorIs(t, err, context.Canceled)
			release <- struct{}{}
		case 3:
			ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
			_, err := getString(ctx, g, key)
			cancel()
			assert.ErrorIs(t, err, context.DeadlineExceeded)
			release <- struct{}{}
		}
		require.NoError(t, <-led)
		value, err := getString(context.Background(), g, key)
		require.NoError(t, err)
		assert.Equal(t, "value of "+key, value, "a hit after a wait")
	}
}

// A goroutine that nothing but its own time can end may wait in C, where its thread asks the owner itself.
func TestAGetThatWaitsForASlowOwnerHoldsNobodyElse(t *testing.T) {
	running, release := make(chan struct{}), make(chan struct{})
	nodes := startNodesWith(t, 2, plainHTTP, groupcache.Options{}, func(int) groupcache.GetterFunc {
		return func(_ context.Context, key string, dest transport.Sink) error {
			if strings.HasSuffix(key, "slow") {
				close(running)
				<-release
			}
			return dest.SetString("value of "+key, time.Time{})
		}
	})
	asker := nodes[0]
	var last atomic.Int64
	remote := func(suffix string) string {
		for {
			key := fmt.Sprint(last.Add(1), suffix)
			if _, isRemote := asker.instance.PickPeer(key); isRemote {
				return key
			}
		}
	}
	get := func(key string) {
		value, err := getString(context.Background(), asker.group, key)
		assert.NoError(t, err)
		assert.Equal(t, "value of "+key, value)
	}
	for range 50 {
		get(remote("-key"))
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for range 10 {
			get(remote("-before"))
		}
		get(remote("-slow"))
	}()
	<-running
	for range 50 {
		get(remote("-after"))
	}
	select {
	case <-ended:
		t.Error("the slow key has come before it was there")
	default:
	}
	close(release)
	<-ended
}
