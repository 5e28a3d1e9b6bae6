package driver

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// vectors reads one of tests/vectors, which hold what a real groupcache-go v3.5.0 did: a JSON object a line.
func vectors[T any](t *testing.T, name string) []T {
	t.Helper()
	file, err := os.Open(filepath.Join("..", "..", "vectors", name))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var all []T
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var one T
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			t.Fatalf("%s, line %d: %v", name, len(all)+1, err)
		}
		all = append(all, one)
	}
	if err := lines.Err(); err != nil || len(all) == 0 {
		t.Fatalf("%s: %d lines, %v", name, len(all), err)
	}
	return all
}

// latin1 turns the vectors' notation, one character for each byte, into bytes.
func latin1(text string) string {
	raw := make([]byte, 0, len(text))
	for _, r := range text {
		raw = append(raw, byte(r))
	}
	return string(raw)
}

// The owners that groupcache-go named for 24 keys in rings of 3 to 17 peers: here, and by every node.
func TestOwnersAreThoseOfTheVectors(t *testing.T) {
	type line struct {
		Keys     []string `json:"first24_keys_hex"`
		Peers    []string
		Replicas int
		Set      string
		Owners   []int `json:"first200"`
	}
	all := vectors[line](t, "ring.jsonl")
	var keys []string
	for _, text := range all[0].Keys {
		key, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, string(key))
	}
	for _, replicas := range []int{50, 200} {
		m := mix(implementations(t))
		c := start(t, m, withFlags("-replicas", map[int]string{50: "50", 200: "200"}[replicas]))
		for _, v := range all[1:] {
			if v.Replicas != replicas {
				continue
			}
			own := newRing(v.Peers, replicas)
			for i, key := range keys {
				if want := v.Peers[v.Owners[i]]; own.owner(key) != want {
					t.Errorf("%s: the driver says that %q belongs to %s, want %s", v.Set, key, own.owner(key), want)
				}
			}
			for _, n := range c.nodes {
				if a := n.setPeers(v.Peers, v.Peers[0]); !a.OK {
					t.Errorf("%v: SetPeers: %v", n, a)
				}
				owners, err := n.owners(keys)
				if err != nil {
					t.Fatal(err)
				}
				for i, key := range keys {
					if want := v.Peers[v.Owners[i]]; owners[i] != want {
						t.Errorf("%s: %v says that %q belongs to %s, want %s", v.Set, n, key, owners[i], want)
					}
				}
			}
		}
	}
}
