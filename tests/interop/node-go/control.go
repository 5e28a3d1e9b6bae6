package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/groupcache/groupcache-go/v3/transport"
)

// manyAtOnce bounds the gets of one /getmany call that wait at the same time.
const manyAtOnce = 64

// answer is how every call on the group is reported.
type answer struct {
	OK    bool   `json:"ok"`
	V64   string `json:"v64"`
	Len   int    `json:"len"`
	ExpNs int64  `json:"exp_ns,omitempty"`
	Err   string `json:"err,omitempty"`
	Kind  string `json:"kind,omitempty"`
}

// control serves the protocol that drives the node from outside.
func (n *node) control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/ping", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, map[string]string{"name": n.name, "peer": n.listen, "impl": impl})
	})
	mux.HandleFunc("/get", n.handleGet)
	mux.HandleFunc("/getmany", n.handleGetMany)
	mux.HandleFunc("/set", n.handleSet)
	mux.HandleFunc("/remove", n.handleRemove)
	mux.HandleFunc("/removekeys", n.handleRemoveKeys)
	mux.HandleFunc("/owners", n.handleOwners)
	mux.HandleFunc("/peers", n.handlePeers)
	mux.HandleFunc("/loads", n.handleLoads)
	mux.HandleFunc("/stats", n.handleStats)
	return mux
}

func (n *node) handleGet(w http.ResponseWriter, r *http.Request) {
	key, _, err := subjectOf(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	ctx, cancel, err := deadlineOf(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	defer cancel()
	reply(w, n.get(ctx, key))
}

func (n *node) handleGetMany(w http.ResponseWriter, r *http.Request) {
	keys, err := keysOf(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answers := make([]answer, len(keys))
	var wg sync.WaitGroup
	slots := make(chan struct{}, manyAtOnce)
	for i, key := range keys {
		slots <- struct{}{}
		wg.Add(1)
		go func() {
			defer wg.Done()
			answers[i] = n.get(r.Context(), key)
			<-slots
		}()
	}
	wg.Wait()
	reply(w, answers)
}

func (n *node) handleSet(w http.ResponseWriter, r *http.Request) {
	key, value, err := subjectOf(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	expire := time.Time{}
	if text := r.URL.Query().Get("expire_ms"); text != "" && text != "0" {
		ms, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		expire = time.Now().Add(time.Duration(ms) * time.Millisecond)
	}
	reply(w, done(n.group.Set(r.Context(), key, value, expire, false)))
}

func (n *node) handleRemove(w http.ResponseWriter, r *http.Request) {
	key, _, err := subjectOf(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	reply(w, done(n.group.Remove(r.Context(), key)))
}

func (n *node) handleRemoveKeys(w http.ResponseWriter, r *http.Request) {
	keys, err := keysOf(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	reply(w, done(n.group.RemoveKeys(r.Context(), keys...)))
}

func (n *node) handleOwners(w http.ResponseWriter, r *http.Request) {
	keys, err := keysOf(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	owners := make([]string, len(keys))
	for i, key := range keys {
		owners[i] = n.owner(key)
	}
	reply(w, owners)
}

func (n *node) handlePeers(w http.ResponseWriter, r *http.Request) {
	var addresses []string
	if err := json.NewDecoder(r.Body).Decode(&addresses); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	self := r.URL.Query().Get("self")
	if self == "" {
		self = n.listen
	}
	// Not the request's context: it ends with the request, the peers stay.
	reply(w, done(n.setPeers(context.Background(), addresses, self)))
}

func (n *node) handleLoads(w http.ResponseWriter, r *http.Request) {
	loads := map[string]int64{}
	wanted := r.URL.Query().Get("k64")
	for key, count := range n.getter.counts(r.URL.Query().Has("reset")) {
		if k := base64.StdEncoding.EncodeToString([]byte(key)); wanted == "" || k == wanted {
			loads[k] = count
		}
	}
	reply(w, loads)
}

func (n *node) handleStats(w http.ResponseWriter, _ *http.Request) {
	stats := n.group.GroupStats()
	mainBytes, hotBytes := n.group.UsedBytes()
	reply(w, map[string]int64{
		"gets":            stats.Gets.Get(),
		"cache_hits":      stats.CacheHits.Get(),
		"peer_loads":      stats.PeerLoads.Get(),
		"peer_errors":     stats.PeerErrors.Get(),
		"loads":           stats.Loads.Get(),
		"loads_deduped":   stats.LoadsDeduped.Get(),
		"local_loads":     stats.LocalLoads.Get(),
		"local_load_errs": stats.LocalLoadErrs.Get(),
		"main_bytes":      mainBytes,
		"hot_bytes":       hotBytes,
	})
}

// get is one Group.Get.
func (n *node) get(ctx context.Context, key string) answer {
	var view transport.ByteView
	if err := n.group.Get(ctx, key, transport.ByteViewSink(&view)); err != nil {
		return done(err)
	}
	a := answer{OK: true, V64: base64.StdEncoding.EncodeToString(view.ByteSlice()), Len: view.Len()}
	if e := view.Expire(); !e.IsZero() {
		a.ExpNs = e.UnixNano()
	}
	return a
}

// done reports how a call ended, and of which kind its error is.
func done(err error) answer {
	switch {
	case err == nil:
		return answer{OK: true}
	case errors.Is(err, &transport.ErrNotFound{}):
		return answer{Err: err.Error(), Kind: "notfound"}
	case errors.Is(err, &transport.ErrRemoteCall{}):
		return answer{Err: err.Error(), Kind: "remote"}
	default:
		return answer{Err: err.Error(), Kind: "other"}
	}
}

// subjectOf reads what a call is about: ?k64= or ?key= and the body as the value, or both in a JSON body.
func subjectOf(r *http.Request) (key string, value []byte, err error) {
	query := r.URL.Query()
	if value, err = io.ReadAll(r.Body); err != nil {
		return "", nil, err
	}
	switch {
	case query.Has("k64"):
		raw, err := base64.StdEncoding.DecodeString(query.Get("k64"))
		return string(raw), value, err
	case query.Has("key") || len(value) == 0:
		return query.Get("key"), value, nil
	default:
		var body struct{ K64, V64 []byte }
		err := json.Unmarshal(value, &body)
		return string(body.K64), body.V64, err
	}
}

// keysOf reads the body's JSON array of base64 keys.
func keysOf(r *http.Request) ([]string, error) {
	var encoded [][]byte
	if err := json.NewDecoder(r.Body).Decode(&encoded); err != nil {
		return nil, err
	}
	keys := make([]string, len(encoded))
	for i, key := range encoded {
		keys[i] = string(key)
	}
	return keys, nil
}

// deadlineOf gives the context of a get: ?timeout_ms= ends it early.
func deadlineOf(r *http.Request) (context.Context, context.CancelFunc, error) {
	text := r.URL.Query().Get("timeout_ms")
	if text == "" {
		return r.Context(), func() {}, nil
	}
	ms, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), time.Duration(ms)*time.Millisecond)
	return ctx, cancel, nil
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}
