//! A waiter is where one operation's end arrives: whoever waits for it is woken, exactly once.

use crate::ffi::{Got, Lent, LoadHandle, ResponseHandle, Seat};
use crate::getter::{GroupCore, Led};
use crate::key::Open;
use crate::{Error, Value};
use std::cell::Cell;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// Locks, whatever panicked under the lock before: what is guarded here is whole between any two statements.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where a value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// This member's main cache: it owns the key.
    Main,
    /// This member's hot cache: a copy of another member's value.
    Hot,
    /// The key's owner.
    Peer,
    /// A getter of this process.
    Load,
}

impl Source {
    pub(crate) fn from_number(number: i32) -> Self {
        match number {
            cohort_sys::COHORT_SOURCE_MAIN => Self::Main,
            cohort_sys::COHORT_SOURCE_HOT => Self::Hot,
            cohort_sys::COHORT_SOURCE_PEER => Self::Peer,
            _ => Self::Load,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Main => "main",
            Self::Hot => "hot",
            Self::Peer => "peer",
            Self::Load => "load",
        })
    }
}

/// How a get ended.
pub(crate) type Found = Result<(Value, Source), Error>;

/// How an operation ended.
pub(crate) enum Outcome {
    Found(Found),
    /// The caller runs the getter itself: the load was given up by whoever ran it.
    Lead(LoadHandle),
    Done(Result<(), Error>),
    Response(ResponseHandle),
}

enum State {
    Waiting {
        waker: Option<Waker>,
        /// Runs the getter as a task, should the load come to this waiter: whoever waits need not be polled for that.
        leads: Option<Arc<GroupCore>>,
        /// The load that such a task runs.
        open: Option<Arc<Open>>,
    },
    Ended(Option<Outcome>),
    /// Whoever waited has gone.
    Left,
}

impl State {
    const NEW: Self = Self::Waiting { waker: None, leads: None, open: None };
}

pub(crate) struct Waiter(Mutex<State>);

impl Waiter {
    fn new() -> Self {
        Self(Mutex::new(State::NEW))
    }

    /// If the load comes to this waiter, it is run as a task of that group. What has come already is left to `poll`.
    pub(crate) fn lead_by(&self, core: &Arc<GroupCore>) {
        if let State::Waiting { leads, .. } = &mut *lock(&self.0) {
            *leads = Some(Arc::clone(core));
        }
    }

    /// The end. Wakes whoever waits; what nobody waits for is dropped.
    pub(crate) fn end(self: &Arc<Self>, outcome: Outcome) {
        let mut state = lock(&self.0);
        match &mut *state {
            State::Waiting { leads, .. } => {
                let outcome = match (outcome, leads.take()) {
                    (Outcome::Lead(load), Some(core)) => {
                        drop(state);
                        match core.lead(load, self) {
                            Led::Task(open) => return self.led_by(open),
                            Led::Found(found) => {
                                state = lock(&self.0);
                                Outcome::Found(found)
                            }
                        }
                    }
                    (outcome, _) => outcome,
                };
                let before = std::mem::replace(&mut *state, State::Ended(Some(outcome)));
                drop(state);
                if let State::Waiting { waker: Some(waker), .. } = before {
                    waker.wake();
                }
            }
            State::Ended(_) | State::Left => {
                drop(state);
                drop(outcome);
            }
        }
    }

    /// A task runs the load for this waiter. Whoever waited may have gone meanwhile.
    fn led_by(&self, task: Arc<Open>) {
        let mut state = lock(&self.0);
        match &mut *state {
            State::Waiting { open, .. } => *open = Some(task),
            State::Ended(_) => {}
            State::Left => {
                drop(state);
                task.leave();
            }
        }
    }

    /// Takes the outcome, or notes whom to wake.
    pub(crate) fn poll(&self, context: &Context<'_>) -> Poll<Outcome> {
        let mut state = lock(&self.0);
        match &mut *state {
            State::Waiting { waker: Some(waker), .. } => waker.clone_from(context.waker()),
            State::Waiting { waker: none, .. } => *none = Some(context.waker().clone()),
            State::Ended(outcome) => {
                if let Some(outcome) = outcome.take() {
                    return Poll::Ready(outcome);
                }
            }
            State::Left => {}
        }
        Poll::Pending
    }

    /// Nobody waits any more: what comes is dropped when it comes.
    pub(crate) fn leave(&self) {
        let left = std::mem::replace(&mut *lock(&self.0), State::Left);
        if let State::Waiting { open: Some(open), .. } = left {
            open.leave();
        }
    }
}

thread_local! {
    /// A hit uses its waiter for nothing: the next get of the thread takes it over, lent as it is.
    static SPARE: Cell<Option<Lent>> = const { Cell::new(None) };
    /// Where this thread waits; nobody's while a get of the thread sits there.
    static SEAT: Cell<Option<Box<Seat>>> = const { Cell::new(None) };
}

/// A fresh waiter.
pub(crate) fn new_waiter() -> Arc<Waiter> {
    Arc::new(Waiter::new())
}

/// A fresh waiter, lent to the call that may need one.
#[inline]
pub(crate) fn take_lent() -> Lent {
    SPARE.try_with(Cell::take).ok().flatten().unwrap_or_else(|| Lent::new(new_waiter()))
}

