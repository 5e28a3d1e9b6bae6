package driver

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"
)

// A Cluster is a handful of nodes that know each other.
type Cluster struct {
	nodes []*Node
	ring  *ring
}

// An option changes the flags of a node before it starts; i is its position.
type option func(i int, n *Node)

// withFlags gives every node more flags.
func withFlags(flags ...string) option {
	return func(_ int, n *Node) { n.flags = append(n.flags, flags...) }
}

// withFlagsOf gives one node more flags; a later flag of the same name wins.
func withFlagsOf(position int, flags ...string) option {
	return func(i int, n *Node) {
		if i == position {
			n.flags = append(n.flags, flags...)
		}
	}
}

// implementations are those whose programs are there, the reference among them, in alphabetical order.
func implementations(t testing.TB) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(nodesDir(), "node-*"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no node programs in %s: run tests/interop/build, or set INTEROP_NODES (%v)", nodesDir(), err)
	}
	var impls []string
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil && !info.IsDir() && info.Mode()&0o111 != 0 {
			impls = append(impls, strings.TrimPrefix(filepath.Base(path), "node-"))
		}
	}
	sort.Strings(impls)
	return impls
}

// ourImplementations leaves out the reference.
func ourImplementations(t testing.TB) []string {
	var impls []string
	for _, impl := range implementations(t) {
		if impl != reference {
			impls = append(impls, impl)
		}
	}
	return impls
}

// A mix is the implementations of a cluster's nodes.
type mix []string

func (m mix) String() string { return strings.Join(m, "+") }

// mixes are three of each kind alone, every pair, one of each, and two of each.
func mixes(t testing.TB) []mix {
	impls := implementations(t)
	var all []mix
	for _, impl := range impls {
		all = append(all, mix{impl, impl, impl})
	}
	for i, a := range impls {
		for _, b := range impls[i+1:] {
			all = append(all, mix{a, b})
		}
	}
	if len(impls) > 2 {
		all = append(all, mix(impls))
	}
	if len(impls) > 1 {
		all = append(all, append(append(mix{}, impls...), impls...))
	}
	return all
}

// start runs one node per implementation and waits until all of them answer. A node whose port was taken between
// choosing and binding gets another one.
func start(t testing.TB, m mix, options ...option) *Cluster {
	t.Helper()
	var err error
	for range 3 {
		var c *Cluster
		if c, err = tryStart(t, m, options...); err == nil {
			return c
		}
		t.Logf("starting %v again: %v", m, err)
	}
	t.Fatalf("cannot start %v: %v", m, err)
	return nil
}

func tryStart(t testing.TB, m mix, options ...option) (*Cluster, error) {
	c := &Cluster{}
	dir := t.TempDir()
	for i, impl := range m {
		n := &Node{impl: impl, name: fmt.Sprintf("n%d", i+1), t: t}
		n.log = filepath.Join(dir, n.name+".log")
		var err error
		if n.peer, err = freeAddress(); err != nil {
			return nil, err
		}
		if n.ctl, err = freeAddress(); err != nil {
			return nil, err
		}
		c.nodes = append(c.nodes, n)
	}
	c.ring = newRing(c.addresses(), 50)
	for i, n := range c.nodes {
		n.flags = []string{"-peers", strings.Join(c.addresses(), ",")}
		for _, option := range options {
			option(i, n)
		}
	}
	t.Cleanup(func() { c.stop(t) })
	for _, n := range c.nodes {
		if err := n.launch(); err != nil {
			c.stop(nil)
			return nil, err
		}
	}
	for _, n := range c.nodes {
		if err := n.awaitPing(); err != nil {
			c.stop(nil)
			return nil, err
		}
	}
	return c, nil
}

// stop kills every node. If the test failed it shows the logs; a node that ended by itself fails the test, and so does one
// of ours whose log holds a panic or what a sanitizer found.
func (c *Cluster) stop(t testing.TB) {
	for _, n := range c.nodes {
		if n.cmd == nil {
			continue
		}
		if t != nil && n.died() {
			t.Errorf("%v ended by itself", n)
		}
		n.kill()
		if complaint := n.complaint(); t != nil && complaint != "" {
			t.Errorf("%v complained:\n%s", n, complaint)
		}
		if t != nil && t.Failed() {
			t.Log(n.logTail())
		}
		n.cmd = nil
	}
}

