package transport

import (
	"errors"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/groupcache/groupcache-go/v3/internal/bridge"
)

// A Sink takes the value of a get. A getter must call one of the Set functions before it returns without an error; the
// last call counts. e is when the value expires; the zero time means never.
type Sink interface {
	// SetString sets the value to s.
	SetString(s string, e time.Time) error

	// SetBytes sets the value to a copy of v.
	SetBytes(v []byte, e time.Time) error

	// SetProto sets the value to m in its wire format.
	SetProto(m proto.Message, e time.Time) error

	// View returns the value that was set.
	View() (ByteView, error)
}

// SetSinkView sets the value to v.
func SetSinkView(s Sink, v ByteView) error {
	if keeps, ok := s.(interface{ setView(v ByteView) error }); ok {
		return keeps.setView(v)
	}
	if v.b == nil {
		return s.SetString(v.s, v.e)
	}
	return s.SetBytes(v.b, v.e)
}

// borrower is a sink that takes what it needs from memory that will be used again, copying once. Most programs make a sink
// for each get, so sinks are small, and what is rarely asked for is made when somebody does.
type borrower interface {
	setBorrowed(b []byte, expireUnixNs int64) error
}

func init() {
	bridge.Deliver = func(sink any, value []byte, expireUnixNs int64) (bool, error) {
		switch s := sink.(type) { // the two that are used most, which are found quicker than an interface
		case *allocatingSink:
			return true, s.setBorrowed(value, expireUnixNs)
		case *byteViewSink:
			return true, s.setBorrowed(value, expireUnixNs)
		}
		s, ok := sink.(borrower)
		if !ok {
			return false, nil
		}
		return true, s.setBorrowed(value, expireUnixNs)
	}
}

func fromUnixNs(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns)
}

// StringSink returns a Sink that sets *sp.
func StringSink(sp *string) Sink { return &stringSink{dst: sp} }

type stringSink struct {
	dst *string
	v   string
	e   time.Time
}

func (s *stringSink) View() (ByteView, error) { return ByteView{s: s.v, e: s.e}, nil }

func (s *stringSink) SetString(v string, e time.Time) error {
	*s.dst, s.v, s.e = v, v, e
	return nil
}

func (s *stringSink) SetBytes(v []byte, e time.Time) error { return s.SetString(string(v), e) }

func (s *stringSink) SetProto(m proto.Message, e time.Time) error {
	b, err := proto.Marshal(m)
	if err != nil {
		return err
	}
	return s.SetString(string(b), e)
}

func (s *stringSink) setBorrowed(b []byte, expireUnixNs int64) error {
	return s.SetString(string(b), fromUnixNs(expireUnixNs))
}

// ByteViewSink returns a Sink that sets *dst, which must not be nil.
func ByteViewSink(dst *ByteView) Sink {
	if dst == nil {
		panic("nil dst")
	}
	return (*byteViewSink)(dst)
}

// byteViewSink is the destination itself: making the sink allocates nothing.
type byteViewSink ByteView

func (s *byteViewSink) View() (ByteView, error) { return ByteView(*s), nil }

func (s *byteViewSink) setView(v ByteView) error {
	*s = byteViewSink(v)
	return nil
}

func (s *byteViewSink) SetString(v string, e time.Time) error { return s.setView(ByteView{s: v, e: e}) }

func (s *byteViewSink) SetBytes(v []byte, e time.Time) error {
	return s.setView(ByteView{b: cloneBytes(v), e: e})
}

func (s *byteViewSink) SetProto(m proto.Message, e time.Time) error {
	b, err := proto.Marshal(m)
	if err != nil {
		return err
	}
	return s.setView(ByteView{b: b, e: e})
}

func (s *byteViewSink) setBorrowed(b []byte, expireUnixNs int64) error {
	return s.SetBytes(b, fromUnixNs(expireUnixNs))
}

// ProtoSink returns a Sink that reads the wire format into m.
func ProtoSink(m proto.Message) Sink { return &protoSink{dst: m} }

type protoSink struct {
	dst proto.Message
	v   ByteView
}

func (s *protoSink) View() (ByteView, error) { return s.v, nil }

