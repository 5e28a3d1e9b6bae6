package driver

import "testing"

// statsAreCounted: the first node gets 20 keys of the second twice; both count as groupcache-go does. It runs before
// anything else touches the cluster.
func statsAreCounted(t *testing.T, c *Cluster) {
	asker, owner := c.nodes[0], c.nodes[1]
	keys := c.keysOf(owner, "stats-", 20)
	bytes := int64(0)
	for _, key := range keys {
		bytes += int64(len(key) + len(loaded(owner, key)))
	}
	failing := c.keyOf(owner, "fail-stats-")
	for range 2 {
		for _, key := range keys {
			if a := asker.get(key); !a.is(loaded(owner, key)) {
				t.Errorf("%v: key %q is %v", asker, key, a)
			}
		}
	}
	asker.get(failing)
	wantStats(t, asker, map[string]int64{
		"gets": 41, "cache_hits": 20, "peer_loads": 20, "peer_errors": 0, "loads": 21, "loads_deduped": 21,
		"local_loads": 0, "local_load_errs": 0, "main_bytes": 0, "hot_bytes": bytes,
	})
	wantStats(t, owner, map[string]int64{
		"gets": 21, "cache_hits": 0, "peer_loads": 0, "peer_errors": 0, "loads": 21, "loads_deduped": 21,
		"local_loads": 20, "local_load_errs": 1, "main_bytes": bytes, "hot_bytes": 0,
	})
}

func wantStats(t *testing.T, n *Node, want map[string]int64) {
	t.Helper()
	stats, err := n.stats()
	if err != nil {
		t.Error(err)
		return
	}
	for name, value := range want {
		if got, ok := stats[name]; !ok || got != value {
			t.Errorf("%v: %s is %d, want %d (there: %v)", n, name, got, value, ok)
		}
	}
}
