// The driver of the mixed cluster: starts the nodes, asks them for packages, changes, kills and revives, and checks what it sees.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"math/rand"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

var (
	database  = flag.String("db", "", "the SQLite database")
	statement = flag.String("sql", "", "the statement that renders a page")
	names     = flag.String("names", "", "a file with a package's name on each line")
	logs      = flag.String("logs", "", "where the nodes' logs go")
	gets      = flag.Int("gets", 60000, "how many gets to make")
	keep      = flag.Bool("keep", false, "leave the cluster running until Ctrl-C")
)

func main() {
	flag.Parse()
	nodes, err := newNodes(flag.Args(), *database, *statement, *logs)
	if err == nil {
		err = story(nodes)
	}
	if err == nil && *keep {
		tryIt(nodes)
	}
	for _, n := range nodes {
		n.kill()
	}
	if err != nil {
		fmt.Println("\nNOT AS IT SHOULD BE:", err)
		fmt.Println("The nodes' logs are in", *logs)
		os.Exit(1)
	}
}

func story(nodes []*node) error {
	packages, err := readNames()
	if err != nil {
		return err
	}
	fmt.Printf("\n== %d nodes form one cluster\n", len(nodes))
	for _, n := range nodes {
		if err := n.start(); err != nil {
			return err
		}
		fmt.Printf("   %-14s peers on %s, control on %s\n", n.language, n.peer, n.ctl)
	}
	asked, err := ask(nodes, packages)
	if err != nil {
		return err
	}
	if err := report(nodes, asked); err != nil {
		return err
	}
	for _, chapter := range []func([]*node, []string) error{change, expire, killAndRevive} {
		if err := chapter(nodes, packages); err != nil {
			return err
		}
	}
	fmt.Println("\nAll of it was so.")
	return nil
}

func readNames() ([]string, error) {
	file, err := os.Open(*names)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var packages []string
	for scanner := bufio.NewScanner(file); scanner.Scan(); {
		packages = append(packages, scanner.Text())
	}
	// Which package is popular is decided by a fixed throw of dice, the same in every run.
	rand.New(rand.NewSource(1)).Shuffle(len(packages), func(i, j int) { packages[i], packages[j] = packages[j], packages[i] })
	return packages, nil
}

// ask makes the gets, by a Zipf distribution, on all nodes at once; it returns the distinct packages asked for.
func ask(nodes []*node, packages []string) (map[string]bool, error) {
	fmt.Printf("\n== %d gets of %d packages, the popular ones more often (Zipf), on all nodes at once\n", *gets, len(packages))
	const workersPerNode = 4
	var done atomic.Int64
	var failed error
	var mu sync.Mutex
	var workers sync.WaitGroup
	asked := map[string]bool{}
	per := *gets / (len(nodes) * workersPerNode)
	begin := time.Now()
	for w := 0; w < len(nodes)*workersPerNode; w++ {
		workers.Add(1)
		go func() {
			defer workers.Done()
			zipf := rand.NewZipf(rand.New(rand.NewSource(int64(w))), 1.1, 8, uint64(len(packages)-1))
			n := nodes[w%len(nodes)]
			var latency []int64
			mine := map[string]bool{}
			for range per {
				name := packages[zipf.Uint64()]
				answer, err := n.get(name)
				if err == nil && !strings.HasPrefix(string(answer.body), "Package: "+name+"\n") {
					err = fmt.Errorf("the %s node answered something else for %s", n.language, name)
				}
				if err != nil {
					mu.Lock()
					failed = err
					mu.Unlock()
					return
				}
				latency = append(latency, answer.getUs)
				mine[name] = true
				done.Add(1)
			}
			mu.Lock()
			defer mu.Unlock()
			n.latency = append(n.latency, latency...)
			for name := range mine {
				asked[name] = true
			}
		}()
	}
	finished := make(chan struct{})
	go func() { workers.Wait(); close(finished) }()
	for {
		select {
		case <-finished:
			progress(nodes, done.Load(), begin)
			return asked, failed
		case <-time.After(time.Second):
			progress(nodes, done.Load(), begin)
		}
	}
}

func progress(nodes []*node, done int64, begin time.Time) {
	var hits, gets int64
	for _, n := range nodes {
		if s, err := n.stats(); err == nil {
			hits, gets = hits+s.Hits, gets+s.Gets
		}
	}
	fmt.Printf("   %7d gets  %6.0f a second  %5.1f %% of lookups hit\n", done, float64(done)/time.Since(begin).Seconds(),
		100*float64(hits)/float64(max(gets, 1)))
}

// report shows the table and checks that each package was loaded once, by its owner.
func report(nodes []*node, asked map[string]bool) error {
	fmt.Printf("\n   %-14s %8s %7s %11s %8s %9s %9s %9s\n", "node", "gets", "hits", "from peers", "loads", "queries", "p50 us", "p99 us")
	var queries, callerGets int64
	for _, n := range nodes {
		s, err := n.stats()
		if err != nil {
			return err
		}
		slices.Sort(n.latency)
		at := func(q float64) int64 { return n.latency[int(q*float64(len(n.latency)-1))] }
		fmt.Printf("   %-14s %8d %6.1f%% %11d %8d %9d %9d %9d\n", n.language, s.Gets, 100*float64(s.Hits)/float64(s.Gets),
			s.FromPeers, s.Loads, s.Queries, at(0.5), at(0.99))
		queries += s.Queries
		callerGets += int64(len(n.latency))
	}
	fmt.Printf("\n   %d gets cost %d database queries: %d were saved.\n", callerGets, queries, callerGets-queries)

	for _, n := range nodes {
		counts, err := n.loads()
		if err != nil {
			return err
		}
		for name, count := range counts {
			owner, err := nodes[0].owner(name)
			if err != nil {
				return err
			}
			if count != 1 || owner != n.peer {
				return fmt.Errorf("%s loaded %s %d times; its owner is %s", n.peer, name, count, owner)
			}
			if !asked[name] {
				return fmt.Errorf("%s was loaded and nobody had asked for it", name)
			}
		}
	}
	if queries != int64(len(asked)) {
		return fmt.Errorf("%d packages were asked for, but %d queries made", len(asked), queries)
	}
	fmt.Printf("   %d packages were asked for, and each was loaded exactly once, by its owner.\n", len(asked))
	return sameBytes(nodes, asked)
}

