//! The completion queue, and its events as owned things.
//!
//! An operation that may wait lends its `Waiter` to the engine as the tag of its event, one reference for each operation; the
//! event, which comes exactly once, brings the reference back.

use super::error::{ErrorSlot, Status};
use super::{status, sys, LoadHandle, ResponseHandle, ValueHandle};
use crate::wait::Waiter;
use crate::Error;
use core::ptr::NonNull;
use std::sync::Arc;

/// Tags of many gets that began in one call: this bit, the batch's number, and the index in the batch.
const BATCH: u64 = 1 << 63;
const INDEX_BITS: u32 = 24;
/// The most gets that one batch can hold.
pub(crate) const MAX_BATCH: usize = 1 << INDEX_BITS;

/// Lends a reference to the engine, as a tag.
pub(super) fn lend(waiter: &Arc<Waiter>) -> u64 {
    Arc::into_raw(Arc::clone(waiter)).expose_provenance() as u64
}

/// A waiter that has been lent ahead of the call, so that a call which needs none touches no reference count. Holds two
/// references: the one behind the tag, and the caller's.
pub(crate) struct Lent(*const Waiter);

impl Lent {
    pub(crate) fn new(waiter: Arc<Waiter>) -> Self {
        core::mem::forget(Arc::clone(&waiter));
        Self(Arc::into_raw(waiter))
    }

    pub(super) fn tag(&self) -> u64 {
        self.0.expose_provenance() as u64
    }

    /// The caller's reference, when the other one is the engine's: an event with the tag will come, or has come.
    pub(crate) fn into_waiter(self) -> Arc<Waiter> {
        let waiter = self.0;
        core::mem::forget(self);
        // SAFETY: of the two references this is the one that no event takes.
        unsafe { Arc::from_raw(waiter) }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        // SAFETY: both references are still here, and are given up once.
        unsafe {
            Arc::decrement_strong_count(self.0);
            Arc::decrement_strong_count(self.0);
        }
    }
}

/// Takes a lent reference back.
///
/// # Safety
/// `tag` came from `lend` and is not used again.
pub(super) unsafe fn redeem(tag: u64) -> Arc<Waiter> {
    // SAFETY: as promised; user space has no address with the highest bit, so it is no batch's tag.
    unsafe { Arc::from_raw(core::ptr::with_exposed_provenance(tag as usize)) }
}

/// The tag of the first get of a batch.
pub(super) fn batch_tag(number: u64) -> u64 {
    BATCH | number << INDEX_BITS
}

/// Whose event it is.
pub(crate) enum To {
    Waiter(Arc<Waiter>),
    Batch { number: u64, index: usize },
}

/// How a get ended.
pub(crate) enum Got {
    Value { value: ValueHandle, source: i32 },
    Failed { status: Status, message: String, error_tag: u64 },
}

/// An event, with what it owns.
pub(crate) enum Event {
    Got(To, Got),
    Lead(Arc<Waiter>, LoadHandle),
    /// `group`: the tag that the group's loads were asked for with.
    Load {
        group: u64,
        load: LoadHandle,
    },
    Done(Arc<Waiter>, Result<(), Error>),
    Response(Arc<Waiter>, ResponseHandle),
    Cancel {
        tag: u64,
        status: Status,
    },
}

pub(crate) struct Queue(NonNull<sys::cohort_queue_t>);

// SAFETY: "a handle may be used from any thread at once".
unsafe impl Send for Queue {}
// SAFETY: as above.
unsafe impl Sync for Queue {}

impl Queue {
    pub(crate) fn new() -> Result<Self, Error> {
        let error = ErrorSlot::new();
        // SAFETY: the returned handle is ours.
        NonNull::new(unsafe { sys::cohort_queue_new(error.as_ptr()) }).map(Self).ok_or_else(|| error.error())
    }

    pub(super) fn as_ptr(&self) -> *mut sys::cohort_queue_t {
        self.0.as_ptr()
    }

    /// Waits for events, at most so long (negative: as long as it takes), and hands each to `take`. False: closed, and every
    /// event has been taken.
    pub(crate) fn wait(&self, room: &mut Room, timeout_ms: i64, mut take: impl FnMut(Event)) -> bool {
        // SAFETY: the array has room for so many events; the engine writes as many as it returns.
        let count = unsafe { sys::cohort_queue_wait(self.as_ptr(), room.0.as_mut_ptr(), room.0.len(), timeout_ms) };
        for raw in room.0.iter_mut().take(usize::try_from(count).unwrap_or(0)) {
            // SAFETY: the engine has just written it and it is taken once.
            if let Some(event) = unsafe { event_of(raw) } {
                take(event);
            }
        }
        // SAFETY: the handle is alive.
        count > 0 || unsafe { sys::cohort_queue_drained(self.as_ptr()) } == 0
    }

    /// Refuses new operations and ends those that wait; their events can still be taken.
    pub(crate) fn close(&self) {
        // SAFETY: the handle is alive.
        unsafe { sys::cohort_queue_close(self.as_ptr()) };
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: owned, and nobody waits any more: waiting borrows self.
        unsafe { sys::cohort_queue_free(self.as_ptr()) };
    }
}

/// A queue of a thread's own, for the gets that it waits for: whoever ends one wakes the thread itself. Who waits here takes every
/// event of what it began before it gives the seat to the thread's next get.
pub(crate) struct Seat {
    queue: Queue,
    room: Room,
}

/// How a get ended that was waited for in a seat.
pub(crate) enum Sat {
    Got(Got),
    /// The caller runs the getter itself: the load was given up by whoever ran it.
    Lead(LoadHandle),
}

impl Seat {
    /// The most events that are taken in one call.
    const ROOM: usize = 256;

