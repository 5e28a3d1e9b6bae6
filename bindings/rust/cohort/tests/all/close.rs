//! Closing: what waits ends, nothing leaks, and nothing crashes in any order.

use crate::help::{eventually, gated, gated_blocking, node, waiting, Count, Dropped, Gate, LONG};
use cohort::{Error, Instance};
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropping_the_instance_ends_what_waits() {
    let (gate, runs, dropped) = (Gate::default(), Count::default(), Dropped::default());
    let node = node();
    let led = gated(&node, &gate, &runs);
    let guard = Mutex::new(Some(dropped.guard()));
    let never = node
        .new_group("never")
        .getter(move |_| {
            let guard = guard.lock().unwrap().take();
            async move {
                std::future::pending::<()>().await;
                drop(guard);
                Ok("never")
            }
        })
        .build()
        .unwrap();
    let leader = tokio::spawn(led.get("key"));
    runs.reaches(1);
    let joined = tokio::spawn(led.get("key"));
    let asked = tokio::spawn(never.get("key").timeout(LONG));
    let many = tokio::spawn(led.get_many(["key", "more"]));
    waiting(&led, 3);
    waiting(&never, 1);
    drop(node);
    for get in [leader, joined, asked] {
        let error = get.await.unwrap().unwrap_err();
        assert!(matches!(error, Error::Closed), "{error:?}");
    }
    for error in many.await.unwrap().into_iter().map(Result::unwrap_err) {
        assert!(matches!(error, Error::Closed), "{error:?}");
    }
    eventually("the getter's future is dropped", || dropped.is());
    gate.open();
}

#[test]
fn groups_outlive_their_instance_and_say_so() {
    let (gate, runs) = (Gate::default(), Count::default());
    gate.open();
    let node = node();
    let group = gated(&node, &gate, &runs);
    let value = group.get_blocking("key").unwrap();
    drop(node);
    assert!(matches!(group.get_blocking("key"), Err(Error::Closed)));
    assert!(matches!(group.get("key").timeout(LONG).wait(), Err(Error::Closed)));
    assert!(matches!(group.set("key", "value").wait(), Err(Error::Closed)));
    assert!(matches!(group.remove("key").wait(), Err(Error::Closed)));
    assert!(matches!(group.get_many(["key"]).wait()[..], [Err(Error::Closed)]));
    assert!(group.peek("key").is_none());
    let _ = group.stats();
    drop(group);
    assert_eq!(value, "value of key", "values outlive everything");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutdown_gives_what_is_under_way_its_time() {
    let (gate, runs) = (Gate::default(), Count::default());
    let node = node();
    let group = gated(&node, &gate, &runs);
    let get = tokio::spawn(group.get("key").timeout(LONG));
    runs.reaches(1);
    let shutdown = tokio::spawn(node.shutdown(LONG));
    eventually("new work is refused", || matches!(group.set("new", "value").wait(), Err(Error::Closed)));
    gate.open();
    assert_eq!(get.await.unwrap().unwrap(), "value of key");
    shutdown.await.unwrap().unwrap();
    node.shutdown_blocking(Duration::ZERO).unwrap(); // A second time does nothing.
    assert!(matches!(node.new_group("more").build(), Err(Error::Closed)));
}

#[test]
fn an_instance_may_be_dropped_in_its_own_getter() {
    let gate = Gate::default();
    let node = node();
    let kept: Arc<Mutex<Option<Instance>>> = Arc::new(Mutex::new(Some(node.clone())));
    let (held, own) = (gate.clone(), Arc::clone(&kept));
    let group = node
        .new_group("g")
        .blocking_getter(move |_| {
            held.wait_blocking();
            drop(own.lock().unwrap().take()); // The last one.
            Ok("value")
        })
        .build()
        .unwrap();
    drop(node);
    let get = std::thread::spawn(move || group.get("key").timeout(LONG).wait());
    gate.open();
    match get.join().unwrap() {
        Ok(value) => assert_eq!(value, "value"),
        Err(error) => assert!(matches!(error, Error::Closed), "{error:?}"),
    }
    assert!(kept.lock().unwrap().is_none());
}

#[test]
fn getters_that_hold_their_own_group_are_dropped_with_the_instance() {
    let (dropped, node) = (Dropped::default(), node());
    let own: Arc<Mutex<Option<cohort::Group>>> = Arc::default();
    let (guard, held) = (dropped.guard(), Arc::clone(&own));
    let group = node
        .new_group("g")
        .blocking_getter(move |key| {
            let _ = (&guard, &held);
            Ok(key.to_vec())
        })
        .build()
        .unwrap();
    *own.lock().unwrap() = Some(group.clone());
    drop(own);
    group.get_blocking("key").unwrap();
    drop(group);
    assert!(!dropped.is());
    drop(node);
    eventually("the getter is dropped", || dropped.is());
}

#[test]
fn a_removed_group_is_closed_and_its_name_is_free() {
    let (gate, runs) = (Gate::default(), Count::default());
    let node = node();
    let group = gated_blocking(&node, &gate, &runs);
    let get = std::thread::spawn({
        let group = group.clone();
        move || group.get("key").timeout(LONG).wait()
    });
    runs.reaches(1);
    assert!(matches!(node.new_group("gated blocking").build(), Err(Error::AlreadyExists(_))));
    node.remove_group("gated blocking").unwrap();
    assert!(matches!(get.join().unwrap(), Err(Error::Closed)));
    assert!(node.remove_group("gated blocking").unwrap_err().is_not_found());
    assert!(node.group("gated blocking").is_none());
    gate.open();
    let again = node.new_group("gated blocking").blocking_getter(|_| Ok("new")).build().unwrap();
    assert_eq!(again.get_blocking("key").unwrap(), "new");
    assert!(matches!(group.get_blocking("key"), Err(Error::Closed)));
}

#[test]
fn many_instances_come_and_go_while_gets_run() {
    for round in 0..20 {
        let node = node();
        let group = node.new_group("g").getter(|key| async move { Ok(key.to_vec()) }).build().unwrap();
        let threads: Vec<_> = (0..4)
            .map(|thread| {
                let group = group.clone();
                std::thread::spawn(move || {
                    for n in 0.. {
                        match group.get(format!("{thread}-{n}")).wait() {
                            Ok(value) => assert_eq!(value, format!("{thread}-{n}")),
                            Err(Error::Closed) => return n,
                            Err(error) => panic!("{error:?}"),
                        }
                    }
                    0
                })
            })
            .collect();
        eventually("some gets ran", || group.stats().gets > round * 5);
        drop(node);
        for thread in threads {
            thread.join().unwrap();
        }
    }
}
