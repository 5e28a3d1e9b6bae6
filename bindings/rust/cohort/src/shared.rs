//! What an instance, its groups and its reader have in common: the queue, and the tables that events are looked up in.

use crate::ffi::{status, LoadHandle, Queue, Status};
use crate::getter::GroupCore;
use crate::spawn::Spawner;
use crate::wait::{lock, Batch};
use crate::{Error, SharedError};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::task::Waker;
use std::time::Instant;

pub(crate) struct Shared {
    pub(crate) queue: Queue,
    pub(crate) spawner: Spawner,
    pub(crate) failures: Failures,
    pub(crate) watches: Watches,
    pub(crate) batches: Batches,
    pub(crate) groups: Groups,
    closed: AtomicBool,
}

impl Shared {
    pub(crate) fn new(queue: Queue, spawner: Spawner) -> Self {
        Self {
            queue,
            spawner,
            failures: Failures::default(),
            watches: Watches::default(),
            batches: Batches::default(),
            groups: Groups::default(),
            closed: AtomicBool::new(false),
        }
    }

    /// The instance has ended: the reader takes what is left and ends, tasks give up.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.queue.close();
        self.watches.fire_all();
    }

    /// What a load that nobody ran to its end means to its leader.
    pub(crate) fn given_up(&self) -> Error {
        if self.closed.load(Ordering::Acquire) {
            Error::Closed
        } else {
            Error::Abandoned
        }
    }
}

/// Errors of getters on their way to local waiters. They travel through the engine as numbers, so that each waiter gets the very
/// value that the getter returned.
#[derive(Default)]
pub(crate) struct Failures(Mutex<FailureTable>);

#[derive(Default)]
struct FailureTable {
    last: u64,
    failures: HashMap<u64, Failure>,
}

struct Failure {
    error: Error,
    /// Events still to come. Until they are counted it is far above 0.
    events: i64,
}

const NOT_COUNTED: i64 = 1 << 40;

impl Failures {
    /// Runs one failing call with a tag for the error. The call tells how many events will carry the tag:
    ///
    /// 1. the call pushes events             1. the call pushes events
    /// 2. the reader takes them              2. the call tells their number
    /// 3. the call tells their number        3. the reader takes them
    ///
    /// Either way the last of these forgets the error.
    pub(crate) fn send(&self, error: Error, call: impl FnOnce(u64) -> i64) {
        let tag = {
            let mut table = lock(&self.0);
            table.last += 1;
            let tag = table.last;
            table.failures.insert(tag, Failure { error, events: NOT_COUNTED });
            tag
        };
        let events = call(tag);
        self.count(tag, events - NOT_COUNTED);
    }

    /// The error behind the tag of an event.
    pub(crate) fn receive(&self, tag: u64) -> Option<Error> {
        let error = lock(&self.0).failures.get(&tag).map(|failure| failure.error.clone());
        self.count(tag, -1);
        error
    }

    fn count(&self, tag: u64, change: i64) {
        let mut table = lock(&self.0);
        let Some(failure) = table.failures.get_mut(&tag) else { return };
        failure.events += change;
        let ended = if failure.events == 0 { table.failures.remove(&tag) } else { None };
        drop(table);
        drop(ended); // The error is the program's: it is dropped outside of the lock.
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        lock(&self.0).failures.len()
    }
}

/// Ends a load with a getter's error, which goes to each local waiter as it is.
pub(crate) fn fail_load(shared: &Shared, load: LoadHandle, status: Status, error: &Error) {
    let message = error.to_string();
    shared.failures.send(error.clone(), |tag| load.fail(status, &message, tag));
}

/// Tasks that want to know when nobody waits for them any more.
#[derive(Default)]
pub(crate) struct Watches(Mutex<WatchTable>);

#[derive(Default)]
struct WatchTable {
    last: u64,
    watches: HashMap<u64, Arc<Watch>>,
}

/// What has become of those who wait for a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waits {
    /// Somebody waits.
    Yes,
    /// Their deadlines have passed. The task may go on: whoever asks again will be glad of it.
    Late,
    /// The task is to end.
    Over(Status),
}

pub(crate) struct Watch {
    /// A task that is late may go on until then; `None`: it ends at once.
    ends_at: Option<Instant>,
    state: Mutex<WatchState>,
}

struct WatchState {
    waits: Waits,
    wakers: Vec<Waker>,
}

impl Watch {
    fn new(ends_at: Option<Instant>) -> Self {
        Self { ends_at, state: Mutex::new(WatchState { waits: Waits::Yes, wakers: Vec::new() }) }
    }

