//! Getters: how a group's missing values are made, and how one load is run to its end, whatever the getter does.

use crate::ffi::{status, LoadHandle, Status};
use crate::key::{loading, Key, Open};
use crate::shared::{fail_load, load_error, Shared, Waits};
use crate::telemetry::LoadSpan;
use crate::wait::{Found, Outcome, Source, Waiter};
use crate::{BoxError, Error, Panicked, Value};
use std::future::Future;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll};
use std::time::Duration;

/// A group's way to make a missing value. Closures do as well: see [`GroupBuilder::getter`](crate::GroupBuilder::getter).
///
/// One call serves everybody who waits for the key, here and on other members. It runs as a task of its own, so that no caller who
/// stops to wait ends it for the others. When the last one has cancelled, it is dropped; when their deadlines have passed, it goes
/// on for who asks again, at most for the group's longest load. A panic is an error for those who wait.
///
/// ```
/// use cohort::{BoxError, Getter, Instance, Key, NotFound, Value};
///
/// struct Squares;
///
/// impl Getter for Squares {
///     async fn get(&self, key: Key) -> Result<Value, BoxError> {
///         let n: u64 = key.as_str()?.parse().map_err(|_| NotFound::new(format!("{key} is no number")))?;
///         Ok(Value::new((n * n).to_string())?)
///     }
/// }
///
/// # fn main() -> Result<(), cohort::Error> {
/// let node = Instance::builder().build()?;
/// let squares = node.new_group("squares").with_getter(Squares).build()?;
/// assert_eq!(squares.get_blocking("12")?, "144");
/// assert!(squares.get_blocking("x").unwrap_err().is_not_found());
/// # Ok(()) }
/// ```
pub trait Getter: Send + Sync + 'static {
    /// Makes the value of the key. [`NotFound`](crate::NotFound) says that there is none.
    fn get(&self, key: Key) -> impl Future<Output = Result<Value, BoxError>> + Send;
}

type Made = Result<Value, BoxError>;
type Loading = Pin<Box<dyn Future<Output = Made> + Send>>;

type AsyncCall = Arc<dyn Fn(Key) -> Loading + Send + Sync>;

/// A getter, as it is called.
#[derive(Clone)]
pub(crate) enum Call {
    Async(AsyncCall),
    Blocking(Arc<dyn Fn(&Key) -> Made + Send + Sync>),
}

/// What is known of a group apart from the engine's handle. It outlives the group's instance without harm.
pub(crate) struct GroupCore {
    pub(crate) shared: Arc<Shared>,
    pub(crate) name: Arc<str>,
    /// Tells groups apart, also those of other instances.
    pub(crate) id: u64,
    /// Taken when the group is closed: a getter may hold groups, and so itself.
    call: RwLock<Option<Call>>,
    pub(crate) has_getter: bool,
    pub(crate) blocking: bool,
    /// The longest time for one load.
    longest: Duration,
}

impl GroupCore {
    pub(crate) fn new(shared: Arc<Shared>, name: Arc<str>, id: u64, longest: Duration, call: Option<Call>) -> Self {
        let blocking = matches!(call, Some(Call::Blocking(_)));
        Self { shared, name, id, has_getter: call.is_some(), blocking, longest, call: RwLock::new(call) }
    }

    /// The group is closed: its getter is dropped.
    pub(crate) fn close(&self) {
        self.shared.groups.remove(self.id);
        let call = self.call.write().unwrap_or_else(PoisonError::into_inner).take();
        drop(call);
    }

