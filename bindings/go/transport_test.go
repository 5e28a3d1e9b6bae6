package groupcache_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	groupcache "github.com/cohort-cache/cohort/bindings/go"
	"github.com/cohort-cache/cohort/bindings/go/transport"
	"github.com/cohort-cache/cohort/bindings/go/transport/pb"
	"github.com/cohort-cache/cohort/bindings/go/transport/peer"
)

func plainHTTP() transport.Transport {
	return transport.NewHttpTransport(transport.HttpTransportOptions{Logger: quiet})
}

// ownClient makes HTTP transports that ask with a client of the program's own, and counts its requests.
func ownClient(requests *atomic.Int64) func() transport.Transport {
	return func() transport.Transport {
		return transport.NewHttpTransport(transport.HttpTransportOptions{
			Logger: quiet,
			Client: &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
				requests.Add(1)
				return http.DefaultTransport.RoundTrip(r)
			})},
		})
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func withContext() transport.Transport {
	return transport.NewHttpTransport(transport.HttpTransportOptions{
		Logger: quiet,
		Context: func(r *http.Request) context.Context {
			return context.WithValue(r.Context(), contextKey{}, "from the server")
		},
	})
}

// Every way to reach a peer must give the same answers.
func TestNodesReachEachOther(t *testing.T) {
	var requests atomic.Int64
	mixed := []func() transport.Transport{plainHTTP, ownClient(&requests), withContext}
	next := 0
	certificate, roots := selfSigned(t)
	for _, c := range []struct {
		name string
		make func() transport.Transport
	}{
		{"the engine's HTTP", plainHTTP},
		{"an HTTP client of the program's own", ownClient(&requests)},
		{"a server's context", withContext},
		{"a tracer", func() transport.Transport {
			return transport.NewHttpTransport(transport.HttpTransportOptions{Logger: quiet, Tracer: transport.NewTracer()})
		}},
		{"TLS", func() transport.Transport {
			return transport.NewHttpTransport(transport.HttpTransportOptions{
				Logger:    quiet,
				TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}},
				Client:    &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}},
			})
		}},
		{"a raw transport", newRawNetwork()},
		{"each node another way", func() transport.Transport {
			next++
			return mixed[next%len(mixed)]()
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var loads atomic.Int64
			nodes := startNodesWith(t, 3, c.make, groupcache.Options{}, func(i int) groupcache.GetterFunc {
				return func(_ context.Context, key string, dest transport.Sink) error {
					loads.Add(1)
					if strings.Contains(key, "missing") {
						return &transport.ErrNotFound{Msg: "no such key"}
					}
					if strings.Contains(key, "broken") {
						return errors.New("broken getter")
					}
					return dest.SetString(fmt.Sprintf("%d:%s", i, key), time.Time{})
				}
			})
			key := keyOwnedBy(t, nodes[0], nodes[1])
			for _, n := range []*node{nodes[0], nodes[1], nodes[2], nodes[0]} {
				value, err := getString(context.Background(), n.group, key)
				require.NoError(t, err)
				assert.Equal(t, "1:"+key, value)
			}
			assert.EqualValues(t, 1, loads.Load(), "one load in the whole cluster")

			require.NoError(t, nodes[2].group.Set(context.Background(), key, []byte("set"), time.Time{}, false))
			for _, n := range nodes {
				value, err := getString(context.Background(), n.group, key)
				require.NoError(t, err)
				assert.Equal(t, "set", value)
			}
			require.NoError(t, nodes[0].group.Remove(context.Background(), key))
			for _, n := range nodes {
				value, err := getString(context.Background(), n.group, key)
				require.NoError(t, err)
				assert.Equal(t, "1:"+key, value)
			}
			require.NoError(t, nodes[2].group.RemoveKeys(context.Background(), key, "another", key+"x"))
			before := loads.Load()
			_, err := getString(context.Background(), nodes[0].group, key)
			require.NoError(t, err)
			assert.Equal(t, before+1, loads.Load())

			for i := range 200 {
				for kind, want := range map[string]error{"missing": &transport.ErrNotFound{}, "broken": nil} {
					key := fmt.Sprintf("%d-%s", i, kind)
					client, remote := nodes[0].instance.PickPeer(key)
					if !remote || client.PeerInfo().Address == nodes[0].address {
						continue
					}
					before := loads.Load()
					_, err := getString(context.Background(), nodes[0].group, key)
					if want == nil {
						want = &transport.ErrRemoteCall{}
						assert.ErrorContains(t, err, "broken getter")
					} else {
						assert.ErrorContains(t, err, "no such key")
					}
					assert.ErrorIs(t, err, want)
					assert.Equal(t, before+1, loads.Load(), "the owner's word is the last one")
				}
				if i > 20 {
					break
				}
			}
		})
	}
	assert.NotZero(t, requests.Load(), "the program's own client was used")
}

