//! Members of a cluster: one that asks for what another process owns, and a node of one in which everybody asks for a cold key.

use crate::harness::{die, measure, number, serve, Flags};
use crate::keys::{key, number_of, value, Random, VALUE_BYTES};
use cohort::{Group, Instance};
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

fn join(flags: &Flags) -> Instance {
    let listen = flags.text("-listen");
    let node = Instance::builder().listen(listen).build().unwrap_or_else(|e| die(&e.to_string()));
    node.set_peers(flags.text("-peers").split(','), listen).unwrap_or_else(|e| die(&e.to_string()));
    node
}

/// `asker -listen B -peers A,B -owner A`: keeps nothing; asked "get|many THREADS SECONDS", as remote.cc says.
pub fn asker(flags: &Flags) {
    let node = join(flags);
    let group: Group = node
        .new_group("bench")
        .cache_bytes(0)
        .blocking_getter(|_| Err::<&str, _>("the owner was not reached".into()))
        .build()
        .unwrap_or_else(|e| die(&e.to_string()));
    let owner = flags.text("-owner");
    let is_theirs = |key: &String| node.owner(key).is_ok_and(|o| o.as_deref() == Some(owner));
    let keys: Vec<String> = (0..).map(key).filter(is_theirs).take(10_000).collect();
    for key in &keys {
        let found = group.get_blocking(key).unwrap_or_else(|e| die(&e.to_string()));
        if found[..] != value(number_of(key), VALUE_BYTES) {
            die(&format!("the value of {key} is not the owner's"));
        }
    }
    serve(&vec![], |words| {
        let many = words[0] == "many";
        measure(number(words, 1), number(words, 2), 1, true, |thread| {
            let (group, keys, mut random) = (&group, &keys, Random(thread as u64));
            move |_| {
                let mut next = || &keys[(random.next() % keys.len() as u64) as usize];
                if many {
                    let values = group.get_many((0..100).map(|_| next())).wait();
                    for value in &values {
                        black_box(value.as_ref().unwrap_or_else(|e| die(&e.to_string()))[0]);
                    }
                    values.len()
                } else {
                    black_box(group.get_blocking(next()).unwrap_or_else(|e| die(&e.to_string()))[0]);
                    1
                }
            }
        })
    })
}

/// `node -listen A -peers A,B,...`: asked "cold KEY CALLERS", and "loads", as node.cc says.
pub fn node(flags: &Flags) {
    let loads = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&loads);
    let node = join(flags);
    let group = node
        .new_group("bench")
        .blocking_getter(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
            std::thread::sleep(Duration::from_millis(100));
            Ok("cold")
        })
        .build()
        .unwrap_or_else(|e| die(&e.to_string()));
    serve(&vec![], |words| {
        if words[0] == "loads" {
            return vec![("loads", loads.load(Ordering::Relaxed) as f64)];
        }
        let begin = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..number::<usize>(words, 2) {
                scope.spawn(|| group.get_blocking(words[1]).unwrap_or_else(|e| die(&e.to_string())));
            }
        });
        vec![("ms", begin.elapsed().as_secs_f64() * 1e3)]
    })
}
