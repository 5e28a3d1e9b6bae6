package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/groupcache/groupcache-go/v3"
	"github.com/groupcache/groupcache-go/v3/transport"
	"github.com/groupcache/groupcache-go/v3/transport/peer"

	. "bench/harness"
)

func newCounter(first int) func() int {
	last := atomic.Int64{}
	last.Store(int64(first) - 1)
	return func() int { return int(last.Add(1)) }
}

func join(cacheBytes int64, getter groupcache.GetterFunc) (*groupcache.Daemon, transport.Group) {
	options := groupcache.Options{}
	if *Tuned != 0 {
		pool := http.DefaultTransport.(*http.Transport).Clone()
		pool.MaxIdleConns, pool.MaxIdleConnsPerHost = 1024, 1024
		options.Transport = transport.NewHttpTransport(transport.HttpTransportOptions{Client: &http.Client{Transport: pool}})
	}
	daemon := Must(groupcache.ListenAndServe(context.Background(), *Listen, options))
	group := Must(daemon.NewGroup("bench", cacheBytes, getter))
	var members []peer.Info
	for _, address := range strings.Split(*Peers, ",") {
		members = append(members, peer.Info{Address: address, IsSelf: address == *Listen})
	}
	Check(daemon.SetPeers(context.Background(), members))
	return daemon, group
}

// owner -listen A -peers A,B [-tuned 1]: serves its keys until its input ends.
func owner() {
	join(512<<20, load)
	Serve(nil, func(Words) Answer { panic("an owner answers its peers only") })
}

func keysOf(daemon *groupcache.Daemon, owner string, count int) (keys []string) {
	for i := 0; len(keys) < count; i++ {
		if client, isRemote := daemon.GetInstance().PickPeer(Key(i)); isRemote && client.PeerInfo().Address == owner {
			keys = append(keys, Key(i))
		}
	}
	return keys
}

// asker -listen B -peers A,B -owner A -owner-pid P [-tuned 1] [-keep 1]: keeps nothing unless told to; asked "get|many|set|remove N SECONDS".
func asker() {
	daemon, group := join(int64(*Keep)*(512<<20), load)
	keys := keysOf(daemon, *Owner, 10_000)
	for _, key := range keys { // the owner loads them
		Verify(NumberOf(key), getView(group, key).ByteSlice())
	}
	ctx, value := context.Background(), Value(0, ValueBytes)
	Serve(nil, func(words Words) Answer {
		callers := make([]struct {
			random Random
			state
		}, words.Int(1))
		for w := range callers {
			callers[w].random, callers[w].keys = Random(w), make([]string, 100)
		}
		return Measure(len(callers), words.Float(2), 1, true, func(worker, _ int) int {
			caller := &callers[worker]
			key := keys[caller.random.Next()%uint64(len(keys))]
			switch words[0] {
			case "get":
				caller.sum += uint64(getView(group, key).At(0))
			case "many":
				for i := range caller.keys {
					caller.keys[i] = keys[caller.random.Next()%uint64(len(keys))]
				}
				many(group, caller.keys, func(v transport.ByteView) { caller.sum += uint64(v.At(0)) })
				return len(caller.keys)
			case "set":
				Check(group.Set(ctx, key, value, time.Time{}, false))
			default:
				Check(group.Remove(ctx, key))
			}
			return 1
		})
	})
}

// node -listen A -peers A,B,...: asked "cold KEY CALLERS", and "loads", as node.cc says.
func node() {
	var loads atomic.Int64
	_, group := join(64<<20, func(_ context.Context, _ string, dest transport.Sink) error {
		loads.Add(1)
		time.Sleep(100 * time.Millisecond)
		return dest.SetString("cold", time.Time{})
	})
	Serve(nil, func(words Words) Answer {
		if words[0] == "loads" {
			return Answer{"loads": float64(loads.Load())}
		}
		begin := time.Now()
		var callers sync.WaitGroup
		for range words.Int(2) {
			callers.Add(1)
			go func() {
				defer callers.Done()
				getView(group, words[1])
			}()
		}
		callers.Wait()
		return Answer{"ms": float64(time.Since(begin).Microseconds()) / 1e3}
	})
}

// waiting [-listen B -peers A,B [-owner A]]: asked "ask N", "state", "release", "ended", as waiting.cc says.
func waiting() {
	release := make(chan struct{})
	var held atomic.Int64
	getter := func(_ context.Context, key string, dest transport.Sink) error {
		if strings.HasPrefix(key, "warm") {
			return dest.SetString("warm", time.Time{})
		}
		held.Add(1)
		<-release
		return dest.SetString("late", time.Time{})
	}
	var group transport.Group
	var daemon *groupcache.Daemon
	if *Listen == "" {
		group = alone(64<<20, getter)
	} else {
		daemon, group = join(64<<20, getter)
	}
	var callers sync.WaitGroup
	Serve(nil, func(words Words) Answer {
		switch words[0] {
		case "ask":
			n := words.Int(1)
			keys := Keys(n)
			if *Owner != "" {
				keys = keysOf(daemon, *Owner, n)
				// The two have met before: what is measured is waiting, not the first contact.
				for i := range 16 {
					getView(group, fmt.Sprint("warm-", i))
				}
			}
			threads := Status("Threads:")
			resident, _ := Memory()
			for _, key := range keys {
				callers.Add(1)
				go func() {
					defer callers.Done()
					getView(group, key)
				}()
			}
			for *Owner == "" && held.Load() < int64(n) {
				time.Sleep(time.Millisecond)
			}
			time.Sleep(200 * time.Millisecond) // those that a peer has are under way by then
			after, _ := Memory()
			return Answer{"bytes_per_get": (after - resident) / float64(n), "threads_before": threads, "threads": Status("Threads:")}
		case "state":
			return Answer{"held": float64(held.Load()), "threads": Status("Threads:")}
		case "release":
			close(release)
		default:
			callers.Wait()
		}
		return Answer{}
	})
}

// ring -peers N: asked "set", "owner SECONDS", "hit SECONDS", as ring.cc says.
func ring() {
	address := func(i int) string { return fmt.Sprintf("10.%d.%d.%d:8080", i/65536, i/256%256, i%256) }
	infos := []peer.Info{{Address: address(0), IsSelf: true}}
	for i := 1; i < Must(strconv.Atoi(*Peers)); i++ {
		infos = append(infos, peer.Info{Address: address(i)})
	}
	instance := groupcache.New(groupcache.Options{})
	group := Must(instance.NewGroup("bench", 512<<20, groupcache.GetterFunc(load)))
	Check(instance.SetPeers(context.Background(), infos))
	keys := Keys(10_000)
	var own []string
	for i := 0; len(own) < 100; i++ {
		if _, isRemote := instance.PickPeer(Key(i)); !isRemote {
			own = append(own, Key(i))
			getView(group, Key(i))
		}
	}
	Serve(nil, func(words Words) Answer {
		switch words[0] {
		case "set":
			Check(instance.SetPeers(context.Background(), infos[:1]))
			begin := time.Now()
			Check(instance.SetPeers(context.Background(), infos))
			return Answer{"ms": float64(time.Since(begin).Nanoseconds()) / 1e6}
		case "owner":
			return Measure(1, words.Float(1), 256, false, func(_, call int) int {
				instance.PickPeer(keys[call%len(keys)])
				return 1
			})
		}
		return Measure(1, words.Float(1), 256, false, func(_, call int) int {
			getView(group, own[call%len(own)])
			return 1
		})
	})
}
