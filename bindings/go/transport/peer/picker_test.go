package peer

import (
	"cmp"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"testing"
)

// What Add merges is what sorting all points gives, in whatever order the peers come and where points share a place.
func TestPicker_AddingMergesWhatSortingSorts(t *testing.T) {
	few := func(data []byte) uint64 { // so few places that many points share one, on both sides of zero
		sum := md5.Sum(data)
		return uint64(int64(sum[0]) - 128)
	}
	for _, hash := range []HashFn{nil, few} {
		p := NewPicker(Options{HashFn: hash, Replicas: 7})
		type placed struct {
			place   int
			address string
		}
		var all []placed
		for i := range 40 {
			address := fmt.Sprintf("10.0.0.%d:8080", i*29%40)
			p.Add(&NoOpClient{Info: Info{Address: address}})
			for i := range 7 {
				sum := md5.Sum([]byte(strconv.Itoa(i) + address))
				all = append(all, placed{int(p.opts.HashFn([]byte(hex.EncodeToString(sum[:])))), address})
			}
			slices.SortStableFunc(all, func(a, b placed) int { return cmp.Compare(a.place, b.place) })
			var merged []placed
			for _, point := range p.points {
				merged = append(merged, placed{point.place, point.client.PeerInfo().Address})
			}
			if !slices.Equal(merged, all) {
				t.Fatalf("after %d peers the points are %v, sorted they are %v", i+1, merged, all)
			}
		}
	}
}