    fn call(&self) -> Option<Call> {
        self.call.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Runs a load that the engine asks for: on one of its threads for getters, or, as a task, on the reader.
    pub(crate) fn load(self: &Arc<Self>, load: LoadHandle) {
        match self.call() {
            Some(Call::Async(call)) => drop(self.spawn(call, load, None)),
            Some(Call::Blocking(call)) => drop(self.run(&*call, load)),
            None => drop(load),
        }
    }

    /// Runs a load that a caller leads: on this thread if the getter blocks, else as a task that ends the waiter.
    pub(crate) fn lead(self: &Arc<Self>, load: LoadHandle, waiter: &Arc<Waiter>) -> Led {
        match self.call() {
            Some(Call::Async(call)) => Led::Task(self.spawn(call, load, Some(Arc::clone(waiter)))),
            Some(Call::Blocking(call)) => Led::Found(self.run(&*call, load)),
            None => Led::Found(Err(Error::Closed)),
        }
    }

    fn run(self: &Arc<Self>, call: &(dyn Fn(&Key) -> Made + Send + Sync), load: LoadHandle) -> Found {
        let open = Open::new(Arc::clone(&self.shared), self.id, self.longest, load);
        let key = Key(Arc::clone(&open));
        let span = LoadSpan::new(&self.name, &key);
        let made = span.within(|| loading(&open, || catch_unwind(AssertUnwindSafe(|| call(&key)))));
        let found = self.end(&open, flatten(made));
        span.ended(&found);
        found
    }

    /// Runs an async getter as a task of its own.
    fn spawn(self: &Arc<Self>, call: AsyncCall, load: LoadHandle, leader: Option<Arc<Waiter>>) -> Arc<Open> {
        let open = Open::new(Arc::clone(&self.shared), self.id, self.longest, load);
        let span = LoadSpan::new(&self.name, &Key(Arc::clone(&open)));
        let task = LoadTask { core: Arc::clone(self), open: Arc::clone(&open), leader, stage: Stage::New(call), span };
        self.shared.spawner.spawn(Box::pin(task));
        open
    }

    /// Ends the load, and says what its leader gets.
    fn end(&self, open: &Open, made: Result<Value, Error>) -> Found {
        let Some(load) = open.take() else { return Err(self.shared.given_up()) };
        match made {
            Ok(value) => {
                load.complete(&value.0)?;
                Ok((value, Source::Load))
            }
            Err(error) => {
                let status: Status = if error.is_not_found() { status::NOT_FOUND } else { status::LOAD_FAILED };
                fail_load(&self.shared, load, status, &error);
                Err(error)
            }
        }
    }
}

fn flatten(made: std::thread::Result<Made>) -> Result<Value, Error> {
    match made {
        Ok(made) => made.map_err(load_error),
        Err(panic) => {
            let error = Panicked::new(&*panic);
            let _ = catch_unwind(AssertUnwindSafe(|| drop(panic)));
            Err(Error::Load(Arc::new(error)))
        }
    }
}

/// How a led load goes on.
pub(crate) enum Led {
    /// It has ended.
    Found(Found),
    /// A task runs it.
    Task(Arc<Open>),
}

/// One run of an async getter. Dropped before its end, it gives the load up.
struct LoadTask {
    core: Arc<GroupCore>,
    open: Arc<Open>,
    leader: Option<Arc<Waiter>>,
    stage: Stage,
    span: LoadSpan,
}

enum Stage {
    New(AsyncCall),
    Running(Loading),
    Over,
}

impl LoadTask {
    /// One step of the getter; `None`: it goes on.
    fn step(&mut self, context: &mut Context<'_>) -> Option<std::thread::Result<Made>> {
        let (open, stage) = (&self.open, &mut self.stage);
        let step = || loop {
            match stage {
                Stage::New(call) => {
                    let future = call(Key(Arc::clone(open)));
                    *stage = Stage::Running(future);
                }
                Stage::Running(future) => match future.as_mut().poll(context) {
                    Poll::Ready(made) => return Some(made),
                    Poll::Pending => return None,
                },
                Stage::Over => return Some(Err(Error::Abandoned.into())),
            }
        };
        match self.span.within(|| loading(open, || catch_unwind(AssertUnwindSafe(step)))) {
            Ok(made) => made.map(Ok),
            Err(panic) => Some(Err(panic)),
        }
    }

    /// Drops the getter; its own destructors may panic, and may ask for the key.
    fn over(&mut self) {
        let stage = std::mem::replace(&mut self.stage, Stage::Over);
        let _ = catch_unwind(AssertUnwindSafe(|| loading(&self.open, || drop(stage))));
    }

    fn finish(&mut self, made: Result<Value, Error>) {
        self.over();
        let found = self.core.end(&self.open, made);
        self.tell(found);
    }

    fn give_up(&mut self, error: Error) {
        self.over();
        drop(self.open.take());
        self.tell(Err(error));
    }

    fn tell(&mut self, found: Found) {
        self.span.ended(&found);
        if let Some(leader) = self.leader.take() {
            leader.end(Outcome::Found(found));
        }
    }
}

impl Future for LoadTask {
    type Output = ();
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        if matches!(this.stage, Stage::Over) {
            return Poll::Ready(());
        }
        if let Some(made) = this.step(context) {
            this.finish(flatten(made));
            return Poll::Ready(());
        }
        let Waits::Over(why) = this.open.poll_waits(context) else { return Poll::Pending };
        // A leader that still waits is told so only by its group's or instance's closing.
        this.give_up(if why == status::TIMEOUT { Error::Timeout } else { Error::Closed });
        Poll::Ready(())
    }
}

impl Drop for LoadTask {
    fn drop(&mut self) {
        if !matches!(self.stage, Stage::Over) {
            let error = self.core.shared.given_up();
            self.give_up(error);
        }
    }
}
