// A program of groupcache-go, of which only go.mod was changed. It ends with an error if it is not Cohort that answers.
package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/groupcache/groupcache-go/v3"
	"github.com/groupcache/groupcache-go/v3/transport"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	daemon, err := groupcache.ListenAndServe(ctx, "127.0.0.1:0", groupcache.Options{})
	if err != nil {
		log.Fatal(err)
	}
	group, err := daemon.NewGroup("users", 1<<20, groupcache.GetterFunc(
		func(_ context.Context, id string, dest transport.Sink) error {
			return dest.SetString("user "+id, time.Now().Add(time.Minute))
		}))
	if err != nil {
		log.Fatal(err)
	}
	var user string
	if err := group.Get(ctx, "7", transport.StringSink(&user)); err != nil || user != "user 7" {
		log.Fatalf("got %q, %v", user, err)
	}
	if _, ours := group.(interface {
		GetInto(ctx context.Context, key string, buf []byte) ([]byte, error)
	}); !ours {
		log.Fatal("this is groupcache-go itself")
	}
	if err := daemon.Shutdown(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println("the same program, on Cohort")
}
