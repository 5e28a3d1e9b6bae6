//! The standard getter of the list: the key says what becomes of a load. It counts its runs, and can be held.

use cohort::{BoxError, Error, Expiry, Group, Key, NotFound};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant, SystemTime};

/// What all getters of a case share.
#[derive(Default)]
pub struct World {
    state: Mutex<State>,
    changed: Condvar,
    /// Wakes async getters that hang.
    released: tokio::sync::Notify,
}

#[derive(Default)]
struct State {
    runs: HashMap<(usize, String, Vec<u8>), i64>,
    released: HashSet<Vec<u8>>,
    all_released: bool,
    groups: HashMap<(usize, String), Group>,
}

type Made = Result<(Vec<u8>, Expiry), BoxError>;

impl World {
    pub fn add(&self, node: usize, group: Group) {
        self.state.lock().unwrap().groups.insert((node, group.name().to_string()), group);
    }

    fn group(&self, node: usize, name: &str) -> Result<Group, BoxError> {
        let state = self.state.lock().unwrap();
        state.groups.get(&(node, name.to_string())).cloned().ok_or_else(|| format!("no group {name}").into())
    }

    pub fn release(&self, key: &[u8]) {
        self.state.lock().unwrap().released.insert(key.to_vec());
        self.changed.notify_all();
        self.released.notify_waiters();
    }

    /// The case has ended: nothing hangs any more, and groups are let go.
    pub fn end(&self) {
        let groups = {
            let mut state = self.state.lock().unwrap();
            state.all_released = true;
            std::mem::take(&mut state.groups)
        };
        self.changed.notify_all();
        self.released.notify_waiters();
        drop(groups);
    }

    pub fn count(&self, node: Option<usize>, group: &str, key: &[u8]) -> i64 {
        let state = self.state.lock().unwrap();
        let counted =
            state.runs.iter().filter(|((n, g, k), _)| node.is_none_or(|node| node == *n) && g == group && k == key);
        counted.map(|(_, count)| count).sum()
    }

    /// Waits until the getter was entered that often.
    pub fn wait_for(&self, node: Option<usize>, group: &str, key: &[u8], count: i64, patience: Duration) -> bool {
        let end = Instant::now() + patience;
        while self.count(node, group, key) < count {
            let state = self.state.lock().unwrap();
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            drop(self.changed.wait_timeout(state, left.min(Duration::from_millis(50))).unwrap());
        }
        true
    }

    fn enter(&self, node: usize, group: &str, key: &[u8]) -> i64 {
        let mut state = self.state.lock().unwrap();
        *state.runs.entry((node, group.to_string(), key.to_vec())).or_default() += 1;
        let all = state.runs.iter().filter(|((_, g, k), _)| g == group && k == key).map(|(_, count)| count).sum();
        drop(state);
        self.changed.notify_all();
        all
    }

    fn may_go(state: &State, key: &[u8]) -> bool {
        state.all_released || state.released.contains(key)
    }

    pub async fn get(self: Arc<Self>, node: usize, group: String, key: Key) -> Made {
        let run = self.enter(node, &group, &key);
        let mut rest = &key[..];
        while let Some(after) = rest.strip_prefix(b"hang-") {
            loop {
                let released = self.released.notified();
                tokio::pin!(released);
                released.as_mut().enable();
                if Self::may_go(&self.state.lock().unwrap(), &key) {
                    break;
                }
                released.await; // Dropped here when nobody waits any more.
            }
            rest = after;
        }
        if let Some(other) = rest.strip_prefix(b"other-") {
            let value = self.group(node, "h")?.get(other).await.map_err(passed_on)?;
            return Ok((value.to_vec(), value.expiry()));
        }
        if rest.starts_with(b"self-") {
            let own =
                self.group(node, &group)?.get(&key).timeout(Duration::from_millis(500)).await.map_err(passed_on)?;
            return Ok((own.to_vec(), own.expiry()));
        }
        answer(&group, &key, rest, run)
    }

    pub fn get_blocking(&self, node: usize, group: &str, key: &Key) -> Made {
        let run = self.enter(node, group, key);
        let mut rest = &key[..];
        while let Some(after) = rest.strip_prefix(b"hang-") {
            let mut state = self.state.lock().unwrap();
            while !Self::may_go(&state, key) {
                state = self.changed.wait_timeout(state, Duration::from_millis(5)).unwrap().0;
                if key.is_cancelled() {
                    return Err("nobody waits any more".into());
                }
            }
            rest = after;
        }
        if let Some(other) = rest.strip_prefix(b"other-") {
            let value = self.group(node, "h")?.get_blocking(other).map_err(passed_on)?;
            return Ok((value.to_vec(), value.expiry()));
        }
        if rest.starts_with(b"self-") {
            let own =
                self.group(node, group)?.get(key).timeout(Duration::from_millis(500)).wait().map_err(passed_on)?;
            return Ok((own.to_vec(), own.expiry()));
        }
        answer(group, key, rest, run)
    }
}

/// The failure of another group as the getter's own.
fn passed_on(error: Error) -> BoxError {
    error.into()
}

/// `<prefix>N-...`
fn number<'a>(rest: &'a str, prefix: &str) -> Option<(i64, &'a str)> {
    let (digits, after) =
        rest.strip_prefix(prefix)?.rsplit_once('-').filter(|(digits, _)| digits.parse::<i64>().is_ok()).or_else(
            || {
                let rest = rest.strip_prefix(prefix)?;
                let at = rest.char_indices().skip(1).find(|(_, c)| *c == '-')?.0;
                Some((&rest[..at], &rest[at + 1..]))
            },
        )?;
    Some((digits.parse().ok()?, after))
}

fn answer(group: &str, key: &Key, rest: &[u8], run: i64) -> Made {
    let text = String::from_utf8_lossy(rest);
    let plain = || [group.as_bytes(), b":", &key[..]].concat();
    let never = Expiry::NEVER;
    if text.starts_with("missing-") {
        return Err(NotFound::new(format!("not found: {key}")).into());
    }
    if text.starts_with("fail-") {
        return Err(format!("load failed: {key}").into());
    }
    assert!(!text.starts_with("panic-"), "panicked: {key}");
    if text.starts_with("empty-") {
        return Ok((Vec::new(), never));
    }
    if let Some((size, _)) = number(&text, "size-") {
        return Ok((vec![b'.'; usize::try_from(size)?], never));
    }
    if let Some((ms, _)) = number(&text, "exp-") {
        return Ok((plain(), expiry(ms)));
    }
    if text.starts_with("count-") {
        return Ok(([plain(), format!("#{run}").into_bytes()].concat(), never));
    }
    Ok((plain(), never))
}

/// That many milliseconds from now, or before now.
pub fn expiry(ms: i64) -> Expiry {
    let span = Duration::from_millis(ms.unsigned_abs());
    Expiry::at(if ms < 0 { SystemTime::now() - span } else { SystemTime::now() + span })
}