// rawNetwork carries HTTP requests from handler to handler, with no network between.
type rawTransport struct {
	*transport.HttpTransport
	network *sync.Map
	address string
}

func newRawNetwork() func() transport.Transport {
	network, next := &sync.Map{}, 0
	return func() transport.Transport {
		next++
		t := &rawTransport{
			// Its own server is never started.
			HttpTransport: transport.NewHttpTransport(transport.HttpTransportOptions{Logger: quiet}),
			network:       network,
			address:       fmt.Sprintf("raw-%d:1", next),
		}
		return t
	}
}

func (t *rawTransport) ListenAndServe(context.Context, string) error {
	t.network.Store(t.address, t.HttpTransport)
	return nil
}

func (t *rawTransport) Shutdown(context.Context) error {
	t.network.Delete(t.address)
	return nil
}

func (t *rawTransport) ListenAddress() string { return t.address }

func (t *rawTransport) RoundTrip(to peer.Info, r *http.Request) (*http.Response, error) {
	handler, ok := t.network.Load(to.Address)
	if !ok {
		return nil, errors.New("nobody is there")
	}
	w := httptest.NewRecorder()
	server := httptest.NewRequest(r.Method, r.URL.String(), r.Body).WithContext(r.Context())
	server.Header = r.Header
	handler.(http.Handler).ServeHTTP(w, server)
	return w.Result(), nil
}

func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	parsed, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

func TestAServersContextReachesTheGetter(t *testing.T) {
	seen := make(chan any, 1)
	nodes := startNodesWith(t, 2, withContext, groupcache.Options{}, func(int) groupcache.GetterFunc {
		return func(ctx context.Context, key string, dest transport.Sink) error {
			seen <- ctx.Value(contextKey{})
			return dest.SetString(key, time.Time{})
		}
	})
	_, err := getString(context.Background(), nodes[0].group, keyOwnedBy(t, nodes[0], nodes[1]))
	require.NoError(t, err)
	assert.Equal(t, "from the server", <-seen)
}

func TestSpansOfOneGetBelongTogether(t *testing.T) {
	recorder := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
	getterSpan := make(chan trace.SpanContext, 1)
	nodes := startNodesWith(t, 2, func() transport.Transport {
		return transport.NewHttpTransport(transport.HttpTransportOptions{
			Logger: quiet,
			Tracer: transport.NewTracer(transport.WithTraceProvider(provider)),
		})
	}, groupcache.Options{}, func(int) groupcache.GetterFunc {
		return func(ctx context.Context, key string, dest transport.Sink) error {
			getterSpan <- trace.SpanContextFromContext(ctx)
			return dest.SetString(key, time.Time{})
		}
	})
	ctx, span := provider.Tracer("test").Start(context.Background(), "the caller")
	_, err := getString(ctx, nodes[0].group, keyOwnedBy(t, nodes[0], nodes[1]))
	require.NoError(t, err)
	span.End()
	var names []string
	for _, s := range recorder.Ended() {
		if s.Name() == "GroupCache.Get" {
			assert.Equal(t, span.SpanContext().SpanID(), s.Parent().SpanID())
			assert.Equal(t, span.SpanContext().TraceID(), s.SpanContext().TraceID())
		}
		names = append(names, s.Name())
	}
	assert.Contains(t, names, "GroupCache.Get")
	assert.True(t, (<-getterSpan).IsValid(), "the getter of the owner sees the span of the request")
}

// countingTransport has clients that do not reach anybody, and counts what is asked of them.
type countingTransport struct {
	*transport.MockTransport
	gets   atomic.Int64
	answer func(ctx context.Context, in *pb.GetRequest, out *pb.GetResponse) error
	change error
}

func (t *countingTransport) NewClient(_ context.Context, p peer.Info) (peer.Client, error) {
	return &countingClient{peer.NoOpClient{Info: p}, t}, nil
}

type countingClient struct {
	peer.NoOpClient
	t *countingTransport
}

func (c *countingClient) Get(ctx context.Context, in *pb.GetRequest, out *pb.GetResponse) error {
	c.t.gets.Add(1)
	return c.t.answer(ctx, in, out)
}

