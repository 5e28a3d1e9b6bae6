//! One case on its way: its members, its steps, its end.

use crate::expectation::{bytes, mismatch, Answer, Names};
use crate::getter::{expiry, World};
use cohort::{Error, Expiry, Group, Instance, Tier, Transport};
use serde_json::{json, Value as Json};
use std::collections::{HashMap, HashSet};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle as Task;

/// How a case meets the binding.
pub struct Face {
    pub name: &'static str,
    /// Blocking getters, and callers that block.
    pub blocking: bool,
    pub http: bool,
}

pub struct Failure {
    pub step: usize,
    pub text: String,
}

type Checked = Result<(), String>;
type Started = Task<Result<(cohort::Value, cohort::Source), Error>>;

pub fn run_case(face: &Face, case: &Json, patience: Duration) -> Result<(), Failure> {
    let name = case["name"].as_str().unwrap_or_default();
    let failure = |step: usize, said: &Json, what: String| {
        let said: String = said.to_string().chars().take(300).collect();
        Failure { step, text: format!("{name}, step {step} {said}: {what}") }
    };
    let mut run = Run::new(face, case, patience).map_err(|what| failure(0, &Json::Null, what))?;
    for (number, step) in case["steps"].as_array().expect("steps").iter().enumerate() {
        // A wrong list, or a defect, is a failure of its case and of no other.
        let done = catch_unwind(AssertUnwindSafe(|| run.step(step))).unwrap_or_else(|panic| {
            let said = panic.downcast_ref::<String>().cloned();
            Err(said
                .or_else(|| panic.downcast_ref::<&str>().map(|s| s.to_string()))
                .unwrap_or_else(|| "it panicked".into()))
        });
        done.map_err(|what| failure(number + 1, step, what))?;
    }
    Ok(())
}

struct Run<'a> {
    face: &'a Face,
    case: &'a Json,
    patience: Duration,
    world: Arc<World>,
    runtime: Option<Runtime>,
    members: Vec<Instance>,
    groups: HashMap<(usize, String), Group>,
    addresses: Vec<String>,
    started: HashMap<String, Vec<Started>>,
    closing: HashMap<usize, JoinHandle<Result<(), Error>>>,
    vars: HashMap<String, String>,
    picked: HashSet<String>,
}

impl Names for Run<'_> {
    fn var(&self, name: &str) -> Vec<u8> {
        self.vars[name].clone().into_bytes()
    }

    fn address(&self, node: usize) -> String {
        self.addresses[node].clone()
    }
}

fn number(step: &Json, field: &str) -> Option<usize> {
    step[field].as_u64().map(|n| n as usize)
}

fn node(step: &Json) -> usize {
    number(step, "node").unwrap_or(0)
}

fn group_name(step: &Json) -> String {
    step["group"].as_str().unwrap_or("g").to_string()
}