// sameBytes compares pages that every node has been asked for.
func sameBytes(nodes []*node, asked map[string]bool) error {
	compared := 0
	for name := range asked {
		var first []byte
		for i, n := range nodes {
			answer, err := n.get(name)
			if err != nil {
				return err
			}
			if i == 0 {
				first = answer.body
			} else if string(first) != string(answer.body) {
				return fmt.Errorf("the %s node answers other bytes for %s than the %s node", n.language, name, nodes[0].language)
			}
		}
		if compared++; compared == 200 {
			break
		}
	}
	fmt.Printf("   %d pages were the same bytes on every node.\n", compared)
	return nil
}

// expectAll waits for nothing: right after an acknowledged change every node must answer the new value.
func expectAll(nodes []*node, name, prefix string) error {
	for _, n := range nodes {
		answer, err := n.get(name)
		if err != nil {
			return err
		}
		if !strings.HasPrefix(string(answer.body), prefix) {
			return fmt.Errorf("the %s node still answers %.60q for %s", n.language, answer.body, name)
		}
	}
	return nil
}

func change(nodes []*node, packages []string) error {
	fmt.Println("\n== A package changes")
	for i, setter := range nodes {
		name := packages[i]
		value := "Changed by the " + setter.language + " node"
		if err := setter.set(name, value, 0); err != nil {
			return err
		}
		if err := expectAll(nodes, name, value); err != nil {
			return err
		}
		remover := nodes[(i+1)%len(nodes)]
		if err := remover.remove(name); err != nil {
			return err
		}
		if err := expectAll(nodes, name, "Package: "+name+"\n"); err != nil {
			return err
		}
		fmt.Printf("   %-36s set by %s: seen by all; removed by %s: all are back at the database's page\n", name,
			setter.language, remover.language)
	}
	return nil
}

func expire(nodes []*node, packages []string) error {
	fmt.Println("\n== A value expires")
	name := packages[len(nodes)]
	const value = "Gone in a moment"
	set := time.Now()
	if err := nodes[0].set(name, value, 1500); err != nil {
		return err
	}
	if err := expectAll(nodes, name, value); err != nil {
		return err
	}
	for _, n := range nodes {
		for {
			answer, err := n.get(name)
			if err != nil {
				return err
			}
			if !strings.HasPrefix(string(answer.body), value) {
				break
			}
			if time.Since(set) > 10*time.Second {
				return fmt.Errorf("the %s node still answers the expired value", n.language)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	fmt.Printf("   %s was set for 1.5 s; after %.1f s every node answers the database's page again\n", name,
		time.Since(set).Seconds())
	return nil
}

func killAndRevive(nodes []*node, packages []string) error {
	victim := nodes[len(nodes)-2]
	survivors := slices.DeleteFunc(slices.Clone(nodes), func(n *node) bool { return n == victim })
	fmt.Printf("\n== The %s node is killed\n", victim.language)
	victim.kill()
	answered, begin := 0, time.Now()
	for _, name := range packages[:300] {
		for _, n := range survivors {
			if err := expectAll([]*node{n}, name, "Package: "+name+"\n"); err != nil {
				return err
			}
			answered++
		}
	}
	fmt.Printf("   the others answered all of %d gets in %.1f s, the dead node's packages from their own getters\n", answered,
		time.Since(begin).Seconds())
	fmt.Printf("== and comes back\n")
	if err := victim.start(); err != nil {
		return err
	}
	// A key that nobody has: its owner is the node that has just come back. Peers may take a moment to try it again.
	for i, deadline := len(packages)-1, time.Now().Add(30*time.Second); ; i-- {
		if owner, err := survivors[0].owner(packages[i]); err != nil {
			return err
		} else if owner != victim.peer {
			continue
		}
		if err := expectAll(survivors, packages[i], "Package: "+packages[i]+"\n"); err != nil {
			return err
		}
		counts, err := victim.loads()
		if err != nil {
			return err
		}
		if counts[packages[i]] == 1 {
			fmt.Printf("   it owns %s again: loaded once, by it, for all\n", packages[i])
			return nil
		}
		if time.Now().After(deadline) || i < len(packages)/2 {
			return fmt.Errorf("the %s node came back, but the others do not ask it", victim.language)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func tryIt(nodes []*node) {
	fmt.Println("\nThe cluster goes on until you press Ctrl-C. Try:")
	for _, n := range nodes {
		fmt.Printf("   curl 'http://%s/get?key=bash'      # %s\n", n.ctl, n.language)
	}
	first, last := nodes[0], nodes[len(nodes)-1]
	fmt.Printf("   curl -X PUT -d 'my own page' 'http://%s/set?key=bash'; curl 'http://%s/get?key=bash'\n", first.ctl, last.ctl)
	fmt.Printf("   curl -X POST 'http://%s/remove?key=bash'; curl 'http://%s/get?key=bash'\n", last.ctl, first.ctl)
	fmt.Printf("   curl 'http://%s/stats'\n", first.ctl)
	fmt.Printf("   curl -s 'http://%s/_groupcache/packages/bash' | strings | head      # as a peer asks\n", first.peer)
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt)
	<-interrupted
}