func (c *countingClient) Set(context.Context, *pb.SetRequest) error               { return c.t.change }
func (c *countingClient) Remove(context.Context, *pb.GetRequest) error            { return c.t.change }
func (c *countingClient) RemoveKeys(context.Context, *pb.RemoveKeysRequest) error { return c.t.change }

func newCounting(t *testing.T, answer func(ctx context.Context, in *pb.GetRequest, out *pb.GetResponse) error) (*countingTransport, groupcache.ExtendedGroup, string) {
	t.Helper()
	tr := &countingTransport{MockTransport: transport.NewMockTransport(), answer: answer}
	i := groupcache.New(groupcache.Options{Transport: tr, Logger: quiet})
	require.NoError(t, i.SetPeers(context.Background(), []peer.Info{{Address: "self:1", IsSelf: true}, {Address: "other:1"}}))
	g, err := i.NewGroup("group", 1<<20, groupcache.GetterFunc(func(_ context.Context, key string, dest transport.Sink) error {
		return dest.SetString("loaded here", time.Time{})
	}))
	require.NoError(t, err)
	key := keyOwnedBy(t, &node{instance: i}, &node{address: "other:1"})
	return tr, g.(groupcache.ExtendedGroup), key
}

func TestACustomTransportGetsOneCallForEachGet(t *testing.T) {
	tr, g, key := newCounting(t, func(ctx context.Context, in *pb.GetRequest, out *pb.GetResponse) error {
		if ctx.Value(contextKey{}) != "caller" {
			return errors.New("the caller's values are lost")
		}
		if deadline, ok := ctx.Deadline(); !ok || time.Until(deadline) > time.Hour {
			return errors.New("the caller's deadline is lost")
		}
		out.Value = []byte("from " + in.GetKey() + " of " + in.GetGroup())
		return nil
	})
	ctx, cancel := context.WithTimeout(context.WithValue(context.Background(), contextKey{}, "caller"), time.Hour)
	defer cancel()
	for range 3 {
		value, err := getString(ctx, g, key)
		require.NoError(t, err)
		assert.Equal(t, "from "+key+" of group", value)
	}
	assert.EqualValues(t, 1, tr.gets.Load(), "then it is in the hot cache")
}

func TestWhatAClientsErrorMeans(t *testing.T) {
	for _, c := range []struct {
		name    string
		failure error
		loaded  bool
	}{
		{"not found is final", &transport.ErrNotFound{Msg: "no"}, false},
		{"a getter's failure is final", &transport.ErrRemoteCall{Msg: "no"}, false},
		{"cancelled is final", fmt.Errorf("asking: %w", context.Canceled), false},
		{"anything else is loaded here", errors.New("connection refused"), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr, g, key := newCounting(t, func(context.Context, *pb.GetRequest, *pb.GetResponse) error { return c.failure })
			value, err := getString(context.Background(), g, key)
			if c.loaded {
				require.NoError(t, err)
				assert.Equal(t, "loaded here", value)
			} else {
				assert.Same(t, c.failure, err, "the very error of the client")
			}
			assert.EqualValues(t, 1, tr.gets.Load(), "no retry")
		})
	}
}

func TestAPanicOfAClientIsAPeerThatIsNotThere(t *testing.T) {
	_, g, key := newCounting(t, func(context.Context, *pb.GetRequest, *pb.GetResponse) error { panic("client") })
	value, err := getString(context.Background(), g, key)
	require.NoError(t, err)
	assert.Equal(t, "loaded here", value)
}

func TestACallThatNobodyWaitsForIsCancelled(t *testing.T) {
	started, ended := make(chan struct{}), make(chan error, 1)
	_, g, key := newCounting(t, func(ctx context.Context, _ *pb.GetRequest, _ *pb.GetResponse) error {
		close(started)
		<-ctx.Done()
		ended <- ctx.Err()
		return ctx.Err()
	})
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-started
		cancel()
	}()
	_, err := getString(ctx, g, key)
	assert.ErrorIs(t, err, context.Canceled)
	assert.ErrorIs(t, <-ended, context.Canceled)
}

func TestAChangeReturnsTheErrorsOfTheClients(t *testing.T) {
	tr, g, key := newCounting(t, nil)
	tr.change = errors.New("wire cut")
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	assert.ErrorIs(t, g.Set(ctx, key, []byte("x"), time.Time{}, false), tr.change)
	assert.ErrorIs(t, g.Remove(ctx, key), tr.change)
	err := g.RemoveKeys(ctx, key)
	assert.ErrorIs(t, err, tr.change)
	var several *groupcache.MultiError
	assert.ErrorAs(t, err, &several)
}

