//! A handle to a group, with every operation on it.

use super::error::{lasting, told_by, ErrorSlot};
use super::queue::{batch_tag, lend, redeem, Lent};
use super::{status, sys, LoadHandle, Queue, Seat, Status, ValueHandle};
use crate::wait::{give_back, take_lent, Waiter};
use crate::Error;
use core::ffi::{c_char, c_void};
use core::ptr::NonNull;
use std::sync::Arc;

/// How a get began.
pub(crate) enum Begun {
    Hit(ValueHandle, i32),
    /// A hit, which is in the caller's buffer.
    Copied,
    /// An event will come; its ticket.
    Pending(u64),
    Lead(LoadHandle),
}

/// Where the event of a get goes, should it be pending.
pub(crate) enum Place<'a> {
    /// To the reader of that queue, which ends the waiter.
    Reader(&'a Queue, &'a Lent),
    /// To this thread's seat, with the tag 0. The thread will wait there: it may be kept meanwhile, to ask the owner itself.
    Seat(&'a Seat),
}

/// How many gets began: what was here, and the tickets of the others (0: it was here).
pub(crate) struct Hits {
    pub(crate) hits: Vec<Option<(ValueHandle, i32)>>,
    pub(crate) tickets: Vec<u64>,
}

/// Where a hit may be copied to: what an empty buffer has room for.
struct Room<'a>(Option<&'a mut Vec<u8>>);

impl<'a> Room<'a> {
    fn of(buffer: Option<&'a mut Vec<u8>>) -> Self {
        debug_assert!(buffer.as_ref().is_none_or(|buffer| buffer.is_empty()));
        Self(buffer)
    }

    fn as_mut_ptr(&mut self) -> *mut c_void {
        self.0.as_mut().map_or(core::ptr::null_mut(), |buffer| buffer.as_mut_ptr().cast())
    }

    fn size(&self) -> usize {
        self.0.as_ref().map_or(0, |buffer| buffer.capacity())
    }

    fn hit(self, answer: &sys::cohort_answer_t) -> Begun {
        let size = usize::try_from(answer.size).unwrap_or(0);
        // SAFETY: the answer's value is ours, and has that size.
        if let Some(value) = unsafe { ValueHandle::adopt_sized(answer.value, size) } {
            return Begun::Hit(value, answer.source);
        }
        if let Some(buffer) = self.0 {
            // SAFETY: without a value, the engine has written all of its bytes to the buffer, into which they fitted.
            unsafe { buffer.set_len(size) };
        }
        Begun::Copied
    }
}

pub(crate) struct GroupHandle(NonNull<sys::cohort_group_t>);

// SAFETY: "a handle may be used from any thread at once".
unsafe impl Send for GroupHandle {}
// SAFETY: as above; it is freed when nobody borrows it.
unsafe impl Sync for GroupHandle {}

fn chars(bytes: &[u8]) -> *const c_char {
    bytes.as_ptr().cast()
}

impl GroupHandle {
    /// # Safety
    /// `handle` is NULL or a handle that the caller owns.
    pub(super) unsafe fn adopt(handle: *mut sys::cohort_group_t) -> Option<Self> {
        NonNull::new(handle).map(Self)
    }

    /// Begins a get. A hit that fits into the capacity of `into`, which is empty, is copied there. A hit allocates nothing, and touches
    /// no reference count but the value's.
    #[inline]
    pub(crate) fn begin(
        &self,
        key: &[u8],
        into: Option<&mut Vec<u8>>,
        flags: i32,
        timeout_ms: i64,
        place: &Place<'_>,
    ) -> Result<Begun, Error> {
        let error = lasting();
        let (queue, tag, flags) = match place {
            Place::Reader(queue, lent) => (queue.as_ptr(), lent.tag(), flags),
            Place::Seat(seat) => (seat.as_ptr(), 0, flags | sys::COHORT_GET_LEND),
        };
        let mut room = Room::of(into);
        // SAFETY: zero is a value of every field.
        let mut answer: sys::cohort_answer_t = unsafe { core::mem::zeroed() };
        // SAFETY: the key, the room, the answer and the error live for the call; the queue's engine part is kept by the engine.
        // A lent waiter's tag is one that its caller keeps unless the get is pending.
        let began = unsafe {
            sys::cohort_group_begin(
                self.0.as_ptr(),
                chars(key),
                key.len(),
                room.as_mut_ptr(),
                room.size(),
                flags,
                timeout_ms,
                queue,
                tag,
                &mut answer,
                error,
            )
        };
        match began {
            sys::COHORT_BEGIN_HIT => Ok(room.hit(&answer)),
            sys::COHORT_BEGIN_PENDING => Ok(Begun::Pending(answer.ticket)),
            // SAFETY: the answer's load is ours.
            sys::COHORT_BEGIN_LEAD => match unsafe { LoadHandle::adopt(answer.load) } {
                Some(load) => Ok(Begun::Lead(load)),
                None => Err(Error::Internal("a lead has no load".into())),
            },
            _ => Err(told_by(error)),
        }
    }

