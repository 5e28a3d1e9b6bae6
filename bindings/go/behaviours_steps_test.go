package groupcache_test

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	groupcache "github.com/cohort-cache/cohort/bindings/go"
	"github.com/cohort-cache/cohort/bindings/go/transport"
)

// do runs one step of a case, and fails if something is not as expected.
func (r *behaviourRun) do(s *step) {
	node, name := 0, "g"
	if s.Node != nil {
		node = *s.Node
	}
	if s.Group != "" {
		name = s.Group
	}
	m := r.members[node]
	key := ""
	if s.Key != nil {
		key = string(r.bytesOf(s.Key))
	}
	keys := make([]string, len(s.Keys))
	for i := range s.Keys {
		keys[i] = string(r.bytesOf(s.Keys[i]))
	}
	group := func() groupcache.ExtendedGroup { return m.group(name).(groupcache.ExtendedGroup) }
	checkDone := func(err error) {
		if s.Expect == nil {
			s.Expect = expectOK
		}
		r.check(s.Expect, answer{err: err})
	}
	ctx, cancel := contextOf(s.TimeoutMs)
	defer cancel()

	switch s.Do {
	case "get":
		r.get(ctx, group(), key, s)
	case "get_many":
		r.getMany(group().GetMany(ctx, keys), s)
	case "peek":
		value, ok := group().Peek(key, nil)
		r.check(s.Expect, answer{value: value, miss: !ok})
	case "set":
		r.set(ctx, group(), key, s, checkDone)
	case "remove":
		checkDone(group().Remove(ctx, key))
	case "remove_keys":
		checkDone(group().RemoveKeys(ctx, keys...))
	case "start":
		r.start(group(), key, s)
	case "await":
		r.await(s)
	case "cancel":
		for _, p := range r.started[s.As] {
			p.cancel()
		}
	case "release":
		close(r.getters.gate(key))
	case "wait_loading":
		r.eventually(func() bool { return r.getters.count(s.Node, name, key) >= *s.Count },
			func() string { return fmt.Sprintf("%d loads", r.getters.count(s.Node, name, key)) })
	case "wait_gone":
		r.eventually(func() bool { _, ok := group().Peek(key, nil); return !ok }, func() string { return "it is still there" })
	case "loads":
		if count := r.getters.count(s.Node, name, key); count != *s.Count {
			fail("%d loads instead of %d", count, *s.Count)
		}
	case "stats":
		r.stats(group(), s)
	case "reset_cache":
		checkDone(group().ResetCacheSize(s.CacheBytes))
	case "new_group":
		checkDone(r.newGroup(node, string(r.bytesOf(s.Name))))
	case "close_group":
		m.instance.RemoveGroup(name)
	case "stop_listening":
		must(m.transport.Shutdown(ctx))
	case "listen":
		must(m.transport.ListenAndServe(ctx, r.addresses[node]))
	case "set_peers":
		r.setPeers(node, s.Peers)
	case "owned_key":
		r.pick(m, s)
	default:
		fail("no step is called %q", s.Do)
	}
}

func (r *behaviourRun) get(ctx context.Context, g groupcache.Group, key string, s *step) {
	if !s.Scribble {
		r.check(s.Expect, getAnswer(ctx, g, key))
		return
	}
	var value []byte
	err := g.Get(ctx, key, transport.AllocatingByteSliceSink(&value))
	r.check(s.Expect, answer{err: err, value: value})
	for i := range value {
		value[i] = '!'
	}
}

func (r *behaviourRun) getMany(results []groupcache.Result, s *step) {
	var each []json.RawMessage
	if s.ExpectAll == nil {
		must(json.Unmarshal(s.Expect, &each))
		if len(each) != len(results) {
			fail("%d results instead of %d", len(results), len(each))
		}
	}
	for i, result := range results {
		expected := s.ExpectAll
		if expected == nil {
			expected = each[i]
		}
		expires := result.Value.Expire()
		r.check(expected, answer{err: result.Err, value: result.Value.ByteSlice(), expires: &expires})
	}
}

func (r *behaviourRun) set(ctx context.Context, g groupcache.Group, key string, s *step, done func(error)) {
	var expire time.Time
	if s.ExpireMs != nil {
		expire = time.Now().Add(time.Duration(*s.ExpireMs) * time.Millisecond)
	}
	value := r.bytesOf(s.Value)
	done(g.Set(ctx, key, value, expire, false))
	for i := range value {
		if s.Scribble {
			value[i] = '!'
		}
	}
}

func (r *behaviourRun) start(g groupcache.Group, key string, s *step) {
	count := int64(1)
	if s.Count != nil {
		count = *s.Count
	}
	for range count {
		ctx, cancel := contextOf(s.TimeoutMs)
		p := &pending{cancel: cancel, done: make(chan answer, 1)}
		r.started[s.As] = append(r.started[s.As], p)
		r.waiting.Add(1)
		go func() {
			defer r.waiting.Done()
			p.done <- getAnswer(ctx, g, key)
		}()
	}
}

func (r *behaviourRun) await(s *step) {
	for _, p := range r.started[s.As] {
		select {
		case a := <-p.done:
			r.check(s.Expect, a)
		case <-time.After(r.patience):
			fail("it does not end")
		}
		p.cancel()
	}
	delete(r.started, s.As)
}

func (r *behaviourRun) stats(g groupcache.ExtendedGroup, s *step) {
	counter := func() int64 {
		all, main, hot := g.GroupStats(), g.CacheStats(groupcache.MainCache), g.CacheStats(groupcache.HotCache)
		value, ok := map[string]int64{
			"gets":                 all.Gets.Get(),
			"cache_hits":           all.CacheHits.Get(),
			"loads":                all.Loads.Get(),
			"loads_deduped":        all.LoadsDeduped.Get(),
			"local_loads":          all.LocalLoads.Get(),
			"local_load_errors":    all.LocalLoadErrs.Get(),
			"peer_loads":           all.PeerLoads.Get(),
			"peer_errors":          all.PeerErrors.Get(),
			"remove_keys_requests": all.RemoveKeysRequests.Get(),
			"removed_keys":         all.RemovedKeys.Get(),
			"main_bytes":           main.Bytes,
			"hot_bytes":            hot.Bytes,
			"main_items":           main.Items,
			"hot_items":            hot.Items,
		}[s.Field]
		if !ok {
			fail("no counter is called %q", s.Field)
		}
		return value
	}
	r.eventually(func() bool {
		if s.AtLeast != nil {
			return counter() >= *s.AtLeast
		}
		return fmt.Sprint(counter()) == string(s.Value)
	}, func() string { return fmt.Sprintf("%s is %d", s.Field, counter()) })
}

// pick picks a key that a member owns, not one that was picked before.
func (r *behaviourRun) pick(m *behaviourMember, s *step) {
	for try := range 1_000_000 {
		key := fmt.Sprintf("%s%d-key", s.Prefix, (len(r.vars)*1_000_000+try)*7919)
		client, remote := m.instance.PickPeer(key)
		if owner := r.addresses[s.Owner]; remote && client.PeerInfo().Address == owner || !remote && owner == m.transport.ListenAddress() {
			r.vars[s.As] = key
			return
		}
	}
	fail("no key is owned by %s", r.addresses[s.Owner])
}
