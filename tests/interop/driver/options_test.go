package driver

import (
	"fmt"
	"testing"
	"time"
)

// A group stays within its bytes, 7/8 of them for its own keys and 1/8 for others'; with 0 bytes it keeps nothing.
func TestAGroupStaysWithinItsBytes(t *testing.T) {
	const budget = 200_000
	for _, impl := range implementations(t) {
		t.Run(impl, func(t *testing.T) {
			t.Parallel()
			c := start(t, mix{impl, impl}, withFlags("-bytes", fmt.Sprint(budget)))
			for i := range 500 {
				key := fmt.Sprintf("size-1000-%d-filler", i)
				if a := c.nodes[0].get(key); !a.is(loaded(c.ownerOf(key), key)) {
					t.Fatalf("key %q is %v", key, a)
				}
			}
			stats, err := c.nodes[0].stats()
			if err != nil {
				t.Fatal(err)
			}
			if used := stats["main_bytes"]; used > budget/8*7 || used < budget/2 {
				t.Errorf("the main cache holds %d bytes, want at most 7/8 of %d and not much less", used, budget)
			}
			if used := stats["hot_bytes"]; used > budget/8 || used < budget/16 {
				t.Errorf("the hot cache holds %d bytes, want at most 1/8 of %d and not much less", used, budget)
			}
		})
	}
}

func TestWithoutBytesNothingIsKept(t *testing.T) {
	for _, impl := range implementations(t) {
		t.Run(impl, func(t *testing.T) {
			t.Parallel()
			c := start(t, mix{impl, impl}, withFlags("-bytes", "0"))
			for _, owner := range c.nodes {
				key := c.keyOf(owner, "cold-")
				if a := c.nodes[0].set(key, "v", 0); !a.OK {
					t.Errorf("set of key %q: %v", key, a)
				}
				for i := range 3 {
					if a := c.nodes[0].get(key); !a.is(loaded(owner, key)) {
						t.Errorf("key %q is %v", key, a)
					}
					c.wantLoads(t, key, int64(i+1))
				}
			}
		})
	}
}

// The expiry that a node gives to all its values, and a ring of another density.
func TestExpireAndReplicasAreOptions(t *testing.T) {
	for _, impl := range implementations(t) {
		t.Run(impl, func(t *testing.T) {
			t.Parallel()
			const life = 30 * time.Second
			c := start(t, mix{impl, impl, impl}, withFlags("-replicas", "200", "-expire", life.String()))
			c.ring = newRing(c.addresses(), 200)
			sameOwners(t, c)
			began := time.Now()
			for _, owner := range c.nodes {
				key := c.keyOf(owner, "option-")
				for _, n := range c.nodes {
					a := n.get(key)
					expire := time.Unix(0, a.ExpNs)
					if !a.is(loaded(owner, key)) || expire.Before(began.Add(life-tolerance)) || expire.After(time.Now().Add(life+tolerance)) {
						t.Errorf("%v: key %q of %v is %v, want an expiry in %v", n, key, owner, a, life)
					}
				}
			}
		})
	}
}
