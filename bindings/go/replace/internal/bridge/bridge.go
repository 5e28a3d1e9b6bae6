// Package bridge is where the root package and the transport package meet without showing it in their own interfaces:
// each fills in, when it is initialised, what the other needs of it.
package bridge

import (
	"context"
	"net/http"
)

// Native is an Instance of this module, as the HTTP transport sees it.
type Native interface {
	// CanListen reports whether the engine can serve peers: it asks them itself, too.
	CanListen() bool
	// Listen lets the engine serve peers and returns the address that it listens on.
	Listen(address string) (resolved string, err error)
	// StopListening ends that, giving requests under way time until ctx ends.
	StopListening(ctx context.Context) error
	// Handle answers a peer's request, which is never forwarded.
	Handle(ctx context.Context, r *Request) (*Response, error)
	// GetLocal gets for a peer without ever asking another: with the getter on this goroutine if it must load. dest is a
	// transport.Sink. An error that is no getter's word is an *Unanswered.
	GetLocal(ctx context.Context, group, key string, dest any) error
}

// Unanswered is the failure of a get that no getter has answered: whoever asked loads for itself.
type Unanswered struct{ Err error }

func (u *Unanswered) Error() string { return u.Err.Error() }
func (u *Unanswered) Unwrap() error { return u.Err }

// Request is a peer's HTTP request.
type Request struct {
	Method  string
	Target  string // escaped path, and query if there is one
	Headers string // "Name: value\r\n" lines
	Body    []byte
}

// Response answers it. Free releases what Headers and Body point to.
type Response struct {
	Status  int
	Headers string
	Body    []byte
	Free    func()
}

// HTTP is an HttpTransport, as the root package sees it.
type HTTP struct {
	// Plain: the engine's own client can ask the peers, nothing is set that only Go's client can do.
	Plain bool
	// Calls: each get must be one call of the peer's client, because it is traced.
	Calls    bool
	BasePath string
	Scheme   string
	Client   *http.Client
}

var (
	// NativeOf returns nil for what is not an Instance of this module. Set by the root package.
	NativeOf func(instance any) Native
	// HTTPOf returns nil for what is not an HttpTransport. Set by the transport package.
	HTTPOf func(transport any) *HTTP
	// Deliver sets a value that the sink must copy, because it lies in memory that is used again. False: not one of the
	// transport package's sinks. Set by the transport package.
	Deliver func(sink any, value []byte, expireUnixNs int64) (ok bool, err error)
)
