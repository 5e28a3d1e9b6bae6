package transport

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/cohort-cache/cohort/bindings/go/transport/pb"
	"github.com/cohort-cache/cohort/bindings/go/transport/peer"
)

// The most that is read of an answer that tells of an error.
const maxErrorBytes = 1 << 20

// HttpClient asks one peer with Go's HTTP client, one request for each call.
type HttpClient struct {
	info     peer.Info
	endpoint string // scheme, address and base path
	client   *http.Client
	tracer   *Tracer
}

// PeerInfo returns who is asked.
func (h *HttpClient) PeerInfo() peer.Info { return h.info }

// HashKey returns the peer's address.
func (h *HttpClient) HashKey() string { return h.info.Address }

// Get gets a key. An error that is an ErrNotFound or ErrRemoteCall is the owner's last word.
func (h *HttpClient) Get(ctx context.Context, in *pb.GetRequest, out *pb.GetResponse) error {
	return h.tracer.traced(ctx, "GroupCache.Get", func(ctx context.Context) error {
		status, body, err := h.do(ctx, http.MethodGet, h.path(in.GetGroup(), in.GetKey()), nil)
		if err != nil {
			return err
		}
		switch status {
		case http.StatusOK:
			if err := proto.Unmarshal(body, out); err != nil {
				return fmt.Errorf("peer %s sent a GetResponse that cannot be read: %w", h.info.Address, err)
			}
			return nil
		case http.StatusNotFound:
			return &ErrNotFound{Msg: strings.Trim(string(body), "\n")}
		case http.StatusServiceUnavailable:
			return &ErrRemoteCall{Msg: strings.Trim(string(body), "\n")}
		}
		return h.refused(status, body)
	})
}

// Set stores a value on the peer.
func (h *HttpClient) Set(ctx context.Context, in *pb.SetRequest) error {
	return h.tracer.traced(ctx, "GroupCache.Set", func(ctx context.Context) error {
		body, err := proto.Marshal(in)
		if err != nil {
			return fmt.Errorf("cannot encode the SetRequest: %w", err)
		}
		return h.order(ctx, http.MethodPut, h.path(in.GetGroup(), in.GetKey()), body)
	})
}

// Remove drops a key on the peer.
func (h *HttpClient) Remove(ctx context.Context, in *pb.GetRequest) error {
	return h.tracer.traced(ctx, "GroupCache.Remove", func(ctx context.Context) error {
		return h.order(ctx, http.MethodDelete, h.path(in.GetGroup(), in.GetKey()), nil)
	})
}

// RemoveKeys drops keys on the peer. They travel as JSON, so they must be UTF-8.
func (h *HttpClient) RemoveKeys(ctx context.Context, in *pb.RemoveKeysRequest) error {
	return h.tracer.traced(ctx, "GroupCache.RemoveKeys", func(ctx context.Context) error {
		body, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("cannot encode the RemoveKeysRequest: %w", err)
		}
		return h.order(ctx, http.MethodPost, h.endpoint+escape(in.GetGroup())+"/_remove-keys/", body)
	})
}

func (h *HttpClient) path(group, key string) string {
	return h.endpoint + escape(group) + "/" + escape(key)
}

// escape is url.PathEscape, but for the two segments that a server would take for steps in a path.
func escape(segment string) string {
	switch segment {
	case ".":
		return "%2E"
	case "..":
		return "%2E%2E"
	}
	return url.PathEscape(segment)
}

// order sends a request that is answered with nothing but success.
func (h *HttpClient) order(ctx context.Context, method, url string, body []byte) error {
	status, answer, err := h.do(ctx, method, url, body)
	if err == nil && status != http.StatusOK {
		err = h.refused(status, answer)
	}
	return err
}

func (h *HttpClient) refused(status int, body []byte) error {
	return fmt.Errorf("peer %s answered %d %s: %s", h.info.Address, status, http.StatusText(status),
		strings.TrimSpace(string(body)))
}

func (h *HttpClient) do(ctx context.Context, method, url string, body []byte) (status int, answer []byte, err error) {
	if ctx == nil {
		ctx = context.Background()
	}
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body)
	}
	r, err := http.NewRequestWithContext(ctx, method, url, reader)
	if err != nil {
		return 0, nil, err
	}
	res, err := h.client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = res.Body.Close() }()
	from := io.Reader(res.Body)
	if res.StatusCode != http.StatusOK {
		from = io.LimitReader(from, maxErrorBytes)
	}
	if answer, err = io.ReadAll(from); err != nil {
		return 0, nil, fmt.Errorf("peer %s broke off its answer: %w", h.info.Address, err)
	}
	return res.StatusCode, answer, nil
}
