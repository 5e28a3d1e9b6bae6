package groupcache_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	groupcache "github.com/cohort-cache/cohort/bindings/go"
	"github.com/cohort-cache/cohort/bindings/go/internal/core"
	"github.com/cohort-cache/cohort/bindings/go/transport"
	"github.com/cohort-cache/cohort/bindings/go/transport/peer"
)

// settle waits until what was dropped has been released.
func settle(t *testing.T, what string, condition func() bool) {
	t.Helper()
	eventually(t, what, func() bool {
		runtime.GC()
		return condition()
	})
}

// Upstream's New has no Close: what nobody refers to any more must go by itself, threads and all.
func TestDroppedInstancesLeaveNothing(t *testing.T) {
	for name, options := range map[string]func() groupcache.Options{
		"the engine's HTTP": func() groupcache.Options { return groupcache.Options{Transport: plainHTTP()} },
		"Go's HTTP":         func() groupcache.Options { return groupcache.Options{Transport: withContext()} },
		"everything in Go": func() groupcache.Options {
			return groupcache.Options{
				Transport:      transport.NewMockTransport(),
				Logger:         quiet,
				HashFn:         func(data []byte) uint64 { return uint64(len(data)) },
				CacheFactory:   func(int64) (groupcache.Cache, error) { return newMapCache(), nil },
				MetricProvider: groupcache.NewMeterProvider(),
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			use := func() {
				opts := options()
				d, err := groupcache.ListenAndServe(context.Background(), "127.0.0.1:0", opts)
				require.NoError(t, err)
				require.NoError(t, d.SetPeers(context.Background(), []peer.Info{{Address: d.ListenAddress()}}))
				var g transport.Group
				g, err = d.NewGroup("group", 1<<20, groupcache.GetterFunc(
					// The getter refers to the group, the group to the getter.
					func(_ context.Context, key string, dest transport.Sink) error {
						return dest.SetString(g.Name()+key, time.Time{})
					}))
				require.NoError(t, err)
				_, err = getString(context.Background(), g, "key")
				require.NoError(t, err)
				require.NoError(t, d.Shutdown(context.Background()))
			}
			use()
			settle(t, "the first instance is gone", func() bool { return core.Loads.Len() == 0 })
			before := engineThreads(t)
			for range 20 {
				use()
			}
			settle(t, "every instance is gone", func() bool {
				return core.Loads.Len() == 0 && core.Sends.Len() == 0 && core.Logs.Len() == 0 && core.RegisteredUpcalls() == 0
			})
			settle(t, fmt.Sprintf("there are no more of the engine's threads than the %d before", before), func() bool {
				return engineThreads(t) <= before
			})
		})
	}
}

func TestAListeningDaemonLivesThoughNobodyRefersToIt(t *testing.T) {
	address := ""
	tr := func() *transport.HttpTransport {
		tr := transport.NewHttpTransport(transport.HttpTransportOptions{Logger: quiet})
		d, err := groupcache.ListenAndServe(context.Background(), "127.0.0.1:0", groupcache.Options{Transport: tr, Logger: quiet})
		require.NoError(t, err)
		_, err = d.NewGroup("group", 1<<20, groupcache.GetterFunc(func(_ context.Context, key string, dest transport.Sink) error {
			return dest.SetString("value", time.Time{})
		}))
		require.NoError(t, err)
		address = d.ListenAddress()
		return tr
	}()
	for range 5 {
		runtime.GC()
	}
	nodes := startNodes(t, 1, plainHTTP, groupcache.Options{})
	require.NoError(t, nodes[0].instance.SetPeers(context.Background(), []peer.Info{
		{Address: nodes[0].address, IsSelf: true}, {Address: address}}))
	value, err := getString(context.Background(), nodes[0].group, keyOwnedBy(t, nodes[0], &node{address: address}))
	require.NoError(t, err)
	assert.Equal(t, "value", value)
	require.NoError(t, tr.Shutdown(context.Background()))
}

func TestARemovedGroupIsGone(t *testing.T) {
	i := groupcache.New(groupcache.Options{})
	getter := groupcache.GetterFunc(func(_ context.Context, key string, dest transport.Sink) error {
		return dest.SetString("value", time.Time{})
	})
	g, err := i.NewGroup("group", 1<<20, getter)
	require.NoError(t, err)
	assert.Equal(t, "group", i.GetGroup("group").Name())
	_, err = i.NewGroup("group", 1<<20, getter)
	assert.ErrorContains(t, err, "group")
	i.RemoveGroup("group")
	i.RemoveGroup("group")
	assert.Nil(t, i.GetGroup("group"))
	_, err = getString(context.Background(), g, "key")
	assert.ErrorIs(t, err, &core.Error{Status: core.COHORT_CLOSED})
	again, err := i.NewGroup("group", 1<<20, getter)
	require.NoError(t, err)
	_, err = getString(context.Background(), again, "key")
	assert.NoError(t, err)
}

func TestWhatIsWrongWithTheOptionsIsTold(t *testing.T) {
	i := groupcache.New(groupcache.Options{Replicas: -1})
	_, err := i.NewGroup("group", 1<<20, groupcache.GetterFunc(nil))
	assert.ErrorContains(t, err, "replicas")
	assert.ErrorContains(t, i.SetPeers(context.Background(), []peer.Info{{Address: "a:1", IsSelf: true}}), "replicas")
	_, err = groupcache.ListenAndServe(context.Background(), "127.0.0.1:0", groupcache.Options{Replicas: 1_000_000})
	assert.ErrorContains(t, err, "replicas")

	i = groupcache.New(groupcache.Options{})
	_, err = i.NewGroup("group", 1<<20, nil)
	assert.Error(t, err)
	assert.Error(t, i.SetPeers(context.Background(), []peer.Info{{Address: "a:1"}}), "nobody is self")
	assert.Error(t, i.SetPeers(context.Background(), []peer.Info{{Address: "a:1", IsSelf: true}, {Address: "b:1\nc:1"}}))
	g, err := i.NewGroup("group", 1<<20, groupcache.GetterFunc(func(context.Context, string, transport.Sink) error { return nil }))
	require.NoError(t, err)
	assert.Error(t, g.Get(context.Background(), "key", nil))
	assert.Error(t, g.Set(context.Background(), "", nil, time.Time{}, false))
}
