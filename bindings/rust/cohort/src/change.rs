//! Changing: set, remove and remove_keys, which reach every member.

use crate::get::millis;
use crate::group::Group;
use crate::many::Packed;
use crate::spawn::block_on;
use crate::wait::{new_waiter, Outcome, Waiter};
use crate::{BoxError, Error, Expiry, Value};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// A set or a remove, to be awaited or waited for; made by [`Group::set`](crate::Group::set), [`Group::remove`](crate::Group::remove)
/// and [`Group::remove_keys`](crate::Group::remove_keys).
///
/// It begins when it is first polled. Dropping it after that only stops the wait: the change goes on. When it ends well, no member
/// answers with the old value any more; [`Error::Unreachable`] names the members that did not acknowledge.
#[must_use = "a change does nothing unless it is awaited or waited for"]
pub struct Change<K> {
    group: Group,
    what: What<K>,
    timeout: Option<Duration>,
    waiter: Option<Arc<Waiter>>,
}

pub(crate) enum What<K> {
    Set(K, Result<Value, BoxError>, Expiry),
    Remove(K),
    RemoveKeys(Packed),
    Begun,
}

impl<K: AsRef<[u8]>> Change<K> {
    pub(crate) fn new(group: Group, what: What<K>) -> Self {
        Self { group, what, timeout: None, waiter: None }
    }

    /// When the value that is set expires; a remove has none. An expiry that the value came with counts instead.
    pub fn expires(mut self, expiry: impl Into<Expiry>) -> Self {
        if let What::Set(_, _, at) = &mut self.what {
            *at = expiry.into();
        }
        self
    }

    /// Ends the wait after that long, counted from the first poll.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Waits on this thread.
    ///
    /// # Errors
    /// Everything that an [`Error`] can be.
    pub fn wait(mut self) -> Result<(), Error> {
        self.waiter = self.begin()?;
        if self.waiter.is_none() {
            return Ok(());
        }
        block_on(self)
    }

    /// Returns who waits for the end; none: it has ended.
    fn begin(&mut self) -> Result<Option<Arc<Waiter>>, Error> {
        let (handle, queue) = (&self.group.0.handle, &self.group.0.core.shared.queue);
        let timeout = millis(self.timeout);
        match std::mem::replace(&mut self.what, What::Begun) {
            What::Set(key, value, expiry) => {
                let value = value.map_err(|error| match error.downcast::<Error>() {
                    Ok(own) => *own,
                    Err(other) => Error::codec(other),
                })?;
                let expiry = if value.expiry() == Expiry::NEVER { expiry } else { value.expiry() };
                handle.set(key.as_ref(), &value, expiry.unix_ns(), timeout, queue)
            }
            What::Remove(key) => handle.remove(key.as_ref(), timeout, queue),
            What::RemoveKeys(keys) => {
                let waiter = new_waiter();
                handle.remove_keys(&keys.bytes, &keys.sizes, timeout, queue, &waiter)?;
                Ok(Some(waiter))
            }
            What::Begun => panic!("a change was polled after it had ended"),
        }
    }
}

// The key is never pinned.
impl<K> Unpin for Change<K> {}

impl<K: AsRef<[u8]>> Future for Change<K> {
    type Output = Result<(), Error>;
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if this.waiter.is_none() {
            match this.begin() {
                Ok(Some(waiter)) => this.waiter = Some(waiter),
                Ok(None) => return Poll::Ready(Ok(())),
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        match this.waiter.as_ref().map(|waiter| waiter.poll(context)) {
            Some(Poll::Ready(Outcome::Done(result))) => {
                this.waiter = None;
                Poll::Ready(result)
            }
            Some(Poll::Ready(_)) => Poll::Ready(Err(Error::Internal("a change ended as something else".into()))),
            Some(Poll::Pending) | None => Poll::Pending,
        }
    }
}

impl<K> Drop for Change<K> {
    fn drop(&mut self) {
        if let Some(waiter) = &self.waiter {
            waiter.leave();
        }
    }
}
