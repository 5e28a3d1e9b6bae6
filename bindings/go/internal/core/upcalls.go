package core

// #include <stddef.h>
// #include <stdint.h>
import "C"

import "unsafe"

// Cache is a cache written in Go, as the engine uses it: under the lock of the key's flight, so it must not block.
type Cache interface {
	// Get returns a cohort_value_t that the engine then owns, or 0.
	Get(key string) (value uintptr)
	// Add keeps the bytes of value, which is borrowed for the call.
	Add(key string, value uintptr)
	Remove(key string)
	// Clear forgets everything.
	Clear()
}

// Hash is a hash function written in Go.
type Hash func(data []byte) uint64

// What C calls by tag; an entry goes when the engine says that it is not needed any more.
var upcalls Registry[any]

// RegisterHash returns the tag for Cohort_go_set_hash.
func RegisterHash(hash Hash) (tag uint64) { return upcalls.Add(hash) }

// RegisterCache returns the tag for Cohort_go_set_cache.
func RegisterCache(cache Cache) (tag uint64) { return upcalls.Add(cache) }

// RegisteredUpcalls counts what C may call.
func RegisteredUpcalls() int { return upcalls.Len() }

//export cohortGoHash
func cohortGoHash(tag C.uint64_t, data unsafe.Pointer, size C.size_t) C.uint64_t {
	registered, _ := upcalls.Get(uint64(tag))
	hash, ok := registered.(Hash)
	if !ok {
		return 0
	}
	return C.uint64_t(hash(unsafe.Slice((*byte)(data), int(size))))
}

//export cohortGoCacheGet
func cohortGoCacheGet(tag C.uint64_t, key *C.char, size C.size_t) unsafe.Pointer {
	value := uintptr(0)
	if cache := cacheOf(tag); cache != nil {
		value = cache.Get(goString(key, size))
	}
	return pointer(value)
}

//export cohortGoCacheAdd
func cohortGoCacheAdd(tag C.uint64_t, key *C.char, size C.size_t, value unsafe.Pointer) {
	if cache := cacheOf(tag); cache != nil {
		cache.Add(goString(key, size), uintptr(value))
	}
}

//export cohortGoCacheRemove
func cohortGoCacheRemove(tag C.uint64_t, key *C.char, size C.size_t) {
	cache := cacheOf(tag)
	switch {
	case cache == nil:
	case key == nil:
		cache.Clear()
	default:
		cache.Remove(goString(key, size))
	}
}

//export cohortGoDestroy
func cohortGoDestroy(tag C.uint64_t) { upcalls.Take(uint64(tag)) }

func cacheOf(tag C.uint64_t) Cache {
	registered, _ := upcalls.Get(uint64(tag))
	cache, _ := registered.(Cache)
	return cache
}

func goString(text *C.char, size C.size_t) string {
	if size == 0 {
		return ""
	}
	return string(unsafe.Slice((*byte)(unsafe.Pointer(text)), int(size)))
}
