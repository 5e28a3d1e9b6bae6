package driver

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// sameOwners compares every node's ring with the driver's own, key by key.
func sameOwners(t *testing.T, c *Cluster) {
	keys := manyKeys("owner:", 10_000)
	c.each(func(n *Node) {
		owners, err := n.owners(keys)
		if err != nil {
			t.Error(err)
			return
		}
		for i, key := range keys {
			if want := c.ring.owner(key); owners[i] != want {
				t.Errorf("%v says that %q belongs to %s, want %s", n, key, owners[i], want)
				return
			}
		}
	})
}

// loadedOnce lets every node get every key at the same time, each in an order of its own (P1).
func loadedOnce(t *testing.T, c *Cluster) {
	count := 1_500
	if len(c.nodes) == len(implementations(t)) {
		count = 10_000
	}
	keys := manyKeys("once:", count)
	c.each(func(n *Node) {
		shuffled := append([]string{}, keys...)
		rand.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		answers, err := n.getMany(shuffled)
		if err != nil {
			t.Error(err)
			return
		}
		wrong := 0
		for i, key := range shuffled {
			if owner := c.ownerOf(key); !answers[i].is(owner.name + ":" + key) {
				if wrong++; wrong <= 3 {
					t.Errorf("%v: key %q of %v is %v", n, key, owner, answers[i])
				}
			}
		}
		if wrong > 0 {
			t.Errorf("%v: %d of %d answers are wrong", n, wrong, len(keys))
		}
	})
	wantOneLoadEach(t, c, keys)
}

// wantOneLoadEach fails the test unless the owner of each key loaded it once, and nobody else did.
func wantOneLoadEach(t *testing.T, c *Cluster, keys []string) {
	t.Helper()
	loads := map[*Node]map[string]int64{}
	for _, n := range c.nodes {
		var err error
		if loads[n], err = n.loads(); err != nil {
			t.Fatal(err)
		}
	}
	wrong := 0
	for _, key := range keys {
		owner := c.ownerOf(key)
		for _, n := range c.nodes {
			want := int64(0)
			if n == owner {
				want = 1
			}
			if loads[n][key] != want {
				if wrong++; wrong <= 3 {
					t.Errorf("%v loaded %q %d times, want %d; its owner is %v", n, key, loads[n][key], want, owner)
				}
			}
		}
	}
	if wrong > 3 {
		t.Errorf("%d wrong counts of loads among %d keys", wrong, len(keys))
	}
}

// oneColdKey has 30 callers on each node wait for one slow load.
func oneColdKey(t *testing.T, c *Cluster) {
	for _, owner := range c.nodes {
		key := c.keyOf(owner, "slow-300-cold-"+owner.name+"-")
		c.each(func(n *Node) {
			var wg sync.WaitGroup
			for range 30 {
				wg.Add(1)
				go func() {
					defer wg.Done()
					if a := n.get(key); !a.is(owner.name + ":" + key) {
						t.Errorf("%v: key %q of %v is %v", n, key, owner, a)
					}
				}()
			}
			wg.Wait()
		})
		c.wantLoads(t, key, 1)
	}
}

// aThousandGets spreads 1,000 callers over all nodes and 100 cold keys.
func aThousandGets(t *testing.T, c *Cluster) {
	keys := manyKeys("thousand:", 100)
	var wg sync.WaitGroup
	for i := range 1_000 {
		n, key := c.nodes[i%len(c.nodes)], keys[rand.IntN(len(keys))]
		wg.Add(1)
		go func() {
			defer wg.Done()
			if a := n.get(key); !a.is(c.ownerOf(key).name + ":" + key) {
				t.Errorf("%v: key %q of %v is %v", n, key, c.ownerOf(key), a)
			}
		}()
	}
	wg.Wait()
	for _, n := range c.nodes { // whatever the dice left out
		if _, err := n.getMany(keys); err != nil {
			t.Error(err)
		}
	}
	wantOneLoadEach(t, c, keys)
}

// timeoutIsOwn: a caller that leaves gets its error in time, and one that waits for the same load gets the value (P6).
// In groupcache-go the first caller's context governs all who wait with it, so there only the first half holds.
func timeoutIsOwn(t *testing.T, c *Cluster) {
	const slow, patience = 2 * time.Second, 700 * time.Millisecond
	forEachPair(c, func(asker, owner *Node, pair string) {
		if asker == owner {
			return // a getter that the caller itself runs ends when it ends
		}
		key := c.keyOf(owner, fmt.Sprintf("slow-%d-timeout-%s", slow.Milliseconds(), pair))
		var wg sync.WaitGroup
		wg.Add(1)
		go func() {
			defer wg.Done()
			if a := asker.getFor(key, patience); a.OK || a.Kind != "other" { // had it waited, it would have the value
				t.Errorf("%v asking %v with %v of patience: %v", asker, owner, patience, a)
			}
		}()
		if asker.ours() {
			if a := asker.get(key); !a.is(owner.name + ":" + key) {
				t.Errorf("%v asking %v beside a caller that left: %v", asker, owner, a)
			}
		}
		wg.Wait()
		if asker.ours() {
			c.wantLoads(t, key, 1)
		}
	})
}

// leavingIsOwn: as with a timeout, when the caller's connection breaks and its node cancels the get, if it can.
func leavingIsOwn(t *testing.T, c *Cluster) {
	const slow = 700 * time.Millisecond
	forEachPair(c, func(asker, owner *Node, pair string) {
		if !asker.ours() {
			return
		}
		key := c.keyOf(owner, fmt.Sprintf("slow-%d-leave-%s", slow.Milliseconds(), pair))
		left := make(chan struct{})
		leave := asker.getAndLeave(key, left)
		awaitLoad(t, owner, key)
		patient := make(chan Answer, 1)
		go func() { patient <- asker.get(key) }()
		leave()
		<-left
		if a := <-patient; !a.is(loaded(owner, key)) {
			t.Errorf("%v asking %v beside a caller that left: %v", asker, owner, a)
		}
	})
}
