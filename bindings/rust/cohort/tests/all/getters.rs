//! Getters: where they run, and what becomes of those that panic, hang, get their own key, or lose their runtime.

use crate::help::{eventually, node, Count, Gate, LONG};
use cohort::{Error, Getter, Instance, Key, Panicked, Value};
use std::sync::{Arc, Mutex};
use std::thread::ThreadId;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_anywhere_in_a_getter_is_an_error_for_those_who_wait() {
    let node = node();
    let group = node
        .new_group("g")
        .getter(|key| {
            assert!(!key.starts_with(b"at once"), "at once: {key}");
            async move {
                assert!(!key.starts_with(b"first"), "first: {key}");
                tokio::task::yield_now().await;
                assert!(!key.starts_with(b"later"), "later: {key}");
                Ok("fine")
            }
        })
        .build()
        .unwrap();
    for key in ["at once", "first", "later"] {
        for error in [
            group.get(key).await.unwrap_err(),               // led by the caller's task
            group.get(key).timeout(LONG).await.unwrap_err(), // run by the engine's request
            group.get_many([key]).await.remove(0).unwrap_err(),
        ] {
            assert_eq!(error.getter_error::<Panicked>().expect("a panic").message(), format!("{key}: {key}"));
            assert_eq!(error.to_string(), format!("the getter panicked: {key}: {key}"));
        }
    }
    assert_eq!(group.get("well").await.unwrap(), "fine");
    assert_eq!(group.stats().waiting, 0);
}

#[test]
fn a_blocking_getter_runs_on_the_caller_that_blocks_and_never_on_one_that_does_not() {
    let threads: Arc<Mutex<Vec<ThreadId>>> = Arc::default();
    let node = node();
    let seen = Arc::clone(&threads);
    let group = node
        .new_group("g")
        .blocking_getter(move |_| {
            seen.lock().unwrap().push(std::thread::current().id());
            Ok("value")
        })
        .build()
        .unwrap();
    group.get_blocking("a").unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async { group.get("b").await }).unwrap();
    let threads = threads.lock().unwrap();
    assert_eq!(threads[0], std::thread::current().id());
    assert_ne!(threads[1], std::thread::current().id());
}

#[test]
fn getters_run_where_the_program_says() {
    let tasks = Count::default();
    let counted = tasks.clone();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap();
    let handle = runtime.handle().clone();
    let node = Instance::builder()
        .spawn_with(move |task| {
            counted.add();
            drop(handle.spawn(task));
        })
        .build()
        .unwrap();
    let group = node
        .new_group("g")
        .getter(|key| async move {
            tokio::time::sleep(Duration::from_millis(1)).await; // Panics outside of a runtime.
            Ok(key.to_vec())
        })
        .build()
        .unwrap();
    assert_eq!(group.get_blocking("a").unwrap(), "a");
    assert_eq!(group.get("b").timeout(LONG).wait().unwrap(), "b");
    assert!(group.get_many(["c", "d"]).wait().into_iter().all(|value| value.is_ok()));
    assert_eq!(tasks.get(), 4);
}

#[cfg(feature = "tokio")]
#[tokio::test]
async fn getters_find_the_tokio_runtime_by_themselves() {
    let node = node();
    let group = node
        .new_group("g")
        .getter(|key| async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            Ok(key.to_vec())
        })
        .build()
        .unwrap();
    assert_eq!(group.get("a").await.unwrap(), "a");
    assert_eq!(group.get("b").timeout(LONG).await.unwrap(), "b");
}

#[test]
fn a_lost_runtime_is_an_error_and_no_hang() {
    // One spawner drops what it is given, one panics.
    let dropping = Instance::builder().spawn_with(drop).build().unwrap();
    let panicking = Instance::builder().spawn_with(|_| panic!("no runtime, on purpose")).build().unwrap();
    for node in [dropping, panicking] {
        let group = node.new_group("g").getter(|_| async { Ok("value") }).build().unwrap();
        assert!(matches!(group.get_blocking("led"), Err(Error::Abandoned)));
        let asked = group.get("asked").timeout(LONG).wait().unwrap_err();
        assert!(matches!(asked, Error::Abandoned), "{asked:?}");
        eventually("nothing is under way", || group.stats().loading == 0);
    }
}

