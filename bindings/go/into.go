package groupcache

import (
	"runtime"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/cohort-cache/cohort/bindings/go/internal/core"
	"github.com/cohort-cache/cohort/bindings/go/transport"
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

func (g *group) Peek(key string, buf []byte) ([]byte, bool) {
	defer runtime.KeepAlive(g)
	buf = buf[:cap(buf)]
	c := core.NewCall()
	defer c.Free()
	if c.Begin(g.handle, key, buf, core.COHORT_GET_PEEK, 0) != core.COHORT_BEGIN_HIT {
		return nil, false
	}
	if c.Hit.Value == 0 {
		return buf[:c.Hit.Size], true
	}
	defer c.FreeValue(c.Hit.Value)
	return append(make([]byte, 0, c.Hit.Size), core.Bytes(c.Hit.Data, c.Hit.Size)...), true
}
