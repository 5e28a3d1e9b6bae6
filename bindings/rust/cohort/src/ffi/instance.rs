//! A handle to an instance: one member of a cluster.

use super::error::ErrorSlot;
use super::queue::{lend, redeem};
use super::{status, sys, GroupHandle, GroupOptions, InstanceOptions, Queue, ValueHandle};
use crate::wait::Waiter;
use crate::Error;
use core::ptr::NonNull;
use std::sync::Arc;

pub(crate) struct InstanceHandle(NonNull<sys::cohort_instance_t>);

// SAFETY: "a handle may be used from any thread at once".
unsafe impl Send for InstanceHandle {}
// SAFETY: as above; it is freed when nobody borrows it.
unsafe impl Sync for InstanceHandle {}

impl InstanceHandle {
    pub(crate) fn new(options: &InstanceOptions) -> Result<Self, Error> {
        let error = ErrorSlot::new();
        // SAFETY: the options are alive; the handle is ours.
        let made = unsafe { sys::cohort_instance_new(options.as_ptr(), error.as_ptr()) };
        NonNull::new(made).map(Self).ok_or_else(|| error.error())
    }

    fn check(
        &self,
        call: impl FnOnce(*mut sys::cohort_instance_t, *mut sys::cohort_error_t) -> i32,
    ) -> Result<(), Error> {
        let error = ErrorSlot::new();
        error.check(call(self.0.as_ptr(), error.as_ptr()))
    }

    // SAFETY of all below: the handle is alive, and what is pointed to lives for the call; returned handles are ours.

    pub(crate) fn listen(&self, address: &str) -> Result<(), Error> {
        self.check(|me, error| unsafe {
            sys::cohort_instance_listen(me, address.as_ptr().cast(), address.len(), error)
        })
    }

    pub(crate) fn stop_listening(&self, timeout_ms: i64) -> Result<(), Error> {
        self.check(|me, error| unsafe { sys::cohort_instance_stop_listening(me, timeout_ms, error) })
    }

    pub(crate) fn shutdown(&self, timeout_ms: i64) -> Result<(), Error> {
        self.check(|me, error| unsafe { sys::cohort_instance_shutdown(me, timeout_ms, error) })
    }

    pub(crate) fn listen_address(&self) -> Result<ValueHandle, Error> {
        let error = ErrorSlot::new();
        let value = unsafe { ValueHandle::adopt(sys::cohort_instance_listen_address(self.0.as_ptr(), error.as_ptr())) };
        value.ok_or_else(|| error.error())
    }

    pub(crate) fn owner(&self, key: &[u8]) -> Result<ValueHandle, Error> {
        let error = ErrorSlot::new();
        let value = unsafe {
            let key_size = key.len();
            ValueHandle::adopt(sys::cohort_instance_owner(
                self.0.as_ptr(),
                key.as_ptr().cast(),
                key_size,
                error.as_ptr(),
            ))
        };
        value.ok_or_else(|| error.error())
    }

    pub(crate) fn set_peers(&self, lines: &str, own: &str) -> Result<(), Error> {
        self.check(|me, error| unsafe {
            sys::cohort_instance_set_peers(
                me,
                lines.as_ptr().cast(),
                lines.len(),
                own.as_ptr().cast(),
                own.len(),
                error,
            )
        })
    }

    pub(crate) fn new_group(&self, name: &str, options: &GroupOptions) -> Result<GroupHandle, Error> {
        let error = ErrorSlot::new();
        let made = unsafe {
            GroupHandle::adopt(sys::cohort_instance_new_group(
                self.0.as_ptr(),
                name.as_ptr().cast(),
                name.len(),
                options.as_ptr(),
                error.as_ptr(),
            ))
        };
        made.ok_or_else(|| error.error())
    }

    pub(crate) fn remove_group(&self, name: &str) -> Result<(), Error> {
        self.check(|me, error| unsafe {
            sys::cohort_instance_remove_group(me, name.as_ptr().cast(), name.len(), error)
        })
    }

    /// Handles a peer's request; the response comes to the waiter as its one event.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn handle_request(
        &self,
        method: &str,
        target: &str,
        headers: &str,
        body: &[u8],
        timeout_ms: i64,
        queue: &Queue,
        waiter: &Arc<Waiter>,
    ) -> Result<(), Error> {
        let tag = lend(waiter);
        let error = ErrorSlot::new();
        let started = unsafe {
            sys::cohort_instance_handle_request(
                self.0.as_ptr(),
                method.as_ptr().cast(),
                method.len(),
                target.as_ptr().cast(),
                target.len(),
                headers.as_ptr().cast(),
                headers.len(),
                body.as_ptr().cast(),
                body.len(),
                timeout_ms,
                queue.as_ptr(),
                tag,
                error.as_ptr(),
            )
        };
        if started != status::OK {
            // Nothing is pending, so the engine has forgotten the tag.
            drop(unsafe { redeem(tag) });
        }
        error.check(started)
    }
}

impl Drop for InstanceHandle {
    fn drop(&mut self) {
        // SAFETY: owned, and released once.
        unsafe { sys::cohort_instance_free(self.0.as_ptr()) };
    }
}
