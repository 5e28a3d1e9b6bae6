package core

import (
	"runtime"
	"unsafe"
)

// The structs that C fills in place. Their layouts are those of cohort.h: go.i asserts the C side when it is compiled,
// layout_test.go the Go side. Addresses and handles are uintptr, so that the garbage collector does not look at them.

// Event is cohort_event_t.
type Event struct {
	Kind         int32
	Status       int32
	Tag          uint64
	Data         uintptr
	Size         int64
	ExpireUnixNs int64
	ErrorTag     uint64
	Value        uintptr
	Load         uintptr
	Request      uintptr
	Response     uintptr
	Source       int32
	Flags        int32
}

// Release frees what the event owns, if that is anything. REQUIRES: the event is on the heap, as events that C has filled are.
func (e *Event) Release() {
	if e.Value|e.Load|e.Request|e.Response != 0 {
		Cohort_event_release(uintptr(unsafe.Pointer(e)))
		runtime.KeepAlive(e)
	}
}

// Answer is cohort_answer_t.
type Answer struct {
	Size         int64
	ExpireUnixNs int64
	Value        uintptr
	Load         uintptr
	Ticket       uint64
	Source       int32
	Reserved     int32
}

// Bring makes the answer that of a hit: the value is the one that has come with the event.
func (a *Answer) Bring(e *Event) {
	a.Size, a.ExpireUnixNs, a.Value, a.Source = e.Size, e.ExpireUnixNs, e.Value, e.Source
}

// Shared is cohort_gov3_call_t: what begin answered and, if the value did not fit into the buffer, where it lies; and what is
// C's to read for the life of a Call.
type Shared struct {
	Answer
	Data  uintptr
	queue uintptr // cohort_queue_t
	tag   uint64
	error uintptr // cohort_error_t
}

// GroupStats is cohort_group_stats_t.
type GroupStats struct {
	Gets                     int64
	CacheHits                int64
	GetFromPeersLatencyMaxMs int64
	PeerLoads                int64
	PeerErrors               int64
	Loads                    int64
	LoadsDeduped             int64
	LocalLoads               int64
	LocalLoadErrors          int64
	RemoveKeysRequests       int64
	RemovedKeys              int64
	Waiting                  int64
	Loading                  int64
	ServedToPeers            int64
	Misrouted                int64
	Sets                     int64
	Removes                  int64
	SetsFromPeers            int64
	RemovesFromPeers         int64
	OvertakenLoads           int64
	Timeouts                 int64
	Cancelled                int64
	AbandonedLoads           int64
}

// CacheStats is cohort_cache_stats_t.
type CacheStats struct {
	Bytes        int64
	ChargedBytes int64
	BudgetBytes  int64
	Items        int64
	Gets         int64
	Hits         int64
	Evictions    int64
	Expirations  int64
	Rejected     int64
}

// RequestView is cohort_request_view_t.
type RequestView struct {
	Op           int32
	Reserved     int32
	Peer         uintptr
	PeerSize     int64
	Group        uintptr
	GroupSize    int64
	Key          uintptr
	KeySize      int64
	KeySizes     uintptr
	KeyCount     int64
	Value        uintptr
	ValueSize    int64
	ExpireUnixNs int64
	Method       uintptr
	MethodSize   int64
	Target       uintptr
	TargetSize   int64
	Headers      uintptr
	HeadersSize  int64
	TimeLeftMs   int64
}

// ResponseView is cohort_response_view_t.
type ResponseView struct {
	HTTPStatus  int64
	Headers     uintptr
	HeadersSize int64
	Body        uintptr
	BodySize    int64
}

// pointer turns an address that C gave into a pointer. Not a conversion, which vet would take for Go memory.
func pointer(address uintptr) unsafe.Pointer {
	return *(*unsafe.Pointer)(unsafe.Pointer(&address))
}

// Bytes views C memory: valid as long as whoever owns it says.
func Bytes(address uintptr, size int64) []byte {
	if size <= 0 {
		return nil
	}
	return unsafe.Slice((*byte)(pointer(address)), size)
}

// Int64s views an array in C memory.
func Int64s(address uintptr, count int64) []int64 {
	if count <= 0 {
		return nil
	}
	return unsafe.Slice((*int64)(pointer(address)), count)
}

// String copies text out of C memory.
func String(address uintptr, size int64) string { return string(Bytes(address, size)) }

// CString copies NUL-terminated text out of C memory.
func CString(address uintptr) string {
	if address == 0 {
		return ""
	}
	size := int64(0)
	for *(*byte)(unsafe.Add(pointer(address), size)) != 0 {
		size++
	}
	return String(address, size)
}

// TextBytes views a string as bytes, for C to read.
func TextBytes(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
