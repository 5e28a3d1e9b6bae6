//! A getter's open task. It is ended once; dropped open, it is abandoned and passes to the next who can run it.

use super::error::{ErrorSlot, Status};
use super::{sys, Queue, ValueHandle};
use crate::Error;
use core::ptr::NonNull;

pub(crate) struct LoadHandle(NonNull<sys::cohort_load_t>);

// SAFETY: "a handle may be used from any thread at once".
unsafe impl Send for LoadHandle {}
// SAFETY: as above; what releases it takes it by value.
unsafe impl Sync for LoadHandle {}

impl LoadHandle {
    /// # Safety
    /// `handle` is NULL or an open load that the caller owns.
    pub(super) unsafe fn adopt(handle: *mut sys::cohort_load_t) -> Option<Self> {
        NonNull::new(handle).map(Self)
    }

    pub(crate) fn key(&self) -> &[u8] {
        // SAFETY: the key lives while the load is open, which it is while self is borrowed.
        unsafe {
            super::bytes(sys::cohort_load_key(self.0.as_ptr()).cast(), sys::cohort_load_key_size(self.0.as_ptr()))
        }
    }

    pub(crate) fn time_left_ms(&self) -> i64 {
        // SAFETY: the handle is alive.
        unsafe { sys::cohort_load_time_left_ms(self.0.as_ptr()) }
    }

    pub(crate) fn cancelled(&self) -> bool {
        // SAFETY: the handle is alive.
        unsafe { sys::cohort_load_cancelled(self.0.as_ptr()) != 0 }
    }

    /// A CANCEL event with `tag` will come if the last waiter leaves before the load ends. Once for a load.
    pub(crate) fn watch(&self, queue: &Queue, tag: u64) -> Result<(), Error> {
        let error = ErrorSlot::new();
        // SAFETY: both handles are alive; the engine keeps a reference of its own to the queue.
        error.check(unsafe { sys::cohort_load_watch(self.0.as_ptr(), queue.as_ptr(), tag, error.as_ptr()) })
    }

    /// The leader's own caller has gone.
    pub(crate) fn leave(&self) {
        // SAFETY: the handle is alive.
        unsafe { sys::cohort_load_leave(self.0.as_ptr()) };
    }

    pub(crate) fn complete(self, value: &ValueHandle) -> Result<(), Error> {
        /// Beyond this the cache shares the value; up to it a compact copy beside the key is smaller.
        const COPIED_BYTES: usize = 4096;
        let error = ErrorSlot::new();
        let load = self.into_raw();
        // SAFETY: the load is ours and is released by either call.
        error.check(unsafe {
            if value.len() <= COPIED_BYTES {
                let expire = value.expire_unix_ns();
                sys::cohort_load_complete(load, value.as_ptr().cast(), value.len(), expire, error.as_ptr())
            } else {
                sys::cohort_load_complete_value(load, value.handle(), error.as_ptr())
            }
        })
    }

    /// Fails the load. Returns how many events will carry `error_tag`.
    pub(crate) fn fail(self, status: Status, message: &str, error_tag: u64) -> i64 {
        // SAFETY: the load is ours and is released by the call, which copies the message.
        unsafe { sys::cohort_load_fail(self.into_raw(), status, message.as_ptr().cast(), message.len(), error_tag) }
    }

    fn into_raw(self) -> *mut sys::cohort_load_t {
        let load = self.0.as_ptr();
        core::mem::forget(self);
        load
    }
}

impl Drop for LoadHandle {
    fn drop(&mut self) {
        // SAFETY: owned, open, and released once.
        unsafe { sys::cohort_load_free(self.0.as_ptr()) };
    }
}
