// A user's program: two members of a cluster, a value that one of them loads for both, and one that nobody has.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	groupcache "github.com/cohort-cache/cohort/bindings/go"
	"github.com/cohort-cache/cohort/bindings/go/transport"
	"github.com/cohort-cache/cohort/bindings/go/transport/peer"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	loads := 0
	var nodes []*groupcache.Daemon
	var peers []peer.Info
	var groups []transport.Group
	for range 2 {
		node, err := groupcache.ListenAndServe(ctx, "127.0.0.1:0", groupcache.Options{})
		check(err)
		group, err := node.NewGroup("pages", 1<<20, groupcache.GetterFunc(
			func(_ context.Context, key string, dest transport.Sink) error {
				if key == "nowhere" {
					return &transport.ErrNotFound{Msg: "there is no such page"}
				}
				loads++
				return dest.SetString("page "+key, time.Time{})
			}))
		check(err)
		nodes, groups = append(nodes, node), append(groups, group)
		peers = append(peers, peer.Info{Address: node.ListenAddress()})
	}
	for _, node := range nodes {
		check(node.SetPeers(ctx, peers))
	}
	for _, group := range groups {
		var page string
		check(group.Get(ctx, "index", transport.StringSink(&page)))
		if page != "page index" {
			log.Fatalf("got %q", page)
		}
		if err := group.Get(ctx, "nowhere", transport.StringSink(&page)); !errors.Is(err, &transport.ErrNotFound{}) {
			log.Fatalf("not found is %v", err)
		}
	}
	if loads != 1 {
		log.Fatalf("%d loads", loads)
	}
	for _, node := range nodes {
		check(node.Shutdown(ctx))
	}
	fmt.Println("one load served two members")
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
