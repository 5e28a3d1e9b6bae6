package driver

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// setIsSeen: a value that any node sets is at once every node's, whatever they had kept, without a load; the last one wins.
func setIsSeen(t *testing.T, c *Cluster) {
	forEachPair(c, func(caller, owner *Node, name string) {
		key := c.keyOf(owner, "set-"+name)
		c.wantEverywhere(t, key, loaded(owner, key)) // all keep the old value
		for i, value := range []string{"first", "", "\x00\xff", strings.Repeat("long ", 10_000), "last"} {
			setter := caller
			if i%2 == 1 {
				setter = owner
			}
			if a := setter.set(key, value, 0); !a.OK {
				t.Errorf("%v: set of key %q of %v: %v", setter, key, owner, a)
			}
			c.wantEverywhere(t, key, value)
		}
		c.wantLoads(t, key, 1)
	})
}

// setExpires: every node shows the expiry that was set, and when it has passed the value is loaded.
func setExpires(t *testing.T, c *Cluster) {
	const life = 1_500 * time.Millisecond
	c.each(func(caller *Node) {
		owner := c.nodes[(indexOf(c, caller)+1)%len(c.nodes)]
		key := c.keyOf(owner, "setexp-"+caller.name+"-")
		began := time.Now()
		if a := caller.set(key, "v", life); !a.OK {
			t.Errorf("%v: set of key %q of %v: %v", caller, key, owner, a)
		}
		latest := time.Now().Add(life)
		for _, n := range c.nodes {
			a := n.get(key)
			expire := time.Unix(0, a.ExpNs)
			if time.Now().After(began.Add(life)) {
				break // the machine is too busy to look in time
			}
			if !a.is("v") || expire.Before(began.Add(life-tolerance)) || expire.After(latest.Add(tolerance)) {
				t.Errorf("%v: key %q of %v is %v, want \"v\" that expires at %v", n, key, owner, a, began.Add(life))
			}
		}
		for _, n := range c.nodes {
			eventually(t, 5*life, func() string {
				if a := n.get(key); !a.is(loaded(owner, key)) {
					return fmt.Sprintf("%v: key %q of %v is %v, want it loaded", n, key, owner, a)
				}
				return ""
			})
		}
		c.wantLoads(t, key, 1)
	})
}

func indexOf(c *Cluster, n *Node) int {
	for i := range c.nodes {
		if c.nodes[i] == n {
			return i
		}
	}
	return -1
}

// setInThePast: a value that has expired already leaves nothing behind, on any node.
func setInThePast(t *testing.T, c *Cluster) {
	forEachPair(c, func(caller, owner *Node, name string) {
		key := c.keyOf(owner, "past-"+name)
		c.wantEverywhere(t, key, loaded(owner, key))
		if a := caller.set(key, "expired", -time.Minute); !a.OK {
			t.Errorf("%v: set of key %q of %v: %v", caller, key, owner, a)
		}
		c.wantEverywhere(t, key, loaded(owner, key))
		c.wantLoads(t, key, 2)
	})
}

func setEmptyKey(t *testing.T, c *Cluster) {
	for _, n := range c.nodes {
		if a := n.set("", "v", 0); a.OK || a.Kind != "other" || !strings.Contains(a.Err, "empty") {
			t.Errorf("%v: set of the empty key: %v, want an error that says so", n, a)
		}
	}
}

// removeIsSeen: when Remove has returned, no node has the old value, and it is loaded once.
func removeIsSeen(t *testing.T, c *Cluster) {
	forEachPair(c, func(caller, owner *Node, name string) {
		key := c.keyOf(owner, "remove-"+name)
		if a := caller.set(key, "old", 0); !a.OK {
			t.Errorf("%v: set of key %q of %v: %v", caller, key, owner, a)
		}
		for round := range 2 {
			old := "old"
			if round > 0 {
				old = loaded(owner, key)
			}
			c.wantEverywhere(t, key, old)
			if a := caller.remove(key); !a.OK {
				t.Errorf("%v: remove of key %q of %v: %v", caller, key, owner, a)
			}
			c.wantEverywhere(t, key, loaded(owner, key))
			c.wantLoads(t, key, int64(round+1))
		}
		if a := caller.remove(c.keyOf(owner, "unknown-"+name)); !a.OK {
			t.Errorf("%v: remove of a key that nobody has: %v", caller, a)
		}
	})
}

