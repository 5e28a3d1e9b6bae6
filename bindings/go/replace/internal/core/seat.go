package core

import (
	"os"
	"sync"
	"sync/atomic"
	"syscall"
)

// A seat is a queue of its own, with its own descriptor in Go's poller, for one get, or one call of many, at a time. Who sits there
// is woken by the poller itself. Otherwise the poller wakes the reader, which wakes the goroutine and, because Go expects more to do,
// one more thread: with few gets under way that is most of what they wait for. With many the reader takes many events at once.
//
// A get that nothing but its own time can end waits in C instead: its thread asks the owner itself, and nobody is woken. That
// holds a thread, so only who sits does it, and only while a processor is left that goes on with all else.
type seat struct {
	queue  uintptr
	plain  uintptr // a queue without a descriptor, for who waits in C
	events []Event
	many   []Event // of many gets; nil: not yet
	conn   syscall.RawConn
	look   func(fd uintptr) bool
	taken  atomic.Bool
	keeps  bool // its get keeps a thread
}

var (
	seats     [2]seat
	seatsOnce sync.Once
	standing  atomic.Int64 // gets that wait without a seat
	kept      atomic.Int32 // threads that are kept
)

// sit takes a free seat; nil: there is none, or so many wait that the reader serves them better.
func sit() *seat {
	if standing.Load() >= int64(len(seats)) {
		return nil
	}
	seatsOnce.Do(func() {
		for i := range seats {
			s := &seats[i]
			// Without a descriptor there is no seat: it stays taken.
			s.taken.Store(s.prepare() != nil)
		}
	})
	for i := range seats {
		if s := &seats[i]; !s.taken.Load() && s.taken.CompareAndSwap(false, true) {
			return s
		}
	}
	return nil
}

func (s *seat) stand() {
	if s.keeps {
		s.keeps = false
		kept.Add(-1)
	}
	s.taken.Store(false)
}

// keepThread lets this get wait in C. False: then no processor would be left for what it might wait for.
func (s *seat) keepThread() bool {
	if kept.Add(1) >= gate.limit.Load() {
		kept.Add(-1)
		return false
	}
	s.keeps = true
	return true
}

func (s *seat) prepare() (err error) {
	if s.queue, s.conn, err = newPolledQueue(); err != nil {
		return err
	}
	err = Try(func(object uintptr) bool {
		s.plain = Cohort_queue_new(object)
		return s.plain != 0
	})
	if err != nil {
		return err
	}
	s.events = make([]Event, 1)
	s.look = func(uintptr) bool { return Cohort_queue_wait(s.queue, s.events, 0) == 1 }
	return nil
}

// wait waits for the one event that comes.
func (s *seat) wait(event *Event) {
	s.poll(s.look)
	*event = s.events[0]
}

// poll waits until look, which is called whenever the queue may have events, says that all have come. The descriptor lives as long
// as the process.
func (s *seat) poll(look func(fd uintptr) bool) {
	if err := s.conn.Read(look); err != nil {
		panic("cohort: the completion queue cannot be read: " + err.Error())
	}
}

// waitInC waits for the one event, on this thread. Mostly it is there: begin asked the owner itself.
func (s *seat) waitInC(event *Event) {
	for Cohort_queue_wait(s.plain, s.events, -1) != 1 {
	}
	*event = s.events[0]
}

// waitMany waits for all the events of a Batch.
func (s *seat) waitMany(b *Batch) {
	if s.many == nil {
		s.many = make([]Event, 256)
	}
	coming := b.coming
	take := func(queue uintptr, timeoutMs int64) (few bool) {
		n := int(Cohort_queue_wait(queue, s.many, timeoutMs))
		for i := range s.many[:n] {
			b.put(&s.many[i])
		}
		coming -= n
		return n < len(s.many)
	}
	for s.keeps && coming > 0 {
		take(s.plain, -1)
	}
	if coming == 0 {
		return
	}
	s.poll(func(uintptr) bool {
		for !take(s.queue, 0) && coming > 0 {
		}
		return coming == 0
	})
}

// newPolledQueue makes a queue whose descriptor is in Go's poller, so that waiting for its events holds no thread.
func newPolledQueue() (queue uintptr, conn syscall.RawConn, err error) {
	fd := -1
	err = Try(func(object uintptr) bool {
		if queue = Cohort_queue_new(object); queue != 0 {
			fd = Cohort_queue_fd(queue, object)
		}
		return fd >= 0
	})
	if err != nil {
		Cohort_queue_free(queue)
		return 0, nil, err
	}
	// The descriptor is the queue's own: the poller gets a duplicate that it may close.
	own, err := syscall.Dup(fd)
	if err == nil {
		syscall.CloseOnExec(own)
		err = syscall.SetNonblock(own, true)
	}
	if err == nil {
		conn, err = os.NewFile(uintptr(own), "cohort queue").SyscallConn()
	}
	return queue, conn, err
}
