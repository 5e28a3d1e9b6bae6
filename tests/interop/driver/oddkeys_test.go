package driver

import (
	"testing"
)

// oddKeysAreKeys gets, sets and removes each odd key from every node. Three limits of the real groupcache-go apply, and
// nowhere else: it sends "." and ".." unescaped, which another groupcache-go redirects; its request lines may be longer
// than our nodes take; and it loads for itself, or fails a Set or Remove, when such a request is refused.
func oddKeysAreKeys(t *testing.T, c *Cluster) {
	for _, owner := range c.nodes { // our nodes send long keys in bodies to those whom they know to understand it
		key := c.keyOf(owner, "acquaintance-")
		c.wantEverywhere(t, key, loaded(owner, key))
	}
	for name, key := range oddKeys() {
		t.Run(name, func(t *testing.T) {
			owner := c.ownerOf(key)
			loads := map[string]int64{owner.name: 1}
			for _, n := range c.nodes {
				loader := owner
				if !reaches(n, owner, "GET", key) {
					loader = n
					loads[n.name] = 1
				}
				if a := n.get(key); !a.is(loaded(loader, key)) {
					t.Errorf("%v: get: %v, want the value of %v; the owner is %v", n, a, loader, owner)
				}
			}
			owner.get(key)
			if counts := c.loadsOf(t, key); !sameCounts(counts, loads) {
				t.Errorf("loads %v, want %v", counts, loads)
			}
			if key == "" {
				return // there is no Set of the empty key
			}
			for _, n := range c.nodes {
				for _, value := range []string{"set by " + n.name, ""} {
					a := Answer{}
					if value != "" {
						a = n.set(key, value, 0)
					} else {
						a = n.remove(key)
						value = loaded(owner, key)
					}
					complete := true
					for _, other := range c.nodes {
						if !reaches(n, other, "DELETE", key) {
							complete = false
						}
					}
					switch {
					case !reaches(n, owner, "DELETE", key):
						if a.OK {
							t.Errorf("%v: the change succeeded although the owner %v refuses the request", n, owner)
						}
					case complete:
						if !a.OK {
							t.Errorf("%v: change: %v", n, a)
						}
						for _, other := range c.nodes {
							if !reaches(other, owner, "GET", key) {
								continue // it would load for itself
							}
							if a := other.get(key); !a.is(value) {
								t.Errorf("%v: after a change by %v: %v, want %.80q", other, n, a, value)
							}
						}
					}
				}
			}
		})
	}
}

// reaches says whether a request with the key gets from one node to the other.
func reaches(from, to *Node, method, key string) bool {
	switch {
	case from == to || from.ours():
		return true
	case to.ours():
		return requestLine(method, key) <= lineLimit
	default:
		return key != "." && key != ".."
	}
}

func sameCounts(a, b map[string]int64) bool {
	if len(a) != len(b) {
		return false
	}
	for name, count := range a {
		if b[name] != count {
			return false
		}
	}
	return true
}
