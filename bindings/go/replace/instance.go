package groupcache

import (
	"context"
	"errors"
	"fmt"
	"net"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"weak"

	"github.com/segmentio/fasthash/fnv1"

	"github.com/groupcache/groupcache-go/v3/internal/bridge"
	"github.com/groupcache/groupcache-go/v3/internal/core"
	"github.com/groupcache/groupcache-go/v3/transport"
	"github.com/groupcache/groupcache-go/v3/transport/peer"
)

// Logger takes messages and pairs of names and values, as slog does.
type Logger interface {
	Info(msg string, args ...any)
	Error(msg string, args ...any)
}

// Options are the settings of an Instance. The zero value is ready for use.
type Options struct {
	// HashFn places keys and peers on the ring; default fnv1.HashBytes64. The same on every node. Any other function is
	// called from C, which costs about 0.1 us for each get that is not a hit.
	HashFn peer.HashFn

	// Replicas is the number of points on the ring for each peer; default 50, at most 10,000. The same on every node.
	Replicas int

	// Logger is told of what goes wrong in the background; default of ListenAndServe: slog.Default(), of New: none.
	Logger Logger

	// Transport reaches the peers; default: HTTP.
	Transport transport.Transport

	// CacheFactory makes caches of the program's own: two for each group, one for the keys that this node owns and one for
	// copies of other nodes' values. Default: the engine's, outside of Go's heap.
	CacheFactory func(maxBytes int64) (Cache, error)

	// Policy says which value leaves a group's cache when room is needed; default LRU, as in groupcache.
	Policy Policy

	// MetricProvider (optional) exports statistics with OpenTelemetry.
	MetricProvider *MeterProvider
}

// Policy says which value leaves a cache when room is needed.
type Policy int32

const (
	// LRU lets the least recently used value go, and keeps every new one.
	LRU Policy = core.COHORT_POLICY_LRU
	// Adaptive goes by recency, reuse, frequency or frequency for the size, whichever hits most at the time. It resists
	// scans, and may not keep a value that a getter has brought; one that was set is always kept.
	Adaptive Policy = core.COHORT_POLICY_ADAPTIVE
)

// Instance is one member of a cluster. It needs no closing: the engine's part is released some time after the last
// reference to the Instance and its groups has gone.
type Instance struct {
	opts   Options
	engine *engine
	sender *sender // nil: the engine's own client asks the peers
	calls  bool    // the sender makes calls of clients, which see their callers' contexts
	err    error   // why the engine's part could not be made; what needs it returns this

	callers callers

	mu     sync.RWMutex
	groups map[string]*group
	picker *peer.Picker

	setPeers sync.Mutex // one SetPeers at a time
}

// engine is what an Instance owns in the engine. It does not refer to the Instance, so that it can outlive it.
type engine struct {
	instance uintptr
	logTag   uint64
	sendTag  uint64

	mu     sync.Mutex
	groups map[uintptr]uint64 // handle of the group, tag of its loads
}

// New makes an Instance: local only until SetPeers. What is wrong with the options is returned by NewGroup and SetPeers.
func New(opts Options) *Instance {
	if opts.Transport == nil {
		opts.Transport = transport.NewHttpTransport(transport.HttpTransportOptions{})
	}
	i := &Instance{
		opts:   opts,
		engine: &engine{groups: make(map[uintptr]uint64)},
		groups: make(map[string]*group),
		picker: peer.NewPicker(peer.Options{HashFn: opts.HashFn, Replicas: opts.Replicas}),
	}
	runtime.AddCleanup(i, func(e *engine) { go e.free() }, i.engine)
	i.err = core.Try(i.start)
	opts.Transport.Register(i)
	return i
}

// start makes the engine's part.
func (i *Instance) start(object uintptr) bool {
	options := core.Cohort_instance_options_new()
	defer core.Cohort_instance_options_free(options)
	if i.opts.Replicas != 0 && core.Cohort_instance_options_set_replicas(options, i.opts.Replicas, object) != core.COHORT_OK {
		return false
	}
	if hash := i.opts.HashFn; hash != nil && !isDefaultHash(hash) {
		if core.Cohort_go_set_hash(options, core.RegisterHash(safeHash(hash, i.opts.Logger)), object) != core.COHORT_OK {
			return false
		}
	}
	if log := i.opts.Logger; log != nil {
		i.engine.logTag = core.Logs.Add(func(level int32, line string) { writeLog(log, level, line) })
		if core.Cohort_instance_options_set_log_queue(options, core.COHORT_LOG_INFO, core.Queue(), i.engine.logTag, object) != core.COHORT_OK {
			return false
		}
	}
	http := bridge.HTTPOf(i.opts.Transport)
	if http != nil && core.Cohort_instance_options_set_base_path(options, http.BasePath, object) != core.COHORT_OK {
		return false
	}
	if http == nil || !http.Plain {
		i.sender = newSender(i.opts.Transport, http, i.opts.Logger, &i.callers)
		i.calls = i.sender.raw == nil
		self := weak.Make(i)
		i.engine.sendTag = core.Sends.Add(func(request uintptr) { sendFor(self, request) })
		via := core.Cohort_transport_new_queue(i.sender.mode(), core.Queue(), i.engine.sendTag, object)
		if via == 0 {
			return false
		}
		defer core.Cohort_transport_free(via)
		if core.Cohort_instance_options_set_transport(options, via, object) != core.COHORT_OK {
			return false
		}
	}
	i.engine.instance = core.Cohort_instance_new(options, object)
	return i.engine.instance != 0
}

