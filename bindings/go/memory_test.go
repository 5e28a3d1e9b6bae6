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
