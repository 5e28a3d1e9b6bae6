//! Options of instances, groups and transports. Each setter copies what it is given and checks it at once.

use super::callback::{self, release, user, CacheHooks, EvictedHook, GetterHook, HashHook, LogHook, SendHook};
use super::error::ErrorSlot;
use super::{sys, LoadHandle, Queue, RequestHandle};
use crate::Error;
use core::ptr::NonNull;

/// Runs one setter.
fn set(call: impl FnOnce(*mut sys::cohort_error_t) -> i32) -> Result<(), Error> {
    let error = ErrorSlot::new();
    error.check(call(error.as_ptr()))
}

pub(crate) struct InstanceOptions(NonNull<sys::cohort_instance_options_t>);

impl InstanceOptions {
    pub(crate) fn new() -> Result<Self, Error> {
        // SAFETY: takes nothing; the handle is ours.
        NonNull::new(unsafe { sys::cohort_instance_options_new() }).map(Self).ok_or(Error::NoMemory)
    }

    pub(super) fn as_ptr(&self) -> *mut sys::cohort_instance_options_t {
        self.0.as_ptr()
    }

    // SAFETY of all setters: the options are alive, and what is pointed to lives for the call; hooks are released by C.

    pub(crate) fn name(&self, name: &str) -> Result<(), Error> {
        set(|error| unsafe {
            sys::cohort_instance_options_set_name(self.as_ptr(), name.as_ptr().cast(), name.len(), error)
        })
    }

    pub(crate) fn ring(&self, ring: i32) -> Result<(), Error> {
        set(|error| unsafe { sys::cohort_instance_options_set_ring(self.as_ptr(), ring, error) })
    }

    pub(crate) fn replicas(&self, replicas: i32) -> Result<(), Error> {
        set(|error| unsafe { sys::cohort_instance_options_set_replicas(self.as_ptr(), replicas, error) })
    }

    pub(crate) fn hash(&self, hash: impl Fn(&[u8]) -> u64 + Send + Sync + 'static) -> Result<(), Error> {
        let hook: HashHook = Box::new(hash);
        set(|error| unsafe {
            let destroy = Some(release::<HashHook> as unsafe extern "C" fn(_));
            sys::cohort_instance_options_set_hash(self.as_ptr(), Some(callback::on_hash), destroy, user(hook), error)
        })
    }

    pub(crate) fn transport(&self, transport: &TransportHandle) -> Result<(), Error> {
        set(|error| unsafe { sys::cohort_instance_options_set_transport(self.as_ptr(), transport.0.as_ptr(), error) })
    }

    pub(crate) fn base_path(&self, path: &str) -> Result<(), Error> {
        set(|error| unsafe {
            sys::cohort_instance_options_set_base_path(self.as_ptr(), path.as_ptr().cast(), path.len(), error)
        })
    }

    pub(crate) fn logger(&self, level: i32, log: impl Fn(i32, &str) + Send + Sync + 'static) -> Result<(), Error> {
        let hook: LogHook = Box::new(log);
        set(|error| unsafe {
            let destroy = Some(release::<LogHook> as unsafe extern "C" fn(_));
            sys::cohort_instance_options_set_logger(
                self.as_ptr(),
                level,
                Some(callback::on_log),
                destroy,
                user(hook),
                error,
            )
        })
    }

    pub(crate) fn max_getter_threads(&self, threads: i32) -> Result<(), Error> {
        set(|error| unsafe { sys::cohort_instance_options_set_max_getter_threads(self.as_ptr(), threads, error) })
    }
}

impl Drop for InstanceOptions {
    fn drop(&mut self) {
        // SAFETY: owned, and released once.
        unsafe { sys::cohort_instance_options_free(self.as_ptr()) };
    }
}

pub(crate) struct GroupOptions(NonNull<sys::cohort_group_options_t>);

impl GroupOptions {
    pub(crate) fn new() -> Result<Self, Error> {
        // SAFETY: takes nothing; the handle is ours.
        NonNull::new(unsafe { sys::cohort_group_options_new() }).map(Self).ok_or(Error::NoMemory)
    }

    pub(super) fn as_ptr(&self) -> *mut sys::cohort_group_options_t {
        self.0.as_ptr()
    }

    // SAFETY of all setters: as for instances.

    pub(crate) fn cache_bytes(&self, bytes: i64) -> Result<(), Error> {
        set(|error| unsafe { sys::cohort_group_options_set_cache_bytes(self.as_ptr(), bytes, error) })
    }

    pub(crate) fn max_entries(&self, entries: i64) -> Result<(), Error> {
        set(|error| unsafe { sys::cohort_group_options_set_max_entries(self.as_ptr(), entries, error) })
    }

