package transport

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/groupcache/groupcache-go/v3/transport/pb"
	"github.com/groupcache/groupcache-go/v3/transport/peer"
)

// MockTransport joins instances of one process for tests, and counts the calls between them. Give each instance the New()
// of one MockTransport, and ask that one for the counts.
type MockTransport struct {
	network  *mockNetwork
	instance GroupCacheInstance
	address  string
}

// mockNetwork is what a MockTransport shares with those made by its New.
type mockNetwork struct {
	mu        sync.Mutex
	instances map[string]GroupCacheInstance
	calls     map[string]map[string]int // method, address of the peer
}

// NewMockTransport returns a network with one transport.
func NewMockTransport() *MockTransport {
	return &MockTransport{network: &mockNetwork{
		instances: make(map[string]GroupCacheInstance),
		calls:     make(map[string]map[string]int),
	}}
}

// Register tells which instance is reached at this transport's address.
func (t *MockTransport) Register(i GroupCacheInstance) { t.instance = i }

// New returns another transport of the same network.
func (t *MockTransport) New() Transport { return &MockTransport{network: t.network} }

// ListenAddress returns the address given to ListenAndServe.
func (t *MockTransport) ListenAddress() string { return t.address }

// ListenAndServe makes the instance reachable.
func (t *MockTransport) ListenAndServe(_ context.Context, address string) error {
	t.network.mu.Lock()
	defer t.network.mu.Unlock()
	t.network.instances[address] = t.instance
	t.address = address
	return nil
}

// Shutdown makes the instance unreachable.
func (t *MockTransport) Shutdown(_ context.Context) error {
	t.network.mu.Lock()
	defer t.network.mu.Unlock()
	delete(t.network.instances, t.address)
	return nil
}

// Reset sets the counts to zero.
func (t *MockTransport) Reset() {
	t.network.mu.Lock()
	defer t.network.mu.Unlock()
	clear(t.network.calls)
}

// Report lists how often method was called on each peer, as "address = count address = count".
func (t *MockTransport) Report(method string) string {
	t.network.mu.Lock()
	defer t.network.mu.Unlock()
	var parts []string
	for address, count := range t.network.calls[method] {
		parts = append(parts, fmt.Sprintf("%s = %d", address, count))
	}
	slices.Sort(parts)
	return strings.Join(parts, " ")
}

// NewClient returns a *MockClient.
func (t *MockTransport) NewClient(ctx context.Context, peer peer.Info) (peer.Client, error) {
	return &MockClient{network: t.network, peer: peer}, nil
}

// MockClient asks an instance of the same process. It counts every call; only Get does more.
type MockClient struct {
	network *mockNetwork
	peer    peer.Info
}

// count adds to the calls of a method.
func (c *MockClient) count(method string, n int) {
	c.network.mu.Lock()
	defer c.network.mu.Unlock()
	if c.network.calls[method] == nil {
		c.network.calls[method] = make(map[string]int)
	}
	c.network.calls[method][c.peer.Address] += n
}

// Get gets from the peer's group of that name.
func (c *MockClient) Get(ctx context.Context, in *pb.GetRequest, out *pb.GetResponse) error {
	c.network.mu.Lock()
	instance, ok := c.network.instances[c.peer.Address]
	c.network.mu.Unlock()
	if !ok {
		return fmt.Errorf("dial tcp %s: connect: connection refused", c.peer.Address)
	}
	c.count("Get", 1)
	group := instance.GetGroup(in.GetGroup())
	if group == nil {
		return fmt.Errorf("peer %s has no group %q", c.peer.Address, in.GetGroup())
	}
	var value []byte
	sink := AllocatingByteSliceSink(&value)
	if err := group.Get(ctx, in.GetKey(), sink); err != nil {
		return err
	}
	view, err := sink.View()
	if err != nil {
		return err
	}
	out.Value = value
	if !view.Expire().IsZero() {
		expire := view.Expire().UnixNano()
		out.Expire = &expire
	}
	return nil
}

func (c *MockClient) Remove(ctx context.Context, in *pb.GetRequest) error {
	c.count("Remove", 1)
	return nil
}

func (c *MockClient) Set(ctx context.Context, in *pb.SetRequest) error {
	c.count("Set", 1)
	return nil
}

func (c *MockClient) RemoveKeys(ctx context.Context, in *pb.RemoveKeysRequest) error {
	c.count("RemoveKeys", len(in.Keys))
	return nil
}

func (c *MockClient) PeerInfo() peer.Info {
	c.count("PeerInfo", 1)
	return c.peer
}

func (c *MockClient) HashKey() string {
	c.count("HashKey", 1)
	return c.peer.Address
}
