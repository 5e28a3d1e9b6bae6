//! The conformance node in Rust: one member of a cluster, driven from outside. tests/interop/README.md has the protocol.

mod control;
mod flags;
mod getter;

use cohort::{Error, Group, Instance};
use flags::Flags;
use getter::Loader;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::sync::Arc;
use tokio::net::TcpListener;

/// One member, and what the control protocol needs to know of it.
struct Node {
    name: String,
    listen: String,
    instance: Instance,
    group: Group,
    loader: Arc<Loader>,
}

impl Node {
    fn new(flags: &Flags) -> Result<Self, Error> {
        let instance = Instance::builder()
            .name(&flags.name)
            .listen(&flags.listen)
            .replicas(flags.replicas)
            .logger(cohort::LogLevel::Warn, |_, line| eprintln!("{line}"))
            .build()?;
        let loader = Arc::new(Loader::new(&flags.name, flags.expire));
        let loads = Arc::clone(&loader);
        let group = instance
            .new_group(&flags.group)
            .cache_bytes(u64::try_from(flags.bytes).unwrap_or(0))
            .getter(move |key| Arc::clone(&loads).load(key))
            .build()?;
        if !flags.peers.is_empty() {
            instance.set_peers(flags.peers.split(','), &flags.listen)?;
        }
        Ok(Self { name: flags.name.clone(), listen: flags.listen.clone(), instance, group, loader })
    }
}

async fn run(flags: Flags) -> Result<(), Box<dyn std::error::Error>> {
    let node = Arc::new(Node::new(&flags)?);
    let listener = TcpListener::bind(&flags.ctl).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let node = Arc::clone(&node);
        tokio::spawn(async move {
            let service = service_fn(move |request| control::answer(Arc::clone(&node), request));
            // A caller that goes away ends its own connection and nothing else.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

fn main() {
    let ended = Flags::parse(std::env::args().skip(1)).map_err(Into::into).and_then(|flags| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        runtime.block_on(run(flags))
    });
    if let Err(error) = ended {
        eprintln!("node-rust: {error}");
        std::process::exit(1);
    }
}
