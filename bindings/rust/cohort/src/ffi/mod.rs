//! The only unsafe code: owned handles of the C ABI with safe methods, and the functions that C calls.
//!
//! Rules: a handle is made in one place and released by `Drop`; an engine call gets pointers that live for the call only, unless
//! the header says otherwise; nothing unwinds into C.
#![allow(unsafe_code)]

mod callback;
mod error;
mod group;
mod instance;
mod load;
mod options;
mod queue;
mod request;
mod response;
mod value;

pub(crate) use callback::CacheHooks;
pub(crate) use error::{status, Status};
pub(crate) use group::{Begun, GroupHandle, Place};
pub(crate) use instance::InstanceHandle;
pub(crate) use load::LoadHandle;
pub(crate) use options::{GroupOptions, InstanceOptions, TransportHandle};
pub(crate) use queue::{Event, Got, Lent, Queue, Room, Sat, Seat, To, MAX_BATCH};
pub(crate) use request::RequestHandle;
pub(crate) use response::ResponseHandle;
pub(crate) use value::ValueHandle;

use cohort_sys as sys;

/// Checks that the library which was loaded is as new as the declarations.
pub(crate) fn check_library() -> Result<(), crate::Error> {
    // SAFETY: takes nothing.
    let level = unsafe { sys::cohort_api_level() };
    if level >= sys::COHORT_API_LEVEL {
        return Ok(());
    }
    Err(crate::Error::Unsupported(format!(
        "libcohort has API level {level}, this program was built for {}: install a newer libcohort",
        sys::COHORT_API_LEVEL
    )))
}

/// The version of the library that was loaded.
pub(crate) fn library_version() -> &'static str {
    // SAFETY: static storage, NUL terminated.
    let version = unsafe { core::ffi::CStr::from_ptr(sys::cohort_version()) };
    version.to_str().unwrap_or("unknown")
}

/// Bytes that C shows for the length of a borrow; a NULL pointer is no bytes.
///
/// # Safety
/// `data` points to `size` bytes that stay as they are for `'a`, or is NULL.
unsafe fn bytes<'a>(data: *const core::ffi::c_void, size: i64) -> &'a [u8] {
    match usize::try_from(size) {
        // SAFETY: as promised.
        Ok(size) if size > 0 && !data.is_null() => unsafe { core::slice::from_raw_parts(data.cast(), size) },
        _ => &[],
    }
}

/// As `bytes`, as text; what is not UTF-8 is replaced.
///
/// # Safety
/// As `bytes`.
unsafe fn text(data: *const core::ffi::c_void, size: i64) -> String {
    // SAFETY: as promised.
    String::from_utf8_lossy(unsafe { bytes(data, size) }).into_owned()
}
