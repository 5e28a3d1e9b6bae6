package driver

import (
	"io"
	"net"
	"net/http"
	"sync"
)

// A fakePeer plays a groupcache-go member and records what it is asked.
type fakePeer struct {
	address string
	server  *http.Server
	mu      sync.Mutex
	sent    []sentRequest
}

// A sentRequest is one request as it came.
type sentRequest struct {
	method, target, body string
	header               http.Header
}

// startFakePeer listens and answers every GET with the value.
func startFakePeer(address, value string) (*fakePeer, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	p := &fakePeer{address: address}
	p.server = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		p.mu.Lock()
		p.sent = append(p.sent, sentRequest{r.Method, r.RequestURI, string(body), r.Header})
		p.mu.Unlock()
		if r.Method == http.MethodGet {
			w.Header().Set("Content-Type", "application/x-protobuf")
			_, _ = w.Write(getResponse(value, 0))
		}
	})}
	go func() { _ = p.server.Serve(listener) }()
	return p, nil
}

// take hands out what was recorded since the last time.
func (p *fakePeer) take() []sentRequest {
	p.mu.Lock()
	defer p.mu.Unlock()
	sent := p.sent
	p.sent = nil
	return sent
}

func (p *fakePeer) close() { _ = p.server.Close() }
