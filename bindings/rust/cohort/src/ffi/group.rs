//! A handle to a group, with every operation on it.

use super::error::ErrorSlot;
use super::queue::{batch_tag, lend, redeem};
use super::{status, sys, LoadHandle, Queue, Status, ValueHandle};
use crate::wait::Waiter;
use crate::Error;
use core::ffi::c_char;
use core::ptr::NonNull;
use std::sync::Arc;

/// How a get began.
pub(crate) enum Begun {
    Hit(ValueHandle, i32),
    Pending { ticket: u64 },
    Lead(LoadHandle),
}

/// How many gets began: what was here, and the tickets of the others (0: it was here).
pub(crate) struct Hits {
    pub(crate) hits: Vec<Option<(ValueHandle, i32)>>,
    pub(crate) tickets: Vec<u64>,
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

    /// Begins a get. When it is pending, the waiter gets exactly one event.
    pub(crate) fn begin(
        &self,
        key: &[u8],
        flags: i32,
        timeout_ms: i64,
        queue: &Queue,
        waiter: &Arc<Waiter>,
    ) -> Result<Begun, Error> {
        let error = ErrorSlot::new();
        let tag = lend(waiter);
        let (answer, began) = {
            // SAFETY: zero is a value of every field.
            let mut answer: sys::cohort_answer_t = unsafe { core::mem::zeroed() };
            // SAFETY: the key, the answer and the error live for the call; no buffer is given; the queue's engine part is
            // kept by the engine. The tag is redeemed below unless an event will.
            let began = unsafe {
                sys::cohort_group_begin(
                    self.0.as_ptr(),
                    chars(key),
                    key.len(),
                    core::ptr::null_mut(),
                    0,
                    flags,
                    timeout_ms,
                    queue.as_ptr(),
                    tag,
                    &mut answer,
                    error.as_ptr(),
                )
            };
            (answer, began)
        };
        if began == sys::COHORT_BEGIN_PENDING {
            return Ok(Begun::Pending { ticket: answer.ticket });
        }
        // SAFETY: nothing is pending, so the engine has forgotten the tag.
        drop(unsafe { redeem(tag) });
        match began {
            // SAFETY: the answer's value is ours.
            sys::COHORT_BEGIN_HIT => match unsafe { ValueHandle::adopt(answer.value) } {
                Some(value) => Ok(Begun::Hit(value, answer.source)),
                None => Err(Error::Internal("a hit has no value".into())),
            },
            // SAFETY: the answer's load is ours.
            sys::COHORT_BEGIN_LEAD => match unsafe { LoadHandle::adopt(answer.load) } {
                Some(load) => Ok(Begun::Lead(load)),
                None => Err(Error::Internal("a lead has no load".into())),
            },
            _ => Err(error.error()),
        }
    }

    /// Begins many gets; each that is not here will bring an event to the batch. No more than `MAX_BATCH` keys.
    pub(crate) fn begin_many(
        &self,
        keys: &[u8],
        sizes: &[i64],
        flags: i32,
        timeout_ms: i64,
        queue: &Queue,
        batch: u64,
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
                flags,
                timeout_ms,
                queue.as_ptr(),
                batch_tag(batch),
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

    pub(crate) fn set(
        &self,
        key: &[u8],
        value: &[u8],
        expire_unix_ns: i64,
        timeout_ms: i64,
        queue: &Queue,
        waiter: &Arc<Waiter>,
    ) -> Result<(), Error> {
        // SAFETY: everything that is pointed to lives for the call.
        self.start(waiter, |group, tag, error| unsafe {
            sys::cohort_group_set_queue(
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

    pub(crate) fn remove(&self, key: &[u8], timeout_ms: i64, queue: &Queue, waiter: &Arc<Waiter>) -> Result<(), Error> {
        // SAFETY: everything that is pointed to lives for the call.
        self.start(waiter, |group, tag, error| unsafe {
            sys::cohort_group_remove_queue(group, chars(key), key.len(), timeout_ms, queue.as_ptr(), tag, error)
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
