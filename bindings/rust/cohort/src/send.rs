//! Sending by a transport of the program's own: each request of the engine is a task that is answered exactly once.

use crate::ffi::{status, RequestHandle};
use crate::shared::{Shared, Waits, Watch};
use crate::transport::{Boxed, DynCalls, DynRaw};
use crate::wait::lock;
use crate::{BoxError, Error, Expiry, Panicked, Value};
use std::fmt;
use std::future::Future;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

/// A transport that makes calls; see [`Transport::calls`](crate::Transport::calls).
///
/// A call runs as a task; when nobody waits for it any more, it is dropped. A panic means that the peer was not reached.
pub trait CallTransport: Send + Sync + 'static {
    /// Makes the call.
    fn call(&self, call: PeerCall) -> impl Future<Output = Result<Reply, CallError>> + Send;
}

/// A transport that carries whole HTTP requests; see [`Transport::raw`](crate::Transport::raw).
pub trait RawTransport: Send + Sync + 'static {
    /// Sends the request. An error means that the peer was not reached.
    fn send(&self, request: RawRequest) -> impl Future<Output = Result<RawResponse, BoxError>> + Send;
}

/// What a call asks of a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Op {
    /// The value of the key.
    Get {
        /// The key.
        key: Vec<u8>,
    },
    /// To keep a value.
    Set {
        /// The key.
        key: Vec<u8>,
        /// The value.
        value: Vec<u8>,
        /// When it expires.
        expiry: Expiry,
    },
    /// To drop a key.
    Remove {
        /// The key.
        key: Vec<u8>,
    },
    /// To drop many keys.
    RemoveKeys {
        /// The keys.
        keys: Vec<Vec<u8>>,
    },
}

/// One call of a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerCall {
    /// The peer, as it was named in [`Instance::set_peers`](crate::Instance::set_peers).
    pub peer: String,
    /// The group's name.
    pub group: String,
    /// What is asked.
    pub op: Op,
    /// Until nobody waits any more; zero: no limit is known.
    pub time_left: Duration,
}

/// What a peer answered.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Reply {
    /// To a get.
    Value(Value),
    /// To all others: it was done.
    Done,
}

/// Why a call has no reply.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum CallError {
    /// The owner says that there is no such key: its last word.
    NotFound(String),
    /// The owner's getter failed: its last word.
    Failed(String),
    /// The peer was not reached; a get is then loaded here.
    Unreachable(String),
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::NotFound(message) | Self::Failed(message) | Self::Unreachable(message)) = self;
        f.write_str(message)
    }
}

impl std::error::Error for CallError {}

/// What a get on the other side came to, on its way back.
impl From<Error> for CallError {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound(_) => Self::NotFound(error.to_string()),
            Error::Closed => Self::Unreachable(error.to_string()),
            _ => Self::Failed(error.to_string()),
        }
    }
}

/// A whole HTTP request to a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RawRequest {
    /// The peer, as it was named in [`Instance::set_peers`](crate::Instance::set_peers).
    pub peer: String,
    /// "GET", ...
    pub method: String,
    /// The escaped path.
    pub target: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Until nobody waits any more; zero: no limit is known.
    pub time_left: Duration,
}

/// A whole HTTP response of a peer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawResponse {
    /// 200, ...
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// "Name: value\r\n" lines as pairs.
pub(crate) fn headers_of(lines: &[u8]) -> Vec<(String, String)> {
    let lines = String::from_utf8_lossy(lines);
    let pairs = lines.split("\r\n").filter_map(|line| line.split_once(':'));
    pairs.map(|(name, value)| (name.trim().to_string(), value.trim().to_string())).collect()
}

/// Pairs as "Name: value\r\n" lines.
pub(crate) fn header_lines<'a>(headers: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    headers.into_iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect()
}

fn time_left(request: &RequestHandle) -> Duration {
    Duration::from_millis(u64::try_from(request.time_left_ms()).unwrap_or(0))
}

fn call_of(request: &RequestHandle) -> Option<PeerCall> {
    let key = || request.key().to_vec();
    let op = match request.op() {
        cohort_sys::COHORT_REQUEST_GET => Op::Get { key: key() },
        cohort_sys::COHORT_REQUEST_SET => {
            let expiry = Expiry::from_unix_ns(request.expire_unix_ns());
            Op::Set { key: key(), value: request.value().to_vec(), expiry }
        }
        cohort_sys::COHORT_REQUEST_REMOVE => Op::Remove { key: key() },
        cohort_sys::COHORT_REQUEST_REMOVE_KEYS => {
            let mut rest = request.key();
            let mut keys = Vec::new();
            for size in request.key_sizes() {
                let (key, after) = rest.split_at_checked(usize::try_from(*size).ok()?)?;
                keys.push(key.to_vec());
                rest = after;
            }
            Op::RemoveKeys { keys }
        }
        _ => return None,
    };
    Some(PeerCall { peer: text(request.peer()), group: text(request.group()), op, time_left: time_left(request) })
}

