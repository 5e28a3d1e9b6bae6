//! What the tests share: gates that hold getters, and waiting for conditions.

use cohort::{Group, Instance};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// No test waits longer; machines are busy.
pub const LONG: Duration = Duration::from_secs(120);

/// Waits until something is so.
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < LONG, "it never came to be: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Getters wait here until it is opened.
#[derive(Clone, Default)]
pub struct Gate(Arc<(Mutex<bool>, Condvar, tokio::sync::Notify)>);

impl Gate {
    pub fn open(&self) {
        *self.0 .0.lock().unwrap() = true;
        self.0 .1.notify_all();
        self.0 .2.notify_waiters();
    }

    pub fn wait_blocking(&self) {
        let (open, timeout) = self.0 .1.wait_timeout_while(self.0 .0.lock().unwrap(), LONG, |open| !*open).unwrap();
        assert!(*open && !timeout.timed_out(), "nobody opened the gate");
    }

    pub async fn wait(&self) {
        let notified = self.0 .2.notified();
        tokio::pin!(notified);
        notified.as_mut().enable();
        if !*self.0 .0.lock().unwrap() {
            notified.await;
        }
    }
}

/// How often something happened.
#[derive(Clone, Default)]
pub struct Count(Arc<AtomicUsize>);

impl Count {
    pub fn add(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    pub fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    pub fn reaches(&self, count: usize) {
        eventually(&format!("a count of {count}"), || self.get() >= count);
    }
}

/// Knows whether it was dropped.
#[derive(Clone, Default)]
pub struct Dropped(Arc<AtomicBool>);

impl Dropped {
    pub fn guard(&self) -> DropGuard {
        DropGuard(self.clone())
    }

    pub fn is(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

pub struct DropGuard(Dropped);

impl Drop for DropGuard {
    fn drop(&mut self) {
        self.0 .0.store(true, Ordering::SeqCst);
    }
}

pub fn node() -> Instance {
    Instance::builder().build().unwrap()
}

/// A group whose async getter counts its runs, waits at the gate, and answers "value of <key>".
pub fn gated(node: &Instance, gate: &Gate, runs: &Count) -> Group {
    let (gate, runs) = (gate.clone(), runs.clone());
    node.new_group("gated")
        .getter(move |key| {
            let (gate, runs) = (gate.clone(), runs.clone());
            async move {
                runs.add();
                gate.wait().await;
                Ok(format!("value of {key}"))
            }
        })
        .build()
        .unwrap()
}

/// As `gated`, with a blocking getter.
pub fn gated_blocking(node: &Instance, gate: &Gate, runs: &Count) -> Group {
    let (gate, runs) = (gate.clone(), runs.clone());
    node.new_group("gated blocking")
        .blocking_getter(move |key| {
            runs.add();
            gate.wait_blocking();
            Ok(format!("value of {key}"))
        })
        .build()
        .unwrap()
}

/// Waits until so many gets wait.
pub fn waiting(group: &Group, count: i64) {
    eventually(&format!("{count} gets wait"), || group.stats().waiting >= count);
}

impl Count {
    /// As `reaches`, for tests on a runtime of one thread.
    pub async fn reaches_async(&self, count: usize) {
        let begun = Instant::now();
        while self.get() < count {
            assert!(begun.elapsed() < LONG, "it never came to be: a count of {count}");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}
