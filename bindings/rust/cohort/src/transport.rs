//! How peers are reached: over HTTP, inside the process, or by a transport of the program's own.

use crate::ffi::TransportHandle;
use crate::get::millis;
use crate::send::{send_call, send_raw, CallTransport, RawTransport};
use crate::shared::Shared;
use crate::Error;
use std::future::Future;
use std::ops::Deref;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// How an instance reaches its peers. Clones are the same transport; instances may share one.
#[derive(Clone)]
pub struct Transport(Kind);

#[derive(Clone)]
enum Kind {
    Made(Arc<TransportHandle>),
    Calls(Arc<dyn DynCalls>),
    Raw(Arc<dyn DynRaw>),
}

/// A handle that was made for one instance, or that instances share.
pub(crate) enum Made {
    Own(TransportHandle),
    Shared(Arc<TransportHandle>),
}

impl Deref for Made {
    type Target = TransportHandle;
    fn deref(&self) -> &TransportHandle {
        match self {
            Self::Own(handle) => handle,
            Self::Shared(handle) => handle,
        }
    }
}

impl Transport {
    /// HTTP, by the engine itself.
    pub fn http() -> HttpBuilder {
        HttpBuilder::default()
    }

    /// A network inside the process, for tests: instances made with clones of it reach each other by address.
    ///
    /// # Errors
    /// Memory is exhausted.
    pub fn in_process() -> Result<Self, Error> {
        Ok(Self(Kind::Made(Arc::new(TransportHandle::in_process()?))))
    }

    /// A transport of the program's own, which is handed calls: gets, sets and removes with group, key and value. It does not listen;
    /// the other side answers with [`Get::local`](crate::Get::local), [`Group::local_set`](crate::Group::local_set) and
    /// [`Group::local_remove`](crate::Group::local_remove).
    pub fn calls(transport: impl CallTransport) -> Self {
        Self(Kind::Calls(Arc::new(transport)))
    }

    /// A transport of the program's own, which is handed whole HTTP requests. It does not listen; the other side answers with
    /// [`Instance::handle`](crate::Instance::handle).
    pub fn raw(transport: impl RawTransport) -> Self {
        Self(Kind::Raw(Arc::new(transport)))
    }

    pub(crate) fn handle(&self, shared: &Arc<Shared>) -> Result<Made, Error> {
        let shared = Arc::clone(shared);
        match &self.0 {
            Kind::Made(handle) => Ok(Made::Shared(Arc::clone(handle))),
            Kind::Calls(transport) => {
                let transport = Arc::clone(transport);
                TransportHandle::custom(false, move |request| send_call(&shared, &transport, request)).map(Made::Own)
            }
            Kind::Raw(transport) => {
                let transport = Arc::clone(transport);
                TransportHandle::custom(true, move |request| send_raw(&shared, &transport, request)).map(Made::Own)
            }
        }
    }
}

pub(crate) type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

pub(crate) trait DynCalls: Send + Sync {
    fn call(self: Arc<Self>, call: crate::PeerCall) -> Boxed<Result<crate::Reply, crate::CallError>>;
}

impl<T: CallTransport> DynCalls for T {
    fn call(self: Arc<Self>, call: crate::PeerCall) -> Boxed<Result<crate::Reply, crate::CallError>> {
        Box::pin(async move { CallTransport::call(&*self, call).await })
    }
}

pub(crate) trait DynRaw: Send + Sync {
    fn send(self: Arc<Self>, request: crate::RawRequest) -> Boxed<Result<crate::RawResponse, crate::BoxError>>;
}

impl<T: RawTransport> DynRaw for T {
    fn send(self: Arc<Self>, request: crate::RawRequest) -> Boxed<Result<crate::RawResponse, crate::BoxError>> {
        Box::pin(async move { RawTransport::send(&*self, request).await })
    }
}

/// The files of TLS, in PEM.
#[derive(Clone, Debug, Default)]
pub struct Tls {
    ca: String,
    cert: String,
    key: String,
    require_client_certificate: bool,
}

