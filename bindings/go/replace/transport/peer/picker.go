// Package peer knows who the peers are and which of them owns a key.
package peer

import (
	"cmp"
	"crypto/md5"
	"encoding/hex"
	"slices"
	"sort"
	"strconv"

	"github.com/segmentio/fasthash/fnv1"
)

// DefaultReplicas is the number of points on the ring for each peer, unless Options say otherwise. More points spread the
// keys more evenly. Every node of a cluster must use the same number.
const DefaultReplicas = 50

// Info is one peer of a cluster.
type Info struct {
	// Address is the peer's host:port, the same string on every node.
	Address string
	// IsSelf marks this node itself.
	IsSelf bool
}

// HashFn hashes points and keys to places on the ring.
type HashFn func(data []byte) uint64

// Options are how a Picker picks. Every node of a cluster must use the same.
type Options struct {
	// HashFn defaults to fnv1.HashBytes64.
	HashFn HashFn
	// Replicas defaults to DefaultReplicas.
	Replicas int
}

// Picker is a ring of consistent hashing: each peer has as many points on it as Replicas says, and a key belongs to the
// peer with the first point at or after the key's place. Adding is not safe for use by several goroutines, all else is.
type Picker struct {
	opts    Options
	points  []point
	clients map[string]Client
}

type point struct {
	place  int // compared signed, as groupcache-go does
	client Client
}

// NewPicker returns a Picker without peers.
func NewPicker(opts Options) *Picker {
	if opts.HashFn == nil {
		opts.HashFn = fnv1.HashBytes64
	}
	if opts.Replicas == 0 {
		opts.Replicas = DefaultReplicas
	}
	return &Picker{opts: opts, clients: make(map[string]Client)}
}

// PickPeer returns the client of the key's owner, and whether the owner is another node. Without peers it returns nil and
// false.
func (p *Picker) PickPeer(key string) (client Client, isRemote bool) {
	owner := p.Get(key)
	if owner == nil {
		return nil, false
	}
	return owner, !owner.PeerInfo().IsSelf
}

// GetAll returns every client.
func (p *Picker) GetAll() []Client {
	var all []Client
	for _, c := range p.clients {
		all = append(all, c)
	}
	return all
}

// IsEmpty reports whether there are no peers.
func (p *Picker) IsEmpty() bool { return len(p.points) == 0 }

// Add adds a peer. Its points are merged into those that are there, which are in order already: a thousand peers take
// milliseconds.
func (p *Picker) Add(client Client) {
	name := client.HashKey()
	p.clients[name] = client
	added := make([]point, p.opts.Replicas)
	for i := range added {
		sum := md5.Sum([]byte(strconv.Itoa(i) + name))
		place := p.opts.HashFn([]byte(hex.EncodeToString(sum[:])))
		added[i] = point{int(place), client}
	}
	slices.SortFunc(added, func(a, b point) int { return cmp.Compare(a.place, b.place) })
	// From the end, so that nothing is overwritten before it has moved. In one place, who was added first stays first.
	old := len(p.points)
	p.points = append(p.points, added...)
	for end := len(p.points); len(added) > 0; {
		last := added[len(added)-1]
		before := sort.Search(old, func(i int) bool { return p.points[i].place > last.place })
		copy(p.points[end-(old-before):end], p.points[before:old])
		end -= old - before + 1
		p.points[end] = last
		old, added = before, added[:len(added)-1]
	}
}

// Get returns the client of the key's owner, or nil without peers.
func (p *Picker) Get(key string) Client {
	if p.IsEmpty() {
		return nil
	}
	place := int(p.opts.HashFn([]byte(key)))
	i := sort.Search(len(p.points), func(i int) bool { return p.points[i].place >= place })
	return p.points[i%len(p.points)].client
}
