//! Options: what is wrong with one is told, and each does what it says.

use crate::help::{eventually, node, Count};
use cohort::{Error, Instance, LogLevel, Policy, Reason, Ring, Tier, Transport};
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[test]
fn what_is_wrong_is_told_by_build() {
    let wrong = [
        Instance::builder().replicas(0).build(),
        Instance::builder().replicas(u32::MAX).build(),
        Instance::builder().base_path("no slash").build(),
        Instance::builder().max_getter_threads(0).build(),
        Instance::builder().name("n".repeat(256)).build(),
        Instance::builder().listen("nonsense").build(),
    ];
    for built in wrong {
        let error = built.unwrap_err();
        assert!(matches!(error, Error::InvalidArgument(_) | Error::TooLarge(_)), "{error:?}");
    }
    let node = node();
    for name in ["", "a/b"] {
        assert!(matches!(node.new_group(name).build(), Err(Error::InvalidArgument(_))), "{name:?}");
    }
    let error = node.new_group("g").load_timeout(Duration::from_secs(100_000)).cache_bytes(1).build().unwrap_err();
    assert!(matches!(error, Error::InvalidArgument(_)), "{error:?}");
    assert!(node.group("g").is_none());
    assert!(matches!(Transport::http().max_server_threads(1).build(), Err(Error::InvalidArgument(_))));
    let error = node.set_peers(["127.0.0.1:1"], "127.0.0.1:2").unwrap_err();
    assert!(matches!(error, Error::InvalidArgument(_)), "{error:?}");
}

#[test]
fn an_address_that_is_taken_is_an_io_error() {
    let first = Instance::builder().listen("127.0.0.1:0").build().unwrap();
    let error = Instance::builder().listen(first.address().unwrap()).build().unwrap_err();
    assert!(matches!(error, Error::Io(_)), "{error:?}");
    first.stop_listening(Duration::from_secs(1)).unwrap();
    assert_eq!(first.address(), None);
    first.listen("127.0.0.1:0").unwrap();
    assert!(first.address().is_some());
}

#[test]
fn entries_that_leave_are_told() {
    let (node, left) = (node(), Arc::<Mutex<Vec<_>>>::default());
    let told = Arc::clone(&left);
    let group = node
        .new_group("g")
        .cache_bytes(64 << 10)
        .on_evicted(move |entry| {
            told.lock().unwrap().push((entry.tier, entry.reason, entry.key.to_vec(), entry.value.len()));
            assert_ne!(entry.key, b"7", "a panic in a listener is ignored");
        })
        .blocking_getter(|_| Ok(vec![0; 1000]))
        .build()
        .unwrap();
    for n in 0..200 {
        group.get_blocking(n.to_string()).unwrap();
    }
    eventually("something left for room", || {
        left.lock().unwrap().iter().any(|entry| *entry == (Tier::Main, Reason::Room, b"7".to_vec(), 1000))
    });
    assert!(group.cache_stats(Tier::Main).evictions > 0);
    assert!(group.cache_stats(Tier::Main).charged_bytes <= 64 << 10);
    group.set("short", "value").expires(Duration::from_millis(1)).wait().unwrap();
    eventually("something expired", || {
        let _ = group.peek("short");
        left.lock().unwrap().iter().any(|entry| entry.1 == Reason::Expired)
    });
}

#[test]
fn log_lines_come_with_their_level() {
    let lines: Arc<Mutex<Vec<(LogLevel, String)>>> = Arc::default();
    let logged = Arc::clone(&lines);
    let node = Instance::builder()
        .name("talker")
        .logger(LogLevel::Debug, move |level, line| {
            logged.lock().unwrap().push((level, line.to_string()));
            panic!("a panic in a logger is ignored, on purpose");
        })
        .listen("127.0.0.1:0")
        .build()
        .unwrap();
    eventually("it says where it listens", || {
        lines.lock().unwrap().iter().any(|(_, line)| line.contains(&node.address().unwrap()))
    });
}

#[test]
fn a_hash_of_the_programs_own_decides_who_owns() {
    let hashed = Count::default();
    let counted = hashed.clone();
    let node = Instance::builder()
        .hash(move |bytes| {
            counted.add();
            bytes.iter().map(|byte| u64::from(*byte)).sum()
        })
        .build()
        .unwrap();
    assert_eq!(node.owner("key").unwrap(), None, "local only");
    node.set_peers(["127.0.0.1:1", "127.0.0.1:2"], "127.0.0.1:1").unwrap();
    assert!(node.owner("key").unwrap().unwrap().starts_with("127.0.0.1:"));
    assert!(hashed.get() > 0);
}

#[test]
fn rings_differ() {
    let owners = [Ring::GroupcacheV3, Ring::Groupcache, Ring::Xxh3].map(|ring| {
        let node = Instance::builder().ring(ring).replicas(20).build().unwrap();
        node.set_peers((1..=5).map(|port| format!("10.0.0.{port}:80")), "10.0.0.1:80").unwrap();
        (0..100).map(|n| node.owner(n.to_string()).unwrap().unwrap()).collect::<Vec<_>>()
    });
    assert!(owners[0] != owners[1] && owners[1] != owners[2] && owners[0] != owners[2]);
}

#[test]
fn the_adaptive_policy_keeps_what_is_popular_beside_a_scan() {
    let node = node();
    for (name, policy) in [("lru", Policy::Lru), ("adaptive", Policy::default())] {
        let group = node.new_group(name).max_entries(16).policy(policy).blocking_getter(|_| Ok("v")).build().unwrap();
        let popular: Vec<String> = (0..10).map(|n| format!("popular{n}")).collect();
        for _ in 0..5 {
            popular.iter().for_each(|key| drop(group.get_blocking(key).unwrap()));
        }
        (0..100).for_each(|n| drop(group.get_blocking(format!("once{n}")).unwrap()));
        let kept = popular.iter().filter(|key| group.peek(key).is_some()).count();
        assert_eq!(kept >= 8, policy == Policy::Adaptive, "{name} kept {kept}");
    }
}

#[test]
fn limits_of_entries_and_no_cache_at_all() {
    let node = node();
    let few = node.new_group("few").max_entries(16).blocking_getter(|_| Ok("v")).build().unwrap();
    let none = node.new_group("none").cache_bytes(0).blocking_getter(|_| Ok("v")).build().unwrap();
    for n in 0..100 {
        few.get_blocking(n.to_string()).unwrap();
        none.get_blocking(n.to_string()).unwrap();
    }
    assert!(few.cache_stats(Tier::Main).items <= 16);
    assert_eq!(none.cache_stats(Tier::Main).items, 0);
    assert_eq!(format!("{few:?}"), "Group(\"few\")");
    assert!(!cohort::engine_version().is_empty());
}
