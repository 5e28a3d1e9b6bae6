package cluster_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	groupcache "github.com/cohort-cache/cohort/bindings/go"
	"github.com/cohort-cache/cohort/bindings/go/cluster"
	"github.com/cohort-cache/cohort/bindings/go/transport"
	"github.com/cohort-cache/cohort/bindings/go/transport/peer"
)

var quiet = groupcache.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}

func TestAClusterStartsStopsAndStartsAgainAtOnce(t *testing.T) {
	ctx := context.Background()
	// Ports of the system's choice first, so that no other program is in the way; then the same again and again.
	require.NoError(t, cluster.StartWith(ctx, []peer.Info{{Address: "localhost:0"}, {Address: "localhost:0"}}, quiet))
	peers := cluster.ListPeers()
	for round := range 20 {
		for i := range cluster.ListDaemons() {
			_, err := cluster.DaemonAt(i).NewGroup("group", 1<<20, groupcache.GetterFunc(
				func(_ context.Context, key string, dest transport.Sink) error {
					return dest.SetString(fmt.Sprintf("%d:%s", i, key), time.Time{})
				}))
			require.NoError(t, err)
		}
		for k := range 10 {
			key := fmt.Sprint(k, "-key")
			for i := range cluster.ListDaemons() {
				var value string
				require.NoError(t, cluster.DaemonAt(i).GetGroup("group").Get(ctx, key, transport.StringSink(&value)))
				assert.Equal(t, cluster.DaemonAt(int(value[0]-'0')), cluster.FindOwningDaemon(key))
			}
		}
		if round%2 == 0 {
			require.NoError(t, cluster.Restart(ctx))
			assert.Error(t, cluster.Start(ctx, 1, quiet), "there is one already")
		} else {
			require.NoError(t, cluster.Shutdown(ctx))
			assert.Empty(t, cluster.ListDaemons())
			assert.Panics(t, func() { cluster.FindOwningDaemon("key") })
			require.NoError(t, cluster.StartWith(ctx, peers, quiet))
			assert.Equal(t, peers, cluster.ListPeers())
		}
	}
	require.NoError(t, cluster.Shutdown(ctx))
	require.NoError(t, cluster.Shutdown(ctx))
}
