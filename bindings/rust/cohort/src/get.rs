//! One get, from its call to its value.

use crate::ffi::{Begun, LoadHandle, Place, Sat, Seat};
use crate::getter::Led;
use crate::group::Group;
use crate::key::{is_loading, Open};
use crate::spawn::block_on;
use crate::telemetry::GetSpan;
use crate::wait::{found, give_back, leave_seat, new_waiter, take_lent, take_seat, Found, Outcome, Source, Waiter};
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

/// What the first step of a get came to.
enum Step {
    Found(Found),
    /// The value is in the caller's buffer.
    Copied,
    Wait(State),
}

fn no_value() -> Error {
    Error::Internal("a hit has no value".into())
}

/// The first step of a get that will be awaited, and all of one that hits.
fn begin(group: &Group, key: &[u8], flags: i32, timeout: Option<Duration>) -> Step {
    let core = &*group.0.core;
    if is_loading(core.id, key) {
        return begin_own(group, key);
    }
    // A blocking getter would keep the thread that polls. Who leads has no deadline of its own.
    let leads = core.has_getter && timeout.is_none() && !core.blocking;
    let flags = flags | if leads { cohort_sys::COHORT_GET_CAN_LEAD } else { 0 };
    let lent = take_lent();
    let begun = group.0.handle.begin(key, None, flags, millis(timeout), &Place::Reader(&core.shared.queue, &lent));
    if let Ok(Begun::Pending(ticket)) = begun {
        return pending(group, key, leads, lent.into_waiter(), ticket);
    }
    // Nothing is pending, so the engine has forgotten the tag.
    give_back(lent);
    match begun {
        Ok(Begun::Hit(value, source)) => Step::Found(Ok((Value(value), Source::from_number(source)))),
        Ok(Begun::Copied | Begun::Pending(_)) => Step::Copied,
        Ok(Begun::Lead(load)) => lead(group, key, load),
        Err(error) => Step::Found(Err(error)),
    }
}

/// A get for which this thread waits: all of it, unless a task of ours is to run the getter.
#[inline]
fn begin_here(
    group: &Group,
    key: &[u8],
    mut into: Option<&mut Vec<u8>>,
    flags: i32,
    timeout: Option<Duration>,
) -> Step {
    let core = &*group.0.core;
    if is_loading(core.id, key) {
        return begin_own(group, key);
    }
    let leads = core.has_getter && timeout.is_none();
    let flags = flags | if leads { cohort_sys::COHORT_GET_CAN_LEAD } else { 0 };
    let mut seat = match take_seat() {
        Ok(seat) => seat,
        Err(error) => return Step::Found(Err(error)),
    };
    let mut begun = group.0.handle.begin(key, into.as_deref_mut(), flags, millis(timeout), &Place::Seat(&seat));
    if let Err(Error::Forked) = begun {
        // Perhaps it is only the seat that a parent of this process has made.
        match Seat::new() {
            Ok(new) => *seat = new,
            Err(error) => return Step::Found(Err(error)),
        }
        begun = group.0.handle.begin(key, into, flags, millis(timeout), &Place::Seat(&seat));
    }
    if let Ok(Begun::Pending(_)) = begun {
        return wait_here(group, key, seat);
    }
    leave_seat(seat);
    match begun {
        Ok(Begun::Hit(value, source)) => Step::Found(Ok((Value(value), Source::from_number(source)))),
        Ok(Begun::Copied | Begun::Pending(_)) => Step::Copied,
        Ok(Begun::Lead(load)) => lead(group, key, load),
        Err(error) => Step::Found(Err(error)),
    }
}

/// Waits for the end of what began in the seat, with nobody in between: whoever brings it wakes this thread.
#[cold]
fn wait_here(group: &Group, key: &[u8], mut seat: Box<Seat>) -> Step {
    let core = &group.0.core;
    let span = GetSpan::new(&core.name, key);
    let mut came = None;
    seat.wait(1, |_, sat| came = Some(sat));
    leave_seat(seat);
    match came {
        Some(Sat::Lead(load)) => lead_in(group, load, span),
        Some(Sat::Got(got)) => {
            let found = found(got, |tag| core.shared.failures.receive(tag));
            span.ended(&found);
            Step::Found(found)
        }
        None => Step::Found(Err(no_value())),
    }
}

/// The getter of this very key asks for it: what is cached it may have, but waiting would be for itself.
#[cold]
fn begin_own(group: &Group, key: &[u8]) -> Step {
    let cached = group.0.handle.lookup(key).map(|value| (Value(value), Source::Main));
    Step::Found(cached.ok_or(Error::WouldDeadlock))
}

#[cold]
fn pending(group: &Group, key: &[u8], leads: bool, waiter: Arc<Waiter>, ticket: u64) -> Step {
    let core = &group.0.core;
    let span = GetSpan::new(&core.name, key);
    if leads && !core.blocking {
        waiter.lead_by(core);
    }
    Step::Wait(State::Pending { waiter, ticket, span })
}

