//! The caches under one interface, compiled for each: no call goes through a table of functions.

use crate::harness::die;
use crate::keys::{number_of, value};
use cohort::{Group, Instance};
use std::sync::Arc;

/// What the subjects need of a cache.
pub trait Cache: Sync {
    /// Room for so many entries of that size. A miss loads the value of the key.
    fn open(entries: usize, value_bytes: usize) -> Self;
    /// A byte of the value, read through what the cache hands out.
    fn reference(&self, key: &str, at: usize) -> u8;
    /// The value copied into a buffer, in place of what was in it.
    fn copy(&self, key: &str, buffer: &mut Vec<u8>);
    fn set(&self, key: &str, value: &[u8]);
    fn remove(&self, key: &str);
    /// Loads the key, which is not there.
    fn load(&self, key: String);
    /// How many entries there are.
    fn count(&self) -> usize;
}

fn miss() -> ! {
    die("a miss")
}

/// Cohort, on a member that is alone.
pub struct Cohort {
    _node: Instance,
    pub group: Group,
}

impl Cache for Cohort {
    fn open(entries: usize, value_bytes: usize) -> Self {
        let node = Instance::builder().build().unwrap_or_else(|e| die(&e.to_string()));
        let bytes = (entries * (value_bytes + 256) * 8 / 7 + (16 << 20)) as u64;
        let group = node
            .new_group("bench")
            .cache_bytes(bytes)
            .blocking_getter(move |key| Ok(value(number_of(key.as_str()?), value_bytes)))
            .build()
            .unwrap_or_else(|e| die(&e.to_string()));
        Self { _node: node, group }
    }

    fn reference(&self, key: &str, at: usize) -> u8 {
        self.group.get_blocking(key).unwrap_or_else(|_| miss())[at]
    }

    fn copy(&self, key: &str, buffer: &mut Vec<u8>) {
        self.group.get_blocking_into(key, buffer).unwrap_or_else(|_| miss());
    }

    fn set(&self, key: &str, value: &[u8]) {
        self.group.set(key, value).wait().unwrap_or_else(|e| die(&e.to_string()));
    }

    fn remove(&self, key: &str) {
        self.group.remove(key).wait().unwrap_or_else(|e| die(&e.to_string()));
    }

    fn load(&self, key: String) {
        drop(self.group.get_blocking(key));
    }

    fn count(&self) -> usize {
        self.group.cache_stats(cohort::Tier::Main).items as usize
    }
}

type Bytes = Arc<[u8]>;

/// quick_cache; its values are reference counted, as its documentation advises for what is costly to clone.
pub struct Quick(quick_cache::sync::Cache<String, Bytes>, usize);

impl Cache for Quick {
    fn open(entries: usize, value_bytes: usize) -> Self {
        Self(quick_cache::sync::Cache::new(entries), value_bytes)
    }

    fn reference(&self, key: &str, at: usize) -> u8 {
        self.0.get(key).unwrap_or_else(|| miss())[at]
    }

    fn copy(&self, key: &str, buffer: &mut Vec<u8>) {
        buffer.clear();
        buffer.extend_from_slice(&self.0.get(key).unwrap_or_else(|| miss()));
    }

    fn set(&self, key: &str, value: &[u8]) {
        self.0.insert(key.to_owned(), value.into());
    }

    fn remove(&self, key: &str) {
        self.0.remove(key);
    }

    fn load(&self, key: String) {
        let size = self.1;
        drop(self.0.get_or_insert_with(&key, || Ok::<_, ()>(value(number_of(&key), size).into())));
    }

    fn count(&self) -> usize {
        self.0.len()
    }
}

/// moka.
pub struct Moka(moka::sync::Cache<String, Bytes>, usize);

impl Cache for Moka {
    fn open(entries: usize, value_bytes: usize) -> Self {
        Self(moka::sync::Cache::new(entries as u64), value_bytes)
    }

    fn reference(&self, key: &str, at: usize) -> u8 {
        self.0.get(key).unwrap_or_else(|| miss())[at]
    }

    fn copy(&self, key: &str, buffer: &mut Vec<u8>) {
        buffer.clear();
        buffer.extend_from_slice(&self.0.get(key).unwrap_or_else(|| miss()));
    }

    fn set(&self, key: &str, value: &[u8]) {
        self.0.insert(key.to_owned(), value.into());
    }

    fn remove(&self, key: &str) {
        self.0.invalidate(key);
    }

    fn load(&self, key: String) {
        let size = self.1;
        let number = number_of(&key);
        drop(self.0.get_with(key, || value(number, size).into()));
    }

    fn count(&self) -> usize {
        self.0.run_pending_tasks();
        self.0.entry_count() as usize
    }
}
