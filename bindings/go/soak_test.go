package groupcache_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	groupcache "github.com/cohort-cache/cohort/bindings/go"
	"github.com/cohort-cache/cohort/bindings/go/internal/core"
	"github.com/cohort-cache/cohort/bindings/go/transport"
	"github.com/cohort-cache/cohort/bindings/go/transport/peer"
)

// sample is what the process holds at one time.
type sample struct{ memory, heap, threads, descriptors, goroutines int }

func (s sample) String() string {
	return fmt.Sprintf("%d MiB, %d MiB of them Go's, %d threads, %d descriptors, %d goroutines",
		s.memory>>20, s.heap>>20, s.threads, s.descriptors, s.goroutines)
}

func takeSample(t *testing.T) (s sample) {
	t.Helper()
	runtime.GC()
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	statm, err := os.ReadFile("/proc/self/statm")
	require.NoError(t, err)
	pages, err := strconv.Atoi(strings.Fields(string(statm))[1])
	require.NoError(t, err)
	descriptors, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return sample{pages * os.Getpagesize(), int(mem.HeapAlloc), threads(t), len(descriptors), runtime.NumGoroutine()}
}

// TestSoak does everything at once for COHORT_SOAK_SECONDS: tests/soak/README.md tells the story.
func TestSoak(t *testing.T) {
	seconds, _ := strconv.Atoi(os.Getenv("COHORT_SOAK_SECONDS"))
	if seconds == 0 {
		t.Skip("COHORT_SOAK_SECONDS is not set")
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	nodes := startNodesWith(t, 3, func() transport.Transport {
		return transport.NewHttpTransport(transport.HttpTransportOptions{Logger: quiet})
	}, groupcache.Options{}, func(int) groupcache.GetterFunc { return soakGetter })

	var calls atomic.Int64
	var rest sync.RWMutex // locked while the workers rest
	stop := make(chan struct{})
	var workers sync.WaitGroup
	work := func(number uint64, once func(random *rand.Rand)) {
		workers.Add(1)
		go func() {
			defer workers.Done()
			random := rand.New(rand.NewPCG(seed, number))
			for {
				select {
				case <-stop:
					return
				default:
					rest.RLock()
					once(random)
					rest.RUnlock()
				}
			}
		}()
	}
	for i := range uint64(6) {
		work(i, func(random *rand.Rand) {
			calls.Add(1)
			soakCall(t, nodes[random.IntN(len(nodes))].group, random)
		})
	}
	work(6, func(random *rand.Rand) { soakTrouble(t, nodes, random) })

	const samples = 45
	var taken []sample
	begun, all := time.Now(), time.Duration(seconds)*time.Second
	for i := 1; i <= samples; i++ {
		time.Sleep(time.Until(begun.Add(all/10 + all*9/10*time.Duration(i)/samples)))
		rest.Lock()
		taken = append(taken, takeSample(t))
		rest.Unlock()
	}
	close(stop)
	workers.Wait()
	for _, i := range []int{0, samples / 2, samples - 1} {
		t.Logf("sample %2d: %v", i+1, taken[i])
	}
	t.Logf("%d calls in %d s", calls.Load(), seconds)
	assert.Greater(t, calls.Load(), int64(seconds))
	assert.Zero(t, core.OpenFailures(), "errors are forgotten once they have been delivered")

	// In a short run the caches are still filling up and pools still grow.
	limit := sample{256 << 20, 64 << 20, 200, 200, 200}
	if seconds >= 300 {
		limit = sample{24 << 20, 2 << 20, 100, 100, 24}
	}
	for what, field := range map[string]func(sample) int{
		"memory":      func(s sample) int { return s.memory },
		"Go's memory": func(s sample) int { return s.heap },
		"threads":     func(s sample) int { return s.threads },
		"descriptors": func(s sample) int { return s.descriptors },
		"goroutines":  func(s sample) int { return s.goroutines },
	} {
		before, after := median(taken[:samples/3], field), median(taken[samples-samples/3:], field)
		assert.LessOrEqual(t, after-before, field(limit), "%s grew from %d to %d", what, before, after)
	}
}

func median(samples []sample, field func(sample) int) int {
	values := make([]int, len(samples))
	for i, s := range samples {
		values[i] = field(s)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func soakGetter(ctx context.Context, key string, dest transport.Sink) error {
	switch key[0] {
	case 'm':
		return &transport.ErrNotFound{Msg: "not found: " + key}
	case 'f':
		return getterError("load failed: " + key)
	case 'p':
		panic(key)
	case 's':
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	case 'e':
		return dest.SetString(key, time.Now().Add(20*time.Millisecond))
	case 'l':
		return dest.SetBytes(make([]byte, 100_000), time.Time{})
	}
	return dest.SetString("value of "+key, time.Time{})
}

func soakKey(random *rand.Rand) string {
	const kinds = "aaaaaaaabbbbbbbbmfpseel"
	return fmt.Sprintf("%c%d", kinds[random.IntN(len(kinds))], random.IntN(3000))
}

// soakCall is one call of a program.
func soakCall(t *testing.T, g groupcache.ExtendedGroup, random *rand.Rand) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	switch random.IntN(16) {
	case 0:
		expire := time.Now().Add(time.Duration(random.IntN(2000)) * time.Millisecond)
		soakExpect(t, g.Set(ctx, soakKey(random), make([]byte, random.IntN(2000)), expire, false))
	case 1:
		soakExpect(t, g.Remove(ctx, soakKey(random)))
	case 2:
		soakExpect(t, g.RemoveKeys(ctx, soakKey(random), soakKey(random), soakKey(random)))
	case 3:
		keys := make([]string, 20)
		for i := range keys {
			keys[i] = soakKey(random)
		}
		for _, result := range g.GetMany(ctx, keys) {
			soakExpect(t, result.Err)
		}
	case 4:
		g.Peek(soakKey(random), nil)
	case 5:
		time.AfterFunc(time.Duration(random.IntN(2000))*time.Microsecond, cancel)
		soakExpect(t, getAnswer(ctx, g, soakKey(random)).err)
	case 6:
		ctx, cancel := context.WithTimeout(ctx, time.Duration(1+random.IntN(5))*time.Millisecond)
		defer cancel()
		soakExpect(t, getAnswer(ctx, g, soakKey(random)).err)
	default:
		soakExpect(t, getAnswer(ctx, g, soakKey(random)).err)
	}
}

// soakTrouble lets groups, listeners and nodes come and go.
func soakTrouble(t *testing.T, nodes []*node, random *rand.Rand) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	n := nodes[random.IntN(len(nodes))]
	switch random.IntN(4) {
	case 0:
		g, err := n.instance.NewGroup("passing", 1<<20, groupcache.GetterFunc(soakGetter))
		require.NoError(t, err)
		for range 20 {
			soakExpect(t, getAnswer(ctx, g, soakKey(random)).err)
		}
		n.instance.RemoveGroup("passing")
	case 1:
		require.NoError(t, n.transport.Shutdown(ctx))
		require.NoError(t, n.transport.ListenAndServe(ctx, n.address))
	case 2:
		guest, err := groupcache.ListenAndServe(ctx, "127.0.0.1:0", groupcache.Options{Logger: quiet})
		require.NoError(t, err)
		g, err := guest.NewGroup("group", 1<<20, groupcache.GetterFunc(soakGetter))
		require.NoError(t, err)
		peers := []peer.Info{{Address: guest.ListenAddress()}}
		for _, other := range nodes {
			peers = append(peers, peer.Info{Address: other.address})
		}
		require.NoError(t, guest.SetPeers(ctx, peers))
		for range 50 {
			soakExpect(t, getAnswer(ctx, g, soakKey(random)).err)
		}
		require.NoError(t, guest.Shutdown(ctx))
	default:
		time.Sleep(time.Duration(random.IntN(50)) * time.Millisecond)
	}
}

// soakExpect lets pass what goes wrong now and then, and nothing else.
func soakExpect(t *testing.T, err error) {
	switch kindOf(err) {
	case "", "not_found", "load_failed", "remote_failed", "timeout", "cancelled", "unreachable":
	default:
		t.Errorf("unexpected: %v", err)
	}
}
