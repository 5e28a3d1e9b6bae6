//go:build !cohort

package main

import (
	"context"

	"github.com/groupcache/groupcache-go/v3"
	"github.com/groupcache/groupcache-go/v3/transport"

	. "bench/harness"
)

// options are those of a node by itself.
func options() groupcache.Options { return groupcache.Options{} }

// into is as near as groupcache-go comes to a buffer that the caller brings.
func into(g transport.Group, key string, buffer []byte) []byte {
	Check(g.Get(context.Background(), key, transport.TruncatingByteSliceSink(&buffer)))
	return buffer
}

// many gets keys one after the other: groupcache-go has no call for many.
func many(g transport.Group, keys []string, see func(value transport.ByteView)) {
	for _, key := range keys {
		var view transport.ByteView
		Check(g.Get(context.Background(), key, transport.ByteViewSink(&view)))
		see(view)
	}
}
