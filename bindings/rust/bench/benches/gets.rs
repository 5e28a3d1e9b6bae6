//! Gets beside quick_cache and moka: a hit of 1 KiB, by one thread and by two, and a miss that loads.
//!
//! usage: cargo bench

use cohort::{Group, Instance};
use cohort_bench::{keys, value};
use criterion::{criterion_group, criterion_main, Criterion, Throughput};
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

const SIZE: usize = 1024;
const BYTES: u64 = 64 << 20;

type Quick = quick_cache::sync::Cache<String, Arc<[u8]>>;
type Moka = moka::sync::Cache<String, Arc<[u8]>>;

fn filled() -> (Instance, Group) {
    let node = Instance::builder().build().unwrap();
    let group = node.new_group("g").cache_bytes(BYTES).blocking_getter(|_| Ok(value(SIZE))).build().unwrap();
    for key in keys() {
        group.get_blocking(key).unwrap();
    }
    (node, group)
}

fn bytes() -> Arc<[u8]> {
    value(SIZE).into()
}

/// Calls `get` with each key in turn, so often on each of so many threads.
fn on_threads(threads: usize, times: u64, get: &(dyn Fn(&str) + Sync)) -> Duration {
    let keys = keys();
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let keys = &keys;
            scope.spawn(move || {
                let turn = keys.iter().cycle().skip(thread * keys.len() / threads);
                turn.zip(0..times).for_each(|(key, _)| get(key));
            });
        }
    });
    begun.elapsed()
}

fn hits(criterion: &mut Criterion) {
    let (_node, group) = filled();
    let quick = Quick::new(keys().len() * 2);
    let moka = Moka::new(keys().len() as u64 * 2);
    for key in keys() {
        quick.insert(key.clone(), bytes());
        moka.insert(key, bytes());
    }
    for threads in [1, 2] {
        let mut bench = criterion.benchmark_group(format!("hit of 1 KiB, {threads} thread(s)"));
        bench.throughput(Throughput::Elements(threads as u64));
        let mut one = |name: &str, get: &(dyn Fn(&str) + Sync)| {
            bench.bench_function(name, |b| b.iter_custom(|times| on_threads(threads, times, get)));
        };
        one("cohort get_blocking", &|key| drop(black_box(group.get_blocking(key).unwrap())));
        one("cohort peek", &|key| drop(black_box(group.peek(key).unwrap())));
        one("quick_cache get", &|key| drop(black_box(quick.get(key).unwrap())));
        one("moka get", &|key| drop(black_box(moka.get(key).unwrap())));
        bench.finish();
    }
}

fn misses(criterion: &mut Criterion) {
    let mut bench = criterion.benchmark_group("miss that loads 1 KiB");
    let node = Instance::builder().build().unwrap();
    let blocking = node.new_group("blocking").cache_bytes(BYTES).blocking_getter(|_| Ok(value(SIZE))).build().unwrap();
    let tasks = node.new_group("tasks").cache_bytes(BYTES).getter(|_| async { Ok(value(SIZE)) }).build().unwrap();
    let (quick, moka) = (Quick::new(50_000), Moka::new(50_000));
    let mut n = 0_u64;
    let mut next = move || {
        n += 1;
        format!("user:{n}:profile")
    };
    bench.bench_function("cohort, blocking getter", |b| b.iter(|| blocking.get_blocking(next()).unwrap()));
    bench.bench_function("cohort, async getter as a task", |b| b.iter(|| tasks.get_blocking(next()).unwrap()));
    bench.bench_function("quick_cache get_or_insert_with", |b| {
        b.iter(|| quick.get_or_insert_with(&next(), || Ok::<_, ()>(bytes())).unwrap());
    });
    bench.bench_function("moka get_with", |b| b.iter(|| moka.get_with(next(), bytes)));
    bench.finish();
}

criterion_group!(benches, hits, misses);
criterion_main!(benches);