func (c *Cluster) addresses() []string {
	addresses := make([]string, len(c.nodes))
	for i, n := range c.nodes {
		addresses[i] = n.peer
	}
	return addresses
}

// ownerOf is the node that owns a key.
func (c *Cluster) ownerOf(key string) *Node {
	address := c.ring.owner(key)
	for _, n := range c.nodes {
		if n.peer == address {
			return n
		}
	}
	panic("the ring names a stranger: " + address)
}

// keyOf finds a key "<prefix><number>-key" that the node owns; different prefixes give different keys. (FNV-1 hardly
// moves a key on the circle when only its last bytes change: hence the tail.)
func (c *Cluster) keyOf(owner *Node, prefix string) string { return c.keysOf(owner, prefix, 1)[0] }

func (c *Cluster) keysOf(owner *Node, prefix string, count int) []string {
	var keys []string
	for i := 0; len(keys) < count; i++ {
		key := fmt.Sprintf("%s%d-key", prefix, i)
		if c.ownerOf(key) == owner {
			keys = append(keys, key)
		}
	}
	return keys
}

// upstreams counts the real groupcache-go nodes.
func (c *Cluster) upstreams() int {
	count := 0
	for _, n := range c.nodes {
		if !n.ours() {
			count++
		}
	}
	return count
}

// each runs f for every node at once and waits.
func (c *Cluster) each(f func(n *Node)) {
	var wg sync.WaitGroup
	for _, n := range c.nodes {
		wg.Add(1)
		go func() {
			defer wg.Done()
			f(n)
		}()
	}
	wg.Wait()
}

// forEachPair runs f at once for every node as the caller and every node as the key's owner; the name tells them apart.
// Of more than 6 nodes each calls itself, its neighbour and the one opposite.
func forEachPair(c *Cluster, f func(caller, owner *Node, name string)) {
	var wg sync.WaitGroup
	for i, caller := range c.nodes {
		for j, owner := range c.nodes {
			distance := (j - i + len(c.nodes)) % len(c.nodes)
			if len(c.nodes) > 6 && distance != 0 && distance != 1 && distance != len(c.nodes)/2 {
				continue
			}
			wg.Add(1)
			go func() {
				defer wg.Done()
				f(caller, owner, caller.name+"-"+owner.name+"-")
			}()
		}
	}
	wg.Wait()
}

// loadsOf is how often the getters of the cluster ran for a key, by the name of the node.
func (c *Cluster) loadsOf(t testing.TB, key string) map[string]int64 {
	t.Helper()
	counts := map[string]int64{}
	for _, n := range c.nodes {
		count, err := n.loadsOf(key)
		if err != nil {
			t.Errorf("loads: %v", err)
		} else if count > 0 {
			counts[n.name] = count
		}
	}
	return counts
}

// wantLoads fails the test unless the key was loaded so often in the whole cluster, by its owner only.
func (c *Cluster) wantLoads(t testing.TB, key string, want int64) {
	t.Helper()
	owner := c.ownerOf(key)
	counts := c.loadsOf(t, key)
	if len(counts) > 1 || counts[owner.name] != want {
		t.Errorf("key %.60q: loads %v, want %d by its owner %v only", key, counts, want, owner)
	}
}

// wantEverywhere gets the key from every node in turn and fails the test unless each has the value.
func (c *Cluster) wantEverywhere(t testing.TB, key, value string) {
	t.Helper()
	for _, n := range c.nodes {
		if a := n.get(key); !a.is(value) {
			t.Errorf("%v: key %.60q is %v, want %.80q; its owner is %v", n, key, a, value, c.ownerOf(key))
		}
	}
}

// eventually polls until the condition holds; the returned text says what is still missing.
func eventually(t testing.TB, limit time.Duration, condition func() (missing string)) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for {
		missing := condition()
		if missing == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("not after %v: %s", limit, missing)
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}
