package groupcache_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	groupcache "github.com/cohort-cache/cohort/bindings/go"
	"github.com/cohort-cache/cohort/bindings/go/internal/core"
	"github.com/cohort-cache/cohort/bindings/go/transport"
)

type contextKey struct{}

// held is a group whose getter shows its context and waits.
type held struct {
	group   groupcache.ExtendedGroup
	ctx     chan context.Context
	release chan struct{}
}

func newHeld(t *testing.T) *held {
	h := &held{ctx: make(chan context.Context, 1), release: make(chan struct{})}
	h.group = newGroup(t, func(ctx context.Context, _ string, dest transport.Sink) error {
		h.ctx <- ctx
		<-h.release
		return dest.SetString("value", time.Time{})
	})
	return h
}

// get starts a get.
func (h *held) get(ctx context.Context) (result chan error) {
	result = make(chan error, 1)
	go func() {
		_, err := getString(ctx, h.group, "key")
		result <- err
	}()
	return result
}

func TestAGetterSeesTheValuesOfItsLeader(t *testing.T) {
	h := newHeld(t)
	result := h.get(context.WithValue(context.Background(), contextKey{}, "leader"))
	assert.Equal(t, "leader", (<-h.ctx).Value(contextKey{}))
	close(h.release)
	require.NoError(t, <-result)
}

func TestNilContextsWork(t *testing.T) {
	h := newHeld(t)
	result := h.get(nil)
	ctx := <-h.ctx
	_, ok := ctx.Deadline()
	assert.False(t, ok)
	assert.NoError(t, ctx.Err())
	assert.Nil(t, ctx.Value(contextKey{}))
	close(h.release)
	require.NoError(t, <-result)
}

func TestADeadlineIsTheLatestOfThoseWhoWait(t *testing.T) {
	h := newHeld(t)
	defer close(h.release)
	start := time.Now()
	short, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	h.get(short)
	ctx := <-h.ctx
	deadline, ok := ctx.Deadline()
	require.True(t, ok)
	assert.WithinDuration(t, start.Add(time.Minute), deadline, 10*time.Second)

	long, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	h.get(long)
	waiting(t, h.group, 2)
	deadline, ok = ctx.Deadline()
	require.True(t, ok)
	assert.WithinDuration(t, start.Add(time.Hour), deadline, 10*time.Second)

	h.get(context.Background())
	waiting(t, h.group, 3)
	_, ok = ctx.Deadline()
	assert.False(t, ok, "somebody waits for as long as it takes")
}

func TestTheLastWaitersLeavingCancelsTheGetterAndNobodyElses(t *testing.T) {
	h := newHeld(t)
	leader, leaveLeader := context.WithCancel(context.Background())
	leads := h.get(leader)
	ctx := <-h.ctx
	derived, cancel := context.WithTimeout(ctx, time.Hour)
	defer cancel()
	other, leaveOther := context.WithCancel(context.Background())
	waits := h.get(other)
	waiting(t, h.group, 2)
	require.NoError(t, ctx.Err())

	leaveLeader()
	// The engine hears of it from another goroutine; what must not happen is a cancellation.
	eventually(t, "the leader has left", func() bool { return leader.Err() != nil })
	assert.NoError(t, ctx.Err())

	leaveOther()
	assert.ErrorIs(t, <-waits, context.Canceled)
	<-ctx.Done()
	assert.ErrorIs(t, ctx.Err(), context.Canceled)
	<-derived.Done()
	assert.ErrorIs(t, derived.Err(), context.Canceled)

	close(h.release)
	assert.NoError(t, <-leads, "a getter that the caller itself runs ends when it ends")
	value, err := getString(context.Background(), h.group, "key")
	assert.NoError(t, err)
	assert.Equal(t, "value", value)
}

func TestAWaitersDeadlineEndsItsGetAndTheGettersContext(t *testing.T) {
	h := newHeld(t)
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond) // the getter must begin before
	defer cancel()
	leads := h.get(ctx)
	getter := <-h.ctx
	second, cancel := context.WithTimeout(context.Background(), 600*time.Millisecond)
	defer cancel()
	assert.ErrorIs(t, <-h.get(second), context.DeadlineExceeded)
	<-getter.Done()
	assert.ErrorIs(t, getter.Err(), context.DeadlineExceeded)
	close(h.release)
	<-leads
}

func TestOneCallersCancellingDoesNotSpoilTheLoad(t *testing.T) {
	h := newHeld(t)
	leads := h.get(context.Background())
	<-h.ctx
	ctx, cancel := context.WithCancel(context.Background())
	waits := h.get(ctx)
	waiting(t, h.group, 2)
	cancel()
	assert.ErrorIs(t, <-waits, context.Canceled)
	close(h.release)
	assert.NoError(t, <-leads)
}

func TestAGetWithAnEndedContextFindsWhatIsHereAndLoadsNothing(t *testing.T) {
	loads := 0
	g := newGroup(t, func(_ context.Context, _ string, dest transport.Sink) error {
		loads++
		return dest.SetString("value", time.Time{})
	})
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := getString(ended, g, "key")
	assert.ErrorIs(t, err, context.Canceled)
	late, cancel := context.WithDeadline(context.Background(), time.Now().Add(-time.Second))
	defer cancel()
	_, err = getString(late, g, "key")
	assert.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Zero(t, loads)
	_, err = getString(context.Background(), g, "key")
	require.NoError(t, err)
	value, err := getString(ended, g, "key")
	assert.NoError(t, err)
	assert.Equal(t, "value", value)
}

func TestAGettersContextEndsWithTheLoad(t *testing.T) {
	h := newHeld(t)
	result := h.get(context.WithValue(context.Background(), contextKey{}, "leader"))
	ctx := <-h.ctx
	done := ctx.Done()
	var ran sync.WaitGroup
	ran.Add(1)
	context.AfterFunc(ctx, ran.Done)
	stopped := context.AfterFunc(ctx, func() { t.Error("stopped functions do not run") })
	assert.True(t, stopped())
	close(h.release)
	require.NoError(t, <-result)
	<-done
	ran.Wait()
	assert.ErrorIs(t, ctx.Err(), context.Canceled)
	assert.Equal(t, "leader", ctx.Value(contextKey{}))
	_, ok := ctx.Deadline()
	assert.False(t, ok)
	assert.Zero(t, core.Cancels.Len(), "a load that has ended is not watched")
}
