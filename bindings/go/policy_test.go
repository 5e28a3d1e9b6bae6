package groupcache_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	groupcache "github.com/cohort-cache/cohort/bindings/go"
	"github.com/cohort-cache/cohort/bindings/go/transport"
)

func TestOnlyTheAdaptivePolicyKeepsWhatIsPopularBesideAScan(t *testing.T) {
	value := strings.Repeat("v", 1000)
	for _, policy := range []groupcache.Policy{groupcache.LRU, groupcache.Adaptive} {
		instance := groupcache.New(groupcache.Options{Logger: quiet, Policy: policy})
		made, err := instance.NewGroup("group", 100_000, groupcache.GetterFunc(
			func(_ context.Context, _ string, dest transport.Sink) error {
				return dest.SetString(value, time.Time{})
			}))
		require.NoError(t, err)
		g := made.(groupcache.ExtendedGroup)
		get := func(key string) {
			_, err := getString(context.Background(), g, key)
			require.NoError(t, err)
		}
		for n := range 250 {
			get(fmt.Sprint("popular", n%50))
		}
		for n := range 500 {
			get(fmt.Sprint("once", n))
		}
		kept := 0
		for n := range 50 {
			if _, ok := g.Peek(fmt.Sprint("popular", n), nil); ok {
				kept++
			}
		}
		assert.Equal(t, policy == groupcache.Adaptive, kept >= 40, "policy %d kept %d", policy, kept)
	}
}

func TestAPolicyThatIsNoneIsRefused(t *testing.T) {
	_, err := groupcache.New(groupcache.Options{Logger: quiet, Policy: 7}).NewGroup("group", 1<<20, groupcache.GetterFunc(
		func(context.Context, string, transport.Sink) error { return nil }))
	assert.ErrorContains(t, err, "policy is 7; it must be from 0 to 1")
}
