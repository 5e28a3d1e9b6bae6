// A program as its author wrote it for groupcache-go v3: it knows nothing of Cohort. Its output must be the same with and
// without the replace line.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/segmentio/fasthash/fnv1"

	"github.com/groupcache/groupcache-go/v3"
	"github.com/groupcache/groupcache-go/v3/cluster"
	"github.com/groupcache/groupcache-go/v3/contrib"
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

func get(g transport.Group, key string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var value string
	err := g.Get(ctx, key, transport.StringSink(&value))
	switch {
	case errors.Is(err, &transport.ErrNotFound{}):
		return "not found: " + err.Error()
	case errors.Is(err, &transport.ErrRemoteCall{}):
		return "remote: " + err.Error()
	case err != nil:
		return "error: " + err.Error()
	}
	return value
}

func main() {
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	loads := map[string]int{}
	var mu sync.Mutex
	getter := groupcache.GetterFunc(func(_ context.Context, key string, dest transport.Sink) error {
		mu.Lock()
		loads[key]++
		mu.Unlock()
		switch {
		case strings.HasPrefix(key, "missing"):
			return &transport.ErrNotFound{Msg: "no " + key}
		case strings.HasPrefix(key, "broken"):
			return errors.New("cannot load " + key)
		case strings.HasPrefix(key, "proto"):
			return dest.SetProto(&pb.SetRequest{Group: &key, Key: &key}, time.Time{})
		}
		return dest.SetString("value of "+key, time.Now().Add(time.Hour))
	})

	fmt.Println("-- one instance, its own mux, otter")
	h := transport.NewHttpTransport(transport.HttpTransportOptions{Logger: quiet})
	own := groupcache.New(groupcache.Options{
		HashFn: fnv1.HashBytes64, Replicas: 50, Logger: quiet, Transport: h,
		CacheFactory: func(maxBytes int64) (groupcache.Cache, error) { return contrib.NewOtterCache(maxBytes) },
	})
	g, err := own.NewGroup("users", 3_000_000, getter)
	check(err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	mux := http.NewServeMux()
	mux.Handle(transport.DefaultBasePath, h)
	go func() { _ = http.Serve(listener, mux) }()
	check(own.SetPeers(context.Background(), []peer.Info{{Address: listener.Addr().String(), IsSelf: true}}))
	fmt.Println(get(g, "ann"), "|", get(g, "missing-1"), "|", get(g, "broken-1"))
	res, err := http.Get("http://" + listener.Addr().String() + "/_groupcache/users/ann")
	check(err)
	body, _ := io.ReadAll(res.Body)
	fmt.Println(res.Status, res.Header.Get("Content-Type"), strings.Contains(string(body), "value of ann"))
	for _, path := range []string{"/_groupcache/users/missing-2", "/_groupcache/users/broken-2", "/_groupcache/nothing"} {
		res, err := http.Get("http://" + listener.Addr().String() + path)
		check(err)
		body, _ := io.ReadAll(res.Body)
		fmt.Printf("%s %q\n", res.Status, body)
	}

	fmt.Println("-- a cluster of three")
	check(cluster.Start(context.Background(), 3, groupcache.Options{Logger: quiet}))
	for _, d := range cluster.ListDaemons() {
		_, err := d.NewGroup("users", 1<<20, getter)
		check(err)
	}
	for i := range 3 {
		at := cluster.DaemonAt(i).GetGroup("users")
		fmt.Println(get(at, "bob"), "|", get(at, "missing-3"), "|", at.Name())
	}
	fmt.Println("bob was loaded", loads["bob"], "times; owned by", cluster.FindOwningDaemon("bob").ListenAddress())
	first := cluster.DaemonAt(0).GetGroup("users")
	check(first.Set(context.Background(), "bob", []byte("set"), time.Time{}, false))
	for i := range 3 {
		fmt.Println(get(cluster.DaemonAt(i).GetGroup("users"), "bob"))
	}
	check(first.Remove(context.Background(), "bob"))
	for i := range 3 {
		fmt.Println(get(cluster.DaemonAt(i).GetGroup("users"), "bob"))
	}
	check(first.RemoveKeys(context.Background(), "bob"))
	fmt.Println(get(first, "bob"), "after", loads["bob"], "loads")
	var message pb.SetRequest
	check(first.Get(context.Background(), "proto-1", transport.ProtoSink(&message)))
	fmt.Println(message.GetGroup(), message.GetKey())
	client := cluster.FindOwningDaemon("carl").MustClient()
	name, key := "users", "carl"
	var out pb.GetResponse
	check(client.Get(context.Background(), &pb.GetRequest{Group: &name, Key: &key}, &out))
	fmt.Println(string(out.Value), out.GetExpire() > 0)
	stats := first.(groupcache.Group).GroupStats()
	fmt.Println(stats.RemoveKeysRequests.String(), stats.RemovedKeys.String())
	check(cluster.Shutdown(context.Background()))

	fmt.Println("-- many callers, one load")
	var slow atomic.Int64
	many, err := groupcache.New(groupcache.Options{}).NewGroup("slow", 1<<20, groupcache.GetterFunc(
		func(_ context.Context, key string, dest transport.Sink) error {
			slow.Add(1)
			time.Sleep(200 * time.Millisecond)
			return dest.SetBytes([]byte(key), time.Time{})
		}))
	check(err)
	var all sync.WaitGroup
	for range 100 {
		all.Add(1)
		go func() {
			defer all.Done()
			if get(many, "key") != "key" {
				fmt.Println("wrong")
			}
		}()
	}
	all.Wait()
	used, hot := many.UsedBytes()
	fmt.Println(slow.Load(), "load,", used, hot, "bytes")
}