// isDefaultHash recognises the engine's own hash function, which then need not be called from C.
func isDefaultHash(hash peer.HashFn) bool {
	return reflect.ValueOf(hash).Pointer() == reflect.ValueOf(fnv1.HashBytes64).Pointer()
}

// safeHash keeps a panic of the program's hash function from crossing C.
func safeHash(hash peer.HashFn, log Logger) core.Hash {
	return func(data []byte) (place uint64) {
		defer func() {
			if r := recover(); r != nil && log != nil {
				log.Error("Options.HashFn panicked", "panic", r)
			}
		}()
		return hash(data)
	}
}

func writeLog(log Logger, level int32, line string) {
	if level >= core.COHORT_LOG_WARN {
		log.Error(line, "category", "groupcache")
	} else {
		log.Info(line, "category", "groupcache")
	}
}

// free releases everything. It waits for the engine's threads.
func (e *engine) free() {
	e.mu.Lock()
	groups := e.groups
	e.groups = nil
	e.mu.Unlock()
	for group, tag := range groups {
		core.Loads.Take(tag)
		core.Cohort_group_free(group)
	}
	core.Cohort_instance_free(e.instance)
	core.Logs.Take(e.logTag)
	core.Sends.Take(e.sendTag)
}

// freeGroup releases a group that was removed, unless free has done it.
func (e *engine) freeGroup(group uintptr) {
	e.mu.Lock()
	tag, ok := e.groups[group]
	delete(e.groups, group)
	e.mu.Unlock()
	if ok {
		core.Loads.Take(tag)
		core.Cohort_group_free(group)
	}
}

// SetPeers replaces the peers, at any time. One of them must be marked as this node itself.
func (i *Instance) SetPeers(ctx context.Context, peers []peer.Info) error {
	if i.err != nil {
		return i.err
	}
	i.setPeers.Lock()
	defer i.setPeers.Unlock()
	picker := peer.NewPicker(peer.Options{HashFn: i.opts.HashFn, Replicas: i.opts.Replicas})
	clients := make(map[string]peer.Client, len(peers))
	self := ""
	hasSelf := false
	var addresses []string
	for _, p := range peers {
		if strings.Contains(p.Address, "\n") {
			return fmt.Errorf("the address %q of a peer is not host:port", p.Address)
		}
		if _, twice := clients[p.Address]; twice {
			continue
		}
		var client peer.Client = &peer.NoOpClient{Info: peer.Info{Address: p.Address, IsSelf: true}}
		if !p.IsSelf {
			var err error
			if client, err = i.opts.Transport.NewClient(ctx, p); err != nil {
				return fmt.Errorf("during Transport.NewClient(): %w", err)
			}
		} else if !hasSelf {
			self, hasSelf = p.Address, true
		}
		clients[p.Address] = client
		addresses = append(addresses, p.Address)
		picker.Add(client)
	}
	if !hasSelf {
		return errors.New("peer.Info{IsSelf: true} missing; peer list must contain the address for this instance")
	}
	if i.sender != nil {
		i.sender.add(clients)
	}
	err := core.Try(func(object uintptr) bool {
		return core.Cohort_instance_set_peers(i.engine.instance, strings.Join(addresses, "\n"), self, object) == core.COHORT_OK
	})
	if err != nil {
		return err
	}
	if i.sender != nil {
		i.sender.keep(clients)
	}
	i.mu.Lock()
	i.picker = picker
	i.mu.Unlock()
	return nil
}

// PickPeer returns the client of the key's owner, and whether the owner is another node. While local only: nil and false.
func (i *Instance) PickPeer(key string) (peer.Client, bool) {
	i.mu.RLock()
	picker := i.picker
	i.mu.RUnlock()
	return picker.PickPeer(key)
}