    /// What is here, copied to `into`, which is empty, if it fits its capacity; never loads.
    pub(crate) fn peek(&self, key: &[u8], into: Option<&mut Vec<u8>>) -> Option<Begun> {
        let mut room = Room::of(into);
        // SAFETY: zero is a value of every field.
        let mut answer: sys::cohort_answer_t = unsafe { core::mem::zeroed() };
        // SAFETY: the key, the room and the answer live for the call; who peeks needs no queue, and no error.
        let began = unsafe {
            sys::cohort_group_begin(
                self.0.as_ptr(),
                chars(key),
                key.len(),
                room.as_mut_ptr(),
                room.size(),
                sys::COHORT_GET_PEEK,
                0,
                core::ptr::null_mut(),
                0,
                &mut answer,
                core::ptr::null_mut(),
            )
        };
        (began == sys::COHORT_BEGIN_HIT).then(|| room.hit(&answer))
    }

    /// Begins many gets; each that is not here will bring an event to the batch. No more than `MAX_BATCH` keys.
    pub(crate) fn begin_many(
        &self,
        keys: &[u8],
        sizes: &[i64],
        timeout_ms: i64,
        queue: &Queue,
        batch: u64,
    ) -> Result<Hits, Error> {
        self.begin_many_at(keys, sizes, timeout_ms, queue.as_ptr(), batch_tag(batch))
    }

    /// As `begin_many`, by a thread that will wait in its seat: each event has its key's place as a tag, counted from `first`.
    pub(crate) fn begin_many_seated(
        &self,
        keys: &[u8],
        sizes: &[i64],
        timeout_ms: i64,
        seat: &Seat,
        first: u64,
    ) -> Result<Hits, Error> {
        self.begin_many_at(keys, sizes, timeout_ms, seat.as_ptr(), first)
    }

    fn begin_many_at(
        &self,
        keys: &[u8],
        sizes: &[i64],
        timeout_ms: i64,
        queue: *mut sys::cohort_queue_t,
        first_tag: u64,
    ) -> Result<Hits, Error> {
        let error = ErrorSlot::new();
        // SAFETY: zero is a value of every field.
        let mut answers: Vec<sys::cohort_answer_t> = vec![unsafe { core::mem::zeroed() }; sizes.len()];
        // SAFETY: keys, sizes and answers live for the call and are as long as is said.
        let began = unsafe {
            sys::cohort_group_begin_many(
                self.0.as_ptr(),
                chars(keys),
                keys.len(),
                sizes.as_ptr(),
                sizes.len(),
                0,
                timeout_ms,
                queue,
                first_tag,
                answers.as_mut_ptr(),
                error.as_ptr(),
            )
        };
        if began < 0 {
            return Err(error.error());
        }
        let tickets = answers.iter().map(|answer| answer.ticket).collect();
        // SAFETY: the answers' values are ours.
        let hits = answers.iter().map(|a| unsafe { ValueHandle::adopt(a.value) }.map(|v| (v, a.source))).collect();
        Ok(Hits { hits, tickets })
    }

    /// Ends one wait; its event comes all the same.
    pub(crate) fn cancel(&self, ticket: u64) {
        // SAFETY: the handle is alive; a ticket that is used up is ignored.
        unsafe { sys::cohort_group_cancel(self.0.as_ptr(), ticket) };
    }

    /// What is here; never loads.
    pub(crate) fn lookup(&self, key: &[u8]) -> Option<ValueHandle> {
        // SAFETY: the key lives for the call; the returned reference is ours.
        unsafe { ValueHandle::adopt(sys::cohort_group_lookup(self.0.as_ptr(), chars(key), key.len())) }
    }

    /// Runs a call that puts the waiter's event into the queue if it returns OK.
    fn start(
        &self,
        waiter: &Arc<Waiter>,
        call: impl FnOnce(*mut sys::cohort_group_t, u64, *mut sys::cohort_error_t) -> Status,
    ) -> Result<(), Error> {
        let error = ErrorSlot::new();
        let tag = lend(waiter);
        let started = call(self.0.as_ptr(), tag, error.as_ptr());
        if started != status::OK {
            // SAFETY: nothing is pending, so the engine has forgotten the tag.
            drop(unsafe { redeem(tag) });
        }
        error.check(started)
    }

