//! Instances: the members of a cluster that this process holds.

use crate::ffi::{check_library, GroupOptions, InstanceHandle, InstanceOptions, Queue};
use crate::get::millis;
use crate::getter::GroupCore;
use crate::group::{Group, GroupBuilder, Inner};
use crate::shared::Shared;
use crate::spawn::{Spawner, Task};
use crate::transport::Transport;
use crate::wait::lock;
use crate::{Error, Value};
use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// One member of a cluster. Clones are cheap and are the same member.
///
/// When the last clone is dropped, the instance closes: it stops listening, and what still waits ends with [`Error::Closed`]. That
/// waits for the engine's threads, and so for a blocking getter that is running; [`shutdown`](Self::shutdown) gives
/// what is under way some time first.
#[derive(Clone)]
#[must_use = "an instance closes when it is dropped"]
pub struct Instance(Arc<Member>);

struct Member {
    handle: InstanceHandle,
    shared: Arc<Shared>,
    groups: Mutex<HashMap<String, Group>>,
    name: String,
}

impl Instance {
    /// Begins to make an instance.
    pub fn builder() -> InstanceBuilder {
        InstanceBuilder::default()
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.0.shared
    }

    pub(crate) fn handle_of(&self) -> &InstanceHandle {
        &self.0.handle
    }

    pub(crate) fn add_group(&self, name: &str, options: &GroupOptions, core: Arc<GroupCore>) -> Result<Group, Error> {
        let handle = self.0.handle.new_group(name, options)?;
        let group = Group(Arc::new(Inner { handle, core }));
        lock(&self.0.groups).insert(name.to_string(), group.clone());
        Ok(group)
    }

    /// Begins to make a group. Its name has 1 to 255 bytes and no `/`.
    pub fn new_group(&self, name: impl Into<String>) -> GroupBuilder<'_> {
        GroupBuilder::new(self, name.into())
    }

    /// The group of that name.
    pub fn group(&self, name: &str) -> Option<Group> {
        lock(&self.0.groups).get(name).cloned()
    }

    /// Closes a group: peers are told that it is not there, waiting gets end with [`Error::Closed`].
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is none of that name.
    pub fn remove_group(&self, name: &str) -> Result<(), Error> {
        self.0.handle.remove_group(name)?;
        let group = lock(&self.0.groups).remove(name);
        if let Some(group) = group {
            group.0.core.close();
        }
        Ok(())
    }

    /// Replaces the set of peers, at any time; gets that are under way end as they began.
    ///
    /// `addresses` are every member's "host:port", this one's included, the same strings on every member; `own` is this member's
    /// among them. No addresses: local only.
    ///
    /// # Errors
    /// An address that is none, or is given twice, or `own` not being among them.
    pub fn set_peers<A: AsRef<str>>(&self, addresses: impl IntoIterator<Item = A>, own: &str) -> Result<(), Error> {
        let mut lines = String::new();
        for address in addresses {
            if !lines.is_empty() {
                lines.push('\n');
            }
            lines.push_str(address.as_ref());
        }
        self.0.handle.set_peers(&lines, own)
    }

    /// Starts to serve peers at "host:port"; port 0 picks a free one. When it returns, connections are accepted.
    ///
    /// # Errors
    /// [`Error::Io`] when the address cannot be had.
    pub fn listen(&self, address: &str) -> Result<(), Error> {
        self.0.handle.listen(address)
    }

    /// The resolved address that is listened on, such as "127.0.0.1:8080".
    pub fn address(&self) -> Option<String> {
        let address = self.0.handle.listen_address().ok()?;
        let text = String::from_utf8_lossy(&address).into_owned();
        (!text.is_empty()).then_some(text)
    }

    /// Stops to serve peers: the port is free when it returns; requests under way get up to `timeout` to end. Groups and caches
    /// go on, and [`listen`](Self::listen) may follow.
    ///
    /// # Errors
    /// [`Error::WouldDeadlock`] in one of the instance's own callbacks.
    pub fn stop_listening(&self, timeout: Duration) -> Result<(), Error> {
        self.0.handle.stop_listening(patience(timeout))
    }

    /// The address of the key's owner by this member's ring; `None` while local only.
    ///
    /// # Errors
    /// A closed instance.
    pub fn owner(&self, key: impl AsRef<[u8]>) -> Result<Option<String>, Error> {
        let owner = self.0.handle.owner(key.as_ref())?;
        Ok((!owner.is_empty()).then(|| String::from_utf8_lossy(&owner).into_owned()))
    }

    /// The name for logs.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Shuts down and waits on this thread: stops listening, refuses new work, gives what is under way up to `timeout` to end, then
    /// fails the rest with [`Error::Closed`]. A second call does nothing.
    ///
    /// # Errors
    /// [`Error::WouldDeadlock`] in one of the instance's own callbacks, such as a blocking getter.
    pub fn shutdown_blocking(&self, timeout: Duration) -> Result<(), Error> {
        self.0.shutdown(patience(timeout))
    }

    /// As [`shutdown_blocking`](Self::shutdown_blocking), on a thread of its own, so that the tasks of this one can end meanwhile.
    pub fn shutdown(&self, timeout: Duration) -> impl Future<Output = Result<(), Error>> + Send + 'static {
        let member = Arc::clone(&self.0);
        async move {
            let waiter = crate::wait::new_waiter();
            let ends = Arc::clone(&waiter);
            std::thread::Builder::new()
                .name("cohort-close".into())
                .spawn(move || ends.end(crate::wait::Outcome::Done(member.shutdown(patience(timeout)))))
                .map_err(|error| Error::Io(format!("cannot start a thread: {error}")))?;
            std::future::poll_fn(|context| {
                waiter.poll(context).map(|outcome| match outcome {
                    crate::wait::Outcome::Done(result) => result,
                    _ => Err(Error::Internal("a shutdown ended as something else".into())),
                })
            })
            .await
        }
    }
}

