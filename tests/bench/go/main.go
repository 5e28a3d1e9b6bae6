// The Go side of the benchmarks, written against groupcache-go v3 and built twice: with the real module, and with Cohort's
// drop-in by one replace line. Each run prints one line of JSON.
//
//	bench local -threads N -kind view|fresh     hits in this process
//	bench owner -listen A -peers A,B            serves its keys until killed
//	bench remote -listen B -peers A,B -owner A -callers N    asks the owner for every key, keeping nothing
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"math/rand"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/groupcache/groupcache-go/v3"
	"github.com/groupcache/groupcache-go/v3/transport"
	"github.com/groupcache/groupcache-go/v3/transport/peer"
)

var (
	flags   = flag.NewFlagSet("bench", flag.ExitOnError)
	threads = flags.Int("threads", 1, "goroutines that get")
	kind    = flags.String("kind", "view", "what a hit hands out: view or fresh")
	listen  = flags.String("listen", "", "this member's address")
	peers   = flags.String("peers", "", "every member's address")
	owner   = flags.String("owner", "", "whose keys to ask for")
	callers = flags.Int("callers", 1, "goroutines that ask")
	tuned   = flags.Bool("tuned", false, "keep connections alive for every caller")
	seconds = flags.Float64("seconds", 1, "how long to measure")
	entries = flags.Int("entries", 100_000, "entries of 1 KiB")
)

type result struct {
	OpsPerSecond float64 `json:"ops_per_s"`
	P50Us        float64 `json:"p50_us,omitempty"`
	P99Us        float64 `json:"p99_us,omitempty"`
}

func key(i int) string { return fmt.Sprintf("key-%08d", i) }

func load(_ context.Context, _ string, dest transport.Sink) error {
	return dest.SetBytes(make([]byte, 1024), time.Time{})
}

func main() {
	log.SetFlags(0)
	if len(os.Args) < 2 {
		log.Fatal("usage: bench local|owner|remote [flags]")
	}
	flags.Parse(os.Args[2:])
	switch os.Args[1] {
	case "local":
		show(local())
	case "owner":
		member(512 << 20)
		fmt.Println("ready")
		select {}
	case "remote":
		show(remote())
	default:
		log.Fatalf("there is no %q", os.Args[1])
	}
}

func show(r result) { json.NewEncoder(os.Stdout).Encode(r) }

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

// measure runs op on n goroutines for the given time.
func measure(n int, op func(worker int, random *rand.Rand), latencies bool) result {
	var stop atomic.Bool
	var total atomic.Int64
	var mu sync.Mutex
	var all []int64
	var workers sync.WaitGroup
	begin := time.Now()
	for w := range n {
		workers.Add(1)
		go func() {
			defer workers.Done()
			random := rand.New(rand.NewSource(int64(w)))
			var count int64
			var mine []int64
			for !stop.Load() {
				if latencies {
					start := time.Now()
					op(w, random)
					mine = append(mine, time.Since(start).Nanoseconds())
				} else {
					op(w, random)
				}
				count++
			}
			total.Add(count)
			mu.Lock()
			all = append(all, mine...)
			mu.Unlock()
		}()
	}
	time.Sleep(time.Duration(*seconds * float64(time.Second)))
	stop.Store(true)
	workers.Wait()
	r := result{OpsPerSecond: float64(total.Load()) / time.Since(begin).Seconds()}
	if latencies {
		slices.Sort(all)
		r.P50Us = float64(all[len(all)/2]) / 1e3
		r.P99Us = float64(all[len(all)*99/100]) / 1e3
	}
	return r
}

func local() result {
	group := must(groupcache.New(groupcache.Options{}).NewGroup("bench", 512<<20, groupcache.GetterFunc(load)))
	keys := make([]string, *entries)
	var view transport.ByteView
	for i := range keys {
		keys[i] = key(i)
		if err := group.Get(context.Background(), keys[i], transport.ByteViewSink(&view)); err != nil {
			log.Fatal(err)
		}
	}
	zipfs := make([]*rand.Zipf, *threads)
	for w := range zipfs {
		zipfs[w] = rand.NewZipf(rand.New(rand.NewSource(int64(w))), 1.0001, 1, uint64(len(keys)-1))
	}
	// The keys' order is drawn before, so that drawing it is not measured.
	order := make([][]int32, *threads)
	for w := range order {
		order[w] = make([]int32, 1<<16)
		for i := range order[w] {
			order[w][i] = int32(zipfs[w].Uint64())
		}
	}
	next := make([]struct {
		at int
		_  [56]byte
	}, *threads)
	return measure(*threads, func(w int, _ *rand.Rand) {
		next[w].at++
		k := keys[order[w][next[w].at&0xffff]]
		var err error
		if *kind == "fresh" {
			var fresh []byte
			err = group.Get(context.Background(), k, transport.AllocatingByteSliceSink(&fresh))
		} else {
			var v transport.ByteView
			err = group.Get(context.Background(), k, transport.ByteViewSink(&v))
		}
		if err != nil {
			log.Fatal(err)
		}
	}, false)
}

func member(cacheBytes int64) (*groupcache.Daemon, transport.Group) {
	options := groupcache.Options{}
	if *tuned {
		pool := http.DefaultTransport.(*http.Transport).Clone()
		pool.MaxIdleConns, pool.MaxIdleConnsPerHost = 1024, 1024
		options.Transport = transport.NewHttpTransport(transport.HttpTransportOptions{Client: &http.Client{Transport: pool}})
	}
	daemon := must(groupcache.ListenAndServe(context.Background(), *listen, options))
	group := must(daemon.NewGroup("bench", cacheBytes, groupcache.GetterFunc(load)))
	var members []peer.Info
	for _, address := range strings.Split(*peers, ",") {
		members = append(members, peer.Info{Address: address, IsSelf: address == *listen})
	}
	if err := daemon.SetPeers(context.Background(), members); err != nil {
		log.Fatal(err)
	}
	return daemon, group
}

func remote() result {
	daemon, group := member(0) // keeps nothing, so that each get asks
	var keys []string
	for i := 0; len(keys) < 10_000; i++ {
		if client, isRemote := daemon.GetInstance().PickPeer(key(i)); isRemote && client.PeerInfo().Address == *owner {
			keys = append(keys, key(i))
		}
	}
	ask := func(_ int, random *rand.Rand) {
		var view transport.ByteView
		if err := group.Get(context.Background(), keys[random.Intn(len(keys))], transport.ByteViewSink(&view)); err != nil {
			log.Fatal(err)
		}
	}
	for range 2 * len(keys) { // the owner loads them
		ask(0, rand.New(rand.NewSource(rand.Int63())))
	}
	return measure(*callers, ask, true)
}
