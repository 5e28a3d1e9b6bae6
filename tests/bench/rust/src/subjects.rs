//! The subjects of this program, each of which sets up what its flags say and answers questions about it.

use crate::caches::{Cache, Cohort, Moka, Quick};
use crate::harness::{die, measure, number, resident_bytes, serve, Flags};
use crate::keys::{key, value, write_value, Asked, Random, ORDER, VALUE_BYTES};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// Calls a function of the cache that `-cache` names.
macro_rules! with_cache {
    ($flags:expr, $function:ident) => {
        match $flags.text("-cache") {
            "cohort" => $function::<Cohort>($flags),
            "quick_cache" => $function::<Quick>($flags),
            "moka" => $function::<Moka>($flags),
            other => die(&format!("no cache is called '{other}'")),
        }
    };
}

/// `hits -cache NAME -entries N`: asked "handle|reference|copy THREADS SECONDS"; copy: into a reused buffer.
pub fn hits(flags: &Flags) {
    with_cache!(flags, hits_of)
}

fn hits_of<C: Cache>(flags: &Flags) {
    let entries = flags.number("-entries", 100_000);
    let asked = Asked::new(entries);
    // A little more than needed: whatever divides its room must not find one of its parts full.
    let cache = C::open(entries * 5 / 4, VALUE_BYTES);
    for (i, key) in (0..).zip(&asked.keys) {
        cache.set(key, &value(i, VALUE_BYTES));
    }
    let mut found = vec![0; VALUE_BYTES];
    for (i, key) in (0..).zip(&asked.keys) {
        cache.copy(key, &mut found);
        if found != value(i, VALUE_BYTES) {
            die(&format!("the value of {key} is not the one that was set"));
        }
    }
    serve(&vec![], |words| {
        let (threads, seconds) = (number(words, 1), number(words, 2));
        if words[0] == "copy" {
            measure(threads, seconds, 256, false, |thread| {
                let (asked, cache, mut buffer, mut sum) = (&asked, &cache, vec![0_u8; VALUE_BYTES], 0_u64);
                move |call| {
                    cache.copy(asked.key(thread, call), &mut buffer);
                    sum += u64::from(black_box(&buffer)[VALUE_BYTES / 2]);
                    black_box(sum);
                    1
                }
            })
        } else {
            measure(threads, seconds, 256, false, |thread| {
                let (asked, cache, mut sum) = (&asked, &cache, 0_u64);
                move |call| {
                    sum += u64::from(cache.reference(asked.key(thread, call), VALUE_BYTES / 2));
                    black_box(sum);
                    1
                }
            })
        }
    })
}

/// `fill -cache NAME -entries N -size BYTES`: answers at once what the entries cost; asked "hits SECONDS".
pub fn fill(flags: &Flags) {
    with_cache!(flags, fill_of)
}

fn fill_of<C: Cache>(flags: &Flags) {
    let (entries, size) = (flags.number("-entries", 1_000_000), flags.number("-size", 100));
    let cache = C::open(entries + entries / 50 + 1000, size);
    let mut value = value(0, size);
    cache.set(&key(0), &value);
    let (before, begin) = (resident_bytes(), Instant::now());
    for i in 0..entries {
        write_value(i as u64, &mut value);
        cache.set(&key(i), &value);
    }
    let seconds = begin.elapsed().as_secs_f64();
    if cache.count() < entries {
        die(&format!("the cache holds {} entries of {entries}", cache.count()));
    }
    let cost = (resident_bytes() - before) / entries as f64;
    serve(&vec![("bytes_per_entry", cost), ("fills_per_s", entries as f64 / seconds)], |words| {
        let mut random = Random(1);
        let keys: Vec<String> = (0..ORDER).map(|_| key((random.next() % entries as u64) as usize)).collect();
        measure(1, number(words, 1), 256, false, |_| {
            let (cache, keys) = (&cache, &keys);
            move |call| {
                black_box(cache.reference(&keys[call % ORDER], 0));
                1
            }
        })
    })
}

/// `changes -cache NAME -entries N`: asked "replace|evict|remove|miss THREADS SECONDS", as changes.cc says.
pub fn changes(flags: &Flags) {
    with_cache!(flags, changes_of)
}

fn changes_of<C: Cache>(flags: &Flags) {
    let entries = flags.number("-entries", 100_000);
    let (roomy, full) = (C::open(entries * 2, VALUE_BYTES), C::open(entries * 3 / 4, VALUE_BYTES));
    let keys: Vec<String> = (0..entries).map(key).collect();
    for (i, key) in (0..).zip(&keys) {
        roomy.set(key, &value(i, VALUE_BYTES));
        full.set(key, &value(i, VALUE_BYTES));
    }
    let value = value(0, VALUE_BYTES);
    let next = AtomicUsize::new(entries);
    serve(&vec![], |words| {
        measure(number(words, 1), number(words, 2), 16, true, |thread| {
            let (roomy, full, keys, value, next) = (&roomy, &full, &keys, &value, &next);
            let (kind, mut random) = (words[0].to_owned(), Random(thread as u64));
            move |_| {
                let existing = &keys[(random.next() % keys.len() as u64) as usize];
                match kind.as_str() {
                    "replace" => roomy.set(existing, value),
                    "evict" => full.set(&key(next.fetch_add(1, Ordering::Relaxed)), value),
                    "miss" => full.load(key(next.fetch_add(1, Ordering::Relaxed))),
                    _ => {
                        roomy.set(existing, value);
                        roomy.remove(existing);
                    }
                }
                1
            }
        })
    })
}
