// Package transport holds what instances reach each other with, and the sinks and views that values travel in.
package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"

	"github.com/groupcache/groupcache-go/v3/internal/bridge"
	"github.com/groupcache/groupcache-go/v3/transport/peer"
)

// DefaultBasePath is the path under which peers are served and asked.
const DefaultBasePath = "/_groupcache/"

// HttpTransportOptions are the settings of an HttpTransport.
//
// Without Client, TLSConfig, Tracer and Context the engine's own HTTP client and server are used. Each of these four needs
// Go's, which then carry the same requests.
type HttpTransportOptions struct {
	// Context (optional) makes the context that getters see when a peer asks; default: the request's. As groupcache-go's,
	// each request then carries one key.
	Context func(*http.Request) context.Context

	// Client (optional) asks the peers; default: http.DefaultClient.
	Client *http.Client

	// Scheme (optional) is http or https; default http, and https when TLSConfig is set.
	Scheme string

	// BasePath (optional) is the path under which peers are served and asked; default DefaultBasePath. It begins and ends
	// with a slash.
	BasePath string

	// Logger (optional); default slog.Default().
	Logger Logger

	// TLSConfig (optional) serves peers with TLS. Client must then trust what it shows.
	TLSConfig *tls.Config

	// Tracer (optional) records OpenTelemetry spans. As groupcache-go's, each request then carries one key.
	Tracer *Tracer
}

// HttpTransport speaks HTTP with Cohort and with groupcache-go nodes. It is an http.Handler as well, for programs that
// serve peers on their own port.
type HttpTransport struct {
	given  HttpTransportOptions // as the program set them
	opts   HttpTransportOptions // with defaults
	client *http.Client

	mu       sync.Mutex
	instance GroupCacheInstance
	address  string
	stop     func(ctx context.Context) error // nil: not listening
}

// Transports that listen. They, and the instances behind them, live as long as they do.
var listening sync.Map

// NewHttpTransport returns a transport. Give it to groupcache.New in Options.Transport.
func NewHttpTransport(opts HttpTransportOptions) *HttpTransport {
	t := &HttpTransport{given: opts, opts: opts}
	if t.opts.BasePath == "" {
		t.opts.BasePath = DefaultBasePath
	}
	if t.opts.Scheme == "" {
		t.opts.Scheme = "http"
	}
	if t.opts.TLSConfig != nil {
		t.opts.Scheme = "https"
	}
	if t.opts.Logger == nil {
		t.opts.Logger = slog.Default()
	}
	t.client = t.opts.Client
	if t.client == nil {
		t.client = http.DefaultClient
	}
	if t.opts.Tracer != nil {
		traced := *t.client // the program's own client stays as it is
		if traced.Transport == nil {
			traced.Transport = http.DefaultTransport
		}
		traced.Transport = otelhttp.NewTransport(traced.Transport)
		t.client = &traced
	}
	return t
}

func init() {
	bridge.HTTPOf = func(transport any) *bridge.HTTP {
		t, ok := transport.(*HttpTransport)
		if !ok {
			return nil
		}
		return &bridge.HTTP{
			Plain:    t.plain(),
			Calls:    t.given.Tracer != nil,
			BasePath: t.opts.BasePath,
			Scheme:   t.opts.Scheme,
			Client:   t.client,
		}
	}
}

// plain reports whether the engine's own HTTP will do.
func (t *HttpTransport) plain() bool {
	g := &t.given
	return g.Client == nil && g.TLSConfig == nil && g.Tracer == nil && g.Context == nil && t.opts.Scheme == "http"
}

// New returns an unregistered transport with the same options.
func (t *HttpTransport) New() Transport { return NewHttpTransport(t.given) }

// Register sets the instance that is served.
func (t *HttpTransport) Register(instance GroupCacheInstance) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.instance = instance
}

func (t *HttpTransport) registered() GroupCacheInstance {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.instance
}

// ListenAndServe serves peers at address; port 0 picks a free one. It returns when they can connect.
func (t *HttpTransport) ListenAndServe(ctx context.Context, address string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stop != nil {
		return fmt.Errorf("cannot listen on %s: already listening on %s", address, t.address)
	}
	native := nativeOf(t.instance)
	if native != nil && t.plain() && native.CanListen() {
		resolved, err := native.Listen(address)
		if err != nil {
			return fmt.Errorf("while starting HTTP listener: %w", err)
		}
		t.address, t.stop = resolved, native.StopListening
	} else if err := t.listen(ctx, address); err != nil {
		return err
	}
	listening.Store(t, nil)
	return nil
}

// listen serves with Go's HTTP server. Connections are accepted as soon as the listener exists.
func (t *HttpTransport) listen(ctx context.Context, address string) error {
	var config net.ListenConfig
	if ctx == nil {
		ctx = context.Background()
	}
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("while starting HTTP listener: %w", err)
	}
	t.address = listener.Addr().String()
	if t.opts.TLSConfig != nil {
		listener = tls.NewListener(listener, t.opts.TLSConfig)
	}
	t.opts.Logger.Info("serving peers", "address", t.address, "path", t.opts.BasePath)
	server := &http.Server{Handler: t.handler()}
	ended := make(chan struct{})
	logger := t.opts.Logger
	go func() {
		defer close(ended)
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			logger.Error("the HTTP server for peers ended", "err", err)
		}
	}()
	t.stop = func(ctx context.Context) error {
		if err := server.Shutdown(ctx); err != nil {
			return err
		}
		<-ended
		return nil
	}
	return nil
}

// Shutdown stops listening and lets requests under way end until ctx does. ListenAndServe may follow.
func (t *HttpTransport) Shutdown(ctx context.Context) error {
	t.mu.Lock()
	stop := t.stop
	t.stop = nil
	t.mu.Unlock()
	if stop == nil {
		return nil
	}
	listening.Delete(t)
	if ctx == nil {
		ctx = context.Background()
	}
	return stop(ctx)
}

// ListenAddress returns the resolved address that was listened on last; empty if none was.
func (t *HttpTransport) ListenAddress() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.address
}

// NewClient returns an *HttpClient for a peer.
func (t *HttpTransport) NewClient(_ context.Context, p peer.Info) (peer.Client, error) {
	return &HttpClient{
		info:     p,
		endpoint: t.opts.Scheme + "://" + p.Address + t.opts.BasePath,
		client:   t.client,
		tracer:   t.opts.Tracer,
	}, nil
}

func nativeOf(instance GroupCacheInstance) bridge.Native {
	if instance == nil || bridge.NativeOf == nil {
		return nil
	}
	return bridge.NativeOf(instance)
}
