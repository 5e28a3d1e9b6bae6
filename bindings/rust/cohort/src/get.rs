//! One get, from its call to its value.

use crate::ffi::Begun;
use crate::getter::Led;
use crate::group::Group;
use crate::key::{is_loading, Open};
use crate::spawn::block_on;
use crate::telemetry::GetSpan;
use crate::wait::{give_back, take_waiter, Found, Outcome, Source, Waiter};
use crate::{Error, Value};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// A get, to be awaited or waited for; made by [`Group::get`](crate::Group::get).
///
/// It begins when it is first polled. Dropping it cancels this wait only: a load that others wait for goes on, and one that nobody
/// else waits for is given up. It needs no runtime, and may be sent to another thread.
#[must_use = "a get does nothing unless it is awaited or waited for"]
pub struct Get<K> {
    group: Group,
    key: K,
    timeout: Option<Duration>,
    flags: i32,
    state: State,
}

enum State {
    New,
    /// An event will come.
    Pending {
        waiter: Arc<Waiter>,
        ticket: u64,
        span: GetSpan,
    },
    /// A task of ours runs the getter.
    Leading {
        waiter: Arc<Waiter>,
        open: Arc<Open>,
        span: GetSpan,
    },
    Ended,
}

/// What a step of a get came to.
enum Step {
    Found(Found),
    Wait,
}

impl<K: AsRef<[u8]>> Get<K> {
    pub(crate) fn new(group: Group, key: K) -> Self {
        Self { group, key, timeout: None, flags: 0, state: State::New }
    }

    /// Ends the wait with [`Error::Timeout`] after that long, counted from the first poll. The load goes on for others.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Never asks a peer: for servers of custom transports, whose gets a peer has asked for.
    pub fn local(mut self) -> Self {
        self.flags |= cohort_sys::COHORT_GET_LOCAL;
        self
    }

    /// The value and where it came from.
    pub fn with_source(self) -> GetWithSource<K> {
        GetWithSource(self)
    }

    /// Waits on this thread. Without a timeout a blocking getter may run on it.
    ///
    /// # Errors
    /// Everything that an [`Error`] can be.
    pub fn wait(self) -> Result<Value, Error> {
        self.wait_with_source().map(|(value, _)| value)
    }

    fn wait_with_source(mut self) -> Found {
        match self.begin(true) {
            Step::Found(found) => found,
            Step::Wait => block_on(std::future::poll_fn(|context| self.poll_wait(context))),
        }
    }

    fn begin(&mut self, blocks: bool) -> Step {
        let core = &self.group.0.core;
        let key = self.key.as_ref();
        if is_loading(core.id, key) {
            // The getter of this very key asks for it: what is cached it may have, but waiting would be for itself.
            let cached = self.group.0.handle.lookup(key).map(|value| (Value(value), Source::Main));
            return Step::Found(cached.ok_or(Error::WouldDeadlock));
        }
        // A blocking getter may run here only if here is where the caller blocks. Who leads has no deadline of its own.
        let leads = core.has_getter && self.timeout.is_none() && (blocks || !core.blocking);
        let flags = self.flags | if leads { cohort_sys::COHORT_GET_CAN_LEAD } else { 0 };
        let waiter = take_waiter();
        match self.group.0.handle.begin(key, flags, millis(self.timeout), &core.shared.queue, &waiter) {
            Ok(Begun::Hit(value, source)) => {
                give_back(waiter);
                Step::Found(Ok((Value(value), Source::from_number(source))))
            }
            Ok(Begun::Pending { ticket }) => {
                let span = GetSpan::new(&core.name, key);
                if leads && !core.blocking {
                    waiter.lead_by(core);
                }
                self.state = State::Pending { waiter, ticket, span };
                Step::Wait
            }
            Ok(Begun::Lead(load)) => {
                let span = GetSpan::new(&core.name, key);
                match span.within(|| core.lead(load, &waiter)) {
                    Led::Found(found) => {
                        span.ended(&found);
                        Step::Found(found)
                    }
                    Led::Task(open) => {
                        self.state = State::Leading { waiter, open, span };
                        Step::Wait
                    }
                }
            }
            Err(error) => {
                give_back(waiter);
                Step::Found(Err(error))
            }
        }
    }

    fn poll_wait(&mut self, context: &Context<'_>) -> Poll<Found> {
        loop {
            let (waiter, span) = match &self.state {
                State::Pending { waiter, span, .. } | State::Leading { waiter, span, .. } => (waiter, span),
                State::New | State::Ended => panic!("a get was polled after it had ended"),
            };
            let outcome = match waiter.poll(context) {
                Poll::Ready(outcome) => outcome,
                Poll::Pending => return Poll::Pending,
            };
            let found = match outcome {
                Outcome::Found(found) => found,
                Outcome::Lead(load) => {
                    // Whoever ran it gave it up; now it is ours to run.
                    let waiter = take_waiter();
                    match span.within(|| self.group.0.core.lead(load, &waiter)) {
                        Led::Found(found) => found,
                        Led::Task(open) => {
                            let (State::Pending { span, .. } | State::Leading { span, .. }) =
                                std::mem::replace(&mut self.state, State::Ended)
                            else {
                                unreachable!("it was one of them above")
                            };
                            self.state = State::Leading { waiter, open, span };
                            continue;
                        }
                    }
                }
                Outcome::Done(_) | Outcome::Response(_) => Err(Error::Internal("a get ended as something else".into())),
            };
            span.ended(&found);
            self.state = State::Ended;
            return Poll::Ready(found);
        }
    }

    fn poll_found(&mut self, context: &Context<'_>) -> Poll<Found> {
        if matches!(self.state, State::New) {
            match self.begin(false) {
                Step::Found(found) => {
                    self.state = State::Ended;
                    return Poll::Ready(found);
                }
                Step::Wait => {}
            }
        }
        self.poll_wait(context)
    }
}

// The key is never pinned.
impl<K> Unpin for Get<K> {}

impl<K: AsRef<[u8]>> Future for Get<K> {
    type Output = Result<Value, Error>;
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.get_mut().poll_found(context).map(|found| found.map(|(value, _)| value))
    }
}

impl<K> Drop for Get<K> {
    fn drop(&mut self) {
        match &self.state {
            State::Pending { waiter, ticket, .. } => {
                waiter.leave();
                self.group.0.handle.cancel(*ticket);
            }
            State::Leading { waiter, open, .. } => {
                waiter.leave();
                open.leave();
            }
            State::New | State::Ended => {}
        }
    }
}

/// A get that also tells where the value came from; made by [`Get::with_source`].
#[must_use = "a get does nothing unless it is awaited or waited for"]
pub struct GetWithSource<K>(Get<K>);

impl<K: AsRef<[u8]>> GetWithSource<K> {
    /// Waits on this thread.
    ///
    /// # Errors
    /// Everything that an [`Error`] can be.
    pub fn wait(self) -> Result<(Value, Source), Error> {
        self.0.wait_with_source()
    }
}

impl<K: AsRef<[u8]>> Future for GetWithSource<K> {
    type Output = Result<(Value, Source), Error>;
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.get_mut().0.poll_found(context)
    }
}

/// A time limit as the engine takes it: 0 is none, and a part of a millisecond counts as a whole one.
pub(crate) fn millis(timeout: Option<Duration>) -> i64 {
    timeout.map_or(0, |t| i64::try_from(t.as_nanos().div_ceil(1_000_000)).unwrap_or(i64::MAX).max(1))
}