#[test]
fn a_getter_may_get_from_another_group() {
    let node = node();
    let words = node.new_group("words").getter(|key| async move { Ok(format!("word {key}")) }).build().unwrap();
    let for_async = words.clone();
    let lines = node
        .new_group("lines")
        .getter(move |key| {
            let words = for_async.clone();
            async move { Ok(format!("line of {}", words.get(&key).await?.as_str()?)) }
        })
        .build()
        .unwrap();
    assert_eq!(lines.get_blocking("a").unwrap(), "line of word a");
    let pages = node
        .new_group("pages")
        .blocking_getter(move |key| Ok(format!("page of {}", lines.get_blocking(key)?.as_str()?)))
        .build()
        .unwrap();
    assert_eq!(pages.get_blocking("b").unwrap(), "page of line of word b");
}

#[test]
fn a_getter_that_gets_its_own_key_is_told_so() {
    let node = node();
    let own: Arc<Mutex<Option<cohort::Group>>> = Arc::default();
    let (for_async, for_blocking) = (Arc::clone(&own), Arc::clone(&own));
    let asynchronous = node
        .new_group("async")
        .getter(move |key| {
            let group = for_async.lock().unwrap().clone().unwrap();
            async move { Ok(group.get(&key).await?) }
        })
        .build()
        .unwrap();
    let blocking = node
        .new_group("blocking")
        .blocking_getter(move |key| {
            let group = for_blocking.lock().unwrap().clone().unwrap();
            Ok(group.get_blocking(key)?)
        })
        .build()
        .unwrap();
    for group in [asynchronous, blocking] {
        *own.lock().unwrap() = Some(group.clone());
        for error in [
            group.get_blocking("key").unwrap_err(),
            group.get("key").timeout(LONG).wait().unwrap_err(),
            group.get_many(["key"]).wait().remove(0).unwrap_err(),
        ] {
            let inner = error.getter_error::<Error>().unwrap_or_else(|| panic!("{error:?}"));
            assert!(matches!(inner, Error::WouldDeadlock), "{inner:?}");
        }
    }
}

struct Doubling(Count);

impl Getter for Doubling {
    async fn get(&self, key: Key) -> Result<Value, cohort::BoxError> {
        self.0.add();
        Ok(Value::new(key.repeat(2))?)
    }
}

#[test]
fn a_getter_may_be_a_type() {
    let (node, runs) = (node(), Count::default());
    let group = node.new_group("g").with_getter(Doubling(runs.clone())).build().unwrap();
    assert_eq!(group.get_blocking("ab").unwrap(), "abab");
    assert_eq!(group.get_blocking("ab").unwrap(), "abab");
    assert_eq!(runs.get(), 1);
}

#[test]
fn a_load_that_takes_too_long_ends_for_all() {
    let node = node();
    let short = Duration::from_millis(30);
    let hanging = node
        .new_group("async")
        .load_timeout(short)
        .getter(|_| async { Ok(std::future::pending::<&str>().await) })
        .build()
        .unwrap();
    let led = hanging.get_blocking("key").unwrap_err();
    assert!(led.is_timeout(), "{led:?}");
    let asked = hanging.get("key").timeout(LONG).wait().unwrap_err();
    assert!(asked.is_timeout(), "{asked:?}");
    let gate = Gate::default();
    let held = gate.clone();
    let blocking = node
        .new_group("blocking")
        .load_timeout(short)
        .blocking_getter(move |_| {
            held.wait_blocking();
            Ok("late")
        })
        .build()
        .unwrap();
    let asked = blocking.get("key").timeout(LONG).wait().unwrap_err();
    assert!(asked.is_timeout(), "{asked:?}");
    gate.open();
}