pub(crate) fn send_call(shared: &Arc<Shared>, transport: &Arc<dyn DynCalls>, request: RequestHandle) {
    let Some(call) = call_of(&request) else {
        request.fail(status::UNREACHABLE, "this transport does not know such a request", 0);
        return;
    };
    let transport = Arc::clone(transport);
    spawn(
        shared,
        request,
        move || transport.call(call),
        |request, answer| match answer {
            Ok(Reply::Value(value)) => request.reply(&value, value.expiry().unix_ns()),
            Ok(Reply::Done) => request.reply(&[], 0),
            Err(error) => {
                let status = match &error {
                    CallError::NotFound(_) => status::NOT_FOUND,
                    CallError::Failed(_) => status::REMOTE_FAILED,
                    CallError::Unreachable(_) => status::UNREACHABLE,
                };
                request.fail(status, &error.to_string(), 0);
            }
        },
    );
}

pub(crate) fn send_raw(shared: &Arc<Shared>, transport: &Arc<dyn DynRaw>, request: RequestHandle) {
    let raw = RawRequest {
        peer: text(request.peer()),
        method: text(request.method()),
        target: text(request.target()),
        headers: headers_of(request.headers()),
        body: request.value().to_vec(),
        time_left: time_left(&request),
    };
    let transport = Arc::clone(transport);
    spawn(
        shared,
        request,
        move || transport.send(raw),
        |request, answer| match answer {
            Ok(response) => {
                let headers =
                    header_lines(response.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
                request.reply_raw(response.status, &headers, &response.body);
            }
            Err(error) => {
                request.fail(status::UNREACHABLE, &error.to_string(), 0);
            }
        },
    );
}

/// Spawns a task that makes an answer and gives it. Dropped before, the request fails as not reached.
fn spawn<T: Send + 'static>(
    shared: &Arc<Shared>,
    request: RequestHandle,
    make: impl FnOnce() -> Boxed<T>,
    answer: fn(RequestHandle, T),
) {
    let future = match catch_unwind(AssertUnwindSafe(make)) {
        Ok(future) => future,
        Err(panic) => {
            request.fail(status::UNREACHABLE, &format!("the transport failed: {}", Panicked::new(&*panic)), 0);
            return;
        }
    };
    let request = Mutex::new(Some(request));
    let task = SendTask { shared: Arc::clone(shared), request, future: Some(future), watch: None, answer };
    shared.spawner.spawn(Box::pin(task));
}

struct SendTask<T> {
    shared: Arc<Shared>,
    request: Mutex<Option<RequestHandle>>,
    future: Option<Boxed<T>>,
    watch: Option<(u64, Arc<Watch>)>,
    answer: fn(RequestHandle, T),
}

impl<T> SendTask<T> {
    fn take(&mut self) -> Option<RequestHandle> {
        if let Some((tag, _)) = self.watch.take() {
            self.shared.watches.remove(tag);
        }
        lock(&self.request).take()
    }

    fn cancelled(&mut self, context: &Context<'_>) -> bool {
        let (_, watch) = self.watch.get_or_insert_with(|| {
            let (tag, watch) = self.shared.watches.add(None);
            if let Some(request) = &*lock(&self.request) {
                if request.watch(&self.shared.queue, tag).is_err() {
                    watch.fire(status::CANCELLED); // The instance is closed.
                }
            }
            (tag, watch)
        });
        watch.poll(context.waker()) != Waits::Yes
    }
}

impl<T> Unpin for SendTask<T> {}

impl<T> Future for SendTask<T> {
    type Output = ();
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let Some(future) = this.future.as_mut() else { return Poll::Ready(()) };
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(Poll::Pending) => {
                if !this.cancelled(context) {
                    return Poll::Pending;
                }
                drop(this.take());
            }
            Ok(Poll::Ready(answer)) => {
                if let Some(request) = this.take() {
                    (this.answer)(request, answer);
                }
            }
            Err(panic) => {
                if let Some(request) = this.take() {
                    let message = format!("the transport failed: {}", Panicked::new(&*panic));
                    request.fail(status::UNREACHABLE, &message, 0);
                }
            }
        }
        this.future = None;
        Poll::Ready(())
    }
}

impl<T> Drop for SendTask<T> {
    fn drop(&mut self) {
        drop(self.take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_go_both_ways() {
        let lines = header_lines([("A", "1"), ("B", "x: y")]);
        assert_eq!(lines, "A: 1\r\nB: x: y\r\n");
        let pairs = headers_of(lines.as_bytes());
        assert_eq!(pairs, [("A".to_string(), "1".to_string()), ("B".to_string(), "x: y".to_string())]);
    }

    #[test]
    fn a_failure_of_the_other_side_is_its_last_word_unless_it_is_closed() {
        assert!(matches!(CallError::from(Error::Closed), CallError::Unreachable(_)));
        assert!(matches!(CallError::from(Error::Timeout), CallError::Failed(_)));
        assert!(matches!(CallError::from(Error::NotFound(crate::NotFound::default())), CallError::NotFound(_)));
    }
}