    /// How it stands; `waker` will be woken when that changes.
    pub(crate) fn poll(&self, waker: &Waker) -> Waits {
        let mut state = lock(&self.state);
        if !state.wakers.iter().any(|known| known.will_wake(waker)) {
            state.wakers.push(waker.clone());
        }
        state.waits
    }

    pub(crate) fn fire(&self, status: Status) {
        self.change(Waits::Over(status));
    }

    fn change(&self, waits: Waits) {
        let mut state = lock(&self.state);
        if matches!(state.waits, Waits::Over(_)) {
            return;
        }
        state.waits = waits;
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }
}

/// Tasks that go on although nobody waits for them, until their time is over. The reader keeps them.
#[derive(Default)]
pub(crate) struct Late {
    by_end: BTreeMap<(Instant, u64), Weak<Watch>>,
    kept: usize,
}

impl Late {
    fn add(&mut self, tag: u64, ends_at: Instant, watch: &Arc<Watch>) {
        // Most end long before their time: they are forgotten now and then.
        if self.by_end.len() > 2 * self.kept + 64 {
            self.by_end.retain(|_, watch| watch.strong_count() > 0);
            self.kept = self.by_end.len();
        }
        self.by_end.insert((ends_at, tag), Arc::downgrade(watch));
    }

    /// Ends those whose time is over. Returns in how many milliseconds there is more to do; -1: not before an event.
    pub(crate) fn end_due(&mut self) -> i64 {
        let now = Instant::now();
        while let Some(first) = self.by_end.first_entry() {
            let ends_at = first.key().0;
            if ends_at > now {
                return i64::try_from((ends_at - now).as_millis()).unwrap_or(i64::MAX).saturating_add(1);
            }
            if let Some(watch) = first.remove().upgrade() {
                watch.fire(status::TIMEOUT);
            }
        }
        -1
    }
}

impl Watches {
    /// A watch for a task that, once late, goes on until `ends_at`.
    pub(crate) fn add(&self, ends_at: Option<Instant>) -> (u64, Arc<Watch>) {
        let watch = Arc::new(Watch::new(ends_at));
        let mut table = lock(&self.0);
        table.last += 1;
        let tag = table.last;
        table.watches.insert(tag, Arc::clone(&watch));
        (tag, watch)
    }

    /// The watched task has ended; a CANCEL that comes later finds nothing.
    pub(crate) fn remove(&self, tag: u64) {
        let removed = lock(&self.0).watches.remove(&tag);
        drop(removed);
    }

    /// Nobody waits for the task any more.
    pub(crate) fn cancel(&self, tag: u64, why: Status, late: &mut Late) {
        let Some(watch) = lock(&self.0).watches.get(&tag).cloned() else { return };
        match watch.ends_at {
            Some(ends_at) if why == status::TIMEOUT && ends_at > Instant::now() => {
                late.add(tag, ends_at, &watch);
                watch.change(Waits::Late);
            }
            _ => watch.fire(why),
        }
    }

    fn fire_all(&self) {
        let watches: Vec<_> = lock(&self.0).watches.values().cloned().collect();
        for watch in watches {
            watch.fire(status::CLOSED);
        }
    }
}

/// Batches of gets whose events are still to come, by number. A number is used again when all have come.
#[derive(Default)]
pub(crate) struct Batches(Mutex<BatchTable>);

#[derive(Default)]
struct BatchTable {
    places: Vec<Option<Arc<Batch>>>,
    free: Vec<usize>,
}

impl Batches {
    pub(crate) fn add(&self, batch: Arc<Batch>) -> u64 {
        let mut table = lock(&self.0);
        if let Some(place) = table.free.pop() {
            table.places[place] = Some(batch);
            return place as u64;
        }
        table.places.push(Some(batch));
        table.places.len() as u64 - 1
    }

    pub(crate) fn get(&self, number: u64) -> Option<Arc<Batch>> {
        lock(&self.0).places.get(number as usize).cloned().flatten()
    }

    /// Forgets a batch if every event has come; the reader calls it after each, the caller after it has counted them.
    pub(crate) fn forget_if_ended(&self, number: u64) {
        let mut table = lock(&self.0);
        let Some(place) = table.places.get_mut(number as usize) else { return };
        if place.as_ref().is_some_and(|batch| batch.ended()) {
            let batch = place.take();
            table.free.push(number as usize);
            drop(table);
            drop(batch);
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        let table = lock(&self.0);
        table.places.len() - table.free.len()
    }
}

/// Groups whose loads come as events, by number.
#[derive(Default)]
pub(crate) struct Groups(Mutex<HashMap<u64, Weak<GroupCore>>>);

impl Groups {
    pub(crate) fn add(&self, core: &Arc<GroupCore>) {
        lock(&self.0).insert(core.id, Arc::downgrade(core));
    }