fn name(path: impl AsRef<Path>) -> String {
    path.as_ref().to_string_lossy().into_owned()
}

impl Tls {
    /// With the system's authorities, and no certificate of this member's own: it only asks.
    pub fn new() -> Self {
        Self::default()
    }

    /// The authorities that vouch for peers' certificates.
    pub fn ca(mut self, file: impl AsRef<Path>) -> Self {
        self.ca = name(file);
        self
    }

    /// This member's certificate chain and key: shown when listening and, if asked, to peers.
    pub fn certificate(mut self, cert_file: impl AsRef<Path>, key_file: impl AsRef<Path>) -> Self {
        self.cert = name(cert_file);
        self.key = name(key_file);
        self
    }

    /// Mutual TLS: peers must show a certificate that `ca` vouches for.
    pub fn require_client_certificate(mut self) -> Self {
        self.require_client_certificate = true;
        self
    }
}

/// The settings of the HTTP transport; see [`Transport::http`].
#[derive(Clone, Debug, Default)]
#[must_use = "a transport is made by build()"]
pub struct HttpBuilder {
    limits: Vec<(i32, i64)>,
    tls: Option<Tls>,
}

impl HttpBuilder {
    fn limit(mut self, limit: i32, value: i64) -> Self {
        self.limits.push((limit, value));
        self
    }

    /// Client connections to one peer; 1 to 1,024, default 64.
    pub fn max_connections_per_peer(self, connections: u32) -> Self {
        self.limit(cohort_sys::COHORT_HTTP_MAX_CONNECTIONS_PER_PEER, i64::from(connections))
    }

    /// 1 ms to 10 minutes; default 2 s.
    pub fn connect_timeout(self, timeout: Duration) -> Self {
        self.limit(cohort_sys::COHORT_HTTP_CONNECT_TIMEOUT_MS, millis(Some(timeout)))
    }

    /// Unused connections to peers close after that long; 100 ms to 10 minutes, default 4 s.
    pub fn idle_timeout(self, timeout: Duration) -> Self {
        self.limit(cohort_sys::COHORT_HTTP_IDLE_TIMEOUT_MS, millis(Some(timeout)))
    }

    /// The largest body in either direction; default 256 MiB.
    pub fn max_body_bytes(self, bytes: u64) -> Self {
        self.limit(cohort_sys::COHORT_HTTP_MAX_BODY_BYTES, i64::try_from(bytes).unwrap_or(i64::MAX))
    }

    /// Most connections that are served at once; 8 to 65,536, default 1,024.
    pub fn max_server_threads(self, threads: u32) -> Self {
        self.limit(cohort_sys::COHORT_HTTP_MAX_SERVER_THREADS, i64::from(threads))
    }

    /// Idle connections of peers close after that long; 1 s to 10 minutes, default 2 minutes.
    pub fn keep_alive(self, timeout: Duration) -> Self {
        self.limit(cohort_sys::COHORT_HTTP_KEEP_ALIVE_MS, millis(Some(timeout)))
    }

    /// A request without a deadline ends after that long; default a minute.
    pub fn request_timeout(self, timeout: Duration) -> Self {
        self.limit(cohort_sys::COHORT_HTTP_REQUEST_TIMEOUT_MS, millis(Some(timeout)))
    }

    /// TLS, for listening and for asking.
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Makes the transport.
    ///
    /// # Errors
    /// A limit that is out of its range. The files of TLS are read when an instance is made.
    pub fn build(self) -> Result<Transport, Error> {
        let handle = TransportHandle::http()?;
        for (limit, value) in self.limits {
            handle.limit(limit, value)?;
        }
        if let Some(tls) = self.tls {
            handle.tls(&tls.ca, &tls.cert, &tls.key, tls.require_client_certificate)?;
        }
        Ok(Transport(Kind::Made(Arc::new(handle))))
    }
}