// NewGroup makes a group: a cache of its own with a getter of its own, under a name that is the same on every node.
// cacheBytes is what it may use in all, overheads included; 0 or less turns caching off.
func (i *Instance) NewGroup(name string, cacheBytes int64, getter Getter) (Group, error) {
	if getter == nil {
		return nil, errors.New("NewGroup(): provided Getter cannot be nil")
	}
	if i.err != nil {
		return nil, i.err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.groups[name] != nil {
		return nil, fmt.Errorf("duplicate registration of group '%s'", name)
	}
	g, err := newGroup(i, name, cacheBytes, getter)
	if err != nil {
		return nil, err
	}
	i.groups[name] = g
	return g, nil
}

// GetGroup returns the group of that name, or nil.
func (i *Instance) GetGroup(name string) transport.Group {
	i.mu.RLock()
	defer i.mu.RUnlock()
	if g := i.groups[name]; g != nil {
		return g
	}
	return nil
}

// RemoveGroup closes a group: peers are told that it is not here, and gets that wait in it fail.
func (i *Instance) RemoveGroup(name string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.groups[name] == nil {
		return
	}
	delete(i.groups, name)
	core.Fence()
	core.Cohort_instance_remove_group(i.engine.instance, name, 0)
}

// door is the side of an Instance that the HTTP transport uses.
type door struct{ i *Instance }

func init() {
	bridge.NativeOf = func(instance any) bridge.Native {
		if i, ok := instance.(*Instance); ok && i != nil && i.err == nil {
			return door{i}
		}
		return nil
	}
}

func (d door) CanListen() bool { return d.i.sender == nil }

func (d door) Listen(address string) (resolved string, err error) {
	// As net.Listen takes it: the port may be a name, or missing.
	if host, port, err := net.SplitHostPort(address); err == nil {
		if number, err := net.DefaultResolver.LookupPort(context.Background(), "tcp", port); err == nil {
			address = net.JoinHostPort(host, strconv.Itoa(number))
		}
	}
	err = core.Try(func(object uintptr) bool {
		if core.Cohort_instance_listen(d.i.engine.instance, address, object) != core.COHORT_OK {
			return false
		}
		value := core.Cohort_instance_listen_address(d.i.engine.instance, object)
		if value == 0 {
			return false
		}
		resolved = core.String(core.Cohort_value_data(value), core.Cohort_value_size(value))
		core.Cohort_value_free(value)
		return true
	})
	return resolved, err
}

func (d door) StopListening(ctx context.Context) error {
	drainMs := int64(longestLoadMs)
	if _, ok := ctx.Deadline(); ok {
		drainMs = timeoutMs(ctx)
	}
	stopped := make(chan error, 1)
	go func() {
		stopped <- core.Try(func(object uintptr) bool {
			return core.Cohort_instance_stop_listening(d.i.engine.instance, drainMs, object) == core.COHORT_OK
		})
		runtime.KeepAlive(d.i)
	}()
	select {
	case err := <-stopped:
		return err
	case <-ctx.Done():
		return ctx.Err() // what is under way ends by itself, as with Go's own server
	}
}

func (d door) GetLocal(ctx context.Context, name, key string, dest any) error {
	d.i.mu.RLock()
	g := d.i.groups[name]
	d.i.mu.RUnlock()
	if g == nil {
		return &bridge.Unanswered{Err: fmt.Errorf("there is no group %q", name)}
	}
	// This goroutine does not lead: only an event tells that the load was overtaken.
	return g.get(ctx, key, dest.(transport.Sink), core.COHORT_GET_LOCAL)
}

func (d door) Handle(ctx context.Context, r *bridge.Request) (*bridge.Response, error) {
	c := core.NewCall()
	err := c.Start(func(queue uintptr, tag uint64, object uintptr) int {
		return core.Cohort_instance_handle_request(d.i.engine.instance, r.Method, r.Target, r.Headers, r.Body,
			timeoutMs(ctx), queue, tag, object)
	})
	if err != nil {
		c.Free()
		return nil, err
	}
	select {
	case <-c.Done():
	case <-ctx.Done():
		c.Leave()
		return nil, ctx.Err()
	}
	c.Taken()
	response := c.Event.Response
	c.Free()
	var view core.ResponseView
	core.Cohort_response_view(response, &view)
	runtime.KeepAlive(d.i)
	return &bridge.Response{
		Status:  int(view.HTTPStatus),
		Headers: core.String(view.Headers, view.HeadersSize),
		Body:    core.Bytes(view.Body, view.BodySize),
		Free:    func() { core.Cohort_response_free(response) },
	}, nil
}
