// A member of the mixed cluster in Go, written against groupcache-go v3. It is built twice, from this one file: with the real
// module, and with Cohort's drop-in by one replace line in go.mod.
//
// The getter renders a package's page from the SQLite database. The control port serves the driver:
// /ping /get /set /remove /stats /loads /owner.
package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/groupcache/groupcache-go/v3"
	"github.com/groupcache/groupcache-go/v3/transport"
	"github.com/groupcache/groupcache-go/v3/transport/peer"
	_ "github.com/mattn/go-sqlite3"
)

var (
	name    = flag.String("name", "Go", "what this node calls itself")
	listen  = flag.String("listen", "", "the address for peers")
	ctl     = flag.String("ctl", "", "the address for the driver")
	peers   = flag.String("peers", "", "every member's address, separated by commas")
	db      = flag.String("db", "", "the SQLite database")
	sqlFile = flag.String("sql", "", "the statement that renders a page")
)

// catalog is this node's source of truth, and what it was asked.
type catalog struct {
	page    *sql.Stmt
	queries atomic.Int64
	mu      sync.Mutex
	loads   strings.Builder
}

func openCatalog() (*catalog, error) {
	statement, err := os.ReadFile(*sqlFile)
	if err != nil {
		return nil, err
	}
	database, err := sql.Open("sqlite3", "file:"+*db+"?mode=ro")
	if err != nil {
		return nil, err
	}
	page, err := database.Prepare(string(statement))
	return &catalog{page: page}, err
}

// Get is the getter.
func (c *catalog) Get(ctx context.Context, key string, dest transport.Sink) error {
	c.queries.Add(1)
	c.mu.Lock()
	c.loads.WriteString(key + "\n")
	c.mu.Unlock()
	var page string
	err := c.page.QueryRow(key).Scan(&page)
	if errors.Is(err, sql.ErrNoRows) {
		return &transport.ErrNotFound{Msg: "no such package"}
	}
	if err != nil {
		return err
	}
	return dest.SetString(page, time.Time{})
}

func main() {
	flag.Parse()
	ctx := context.Background()
	source, err := openCatalog()
	if err != nil {
		log.Fatal(err)
	}
	daemon, err := groupcache.ListenAndServe(ctx, *listen, groupcache.Options{Logger: quiet{}})
	if err != nil {
		log.Fatal(err)
	}
	group, err := daemon.GetInstance().NewGroup("packages", 64<<20, source)
	if err != nil {
		log.Fatal(err)
	}
	var members []peer.Info
	for _, address := range strings.Split(*peers, ",") {
		members = append(members, peer.Info{Address: address, IsSelf: address == *listen})
	}
	if err := daemon.SetPeers(ctx, members); err != nil {
		log.Fatal(err)
	}

	fail := func(w http.ResponseWriter, err error) {
		status := http.StatusBadGateway
		if errors.Is(err, &transport.ErrNotFound{}) {
			status = http.StatusNotFound
		}
		http.Error(w, err.Error(), status)
	}
	http.HandleFunc("/ping", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, *name) })
	http.HandleFunc("/get", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 10*time.Second)
		defer cancel()
		var page []byte
		begin := time.Now()
		if err := group.Get(ctx, r.FormValue("key"), transport.AllocatingByteSliceSink(&page)); err != nil {
			fail(w, err)
			return
		}
		w.Header().Set("Get-Us", strconv.FormatInt(time.Since(begin).Microseconds(), 10))
		w.Write(page)
	})
	http.HandleFunc("/set", func(w http.ResponseWriter, r *http.Request) {
		var expire time.Time
		if ms, _ := strconv.Atoi(r.URL.Query().Get("expire_ms")); ms > 0 {
			expire = time.Now().Add(time.Duration(ms) * time.Millisecond)
		}
		value, err := io.ReadAll(r.Body)
		if err == nil {
			err = group.Set(r.Context(), r.URL.Query().Get("key"), value, expire, false)
		}
		if err != nil {
			fail(w, err)
		}
	})
	http.HandleFunc("/remove", func(w http.ResponseWriter, r *http.Request) {
		if err := group.Remove(r.Context(), r.FormValue("key")); err != nil {
			fail(w, err)
		}
	})
	http.HandleFunc("/owner", func(w http.ResponseWriter, r *http.Request) {
		owner, remote := daemon.GetInstance().PickPeer(r.FormValue("key"))
		if !remote {
			fmt.Fprint(w, *listen)
			return
		}
		fmt.Fprint(w, owner.PeerInfo().Address)
	})
	http.HandleFunc("/stats", func(w http.ResponseWriter, r *http.Request) {
		stats := group.GroupStats()
		fmt.Fprintf(w, `{"gets":%d,"hits":%d,"from_peers":%d,"loads":%d,"queries":%d}`, stats.Gets.Get(),
			stats.CacheHits.Get(), stats.PeerLoads.Get(), stats.LocalLoads.Get(), source.queries.Load())
	})
	http.HandleFunc("/loads", func(w http.ResponseWriter, r *http.Request) {
		source.mu.Lock()
		defer source.mu.Unlock()
		io.WriteString(w, source.loads.String())
	})
	log.Fatal(http.ListenAndServe(*ctl, nil))
}

// quiet is a logger for nodes whose peers are killed on purpose.
type quiet struct{}

func (quiet) Info(string, ...any)  {}
func (quiet) Error(string, ...any) {}
