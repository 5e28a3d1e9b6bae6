package driver

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// withOneOfEach puts the implementation under test first, and one node of every implementation after it.
func withOneOfEach(t *testing.T, impl string) mix {
	return append(mix{impl}, implementations(t)...)
}

// A node dies without a word and comes back. Meanwhile the others load its keys for themselves, and Set and Remove of
// them say that they did not reach it; afterwards everyone asks it again.
func TestANodeDiesAndReturns(t *testing.T) {
	for _, impl := range implementations(t) {
		t.Run(impl, func(t *testing.T) {
			t.Parallel()
			c := start(t, withOneOfEach(t, impl))
			victim, others := c.nodes[0], c.nodes[1:]
			for _, n := range others { // so that there are open connections
				key := c.keyOf(victim, "before-")
				if a := n.get(key); !a.is(loaded(victim, key)) {
					t.Errorf("%v: key %q is %v", n, key, a)
				}
			}
			victim.kill()
			var wg sync.WaitGroup
			for _, n := range others {
				wg.Add(1)
				go func() {
					defer wg.Done()
					for _, key := range c.keysOf(victim, "dead-"+n.name+"-", 10) {
						if a := n.get(key); !a.is(loaded(n, key)) {
							t.Errorf("%v: key %q of the dead %v is %v, want its own load", n, key, victim, a)
						}
					}
					key := c.keyOf(victim, "dead-change-"+n.name+"-")
					for what, a := range map[string]Answer{"set": n.set(key, "v", 0), "remove": n.remove(key)} {
						if a.OK || a.Kind != "other" {
							t.Errorf("%v: %s of a key of the dead %v: %v, want an error", n, what, victim, a)
						} else if n.ours() && !strings.Contains(a.Err, victim.peer) {
							t.Errorf("%v: %s of a key of the dead %v does not name it: %v", n, what, victim, a)
						}
					}
				}()
			}
			wg.Wait()
			if err := victim.launch(); err != nil {
				t.Fatal(err)
			}
			if err := victim.awaitPing(); err != nil {
				t.Fatal(err)
			}
			for _, n := range others {
				round := 0
				eventually(t, 30*time.Second, func() string {
					round++
					key := c.keyOf(victim, fmt.Sprintf("returned-%s-%d-", n.name, round))
					if a := n.get(key); !a.is(loaded(victim, key)) {
						return fmt.Sprintf("%v does not ask %v again: key %q is %v", n, victim, key, a)
					}
					return ""
				})
			}
			key := c.keyOf(victim, "settled-")
			c.wantEverywhere(t, key, loaded(victim, key))
			c.wantLoads(t, key, 1)
		})
	}
}

// A node dies, and another implementation takes its address: a rolling change of a service's language. Nobody may take the
// new one for the old one: our nodes send long keys in bodies to each other, which groupcache-go does not understand.
func TestANodeIsReplacedByAnotherImplementation(t *testing.T) {
	for _, change := range implementationPairs(t) {
		t.Run(change[0]+" to "+change[1], func(t *testing.T) {
			t.Parallel()
			c := start(t, withOneOfEach(t, change[0]))
			replaced, others := c.nodes[0], c.nodes[1:]
			long := "long-" + strings.Repeat("\xff", 2_700) + "-"
			for _, n := range others {
				key := c.keyOf(replaced, "before-")
				if a := n.get(key); !a.is(loaded(replaced, key)) {
					t.Errorf("%v: key %q is %v", n, key, a)
				}
			}
			replaced.kill()
			replaced.impl = change[1]
			if err := replaced.launch(); err != nil {
				t.Fatal(err)
			}
			if err := replaced.awaitPing(); err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			for _, n := range others {
				wg.Add(1)
				go func() {
					defer wg.Done()
					// The first request of all is one with a long key.
					key := c.keyOf(replaced, long+n.name+"-")
					loader := replaced
					if !reaches(n, replaced, "GET", key) {
						loader = n
					}
					if a := n.get(key); !a.is(loaded(loader, key)) {
						t.Errorf("%v: a long key of %v, which was %s, is %v, want the value of %v", n, replaced, change[0], a, loader)
					}
					key = c.keyOf(replaced, "after-"+n.name+"-")
					if a := n.set(key, "set", 0); !a.OK {
						t.Errorf("%v: set: %v", n, a)
					}
					if a := n.removeKeys([]string{key, key + "-\xff"}); n.ours() && !a.OK {
						t.Errorf("%v: RemoveKeys: %v", n, a)
					}
					if a := replaced.get(key); n.ours() && !a.is(loaded(replaced, key)) {
						t.Errorf("%v: key %q is %v after RemoveKeys on %v", replaced, key, a, n)
					}
				}()
			}
			wg.Wait()
		})
	}
}

