package groupcache_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/cohort-cache/cohort/bindings/go/transport"
)

// mostThreads runs work and returns the most threads that the process had meanwhile.
func mostThreads(t *testing.T, work func()) int {
	t.Helper()
	stop, most := make(chan struct{}), make(chan int)
	go func() {
		highest := 0
		for {
			highest = max(highest, threads(t))
			select {
			case <-stop:
				most <- highest
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()
	work()
	close(stop)
	return <-most
}

func TestThreadsStayFewHoweverManyGoroutinesWait(t *testing.T) {
	if os.Getenv("COHORT_TEST_ALONE") == "" {
		// In a process of its own, without the threads that other tests have left.
		cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		cmd.Env = append(os.Environ(), "COHORT_TEST_ALONE=1")
		out, err := cmd.CombinedOutput()
		t.Logf("%s", out)
		assert.NoError(t, err)
		return
	}
	for _, procs := range []int{4, 16} {
		limit := 2*procs + 24
		t.Run(fmt.Sprintf("GOMAXPROCS=%d", procs), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			t.Run("100,000 gets of one key", func(t *testing.T) {
				release := make(chan struct{})
				g := newGroup(t, func(_ context.Context, key string, dest transport.Sink) error {
					<-release
					return dest.SetString(key, time.Time{})
				})
				getters := 100_000
				if raceEnabled {
					getters = 8000 // the detector's own limit of goroutines
				}
				most := mostThreads(t, func() {
					var all sync.WaitGroup
					for range getters {
						all.Add(1)
						go func() {
							defer all.Done()
							_, err := getString(context.Background(), g, "key")
							assert.NoError(t, err)
						}()
					}
					waiting(t, g, int64(getters))
					close(release)
					all.Wait()
				})
				stats := g.GroupStats()
				assert.EqualValues(t, 1, stats.LocalLoads.Get())
				assert.Less(t, most, limit)
				t.Logf("%d threads at most", most)
			})
			t.Run("hits by 5,000 goroutines", func(t *testing.T) {
				g := newGroup(t, func(_ context.Context, key string, dest transport.Sink) error {
					return dest.SetString(key, time.Time{})
				})
				most := mostThreads(t, func() {
					var all sync.WaitGroup
					for i := range 5000 {
						all.Add(1)
						go func() {
							defer all.Done()
							for range 50 {
								_, err := getString(context.Background(), g, fmt.Sprint(i%100))
								assert.NoError(t, err)
							}
						}()
					}
					all.Wait()
				})
				assert.Less(t, most, limit)
				t.Logf("%d threads at most", most)
			})
			t.Run("10,000 gets of different slow keys", func(t *testing.T) {
				release := make(chan struct{})
				var running atomic.Int64
				g := newGroup(t, func(_ context.Context, key string, dest transport.Sink) error {
					running.Add(1)
					<-release
					return dest.SetString(key, time.Time{})
				})
				getters := 10_000
				if raceEnabled {
					getters = 7000
				}
				most := mostThreads(t, func() {
					var all sync.WaitGroup
					for i := range getters {
						all.Add(1)
						go func() {
							defer all.Done()
							_, err := getString(context.Background(), g, fmt.Sprint(i))
							assert.NoError(t, err)
						}()
					}
					eventually(t, "every getter runs", func() bool { return running.Load() == int64(getters) })
					close(release)
					all.Wait()
				})
				assert.Less(t, most, limit)
				t.Logf("%d threads at most", most)
			})
		})
	}
}