    pub(crate) fn new() -> Result<Self, Error> {
        Ok(Self { queue: Queue::new()?, room: Room::new(1) })
    }

    pub(super) fn as_ptr(&self) -> *mut sys::cohort_queue_t {
        self.queue.as_ptr()
    }

    /// Waits for `events`, and hands each to `take` with its tag.
    pub(crate) fn wait(&mut self, mut events: usize, mut take: impl FnMut(u64, Sat)) {
        let room = events.min(Self::ROOM);
        if self.room.0.len() < room {
            self.room = Room::new(room);
        }
        while events > 0 {
            let room = &mut self.room.0;
            // SAFETY: the array has room for so many events; the engine writes as many as it returns.
            let count = unsafe { sys::cohort_queue_wait(self.queue.as_ptr(), room.as_mut_ptr(), room.len(), -1) };
            for raw in room.iter_mut().take(usize::try_from(count).unwrap_or(0)) {
                // SAFETY: the engine has just written it and it is taken once.
                let sat = unsafe { sat_of(raw) };
                take(raw.tag, sat);
                events -= 1;
            }
        }
    }
}

/// Where a batch of events lands.
pub(crate) struct Room(Vec<sys::cohort_event_t>);

// SAFETY: between two calls of `wait` it holds nothing: its pointers have been taken or cleared.
unsafe impl Send for Room {}

impl Room {
    pub(crate) fn new(events: usize) -> Self {
        // SAFETY: every field is an integer or a pointer, for which zero is a value.
        Self(vec![unsafe { core::mem::zeroed() }; events])
    }
}

/// Takes the end of a get out of its event.
///
/// # Safety
/// The engine wrote the event of a get, and it has not been taken.
unsafe fn got_of(raw: &mut sys::cohort_event_t) -> Got {
    if raw.status != status::OK {
        // SAFETY: a failure's data is its message, which lives until the event is released.
        let message = unsafe { super::text(raw.data, raw.size) };
        return Got::Failed { status: raw.status, message, error_tag: raw.error_tag };
    }
    // SAFETY: the receiver owns the value, which is taken once and cleared.
    match unsafe { ValueHandle::adopt(core::mem::replace(&mut raw.value, core::ptr::null_mut())) } {
        Some(value) => Got::Value { value, source: raw.source },
        None => lost("an event has no value"),
    }
}

fn lost(message: &str) -> Got {
    Got::Failed { status: sys::COHORT_INTERNAL, message: message.into(), error_tag: 0 }
}

/// Takes what an event in a seat owns out of it.
///
/// # Safety
/// The engine wrote the event, and it has not been taken.
unsafe fn sat_of(raw: &mut sys::cohort_event_t) -> Sat {
    let sat = match raw.kind {
        // SAFETY: as promised.
        sys::COHORT_EVENT_GET => Sat::Got(unsafe { got_of(raw) }),
        // SAFETY: the receiver owns the load, which is taken once and cleared.
        sys::COHORT_EVENT_LEAD => {
            match unsafe { LoadHandle::adopt(core::mem::replace(&mut raw.load, core::ptr::null_mut())) } {
                Some(load) => Sat::Lead(load),
                None => Sat::Got(lost("a lead has no load")),
            }
        }
        _ => Sat::Got(lost("a get ended as something else")),
    };
    // SAFETY: what was not taken, such as a message.
    unsafe { sys::cohort_event_release(raw) };
    sat
}

/// Takes what an event owns out of it.
///
/// # Safety
/// The engine wrote the event, and it has not been taken.
unsafe fn event_of(raw: &mut sys::cohort_event_t) -> Option<Event> {
    // SAFETY of all below: the receiver owns value, load and response; each is taken once and cleared. Tags of these kinds
    // were lent by this binding, and an operation has one event.
    let event = match raw.kind {
        sys::COHORT_EVENT_GET => {
            let to = if raw.tag & BATCH == 0 {
                To::Waiter(unsafe { redeem(raw.tag) })
            } else {
                let index = (raw.tag & (MAX_BATCH as u64 - 1)) as usize;
                To::Batch { number: (raw.tag & !BATCH) >> INDEX_BITS, index }
            };
            let got = unsafe { got_of(raw) };
            Some(Event::Got(to, got))
        }
        sys::COHORT_EVENT_LEAD => {
            let load = unsafe { LoadHandle::adopt(core::mem::replace(&mut raw.load, core::ptr::null_mut())) };
            let waiter = unsafe { redeem(raw.tag) };
            load.map(|load| Event::Lead(waiter, load))
        }
        sys::COHORT_EVENT_LOAD => {
            let load = unsafe { LoadHandle::adopt(core::mem::replace(&mut raw.load, core::ptr::null_mut())) };
            load.map(|load| Event::Load { group: raw.tag, load })
        }
        sys::COHORT_EVENT_DONE => {
            let result = match raw.status {
                status::OK => Ok(()),
                failed => Err(Error::from_status(failed, unsafe { super::text(raw.data, raw.size) })),
            };
            Some(Event::Done(unsafe { redeem(raw.tag) }, result))
        }
        sys::COHORT_EVENT_RESPONSE => {
            let response = core::mem::replace(&mut raw.response, core::ptr::null_mut());
            let response = unsafe { ResponseHandle::adopt(response) };
            let waiter = unsafe { redeem(raw.tag) };
            response.map(|response| Event::Response(waiter, response))
        }
        sys::COHORT_EVENT_CANCEL => Some(Event::Cancel { tag: raw.tag, status: raw.status }),
        _ => None,
    };
    // What was not taken, such as a message.
    unsafe { sys::cohort_event_release(raw) };
    event
}
