//! An error slot carries the status and message of one engine call; each thread keeps one for the next call.

use super::sys;
use crate::Error;
use std::cell::Cell;

/// A status of the C ABI.
pub(crate) type Status = sys::cohort_status_t;

/// The statuses, under short names.
pub(crate) mod status {
    use super::sys;
    pub(crate) const OK: i32 = sys::COHORT_OK;
    pub(crate) const NOT_FOUND: i32 = sys::COHORT_NOT_FOUND;
    pub(crate) const LOAD_FAILED: i32 = sys::COHORT_LOAD_FAILED;
    pub(crate) const REMOTE_FAILED: i32 = sys::COHORT_REMOTE_FAILED;
    pub(crate) const TIMEOUT: i32 = sys::COHORT_TIMEOUT;
    pub(crate) const CANCELLED: i32 = sys::COHORT_CANCELLED;
    pub(crate) const CLOSED: i32 = sys::COHORT_CLOSED;
    pub(crate) const INVALID_ARGUMENT: i32 = sys::COHORT_INVALID_ARGUMENT;
    pub(crate) const UNREACHABLE: i32 = sys::COHORT_UNREACHABLE;
    pub(crate) const NO_GETTER: i32 = sys::COHORT_NO_GETTER;
    pub(crate) const LOAD_ABANDONED: i32 = sys::COHORT_LOAD_ABANDONED;
    pub(crate) const WOULD_DEADLOCK: i32 = sys::COHORT_WOULD_DEADLOCK;
    pub(crate) const TOO_LARGE: i32 = sys::COHORT_TOO_LARGE;
    pub(crate) const ALREADY_EXISTS: i32 = sys::COHORT_ALREADY_EXISTS;
    pub(crate) const IO: i32 = sys::COHORT_IO;
    pub(crate) const FORKED: i32 = sys::COHORT_FORKED;
    pub(crate) const NO_MEMORY: i32 = sys::COHORT_NO_MEMORY;
    pub(crate) const UNSUPPORTED: i32 = sys::COHORT_UNSUPPORTED;
}

thread_local! {
    static SPARE: Cell<Option<Owned>> = const { Cell::new(None) };
    /// Of calls that seldom fail: it stays where it is.
    static LASTING: Lasting = const { Lasting(Cell::new(core::ptr::null_mut())) };
}

struct Lasting(Cell<*mut sys::cohort_error_t>);

impl Drop for Lasting {
    fn drop(&mut self) {
        drop(Owned(self.0.get()));
    }
}

/// This thread's error object for a call that seldom fails; NULL at the end of a thread. What a call within that call leaves in it
/// has been read before that call ends, and leaves its own.
#[inline]
pub(super) fn lasting() -> *mut sys::cohort_error_t {
    LASTING
        .try_with(|lasting| {
            if lasting.0.get().is_null() {
                // SAFETY: takes nothing; NULL when memory is exhausted, which every function accepts.
                lasting.0.set(unsafe { sys::cohort_error_new() });
            }
            lasting.0.get()
        })
        .unwrap_or(core::ptr::null_mut())
}

/// What the last call that failed left in an error object of this thread, or NULL.
#[cold]
pub(super) fn told_by(error: *mut sys::cohort_error_t) -> Error {
    if error.is_null() {
        return Error::NoMemory;
    }
    // SAFETY: the object is alive, used by this thread only, and the message is copied before the next use.
    unsafe {
        let message = super::text(sys::cohort_error_message(error).cast(), sys::cohort_error_message_size(error));
        Error::from_status(sys::cohort_error_status(error), message)
    }
}

struct Owned(*mut sys::cohort_error_t);

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: owned, and released once. NULL is a no-op.
        unsafe { sys::cohort_error_free(self.0) };
    }
}

/// The error object of one call.
pub(super) struct ErrorSlot(Option<Owned>);

impl ErrorSlot {
    pub(super) fn new() -> Self {
        let spare = SPARE.try_with(Cell::take).ok().flatten();
        // SAFETY: takes nothing; NULL when memory is exhausted, which every function accepts.
        Self(Some(spare.unwrap_or_else(|| Owned(unsafe { sys::cohort_error_new() }))))
    }

    pub(super) fn as_ptr(&self) -> *mut sys::cohort_error_t {
        self.0.as_ref().map_or(core::ptr::null_mut(), |owned| owned.0)
    }

    /// What the last call that failed said.
    pub(super) fn error(&self) -> Error {
        told_by(self.as_ptr())
    }

    /// `Ok` when the call returned COHORT_OK.
    pub(super) fn check(&self, returned: Status) -> Result<(), Error> {
        if returned == status::OK {
            Ok(())
        } else {
            Err(self.error())
        }
    }
}

impl Drop for ErrorSlot {
    fn drop(&mut self) {
        let owned = self.0.take();
        // At the end of a thread there is no next call: the object is released here.
        let _ = SPARE.try_with(|spare| spare.set(owned));
    }
}
