//! What a custom transport has to send: answered once; dropped open, the peer counts as not reached.

use super::error::{ErrorSlot, Status};
use super::{sys, Queue};
use crate::Error;
use core::ptr::NonNull;

pub(crate) struct RequestHandle {
    handle: NonNull<sys::cohort_request_t>,
    view: sys::cohort_request_view_t,
}

// SAFETY: "a handle may be used from any thread at once"; the view points into the request and never changes.
unsafe impl Send for RequestHandle {}
// SAFETY: as above; what releases it takes it by value.
unsafe impl Sync for RequestHandle {}

impl RequestHandle {
    /// # Safety
    /// `handle` is NULL or an open request that the caller owns.
    pub(super) unsafe fn adopt(handle: *mut sys::cohort_request_t) -> Option<Self> {
        let handle = NonNull::new(handle)?;
        // SAFETY: zero is a value of every field; the handle is alive.
        let view = unsafe {
            let mut view = core::mem::zeroed();
            sys::cohort_request_view(handle.as_ptr(), &mut view);
            view
        };
        Some(Self { handle, view })
    }

    pub(crate) fn op(&self) -> i32 {
        self.view.op
    }

    pub(crate) fn time_left_ms(&self) -> i64 {
        self.view.time_left_ms
    }

    pub(crate) fn expire_unix_ns(&self) -> i64 {
        self.view.expire_unix_ns
    }

    pub(crate) fn peer(&self) -> &[u8] {
        // SAFETY: borrowed from the request, which is alive; so are those below.
        unsafe { super::bytes(self.view.peer.cast(), self.view.peer_size) }
    }

    pub(crate) fn group(&self) -> &[u8] {
        // SAFETY: as above.
        unsafe { super::bytes(self.view.group.cast(), self.view.group_size) }
    }

    /// The key, or all keys one after the other.
    pub(crate) fn key(&self) -> &[u8] {
        // SAFETY: as above.
        unsafe { super::bytes(self.view.key.cast(), self.view.key_size) }
    }

    /// REMOVE_KEYS: the size of each key.
    pub(crate) fn key_sizes(&self) -> &[i64] {
        match usize::try_from(self.view.key_count) {
            Ok(count) if count > 0 && !self.view.key_sizes.is_null() => {
                // SAFETY: so many sizes are borrowed from the request, which is alive.
                unsafe { core::slice::from_raw_parts(self.view.key_sizes, count) }
            }
            _ => &[],
        }
    }

    /// SET: the value. RAW: the body.
    pub(crate) fn value(&self) -> &[u8] {
        // SAFETY: as above.
        unsafe { super::bytes(self.view.value, self.view.value_size) }
    }

    pub(crate) fn method(&self) -> &[u8] {
        // SAFETY: as above.
        unsafe { super::bytes(self.view.method.cast(), self.view.method_size) }
    }

    pub(crate) fn target(&self) -> &[u8] {
        // SAFETY: as above.
        unsafe { super::bytes(self.view.target.cast(), self.view.target_size) }
    }

    pub(crate) fn headers(&self) -> &[u8] {
        // SAFETY: as above.
        unsafe { super::bytes(self.view.headers.cast(), self.view.headers_size) }
    }

    /// A CANCEL event with `tag` will come if nobody waits for the answer any more. Once for a request.
    pub(crate) fn watch(&self, queue: &Queue, tag: u64) -> Result<(), Error> {
        let error = ErrorSlot::new();
        // SAFETY: both handles are alive; the engine keeps a reference of its own to the queue.
        error.check(unsafe { sys::cohort_request_watch(self.handle.as_ptr(), queue.as_ptr(), tag, error.as_ptr()) })
    }

    pub(crate) fn reply(self, value: &[u8], expire_unix_ns: i64) {
        // SAFETY: the call copies the value and releases the request.
        unsafe { sys::cohort_request_reply(self.into_raw(), value.as_ptr().cast(), value.len(), expire_unix_ns) };
    }

    pub(crate) fn reply_raw(self, http_status: u16, headers: &str, body: &[u8]) {
        // SAFETY: as above.
        unsafe {
            sys::cohort_request_reply_raw(
                self.into_raw(),
                i32::from(http_status),
                headers.as_ptr().cast(),
                headers.len(),
                body.as_ptr().cast(),
                body.len(),
            );
        }
    }

    /// Fails the request. Returns how many events will carry `error_tag`.
    pub(crate) fn fail(self, status: Status, message: &str, error_tag: u64) -> i64 {
        // SAFETY: the call copies the message and releases the request.
        unsafe { sys::cohort_request_fail(self.into_raw(), status, message.as_ptr().cast(), message.len(), error_tag) }
    }

    fn into_raw(self) -> *mut sys::cohort_request_t {
        let handle = self.handle.as_ptr();
        core::mem::forget(self);
        handle
    }
}

impl Drop for RequestHandle {
    fn drop(&mut self) {
        // SAFETY: owned, open, and released once.
        unsafe { sys::cohort_request_free(self.handle.as_ptr()) };
    }
}