// Two nodes that each take the other for the owner of every key must not send a request back and forth.
func TestARequestOfAPeerIsNeverForwarded(t *testing.T) {
	var requests atomic.Int64
	for name, newTransport := range map[string]func() transport.Transport{
		"the engine's HTTP": plainHTTP, "Go's HTTP": ownClient(&requests), "a server's context": withContext,
	} {
		t.Run(name, func(t *testing.T) {
			nodes := startNodes(t, 2, newTransport, groupcache.Options{})
			for i, n := range nodes {
				// Each claims to be somebody who owns nothing here.
				other := nodes[1-i].address
				require.NoError(t, n.instance.SetPeers(context.Background(),
					[]peer.Info{{Address: "127.0.0.1:1", IsSelf: true}, {Address: other}}))
			}
			key := ""
			for i := 0; key == ""; i++ {
				k := fmt.Sprint(i, "key")
				_, first := nodes[0].instance.PickPeer(k)
				_, second := nodes[1].instance.PickPeer(k)
				if first && second {
					key = k
				}
			}
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			value, err := getString(ctx, nodes[0].group, key)
			require.NoError(t, err)
			assert.Equal(t, "1:"+key, value, "the node that was asked has loaded it")
		})
	}
}

// plainInstance is an implementation of the transport's interfaces that knows nothing of this module's Instance.
type plainInstance struct{ groups map[string]transport.Group }

func (p *plainInstance) GetGroup(name string) transport.Group { return p.groups[name] }

type plainGroup struct {
	transport.Group
	values  map[string]string
	removed []string
}

func (g *plainGroup) Get(_ context.Context, key string, dest transport.Sink) error {
	if key == "fail" {
		return errors.New("failed")
	}
	value, ok := g.values[key]
	if !ok {
		return &transport.ErrNotFound{Msg: "nothing under " + key}
	}
	return dest.SetString(value, time.Time{})
}
func (g *plainGroup) RemoteSet(key string, value []byte, _ time.Time) { g.values[key] = string(value) }
func (g *plainGroup) LocalRemove(key string)                          { g.removed = append(g.removed, key) }

