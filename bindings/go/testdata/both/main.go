// A program that holds both this module and groupcache-go, because one of its parts was written for the other. Both must
// start, and both are members of one cluster.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	cohort "github.com/cohort-cache/cohort/bindings/go"
	cohorttransport "github.com/cohort-cache/cohort/bindings/go/transport"
	cohortpb "github.com/cohort-cache/cohort/bindings/go/transport/pb"
	cohortpeer "github.com/cohort-cache/cohort/bindings/go/transport/peer"
	"github.com/groupcache/groupcache-go/v3"
	"github.com/groupcache/groupcache-go/v3/transport"
	"github.com/groupcache/groupcache-go/v3/transport/pb"
	"github.com/groupcache/groupcache-go/v3/transport/peer"
)

func check(err error) {
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	theirs, err := groupcache.ListenAndServe(ctx, "127.0.0.1:0", groupcache.Options{Logger: quiet})
	check(err)
	ours, err := cohort.ListenAndServe(ctx, "127.0.0.1:0", cohort.Options{Logger: quiet})
	check(err)
	check(theirs.SetPeers(ctx, []peer.Info{{Address: theirs.ListenAddress()}, {Address: ours.ListenAddress()}}))
	check(ours.SetPeers(ctx, []cohortpeer.Info{{Address: theirs.ListenAddress()}, {Address: ours.ListenAddress()}}))
	theirGroup, err := theirs.NewGroup("group", 1<<20, groupcache.GetterFunc(
		func(_ context.Context, key string, dest transport.Sink) error {
			return dest.SetString("groupcache-go's "+key, time.Time{})
		}))
	check(err)
	ourGroup, err := ours.NewGroup("group", 1<<20, cohort.GetterFunc(
		func(_ context.Context, key string, dest cohorttransport.Sink) error {
			return dest.SetString("Cohort's "+key, time.Time{})
		}))
	check(err)
	by := map[string]int{}
	for i := range 100 {
		key := fmt.Sprint(i, "-key")
		var one, two string
		check(theirGroup.Get(ctx, key, transport.StringSink(&one)))
		check(ourGroup.Get(ctx, key, cohorttransport.StringSink(&two)))
		if one != two {
			fmt.Println("different:", one, two)
			os.Exit(1)
		}
		by[one[:6]]++
	}
	check(theirGroup.Remove(ctx, "1-key"))
	check(ourGroup.Remove(ctx, "2-key"))
	fmt.Println("both own keys:", len(by) == 2)
	fmt.Println(pb.File_transport_pb_groupcache_proto.Path() != cohortpb.File_transport_pb_groupcache_proto.Path())
	check(theirs.Shutdown(ctx))
	check(ours.Shutdown(ctx))
}
