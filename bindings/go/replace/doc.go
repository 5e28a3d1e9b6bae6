/*
Package groupcache is an in-process, read-through cache whose processes find each other's values.

It has the interface of github.com/groupcache/groupcache-go/v3 and speaks its protocol; behind it is Cohort's engine,
libcohort, which programs in other languages load as well: all of them, and unmodified groupcache-go nodes, can be members
of one cluster.

	daemon, err := groupcache.ListenAndServe(ctx, "10.0.0.1:8080", groupcache.Options{})
	...
	err = daemon.SetPeers(ctx, []peer.Info{{Address: "10.0.0.1:8080"}, {Address: "10.0.0.2:8080"}})
	...
	users, err := daemon.NewGroup("users", 64<<20, groupcache.GetterFunc(
		func(ctx context.Context, id string, dest transport.Sink) error {
			user, err := load(ctx, id)
			if err != nil {
				return err
			}
			return dest.SetProto(user, time.Now().Add(time.Hour))
		}))
	...
	var user User
	err = users.Get(ctx, "12345", transport.ProtoSink(&user))

A Get looks into the local cache, joins a load of the same key that is under way, asks the peer that owns the key, or runs
the getter: on the goroutine of the caller, if this node owns the key. However many goroutines on however many nodes want
a key, one getter runs.

# What a getter sees

The context of a getter has the values of the caller that leads the load. Its deadline is the latest one among all those
who wait for the key now, and it is cancelled when the last of them has gone: one caller's leaving does not spoil the load
for the others. A getter's error reaches every waiting goroutine of this process as the same value; nodes that asked get
an ErrNotFound or an ErrRemoteCall with its message. A panic of a getter is an error as well.

# Beyond groupcache-go

Every Group is an [ExtendedGroup] too: GetMany gets many keys in one call, GetInto copies a value into the caller's own
buffer without allocating.

libcohort must be installed where the program is built and where it runs; cgo finds it with pkg-config.
*/
package groupcache