    /// Runs a call that begins a change. Returns the waiter whose event will come, or none: it has ended.
    fn begin_change(
        &self,
        call: impl FnOnce(*mut sys::cohort_group_t, u64, *mut sys::cohort_error_t) -> i32,
    ) -> Result<Option<Arc<Waiter>>, Error> {
        let error = lasting();
        let lent = take_lent();
        let begun = call(self.0.as_ptr(), lent.tag(), error);
        if begun == sys::COHORT_BEGIN_PENDING {
            return Ok(Some(lent.into_waiter()));
        }
        // Nothing is pending, so the engine has forgotten the tag.
        give_back(lent);
        if begun == sys::COHORT_BEGIN_DONE {
            return Ok(None);
        }
        Err(told_by(error))
    }

    pub(crate) fn set(
        &self,
        key: &[u8],
        value: &[u8],
        expire_unix_ns: i64,
        timeout_ms: i64,
        queue: &Queue,
    ) -> Result<Option<Arc<Waiter>>, Error> {
        // SAFETY: everything that is pointed to lives for the call.
        self.begin_change(|group, tag, error| unsafe {
            sys::cohort_group_begin_set(
                group,
                chars(key),
                key.len(),
                value.as_ptr().cast(),
                value.len(),
                expire_unix_ns,
                timeout_ms,
                queue.as_ptr(),
                tag,
                error,
            )
        })
    }

    pub(crate) fn remove(&self, key: &[u8], timeout_ms: i64, queue: &Queue) -> Result<Option<Arc<Waiter>>, Error> {
        // SAFETY: everything that is pointed to lives for the call.
        self.begin_change(|group, tag, error| unsafe {
            sys::cohort_group_begin_remove(group, chars(key), key.len(), timeout_ms, queue.as_ptr(), tag, error)
        })
    }

    pub(crate) fn remove_keys(
        &self,
        keys: &[u8],
        sizes: &[i64],
        timeout_ms: i64,
        queue: &Queue,
        waiter: &Arc<Waiter>,
    ) -> Result<(), Error> {
        // SAFETY: everything that is pointed to lives for the call and is as long as is said.
        self.start(waiter, |group, tag, error| unsafe {
            sys::cohort_group_remove_keys_queue(
                group,
                chars(keys),
                keys.len(),
                sizes.as_ptr(),
                sizes.len(),
                timeout_ms,
                queue.as_ptr(),
                tag,
                error,
            )
        })
    }

    pub(crate) fn local_set(&self, key: &[u8], value: &[u8], expire_unix_ns: i64) -> Result<(), Error> {
        let error = ErrorSlot::new();
        // SAFETY: everything that is pointed to lives for the call.
        error.check(unsafe {
            sys::cohort_group_local_set(
                self.0.as_ptr(),
                chars(key),
                key.len(),
                value.as_ptr().cast(),
                value.len(),
                expire_unix_ns,
                error.as_ptr(),
            )
        })
    }

    pub(crate) fn local_remove(&self, key: &[u8]) -> Result<(), Error> {
        let error = ErrorSlot::new();
        // SAFETY: everything that is pointed to lives for the call.
        error.check(unsafe { sys::cohort_group_local_remove(self.0.as_ptr(), chars(key), key.len(), error.as_ptr()) })
    }

    pub(crate) fn reset_cache(&self, cache_bytes: i64) -> Result<(), Error> {
        let error = ErrorSlot::new();
        // SAFETY: the handle is alive.
        error.check(unsafe { sys::cohort_group_reset_cache(self.0.as_ptr(), cache_bytes, error.as_ptr()) })
    }

    pub(crate) fn stats(&self) -> sys::cohort_group_stats_t {
        // SAFETY: zero is a value of every field; the engine writes no more than it is told.
        unsafe {
            let mut stats = core::mem::zeroed();
            sys::cohort_group_stats(self.0.as_ptr(), &mut stats, core::mem::size_of::<sys::cohort_group_stats_t>());
            stats
        }
    }

    pub(crate) fn cache_stats(&self, tier: i32) -> sys::cohort_cache_stats_t {
        // SAFETY: as above.
        unsafe {
            let mut stats = core::mem::zeroed();
            let size = core::mem::size_of::<sys::cohort_cache_stats_t>();
            sys::cohort_group_cache_stats(self.0.as_ptr(), tier, &mut stats, size);
            stats
        }
    }
}

impl Drop for GroupHandle {
    fn drop(&mut self) {
        // SAFETY: owned, and released once.
        unsafe { sys::cohort_group_free(self.0.as_ptr()) };
    }
}
