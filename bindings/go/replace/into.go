package groupcache

import (
	"context"
	"runtime"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/groupcache/groupcache-go/v3/internal/bridge"
	"github.com/groupcache/groupcache-go/v3/internal/core"
	"github.com/groupcache/groupcache-go/v3/transport"
)

// intoSink is the sink of GetInto: it fills a buffer that the caller brings, or a new one if that is too small.
type intoSink struct {
	buf    []byte
	expire time.Time
}

var _ transport.Sink = &intoSink{}

func (s *intoSink) SetString(v string, e time.Time) error {
	s.buf, s.expire = append(s.buf[:0], v...), e
	return nil
}

func (s *intoSink) SetBytes(v []byte, e time.Time) error {
	s.buf, s.expire = append(s.buf[:0], v...), e
	return nil
}

func (s *intoSink) SetProto(m proto.Message, e time.Time) (err error) {
	s.buf, err = proto.MarshalOptions{}.MarshalAppend(s.buf[:0], m)
	s.expire = e
	return err
}

// View shows the buffer itself: it is read before GetInto returns it.
func (s *intoSink) View() (transport.ByteView, error) {
	return transport.ByteViewWithExpire(s.buf, s.expire), nil
}

func (g *group) GetInto(ctx context.Context, key string, buf []byte) ([]byte, error) {
	buf = buf[:cap(buf)]
	if g.instance.calls {
		op := operation{core.COHORT_REQUEST_GET, g.name, key}
		asks := g.instance.callers.enter(ctx, op)
		defer g.instance.callers.leave(op, asks)
	}
	c := core.NewCall()
	began := c.Begin(g.handle, key, c.BufferFor(buf), core.COHORT_GET_CAN_LEAD, timeoutMs(ctx), g.keeps(ctx))
	if began == core.COHORT_BEGIN_HIT {
		buf = hitInto(buf, c)
		c.Free()
		runtime.KeepAlive(g)
		return buf, nil
	}
	load, err := g.await(ctx, c, key, began)
	if err == nil && load == 0 {
		buf = copyInto(buf, core.Bytes(c.Event.Data, c.Event.Size))
		c.FreeValue(c.Event.Value)
	}
	c.Free()
	if err == nil && load != 0 {
		into := intoSink{buf: buf[:0]}
		err = g.lead(ctx, load, key, &into)
		buf = into.buf
	}
	runtime.KeepAlive(g)
	if err == nil {
		return buf, nil
	}
	if u, ok := err.(*bridge.Unanswered); ok {
		err = u.Err
	}
	return nil, err
}

func (g *group) Peek(key string, buf []byte) ([]byte, bool) {
	buf = buf[:cap(buf)]
	c := core.NewCall()
	hit := c.Begin(g.handle, key, c.BufferFor(buf), core.COHORT_GET_PEEK, 0, false) == core.COHORT_BEGIN_HIT
	if hit {
		buf = hitInto(buf, c)
	} else {
		buf = nil
	}
	c.Free()
	runtime.KeepAlive(g)
	return buf, hit
}

// hitInto returns the value of a hit that began with c.BufferFor(buf).
func hitInto(buf []byte, c *core.Call) []byte {
	switch {
	case c.Hit.Value != 0:
		buf = copyInto(buf, core.Bytes(c.Hit.Data, c.Hit.Size))
		c.FreeValue(c.Hit.Value)
	case len(buf) == 0:
		buf = copyInto(nil, c.Scratch()[:c.Hit.Size])
	default:
		buf = buf[:c.Hit.Size]
	}
	return buf
}

// copyInto copies value to buf, or to a new slice if buf is empty or too small.
func copyInto(buf, value []byte) []byte {
	if len(buf) == 0 || len(value) > len(buf) {
		buf = make([]byte, len(value)) // in this form the compiler does not clear it first
		copy(buf, value)
		return buf
	}
	return buf[:copy(buf, value)]
}