/// Gives a waiter back that no event will come for.
#[inline]
pub(crate) fn give_back(lent: Lent) {
    let _ = SPARE.try_with(|spare| spare.set(Some(lent)));
}

/// This thread's seat, or one more: an eviction that a get brings about may tell a listener who gets as well.
#[inline]
pub(crate) fn take_seat() -> Result<Box<Seat>, Error> {
    match SEAT.try_with(Cell::take).ok().flatten() {
        Some(seat) => Ok(seat),
        None => Seat::new().map(Box::new),
    }
}

/// Leaves a seat whose events have all been taken.
#[inline]
pub(crate) fn leave_seat(seat: Box<Seat>) {
    let _ = SEAT.try_with(|place| place.set(Some(seat)));
}

/// Many gets that began in one call, and what has come of them.
pub(crate) struct Batch(Mutex<BatchState>);

struct BatchState {
    found: Vec<Option<Found>>,
    /// Those still to come. Until `expect` it is far above.
    missing: i64,
    waker: Option<Waker>,
}

const NOT_COUNTED: i64 = 1 << 40;

impl Batch {
    pub(crate) fn new(size: usize) -> Self {
        let found = std::iter::repeat_with(|| None).take(size).collect();
        Self(Mutex::new(BatchState { found, missing: NOT_COUNTED, waker: None }))
    }

    /// What the beginning call found, and how many events will come. An event may have come before this:
    ///
    /// 1. the call begins the gets           1. the call begins the gets
    /// 2. an event comes: missing - 1        2. `expect` counts: missing is what it should be
    /// 3. `expect` counts all of them        3. the events come
    pub(crate) fn expect(&self, hits: Vec<Option<Found>>) {
        let mut state = lock(&self.0);
        let mut coming = 0;
        for (place, hit) in state.found.iter_mut().zip(hits) {
            match hit {
                Some(hit) => *place = Some(hit),
                None => coming += 1,
            }
        }
        state.missing += coming - NOT_COUNTED;
        Self::wake(state);
    }

    pub(crate) fn end(&self, index: usize, found: Found) {
        let mut state = lock(&self.0);
        if let Some(place) = state.found.get_mut(index) {
            *place = Some(found);
        }
        state.missing -= 1;
        Self::wake(state);
    }

    fn wake(mut state: MutexGuard<'_, BatchState>) {
        if state.missing == 0 {
            let waker = state.waker.take();
            drop(state);
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }

    pub(crate) fn poll(&self, context: &Context<'_>) -> Poll<Vec<Found>> {
        let mut state = lock(&self.0);
        if state.missing != 0 {
            state.waker = Some(context.waker().clone());
            return Poll::Pending;
        }
        let found = std::mem::take(&mut state.found);
        let lost = || Err(Error::Internal("a get of a batch had no end".into()));
        Poll::Ready(found.into_iter().map(|found| found.unwrap_or_else(lost)).collect())
    }

    /// Whether every event has come.
    pub(crate) fn ended(&self) -> bool {
        lock(&self.0).missing == 0
    }
}

/// What the engine says of a get, as its caller sees it.
pub(crate) fn found(got: Got, own: impl FnOnce(u64) -> Option<Error>) -> Found {
    match got {
        Got::Value { value, source } => Ok((Value(value), Source::from_number(source))),
        Got::Failed { status, message, error_tag } => {
            // A tag must be given back even if its error is not used.
            let own = if error_tag == 0 { None } else { own(error_tag) };
            Err(own.unwrap_or_else(|| Error::from_status(status, message)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn counting() -> (Arc<Count>, Waker) {
        let count = Arc::new(Count(AtomicUsize::new(0)));
        (Arc::clone(&count), Waker::from(count))
    }

    #[test]
    fn an_end_wakes_once_and_is_taken_once() {
        let (count, waker) = counting();
        let context = Context::from_waker(&waker);
        let waiter = Arc::new(Waiter::new());
        assert!(waiter.poll(&context).is_pending());
        waiter.end(Outcome::Done(Ok(())));
        waiter.end(Outcome::Done(Err(Error::Timeout)));
        assert_eq!(count.0.load(Ordering::SeqCst), 1);
        assert!(matches!(waiter.poll(&context), Poll::Ready(Outcome::Done(Ok(())))));
        assert!(waiter.poll(&context).is_pending());
    }

    #[test]
    fn who_has_left_is_not_woken() {
        let (count, waker) = counting();
        let waiter = Arc::new(Waiter::new());
        assert!(waiter.poll(&Context::from_waker(&waker)).is_pending());
        waiter.leave();
        waiter.end(Outcome::Done(Ok(())));
        assert_eq!(count.0.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn a_batch_ends_whatever_comes_first() {
        for event_first in [false, true] {
            let (count, waker) = counting();
            let batch = Batch::new(2);
            assert!(batch.poll(&Context::from_waker(&waker)).is_pending());
            if event_first {
                batch.end(1, Err(Error::Timeout));
            }
            batch.expect(vec![Some(Err(Error::Closed)), None]);
            if !event_first {
                assert!(!batch.ended());
                batch.end(1, Err(Error::Timeout));
            }
            assert_eq!(count.0.load(Ordering::SeqCst), 1);
            let Poll::Ready(found) = batch.poll(&Context::from_waker(&waker)) else { panic!("it has not ended") };
            assert!(matches!(found[..], [Err(Error::Closed), Err(Error::Timeout)]));
        }
    }
}
