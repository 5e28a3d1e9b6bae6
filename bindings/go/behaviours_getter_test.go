package groupcache_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	groupcache "github.com/cohort-cache/cohort/bindings/go"
	"github.com/cohort-cache/cohort/bindings/go/internal/core"
	"github.com/cohort-cache/cohort/bindings/go/transport"
)

// getterError is an ordinary failure of the standard getter.
type getterError string

func (e getterError) Error() string { return string(e) }

// kindOf names a failure as the list of behaviours does; "" for none, its text for one that the list does not know.
func kindOf(err error) string {
	var own getterError
	var failed *core.Error
	var several *groupcache.MultiError
	switch {
	case err == nil:
		return ""
	case errors.Is(err, &transport.ErrNotFound{}):
		return "not_found"
	case errors.Is(err, &transport.ErrRemoteCall{}):
		return "remote_failed"
	case errors.As(err, &own), strings.HasPrefix(err.Error(), "groupcache: the getter panicked: "):
		return "load_failed"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case errors.As(err, &several):
		return "unreachable"
	case errors.As(err, &failed):
		return strings.ToLower(core.CString(core.Cohort_status_name(int(failed.Status))))
	case strings.HasPrefix(err.Error(), "duplicate registration of group"):
		return "already_exists"
	case err.Error() == "empty Set() key not allowed":
		return "invalid_argument"
	}
	return err.Error()
}

type loadOf struct {
	node       int
	group, key string
}

// standardGetters are the getters of one case: they count their runs, and let keys hang until they are released.
type standardGetters struct {
	mu       sync.Mutex
	changed  *sync.Cond
	runs     map[loadOf]int64
	released map[string]chan struct{}
	all      chan struct{} // closed: nothing hangs any more
}

func newStandardGetters() *standardGetters {
	s := &standardGetters{runs: map[loadOf]int64{}, released: map[string]chan struct{}{}, all: make(chan struct{})}
	s.changed = sync.NewCond(&s.mu)
	return s
}

// enter counts a run and returns how often the key was run on any node.
func (s *standardGetters) enter(node int, group, key string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs[loadOf{node, group, key}]++
	s.changed.Broadcast()
	return s.countLocked(nil, group, key)
}

// countLocked counts the runs on one node, or on all. REQUIRES: s.mu is held.
func (s *standardGetters) countLocked(node *int, group, key string) (count int64) {
	for of, runs := range s.runs {
		if of.group == group && of.key == key && (node == nil || of.node == *node) {
			count += runs
		}
	}
	return count
}

func (s *standardGetters) count(node *int, group, key string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.countLocked(node, group, key)
}

// gate returns the channel that is closed when the key is released.
func (s *standardGetters) gate(key string) chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.released[key] == nil {
		s.released[key] = make(chan struct{})
	}
	return s.released[key]
}

// getter is the standard getter of one group. group finds the others of its node.
func (s *standardGetters) getter(node int, name string, group func(name string) groupcache.Group) groupcache.GetterFunc {
	return func(ctx context.Context, key string, dest transport.Sink) error {
		run := s.enter(node, name, key)
		rest, hangs := strings.CutPrefix(key, "hang-")
		if hangs {
			select {
			case <-s.gate(key):
			case <-s.all:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		own := name + ":" + key
		kind, argument, _ := strings.Cut(rest, "-")
		switch kind {
		case "missing":
			return &transport.ErrNotFound{Msg: "not found: " + key}
		case "fail":
			return getterError("load failed: " + key)
		case "panic":
			panic(key)
		case "empty":
			return dest.SetBytes(nil, time.Time{})
		case "size":
			return dest.SetBytes(bytes.Repeat([]byte("."), number(argument)), time.Time{})
		case "exp":
			return dest.SetString(own, time.Now().Add(time.Duration(number(argument))*time.Millisecond))
		case "count":
			return dest.SetString(fmt.Sprintf("%s#%d", own, run), time.Time{})
		case "other":
			return group("h").Get(ctx, argument, dest)
		case "self":
			ctx, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
			defer cancel()
			return group(name).Get(ctx, key, dest)
		}
		return dest.SetString(own, time.Time{})
	}
}

// number reads the number, perhaps negative, that text begins with.
func number(text string) int {
	end := strings.Index(text[1:], "-") + 1
	n, err := strconv.Atoi(text[:end])
	must(err)
	return n
}