impl<'a> Run<'a> {
    fn new(face: &'a Face, case: &'a Json, patience: Duration) -> Result<Self, String> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        let nodes = number(case, "nodes").unwrap_or(1);
        let network = if face.http { Transport::http().build() } else { Transport::in_process() };
        let network = network.map_err(|error| error.to_string())?;
        let mut run = Run {
            face,
            case,
            patience,
            world: Arc::default(),
            runtime: Some(runtime),
            members: Vec::new(),
            groups: HashMap::new(),
            addresses: Vec::new(),
            started: HashMap::new(),
            closing: HashMap::new(),
            vars: HashMap::new(),
            picked: HashSet::new(),
        };
        for index in 0..nodes {
            let mut builder = Instance::builder().name(format!("node{index}")).transport(network.clone());
            if nodes > 1 {
                builder = builder.listen("127.0.0.1:0");
            }
            let entered = (!face.blocking).then(|| run.runtime.as_ref().map(Runtime::enter));
            let member = builder.build().map_err(|error| error.to_string())?;
            drop(entered);
            run.addresses.extend(member.address());
            run.members.push(member);
            for name in ["g", "h"] {
                run.new_group(index, name).map_err(|error| error.to_string())?;
            }
        }
        if nodes > 1 {
            for (member, own) in run.members.iter().zip(&run.addresses) {
                member.set_peers(&run.addresses, own).map_err(|error| error.to_string())?;
            }
        }
        Ok(run)
    }

    fn new_group(&mut self, index: usize, name: &str) -> Result<(), Error> {
        let mut builder =
            self.members[index].new_group(name).cache_bytes(self.case["cache_bytes"].as_u64().unwrap_or(64 << 20));
        if let Some(ms) = self.case["load_timeout_ms"].as_u64() {
            builder = builder.load_timeout(Duration::from_millis(ms));
        }
        let without = self.case["no_getter_on"].as_array().is_some_and(|all| all.iter().any(|each| *each == index));
        let (world, group) = (Arc::clone(&self.world), name.to_string());
        builder = match (without, self.face.blocking) {
            (true, _) => builder,
            (false, true) => builder.blocking_getter(move |key| world.get_blocking(index, &group, key)),
            (false, false) => builder.getter(move |key| Arc::clone(&world).get(index, group.clone(), key)),
        };
        let group = builder.build()?;
        self.world.add(index, group.clone());
        self.groups.insert((index, name.to_string()), group);
        Ok(())
    }

    fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().expect("it lives as long as the case")
    }

    fn group(&self, step: &Json) -> Group {
        self.groups[&(node(step), group_name(step))].clone()
    }

    fn key(&self, step: &Json) -> Vec<u8> {
        bytes(&step["key"], self)
    }

    fn keys(&self, step: &Json) -> Vec<Vec<u8>> {
        step["keys"].as_array().expect("keys").iter().map(|key| bytes(key, self)).collect()
    }

    fn check(&self, step: &Json, answer: impl Into<Answer>) -> Checked {
        let ok = json!({"ok": true});
        mismatch(if step["expect"].is_null() { &ok } else { &step["expect"] }, &answer.into(), self)
    }

    fn until(&self, mut is_so: impl FnMut() -> Result<(), String>) -> Checked {
        let end = Instant::now() + self.patience;
        loop {
            match is_so() {
                Err(what) if Instant::now() > end => return Err(what),
                Err(_) => std::thread::sleep(Duration::from_millis(1)),
                Ok(()) => return Ok(()),
            }
        }
    }

    fn get_of(&self, step: &Json) -> cohort::Get<Vec<u8>> {
        let get = self.group(step).get(self.key(step));
        match step["timeout_ms"].as_u64() {
            Some(ms) if ms > 0 => get.timeout(Duration::from_millis(ms)),
            _ => get,
        }
    }

    fn change<K: AsRef<[u8]>>(&self, step: &Json, change: cohort::Change<K>) -> Checked {
        let change = match step["timeout_ms"].as_u64() {
            Some(ms) if ms > 0 => change.timeout(Duration::from_millis(ms)),
            _ => change,
        };
        self.check(step, if self.face.blocking { change.wait() } else { self.runtime().block_on(change) })
    }

    fn step(&mut self, step: &Json) -> Checked {
        let index = node(step);
        match step["do"].as_str().unwrap_or_default() {
            "get" => {
                let get = self.get_of(step).with_source();
                let found = if self.face.blocking { get.wait() } else { self.runtime().block_on(get) };
                self.check(
                    step,
                    found.map_or_else(Answer::Failed, |(value, source)| Answer::Value(value, Some(source))),
                )
            }
            "get_many" => self.get_many(step),
            "peek" => {
                let found = self.group(step).peek(self.key(step));
                self.check(step, found.map_or(Answer::Miss, |value| Answer::Value(value, None)))
            }
            "set" => {
                let at = step["expire_ms"].as_i64().map_or(Expiry::NEVER, expiry);
                let mut value = bytes(&step["value"], self);
                let set = self.group(step).set(self.key(step), &value[..]).expires(at);
                let done = self.change(step, set);
                if step["scribble"] == true {
                    value.fill(b'!');
                }
                done
            }
            "remove" => self.change(step, self.group(step).remove(self.key(step))),
            "remove_keys" => self.change(step, self.group(step).remove_keys(self.keys(step))),
            "start" => {
                let count = number(step, "count").unwrap_or(1);
                let gets = (0..count).map(|_| self.runtime().spawn(self.get_of(step).with_source())).collect();
                self.started.insert(step["as"].as_str().expect("as").to_string(), gets);
                Ok(())
            }
            "await" => self.await_started(step),
            "cancel" => {
                self.started[step["as"].as_str().expect("as")].iter().for_each(Task::abort);
                Ok(())
            }
            "release" => {
                self.world.release(&self.key(step));
                Ok(())
            }
            "wait_loading" => {
                let (node, group, key) = (number(step, "node"), group_name(step), self.key(step));
                let count = step["count"].as_i64().expect("count");
                if self.world.wait_for(node, &group, &key, count, self.patience) {
                    return Ok(());
                }
                Err(format!("the getter was entered {} times", self.world.count(node, &group, &key)))
            }
            "wait_gone" => {
                let (group, key) = (self.group(step), self.key(step));
                self.until(|| group.peek(&key).map_or(Ok(()), |_| Err("it is still there".into())))
            }
            "loads" => {
                let count = self.world.count(number(step, "node"), &group_name(step), &self.key(step));
                if step["count"] == count {
                    Ok(())
                } else {
                    Err(format!("{count} loads"))
                }
            }
            "stats" => self.stats(step),
            "reset_cache" => self.check(step, self.group(step).reset_cache(step["cache_bytes"].as_u64().unwrap_or(0))),
            "new_group" => {
                let name = String::from_utf8_lossy(&bytes(&step["name"], self)).into_owned();
                let made = self.new_group(index, &name);
                self.check(step, made)
            }
            "close_group" => self.check(step, self.members[index].remove_group(&group_name(step))),
            "close" => {
                let member = self.members[index].clone();
                self.closing.insert(index, std::thread::spawn(move || member.shutdown_blocking(Duration::ZERO)));
                Ok(())
            }
            "closed" => {
                let closing = self.closing.remove(&index).expect("it closes");
                self.until(|| if closing.is_finished() { Ok(()) } else { Err("closing does not end".into()) })?;
                closing.join().map_err(|_| "closing panicked")?.map_err(|error| error.to_string())
            }
            "stop_listening" => self.check(step, self.members[index].stop_listening(Duration::from_secs(1))),
            "listen" => self.check(step, self.members[index].listen(&self.addresses[index])),
            "set_peers" => {
                let peers = step["peers"].as_array().expect("peers").iter();
                let peers = peers.map(|peer| &self.addresses[peer.as_u64().expect("a number") as usize]);
                self.check(step, self.members[index].set_peers(peers, &self.addresses[index]))
            }
            "owned_key" => self.owned_key(step),
            other => Err(format!("no step is called {other:?}")),
        }
    }

    fn get_many(&self, step: &Json) -> Checked {
        let keys = self.keys(step);
        let mut many = self.group(step).get_many(&keys);
        if let Some(ms) = step["timeout_ms"].as_u64().filter(|ms| *ms > 0) {
            many = many.timeout(Duration::from_millis(ms));
        }
        let results = if self.face.blocking { many.wait() } else { self.runtime().block_on(many) };
        let expected = step["expect"].as_array();
        if results.len() != keys.len() || expected.is_some_and(|expected| expected.len() != keys.len()) {
            return Err(format!("{} results for {} keys", results.len(), keys.len()));
        }
        for (at, result) in results.into_iter().enumerate() {
            let answer = result.map_or_else(Answer::Failed, |value| Answer::Value(value, None));
            mismatch(expected.map_or(&step["expect_all"], |each| &each[at]), &answer, self)?;
        }
        Ok(())
    }

    fn await_started(&mut self, step: &Json) -> Checked {
        let gets = self.started.remove(step["as"].as_str().expect("as")).expect("it was started");
        for get in gets {
            let ended = self.runtime().block_on(async { tokio::time::timeout(self.patience, get).await });
            let answer = match ended.map_err(|_| "it does not end")? {
                Ok(Ok((value, source))) => Answer::Value(value, Some(source)),
                Ok(Err(error)) => Answer::Failed(error),
                Err(_) => Answer::GivenUp,
            };
            mismatch(&step["expect"], &answer, self)?;
        }
        Ok(())
    }

    fn stats(&self, step: &Json) -> Checked {
        let (group, field) = (self.group(step), step["field"].as_str().expect("field"));
        self.until(|| {
            let of = |tier, name: &str| group.cache_stats(tier).all().find(|(known, _)| *known == name);
            let found = match field.split_once('_') {
                Some(("main", name)) => of(Tier::Main, name),
                Some(("hot", name)) => of(Tier::Hot, name),
                _ => group.stats().all().find(|(known, _)| *known == field),
            };
            let (_, is) = found.ok_or_else(|| format!("no counter is called {field}"))?;
            let met =
                step["value"].as_i64().map_or_else(|| step["at_least"].as_i64().is_some_and(|n| is >= n), |n| is == n);
            if met {
                Ok(())
            } else {
                Err(format!("{field} is {is}"))
            }
        })
    }

    fn owned_key(&mut self, step: &Json) -> Checked {
        let owner = &self.addresses[number(step, "owner").expect("owner")];
        let prefix = step["prefix"].as_str().expect("prefix");
        for n in 0..1_000_000_u64 {
            // What differs only at its end lies close together on the ring.
            let key = format!("{prefix}{}-key", n * 7919);
            let owned = self.members[node(step)].owner(&key).map_err(|error| error.to_string())?;
            if owned.as_ref() == Some(owner) && self.picked.insert(key.clone()) {
                self.vars.insert(step["as"].as_str().expect("as").to_string(), key);
                return Ok(());
            }
        }
        Err(format!("no key is owned by {owner}"))
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        self.world.end();
        for get in self.started.values().flatten() {
            get.abort();
        }
        for (_, closing) in self.closing.drain() {
            let _ = closing.join();
        }
        for member in &self.members {
            let _ = member.shutdown_blocking(Duration::ZERO);
        }
        self.groups.clear();
        self.members.clear();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_secs(10));
        }
    }
}
