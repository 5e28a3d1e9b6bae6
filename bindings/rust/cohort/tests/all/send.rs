//! Transports of the program's own: calls, and whole HTTP requests.

use crate::help::{Count, Dropped, LONG};
use cohort::{
    BoxError, CallError, CallTransport, Error, Instance, NotFound, Op, PeerCall, PeerRequest, RawRequest, RawResponse,
    RawTransport, Reply, Transport,
};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// A network that is a table: each peer is an instance of this process.
#[derive(Clone, Default)]
struct Table(Arc<Mutex<HashMap<String, Instance>>>, Count);

impl Table {
    fn peer(&self, name: &str) -> Option<Instance> {
        self.1.add();
        self.0.lock().unwrap().get(name).cloned()
    }
}

impl CallTransport for Table {
    async fn call(&self, call: PeerCall) -> Result<Reply, CallError> {
        let unreachable = || CallError::Unreachable(format!("nobody is {}", call.peer));
        let peer = self.peer(&call.peer).ok_or_else(unreachable)?;
        let group = peer.group(&call.group).ok_or_else(unreachable)?;
        match call.op {
            Op::Get { key } => Ok(Reply::Value(group.get(key).local().await?)),
            Op::Set { key, value, expiry } => {
                group.local_set(key, value, expiry)?;
                Ok(Reply::Done)
            }
            Op::Remove { key } => {
                group.local_remove(key)?;
                Ok(Reply::Done)
            }
            Op::RemoveKeys { keys } => {
                for key in keys {
                    group.local_remove(key)?;
                }
                Ok(Reply::Done)
            }
            _ => Err(CallError::Failed("unknown".into())),
        }
    }
}

impl RawTransport for Table {
    async fn send(&self, request: RawRequest) -> Result<RawResponse, BoxError> {
        let peer = self.peer(&request.peer).ok_or_else(|| format!("nobody is {}", request.peer))?;
        let headers: Vec<_> = request.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        let response = peer
            .handle(&PeerRequest {
                method: &request.method,
                target: &request.target,
                headers: &headers,
                body: &request.body,
                timeout: Some(LONG),
            })
            .await?;
        Ok(RawResponse { status: response.status(), headers: response.headers(), body: response.body().to_vec() })
    }
}

fn cluster(transport: &Transport, table: &Table) -> Vec<cohort::Group> {
    let names = ["one", "two"];
    let mut groups = Vec::new();
    for name in names {
        let node = Instance::builder().name(name).transport(transport.clone()).build().unwrap();
        node.set_peers(names, name).unwrap();
        let getter = move |key: &cohort::Key| match &key[..4] {
            b"miss" => Err(NotFound::new("not here").into()),
            b"fail" => Err("it failed".into()),
            _ => Ok(format!("{key} by {name}")),
        };
        groups.push(node.new_group("g").blocking_getter(getter).build().unwrap());
        table.0.lock().unwrap().insert(name.to_string(), node);
    }
    groups
}

fn owned_by(table: &Table, owner: &str, prefix: &str) -> String {
    let node = table.0.lock().unwrap()["one"].clone();
    (0..).map(|n| format!("{prefix}{n}")).find(|key| node.owner(key).unwrap().unwrap() == owner).unwrap()
}

fn whole_life(transport: &Transport, table: &Table) {
    let groups = cluster(transport, table);
    let key = owned_by(table, "two", "key-");
    assert_eq!(groups[0].get_blocking(&key).unwrap(), format!("{key} by two"));
    groups[0].set(&key, "new").wait().unwrap();
    assert_eq!(groups[1].get_blocking(&key).unwrap(), "new");
    groups[1].remove(&key).wait().unwrap();
    assert!(groups[0].peek(&key).is_none());
    let keys: Vec<String> = (0..50).map(|n| format!("keys{n}")).collect();
    assert!(groups[0].get_many(&keys).wait().iter().all(Result::is_ok));
    groups[0].remove_keys(&keys).wait().unwrap();
    assert!(keys.iter().all(|key| groups[1].peek(key).is_none()));
    assert!(groups[0].get_blocking(owned_by(table, "two", "miss")).unwrap_err().is_not_found());
    let error = groups[0].get_blocking(owned_by(table, "two", "fail")).unwrap_err();
    assert!(matches!(&error, Error::Remote(line) if line.contains("it failed")), "{error:?}");
    // A peer that has gone costs a load.
    let gone = table.0.lock().unwrap().remove("two");
    let key = {
        let node = table.0.lock().unwrap()["one"].clone();
        (0..).map(|n| format!("gone{n}")).find(|key| node.owner(key).unwrap().unwrap() == "two").unwrap()
    };
    assert_eq!(groups[0].get_blocking(&key).unwrap(), format!("{key} by one"));
    assert!(groups[0].stats().peer_errors > 0);
    assert!(table.1.get() > 3, "the program's transport carried it all");
    drop(gone);
    table.0.lock().unwrap().clear();
}

#[test]
fn calls_carry_everything() {
    let table = Table::default();
    whole_life(&Transport::calls(table.clone()), &table);
}

#[test]
fn whole_requests_carry_everything() {
    let table = Table::default();
    whole_life(&Transport::raw(table.clone()), &table);
}

struct Broken(Count, Dropped);

impl CallTransport for Broken {
    async fn call(&self, call: PeerCall) -> Result<Reply, CallError> {
        self.0.add();
        let _guard = self.1.guard();
        match call.op {
            Op::Get { key } if key.starts_with(b"hang") => std::future::pending().await,
            _ => panic!("broken, on purpose"),
        }
    }
}

#[test]
fn a_broken_transport_costs_a_load_and_a_hanging_one_is_given_up() {
    let (calls, dropped) = (Count::default(), Dropped::default());
    let transport = Transport::calls(Broken(calls.clone(), dropped.clone()));
    let node = Instance::builder().transport(transport).build().unwrap();
    node.set_peers(["me", "other"], "me").unwrap();
    let group = node.new_group("g").blocking_getter(|_| Ok("here")).build().unwrap();
    let of_other = |prefix: &str| {
        (0..).map(|n| format!("{prefix}{n}")).find(|key| node.owner(key).unwrap().unwrap() == "other").unwrap()
    };
    assert_eq!(group.get_blocking(of_other("panic")).unwrap(), "here");
    assert!(dropped.is());
    assert_eq!(calls.get(), 1);
}
