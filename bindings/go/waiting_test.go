package groupcache_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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
