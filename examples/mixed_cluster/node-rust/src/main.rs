//! A member of the mixed cluster in Rust.
//!
//! The getter renders a package's page from the SQLite database. The control port serves the driver:
//! /ping /get /set /remove /stats /loads /owner.

mod catalog;

use catalog::Catalog;
use cohort::{BoxError, Error, Expiry, Group, Instance};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

struct Node {
    listen: String,
    instance: Instance,
    pages: Group,
    catalog: Arc<Catalog>,
}

impl Node {
    fn join(flag: impl Fn(&str) -> String) -> Result<Self, BoxError> {
        let catalog = Arc::new(Catalog::open(&flag("db"), &flag("sql"))?);
        let listen = flag("listen");
        let instance = Instance::builder().name("node-rust").listen(&listen).build()?;
        let source = Arc::clone(&catalog);
        let pages = instance.new_group("packages").blocking_getter(move |key| source.page(key)).build()?;
        instance.set_peers(flag("peers").split(','), &listen)?;
        Ok(Self { listen, instance, pages, catalog })
    }

    /// One call of the driver: the body of the answer, and how long a get took.
    async fn call(&self, path: &str, query: &HashMap<String, String>, body: Bytes) -> Result<(Bytes, Duration), Error> {
        let key = query.get("key").map_or("", String::as_str);
        let begun = Instant::now();
        let answer = match path {
            "/ping" => Bytes::from("Rust"),
            "/get" => {
                let page = self.pages.get(key).timeout(Duration::from_secs(10)).await?;
                return Ok((page.into(), begun.elapsed()));
            }
            "/set" => {
                let ms = query.get("expire_ms").and_then(|ms| ms.parse().ok()).filter(|ms| *ms > 0);
                let expiry = ms.map_or(Expiry::NEVER, |ms| Expiry::after(Duration::from_millis(ms)));
                self.pages.set(key, body).expires(expiry).await?;
                Bytes::new()
            }
            "/remove" => {
                self.pages.remove(key).await?;
                Bytes::new()
            }
            "/owner" => self.instance.owner(key)?.unwrap_or_else(|| self.listen.clone()).into(),
            "/stats" => {
                let stats = self.pages.stats();
                let (gets, hits, peers) = (stats.gets, stats.cache_hits, stats.peer_loads);
                let (loads, queries) = (stats.local_loads, self.catalog.asked().len());
                format!(r#"{{"gets":{gets},"hits":{hits},"from_peers":{peers},"loads":{loads},"queries":{queries}}}"#)
                    .into()
            }
            "/loads" => self.catalog.asked().iter().map(|name| format!("{name}\n")).collect::<String>().into(),
            _ => return Err(Error::InvalidArgument(format!("there is no {path}"))),
        };
        Ok((answer, begun.elapsed()))
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, BoxError> {
        let (head, body) = request.into_parts();
        let query = parameters(head.uri.query().unwrap_or_default());
        let body = body.collect().await?.to_bytes();
        Ok(match self.call(head.uri.path(), &query, body).await {
            Ok((body, took)) => Response::builder().header("Get-Us", took.as_micros().to_string()).body(body.into())?,
            Err(error) => {
                let not_found = error.is_not_found();
                let status = if not_found { StatusCode::NOT_FOUND } else { StatusCode::BAD_GATEWAY };
                Response::builder().status(status).body(error.to_string().into())?
            }
        })
    }
}

/// The parameters of a query, unescaped.
fn parameters(query: &str) -> HashMap<String, String> {
    let unescaped = |text: &str| {
        let text = text.replace('+', " ");
        let mut bytes = Vec::new();
        let mut parts = text.split('%');
        bytes.extend(parts.next().unwrap_or_default().bytes());
        for part in parts {
            match part.get(..2).and_then(|two| u8::from_str_radix(two, 16).ok()) {
                Some(byte) => bytes.extend([byte].into_iter().chain(part[2..].bytes())),
                None => bytes.extend([b'%'].into_iter().chain(part.bytes())),
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (unescaped(name), unescaped(value))).collect()
}

async fn run(flags: HashMap<String, String>) -> Result<(), BoxError> {
    let flag = |name: &str| flags.get(name).cloned().unwrap_or_default();
    let node = Arc::new(Node::join(flag)?);
    let listener = TcpListener::bind(flag("ctl")).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let node = Arc::clone(&node);
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let node = Arc::clone(&node);
                async move { node.answer(request).await.map_err(std::io::Error::other) }
            });
            // A driver that goes away ends its own connection and nothing else.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let flags = arguments.chunks_exact(2).map(|pair| (pair[0].trim_start_matches('-').to_string(), pair[1].clone()));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let ended = runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(run(flags.collect())));
    if let Err(error) = ended {
        eprintln!("node-rust: {error}");
        std::process::exit(1);
    }
}
