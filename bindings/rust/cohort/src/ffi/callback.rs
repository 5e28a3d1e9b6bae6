//! The functions that C calls, each over a boxed closure. What they call must not panic; if it does, it ends there.

use super::{sys, LoadHandle, RequestHandle, ValueHandle};
use core::ffi::{c_char, c_void};
use std::panic::{catch_unwind, AssertUnwindSafe};

/// Told of an entry that left a cache: tier, reason, key, value.
pub(crate) type EvictedHook = Box<dyn Fn(i32, i32, &[u8], ValueHandle) + Send + Sync>;
pub(super) type GetterHook = Box<dyn Fn(LoadHandle) + Send + Sync>;
pub(super) type SendHook = Box<dyn Fn(RequestHandle) + Send + Sync>;
pub(super) type LogHook = Box<dyn Fn(i32, &str) + Send + Sync>;
pub(super) type HashHook = Box<dyn Fn(&[u8]) -> u64 + Send + Sync>;

/// A cache of the program's own.
#[allow(clippy::type_complexity)] // Each is named and used once.
pub(crate) struct CacheHooks {
    pub(crate) get: Box<dyn Fn(&[u8]) -> Option<ValueHandle> + Send + Sync>,
    pub(crate) add: Box<dyn Fn(&[u8], ValueHandle) + Send + Sync>,
    /// `None`: forget everything.
    pub(crate) remove: Box<dyn Fn(Option<&[u8]>) + Send + Sync>,
}

/// Puts a hook where C can find it; `release` takes it back.
pub(super) fn user<T: Send + Sync>(hook: T) -> *mut c_void {
    Box::into_raw(Box::new(hook)).cast()
}

/// Releases what `user` made. C calls it exactly once, also when the registration failed.
pub(super) unsafe extern "C" fn release<T>(user: *mut c_void) {
    // SAFETY: it came from `user` with the same type.
    let hook = unsafe { Box::from_raw(user.cast::<T>()) };
    let _ = catch_unwind(AssertUnwindSafe(|| drop(hook)));
}

/// The hook behind a user pointer.
///
/// # Safety
/// `user` came from `user::<T>` and has not been released.
unsafe fn hook<'a, T>(user: *mut c_void) -> &'a T {
    // SAFETY: as promised; hooks are shared and Sync.
    unsafe { &*user.cast::<T>() }
}

fn quietly<R>(otherwise: R, call: impl FnOnce() -> R) -> R {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or(otherwise)
}

unsafe fn slice<'a>(data: *const c_char, size: usize) -> &'a [u8] {
    // SAFETY: C lends so many bytes for the call.
    unsafe { super::bytes(data.cast(), size as i64) }
}

pub(super) unsafe extern "C" fn on_load(
    user: *mut c_void,
    load: *mut sys::cohort_load_t,
    _key: *const c_char,
    _key_size: usize,
) {
    // SAFETY: the user pointer is a getter's, and the load is ours to end.
    let (run, load) = unsafe { (hook::<GetterHook>(user), LoadHandle::adopt(load)) };
    if let Some(load) = load {
        quietly((), || run(load));
    }
}

pub(super) unsafe extern "C" fn on_send(user: *mut c_void, request: *mut sys::cohort_request_t) {
    // SAFETY: the user pointer is a transport's, and the request is ours to answer.
    let (send, request) = unsafe { (hook::<SendHook>(user), RequestHandle::adopt(request)) };
    if let Some(request) = request {
        quietly((), || send(request));
    }
}

pub(super) unsafe extern "C" fn on_log(user: *mut c_void, level: i32, message: *const c_char, message_size: usize) {
    // SAFETY: the user pointer is a logger's; the message is lent for the call.
    let (log, line) = unsafe { (hook::<LogHook>(user), super::text(message.cast(), message_size as i64)) };
    quietly((), || log(level, &line));
}

pub(super) unsafe extern "C" fn on_hash(user: *mut c_void, data: *const c_void, size: usize) -> u64 {
    // SAFETY: the user pointer is a hash's; the bytes are lent for the call.
    let (hash, bytes) = unsafe { (hook::<HashHook>(user), super::bytes(data, size as i64)) };
    quietly(0, || hash(bytes))
}

pub(super) unsafe extern "C" fn on_evicted(
    user: *mut c_void,
    tier: i32,
    reason: i32,
    key: *const c_char,
    key_size: usize,
    value: *const sys::cohort_value_t,
) {
    // SAFETY: the user pointer is a listener's; key and value are lent for the call.
    let (told, key, value) = unsafe { (hook::<EvictedHook>(user), slice(key, key_size), ValueHandle::share(value)) };
    if let Some(value) = value {
        quietly((), || told(tier, reason, key, value));
    }
}

pub(super) unsafe extern "C" fn on_cache_get(
    user: *mut c_void,
    key: *const c_char,
    key_size: usize,
) -> *mut sys::cohort_value_t {
    // SAFETY: the user pointer is a cache's; the key is lent for the call; the engine owns what is returned.
    let (cache, key) = unsafe { (hook::<CacheHooks>(user), slice(key, key_size)) };
    quietly(None, || (cache.get)(key)).map_or(core::ptr::null_mut(), ValueHandle::into_raw)
}

pub(super) unsafe extern "C" fn on_cache_add(
    user: *mut c_void,
    key: *const c_char,
    key_size: usize,
    value: *const sys::cohort_value_t,
) {
    // SAFETY: the user pointer is a cache's; key and value are lent for the call.
    let (cache, key, value) = unsafe { (hook::<CacheHooks>(user), slice(key, key_size), ValueHandle::share(value)) };
    if let Some(value) = value {
        quietly((), || (cache.add)(key, value));
    }
}

pub(super) unsafe extern "C" fn on_cache_remove(user: *mut c_void, key: *const c_char, key_size: usize) {
    // SAFETY: the user pointer is a cache's; the key is lent for the call. NULL forgets everything.
    let (cache, key) =
        unsafe { (hook::<CacheHooks>(user), if key.is_null() { None } else { Some(slice(key, key_size)) }) };
    quietly((), || (cache.remove)(key));
}
