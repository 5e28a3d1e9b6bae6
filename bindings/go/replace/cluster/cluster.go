/*
Package cluster starts clusters of daemons inside one process, for the tests of programs that use groupcache.

	err := cluster.Start(ctx, 3, groupcache.Options{})
	...
	defer cluster.Shutdown(ctx)
	for _, daemon := range cluster.ListDaemons() {
		_, err := daemon.NewGroup("users", 1<<20, getter)
		...
	}

There is one cluster at a time in a process.
*/
package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync"

	groupcache "github.com/groupcache/groupcache-go/v3"
	"github.com/groupcache/groupcache-go/v3/transport"
	"github.com/groupcache/groupcache-go/v3/transport/peer"
)

// The port of the first daemon that Start starts; the others follow.
const firstPort = 1111

var running struct {
	mu      sync.Mutex
	daemons []*groupcache.Daemon
	peers   []peer.Info
}

// ListPeers returns the peers, in the order in which they were started.
func ListPeers() []peer.Info {
	running.mu.Lock()
	defer running.mu.Unlock()
	return running.peers
}

// ListDaemons returns the daemons, in the order in which they were started.
func ListDaemons() []*groupcache.Daemon {
	running.mu.Lock()
	defer running.mu.Unlock()
	return running.daemons
}

// DaemonAt returns one daemon.
func DaemonAt(idx int) *groupcache.Daemon { return ListDaemons()[idx] }

// PeerAt returns one peer.
func PeerAt(idx int) peer.Info { return ListPeers()[idx] }

// FindOwningDaemon returns the daemon that owns a key. It panics if no cluster runs.
func FindOwningDaemon(key string) *groupcache.Daemon {
	daemons := ListDaemons()
	if len(daemons) == 0 {
		panic("no cluster runs: start one with Start() or StartWith()")
	}
	owner, isRemote := daemons[0].GetInstance().PickPeer(key)
	if !isRemote {
		return daemons[0]
	}
	for _, d := range daemons {
		if d.ListenAddress() == owner.PeerInfo().Address {
			return d
		}
	}
	panic(fmt.Sprintf("no daemon of the cluster owns %q", key))
}

// Start starts numInstances daemons on ports of localhost from 1111 on.
func Start(ctx context.Context, numInstances int, opts groupcache.Options) error {
	peers := make([]peer.Info, numInstances)
	for i := range peers {
		peers[i].Address = fmt.Sprintf("localhost:%d", firstPort+i)
	}
	return StartWith(ctx, peers, opts)
}

// StartWith starts a daemon for each peer, at its address.
func StartWith(ctx context.Context, peers []peer.Info, opts groupcache.Options) error {
	running.mu.Lock()
	defer running.mu.Unlock()
	if len(running.daemons) != 0 || len(running.peers) != 0 {
		return errors.New("StartWith: cluster already running; shutdown the previous cluster")
	}
	if opts.Transport == nil {
		opts.Transport = transport.NewHttpTransport(transport.HttpTransportOptions{})
	}
	parent := opts.Transport
	for _, p := range peers {
		d, err := groupcache.ListenAndServe(ctx, p.Address, opts)
		if err != nil {
			return fmt.Errorf("StartWith: while starting daemon for '%s': %w", p.Address, err)
		}
		running.daemons = append(running.daemons, d)
		running.peers = append(running.peers, peer.Info{Address: d.ListenAddress(), IsSelf: p.IsSelf})
		opts.Transport = parent.New()
	}
	for _, d := range running.daemons {
		if err := d.SetPeers(ctx, running.peers); err != nil {
			return fmt.Errorf("StartWith: during SetPeers(): %w", err)
		}
	}
	return nil
}

// Restart shuts each daemon down and starts it again, one after the other. They have lost their groups then.
func Restart(ctx context.Context) error {
	running.mu.Lock()
	defer running.mu.Unlock()
	for _, d := range running.daemons {
		if err := d.Shutdown(ctx); err != nil {
			return err
		}
		if err := d.Start(ctx); err != nil {
			return err
		}
		if err := d.SetPeers(ctx, running.peers); err != nil {
			return err
		}
	}
	return nil
}

// Shutdown shuts the cluster down.
func Shutdown(ctx context.Context) error {
	running.mu.Lock()
	defer running.mu.Unlock()
	for _, d := range running.daemons {
		if err := d.Shutdown(ctx); err != nil {
			return err
		}
	}
	running.daemons, running.peers = nil, nil
	return nil
}
