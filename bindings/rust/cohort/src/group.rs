//! Groups: named caches, each with its getter.

use crate::change::{Change, What};
use crate::ffi::{CacheHooks, GroupHandle, GroupOptions};
use crate::get::millis;
use crate::getter::{Call, Getter, GroupCore};
use crate::instance::Instance;
use crate::many::{GetMany, Packed};
use crate::{BoxError, CacheStats, Error, Expiry, GroupStats, IntoValue, Key, Value};
use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::Duration;

/// A named cache with a getter. Clones are cheap and are the same group; any thread may use one.
///
/// A group lives as long as its [`Instance`]: after that its calls end with [`Error::Closed`].
#[derive(Clone)]
pub struct Group(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) handle: GroupHandle,
    pub(crate) core: Arc<GroupCore>,
}

impl Group {
    /// Gets many values at once. Those of one owner travel in one request.
    ///
    /// ```
    /// # async fn f(pages: cohort::Group) {
    /// for page in pages.get_many(["index", "about"]).await {
    ///     println!("{:?}", page);
    /// }
    /// # }
    /// ```
    pub fn get_many<K: AsRef<[u8]>>(&self, keys: impl IntoIterator<Item = K>) -> GetMany {
        GetMany::new(self.clone(), Packed::new(keys))
    }

    /// Sets a value: its owner stores it, then every other member drops its copy.
    ///
    /// ```
    /// # async fn f(pages: cohort::Group) -> Result<(), cohort::Error> {
    /// pages.set("index", "hello").expires(std::time::Duration::from_secs(60)).await?;
    /// # Ok(()) }
    /// ```
    pub fn set<K: AsRef<[u8]>>(&self, key: K, value: impl IntoValue) -> Change<K> {
        Change::new(self.clone(), What::Set(key, value.into_value(Expiry::NEVER), Expiry::NEVER))
    }

    /// Removes a key from every member.
    pub fn remove<K: AsRef<[u8]>>(&self, key: K) -> Change<K> {
        Change::new(self.clone(), What::Remove(key))
    }

    /// Removes many keys from every member.
    pub fn remove_keys<K: AsRef<[u8]>>(&self, keys: impl IntoIterator<Item = K>) -> Change<&'static [u8]> {
        Change::new(self.clone(), What::RemoveKeys(Packed::new(keys)))
    }

    /// What a peer's set does here, for servers of custom transports: fills main if this member owns the key, else hot.
    ///
    /// # Errors
    /// A closed group, or a key or value that is too large.
    pub fn local_set(
        &self,
        key: impl AsRef<[u8]>,
        value: impl AsRef<[u8]>,
        expiry: impl Into<Expiry>,
    ) -> Result<(), Error> {
        self.0.handle.local_set(key.as_ref(), value.as_ref(), expiry.into().unix_ns())
    }

    /// What a peer's remove does here: drops the key from both tiers and marks its load under way.
    ///
    /// # Errors
    /// A closed group.
    pub fn local_remove(&self, key: impl AsRef<[u8]>) -> Result<(), Error> {
        self.0.handle.local_remove(key.as_ref())
    }

    /// The group's name.
    pub fn name(&self) -> &str {
        &self.0.core.name
    }

    /// The group's counters.
    pub fn stats(&self) -> GroupStats {
        self.0.handle.stats().into()
    }

    /// The counters of one tier.
    pub fn cache_stats(&self, tier: Tier) -> CacheStats {
        self.0.handle.cache_stats(tier as i32).into()
    }

    /// Forgets every local entry and gives the caches a new budget; 0 turns caching off.
    ///
    /// # Errors
    /// A closed group.
    pub fn reset_cache(&self, cache_bytes: u64) -> Result<(), Error> {
        self.0.handle.reset_cache(signed(cache_bytes))
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Group").field(&self.name()).finish()
    }
}

/// The two tiers of a group's cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tier {
    /// Keys that this member owns: 7/8 of the bytes.
    Main = cohort_sys::COHORT_TIER_MAIN as isize,
    /// Copies of other members' values: 1/8.
    Hot = cohort_sys::COHORT_TIER_HOT as isize,
}

