//! Values: borrowed and owned bytes, clones, sizes, codecs.

use crate::help::{node, Count, Dropped};
use cohort::{Error, Expiry, Value};
use std::sync::{Arc, Mutex};

#[test]
fn a_hit_and_its_clones_are_the_same_memory() {
    let node = node();
    let group = node.new_group("g").blocking_getter(|_| Ok(vec![7; 100_000])).build().unwrap();
    group.get_blocking("key").unwrap();
    let (one, two) = (group.get_blocking("key").unwrap(), group.peek("key").unwrap());
    assert_eq!(one.as_ptr(), two.as_ptr());
    assert_eq!(one.clone().as_ptr(), one.as_ptr());
    assert_eq!((one.len(), one[99_999]), (100_000, 7));
}

struct Owner {
    bytes: Vec<u8>,
    _guard: crate::help::DropGuard,
}

impl AsRef<[u8]> for Owner {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[test]
fn an_owner_is_kept_while_anybody_holds_its_bytes() {
    let dropped = Dropped::default();
    let node = node();
    let group = node.new_group("g").build().unwrap();
    let owner = Owner { bytes: vec![3; 50_000], _guard: dropped.guard() };
    let at = owner.bytes.as_ptr();
    let value = Value::from_owner(owner, Expiry::NEVER).unwrap();
    assert_eq!(value.as_ptr(), at, "no copy");
    let clone = value.clone();
    drop(value);
    assert!(!dropped.is());
    std::thread::spawn(move || drop(clone)).join().unwrap();
    assert!(dropped.is());
    drop(group);
}

#[test]
fn a_panicking_owner_ends_in_the_binding() {
    struct Grumpy;
    impl AsRef<[u8]> for Grumpy {
        fn as_ref(&self) -> &[u8] {
            b"bytes"
        }
    }
    impl Drop for Grumpy {
        fn drop(&mut self) {
            panic!("dropped, on purpose");
        }
    }
    let value = Value::from_owner(Grumpy, Expiry::NEVER).unwrap();
    assert_eq!(value, "bytes");
    drop(value);
}

#[test]
fn empty_and_very_large_values_travel() {
    let node = node();
    let group = node
        .new_group("g")
        .cache_bytes(256 << 20)
        .blocking_getter(|key| Ok(if key.is_empty() { Vec::new() } else { vec![b'.'; 64 << 20] }))
        .build()
        .unwrap();
    assert_eq!(group.get_blocking("").unwrap(), "");
    let large = group.get_blocking("large").unwrap();
    assert_eq!(large.len(), 64 << 20);
    assert!(large.iter().all(|byte| *byte == b'.'));
    assert_eq!(group.peek("large").unwrap().as_ptr(), large.as_ptr(), "taken over, not copied");
    drop(node);
    assert_eq!(large[large.len() - 1], b'.', "it outlives the instance");
}

#[test]
fn text_is_checked_and_shown() {
    let value = Value::new("h\u{e9}llo").unwrap();
    assert_eq!(value.as_str().unwrap(), "h\u{e9}llo");
    assert!(matches!(Value::new(b"\xff").unwrap().as_str(), Err(Error::Codec(_))));
    assert_eq!(format!("{:?}", Value::new("a\0").unwrap()), "Value(2 bytes: \"a\\x00\")");
    assert!(format!("{:?}", Value::new([b'x'; 100]).unwrap()).ends_with("\"..)"));
}

#[test]
fn values_of_an_eviction_listener_and_of_an_own_cache_are_whole() {
    #[derive(Default, Clone)]
    struct Map(Arc<Mutex<std::collections::HashMap<Vec<u8>, Value>>>);
    impl cohort::Cache for Map {
        fn get(&self, key: &[u8]) -> Option<Value> {
            self.0.lock().unwrap().get(key).cloned()
        }
        fn add(&self, key: &[u8], value: Value) {
            self.0.lock().unwrap().insert(key.to_vec(), value);
        }
        fn remove(&self, key: &[u8]) {
            self.0.lock().unwrap().remove(key);
        }
        fn clear(&self) {
            self.0.lock().unwrap().clear();
        }
    }
    let (node, map, runs) = (node(), Map::default(), Count::default());
    let counted = runs.clone();
    let group = node
        .new_group("g")
        .cache(cohort::Tier::Main, map.clone())
        .blocking_getter(move |key| {
            counted.add();
            Ok(key.repeat(2))
        })
        .build()
        .unwrap();
    assert_eq!(group.get_blocking("ab").unwrap(), "abab");
    assert_eq!(group.get_blocking("ab").unwrap(), "abab");
    assert_eq!(map.0.lock().unwrap().get(&b"ab"[..]).unwrap(), "abab");
    assert_eq!(runs.get(), 1);
    group.remove("ab").wait().unwrap();
    assert!(map.0.lock().unwrap().is_empty());
    group.get_blocking("ab").unwrap();
    group.reset_cache(1 << 20).unwrap();
    assert!(map.0.lock().unwrap().is_empty());
}
