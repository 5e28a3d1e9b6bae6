//! Serving peers on a server of the program's own.

use crate::help::{Count, LONG};
use cohort::{Instance, PeerRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_may_live_on_a_hyper_server() {
    let mounted = Instance::builder().name("mounted").build().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let service = cohort::PeerService::new(mounted.clone()).timeout(LONG);
    let served = Count::default();
    let counted = served.clone();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = TowerToHyperService::new(service.clone());
            counted.add();
            tokio::spawn(async move {
                let server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                let _ = server.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    let other = Instance::builder().name("other").listen("127.0.0.1:0").build().unwrap();
    let peers = [address.clone(), other.address().unwrap()];
    mounted.set_peers(&peers, &address).unwrap();
    other.set_peers(&peers, &peers[1]).unwrap();
    let [from_mounted, from_other] = [&mounted, &other].map(|node| {
        let name = node.name().to_string();
        node.new_group("g")
            .getter(move |key| {
                let name = name.clone();
                async move { Ok(format!("{key} by {name}")) }
            })
            .build()
            .unwrap()
    });
    let key_of = |owner: &str| {
        (0..).map(|n| format!("key /{n}?&%")).find(|key| mounted.owner(key).unwrap().unwrap() == owner).unwrap()
    };
    let key = key_of(&address);
    assert_eq!(from_other.get(&key).await.unwrap(), format!("{key} by mounted"));
    from_other.set(&key, vec![5; 300_000]).await.unwrap();
    assert_eq!(from_mounted.get(&key).await.unwrap(), vec![5; 300_000]);
    from_mounted.remove(&key).await.unwrap();
    assert!(from_other.peek(&key).is_none());
    let many: Vec<String> = (0..200).map(|n| n.to_string()).collect();
    assert!(from_other.get_many(&many).await.iter().all(Result::is_ok));
    assert!(served.get() > 0);
    assert_eq!(from_other.stats().peer_errors, 0);
}

#[tokio::test]
async fn bad_requests_get_their_answer() {
    let node = Instance::builder().build().unwrap();
    let get = |target| PeerRequest { method: "GET", target, ..PeerRequest::default() };
    assert_eq!(node.handle(&get("/_groupcache/gone/key")).await.unwrap().status(), 500);
    assert_eq!(node.handle(&get("/elsewhere")).await.unwrap().status() / 100, 4);
    node.new_group("g").getter(|key| async move { Ok(key.to_vec()) }).build().unwrap();
    let response = node.handle(&get("/_groupcache/g/a%20b")).await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.body().windows(3).any(|bytes| bytes == b"a b"), "{response:?}");
    assert!(response.headers().iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")));
    let error = node.handle(&PeerRequest { headers: &[("bad", "a\r\nb")], ..get("/_groupcache/g/k") }).await;
    assert!(error.is_err() || error.unwrap().status() >= 400);
    let dropped = node.handle(&get("/_groupcache/g/other"));
    drop(dropped);
    node.shutdown(LONG).await.unwrap();
    assert!(node.handle(&get("/_groupcache/g/key")).await.is_err());
}