/// Why an entry left a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The budget was reached.
    Room,
    /// Its time had come.
    Expired,
}

/// An entry that left a cache by itself.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Evicted<'a> {
    /// The tier that it left.
    pub tier: Tier,
    /// Why.
    pub reason: Reason,
    /// Its key.
    pub key: &'a [u8],
    /// Its value.
    pub value: Value,
}

/// A cache of the program's own for one tier. The engine decides what enters it.
///
/// `add` and `remove` run under the lock of the key's flight, so that no load can put back what a remove took; they must not
/// call this library, but for values, nor block. Any thread, several at once. A panic counts as nothing found or done.
pub trait Cache: Send + Sync + 'static {
    /// Finds a key.
    fn get(&self, key: &[u8]) -> Option<Value>;
    /// Keeps a value under a key.
    fn add(&self, key: &[u8], value: Value);
    /// Forgets a key.
    fn remove(&self, key: &[u8]);
    /// Forgets everything.
    fn clear(&self);
}

/// How a group is made; see [`Instance::new_group`].
///
/// What is wrong with an option is told by [`build`](Self::build).
#[must_use = "a group is made by build()"]
pub struct GroupBuilder<'a> {
    instance: &'a Instance,
    name: String,
    call: Option<Call>,
    longest: Duration,
    options: Result<GroupOptions, Error>,
}

/// The engine's default for the longest load.
const LONGEST: Duration = Duration::from_secs(60);

fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// Which value leaves a group's cache when room is needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Policy {
    /// The least recently used, as in groupcache. Keeps every new value.
    Lru = 0,
    /// By recency, reuse, frequency or frequency for the size, whichever hits most at the time. Resists scans, and may not keep
    /// a value that a getter has brought; one that was set is always kept.
    #[default]
    Adaptive = 1,
}

impl<'a> GroupBuilder<'a> {
    pub(crate) fn new(instance: &'a Instance, name: String) -> Self {
        Self { instance, name, call: None, longest: LONGEST, options: GroupOptions::new() }
    }

    /// Sets one option unless one before was wrong.
    fn option(mut self, set: impl FnOnce(&GroupOptions) -> Result<(), Error>) -> Self {
        self.options = self.options.and_then(|options| set(&options).map(|()| options));
        self
    }

    /// Bytes for both tiers, overheads included; default 64 MiB. 0 turns caching off.
    pub fn cache_bytes(self, bytes: u64) -> Self {
        self.option(|options| options.cache_bytes(signed(bytes)))
    }

    /// Most entries for both tiers, split as the bytes are; default: no limit.
    pub fn max_entries(self, entries: u64) -> Self {
        self.option(|options| options.max_entries(signed(entries)))
    }

    /// Which value leaves when room is needed; default [`Policy::Adaptive`].
    pub fn policy(self, policy: Policy) -> Self {
        self.option(|options| options.policy(policy as i32))
    }

    /// The longest time for one load, after which its waiters end with [`Error::Timeout`]; 1 ms to 1 day, default a minute.
    pub fn load_timeout(mut self, timeout: Duration) -> Self {
        self.longest = timeout;
        self.option(|options| options.load_timeout_ms(millis(Some(timeout))))
    }

