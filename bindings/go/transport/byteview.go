package transport

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"time"
)

// A ByteView is a value of a cache: bytes that never change, and when they expire. It is meant to be used by value, as
// time.Time is.
type ByteView struct {
	// The value is b, or s while b is nil.
	b []byte
	s string
	e time.Time
}

// ByteViewFrom views a []byte, which must not change any more, or a string. Anything else panics.
func ByteViewFrom(x any) ByteView {
	switch x := x.(type) {
	case []byte:
		return ByteView{b: x}
	default:
		return ByteView{s: x.(string)}
	}
}

// ByteViewWithExpire views b, which must not change any more, until expire. The zero time means for ever.
func ByteViewWithExpire(b []byte, expire time.Time) ByteView { return ByteView{b: b, e: expire} }

// Expire is when the value expires; the zero time: never.
func (v ByteView) Expire() time.Time { return v.e }

// Len is the number of bytes.
func (v ByteView) Len() int {
	if v.b == nil {
		return len(v.s)
	}
	return len(v.b)
}

// ByteSlice returns a copy.
func (v ByteView) ByteSlice() []byte {
	if v.b == nil {
		return []byte(v.s)
	}
	return cloneBytes(v.b)
}

// String returns the bytes as a string.
func (v ByteView) String() string {
	if v.b == nil {
		return v.s
	}
	return string(v.b)
}

// At returns one byte.
func (v ByteView) At(i int) byte {
	if v.b == nil {
		return v.s[i]
	}
	return v.b[i]
}

// Slice views the bytes from from up to, not including, to.
func (v ByteView) Slice(from, to int) ByteView {
	if v.b == nil {
		return ByteView{s: v.s[from:to]}
	}
	return ByteView{b: v.b[from:to]}
}

// SliceFrom views the bytes from from on.
func (v ByteView) SliceFrom(from int) ByteView { return v.Slice(from, v.Len()) }

// Copy copies to dest what fits and returns its size.
func (v ByteView) Copy(dest []byte) int {
	if v.b == nil {
		return copy(dest, v.s)
	}
	return copy(dest, v.b)
}

// Equal reports whether both hold the same bytes.
func (v ByteView) Equal(b2 ByteView) bool {
	if b2.b == nil {
		return v.EqualString(b2.s)
	}
	return v.EqualBytes(b2.b)
}

// EqualString reports whether the bytes are those of s.
func (v ByteView) EqualString(s string) bool {
	if v.b == nil {
		return v.s == s
	}
	return string(v.b) == s // the compiler compares in place
}

// EqualBytes reports whether the bytes are those of b2.
func (v ByteView) EqualBytes(b2 []byte) bool {
	if v.b == nil {
		return v.s == string(b2)
	}
	return bytes.Equal(v.b, b2)
}

// Reader reads the bytes.
func (v ByteView) Reader() io.ReadSeeker {
	if v.b == nil {
		return strings.NewReader(v.s)
	}
	return bytes.NewReader(v.b)
}

// ReadAt is io.ReaderAt on the bytes.
func (v ByteView) ReadAt(p []byte, off int64) (n int, err error) {
	switch {
	case off < 0:
		return 0, errors.New("view: invalid offset")
	case off >= int64(v.Len()):
		return 0, io.EOF
	}
	if n = v.SliceFrom(int(off)).Copy(p); n < len(p) {
		err = io.EOF
	}
	return n, err
}

// WriteTo is io.WriterTo on the bytes.
func (v ByteView) WriteTo(w io.Writer) (n int64, err error) {
	var m int
	if v.b == nil {
		m, err = io.WriteString(w, v.s)
	} else {
		m, err = w.Write(v.b)
	}
	if err == nil && m < v.Len() {
		err = io.ErrShortWrite
	}
	return int64(m), err
}

// cloneBytes copies b. In this form the compiler does not clear the memory first; never nil.
func cloneBytes(b []byte) []byte {
	own := make([]byte, len(b))
	copy(own, b)
	return own
}