// set reads b, which it keeps.
func (s *protoSink) set(b []byte, e time.Time) error {
	if err := proto.Unmarshal(b, s.dst); err != nil {
		return err
	}
	s.v = ByteView{b: b, e: e}
	return nil
}

func (s *protoSink) SetString(v string, e time.Time) error { return s.set([]byte(v), e) }

func (s *protoSink) SetBytes(v []byte, e time.Time) error { return s.set(cloneBytes(v), e) }

func (s *protoSink) SetProto(m proto.Message, e time.Time) error {
	b, err := proto.Marshal(m)
	if err != nil {
		return err
	}
	return s.set(b, e)
}

func (s *protoSink) setBorrowed(b []byte, expireUnixNs int64) error {
	return s.SetBytes(b, fromUnixNs(expireUnixNs))
}

// AllocatingByteSliceSink returns a Sink that sets *dst to a slice of its own, which the caller may change.
func AllocatingByteSliceSink(dst *[]byte) Sink { return &allocatingSink{copying{dst: dst}} }

type allocatingSink struct{ copying }

// set fills *dst with a copy and keeps the view.
func (s *allocatingSink) set(v ByteView) error {
	if s.dst == nil {
		return errNilDst
	}
	*s.dst = v.ByteSlice()
	s.view = &v
	return nil
}

func (s *allocatingSink) setView(v ByteView) error { return s.set(v) }

func (s *allocatingSink) SetString(v string, e time.Time) error { return s.set(ByteView{s: v, e: e}) }

func (s *allocatingSink) SetBytes(v []byte, e time.Time) error {
	return s.set(ByteView{b: cloneBytes(v), e: e})
}

func (s *allocatingSink) SetProto(m proto.Message, e time.Time) error {
	b, err := proto.Marshal(m)
	if err != nil {
		return err
	}
	return s.set(ByteView{b: b, e: e})
}

func (s *allocatingSink) setBorrowed(b []byte, expireUnixNs int64) error {
	if s.dst == nil {
		return errNilDst
	}
	*s.dst = cloneBytes(b)
	s.view, s.expireUnixNs = &inDst, expireUnixNs
	return nil
}

// TruncatingByteSliceSink returns a Sink that copies the value to *dst, as much as fits, and shortens *dst if the value is
// shorter.
func TruncatingByteSliceSink(dst *[]byte) Sink { return &truncatingSink{copying{dst: dst}} }

type truncatingSink struct{ copying }

// set fills *dst and keeps the view.
func (s *truncatingSink) set(v ByteView) error {
	if s.dst == nil {
		return errNilDst
	}
	*s.dst = (*s.dst)[:v.Copy(*s.dst)]
	s.view = &v
	return nil
}

func (s *truncatingSink) SetString(v string, e time.Time) error { return s.set(ByteView{s: v, e: e}) }

func (s *truncatingSink) SetBytes(v []byte, e time.Time) error {
	return s.set(ByteView{b: cloneBytes(v), e: e})
}

func (s *truncatingSink) SetProto(m proto.Message, e time.Time) error {
	b, err := proto.Marshal(m)
	if err != nil {
		return err
	}
	return s.set(ByteView{b: b, e: e})
}

func (s *truncatingSink) setBorrowed(b []byte, expireUnixNs int64) error {
	if s.dst == nil {
		return errNilDst
	}
	if len(b) > len(*s.dst) {
		return s.SetBytes(b, fromUnixNs(expireUnixNs))
	}
	*s.dst = (*s.dst)[:copy(*s.dst, b)]
	s.view, s.expireUnixNs = &inDst, expireUnixNs
	return nil
}

// copying is what sinks share that copy the value to *dst.
type copying struct {
	dst          *[]byte
	view         *ByteView // nil: nothing was set
	expireUnixNs int64     // while view is &inDst
}

// The value is what *dst holds: the view is made when somebody asks for it.
var inDst ByteView

var errNilDst = errors.New("the sink's destination is nil")

func (c *copying) View() (ByteView, error) {
	switch c.view {
	case nil:
		return ByteView{}, nil
	case &inDst:
		c.view = &ByteView{b: cloneBytes(*c.dst), e: fromUnixNs(c.expireUnixNs)}
	}
	return *c.view, nil
}
