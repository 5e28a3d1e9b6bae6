package groupcache

import (
	"context"
	"log/slog"
	"strings"

	"github.com/groupcache/groupcache-go/v3/transport"
	"github.com/groupcache/groupcache-go/v3/transport/peer"
)

// Daemon is an Instance that listens for its peers.
type Daemon struct {
	instance *Instance
	opts     Options
	address  string
}

// ListenAndServe makes an instance that listens on address. When it returns without an error, peers can connect.
func ListenAndServe(ctx context.Context, address string, opts Options) (*Daemon, error) {
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	if opts.Transport == nil {
		opts.Transport = transport.NewHttpTransport(transport.HttpTransportOptions{Logger: opts.Logger})
	}
	d := &Daemon{address: address, opts: opts}
	return d, d.Start(ctx)
}

// SpawnDaemon is another name of ListenAndServe.
func SpawnDaemon(ctx context.Context, address string, opts Options) (*Daemon, error) {
	return ListenAndServe(ctx, address, opts)
}

// Start makes a new instance, without groups and peers, and listens again. ListenAndServe has called it once; call it
// only after Shutdown.
func (d *Daemon) Start(ctx context.Context) error {
	d.instance = New(d.opts)
	if d.instance.err != nil {
		return d.instance.err
	}
	if err := d.opts.Transport.ListenAndServe(ctx, d.address); err != nil {
		return err
	}
	if strings.HasSuffix(d.address, ":0") {
		d.address = d.ListenAddress() // where peers will look for it after another Start
	}
	return nil
}

// NewGroup makes a group of the daemon's instance.
func (d *Daemon) NewGroup(name string, cacheBytes int64, getter Getter) (transport.Group, error) {
	g, err := d.instance.NewGroup(name, cacheBytes, getter)
	if err != nil {
		return nil, err
	}
	return g, nil
}

// GetGroup returns a group of the daemon's instance, or nil.
func (d *Daemon) GetGroup(name string) transport.Group { return d.instance.GetGroup(name) }

// RemoveGroup closes a group of the daemon's instance.
func (d *Daemon) RemoveGroup(name string) { d.instance.RemoveGroup(name) }

// GetInstance returns the daemon's instance.
func (d *Daemon) GetInstance() *Instance { return d.instance }

// SetPeers sets the peers of the daemon's instance. The one with the address that the daemon listens on is marked as this
// node itself.
func (d *Daemon) SetPeers(ctx context.Context, src []peer.Info) error {
	own := d.ListenAddress()
	peers := make([]peer.Info, len(src))
	for i, p := range src {
		p.IsSelf = p.IsSelf || p.Address == own
		peers[i] = p
	}
	return d.instance.SetPeers(ctx, peers)
}

// MustClient returns a client that asks this daemon. It panics if the transport cannot make one.
func (d *Daemon) MustClient() peer.Client {
	client, err := d.opts.Transport.NewClient(context.Background(), peer.Info{Address: d.ListenAddress()})
	if err != nil {
		panic(err)
	}
	return client
}

// ListenAddress returns the resolved address that the daemon listens on.
func (d *Daemon) ListenAddress() string { return d.opts.Transport.ListenAddress() }

// Shutdown stops listening.
func (d *Daemon) Shutdown(ctx context.Context) error { return d.opts.Transport.Shutdown(ctx) }
