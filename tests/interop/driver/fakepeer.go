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

// startFakePeer listens and answers every GET as told, and everything else with an empty 200.
func startFakePeer(address string, answer http.HandlerFunc) (*fakePeer, error) {
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
			answer(w, r)
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

// withValue answers as a groupcache-go member that has the value.
func withValue(value string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-protobuf")
		_, _ = w.Write(getResponse(value, 0))
	}
}

// withStatus answers as groupcache-go does when there is no value.
func withStatus(status int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, text, status) }
}
