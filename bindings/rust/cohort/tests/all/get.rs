//! Gets: loading once, waiting together, errors, deadlines, keys of any bytes.

use crate::help::{gated, gated_blocking, node, waiting, Count, Gate, LONG};
use cohort::{Error, NotFound, Panicked, Source};
use std::error::Error as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[test]
fn a_miss_loads_once_and_then_hits_without_any_runtime() {
    let (gate, runs) = (Gate::default(), Count::default());
    gate.open();
    let node = node();
    for group in [gated(&node, &gate, &runs), gated_blocking(&node, &gate, &runs)] {
        let before = runs.get();
        let (first, source) = group.get("key").with_source().wait().unwrap();
        assert_eq!((first.as_str().unwrap(), source), ("value of key", Source::Load));
        let (second, source) = group.get("key").with_source().wait().unwrap();
        assert_eq!((second.as_str().unwrap(), source), ("value of key", Source::Main));
        assert_eq!(runs.get() - before, 1);
        let stats = group.stats();
        assert_eq!((stats.gets, stats.cache_hits, stats.local_loads), (2, 1, 1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_who_wait_share_one_load() {
    let (gates, runs) = ([Gate::default(), Gate::default()], Count::default());
    let node = node();
    let groups = [gated(&node, &gates[0], &runs), gated_blocking(&node, &gates[1], &runs)];
    for (group, gate) in groups.into_iter().zip(gates) {
        let before = runs.get();
        let gets: Vec<_> = (0..100).map(|_| tokio::spawn(group.get("key").timeout(LONG))).collect();
        let blocked: Vec<_> = (0..3)
            .map(|_| {
                let group = group.clone();
                std::thread::spawn(move || group.get_blocking("key").unwrap())
            })
            .collect();
        waiting(&group, 102); // One of those that block may lead.
        gate.open();
        for get in gets {
            assert_eq!(get.await.unwrap().unwrap(), "value of key");
        }
        for thread in blocked {
            assert_eq!(thread.join().unwrap(), "value of key");
        }
        assert_eq!(runs.get() - before, 1);
    }
}

#[test]
fn a_get_into_a_buffer_replaces_what_is_in_it() {
    let (gate, runs) = (Gate::default(), Count::default());
    gate.open();
    let node = node();
    for group in [gated(&node, &gate, &runs), gated_blocking(&node, &gate, &runs)] {
        let mut buffer = b"old".to_vec();
        assert!(!group.peek_into("key", &mut buffer));
        assert_eq!(buffer, b"");
        for wanted in [0, 3, 4096] {
            let key = format!("key {wanted}");
            for _ in 0..2 {
                let mut buffer = Vec::with_capacity(wanted); // Too small for the value, and large enough.
                buffer.resize(wanted, b'x');
                group.get_blocking_into(&key, &mut buffer).unwrap();
                assert_eq!(buffer, format!("value of {key}").as_bytes());
            }
            let mut buffer = Vec::with_capacity(wanted);
            assert!(group.peek_into(&key, &mut buffer));
            assert_eq!(buffer, format!("value of {key}").as_bytes());
        }
        let stats = group.stats();
        assert_eq!((stats.gets, stats.cache_hits, stats.local_loads), (10, 6, 3));
    }
}

#[test]
fn a_get_into_a_buffer_that_fails_leaves_it_empty() {
    let node = node();
    let group =
        node.new_group("none").blocking_getter(|_| Err::<String, _>(NotFound::default().into())).build().unwrap();
    let mut buffer = b"old".to_vec();
    assert!(matches!(group.get_blocking_into("key", &mut buffer), Err(Error::NotFound(_))));
    assert_eq!(buffer, b"");
    node.shutdown_blocking(LONG).unwrap();
    buffer.push(b'x');
    assert!(matches!(group.get_blocking_into("key", &mut buffer), Err(Error::Closed)));
    assert!(!group.peek_into("key", &mut buffer));
    assert_eq!(buffer, b"");
}

#[derive(Debug)]
struct Refused(u32);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "refused with {}", self.0)
    }
}

impl std::error::Error for Refused {}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_getters_error_comes_to_all_waiters_as_the_same_value() {
    let (gate, node) = (Gate::default(), node());
    let held = gate.clone();
    let group = node
        .new_group("g")
        .getter(move |_| {
            let gate = held.clone();
            async move {
                gate.wait().await;
                Err::<&str, _>(Refused(7).into())
            }
        })
        .build()
        .unwrap();
    let gets: Vec<_> = (0..10).map(|_| tokio::spawn(group.get("key"))).collect();
    let many = tokio::spawn(group.get_many(["key", "other"]));
    waiting(&group, 11);
    gate.open();
    let mut shared = Vec::new();
    for get in gets {
        let error = get.await.unwrap().unwrap_err();
        assert_eq!(error.to_string(), "refused with 7");
        assert_eq!(error.getter_error::<Refused>().unwrap().0, 7);
        assert!(error.source().unwrap().downcast_ref::<Refused>().is_some());
        let Error::Load(own) = error else { panic!("{error:?}") };
        shared.push(own);
    }
    for error in many.await.unwrap().into_iter().map(Result::unwrap_err) {
        let Error::Load(own) = error else { panic!("{error:?}") };
        assert_eq!(own.downcast_ref::<Refused>().unwrap().0, 7);
        shared.push(own);
    }
    let same = shared.iter().filter(|error| Arc::ptr_eq(error, &shared[0])).count();
    assert_eq!(same, 11, "10 gets and one of the batch share the load of 'key'");
}

#[test]
fn blocking_getters_fail_with_their_own_error() {
    let node = node();
    let group = node
        .new_group("g")
        .blocking_getter(|key| match &**key {
            b"missing" => Err(NotFound::new("no such thing").into()),
            b"passed on" => Err(Error::NotFound(NotFound::new("as another group said")).into()),
            b"panics" => panic!("on purpose: {key}"),
            _ => Err::<&str, _>(Refused(1).into()),
        })
        .build()
        .unwrap();
    let error = group.get_blocking("missing").unwrap_err();
    assert!(error.is_not_found() && error.to_string() == "no such thing", "{error:?}");
    let error = group.get("passed on").timeout(LONG).wait().unwrap_err();
    assert!(error.is_not_found() && error.to_string() == "as another group said", "{error:?}");
    assert_eq!(group.get_blocking("x").unwrap_err().getter_error::<Refused>().unwrap().0, 1);
    let error = group.get_blocking("panics").unwrap_err();
    assert_eq!(error.getter_error::<Panicked>().unwrap().message(), "on purpose: panics");
    assert_eq!(group.stats().local_load_errors, 4);
}

#[test]
fn keys_may_hold_any_bytes_up_to_the_limit() {
    let node = node();
    let group = node.new_group("g").blocking_getter(|key| Ok(key.to_vec())).build().unwrap();
    for key in [&b"a\0b"[..], b"\xff\xfe", b"/", b"..", b" ", "ключ".as_bytes(), &[7; 65_536]] {
        assert_eq!(group.get_blocking(key).unwrap(), key);
        assert_eq!(group.peek(key).unwrap(), key);
    }
    assert!(matches!(group.get_blocking(vec![7; 65_537]), Err(Error::TooLarge(_))));
    assert_eq!(group.get_blocking(b"a").unwrap(), "a", "a part of a key is another key");
}

#[tokio::test]
async fn a_deadline_ends_one_wait_and_no_other() {
    let (gate, runs) = (Gate::default(), Count::default());
    let node = node();
    let group = gated(&node, &gate, &runs);
    let patient = tokio::spawn(group.get("key"));
    runs.reaches_async(1).await;
    let begun = Instant::now();
    let error = group.get("key").timeout(Duration::from_millis(30)).await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    assert!(begun.elapsed() >= Duration::from_millis(30));
    gate.open();
    assert_eq!(patient.await.unwrap().unwrap(), "value of key");
    assert_eq!((runs.get(), group.stats().timeouts), (1, 1));
}

#[test]
fn a_deadline_also_ends_a_wait_on_this_thread() {
    let (gate, runs) = (Gate::default(), Count::default());
    let node = node();
    let group = gated(&node, &gate, &runs);
    assert!(group.get("key").timeout(Duration::from_millis(20)).wait().unwrap_err().is_timeout());
    gate.open();
}

#[test]
fn peek_never_loads() {
    let (gate, runs) = (Gate::default(), Count::default());
    gate.open();
    let node = node();
    let group = gated(&node, &gate, &runs);
    assert!(group.peek("key").is_none());
    group.get_blocking("key").unwrap();
    assert_eq!(group.peek("key").unwrap(), "value of key");
    assert_eq!(runs.get(), 1);
}

#[test]
fn a_group_without_getter_serves_what_was_set() {
    let node = node();
    let group = node.new_group("g").build().unwrap();
    assert!(matches!(group.get_blocking("key"), Err(Error::NoGetter)));
    group.set("key", "value").wait().unwrap();
    assert_eq!(group.get_blocking("key").unwrap(), "value");
}

#[tokio::test]
async fn a_get_moves_between_threads_and_tasks() {
    let (gate, runs) = (Gate::default(), Count::default());
    let node = node();
    let group = gated(&node, &gate, &runs);
    let mut get = group.get(String::from("key"));
    // Polled here once, finished elsewhere.
    std::future::poll_fn(|context| {
        assert!(std::future::Future::poll(std::pin::Pin::new(&mut get), context).is_pending());
        std::task::Poll::Ready(())
    })
    .await;
    let elsewhere = std::thread::spawn(move || {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(get).unwrap()
    });
    gate.open();
    assert_eq!(tokio::task::spawn_blocking(|| elsewhere.join().unwrap()).await.unwrap(), "value of key");
}