/// A time to wait, where 0 is none.
fn patience(timeout: Duration) -> i64 {
    if timeout.is_zero() {
        0
    } else {
        millis(Some(timeout))
    }
}

impl Member {
    fn shutdown(&self, timeout_ms: i64) -> Result<(), Error> {
        self.handle.shutdown(timeout_ms)?;
        self.close();
        Ok(())
    }

    /// The engine's part has ended: tasks give up, the reader ends, getters are dropped.
    fn close(&self) {
        self.shared.close();
        let groups = std::mem::take(&mut *lock(&self.groups));
        for group in groups.values() {
            group.0.core.close();
        }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        // In one of the instance's own callbacks this does not wait, and freeing the handle below ends it soon.
        let _ = self.handle.shutdown(0);
        self.close();
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance").field("name", &self.name()).field("address", &self.address()).finish()
    }
}

/// How keys find their owners. Every member of a cluster must use the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ring {
    /// That of groupcache-go v3.
    #[default]
    GroupcacheV3,
    /// That of the original groupcache.
    Groupcache,
    /// XXH3 over points and keys: the fastest; Cohort members only.
    Xxh3,
}

/// Levels of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogLevel {
    /// For those who look for something.
    Debug = cohort_sys::COHORT_LOG_DEBUG as isize,
    /// Life goes on.
    Info = cohort_sys::COHORT_LOG_INFO as isize,
    /// Something is not as it should be.
    Warn = cohort_sys::COHORT_LOG_WARN as isize,
    /// Something failed.
    Error = cohort_sys::COHORT_LOG_ERROR as isize,
}

impl LogLevel {
    pub(crate) fn from_number(number: i32) -> Self {
        match number {
            cohort_sys::COHORT_LOG_DEBUG => Self::Debug,
            cohort_sys::COHORT_LOG_INFO => Self::Info,
            cohort_sys::COHORT_LOG_WARN => Self::Warn,
            _ => Self::Error,
        }
    }
}

type Logger = Box<dyn Fn(LogLevel, &str) + Send + Sync>;
type Hash = Box<dyn Fn(&[u8]) -> u64 + Send + Sync>;

/// How an instance is made; see [`Instance::builder`].
#[derive(Default)]
#[must_use = "an instance is made by build()"]
pub struct InstanceBuilder {
    name: Option<String>,
    listen: Option<String>,
    base_path: Option<String>,
    ring: Ring,
    replicas: Option<u32>,
    hash: Option<Hash>,
    max_getter_threads: Option<u32>,
    transport: Option<Transport>,
    logger: Option<(LogLevel, Logger)>,
    spawner: Option<Spawner>,
}

impl InstanceBuilder {
    /// A name for logs and threads; default "cohort".
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Serves peers at "host:port"; port 0 picks a free one. Without it the instance only asks.
    pub fn listen(mut self, address: impl Into<String>) -> Self {
        self.listen = Some(address.into());
        self
    }

    /// The path under which peers are served and asked; default "/_groupcache/".
    pub fn base_path(mut self, path: impl Into<String>) -> Self {
        self.base_path = Some(path.into());
        self
    }

