//! Serving peers on the program's own HTTP server: a request goes in, a response comes out.

use crate::ffi::ResponseHandle;
use crate::get::millis;
use crate::instance::Instance;
use crate::send::{header_lines, headers_of};
use crate::wait::{new_waiter, Outcome, Waiter};
use crate::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// A request of a peer, as the program's server received it.
#[derive(Clone, Copy, Debug, Default)]
pub struct PeerRequest<'a> {
    /// "GET", "PUT", ...
    pub method: &'a str,
    /// The target as it was sent: the escaped path with the base path and, if any, the query.
    pub target: &'a str,
    /// Names and values.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body.
    pub body: &'a [u8],
    /// How long the server will wait; `None`: as long as it takes. The peer's own deadline counts as well.
    pub timeout: Option<Duration>,
}

/// What to send back to a peer.
pub struct PeerResponse(ResponseHandle);

impl PeerResponse {
    /// 200, 400, ...
    pub fn status(&self) -> u16 {
        self.0.status()
    }

    /// Names and values, Content-Type among them; Content-Length is the server's part.
    pub fn headers(&self) -> Vec<(String, String)> {
        headers_of(self.0.headers())
    }

    /// The body, in the engine's memory.
    pub fn body(&self) -> &[u8] {
        self.0.body()
    }
}

/// The body, so that a server can send it without a copy.
impl AsRef<[u8]> for PeerResponse {
    fn as_ref(&self) -> &[u8] {
        self.body()
    }
}

impl fmt::Debug for PeerResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PeerResponse({}, {} bytes)", self.status(), self.body().len())
    }
}

/// A response on its way; made by [`Instance::handle`].
#[must_use = "a response does nothing unless it is awaited"]
pub struct Handling(Result<Arc<Waiter>, Option<Error>>);

impl Instance {
    /// Handles a request of a peer, for servers of the program's own. Needs no listening address.
    ///
    /// The request is read before this returns; the response may take as long as a getter. With the feature `tower` a
    /// `PeerService` does this for hyper, axum and tonic.
    pub fn handle(&self, request: &PeerRequest<'_>) -> Handling {
        let waiter = new_waiter();
        let headers = header_lines(request.headers.iter().copied());
        let timeout = millis(request.timeout);
        let queue = &self.shared().queue;
        let (method, target, body) = (request.method, request.target, request.body);
        let begun = Instance::handle_of(self).handle_request(method, target, &headers, body, timeout, queue, &waiter);
        Handling(begun.map(|()| waiter).map_err(Some))
    }
}

impl Future for Handling {
    type Output = Result<PeerResponse, Error>;
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Ok(waiter) => waiter.poll(context).map(|outcome| match outcome {
                Outcome::Response(response) => Ok(PeerResponse(response)),
                _ => Err(Error::Internal("a request ended as something else".into())),
            }),
            Err(error) => Poll::Ready(Err(error.take().unwrap_or(Error::Closed))),
        }
    }
}

impl Drop for Handling {
    fn drop(&mut self) {
        if let Ok(waiter) = &self.0 {
            waiter.leave();
        }
    }
}
