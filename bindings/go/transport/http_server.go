package transport

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"google.golang.org/protobuf/proto"

	"github.com/cohort-cache/cohort/bindings/go/internal/bridge"
	"github.com/cohort-cache/cohort/bindings/go/transport/pb"
)

// The largest body of a peer's request: as the engine's own server.
const maxBodyBytes = 256 << 20

// handler is what Go's server runs when this transport listens. There is no ServeMux in it, which would redirect the keys
// "." and "..".
func (t *HttpTransport) handler() http.Handler {
	var handler http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, t.opts.BasePath) {
			http.NotFound(w, r)
			return
		}
		t.ServeHTTP(w, r)
	})
	if t.opts.Tracer != nil {
		handler = otelhttp.NewHandler(handler, t.opts.BasePath,
			otelhttp.WithMessageEvents(otelhttp.ReadEvents, otelhttp.WriteEvents),
			otelhttp.WithTracerProvider(t.opts.Tracer.traceProvider))
	}
	return handler
}

// ServeHTTP answers a request of a peer. It panics if no instance is registered, or if the path is not under BasePath.
//
// An instance of this module never forwards such a request. If neither Context nor Tracer is set, the engine answers it;
// else the getter, if it must run, runs on this goroutine and sees their context.
func (t *HttpTransport) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	instance := t.registered()
	if instance == nil {
		panic("groupcache instance is nil; you must register an instance by calling HttpTransport.Register()")
	}
	if !strings.HasPrefix(r.URL.Path, t.opts.BasePath) {
		panic("HttpTransport is asked for a path outside of " + t.opts.BasePath + ": " + r.URL.Path)
	}
	native := nativeOf(instance)
	if native != nil && t.given.Context == nil && t.given.Tracer == nil {
		serveNative(native, w, r)
		return
	}
	ctx := r.Context()
	if t.opts.Context != nil {
		if own := t.opts.Context(r); own != nil {
			ctx = own
		}
	}
	if status, message := t.serve(ctx, instance, native, w, r); status != http.StatusOK {
		http.Error(w, message, status)
		if labeler, ok := otelhttp.LabelerFromContext(r.Context()); ok {
			labeler.Add(attribute.Bool("error", true))
		}
	}
}

// serve answers one plain request. It writes nothing unless it succeeds.
func (t *HttpTransport) serve(ctx context.Context, instance GroupCacheInstance, native bridge.Native,
	w http.ResponseWriter, r *http.Request) (status int, message string) {
	name, key, ok := strings.Cut(r.URL.Path[len(t.opts.BasePath):], "/")
	if !ok {
		return http.StatusBadRequest, "bad request"
	}
	group, ok := instance.GetGroup(name).(served)
	if !ok {
		// Not 404, which would be the getter's word that there is no such key: whoever asks loads for itself.
		return http.StatusInternalServerError, "no such group: " + name
	}
	switch r.Method {
	case http.MethodGet:
		get := func(sink Sink) error { return group.Get(ctx, key, sink) }
		if native != nil {
			get = func(sink Sink) error { return native.GetLocal(ctx, name, key, sink) }
		}
		return serveGet(w, get)
	case http.MethodDelete:
		group.LocalRemove(key)
		return http.StatusOK, ""
	case http.MethodPut:
		return serveSet(r, group)
	case http.MethodPost:
		if !strings.HasPrefix(key, "_remove-keys/") {
			return http.StatusNotFound, "invalid path for POST method"
		}
		return serveRemoveKeys(r, group)
	}
	return http.StatusMethodNotAllowed, "Only GET, DELETE, PUT, POST are supported"
}

func serveGet(w http.ResponseWriter, get func(Sink) error) (status int, message string) {
	var view ByteView
	err := get(ByteViewSink(&view))
	var unanswered *bridge.Unanswered
	switch {
	case err == nil:
	case errors.As(err, &unanswered):
		return http.StatusInternalServerError, err.Error()
	case errors.Is(err, &ErrNotFound{}):
		return http.StatusNotFound, err.Error()
	default:
		return http.StatusServiceUnavailable, err.Error()
	}
	var expire int64
	if !view.Expire().IsZero() {
		expire = view.Expire().UnixNano()
	}
	value := view.b
	if value == nil {
		value = []byte(view.s)
	}
	body, err := proto.Marshal(&pb.GetResponse{Value: value, Expire: &expire})
	if err != nil {
		return http.StatusInternalServerError, err.Error()
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	_, _ = w.Write(body)
	return http.StatusOK, ""
}

func serveSet(r *http.Request, group served) (status int, message string) {
	body, err := readBody(r)
	if err != nil {
		return http.StatusInternalServerError, err.Error()
	}
	var in pb.SetRequest
	if err := proto.Unmarshal(body, &in); err != nil {
		return http.StatusBadRequest, err.Error()
	}
	var expire time.Time
	if ns := in.GetExpire(); ns != 0 {
		expire = time.Unix(0, ns)
	}
	group.RemoteSet(in.GetKey(), in.Value, expire)
	return http.StatusOK, ""
}

func serveRemoveKeys(r *http.Request, group served) (status int, message string) {
	body, err := readBody(r)
	if err != nil {
		return http.StatusInternalServerError, err.Error()
	}
	var in pb.RemoveKeysRequest
	if err := json.Unmarshal(body, &in); err != nil {
		return http.StatusBadRequest, "invalid request: " + err.Error()
	}
	for _, key := range in.Keys {
		group.LocalRemove(key)
	}
	return http.StatusOK, ""
}

// serveNative hands the request to the engine as it came.
func serveNative(native bridge.Native, w http.ResponseWriter, r *http.Request) {
	body, err := readBody(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	var headers strings.Builder
	for name, values := range r.Header {
		for _, value := range values {
			headers.WriteString(name + ": " + value + "\r\n")
		}
	}
	target := r.URL.EscapedPath()
	if r.URL.RawQuery != "" {
		target += "?" + r.URL.RawQuery
	}
	res, err := native.Handle(r.Context(), &bridge.Request{
		Method: r.Method, Target: target, Headers: headers.String(), Body: body,
	})
	if err != nil {
		// Nobody reads this if the peer has gone; if the instance has, the peer loads for itself.
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer res.Free()
	for line := range strings.SplitSeq(res.Headers, "\r\n") {
		if name, value, ok := strings.Cut(line, ":"); ok {
			w.Header().Add(name, strings.TrimSpace(value))
		}
	}
	w.WriteHeader(res.Status)
	_, _ = w.Write(res.Body)
}

var errBodyTooLarge = errors.New("the request's body is too large")

func readBody(r *http.Request) ([]byte, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	defer func() { _ = r.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBodyBytes+1))
	if err == nil && len(body) > maxBodyBytes {
		err = errBodyTooLarge
	}
	return body, err
}