// removeKeysIsSeen: as Remove, for keys of every owner in one call. groupcache-go tells each owner of its own keys only
// and does not drop its own copies: called there, it is promised at the owners and nowhere else.
func removeKeysIsSeen(t *testing.T, c *Cluster) {
	c.each(func(caller *Node) {
		var keys []string
		for _, owner := range c.nodes {
			keys = append(keys, c.keysOf(owner, "removekeys-"+caller.name+"-", 2)...)
			if caller.ours() { // JSON mangles these keys when groupcache-go sends them
				keys = append(keys, c.keyOf(owner, "removekeys-\xff\xfe\x00/ ü"+caller.name+"-"))
			}
		}
		for _, key := range keys {
			if a := caller.set(key, "old", 0); !a.OK {
				t.Errorf("%v: set of key %q: %v", caller, key, a)
			}
			c.wantEverywhere(t, key, "old")
		}
		if a := caller.removeKeys(keys); !a.OK {
			t.Errorf("%v: RemoveKeys: %v", caller, a)
		}
		for _, key := range keys {
			owner := c.ownerOf(key)
			if caller.ours() {
				c.wantEverywhere(t, key, loaded(owner, key))
			} else if a := owner.get(key); !a.is(loaded(owner, key)) {
				t.Errorf("%v: key %q is %v after RemoveKeys on %v", owner, key, a, caller)
			}
			c.wantLoads(t, key, 1)
		}
		if a := caller.removeKeys(nil); !a.OK {
			t.Errorf("%v: RemoveKeys without keys: %v", caller, a)
		}
	})
}

// awaitLoad waits until the owner's getter has begun to load the key.
func awaitLoad(t *testing.T, owner *Node, key string) {
	t.Helper()
	eventually(t, 20*time.Second, func() string {
		count, err := owner.loadsOf(key)
		if err != nil {
			return err.Error()
		}
		if count == 0 {
			return fmt.Sprintf("%v has not begun to load %q", owner, key)
		}
		return ""
	})
}

// overtakenByRemove: a load is under way for an asker when Remove comes. Its waiters get what was loaded, nobody keeps
// it: the next get loads again. A groupcache-go owner puts the old value back, so the owner is one of ours; a
// groupcache-go asker is told by an expiry in the past.
func overtakenByRemove(t *testing.T, c *Cluster) {
	overtaken(t, c, "overtaken-remove-", func(changer *Node, key string) (Answer, string) {
		return changer.remove(key), ""
	})
}

// overtakenBySet: the same with Set; afterwards everyone has what was set.
func overtakenBySet(t *testing.T, c *Cluster) {
	overtaken(t, c, "overtaken-set-", func(changer *Node, key string) (Answer, string) {
		return changer.set(key, "newer", 0), "newer"
	})
}

func overtaken(t *testing.T, c *Cluster, name string, change func(changer *Node, key string) (Answer, string)) {
	const slow = 1500 // milliseconds; a Remove that takes longer comes after the load, and then upstream may keep what it was fetching
	forEachPair(c, func(asker, owner *Node, pair string) {
		if !owner.ours() {
			return
		}
		changer := c.nodes[(indexOf(c, asker)+1)%len(c.nodes)]
		key := c.keyOf(owner, fmt.Sprintf("slow-%d-%s%s", slow, name, pair))
		waiter := make(chan Answer, 1)
		go func() { waiter <- asker.get(key) }()
		awaitLoad(t, owner, key)
		a, value := change(changer, key)
		if !a.OK {
			t.Errorf("%v: change of key %q of %v: %v", changer, key, owner, a)
		}
		if a := <-waiter; !a.is(loaded(owner, key)) && (value == "" || !a.is(value)) {
			t.Errorf("%v: waiting for key %q of %v ended with %v", asker, key, owner, a)
		}
		if value != "" {
			c.wantEverywhere(t, key, value)
			return
		}
		if a := asker.get(key); !a.is(loaded(owner, key)) {
			t.Errorf("%v: key %q of %v is %v", asker, key, owner, a)
		}
		c.wantLoads(t, key, 2)
	})
}