func TestAnyInstanceCanBeServed(t *testing.T) {
	tr := transport.NewHttpTransport(transport.HttpTransportOptions{Logger: quiet})
	assert.Panics(t, func() { tr.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/_groupcache/g/k", nil)) })
	group := &plainGroup{values: map[string]string{"k": "v", "..": "dots", "a/b": "slash"}}
	tr.Register(&plainInstance{map[string]transport.Group{"g": group}})
	assert.Panics(t, func() { tr.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/elsewhere/g/k", nil)) })
	require.NoError(t, tr.ListenAndServe(context.Background(), "127.0.0.1:0"))
	client, err := tr.NewClient(context.Background(), peer.Info{Address: tr.ListenAddress()})
	require.NoError(t, err)
	ctx := context.Background()
	name := "g"
	for key, want := range group.values {
		var out pb.GetResponse
		require.NoError(t, client.Get(ctx, &pb.GetRequest{Group: &name, Key: &key}, &out), key)
		assert.Equal(t, want, string(out.Value))
		require.NotNil(t, out.Expire)
	}
	missing, fail := "missing", "fail"
	assert.ErrorIs(t, client.Get(ctx, &pb.GetRequest{Group: &name, Key: &missing}, &pb.GetResponse{}), &transport.ErrNotFound{})
	assert.ErrorIs(t, client.Get(ctx, &pb.GetRequest{Group: &name, Key: &fail}, &pb.GetResponse{}), &transport.ErrRemoteCall{})
	err = client.Get(ctx, &pb.GetRequest{Group: &missing, Key: &fail}, &pb.GetResponse{})
	assert.Error(t, err)
	assert.NotErrorIs(t, err, &transport.ErrNotFound{}, "a missing group is not a missing key")
	require.NoError(t, client.Set(ctx, &pb.SetRequest{Group: &name, Key: &missing, Value: []byte("here now")}))
	assert.Equal(t, "here now", group.values["missing"])
	require.NoError(t, client.Remove(ctx, &pb.GetRequest{Group: &name, Key: &missing}))
	require.NoError(t, client.RemoveKeys(ctx, &pb.RemoveKeysRequest{Group: &name, Keys: []string{"a", "b"}}))
	assert.Equal(t, []string{"missing", "a", "b"}, group.removed)

	base := "http://" + tr.ListenAddress()
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/_groupcache/g", 400},
		{"HEAD", "/_groupcache/g/k", 405},
		{"POST", "/_groupcache/g/k", 404},
		{"GET", "/other", 404},
	} {
		u, err := url.Parse(base + c.path)
		require.NoError(t, err)
		res, err := http.DefaultClient.Do(&http.Request{Method: c.method, URL: u})
		require.NoError(t, err)
		_ = res.Body.Close()
		assert.Equal(t, c.status, res.StatusCode, "%s %s", c.method, c.path)
	}
	address := tr.ListenAddress()
	require.NoError(t, tr.Shutdown(ctx))
	require.NoError(t, tr.Shutdown(ctx), "twice is once")
	_, err = net.Dial("tcp", address)
	assert.Error(t, err)
	require.NoError(t, tr.ListenAndServe(ctx, address), "and again")
	require.NoError(t, tr.Shutdown(ctx))
}

func TestAGroupGoesOnAfterItsServerStopped(t *testing.T) {
	for name, newTransport := range map[string]func() transport.Transport{"the engine's": plainHTTP, "Go's": withContext} {
		t.Run(name, func(t *testing.T) {
			tr := newTransport()
			d, err := groupcache.ListenAndServe(context.Background(), "127.0.0.1:0", groupcache.Options{Transport: tr, Logger: quiet})
			require.NoError(t, err)
			g, err := d.NewGroup("group", 1<<20, groupcache.GetterFunc(func(_ context.Context, key string, dest transport.Sink) error {
				return dest.SetString(key, time.Time{})
			}))
			require.NoError(t, err)
			address := d.ListenAddress()
			require.NoError(t, d.Shutdown(context.Background()))
			value, err := getString(context.Background(), g, "key")
			require.NoError(t, err)
			assert.Equal(t, "key", value)
			assert.Equal(t, address, d.ListenAddress())
			require.NoError(t, d.Start(context.Background()))
			assert.Nil(t, d.GetGroup("group"), "it is a new instance")
			require.NoError(t, d.Shutdown(context.Background()))
		})
	}
}

// What peers have asked for is answered, however long that takes; only a context that ends cuts it short.
func TestShutdownLetsRequestsUnderWayEnd(t *testing.T) {
	for name, newTransport := range map[string]func() transport.Transport{"the engine's server": plainHTTP, "Go's server": withContext} {
		t.Run(name, func(t *testing.T) {
			loading, release := make(chan struct{}), make(chan struct{})
			nodes := startNodesWith(t, 2, newTransport, groupcache.Options{}, func(i int) groupcache.GetterFunc {
				return func(_ context.Context, key string, dest transport.Sink) error {
					if i == 1 {
						close(loading)
						<-release
					}
					return dest.SetString(fmt.Sprintf("%d:%s", i, key), time.Time{})
				}
			})
			key := keyOwnedBy(t, nodes[0], nodes[1])
			got := make(chan string, 1)
			go func() {
				value, err := getString(context.Background(), nodes[0].group, key)
				assert.NoError(t, err)
				got <- value
			}()
			<-loading
			stopped := make(chan error, 1)
			go func() { stopped <- nodes[1].transport.Shutdown(context.Background()) }()
			refused := 0 // many times, so that a server that does not wait has ended meanwhile
			eventually(t, "it has stopped listening", func() bool {
				conn, err := net.Dial("tcp", nodes[1].address)
				if err == nil {
					_ = conn.Close()
				} else {
					refused++
				}
				return refused == 1000
			})
			select {
			case err := <-stopped:
				t.Error("it did not wait for the request")
				stopped <- err
			default:
			}
			close(release)
			assert.Equal(t, "1:"+key, <-got)
			assert.NoError(t, <-stopped)
		})
	}
}

func TestShutdownEndsWithItsContext(t *testing.T) {
	loading, release := make(chan struct{}), make(chan struct{})
	defer close(release)
	nodes := startNodesWith(t, 2, plainHTTP, groupcache.Options{}, func(i int) groupcache.GetterFunc {
		return func(_ context.Context, key string, dest transport.Sink) error {
			if i == 1 {
				close(loading)
				<-release
			}
			return dest.SetString("", time.Time{})
		}
	})
	key := keyOwnedBy(t, nodes[0], nodes[1])
	go func() { _, _ = getString(context.Background(), nodes[0].group, key) }()
	<-loading
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	assert.ErrorIs(t, nodes[1].transport.Shutdown(ctx), context.Canceled)
}

func TestAddressesAreThoseOfGo(t *testing.T) {
	for name, newTransport := range map[string]func() transport.Transport{"the engine's": plainHTTP, "Go's": withContext} {
		for address, host := range map[string]string{":0": "::", "localhost:0": "127.0.0.1", "127.0.0.1:": "127.0.0.1"} {
			t.Run(name+" "+address, func(t *testing.T) {
				tr := newTransport()
				groupcache.New(groupcache.Options{Transport: tr})
				require.NoError(t, tr.ListenAndServe(context.Background(), address))
				got, port, err := net.SplitHostPort(tr.ListenAddress())
				require.NoError(t, err)
				assert.True(t, got == host || host == "::" && got == "0.0.0.0", got) // a machine without IPv6
				conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", port))
				require.NoError(t, err)
				require.NoError(t, conn.Close())
				require.NoError(t, tr.Shutdown(context.Background()))
			})
		}
	}
}

func TestListeningTwiceAndBadAddressesAreErrors(t *testing.T) {
	for name, newTransport := range map[string]func() transport.Transport{"the engine's": plainHTTP, "Go's": withContext} {
		t.Run(name, func(t *testing.T) {
			first := newTransport()
			groupcache.New(groupcache.Options{Transport: first})
			require.NoError(t, first.ListenAndServe(context.Background(), "127.0.0.1:0"))
			assert.Error(t, first.ListenAndServe(context.Background(), "127.0.0.1:0"))
			second := newTransport()
			groupcache.New(groupcache.Options{Transport: second})
			assert.Error(t, second.ListenAndServe(context.Background(), first.ListenAddress()))
			assert.Error(t, second.ListenAndServe(context.Background(), "1111"))
			require.NoError(t, second.Shutdown(context.Background()))
			require.NoError(t, first.Shutdown(context.Background()))
		})
	}
}

// wrapped changes one function of the HTTP transport, as programs do.
type wrapped struct {
	*transport.HttpTransport
	clients *atomic.Int64
}

func (w *wrapped) NewClient(ctx context.Context, p peer.Info) (peer.Client, error) {
	w.clients.Add(1)
	return w.HttpTransport.NewClient(ctx, p)
}

func TestAnHTTPTransportMayBeWrapped(t *testing.T) {
	var clients atomic.Int64
	nodes := startNodes(t, 2, func() transport.Transport {
		return &wrapped{transport.NewHttpTransport(transport.HttpTransportOptions{Logger: quiet}), &clients}
	}, groupcache.Options{})
	key := keyOwnedBy(t, nodes[0], nodes[1])
	value, err := getString(context.Background(), nodes[0].group, key)
	require.NoError(t, err)
	assert.Equal(t, "1:"+key, value)
	assert.EqualValues(t, 2, clients.Load())
}

// lines collects what is logged.
type lines struct {
	mu  sync.Mutex
	all []string
}

func (l *lines) Info(msg string, args ...any)  { l.add("INFO", msg, args) }
func (l *lines) Error(msg string, args ...any) { l.add("ERROR", msg, args) }

func (l *lines) add(level, msg string, args []any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, fmt.Sprint(level, " ", msg, args))
}

func (l *lines) contain(parts ...string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.all {
		all := true
		for _, part := range parts {
			all = all && strings.Contains(line, part)
		}
		if all {
			return true
		}
	}
	return false
}

func TestAPeerThatCannotBeReachedIsLogged(t *testing.T) {
	log := &lines{}
	i := groupcache.New(groupcache.Options{Logger: log})
	const nobody = "127.0.0.1:1"
	require.NoError(t, i.SetPeers(context.Background(), []peer.Info{{Address: "127.0.0.1:2", IsSelf: true}, {Address: nobody}}))
	g, err := i.NewGroup("group", 1<<20, groupcache.GetterFunc(func(_ context.Context, key string, dest transport.Sink) error {
		return dest.SetString("loaded here", time.Time{})
	}))
	require.NoError(t, err)
	value, err := getString(context.Background(), g, keyOwnedBy(t, &node{instance: i}, &node{address: nobody}))
	require.NoError(t, err)
	assert.Equal(t, "loaded here", value)
	eventually(t, "the error is logged", func() bool { return log.contain("ERROR", nobody) })
	stats := g.GroupStats()
	assert.EqualValues(t, 1, stats.PeerErrors.Get())
}
