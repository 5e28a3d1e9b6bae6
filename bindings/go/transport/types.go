package transport

import (
	"context"
	"net/http"
	"time"

	"github.com/cohort-cache/cohort/bindings/go/transport/peer"
)

// Group is a group as a transport sees it.
type Group interface {
	Set(context.Context, string, []byte, time.Time, bool) error
	Get(context.Context, string, Sink) error
	Remove(context.Context, string) error
	UsedBytes() (int64, int64)
	Name() string
	RemoveKeys(ctx context.Context, keys ...string) error
}

// GroupCacheInstance is what a transport serves: usually a *groupcache.Instance.
type GroupCacheInstance interface {
	GetGroup(string) Group
}

// Logger takes messages and pairs of names and values, as slog does.
type Logger interface {
	Info(msg string, args ...any)
	Error(msg string, args ...any)
}

// Transport carries requests between peers. HttpTransport is the one that other nodes speak; a program may bring its own.
//
// Each get of a key that a peer owns becomes exactly one call of the peer's client, on a goroutine of its own. A transport
// that can carry whole HTTP requests should be a RawTransport as well.
type Transport interface {
	// New returns an unregistered transport with the same settings, for another instance.
	New() Transport

	// Register tells the transport which instance it serves. groupcache.New calls it.
	Register(instance GroupCacheInstance)

	// NewClient returns a client for one peer. Instance.SetPeers calls it for every peer but this node itself.
	NewClient(ctx context.Context, peer peer.Info) (peer.Client, error)

	// ListenAndServe starts to serve peers and returns when they can connect.
	ListenAndServe(ctx context.Context, address string) error

	// Shutdown ends what ListenAndServe started.
	Shutdown(ctx context.Context) error

	// ListenAddress is the resolved address that is listened on.
	ListenAddress() string
}

// RawTransport is a Transport that carries HTTP requests as they are. Nodes of Cohort can then do with each other what
// groupcache-go's calls cannot express: many keys in one request, and Removes that hold after lost messages.
//
// On the other side, hand what arrives to the ServeHTTP of an HttpTransport on which the instance is registered.
type RawTransport interface {
	Transport

	// RoundTrip sends r, whose URL holds the peer's address and the escaped path under DefaultBasePath, and returns the
	// answer. The context of r ends when nobody waits any more.
	RoundTrip(peer peer.Info, r *http.Request) (*http.Response, error)
}

// served is what an instance's group offers for requests of peers, beside Get.
type served interface {
	Get(ctx context.Context, key string, dest Sink) error
	RemoteSet(key string, value []byte, expire time.Time)
	LocalRemove(key string)
}
