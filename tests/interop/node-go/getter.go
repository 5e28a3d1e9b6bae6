package main

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/groupcache/groupcache-go/v3/transport"
)

// getter makes the value of a key from the key alone, as every conformance node does, and counts each of its runs.
type getter struct {
	name   string
	expire time.Duration

	mu    sync.Mutex
	loads map[string]int64
}

// Get runs one load: the prefix of the key says what becomes of it.
func (g *getter) Get(_ context.Context, key string, dest transport.Sink) error {
	g.mu.Lock()
	g.loads[key]++
	g.mu.Unlock()

	value := []byte(g.name + ":" + key)
	expire := time.Time{}
	if g.expire > 0 {
		expire = time.Now().Add(g.expire)
	}
	switch {
	case strings.HasPrefix(key, "missing-"):
		return &transport.ErrNotFound{Msg: "not found: " + key}
	case strings.HasPrefix(key, "fail-"):
		return errors.New("load failed: " + key)
	case strings.HasPrefix(key, "empty-"):
		value = nil
	case strings.HasPrefix(key, "bin-"):
		for b := 0; b < 256; b++ {
			value = append(value, byte(b))
		}
	}
	if n, ok := number(key, "size-"); ok {
		for int64(len(value)) < n {
			value = append(value, '.')
		}
		value = value[:n]
	}
	if ms, ok := number(key, "slow-"); ok {
		time.Sleep(time.Duration(ms) * time.Millisecond)
	}
	if ms, ok := number(key, "exp-"); ok {
		expire = time.Now().Add(time.Duration(ms) * time.Millisecond)
	}
	return dest.SetBytes(value, expire)
}

// number reads N of "<prefix>N-...".
func number(key, prefix string) (int64, bool) {
	rest, ok := strings.CutPrefix(key, prefix)
	if !ok {
		return 0, false
	}
	digits, _, ok := strings.Cut(rest, "-")
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	return n, err == nil && n >= 0
}

// counts returns how often each key was loaded, and starts anew if asked to.
func (g *getter) counts(reset bool) map[string]int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	counts := make(map[string]int64, len(g.loads))
	for key, n := range g.loads {
		counts[key] = n
	}
	if reset {
		g.loads = map[string]int64{}
	}
	return counts
}
