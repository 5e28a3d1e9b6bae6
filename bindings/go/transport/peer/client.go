package peer

import (
	"context"

	"github.com/cohort-cache/cohort/bindings/go/transport/pb"
)

// Client asks one peer. Every transport brings its own.
type Client interface {
	Get(context context.Context, in *pb.GetRequest, out *pb.GetResponse) error
	Remove(context context.Context, in *pb.GetRequest) error
	Set(context context.Context, in *pb.SetRequest) error
	RemoveKeys(context context.Context, in *pb.RemoveKeysRequest) error
	PeerInfo() Info
	// HashKey is what the peer's points on the ring are made of: its address.
	HashKey() string
}

// NoOpClient stands for this node itself among the clients of a Picker. It does nothing.
type NoOpClient struct {
	Info Info
}

func (e *NoOpClient) Get(context context.Context, in *pb.GetRequest, out *pb.GetResponse) error {
	return nil
}

func (e *NoOpClient) Remove(context context.Context, in *pb.GetRequest) error { return nil }

func (e *NoOpClient) Set(context context.Context, in *pb.SetRequest) error { return nil }

func (e *NoOpClient) RemoveKeys(context context.Context, in *pb.RemoveKeysRequest) error { return nil }

func (e *NoOpClient) PeerInfo() Info { return e.Info }

func (e *NoOpClient) HashKey() string { return e.Info.Address }