    pub(crate) fn policy(&self, policy: i32) -> Result<(), Error> {
        set(|error| unsafe { sys::cohort_group_options_set_policy(self.as_ptr(), policy, error) })
    }

    pub(crate) fn load_timeout_ms(&self, timeout_ms: i64) -> Result<(), Error> {
        set(|error| unsafe { sys::cohort_group_options_set_load_timeout_ms(self.as_ptr(), timeout_ms, error) })
    }

    pub(crate) fn getter(&self, run: impl Fn(LoadHandle) + Send + Sync + 'static) -> Result<(), Error> {
        let hook: GetterHook = Box::new(run);
        set(|error| unsafe {
            let destroy = Some(release::<GetterHook> as unsafe extern "C" fn(_));
            sys::cohort_group_options_set_getter(self.as_ptr(), Some(callback::on_load), destroy, user(hook), error)
        })
    }

    /// Loads come to the queue as LOAD events with `tag`.
    pub(crate) fn getter_queue(&self, queue: &Queue, tag: u64) -> Result<(), Error> {
        set(|error| unsafe { sys::cohort_group_options_set_getter_queue(self.as_ptr(), queue.as_ptr(), tag, error) })
    }

    pub(crate) fn eviction_listener(&self, hook: EvictedHook) -> Result<(), Error> {
        set(|error| unsafe {
            let destroy = Some(release::<EvictedHook> as unsafe extern "C" fn(_));
            sys::cohort_group_options_set_eviction_listener(
                self.as_ptr(),
                Some(callback::on_evicted),
                destroy,
                user(hook),
                error,
            )
        })
    }

    pub(crate) fn cache(&self, tier: i32, hooks: CacheHooks) -> Result<(), Error> {
        set(|error| unsafe {
            sys::cohort_group_options_set_cache(
                self.as_ptr(),
                tier,
                Some(callback::on_cache_get),
                Some(callback::on_cache_add),
                Some(callback::on_cache_remove),
                Some(release::<CacheHooks>),
                user(hooks),
                error,
            )
        })
    }
}

impl Drop for GroupOptions {
    fn drop(&mut self) {
        // SAFETY: owned, and released once.
        unsafe { sys::cohort_group_options_free(self.as_ptr()) };
    }
}

pub(crate) struct TransportHandle(NonNull<sys::cohort_transport_t>);

// SAFETY: "a handle may be used from any thread at once"; setters run before it is shared.
unsafe impl Send for TransportHandle {}
// SAFETY: as above.
unsafe impl Sync for TransportHandle {}

impl TransportHandle {
    fn made(made: impl FnOnce(*mut sys::cohort_error_t) -> *mut sys::cohort_transport_t) -> Result<Self, Error> {
        let error = ErrorSlot::new();
        NonNull::new(made(error.as_ptr())).map(Self).ok_or_else(|| error.error())
    }

    pub(crate) fn http() -> Result<Self, Error> {
        // SAFETY: the handle is ours.
        Self::made(|error| unsafe { sys::cohort_transport_new_http(error) })
    }

    pub(crate) fn in_process() -> Result<Self, Error> {
        // SAFETY: the handle is ours.
        Self::made(|error| unsafe { sys::cohort_transport_new_inproc(error) })
    }

    pub(crate) fn custom(raw: bool, send: impl Fn(RequestHandle) + Send + Sync + 'static) -> Result<Self, Error> {
        let hook: SendHook = Box::new(send);
        let mode = if raw { sys::COHORT_SEND_RAW } else { sys::COHORT_SEND_CALLS };
        // SAFETY: the handle is ours; the hook is released by C.
        Self::made(|error| unsafe {
            let destroy = Some(release::<SendHook> as unsafe extern "C" fn(_));
            sys::cohort_transport_new_custom(mode, Some(callback::on_send), destroy, user(hook), error)
        })
    }

    pub(crate) fn limit(&self, limit: i32, value: i64) -> Result<(), Error> {
        // SAFETY: the handle is alive.
        set(|error| unsafe { sys::cohort_transport_set_limit(self.0.as_ptr(), limit, value, error) })
    }

    pub(crate) fn tls(&self, ca: &str, cert: &str, key: &str, require_client: bool) -> Result<(), Error> {
        // SAFETY: the handle is alive, the names live for the call.
        set(|error| unsafe {
            sys::cohort_transport_set_tls(
                self.0.as_ptr(),
                ca.as_ptr().cast(),
                ca.len(),
                cert.as_ptr().cast(),
                cert.len(),
                key.as_ptr().cast(),
                key.len(),
                i32::from(require_client),
                error,
            )
        })
    }
}

impl Drop for TransportHandle {
    fn drop(&mut self) {
        // SAFETY: owned, and released once.
        unsafe { sys::cohort_transport_free(self.0.as_ptr()) };
    }
}
