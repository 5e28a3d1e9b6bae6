// Command node-go is the conformance node in Go. One source makes two programs: node-groupcache-go on the real
// groupcache-go v3, and node-go on Cohort's drop-in; they differ in the module that the build resolves, in nothing else.
package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/groupcache/groupcache-go/v3"
	"github.com/groupcache/groupcache-go/v3/transport/peer"
)

// impl is set by the linker: which implementation this program holds.
var impl = "unknown"

// node is one member of the cluster and what the control protocol needs to know of it.
type node struct {
	name   string
	listen string
	daemon *groupcache.Daemon
	group  groupcache.Group
	getter *getter
}

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address for peers")
	ctl := flag.String("ctl", "127.0.0.1:0", "address for the control protocol")
	peers := flag.String("peers", "", "addresses of all members, this one's included, separated by commas")
	name := flag.String("name", "n", "name of this node: part of every value that it loads")
	group := flag.String("group", "g", "name of the group")
	bytes := flag.Int64("bytes", 64<<20, "bytes of the group's caches")
	replicas := flag.Int("replicas", 50, "points per peer on the ring")
	expire := flag.Duration("expire", 0, "expiry of every loaded value; 0 = none")
	flag.Parse()
	if err := run(*listen, *ctl, *peers, *name, *group, *bytes, *replicas, *expire); err != nil {
		log.Fatalf("node %s: %v", *name, err)
	}
}

func run(listen, ctl, peers, name, group string, bytes int64, replicas int, expire time.Duration) error {
	// The default of 2 idle connections per host would open a connection for nearly every request.
	http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = 64

	n := &node{name: name, listen: listen, getter: &getter{name: name, expire: expire, loads: map[string]int64{}}}
	daemon, err := groupcache.ListenAndServe(context.Background(), listen, groupcache.Options{
		Replicas: replicas,
		Logger:   slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err != nil {
		return err
	}
	n.daemon = daemon
	if n.group, err = daemon.GetInstance().NewGroup(group, bytes, n.getter); err != nil {
		return err
	}
	if peers != "" {
		if err := n.setPeers(context.Background(), strings.Split(peers, ","), listen); err != nil {
			return err
		}
	}
	server := &http.Server{Addr: ctl, Handler: n.control(), ReadHeaderTimeout: time.Minute}
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// setPeers hands the addresses to the ring; self is this node's own.
func (n *node) setPeers(ctx context.Context, addresses []string, self string) error {
	infos := make([]peer.Info, 0, len(addresses))
	for _, address := range addresses {
		infos = append(infos, peer.Info{Address: address, IsSelf: address == self})
	}
	return n.daemon.GetInstance().SetPeers(ctx, infos)
}

// owner is the address of the key's owner by this node's ring, empty while there are no peers.
func (n *node) owner(key string) string {
	client, _ := n.daemon.GetInstance().PickPeer(key)
	if client == nil {
		return ""
	}
	return client.PeerInfo().Address
}