    pub(crate) fn remove(&self, id: u64) {
        lock(&self.0).remove(&id);
    }

    pub(crate) fn get(&self, id: u64) -> Option<Arc<GroupCore>> {
        lock(&self.0).get(&id).and_then(Weak::upgrade)
    }
}

/// A getter's error as its waiters see it.
pub(crate) fn load_error(error: crate::BoxError) -> Error {
    // An error of this library that was passed on keeps its meaning: no such key stays no such key.
    let error = match error.downcast::<Error>() {
        Ok(own) if own.is_not_found() => return *own,
        Ok(own) => own as crate::BoxError,
        Err(other) => other,
    };
    match error.downcast::<crate::NotFound>() {
        Ok(not_found) => Error::NotFound(*not_found),
        Err(other) => Error::Load(SharedError::from(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_kept_until_its_last_event() {
        for events_first in [false, true] {
            let failures = Failures::default();
            let mut sent = 0;
            failures.send(Error::Timeout, |tag| {
                sent = tag;
                if events_first {
                    assert!(failures.receive(tag).is_some());
                    assert!(failures.receive(tag).is_some());
                }
                2
            });
            if !events_first {
                assert!(failures.receive(sent).is_some());
                assert_eq!(failures.len(), 1);
                assert!(failures.receive(sent).is_some());
            }
            assert_eq!(failures.len(), 0);
            assert!(failures.receive(sent).is_none());
        }
    }

    #[test]
    fn an_error_that_nobody_waits_for_is_forgotten_at_once() {
        let failures = Failures::default();
        failures.send(Error::Timeout, |_| 0);
        assert_eq!(failures.len(), 0);
    }

    #[test]
    fn a_late_task_goes_on_until_its_time_is_over() {
        let (watches, mut late) = (Watches::default(), Late::default());
        let hour = std::time::Duration::from_secs(3600);
        let (long, goes_on) = watches.add(Some(Instant::now() + hour));
        let (over, ended) = watches.add(Some(Instant::now()));
        let (call, at_once) = watches.add(None);
        for tag in [long, over, call] {
            watches.cancel(tag, status::TIMEOUT, &mut late);
        }
        assert_eq!(goes_on.poll(Waker::noop()), Waits::Late);
        assert_eq!(ended.poll(Waker::noop()), Waits::Over(status::TIMEOUT));
        assert_eq!(at_once.poll(Waker::noop()), Waits::Over(status::TIMEOUT));
        assert!(late.end_due() > 3_000_000);
        late.by_end.insert((Instant::now(), 0), Arc::downgrade(&goes_on));
        assert!(late.end_due() > 3_000_000);
        assert_eq!(goes_on.poll(Waker::noop()), Waits::Over(status::TIMEOUT));
        watches.remove(long);
        drop(goes_on);
        for n in 0..1000 {
            let (tag, watch) = watches.add(Some(Instant::now() + hour));
            watches.cancel(tag, status::TIMEOUT, &mut late);
            watches.remove(tag);
            drop(watch);
            assert!(late.by_end.len() < 70, "after {n}");
        }
    }

    #[test]
    fn numbers_of_batches_are_used_again() {
        let batches = Batches::default();
        let batch = Arc::new(Batch::new(1));
        let number = batches.add(Arc::clone(&batch));
        batches.forget_if_ended(number);
        assert_eq!(batches.len(), 1);
        batch.expect(vec![None]);
        batch.end(0, Err(Error::Timeout));
        batches.forget_if_ended(number);
        batches.forget_if_ended(number);
        assert_eq!(batches.len(), 0);
        assert_eq!(batches.add(batch), number);
        assert_eq!(batches.len(), 1);
    }

    #[test]
    fn what_is_not_found_stays_so_when_it_is_passed_on() {
        let passed: crate::BoxError = Error::NotFound(crate::NotFound::new("no")).into();
        assert!(load_error(passed).is_not_found());
        assert!(load_error(crate::NotFound::new("no").into()).is_not_found());
        assert!(matches!(load_error(Error::Timeout.into()), Error::Load(_)));
    }
}
