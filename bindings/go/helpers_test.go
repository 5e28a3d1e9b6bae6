package groupcache_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	groupcache "github.com/cohort-cache/cohort/bindings/go"
	"github.com/cohort-cache/cohort/bindings/go/transport"
	"github.com/cohort-cache/cohort/bindings/go/transport/peer"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// eventually waits for a condition.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !condition(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("this did not come true: %s", what)
		}
	}
}

// newGroup makes a group in an instance of its own.
func newGroup(t testing.TB, getter groupcache.GetterFunc) groupcache.ExtendedGroup {
	t.Helper()
	g, err := groupcache.New(groupcache.Options{Logger: quiet}).NewGroup("group", 1<<20, getter)
	require.NoError(t, err)
	return g.(groupcache.ExtendedGroup)
}

func getString(ctx context.Context, g transport.Group, key string) (string, error) {
	var s string
	err := g.Get(ctx, key, transport.StringSink(&s))
	return s, err
}

// waiting waits until n gets have missed the cache.
func waiting(t testing.TB, g groupcache.Group, n int64) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d gets wait", n), func() bool {
		s := g.GroupStats()
		return s.Loads.Get() == n
	})
}

// node is one member of a cluster inside the test.
type node struct {
	instance  *groupcache.Instance
	transport transport.Transport
	group     groupcache.ExtendedGroup
	address   string
}

// startNodes starts a cluster whose getters answer "<index>:<key>".
func startNodes(t testing.TB, n int, newTransport func() transport.Transport, opts groupcache.Options) []*node {
	return startNodesWith(t, n, newTransport, opts, func(i int) groupcache.GetterFunc {
		return func(_ context.Context, key string, dest transport.Sink) error {
			return dest.SetString(fmt.Sprintf("%d:%s", i, key), time.Time{})
		}
	})
}

func startNodesWith(t testing.TB, n int, newTransport func() transport.Transport, opts groupcache.Options,
	getter func(i int) groupcache.GetterFunc) []*node {
	t.Helper()
	var nodes []*node
	var peers []peer.Info
	for i := range n {
		tr := newTransport()
		opts.Transport, opts.Logger = tr, quiet
		instance := groupcache.New(opts)
		address := "127.0.0.1:0"
		if _, mock := tr.(*transport.MockTransport); mock {
			address = fmt.Sprintf("node%d:1", i)
		}
		require.NoError(t, tr.ListenAndServe(context.Background(), address))
		t.Cleanup(func() { require.NoError(t, tr.Shutdown(context.Background())) })
		g, err := instance.NewGroup("group", 1<<20, getter(i))
		require.NoError(t, err)
		nodes = append(nodes, &node{instance, tr, g.(groupcache.ExtendedGroup), tr.ListenAddress()})
		peers = append(peers, peer.Info{Address: tr.ListenAddress()})
	}
	for i, node := range nodes {
		own := append([]peer.Info{}, peers...)
		own[i].IsSelf = true
		require.NoError(t, node.instance.SetPeers(context.Background(), own))
	}
	return nodes
}

// keyOwnedBy finds a key of one node by the ring of another.
func keyOwnedBy(t testing.TB, asker, owner *node) string {
	t.Helper()
	for i := range 10_000 {
		key := fmt.Sprintf("%d-key", i) // what differs only at its end lies close together on the ring
		if c, remote := asker.instance.PickPeer(key); remote && c.PeerInfo().Address == owner.address {
			return key
		}
	}
	t.Fatal("no key is owned by that node")
	return ""
}

// threads counts the operating system's threads of this process.
func threads(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/task")
	require.NoError(t, err)
	return len(entries)
}

// engineThreads counts those that bear the engine's name. Go's own come as they are needed, and never end.
func engineThreads(t testing.TB) int {
	t.Helper()
	names, err := filepath.Glob("/proc/self/task/*/comm")
	require.NoError(t, err)
	count := 0
	for _, file := range names {
		name, err := os.ReadFile(file) // fails if the thread has ended
		if err == nil && strings.HasPrefix(string(name), "cohort") {
			count++
		}
	}
	return count
}
