//! A tower service that answers peers on the program's own server and port.

use crate::mount::PeerRequest;
use crate::{BoxError, Instance};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, Full, Limited};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// The largest request of a peer: as on the engine's own server.
const MAX_BODY_BYTES: usize = 256 << 20;

/// Serves peers on a server of the program's own; mount it at the base path, "/_groupcache/", without stripping that.
///
/// It is a `tower::Service` of `http` requests: hyper serves it through `TowerToHyperService`, axum by
/// `Router::new().route_service("/_groupcache/{*rest}", service)`.
#[derive(Clone, Debug)]
pub struct PeerService {
    instance: Instance,
    timeout: Option<Duration>,
}

impl PeerService {
    /// A service that answers with that instance.
    pub fn new(instance: Instance) -> Self {
        Self { instance, timeout: None }
    }

    /// How long a request may take; a peer's own deadline counts as well.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }
}

fn refusal(status: StatusCode, message: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(message));
    *response.status_mut() = status;
    response
}

async fn answer<B>(service: PeerService, request: Request<B>) -> Response<Full<Bytes>>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    let (head, body) = request.into_parts();
    let body = match Limited::new(body, MAX_BODY_BYTES).collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(error) => return refusal(StatusCode::BAD_REQUEST, format!("the body cannot be read: {error}")),
    };
    let target = head.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let headers: Vec<_> =
        head.headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect();
    let timeout = service.timeout;
    let method = head.method.as_str();
    let handling = service.instance.handle(&PeerRequest { method, target, headers: &headers, body: &body, timeout });
    let answered = match handling.await {
        Ok(answered) => answered,
        Err(error) => return refusal(StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
    };
    let mut response = Response::builder().status(answered.status());
    for (name, value) in answered.headers() {
        response = response.header(name, value);
    }
    response
        .body(Full::new(Bytes::from_owner(answered)))
        .unwrap_or_else(|error| refusal(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
}

impl<B> tower_service::Service<Request<B>> for PeerService
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    type Response = Response<Full<Bytes>>;
    type Error = std::convert::Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move { Ok(answer(service, request).await) })
    }
}
