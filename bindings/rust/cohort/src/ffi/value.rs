//! A value of the engine: immutable bytes, reference counted, read in place.

use super::error::ErrorSlot;
use super::sys;
use crate::Error;
use core::ffi::c_void;
use core::ptr::NonNull;
use std::ops::Deref;
use std::panic::{catch_unwind, AssertUnwindSafe};

/// One counted reference.
pub(crate) struct ValueHandle {
    handle: NonNull<sys::cohort_value_t>,
    data: NonNull<u8>,
    size: usize,
}

// SAFETY: the bytes never change and the count is atomic: "a handle may be used from any thread at once".
unsafe impl Send for ValueHandle {}
// SAFETY: as above.
unsafe impl Sync for ValueHandle {}

impl ValueHandle {
    /// Takes over a reference.
    ///
    /// # Safety
    /// `handle` is NULL or a reference that the caller owns.
    pub(super) unsafe fn adopt(handle: *mut sys::cohort_value_t) -> Option<Self> {
        // SAFETY: alive, or NULL, which has no bytes.
        let size = unsafe { sys::cohort_value_size(handle) };
        // SAFETY: as promised.
        unsafe { Self::adopt_sized(handle, usize::try_from(size).unwrap_or(0)) }
    }

    /// Takes over a reference to a value whose size is known. Its bytes are looked up once, so that reading them is no call.
    ///
    /// # Safety
    /// As `adopt`; the value has `size` bytes.
    pub(super) unsafe fn adopt_sized(handle: *mut sys::cohort_value_t, size: usize) -> Option<Self> {
        let handle = NonNull::new(handle)?;
        // SAFETY: the handle is alive, and the bytes are while it is.
        let data = unsafe { sys::cohort_value_data(handle.as_ptr()) };
        Some(Self { handle, data: NonNull::new(data.cast_mut().cast()).unwrap_or(NonNull::dangling()), size })
    }

    /// A copy of the bytes.
    pub(crate) fn copy(bytes: &[u8], expire_unix_ns: i64) -> Result<Self, Error> {
        let error = ErrorSlot::new();
        // SAFETY: the bytes live for the call; the returned reference is ours.
        let made = unsafe {
            let handle = sys::cohort_value_new(bytes.as_ptr().cast(), bytes.len(), expire_unix_ns, error.as_ptr());
            Self::adopt(handle)
        };
        made.ok_or_else(|| error.error())
    }

    /// The owner's bytes without a copy; the owner is dropped with the last reference, on whichever thread drops that.
    pub(crate) fn own<T: AsRef<[u8]> + Send + Sync + 'static>(owner: T, expire_unix_ns: i64) -> Result<Self, Error> {
        unsafe extern "C" fn release<T>(user: *mut c_void) {
            // SAFETY: `user` came from Box::into_raw below, and this runs once.
            let owner = unsafe { Box::from_raw(user.cast::<T>()) };
            let _ = catch_unwind(AssertUnwindSafe(|| drop(owner)));
        }
        let error = ErrorSlot::new();
        let owner = Box::into_raw(Box::new(owner));
        // SAFETY: the owner lies in a box that does not move and that nobody else touches until `release` runs, which
        // happens also when the call fails. It was asked for its bytes once.
        let made = unsafe {
            let bytes = (*owner).as_ref();
            let handle = sys::cohort_value_new_borrowed(
                bytes.as_ptr().cast(),
                bytes.len(),
                expire_unix_ns,
                Some(release::<T>),
                owner.cast(),
                error.as_ptr(),
            );
            Self::adopt(handle)
        };
        made.ok_or_else(|| error.error())
    }

    pub(crate) fn expire_unix_ns(&self) -> i64 {
        // SAFETY: the handle is alive.
        unsafe { sys::cohort_value_expire_unix_ns(self.handle()) }
    }

    pub(super) fn handle(&self) -> *const sys::cohort_value_t {
        self.handle.as_ptr()
    }

    /// Gives the reference away.
    pub(super) fn into_raw(self) -> *mut sys::cohort_value_t {
        let handle = self.handle.as_ptr();
        core::mem::forget(self);
        handle
    }

    /// A second reference to a value that C lends.
    ///
    /// # Safety
    /// `handle` is NULL or alive.
    pub(super) unsafe fn share(handle: *const sys::cohort_value_t) -> Option<Self> {
        // SAFETY: as promised; the clone is ours.
        unsafe { Self::adopt(sys::cohort_value_clone(handle)) }
    }
}

impl Deref for ValueHandle {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        // SAFETY: the bytes live and stay as they are while the reference is held.
        unsafe { core::slice::from_raw_parts(self.data.as_ptr(), self.size) }
    }
}

impl Clone for ValueHandle {
    fn clone(&self) -> Self {
        // SAFETY: the handle is alive; a clone is the same value, so its bytes are the same.
        let handle = unsafe { sys::cohort_value_clone(self.handle()) };
        Self { handle: NonNull::new(handle).unwrap_or(self.handle), ..*self }
    }
}

impl Drop for ValueHandle {
    fn drop(&mut self) {
        // SAFETY: owned, and released once.
        unsafe { sys::cohort_value_free(self.handle.as_ptr()) };
    }
}
