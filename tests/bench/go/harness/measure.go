package harness

import (
	"bytes"
	"fmt"
	"math/bits"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// histogram counts times in buckets that are at most 1 % wide.
type histogram [64 << 7]int64

func (h *histogram) add(ns int64) {
	x := uint64(max(ns, 0))
	if x < 1<<7 {
		h[x]++
		return
	}
	shift := 63 - bits.LeadingZeros64(x) - 7
	h[uint64(shift+1)<<7+(x>>shift)&(1<<7-1)]++
}

func (h *histogram) quantileUs(q float64) float64 {
	var all int64
	for _, count := range h {
		all += count
	}
	left := int64(q * float64(all))
	for i, count := range h {
		if left -= count; left >= 0 {
			continue
		}
		shift := i >> 7
		if shift == 0 {
			return float64(i) / 1e3
		}
		return float64(uint64(i&(1<<7-1)|1<<7)<<(shift-1)) / 1e3
	}
	return 0
}

// cpuSeconds is the CPU time that a process has used; 0: this one.
func cpuSeconds(pid int) float64 {
	clock := int32(unix.CLOCK_PROCESS_CPUTIME_ID)
	if pid != 0 {
		clock = int32(^pid<<3 | 2) // as clock_getcpuclockid makes it
	}
	var time unix.Timespec
	if unix.ClockGettime(clock, &time) != nil {
		return 0
	}
	return float64(time.Sec) + float64(time.Nsec)/1e9
}

// connectionsTo counts the established TCP connections of this machine to a port.
func connectionsTo(address string) int {
	port, _ := strconv.Atoi(address[strings.LastIndexByte(address, ':')+1:])
	wanted := fmt.Sprintf(":%04X", port)
	found := 0
	for _, file := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6"} {
		text, _ := os.ReadFile(file)
		for _, line := range bytes.Split(text, []byte("\n")) {
			words := bytes.Fields(line)
			if len(words) > 3 && string(words[3]) == "01" && strings.HasSuffix(string(words[2]), wanted) {
				found++
			}
		}
	}
	return found
}

// Measure runs op on n goroutines for some seconds; op says how many operations it was. Between looks at whether the time is
// over there are `turn` of them. With times, each one is timed. When there is an owner, its CPU time and the connections to
// it are told as well.
func Measure(n int, seconds float64, turn int, times bool, op func(worker, call int) int) Answer {
	var stop atomic.Bool
	var total atomic.Int64
	var workers sync.WaitGroup
	all := make([]*histogram, n)
	ownCPU, ownerCPU, begin := cpuSeconds(0), 0.0, time.Now()
	if *OwnerPid != 0 {
		ownerCPU = cpuSeconds(*OwnerPid)
	}
	for w := range n {
		workers.Add(1)
		all[w] = new(histogram)
		go func() {
			defer workers.Done()
			done, calls := 0, 0
			for once := true; once || !stop.Load(); once = false {
				for range turn {
					if times {
						start := time.Now()
						done += op(w, calls)
						all[w].add(time.Since(start).Nanoseconds())
					} else {
						done += op(w, calls)
					}
					calls++
				}
			}
			total.Add(int64(done))
		}()
	}
	connections := 0
	for range 2 {
		time.Sleep(time.Duration(seconds / 2 * float64(time.Second)))
		if *Owner != "" {
			connections = max(connections, connectionsTo(*Owner))
		}
	}
	stop.Store(true)
	workers.Wait()
	operations := float64(total.Load())
	a := Answer{"ops_per_s": operations / time.Since(begin).Seconds(), "cpu_us": (cpuSeconds(0) - ownCPU) / operations * 1e6}
	if *Owner != "" {
		a["connections"] = float64(connections)
	}
	if *OwnerPid != 0 {
		a["peer_cpu_us"] = (cpuSeconds(*OwnerPid) - ownerCPU) / operations * 1e6
	}
	if times {
		for _, h := range all[1:] {
			for i, count := range h {
				all[0][i] += count
			}
		}
		a["p50_us"], a["p99_us"], a["p999_us"] = all[0].quantileUs(0.5), all[0].quantileUs(0.99), all[0].quantileUs(0.999)
	}
	return a
}

// Status is a number of /proc/self/status, such as "VmRSS:" (in KiB) or "Threads:".
func Status(name string) float64 {
	text, _ := os.ReadFile("/proc/self/status")
	for _, line := range strings.Split(string(text), "\n") {
		if rest, ok := strings.CutPrefix(line, name); ok {
			return Must(strconv.ParseFloat(strings.Fields(rest)[0], 64))
		}
	}
	return 0
}

// Memory is what this process has in memory, and what of that is alive on Go's heap, after two collections.
func Memory() (resident, heap float64) {
	runtime.GC()
	debug.FreeOSMemory()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return Status("VmRSS:") * 1024, float64(stats.HeapAlloc)
}

// Fill measures what n entries cost: fill adds entry i, count says how many there are in the end (-1: the cache cannot say).
func Fill(n int, add func(i int), count func() int) Answer {
	add(0)
	resident, heap := Memory()
	begin := time.Now()
	for i := range n {
		add(i)
	}
	seconds := time.Since(begin).Seconds()
	after, heapAfter := Memory()
	if have := count(); have >= 0 && have < n {
		Check(fmt.Errorf("the cache holds %d entries of %d", have, n))
	}
	return Answer{
		"bytes_per_entry": (after - resident) / float64(n),
		"heap_per_entry":  (heapAfter - heap) / float64(n),
		"fills_per_s":     float64(n) / seconds,
	}
}

// UniformHits measures gets by one goroutine of keys that are all as likely.
func UniformHits(n int, seconds float64, get func(key string)) Answer {
	random := Random(1)
	keys := make([]string, Order)
	for i := range keys {
		keys[i] = Key(int(random.Next() % uint64(n)))
	}
	return Measure(1, seconds, 256, false, func(_, call int) int {
		get(keys[call%Order])
		return 1
	})
}
