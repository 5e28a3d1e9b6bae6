package core

import "sync"

// Registry gives what C may only know by a number a tag, and finds it again. Tags are never used twice, so an event that
// comes late finds nothing.
type Registry[T any] struct {
	mu   sync.RWMutex
	last uint64
	m    map[uint64]T
}

// Add returns the tag of x, never 0.
func (r *Registry[T]) Add(x T) uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.m == nil {
		r.m = make(map[uint64]T)
	}
	r.last++
	r.m[r.last] = x
	return r.last
}

// Get finds what has the tag.
func (r *Registry[T]) Get(tag uint64) (T, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	x, ok := r.m[tag]
	return x, ok
}

// Take finds what has the tag and forgets it.
func (r *Registry[T]) Take(tag uint64) (T, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	x, ok := r.m[tag]
	delete(r.m, tag)
	return x, ok
}

// Len counts what is registered.
func (r *Registry[T]) Len() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return len(r.m)
}
