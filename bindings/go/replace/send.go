package groupcache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
	"weak"

	"github.com/groupcache/groupcache-go/v3/internal/bridge"
	"github.com/groupcache/groupcache-go/v3/internal/core"
	"github.com/groupcache/groupcache-go/v3/transport"
	"github.com/groupcache/groupcache-go/v3/transport/pb"
	"github.com/groupcache/groupcache-go/v3/transport/peer"
)

// sender carries the engine's requests to peers through a transport written in Go: as calls of each peer's client, or as
// whole HTTP requests if the transport can carry those. Each request has a goroutine of its own.
type sender struct {
	transport transport.Transport
	raw       func(to peer.Info, r *http.Request) (*http.Response, error) // nil: calls
	scheme    string
	log       Logger

	callers *callers

	mu      sync.Mutex
	clients map[string]peer.Client
}

func newSender(t transport.Transport, h *bridge.HTTP, log Logger, callers *callers) *sender {
	s := &sender{transport: t, scheme: "http", log: log, callers: callers, clients: make(map[string]peer.Client)}
	if raw, ok := t.(transport.RawTransport); ok {
		s.raw = raw.RoundTrip
	} else if h != nil && !h.Calls {
		client := h.Client
		s.scheme = h.Scheme
		s.raw = func(_ peer.Info, r *http.Request) (*http.Response, error) { return client.Do(r) }
	}
	return s
}

func (s *sender) mode() int {
	if s.raw != nil {
		return core.COHORT_SEND_RAW
	}
	return core.COHORT_SEND_CALLS
}

// add adds clients before the engine asks for them; keep forgets the others after it has stopped to.
func (s *sender) add(clients map[string]peer.Client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for address, client := range clients {
		s.clients[address] = client
	}
}

func (s *sender) keep(clients map[string]peer.Client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients = clients
}

// client returns the client of a peer, a new one if the peer has just left.
func (s *sender) client(ctx context.Context, address string) (peer.Client, error) {
	s.mu.Lock()
	client := s.clients[address]
	s.mu.Unlock()
	if client != nil {
		return client, nil
	}
	return s.transport.NewClient(ctx, peer.Info{Address: address})
}

// sendFor starts to send a request of the engine. Runs on the reader.
func sendFor(instance weak.Pointer[Instance], request uintptr) {
	i := instance.Value()
	if i == nil {
		go core.Cohort_request_free(request)
		return
	}
	go i.sender.send(request)
}

func (s *sender) send(request uintptr) {
	var view core.RequestView
	core.Cohort_request_view(request, &view)
	answered := false
	defer func() {
		if answered {
			return
		}
		err := errors.New("the transport ended its goroutine")
		if r := recover(); r != nil {
			err = fmt.Errorf("the transport panicked: %v", r)
			if s.log != nil {
				s.log.Error("a transport panicked", "panic", r)
			}
		}
		core.FailRequest(request, core.COHORT_UNREACHABLE, err)
	}()
	var asks *caller
	if view.Op != core.COHORT_REQUEST_RAW {
		asks = s.callers.first(operation{int(view.Op), core.String(view.Group, view.GroupSize), core.String(view.Key, view.KeySize)})
	}
	ctx, end := requestContext(request, &view, asks)
	defer end()
	if view.Op == core.COHORT_REQUEST_RAW {
		status, headers, body, err := s.roundTrip(ctx, &view)
		answered = true
		core.Fence()
		if err != nil {
			core.FailRequest(request, core.COHORT_UNREACHABLE, err)
		} else {
			core.Cohort_request_reply_raw(request, status, headers, body)
		}
		return
	}
	out, err := s.call(ctx, &view)
	answered = true
	core.Fence()
	if err == nil {
		core.Cohort_request_reply(request, out.Value, out.GetExpire())
		return
	}
	asks.fail(err)
	core.FailRequest(request, statusOf(err), err)
}

// statusOf tells whether an error of a peer's client is the owner's last word, or means that the peer was not reached.
func statusOf(err error) int {
	switch {
	case errors.Is(err, &transport.ErrNotFound{}):
		return core.COHORT_NOT_FOUND
	case errors.Is(err, &transport.ErrRemoteCall{}), errors.Is(err, context.Canceled):
		return core.COHORT_REMOTE_FAILED
	}
	return core.COHORT_UNREACHABLE
}