    /// The getter, as an async closure. It returns a value, or with [`Expiry`] a pair of both.
    ///
    /// It runs as a task on the runtime that the instance knows (see [`InstanceBuilder::spawn_with`]): no caller who stops to wait
    /// ends it for the others.
    ///
    /// ```
    /// # use cohort::{Expiry, Instance, NotFound};
    /// # use std::time::Duration;
    /// # fn main() -> Result<(), cohort::Error> {
    /// let node = Instance::builder().build()?;
    /// let pages = node
    ///     .new_group("pages")
    ///     .getter(|key| async move {
    ///         match key.as_str()? {
    ///             "index" => Ok(("hello", Expiry::after(Duration::from_secs(60)))),
    ///             other => Err(NotFound::new(format!("no page {other}")).into()),
    ///         }
    ///     })
    ///     .build()?;
    /// assert_eq!(pages.get_blocking("index")?, "hello");
    /// # Ok(()) }
    /// ```
    ///
    /// [`InstanceBuilder::spawn_with`]: crate::InstanceBuilder::spawn_with
    pub fn getter<F, R, V>(mut self, getter: F) -> Self
    where
        F: Fn(Key) -> R + Send + Sync + 'static,
        R: Future<Output = Result<V, BoxError>> + Send + 'static,
        V: IntoValue,
    {
        self.call = Some(Call::Async(Arc::new(move |key| {
            let made = getter(key);
            Box::pin(async move { made.await?.into_value(Expiry::NEVER) })
        })));
        self
    }

    /// The getter, as a closure that blocks. It runs on a caller that waits in [`Group::get_blocking`], or on a thread for getters:
    /// see [`InstanceBuilder::max_getter_threads`](crate::InstanceBuilder::max_getter_threads).
    pub fn blocking_getter<F, V>(mut self, getter: F) -> Self
    where
        F: Fn(&Key) -> Result<V, BoxError> + Send + Sync + 'static,
        V: IntoValue,
    {
        self.call = Some(Call::Blocking(Arc::new(move |key| getter(key)?.into_value(Expiry::NEVER))));
        self
    }

    /// The getter, as a [`Getter`].
    pub fn with_getter(mut self, getter: impl Getter) -> Self {
        let getter = Arc::new(getter);
        self.call = Some(Call::Async(Arc::new(move |key| {
            let getter = Arc::clone(&getter);
            Box::pin(async move { getter.get(key).await })
        })));
        self
    }

    /// `told` is told of entries that leave a cache for room or by expiry (not of remove, set or closing). Any thread; it must not
    /// block for long. A panic in it is ignored.
    pub fn on_evicted(self, told: impl Fn(Evicted<'_>) + Send + Sync + 'static) -> Self {
        self.option(|options| {
            options.eviction_listener(Box::new(move |tier, reason, key, value| {
                let tier = if tier == cohort_sys::COHORT_TIER_HOT { Tier::Hot } else { Tier::Main };
                let expired = reason == cohort_sys::COHORT_EVICTED_EXPIRED;
                let reason = if expired { Reason::Expired } else { Reason::Room };
                told(Evicted { tier, reason, key, value: Value(value) });
            }))
        })
    }

    /// A cache of the program's own for one tier.
    pub fn cache(self, tier: Tier, cache: impl Cache) -> Self {
        let cache = Arc::new(cache);
        let (adding, removing) = (Arc::clone(&cache), Arc::clone(&cache));
        self.option(|options| {
            options.cache(
                tier as i32,
                CacheHooks {
                    get: Box::new(move |key| cache.get(key).map(|value| value.0)),
                    add: Box::new(move |key, value| adding.add(key, Value(value))),
                    remove: Box::new(move |key| match key {
                        Some(key) => removing.remove(key),
                        None => removing.clear(),
                    }),
                },
            )
        })
    }

    /// Makes the group.
    ///
    /// # Errors
    /// What is wrong with the name or an option, a name that is taken, a closed instance.
    pub fn build(self) -> Result<Group, Error> {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let options = self.options?;
        let shared = Arc::clone(self.instance.shared());
        let id = LAST.fetch_add(1, Ordering::Relaxed) + 1;
        let core = Arc::new(GroupCore::new(shared, self.name.as_str().into(), id, self.longest, self.call));
        if core.blocking {
            let loads = Arc::clone(&core);
            options.getter(move |load| loads.load(load))?;
        } else if core.has_getter {
            // No thread of the engine is needed to start a task.
            options.getter_queue(&core.shared.queue, id)?;
            core.shared.groups.add(&core);
        }
        let made = self.instance.add_group(&self.name, &options, Arc::clone(&core));
        if made.is_err() {
            core.close();
        }
        made
    }
}
