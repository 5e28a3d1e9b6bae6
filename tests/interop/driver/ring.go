package driver

import (
	"crypto/md5"
	"encoding/hex"
	"hash/fnv"
	"sort"
	"strconv"
)

// A ring says which address owns a key, written down a second time from wire.md alone: it picks keys for the tests, and
// every node's own ring is compared with it.
type ring struct {
	points []point
}

type point struct {
	hash    uint64
	address string
}

// newRing places each address on the circle `replicas` times.
func newRing(addresses []string, replicas int) *ring {
	r := &ring{}
	for _, address := range addresses {
		for i := range replicas {
			sum := md5.Sum([]byte(strconv.Itoa(i) + address))
			r.points = append(r.points, point{fnv1([]byte(hex.EncodeToString(sum[:]))), address})
		}
	}
	sort.Slice(r.points, func(i, j int) bool { return r.points[i].hash < r.points[j].hash })
	return r
}

// owner is the address at the first point at or after the key's hash.
func (r *ring) owner(key string) string {
	hash := fnv1([]byte(key))
	i := sort.Search(len(r.points), func(i int) bool { return r.points[i].hash >= hash })
	if i == len(r.points) {
		i = 0
	}
	return r.points[i].address
}

func fnv1(data []byte) uint64 {
	h := fnv.New64()
	_, _ = h.Write(data)
	return h.Sum64()
}
