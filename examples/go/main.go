// Two members of one cluster in one process, in Go: each key is loaded once, by its owner, whoever asks.
//
// usage: go run .
package main

import (
	"context"
	"fmt"
	"log"
	"sync/atomic"
	"time"

	groupcache "github.com/cohort-cache/cohort/bindings/go"
	"github.com/cohort-cache/cohort/bindings/go/transport"
	"github.com/cohort-cache/cohort/bindings/go/transport/peer"
)

var loads atomic.Int64

// join starts one member with its getter: here would be a database.
func join(ctx context.Context, name string) (*groupcache.Daemon, transport.Group) {
	daemon, err := groupcache.ListenAndServe(ctx, "127.0.0.1:0", groupcache.Options{})
	if err != nil {
		log.Fatal(err)
	}
	group, err := daemon.NewGroup("greetings", 64<<20, groupcache.GetterFunc(
		func(ctx context.Context, key string, dest transport.Sink) error {
			loads.Add(1)
			return dest.SetString("hello "+key+", loaded by "+name, time.Time{})
		}))
	if err != nil {
		log.Fatal(err)
	}
	return daemon, group
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	one, fromOne := join(ctx, "one")
	two, fromTwo := join(ctx, "two")
	peers := []peer.Info{{Address: one.ListenAddress()}, {Address: two.ListenAddress()}}
	for _, daemon := range []*groupcache.Daemon{one, two} {
		if err := daemon.SetPeers(ctx, peers); err != nil { // it finds itself among them
			log.Fatal(err)
		}
		defer daemon.Shutdown(ctx)
	}

	show := func(name string, group transport.Group, key string) {
		var value string
		if err := group.Get(ctx, key, transport.StringSink(&value)); err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s gets: %s\n", name, value)
	}
	for _, key := range []string{"ada", "grace", "barbara"} {
		show("one", fromOne, key)
		show("two", fromTwo, key)
	}
	if err := fromOne.Set(ctx, "ada", []byte("hello Countess"), time.Now().Add(5*time.Minute), false); err != nil {
		log.Fatal(err)
	}
	show("two", fromTwo, "ada")
	if err := fromTwo.Remove(ctx, "ada"); err != nil {
		log.Fatal(err)
	}
	show("one", fromOne, "ada")
	fmt.Println(loads.Load(), "loads")
}
