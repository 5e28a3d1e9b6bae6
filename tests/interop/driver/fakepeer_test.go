package driver

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// startBesideFake starts a node whose only peer is a fake that owns the key "..".
func startBesideFake(t *testing.T, impl string, answer http.HandlerFunc) (*Node, *fakePeer) {
	t.Helper()
	var peer *fakePeer
	c := start(t, mix{impl}, func(_ int, n *Node) {
		for peer == nil {
			address, err := freeAddress()
			if err != nil {
				t.Fatal(err)
			}
			if newRing([]string{n.peer, address}, 50).owner("..") != address {
				continue
			}
			if peer, err = startFakePeer(address, answer); err != nil {
				t.Log(err)
			}
		}
		n.flags = []string{"-peers", n.peer + "," + peer.address}
	})
	t.Cleanup(peer.close)
	return c.nodes[0], peer
}

// What each answer of an owner means to the node that asked: a value, a final failure, or a load of its own.
func TestAnswersMeanWhatTheyMeanToGroupcache(t *testing.T) {
	hangUp := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	cut := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write(getResponse("cut", 0))
		panic(http.ErrAbortHandler)
	}
	for _, test := range []struct {
		name   string
		answer http.HandlerFunc
		kind   string // of the failure that is final; "" = the node loads for itself
		text   string
	}{
		{"NotFound", withStatus(404, "nobody has it"), "notfound", "nobody has it"},
		{"ServiceUnavailable", withStatus(503, "the getter broke"), "remote", "the getter broke"},
		{"InternalServerError", withStatus(500, "draining"), "", ""},
		{"BadRequest", withStatus(400, "bad request"), "", ""},
		{"URITooLong", withStatus(414, ""), "", ""},
		{"TooManyRequests", withStatus(429, "later"), "", ""},
		{"BadGateway", withStatus(502, "proxy"), "", ""},
		{"HangUp", hangUp, "", ""},
		{"CutShort", cut, "", ""},
		{"Garbage", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("\xff\xff\xff")) }, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, impl := range implementations(t) {
				t.Run(impl, func(t *testing.T) {
					t.Parallel()
					n, peer := startBesideFake(t, impl, test.answer)
					key := ownedBy(newRing([]string{n.peer, peer.address}, 50), peer.address, "answered-"+test.name)
					a := n.get(key)
					if test.kind != "" {
						if a.OK || a.Kind != test.kind || a.Err != test.text {
							t.Errorf("%v: %v, want a failure of kind %s: %s", n, a, test.kind, test.text)
						}
					} else if !a.is(loaded(n, key)) {
						t.Errorf("%v: %v, want a load of its own", n, a)
					}
					want := map[string]int64{"peer_errors": 1, "local_loads": 1, "peer_loads": 0, "local_load_errs": 0}
					if test.kind != "" {
						want["peer_errors"], want["local_loads"] = 0, 0
					}
					wantStats(t, n, want)
				})
			}
		})
	}
}

// A peer that has not shown that it speaks our batches gets plain GETs, however many wait.
func TestMissesToAGroupcachePeerArePlainGets(t *testing.T) {
	for _, impl := range implementations(t) {
		t.Run(impl, func(t *testing.T) {
			t.Parallel()
			n, peer := startBesideFake(t, impl, withValue("fake"))
			ring := newRing([]string{n.peer, peer.address}, 50)
			want := map[string]bool{}
			var keys []string
			for i := range 300 {
				key := ownedBy(ring, peer.address, fmt.Sprintf("plain-%d", i))
				keys = append(keys, key)
				want["/_groupcache/g/"+key] = true
			}
			answers, err := n.getMany(keys)
			if err != nil {
				t.Fatal(err)
			}
			for i, a := range answers {
				if !a.is("fake") {
					t.Errorf("%v: key %q is %v", n, keys[i], a)
				}
			}
			for _, request := range peer.take() {
				if request.method == "GET" && request.target == "/_groupcache/" {
					continue // What are you? An unknown peer whose first answer takes a while is asked that.
				}
				if request.method != "GET" || !want[request.target] {
					t.Errorf("%v: sent %s %s, want one GET for each key", n, request.method, request.target)
				}
				delete(want, request.target)
			}
			for target := range want {
				t.Errorf("%v: never asked for %s", n, target)
			}
		})
	}
}

// A groupcache-go member writes an expiry as a moment of its own clock. When that clock is an hour off, its Date header
// says so, and our nodes keep the value for as long as was meant; groupcache-go itself takes the moment as it is.
func TestTheClockOfAGroupcachePeerMayBeWrong(t *testing.T) {
	const life = 30 * time.Second
	for _, off := range []time.Duration{-time.Hour, time.Hour} {
		for _, impl := range ourImplementations(t) {
			t.Run(fmt.Sprintf("%v/%s", off, impl), func(t *testing.T) {
				t.Parallel()
				n, peer := startBesideFake(t, impl, func(w http.ResponseWriter, _ *http.Request) {
					now := time.Now().Add(off)
					w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
					w.Header().Set("Content-Type", "application/x-protobuf")
					_, _ = w.Write(getResponse("skewed", now.Add(life).UnixNano()))
				})
				key := ownedBy(newRing([]string{n.peer, peer.address}, 50), peer.address, "skewed")
				for range 3 {
					a := n.get(key)
					left := time.Until(time.Unix(0, a.ExpNs))
					if !a.is("skewed") || left < life-5*time.Second || left > life+5*time.Second {
						t.Errorf("%v: %v, which leaves it %v, want about %v", n, a, left, life)
					}
				}
				if sent := peer.take(); len(sent) != 1 {
					t.Errorf("%v asked %d times, want once: the value was to be kept", n, len(sent))
				}
			})
		}
	}
}

// A peer that takes requests and never answers: the caller's deadline holds, and the waiting load is not the others' end.
func TestASilentPeerDoesNotHoldUpACaller(t *testing.T) {
	for _, impl := range implementations(t) {
		t.Run(impl, func(t *testing.T) {
			t.Parallel()
			silence := make(chan struct{})
			n, peer := startBesideFake(t, impl, func(w http.ResponseWriter, r *http.Request) {
				if strings.Contains(r.RequestURI, "silent") {
					select {
					case <-silence:
					case <-r.Context().Done():
					}
				}
				withValue("fake")(w, r)
			})
			defer close(silence)
			ring := newRing([]string{n.peer, peer.address}, 50)
			var wg sync.WaitGroup
			for i := range 5 {
				wg.Add(1)
				go func() {
					defer wg.Done()
					a := n.getFor(ownedBy(ring, peer.address, fmt.Sprintf("silent-%d", i)), 300*time.Millisecond)
					if a.OK || a.Kind != "other" { // the peer never answers: only the deadline ends this
						t.Errorf("%v: %v, want an error", n, a)
					}
				}()
			}
			if a := n.get(ownedBy(ring, n.peer, "own")); !a.OK {
				t.Errorf("%v: its own key is %v", n, a)
			}
			wg.Wait()
		})
	}
}
