//! The answer to a peer's request, to be sent back by the program's own server.

use super::sys;
use core::ptr::NonNull;

pub(crate) struct ResponseHandle {
    handle: NonNull<sys::cohort_response_t>,
    view: sys::cohort_response_view_t,
}

// SAFETY: it never changes; what the view points to lives as long as the handle.
unsafe impl Send for ResponseHandle {}
// SAFETY: as above.
unsafe impl Sync for ResponseHandle {}

impl ResponseHandle {
    /// # Safety
    /// `handle` is NULL or a response that the caller owns.
    pub(super) unsafe fn adopt(handle: *mut sys::cohort_response_t) -> Option<Self> {
        let handle = NonNull::new(handle)?;
        // SAFETY: zero is a value of every field; the handle is alive.
        let view = unsafe {
            let mut view = core::mem::zeroed();
            sys::cohort_response_view(handle.as_ptr(), &mut view);
            view
        };
        Some(Self { handle, view })
    }

    pub(crate) fn status(&self) -> u16 {
        u16::try_from(self.view.http_status).unwrap_or(500)
    }

    /// "Name: value\r\n" lines.
    pub(crate) fn headers(&self) -> &[u8] {
        // SAFETY: borrowed from the response, which is alive.
        unsafe { super::bytes(self.view.headers.cast(), self.view.headers_size) }
    }

    pub(crate) fn body(&self) -> &[u8] {
        // SAFETY: as above.
        unsafe { super::bytes(self.view.body, self.view.body_size) }
    }
}

impl Drop for ResponseHandle {
    fn drop(&mut self) {
        // SAFETY: owned, and released once.
        unsafe { sys::cohort_response_free(self.handle.as_ptr()) };
    }
}
