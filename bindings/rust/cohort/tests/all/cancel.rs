//! Dropping a future cancels its own wait; the load goes on while anybody else waits.

use crate::help::{eventually, gated, node, waiting, Count, Dropped, Gate, LONG};
use cohort::Group;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};

/// Polls a future once; it must not be ready.
fn begin<F: Future + Unpin>(future: &mut F) {
    let mut context = Context::from_waker(Waker::noop());
    assert!(Pin::new(future).poll(&mut context).is_pending());
}

#[test]
fn dropping_the_first_caller_leaves_the_load_to_the_others() {
    let (gate, runs) = (Gate::default(), Count::default());
    let node = node();
    let group = gated(&node, &gate, &runs);
    let mut first = group.get("key"); // It leads: its task runs the getter.
    begin(&mut first);
    let mut second = group.get("key");
    begin(&mut second);
    runs.reaches(1);
    drop(first);
    gate.open();
    assert_eq!(second.wait_begun(), "value of key");
    assert_eq!((runs.get(), group.stats().abandoned_loads), (1, 0));
}

trait WaitBegun {
    fn wait_begun(self) -> String;
}

impl<K: AsRef<[u8]>> WaitBegun for cohort::Get<K> {
    fn wait_begun(self) -> String {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let value = runtime.block_on(async { tokio::time::timeout(LONG, self).await.expect("it ends") });
        value.unwrap().as_str().unwrap().to_string()
    }
}

#[test]
fn dropping_a_later_caller_cancels_its_wait_only() {
    let (gate, runs) = (Gate::default(), Count::default());
    let node = node();
    let group = gated(&node, &gate, &runs);
    let mut first = group.get("key");
    begin(&mut first);
    for _ in 0..10 {
        let mut other = group.get("key");
        begin(&mut other);
    }
    eventually("ten waits are cancelled", || group.stats().cancelled == 10);
    gate.open();
    assert_eq!(first.wait_begun(), "value of key");
    assert_eq!(runs.get(), 1);
}

/// A group whose getter never ends, and tells when it is dropped.
fn hanging(node: &cohort::Instance, runs: &Count, dropped: &Dropped) -> Group {
    let (runs, dropped) = (runs.clone(), dropped.clone());
    node.new_group("hanging")
        .getter(move |_| {
            let (runs, guard) = (runs.clone(), dropped.guard());
            async move {
                runs.add();
                std::future::pending::<()>().await;
                drop(guard);
                Ok("never")
            }
        })
        .build()
        .unwrap()
}

#[test]
fn the_getter_is_dropped_when_the_last_caller_has_gone() {
    let (runs, dropped) = (Count::default(), Dropped::default());
    let node = node();
    let group = hanging(&node, &runs, &dropped);
    let mut gets: Vec<_> = (0..3).map(|_| group.get("key")).collect();
    gets.iter_mut().for_each(begin);
    runs.reaches(1);
    gets.truncate(1);
    assert!(!dropped.is(), "one still waits");
    gets.clear();
    eventually("the getter is dropped", || dropped.is());
    eventually("nothing is under way", || group.stats().loading == 0 && group.stats().waiting == 0);
}

#[test]
fn a_getter_goes_on_after_the_last_deadline_for_who_asks_again() {
    let (gate, runs) = (Gate::default(), Count::default());
    let node = node();
    let group = gated(&node, &gate, &runs);
    let short = std::time::Duration::from_millis(20);
    assert!(group.get("key").timeout(short).wait().unwrap_err().is_timeout());
    let mut again = group.get("key");
    begin(&mut again);
    gate.open();
    assert_eq!(again.wait_begun(), "value of key");
    assert_eq!(runs.get(), 1);
    eventually("it is kept", || group.peek("key").is_some());
}

#[test]
fn a_getter_that_nobody_waits_for_ends_with_its_longest_time() {
    let (runs, dropped) = (Count::default(), Dropped::default());
    let node = node();
    let guards = dropped.clone();
    let counted = runs.clone();
    let group = node
        .new_group("g")
        .load_timeout(std::time::Duration::from_millis(200))
        .getter(move |_| {
            let guard = guards.guard();
            counted.add();
            async move {
                std::future::pending::<()>().await;
                drop(guard);
                Ok("never")
            }
        })
        .build()
        .unwrap();
    assert!(group.get("key").timeout(std::time::Duration::from_millis(20)).wait().unwrap_err().is_timeout());
    eventually("the getter is dropped", || dropped.is());
    eventually("nothing is under way", || group.stats().loading == 0);
}

#[test]
fn who_comes_after_the_last_has_gone_gets_a_load_of_its_own() {
    let (runs, dropped) = (Count::default(), Dropped::default());
    let node = node();
    let group = hanging(&node, &runs, &dropped);
    for round in 1..=50 {
        let mut get = group.get("key");
        begin(&mut get);
        runs.reaches(round);
        drop(get);
    }
    eventually("nothing is under way", || group.stats().loading == 0);
}

#[test]
fn a_blocking_getter_can_see_that_nobody_waits() {
    let (entered, saw) = (Count::default(), Count::default());
    let node = node();
    let (counts, seen) = (entered.clone(), saw.clone());
    let group = node
        .new_group("g")
        .blocking_getter(move |key| {
            counts.add();
            assert!(key.time_left() > std::time::Duration::ZERO);
            eventually("nobody waits", || key.is_cancelled());
            seen.add();
            Ok("late")
        })
        .build()
        .unwrap();
    let mut get = group.get("key"); // Not led: an engine thread runs it.
    begin(&mut get);
    entered.reaches(1);
    drop(get);
    saw.reaches(1);
}

#[test]
fn work_beside_a_getter_learns_that_nobody_waits() {
    let (started, told) = (Count::default(), Count::default());
    let node = node();
    let (starts, tells) = (started.clone(), told.clone());
    let group = node
        .new_group("g")
        .getter(move |key| {
            let (starts, tells) = (starts.clone(), tells.clone());
            async move {
                let cancelled = key.cancelled();
                std::thread::spawn(move || {
                    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(cancelled);
                    tells.add();
                });
                starts.add();
                std::future::pending::<()>().await;
                Ok("never")
            }
        })
        .build()
        .unwrap();
    let mut get = group.get("key");
    begin(&mut get);
    started.reaches(1);
    drop(get);
    told.reaches(1);
}

#[test]
fn dropping_a_batch_cancels_its_waits() {
    let (gate, runs) = (Gate::default(), Count::default());
    let node = node();
    let group = gated(&node, &gate, &runs);
    let mut many = group.get_many(["a", "b", "c"]);
    begin(&mut many);
    waiting(&group, 3);
    drop(many);
    eventually("nobody waits", || group.stats().waiting == 0);
    assert_eq!(group.stats().cancelled, 3);
    gate.open();
}
