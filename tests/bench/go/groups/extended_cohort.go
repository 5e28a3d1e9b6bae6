//go:build cohort

package main

import (
	"context"

	"github.com/groupcache/groupcache-go/v3"
	"github.com/groupcache/groupcache-go/v3/transport"

	. "bench/harness"
)

// options are those of a node by itself. Which policy is the package's default, or the engine's.
func options() groupcache.Options {
	if *Adaptive == 1 {
		return groupcache.Options{Policy: groupcache.Adaptive}
	}
	return groupcache.Options{}
}

// into gets into a buffer that the caller brings.
func into(g transport.Group, key string, buffer []byte) []byte {
	return Must(g.(groupcache.ExtendedGroup).GetInto(context.Background(), key, buffer))
}

// many gets keys with one call and returns how many of them are well.
func many(g transport.Group, keys []string, see func(value transport.ByteView)) {
	for _, result := range g.(groupcache.ExtendedGroup).GetMany(context.Background(), keys) {
		Check(result.Err)
		see(result.Value)
	}
}
