//! Set, remove and remove_keys, and expiry.

use crate::help::{eventually, gated, node, Count, Gate};
use cohort::{Error, Expiry, Value};
use std::time::{Duration, SystemTime};

#[tokio::test]
async fn what_is_set_is_there_and_what_is_removed_is_not() {
    let (gate, runs) = (Gate::default(), Count::default());
    gate.open();
    let node = node();
    let group = gated(&node, &gate, &runs);
    group.set("key", "other").await.unwrap();
    assert_eq!(group.get("key").await.unwrap(), "other");
    assert_eq!(runs.get(), 0);
    group.remove("key").await.unwrap();
    assert!(group.peek("key").is_none());
    assert_eq!(group.get("key").await.unwrap(), "value of key");
    group.set("a", b"1").wait().unwrap();
    group.set("b", vec![2; 10_000]).wait().unwrap();
    group.remove_keys(["a", "b", "c"]).await.unwrap();
    group.remove_keys([] as [&str; 0]).await.unwrap();
    assert!(group.peek("a").is_none() && group.peek("b").is_none());
    let stats = group.stats();
    assert_eq!((stats.sets, stats.removes, stats.remove_keys_requests, stats.removed_keys), (3, 1, 1, 3));
}

#[test]
fn a_value_expires_when_it_was_said_to() {
    let node = node();
    let group = node.new_group("g").build().unwrap();
    let soon = Expiry::after(Duration::from_millis(50));
    group.set("soon", "value").expires(soon).wait().unwrap();
    if let Some(value) = group.peek("soon") {
        assert_eq!(value.expiry(), soon);
    }
    eventually("the value expires", || group.peek("soon").is_none());
    assert!(SystemTime::now() >= soon.time().unwrap());
    group.set("later", "value").expires(Duration::from_secs(3600)).wait().unwrap();
    group.set("never", "value").wait().unwrap();
    group
        .set("own", (Value::new("value").unwrap(), Expiry::from_unix_ns(1)))
        .expires(Duration::from_secs(9))
        .wait()
        .unwrap();
    assert!(group.peek("later").unwrap().expiry().time().unwrap() > SystemTime::now() + Duration::from_secs(3000));
    assert_eq!(group.peek("never").unwrap().expiry(), Expiry::NEVER);
    assert!(group.peek("own").is_none(), "the value's own expiry counts, and it has passed");
}

#[test]
fn getters_say_when_values_expire() {
    let (node, runs) = (node(), Count::default());
    let counted = runs.clone();
    let group = node
        .new_group("g")
        .getter(move |_| {
            counted.add();
            async { Ok(("value", Expiry::after(Duration::from_millis(20)))) }
        })
        .build()
        .unwrap();
    assert!(group.get_blocking("key").unwrap().expiry().time().is_some());
    eventually("it is loaded again", || group.get_blocking("key").is_ok() && runs.get() >= 2);
}

#[test]
fn a_remove_keeps_a_load_under_way_out_of_the_cache() {
    let (gate, runs) = (Gate::default(), Count::default());
    let node = node();
    let group = gated(&node, &gate, &runs);
    let old = std::thread::spawn({
        let group = group.clone();
        move || group.get_blocking("key").unwrap()
    });
    runs.reaches(1);
    group.remove("key").wait().unwrap();
    gate.open();
    assert_eq!(old.join().unwrap(), "value of key");
    assert!(group.peek("key").is_none(), "the load was overtaken");
    assert_eq!(group.stats().overtaken_loads, 1);
}

#[test]
fn what_cannot_be_set_is_told() {
    let node = node();
    let group = node.new_group("g").build().unwrap();
    assert!(matches!(group.set("", "value").wait(), Err(Error::InvalidArgument(_))));
    assert!(matches!(group.set(vec![1; 65_537], "value").wait(), Err(Error::TooLarge(_))));
    assert!(matches!(group.remove(vec![1; 65_537]).wait(), Err(Error::TooLarge(_))));
}

#[test]
fn dropping_a_change_does_not_stop_it() {
    let node = node();
    let group = node.new_group("g").build().unwrap();
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let mut set = group.set("key", "value");
    let _ = std::future::Future::poll(std::pin::Pin::new(&mut set), &mut context);
    drop(set);
    eventually("it is set", || group.peek("key").is_some());
}