// requestContext has the values of the first caller, and ends when nobody waits for the answer any more.
func requestContext(request uintptr, view *core.RequestView, asks *caller) (ctx context.Context, end func()) {
	ctx = context.Background()
	if caller := asks.context(); caller != nil {
		ctx = context.WithoutCancel(caller)
	}
	ctx, cancel := context.WithCancel(ctx)
	free := cancel
	if left := time.Duration(view.TimeLeftMs) * time.Millisecond; left > 0 && left < noDeadline {
		ctx, free = context.WithTimeout(ctx, left)
	}
	watch := core.Cancels.Add(func(int32) { cancel() })
	core.Fence()
	core.Cohort_request_watch(request, core.Queue(), watch, 0)
	return ctx, func() {
		core.Cancels.Take(watch)
		free()
		cancel()
	}
}

// call makes the one call of the peer's client that a request stands for.
func (s *sender) call(ctx context.Context, view *core.RequestView) (*pb.GetResponse, error) {
	client, err := s.client(ctx, core.String(view.Peer, view.PeerSize))
	if err != nil {
		return nil, err
	}
	group, key := core.String(view.Group, view.GroupSize), core.String(view.Key, view.KeySize)
	out := &pb.GetResponse{}
	switch view.Op {
	case core.COHORT_REQUEST_GET:
		return out, client.Get(ctx, &pb.GetRequest{Group: &group, Key: &key}, out)
	case core.COHORT_REQUEST_SET:
		value := append([]byte{}, core.Bytes(view.Value, view.ValueSize)...)
		return out, client.Set(ctx, &pb.SetRequest{Group: &group, Key: &key, Value: value, Expire: &view.ExpireUnixNs})
	case core.COHORT_REQUEST_REMOVE:
		return out, client.Remove(ctx, &pb.GetRequest{Group: &group, Key: &key})
	case core.COHORT_REQUEST_REMOVE_KEYS:
		var keys []string
		for _, size := range core.Int64s(view.KeySizes, view.KeyCount) {
			keys = append(keys, key[:size])
			key = key[size:]
		}
		return out, removeKeys(ctx, client, group, keys)
	}
	return nil, fmt.Errorf("unknown request %d", view.Op)
}

// removeKeys removes many keys in one call. What is not UTF-8 would be mangled on the way, by JSON over groupcache-go's
// HTTP: such keys go one by one.
func removeKeys(ctx context.Context, client peer.Client, group string, keys []string) error {
	in := &pb.RemoveKeysRequest{Group: &group}
	several := &MultiError{}
	for _, key := range keys {
		if utf8.ValidString(key) {
			in.Keys = append(in.Keys, key)
		} else {
			several.Add(client.Remove(ctx, &pb.GetRequest{Group: &group, Key: &key}))
		}
	}
	if len(in.Keys) > 0 {
		several.Add(client.RemoveKeys(ctx, in))
	}
	if len(several.errors) == 1 {
		return several.errors[0]
	}
	return several.NilOrError()
}

// The largest answer of a peer: as the engine's own client.
const maxAnswerBytes = 256 << 20

// roundTrip sends a whole HTTP request.
func (s *sender) roundTrip(ctx context.Context, view *core.RequestView) (status int, headers string, body []byte, err error) {
	to := peer.Info{Address: core.String(view.Peer, view.PeerSize)}
	url := s.scheme + "://" + to.Address + core.String(view.Target, view.TargetSize)
	var content io.Reader
	if view.ValueSize > 0 {
		content = bytes.NewReader(append([]byte{}, core.Bytes(view.Value, view.ValueSize)...))
	}
	r, err := http.NewRequestWithContext(ctx, core.String(view.Method, view.MethodSize), url, content)
	if err != nil {
		return 0, "", nil, err
	}
	for line := range strings.SplitSeq(core.String(view.Headers, view.HeadersSize), "\r\n") {
		if name, value, ok := strings.Cut(line, ":"); ok {
			r.Header.Add(name, strings.TrimSpace(value))
		}
	}
	if r.Method == http.MethodPost || r.Method == http.MethodDelete {
		// As with the engine's own client, whatever is no PUT may be sent again, on a new connection, when the peer had closed
		// the old one. So marked Go's client does that; a header without a value is not sent.
		r.Header["Idempotency-Key"] = nil
	}
	res, err := s.raw(to, r)
	if err != nil {
		return 0, "", nil, err
	}
	defer func() { _ = res.Body.Close() }()
	if body, err = io.ReadAll(io.LimitReader(res.Body, maxAnswerBytes+1)); err != nil {
		return 0, "", nil, err
	}
	if len(body) > maxAnswerBytes {
		return 0, "", nil, fmt.Errorf("peer %s answered more than %d bytes", to.Address, maxAnswerBytes)
	}
	var lines strings.Builder
	for name, values := range res.Header {
		for _, value := range values {
			lines.WriteString(name + ": " + value + "\r\n")
		}
	}
	return res.StatusCode, lines.String(), body, nil
}