// implementationPairs are the changes from each implementation to the reference, and back.
func implementationPairs(t *testing.T) [][2]string {
	var pairs [][2]string
	for _, impl := range ourImplementations(t) {
		pairs = append(pairs, [2]string{impl, reference}, [2]string{reference, impl})
	}
	return pairs
}

// A member that does not have the group is no reason for a get to fail: whoever asks it loads for itself.
func TestANodeWithoutTheGroup(t *testing.T) {
	for _, impl := range implementations(t) {
		t.Run(impl, func(t *testing.T) {
			t.Parallel()
			c := start(t, withOneOfEach(t, impl), withFlagsOf(0, "-group", "another"))
			stranger := c.nodes[0]
			for _, n := range c.nodes[1:] {
				for _, key := range c.keysOf(stranger, "nogroup-"+n.name+"-", 5) {
					if a := n.get(key); !a.is(loaded(n, key)) {
						t.Errorf("%v: key %q of %v, which has no such group, is %v", n, key, stranger, a)
					}
				}
				key := c.keyOf(n, "own-")
				for _, m := range c.nodes[1:] {
					if a := m.get(key); !a.is(loaded(n, key)) {
						t.Errorf("%v: key %q of %v is %v", m, key, n, a)
					}
				}
			}
		})
	}
}

// The set of peers changes while gets run: none fails, and in the end the new ring holds everywhere. Two groupcache-go
// nodes that disagree on the ring for a moment can wait for each other without end, so there is one at most.
func TestPeersChangeWhileGetsRun(t *testing.T) {
	for _, impl := range implementations(t) {
		t.Run(impl, func(t *testing.T) {
			t.Parallel()
			m := mix{impl}
			for _, other := range append(ourImplementations(t), reference) {
				if other != reference || impl != reference && len(m) < 3 {
					m = append(m, other)
				}
			}
			if len(m) == 1 {
				t.Skip("needs an implementation beside groupcache-go")
			}
			c := start(t, m)
			joiner := c.nodes[0]
			few := c.addresses()[1:]
			for _, n := range c.nodes[1:] {
				if a := n.setPeers(few, ""); !a.OK {
					t.Fatalf("%v: SetPeers: %v", n, a)
				}
			}
			stop := make(chan struct{})
			var wg sync.WaitGroup
			for _, n := range c.nodes[1:] {
				wg.Add(1)
				go func() {
					defer wg.Done()
					for i := 0; ; i++ {
						select {
						case <-stop:
							return
						default:
						}
						key := fmt.Sprintf("moving-%d", i%200)
						if a := n.get(key); !a.OK || !strings.HasSuffix(string(a.V64), ":"+key) {
							t.Errorf("%v: key %q is %v", n, key, a)
							return
						}
					}
				}()
			}
			for round := range 6 {
				peers := c.addresses()
				if round%2 == 1 {
					peers = few
				}
				for _, n := range c.nodes[1:] {
					if a := n.setPeers(peers, ""); !a.OK {
						t.Errorf("%v: SetPeers: %v", n, a)
					}
				}
			}
			for _, n := range c.nodes {
				if a := n.setPeers(c.addresses(), ""); !a.OK {
					t.Errorf("%v: SetPeers: %v", n, a)
				}
			}
			close(stop)
			wg.Wait()
			sameOwners(t, c)
			key := c.keyOf(joiner, "joined-")
			c.wantEverywhere(t, key, loaded(joiner, key))
			if a := joiner.setPeers(few, ""); a.OK {
				t.Errorf("%v: SetPeers without itself succeeded", joiner)
			}
		})
	}
}

// Two nodes disagree on the ring, so that each thinks the key is the other's. A peer's request is never forwarded (P3):
// the answer comes at once. Between two groupcache-go nodes it would not come at all.
func TestTwoRingsThatDisagree(t *testing.T) {
	for _, ours := range ourImplementations(t) {
		for _, other := range implementations(t) {
			t.Run(ours+"+"+other, func(t *testing.T) {
				t.Parallel()
				c := start(t, mix{ours, other})
				a, b := c.nodes[0], c.nodes[1]
				const alias = "192.0.2.99:80" // a's own name in a's own ring; nobody asks it
				if answer := a.setPeers([]string{b.peer, alias}, alias); !answer.OK {
					t.Fatalf("%v: SetPeers: %v", a, answer)
				}
				torn := newRing([]string{b.peer, alias}, 50)
				asked := 0
				for i := 0; asked < 20; i++ {
					key := fmt.Sprintf("torn-%d", i)
					if torn.owner(key) != b.peer || c.ring.owner(key) != a.peer {
						continue
					}
					n := c.nodes[asked%2]
					asked++
					if answer := n.getFor(key, 10*time.Second); !answer.OK || !strings.HasSuffix(string(answer.V64), ":"+key) {
						t.Errorf("%v: key %q, which %v and %v hold for each other's: %v", n, key, a, b, answer)
					}
				}
			})
		}
	}
}