    /// How keys find their owners.
    pub fn ring(mut self, ring: Ring) -> Self {
        self.ring = ring;
        self
    }

    /// Points per peer on the ring, 1 to 10,000; default 50. Every member must use the same.
    pub fn replicas(mut self, replicas: u32) -> Self {
        self.replicas = Some(replicas);
        self
    }

    /// A hash in place of the ring's. It must be pure, and the same on every member. Any thread.
    pub fn hash(mut self, hash: impl Fn(&[u8]) -> u64 + Send + Sync + 'static) -> Self {
        self.hash = Some(Box::new(hash));
        self
    }

    /// How many blocking getters may run at once on the engine's own threads; 1 to 4,096, default 64.
    pub fn max_getter_threads(mut self, threads: u32) -> Self {
        self.max_getter_threads = Some(threads);
        self
    }

    /// How peers are reached; default: HTTP with default settings.
    pub fn transport(mut self, transport: Transport) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Lines of log at that level and above go to `log`. Any thread; it must not block for long. With the feature `tracing` they are
    /// events of target "cohort" unless this is called.
    pub fn logger(mut self, level: LogLevel, log: impl Fn(LogLevel, &str) + Send + Sync + 'static) -> Self {
        self.logger = Some((level, Box::new(log)));
        self
    }

    /// Async getters and transports run where `spawn` puts them: it is called on any thread and must not block.
    ///
    /// By default they run on the tokio runtime in which the instance is built, if the feature `tokio` is on and there is one; else
    /// on a few threads of the instance's own.
    ///
    /// ```
    /// # fn f(runtime: tokio::runtime::Handle) -> Result<(), cohort::Error> {
    /// let node = cohort::Instance::builder().spawn_with(move |task| drop(runtime.spawn(task))).build()?;
    /// # Ok(()) }
    /// ```
    pub fn spawn_with(mut self, spawn: impl Fn(Task) + Send + Sync + 'static) -> Self {
        self.spawner = Some(Spawner::Program(Arc::new(spawn)));
        self
    }

    /// Makes the instance: local only until [`Instance::set_peers`].
    ///
    /// # Errors
    /// What is wrong with an option, or an address that cannot be had.
    pub fn build(self) -> Result<Instance, Error> {
        check_library()?;
        let name = self.name.unwrap_or_else(|| "cohort".into());
        let shared = Arc::new(Shared::new(Queue::new()?, self.spawner.unwrap_or_else(Spawner::find)));
        let options = InstanceOptions::new()?;
        options.name(&name)?;
        options.ring(match self.ring {
            Ring::GroupcacheV3 => cohort_sys::COHORT_RING_GROUPCACHE_V3,
            Ring::Groupcache => cohort_sys::COHORT_RING_GROUPCACHE,
            Ring::Xxh3 => cohort_sys::COHORT_RING_XXH3,
        })?;
        if let Some(replicas) = self.replicas {
            options.replicas(i32::try_from(replicas).unwrap_or(i32::MAX))?;
        }
        if let Some(hash) = self.hash {
            options.hash(hash)?;
        }
        if let Some(path) = self.base_path {
            options.base_path(&path)?;
        }
        if let Some(threads) = self.max_getter_threads {
            options.max_getter_threads(i32::try_from(threads).unwrap_or(i32::MAX))?;
        }
        if let Some(transport) = self.transport {
            options.transport(&*transport.handle(&shared)?)?;
        }
        if let Some((level, log)) = self.logger {
            options.logger(level as i32, move |level, line| log(LogLevel::from_number(level), line))?;
        } else {
            #[cfg(feature = "tracing")]
            options.logger(LogLevel::Debug as i32, |level, line| {
                crate::telemetry::log(LogLevel::from_number(level), line);
            })?;
        }
        let handle = InstanceHandle::new(&options)?;
        crate::reader::start(&shared, &name)?;
        let instance = Instance(Arc::new(Member { handle, shared, groups: Mutex::default(), name }));
        if let Some(address) = self.listen {
            instance.listen(&address)?;
        }
        Ok(instance)
    }
}

/// The version of the engine that was loaded, such as "0.1.0".
pub fn engine_version() -> &'static str {
    crate::ffi::library_version()
}

#[allow(dead_code)]
fn assert_shareable(instance: Instance, group: Group, value: Value) {
    fn shareable<T: Send + Sync + 'static>(_: T) {}
    shareable(instance);
    shareable(group);
    shareable(value);
}
