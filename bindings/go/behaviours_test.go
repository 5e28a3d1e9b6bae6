package groupcache_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	groupcache "github.com/cohort-cache/cohort/bindings/go"
	"github.com/cohort-cache/cohort/bindings/go/transport"
	"github.com/cohort-cache/cohort/bindings/go/transport/peer"
)

// The runner of the shared list of behaviours, tests/behaviours: what every binding does, case by case.

// cannot tells what Go has nothing for: the reason to leave a case out, or "".
func cannot(c behaviour) string {
	if c.LoadTimeoutMs != 0 {
		return "a group has no longest load time of its own: contexts end loads"
	}
	if len(c.NoGetterOn) > 0 {
		return "NewGroup takes no nil getter"
	}
	for _, s := range c.Steps {
		switch {
		case s.Do == "close":
			return "an Instance needs no closing"
		case len(s.Key) > 6 && string(s.Key[:6]) == `"drop-` || s.Prefix == "drop-":
			return "a getter that returns has answered"
		}
	}
	return ""
}

// behaviourFace is one of the ways in which a program may set up its instances.
type behaviourFace struct {
	name    string
	network func() (newTransport func() transport.Transport) // of one case
	options groupcache.Options
	skipped map[string]string
}

func overHTTP(opts transport.HttpTransportOptions) func() func() transport.Transport {
	opts.Logger = quiet
	return func() func() transport.Transport {
		return func() transport.Transport { return transport.NewHttpTransport(opts) }
	}
}

var behaviourFaces = []behaviourFace{
	{name: "the engine's HTTP", network: overHTTP(transport.HttpTransportOptions{})},
	{name: "Go's HTTP", network: overHTTP(transport.HttpTransportOptions{Client: &http.Client{}})},
	{name: "calls of clients", network: func() func() transport.Transport {
		return func() transport.Transport {
			return &wrapped{transport.NewHttpTransport(transport.HttpTransportOptions{Logger: quiet}), new(atomic.Int64)}
		}
	}},
}

func TestBehaviours(t *testing.T) {
	cases := readBehaviours(t, "cases.json")
	for number, face := range behaviourFaces {
		t.Run(face.name, func(t *testing.T) {
			skipped := 0
			for _, c := range cases {
				if number > 0 && c.Nodes < 2 {
					continue // it would be the same once more: there are no peers
				}
				t.Run(c.Name, func(t *testing.T) {
					reason := cannot(c)
					if own := face.skipped[c.Name]; own != "" {
						reason = own
					}
					if reason != "" {
						skipped++
						t.Skipf("skipped: %s: %s", c.Name, reason)
					}
					_, err := runBehaviour(face, c, time.Minute)
					assert.NoError(t, err)
				})
			}
			t.Logf("%d skipped", skipped)
		})
	}
}

func TestBehavioursThatMustFail(t *testing.T) {
	for _, c := range readBehaviours(t, "must_fail.json") {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			at, err := runBehaviour(behaviourFaces[0], c, 500*time.Millisecond)
			require.Error(t, err)
			assert.Equal(t, c.FailsAt, at, err)
			assert.ErrorContains(t, err, c.Name)
		})
	}
}

// wrong is what a step panics with when something is not as expected.
type wrong string

func fail(format string, args ...any) { panic(wrong(fmt.Sprintf(format, args...))) }

func must(err error) {
	if err != nil {
		fail("%v", err)
	}
}

// runBehaviour runs a case. It returns the number of the step that failed, and why.
func runBehaviour(face behaviourFace, c behaviour, patience time.Duration) (at int, err error) {
	r := &behaviourRun{face: face, case_: c, patience: patience, getters: newStandardGetters(), started: map[string][]*pending{}}
	r.vars = map[string]string{}
	defer r.end()
	defer func() {
		switch w := recover().(type) {
		case nil:
		case wrong:
			err = fmt.Errorf("%s, step %d: %s", c.Name, at, w)
		default:
			panic(w)
		}
	}()
	r.begin()
	for i := range c.Steps {
		at = i + 1
		r.do(&c.Steps[i])
	}
	return 0, nil
}

type pending struct {
	cancel context.CancelFunc
	done   chan answer
}

type behaviourRun struct {
	names
	face     behaviourFace
	case_    behaviour
	patience time.Duration
	getters  *standardGetters
	members  []*behaviourMember
	started  map[string][]*pending
	waiting  sync.WaitGroup
}

type behaviourMember struct {
	instance  *groupcache.Instance
	transport transport.Transport
	groups    sync.Map // name: groupcache.ExtendedGroup, also after it was closed
}

func (m *behaviourMember) group(name string) groupcache.Group {
	g, ok := m.groups.Load(name)
	if !ok {
		fail("there is no group %q", name)
	}
	return g.(groupcache.ExtendedGroup)
}

func (r *behaviourRun) begin() {
	newTransport := r.face.network()
	for i := range max(1, r.case_.Nodes) {
		tr := newTransport()
		opts := r.face.options
		opts.Transport, opts.Logger = tr, quiet
		m := &behaviourMember{instance: groupcache.New(opts), transport: tr}
		r.members = append(r.members, m)
		for _, name := range []string{"g", "h"} {
			must(r.newGroup(i, name))
		}
		if r.case_.Nodes > 1 {
			must(tr.ListenAndServe(context.Background(), "127.0.0.1:0"))
			r.addresses = append(r.addresses, tr.ListenAddress())
		}
	}
	all := make([]int, len(r.addresses))
	for i := range all {
		all[i] = i
	}
	for i := range r.addresses {
		r.setPeers(i, all)
	}
}

// end releases all that hangs and waits for all that was started.
func (r *behaviourRun) end() {
	close(r.getters.all)
	for _, all := range r.started {
		for _, p := range all {
			p.cancel()
		}
	}
	r.waiting.Wait()
	for _, m := range r.members {
		if len(r.addresses) > 0 {
			_ = m.transport.Shutdown(context.Background())
		}
		m.groups.Range(func(name, _ any) bool {
			m.instance.RemoveGroup(name.(string))
			return true
		})
	}
}

func (r *behaviourRun) newGroup(node int, name string) error {
	m := r.members[node]
	bytes := int64(64 << 20)
	if r.case_.CacheBytes != nil {
		bytes = *r.case_.CacheBytes
	}
	g, err := m.instance.NewGroup(name, bytes, r.getters.getter(node, name, m.group))
	if err == nil {
		m.groups.Store(name, g)
	}
	return err
}

func (r *behaviourRun) setPeers(node int, peers []int) {
	var infos []peer.Info
	for _, p := range peers {
		infos = append(infos, peer.Info{Address: r.addresses[p], IsSelf: p == node})
	}
	must(r.members[node].instance.SetPeers(context.Background(), infos))
}

func (r *behaviourRun) eventually(condition func() bool, otherwise func() string) {
	for end := time.Now().Add(r.patience); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			fail("%s", otherwise())
		}
	}
}

func contextOf(timeoutMs int64) (context.Context, context.CancelFunc) {
	if timeoutMs > 0 {
		return context.WithTimeout(context.Background(), time.Duration(timeoutMs)*time.Millisecond)
	}
	return context.WithCancel(context.Background())
}

func getAnswer(ctx context.Context, g transport.Group, key string) answer {
	var view transport.ByteView
	if err := g.Get(ctx, key, transport.ByteViewSink(&view)); err != nil {
		return answer{err: err}
	}
	expires := view.Expire()
	return answer{value: view.ByteSlice(), expires: &expires}
}

var expectOK = json.RawMessage(`{"ok": true}`)
