//! The getter: makes the value of a key from the key alone, as every conformance node does, and counts each of its runs.

use cohort::{BoxError, Expiry, Key, NotFound};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub struct Loader {
    name: String,
    expire: Duration,
    loads: Mutex<HashMap<Vec<u8>, i64>>,
}

impl Loader {
    pub fn new(name: &str, expire: Duration) -> Self {
        Self { name: name.to_string(), expire, loads: Mutex::default() }
    }

    /// Runs one load: the prefix of the key says what becomes of it.
    pub async fn load(self: Arc<Self>, key: Key) -> Result<(Vec<u8>, Expiry), BoxError> {
        *self.loads.lock().unwrap().entry(key.to_vec()).or_default() += 1;
        let mut value = [self.name.as_bytes(), b":", &key[..]].concat();
        let mut expiry = if self.expire.is_zero() { Expiry::NEVER } else { Expiry::after(self.expire) };
        if key.starts_with(b"missing-") {
            return Err(NotFound::new(format!("not found: {key}")).into());
        }
        if key.starts_with(b"fail-") {
            return Err(format!("load failed: {key}").into());
        }
        if key.starts_with(b"empty-") {
            value.clear();
        }
        if key.starts_with(b"bin-") {
            value.extend(0..=255);
        }
        if let Some(size) = number(&key, b"size-") {
            value.resize(usize::try_from(size)?, b'.');
        }
        if let Some(ms) = number(&key, b"slow-") {
            tokio::time::sleep(Duration::from_millis(ms)).await;
        }
        if let Some(ms) = number(&key, b"exp-") {
            expiry = Expiry::after(Duration::from_millis(ms));
        }
        Ok((value, expiry))
    }

    /// How often each key was loaded; starts anew if asked to.
    pub fn counts(&self, reset: bool) -> HashMap<Vec<u8>, i64> {
        let mut loads = self.loads.lock().unwrap();
        if reset {
            std::mem::take(&mut loads)
        } else {
            loads.clone()
        }
    }
}

/// N of `<prefix>N-...`
fn number(key: &[u8], prefix: &[u8]) -> Option<u64> {
    let rest = key.strip_prefix(prefix)?;
    let end = rest.iter().position(|byte| *byte == b'-')?;
    std::str::from_utf8(&rest[..end]).ok()?.parse().ok()
}
