//! Everything at once for a long time: memory, threads and descriptors do not grow. Runs with COHORT_LONG=1 only, for ten minutes or
//! COHORT_SOAK_S seconds. A program of its own: it counts all of them.
#![cfg(target_os = "linux")]

use cohort::testing::Cluster;
use cohort::{NotFound, Transport};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

#[derive(Debug, Clone, Copy)]
struct Usage {
    memory_kb: u64,
    threads: usize,
    descriptors: usize,
}

fn usage() -> Usage {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    Usage {
        memory_kb: line.trim().trim_end_matches(" kB").parse().unwrap(),
        threads: std::fs::read_dir("/proc/self/task").unwrap().count(),
        descriptors: std::fs::read_dir("/proc/self/fd").unwrap().count(),
    }
}

/// One life of a cluster: gets that hit, load, fail, panic, are dropped and run late; changes; members that come and go.
fn life(runtime: &tokio::runtime::Runtime, http: bool, seed: u64) -> u64 {
    let _entered = runtime.enter();
    let transport = if http { Transport::http().build() } else { Transport::in_process() }.unwrap();
    let cluster = Cluster::start_with(3, |_, builder| builder.transport(transport.clone())).unwrap();
    for node in cluster.nodes() {
        node.new_group("g")
            .cache_bytes(1 << 20)
            .getter(|key| async move {
                match key.last() {
                    Some(b'1') => Err(NotFound::default().into()),
                    Some(b'2') => Err("it failed".into()),
                    Some(b'3') => panic!("on purpose"),
                    Some(b'4') => {
                        tokio::time::sleep(Duration::from_millis(3)).await;
                        Ok(vec![4; 10_000])
                    }
                    _ => Ok(key.repeat(20)),
                }
            })
            .build()
            .unwrap();
    }
    let ended = AtomicU64::new(0);
    runtime.block_on(async {
        let groups: Vec<_> = (0..3).map(|n| cluster.group(n, "g")).collect();
        for round in 0..20_u64 {
            let gets = (0..50_u64).map(|n| {
                let group = groups[(n % 3) as usize].clone();
                let key = format!("{}", (seed + round * 31 + n) % 5000);
                async move {
                    match n % 5 {
                        0 => drop(group.get(&key).timeout(Duration::from_millis(2)).await),
                        1 => drop(tokio::time::timeout(Duration::from_micros(300), group.get(&key)).await),
                        2 => drop(group.get_many([key.as_str(), "a", "b4", "c1"]).await),
                        3 => drop(group.set(&key, "set").expires(Duration::from_millis(50)).await),
                        _ => drop(group.remove(&key).await),
                    }
                }
            });
            let tasks: Vec<_> = gets.map(|get| tokio::spawn(get)).collect();
            for task in tasks {
                task.await.unwrap();
                ended.fetch_add(1, Ordering::Relaxed);
            }
        }
        for node in cluster.nodes() {
            node.shutdown(Duration::from_secs(10)).await.unwrap();
        }
    });
    ended.load(Ordering::Relaxed)
}

#[test]
#[ignore = "ten minutes: runs under COHORT_LONG=1"]
fn nothing_grows() {
    let seconds: u64 = std::env::var("COHORT_SOAK_S").ok().and_then(|s| s.parse().ok()).unwrap_or(600);
    static QUIET: AtomicBool = AtomicBool::new(false);
    if !QUIET.swap(true, Ordering::Relaxed) {
        std::panic::set_hook(Box::new(|_| {}));
    }
    // SAFETY: takes numbers. Freed memory shall go back, so that what stays is what is held.
    unsafe { libc::mallopt(libc::M_ARENA_MAX, 2) };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (begun, mut operations, mut lives) = (Instant::now(), 0, 0_u64);
    let mut first: Option<Usage> = None;
    while begun.elapsed() < Duration::from_secs(seconds) {
        operations += life(&runtime, lives % 4 == 3, lives * 97);
        lives += 1;
        // A quarter of the time fills caches, allocators and pools; from then on nothing may grow.
        if first.is_none() && begun.elapsed() > Duration::from_secs(seconds / 4) {
            first = Some(usage());
        }
    }
    let first = first.expect("a quarter of the time passed");
    // Threads that end do so soon, not at once.
    let settled = Instant::now();
    while usage().threads > first.threads + 2 && settled.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(50));
    }
    let last = usage();
    println!("{lives} clusters, {operations} operations in {seconds} s: {first:?} -> {last:?}");
    assert!(last.threads <= first.threads + 2, "threads: {first:?} -> {last:?}");
    assert!(last.descriptors <= first.descriptors + 2, "descriptors: {first:?} -> {last:?}");
    assert!(last.memory_kb <= first.memory_kb + first.memory_kb / 5 + 8192, "memory: {first:?} -> {last:?}");
}
