package driver

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// tolerance is how far an expiry may be from where it was set: Cohort nodes exchange the milliseconds that are left, and
// the machine may be busy.
const tolerance = 250 * time.Millisecond

// loaded is what the getter of a node makes of a key.
func loaded(n *Node, key string) string {
	value := n.name + ":" + key
	switch {
	case strings.HasPrefix(key, "empty-"):
		return ""
	case strings.HasPrefix(key, "bin-"):
		for b := range 256 {
			value += string([]byte{byte(b)})
		}
	case strings.HasPrefix(key, "size-"):
		var size int
		if _, err := fmt.Sscanf(key, "size-%d-", &size); err == nil {
			if len(value) < size {
				value += strings.Repeat(".", size-len(value))
			}
			value = value[:size]
		}
	}
	return value
}

// valuesArrive gets values of every kind and size from every node.
func valuesArrive(t *testing.T, c *Cluster) {
	for _, prefix := range []string{"plain-", "bin-", "empty-", "size-0-", "size-1-", "size-5000-", "size-300000-", "size-4000000-"} {
		owners := c.nodes
		if prefix == "size-4000000-" {
			owners = owners[:1]
		}
		for _, owner := range owners {
			key := c.keyOf(owner, prefix+owner.name+"-")
			c.wantEverywhere(t, key, loaded(owner, key))
			c.wantLoads(t, key, 1)
		}
	}
}

// expiriesTravel: every node shows the owner's expiry, none answers with a value after its end, and then it is loaded anew.
func expiriesTravel(t *testing.T, c *Cluster) {
	const life = 1_500 * time.Millisecond
	c.each(func(owner *Node) {
		key := c.keyOf(owner, fmt.Sprintf("exp-%d-%s-", life.Milliseconds(), owner.name))
		began := time.Now()
		first := owner.get(key)
		earliest, latest := began.Add(life), time.Now().Add(life)
		for _, n := range c.nodes {
			a := n.get(key)
			expire := time.Unix(0, a.ExpNs)
			if !a.is(loaded(owner, key)) || a.ExpNs == 0 {
				t.Errorf("%v: key %q of %v is %v, want an expiry", n, key, owner, a)
			} else if expire.Before(earliest.Add(-tolerance)) || expire.After(latest.Add(tolerance)) && time.Now().Before(earliest) {
				t.Errorf("%v: key %q of %v expires at %v, want %v to %v", n, key, owner, expire, earliest, latest)
			}
		}
		end := time.Unix(0, first.ExpNs)
		for _, n := range c.nodes {
			eventually(t, 5*life, func() string {
				asked := time.Now()
				a := n.get(key)
				if !a.OK {
					return fmt.Sprintf("%v: key %q of %v: %v", n, key, owner, a)
				}
				expire := time.Unix(0, a.ExpNs)
				if expire.Before(asked.Add(-20 * time.Millisecond)) {
					t.Errorf("%v: key %q of %v was answered %v after its end", n, key, owner, asked.Sub(expire))
				}
				if !expire.After(end.Add(tolerance)) {
					return fmt.Sprintf("%v: key %q of %v still ends at %v, as first loaded", n, key, owner, expire)
				}
				return ""
			})
		}
		if counts := c.loadsOf(t, key); len(counts) != 1 || counts[owner.name] < 2 {
			t.Errorf("key %q: loads %v, want at least 2 by its owner %v only", key, counts, owner)
		}
	})
}

// notFoundIsFinal: everyone hears the getter's own words, and nobody but the owner loads.
func notFoundIsFinal(t *testing.T, c *Cluster) {
	for _, owner := range c.nodes {
		for _, prefix := range []string{"missing-", "missing- ü/%"} {
			key := c.keyOf(owner, prefix+owner.name+"-")
			for i, n := range c.nodes {
				if a := n.get(key); a.OK || a.Kind != "notfound" || a.Err != "not found: "+key {
					t.Errorf("%v: key %q of %v is %v, want not found", n, key, owner, a)
				}
				c.wantLoads(t, key, int64(i+1)) // a failure is not kept
			}
		}
	}
}

// failureIsFinal: as with not found, but the owner's own caller sees its getter's error, the others a remote one.
func failureIsFinal(t *testing.T, c *Cluster) {
	for _, owner := range c.nodes {
		key := c.keyOf(owner, "fail-"+owner.name+"-")
		for i, n := range c.nodes {
			kind := "remote"
			if n == owner {
				kind = "other"
			}
			if a := n.get(key); a.OK || a.Kind != kind || a.Err != "load failed: "+key {
				t.Errorf("%v: key %q of %v is %v, want a failure of kind %s", n, key, owner, a, kind)
			}
			c.wantLoads(t, key, int64(i+1))
		}
	}
}
