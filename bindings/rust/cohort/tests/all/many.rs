//! Many gets in one call.

use crate::help::{gated, node, Count, Gate};
use cohort::{Error, NotFound};
use std::time::Duration;

#[tokio::test]
async fn each_key_has_its_result_in_its_place() {
    let (node, runs) = (node(), Count::default());
    let counted = runs.clone();
    let group = node
        .new_group("g")
        .getter(move |key| {
            counted.add();
            async move {
                match &*key {
                    b"missing" => Err(NotFound::default().into()),
                    b"fails" => Err("it failed".into()),
                    _ => Ok(key.to_vec()),
                }
            }
        })
        .build()
        .unwrap();
    group.get("hit").await.unwrap();
    let results = group.get_many(["hit", "new", "missing", "fails", "new", "", "a\0b"]).await;
    assert_eq!(results.len(), 7);
    assert_eq!(results[0].as_ref().unwrap(), "hit");
    assert_eq!(results[1].as_ref().unwrap(), "new");
    assert!(results[2].as_ref().unwrap_err().is_not_found());
    assert_eq!(results[3].as_ref().unwrap_err().to_string(), "it failed");
    assert_eq!(results[4].as_ref().unwrap(), "new");
    assert_eq!(results[6].as_ref().unwrap(), "a\0b");
    assert_eq!(runs.get(), 6 - usize::from(results[5].is_err()), "one for each key, the doubled one once");
    assert!(group.get_many([] as [&str; 0]).await.is_empty());
}

#[test]
fn thousands_at_once() {
    let node = node();
    let group = node.new_group("g").getter(|key| async move { Ok(key.repeat(3)) }).build().unwrap();
    let keys: Vec<String> = (0..20_000).map(|n| n.to_string()).collect();
    for _ in 0..2 {
        for (value, key) in group.get_many(&keys).wait().into_iter().zip(&keys) {
            assert_eq!(value.unwrap(), key.repeat(3));
        }
    }
    assert_eq!(group.stats().local_loads, 20_000);
}

#[test]
fn a_deadline_ends_what_has_not_come() {
    let (gate, runs) = (Gate::default(), Count::default());
    let node = node();
    let group = gated(&node, &gate, &runs);
    group.set("here", "value").wait().unwrap();
    let results = group.get_many(["here", "not here"]).timeout(Duration::from_millis(30)).wait();
    assert_eq!(results[0].as_ref().unwrap(), "value");
    assert!(results[1].as_ref().unwrap_err().is_timeout());
    gate.open();
}

#[test]
fn a_key_that_is_too_large_fails_them_all() {
    let node = node();
    let group = node.new_group("g").build().unwrap();
    let results = group.get_many([vec![1], vec![1; 65_537]]).wait();
    assert!(results.iter().all(|result| matches!(result, Err(Error::TooLarge(_)))), "{results:?}");
}
