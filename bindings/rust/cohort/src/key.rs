//! The key that a getter is asked for, and what is known of those who wait for its value.

use crate::ffi::LoadHandle;
use crate::shared::{Shared, Waits, Watch};
use crate::wait::lock;
use crate::Error;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// The open load behind a key, until it is ended.
pub(crate) struct Open {
    key: Box<[u8]>,
    pub(crate) group: u64,
    shared: Arc<Shared>,
    load: Mutex<Option<LoadHandle>>,
    /// When its longest time is over.
    ends_at: Option<Instant>,
    watch: OnceLock<(u64, Arc<Watch>)>,
}

impl Open {
    pub(crate) fn new(shared: Arc<Shared>, group: u64, longest: Duration, load: LoadHandle) -> Arc<Self> {
        let key = load.key().into();
        let ends_at = Instant::now().checked_add(longest);
        Arc::new(Self { key, group, shared, load: Mutex::new(Some(load)), ends_at, watch: OnceLock::new() })
    }

    /// The load, to be ended.
    pub(crate) fn take(&self) -> Option<LoadHandle> {
        let load = lock(&self.load).take();
        if let Some((tag, watch)) = self.watch.get() {
            self.shared.watches.remove(*tag);
            watch.fire(crate::ffi::status::CANCELLED); // Whoever still looks at an ended load need not.
        }
        load
    }

    pub(crate) fn leave(&self) {
        if let Some(load) = &*lock(&self.load) {
            load.leave();
        }
    }

    /// Whether anybody waits; the waker will be woken when that changes.
    pub(crate) fn poll_waits(&self, context: &Context<'_>) -> Waits {
        let (_, watch) = self.watch.get_or_init(|| {
            let (tag, watch) = self.shared.watches.add(self.ends_at);
            match &*lock(&self.load) {
                Some(load) => {
                    if load.watch(&self.shared.queue, tag).is_err() {
                        watch.fire(crate::ffi::status::CANCELLED); // The instance is closed.
                    }
                }
                None => {
                    self.shared.watches.remove(tag);
                    watch.fire(crate::ffi::status::CANCELLED);
                }
            }
            (tag, watch)
        });
        watch.poll(context.waker())
    }
}

/// The key that a getter is asked for. It derefs to bytes and prints as text.
///
/// It also knows those who wait: how much time they have left, and whether anybody still does.
#[derive(Clone)]
pub struct Key(pub(crate) Arc<Open>);

impl Key {
    /// The key as text.
    ///
    /// # Errors
    /// [`Error::Codec`] when it is not UTF-8: keys may hold any byte.
    pub fn as_str(&self) -> Result<&str, Error> {
        std::str::from_utf8(self).map_err(Error::codec)
    }

    /// Until the latest deadline among those who wait now, at most the group's longest load; zero when nobody waits.
    pub fn time_left(&self) -> Duration {
        let left = lock(&self.0.load).as_ref().map_or(0, LoadHandle::time_left_ms);
        Duration::from_millis(u64::try_from(left).unwrap_or(0))
    }

    /// Whether nobody waits for the value any more: all have cancelled, or their deadlines have passed. A getter may look and
    /// stop. An async one is dropped when all have cancelled; one that goes on after their deadlines serves who asks again.
    pub fn is_cancelled(&self) -> bool {
        lock(&self.0.load).as_ref().is_none_or(LoadHandle::cancelled)
    }

    /// Ends when nobody waits for the value any more, for work that goes on beside the getter.
    pub fn cancelled(&self) -> impl Future<Output = ()> + Send + 'static {
        struct Cancelled(Arc<Open>);
        impl Future for Cancelled {
            type Output = ();
            fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
                match self.0.poll_waits(context) {
                    Waits::Yes => Poll::Pending,
                    Waits::Late | Waits::Over(_) => Poll::Ready(()),
                }
            }
        }
        Cancelled(Arc::clone(&self.0))
    }
}

impl Deref for Key {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0.key
    }
}

impl AsRef<[u8]> for Key {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        String::from_utf8_lossy(self).fmt(f)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key(\"{}\")", self.escape_ascii())
    }
}

thread_local! {
    /// What the getters on this thread's stack are loading.
    static LOADING: RefCell<Vec<Arc<Open>>> = const { RefCell::new(Vec::new()) };
    /// How many these are.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// Runs a piece of a getter, so that a get of its own key can be told from others.
pub(crate) fn loading<R>(open: &Arc<Open>, run: impl FnOnce() -> R) -> R {
    struct Leave;
    impl Drop for Leave {
        fn drop(&mut self) {
            DEPTH.set(DEPTH.get() - 1);
            LOADING.with_borrow_mut(|loading| drop(loading.pop()));
        }
    }
    LOADING.with_borrow_mut(|loading| loading.push(Arc::clone(open)));
    DEPTH.set(DEPTH.get() + 1);
    let _leave = Leave;
    run()
}

/// Whether a getter on this thread's stack is loading that key.
#[inline]
pub(crate) fn is_loading(group: u64, key: &[u8]) -> bool {
    DEPTH.get() > 0 && is_among_loading(group, key)
}

#[cold]
fn is_among_loading(group: u64, key: &[u8]) -> bool {
    LOADING.with_borrow(|loading| loading.iter().any(|open| open.group == group && &*open.key == key))
}