#[cold]
fn lead(group: &Group, key: &[u8], load: LoadHandle) -> Step {
    lead_in(group, load, GetSpan::new(&group.0.core.name, key))
}

fn lead_in(group: &Group, load: LoadHandle, span: GetSpan) -> Step {
    let waiter = new_waiter();
    match span.within(|| group.0.core.lead(load, &waiter)) {
        Led::Found(found) => {
            span.ended(&found);
            Step::Found(found)
        }
        Led::Task(open) => Step::Wait(State::Leading { waiter, open, span }),
    }
}

impl Group {
    /// Gets a value: from this member's cache, from the key's owner, or from the getter, once for everybody who asks.
    ///
    /// ```
    /// # async fn f(pages: cohort::Group) -> Result<(), cohort::Error> {
    /// let page = pages.get("index").await?;
    /// let other = pages.get("about").timeout(std::time::Duration::from_millis(200)).await?;
    /// # Ok(()) }
    /// ```
    pub fn get<K: AsRef<[u8]>>(&self, key: K) -> Get<K> {
        Get { group: self.clone(), key, timeout: None, flags: 0, state: State::New }
    }

    /// As [`get`](Self::get), on this thread. A blocking getter may run on it. A hit allocates nothing.
    ///
    /// # Errors
    /// Everything that an [`Error`] can be.
    pub fn get_blocking(&self, key: impl AsRef<[u8]>) -> Result<Value, Error> {
        self.get_bytes(key.as_ref())
    }

    fn get_bytes(&self, key: &[u8]) -> Result<Value, Error> {
        match begin_here(self, key, None, 0, None) {
            Step::Found(found) => found.map(|(value, _)| value),
            Step::Copied => Err(no_value()),
            Step::Wait(state) => self.wait_blocking(key, state),
        }
    }

    /// As [`get_blocking`](Self::get_blocking), with the value copied to `buffer`, in place of what was in it. A hit that fits into the
    /// buffer's capacity allocates nothing: one buffer serves many gets.
    ///
    /// ```
    /// # fn f(pages: cohort::Group) -> Result<(), cohort::Error> {
    /// let mut page = Vec::with_capacity(4096);
    /// pages.get_blocking_into("index", &mut page)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Everything that an [`Error`] can be; the buffer is empty then.
    pub fn get_blocking_into(&self, key: impl AsRef<[u8]>, buffer: &mut Vec<u8>) -> Result<(), Error> {
        buffer.clear();
        self.get_bytes_into(key.as_ref(), buffer)
    }

    fn get_bytes_into(&self, key: &[u8], buffer: &mut Vec<u8>) -> Result<(), Error> {
        let value = match begin_here(self, key, Some(buffer), 0, None) {
            Step::Found(found) => found?.0,
            Step::Copied => return Ok(()),
            Step::Wait(state) => self.wait_blocking(key, state)?,
        };
        buffer.extend_from_slice(&value);
        Ok(())
    }

    /// What this member has at hand. Never loads and never waits. A hit allocates nothing.
    pub fn peek(&self, key: impl AsRef<[u8]>) -> Option<Value> {
        self.0.handle.lookup(key.as_ref()).map(Value)
    }

    /// As [`peek`](Self::peek), with the value copied to `buffer`, in place of what was in it. `false`: it is not here, and the buffer
    /// is empty. A hit that fits into the buffer's capacity allocates nothing.
    pub fn peek_into(&self, key: impl AsRef<[u8]>, buffer: &mut Vec<u8>) -> bool {
        buffer.clear();
        match self.0.handle.peek(key.as_ref(), Some(buffer)) {
            Some(Begun::Copied) => {}
            Some(Begun::Hit(value, _)) => buffer.extend_from_slice(&value),
            _ => return false,
        }
        true
    }

    #[cold]
    fn wait_blocking(&self, key: &[u8], state: State) -> Result<Value, Error> {
        let mut get = self.get(key);
        get.state = state;
        block_on(std::future::poll_fn(|context| get.poll_wait(context))).map(|(value, _)| value)
    }
}

impl<K: AsRef<[u8]>> Get<K> {
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
        match begin_here(&self.group, self.key.as_ref(), None, self.flags, self.timeout) {
            Step::Found(found) => found,
            Step::Copied => Err(no_value()),
            Step::Wait(state) => {
                self.state = state;
                block_on(std::future::poll_fn(|context| self.poll_wait(context)))
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
                    let waiter = new_waiter();
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
            let found = match begin(&self.group, self.key.as_ref(), self.flags, self.timeout) {
                Step::Found(found) => found,
                Step::Copied => Err(no_value()),
                Step::Wait(state) => {
                    self.state = state;
                    return self.poll_wait(context);
                }
            };
            self.state = State::Ended;
            return Poll::Ready(found);
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
#[inline]
pub(crate) fn millis(timeout: Option<Duration>) -> i64 {
    timeout.map_or(0, |t| i64::try_from(t.as_nanos().div_ceil(1_000_000)).unwrap_or(i64::MAX).max(1))
}
