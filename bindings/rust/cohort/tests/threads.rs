//! Ten thousand gets that wait cost no thread each, counted from /proc/self/task. A program of its own: it counts all threads.
#![cfg(target_os = "linux")]

use cohort::Instance;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

const GETS: usize = 10_000;
/// The engine's: a timer, executors, getters; the reader; the instance's own tasks' threads.
const ALLOWED: usize = 24;

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

fn memory_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// So many gets wait at once, on one thread of the caller's.
fn wait_all(same_key: bool) {
    let before = threads();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let node = Instance::builder().build().unwrap();
        let gate = Arc::new(Semaphore::new(0));
        let held = Arc::clone(&gate);
        let group = node
            .new_group("g")
            .getter(move |key| {
                let gate = Arc::clone(&held);
                async move {
                    drop(gate.acquire().await?);
                    Ok(key.to_vec())
                }
            })
            .build()
            .unwrap();
        let memory = memory_kb();
        let gets: Vec<_> = (0..GETS)
            .map(|n| {
                let key = if same_key { "one".to_string() } else { n.to_string() };
                // With a deadline every other one waits in the engine; without, its own task runs the getter.
                let get = group.get(key.clone());
                let get = if n % 2 == 0 { get.timeout(Duration::from_secs(600)) } else { get };
                tokio::spawn(async move { assert_eq!(get.await.unwrap(), key) })
            })
            .collect();
        let begun = Instant::now();
        let loading = if same_key { 1 } else { GETS as i64 };
        while group.stats().loading < loading || (same_key && group.stats().waiting < GETS as i64 - 1) {
            assert!(begun.elapsed() < Duration::from_secs(120), "{:?}", group.stats());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let (more, bytes) = (threads() - before, (memory_kb() - memory) * 1024 / GETS as u64);
        println!("{GETS} gets wait (one key: {same_key}): {more} threads more, {bytes} bytes each");
        assert!(more <= ALLOWED, "{more} threads more while {GETS} gets wait");
        gate.add_permits(GETS);
        for get in gets {
            get.await.unwrap();
        }
        node.shutdown(Duration::from_secs(60)).await.unwrap();
    });
}

#[test]
fn ten_thousand_waiting_gets_need_a_few_threads() {
    wait_all(false);
    wait_all(true);
}
