//! Several members: one load for all, changes that reach everyone, members that fail.

use crate::help::{eventually, Count, LONG};
use cohort::testing::Cluster;
use cohort::{Error, NotFound, Source, Tier, Tls, Transport};
use std::process::Command;
use std::time::Duration;

/// Gives each member a group "g" whose values name their loader; counts all loads.
fn fill(cluster: &Cluster) -> Count {
    let loads = Count::default();
    for node in cluster.nodes() {
        let (name, loads) = (node.name().to_string(), loads.clone());
        node.new_group("g")
            .getter(move |key| {
                let (name, loads) = (name.clone(), loads.clone());
                async move {
                    loads.add();
                    match key.as_str()?.split('-').next() {
                        Some("missing") => Err(NotFound::new(format!("no {key}")).into()),
                        Some("fails") => Err(format!("{name} failed").into()),
                        Some("panics") => panic!("{name} panicked"),
                        _ => Ok(format!("{key} by {name}")),
                    }
                }
            })
            .build()
            .unwrap();
    }
    loads
}

fn whole_life(cluster: &Cluster) {
    let loads = fill(cluster);
    for owner in 0..3 {
        let key = cluster.key_of(owner, "key-");
        let expected = format!("{key} by node{owner}");
        for member in 0..3 {
            let (value, source) = cluster.group(member, "g").get(&key).with_source().wait().unwrap();
            assert_eq!(value, expected);
            assert_eq!(source == Source::Peer, member != owner, "{source}");
        }
        let other = (owner + 1) % 3;
        assert_eq!(cluster.group(other, "g").get(&key).with_source().wait().unwrap().1, Source::Hot);

        cluster.group(other, "g").set(&key, "new").wait().unwrap();
        for member in 0..3 {
            assert_eq!(cluster.group(member, "g").get_blocking(&key).unwrap(), "new");
        }
        cluster.group(other, "g").remove(&key).wait().unwrap();
        for member in 0..3 {
            assert!(cluster.group(member, "g").peek(&key).is_none());
        }
    }
    assert_eq!(loads.get(), 3);
    let keys: Vec<String> = (0..300).map(|n| format!("many-{n}")).collect();
    for member in 0..3 {
        for (value, key) in cluster.group(member, "g").get_many(&keys).wait().into_iter().zip(&keys) {
            assert_eq!(value.unwrap(), format!("{key} by node{}", cluster.owner(key)));
        }
    }
    assert_eq!(loads.get(), 303, "each key once in the whole cluster");
    cluster.group(1, "g").remove_keys(&keys).wait().unwrap();
    for member in 0..3 {
        assert!(keys.iter().all(|key| cluster.group(member, "g").peek(key).is_none()));
    }
    assert!(cluster.group(0, "g").stats().peer_loads > 0);
    assert!(cluster.group(0, "g").stats().served_to_peers > 0);
    assert_eq!(cluster.group(0, "g").cache_stats(Tier::Hot).items, 0);
}

#[test]
fn a_cluster_inside_the_process() {
    whole_life(&Cluster::start(3).unwrap());
}

#[test]
fn a_cluster_over_http() {
    let http = Transport::http().connect_timeout(Duration::from_secs(10)).build().unwrap();
    whole_life(&Cluster::start_with(3, |_, builder| builder.transport(http.clone())).unwrap());
}

#[test]
fn a_cluster_over_mutual_tls() {
    let folder = std::env::temp_dir().join(format!("cohort-rust-tls-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let openssl = |arguments: &str| {
        let run = Command::new("openssl").args(arguments.split_whitespace()).current_dir(&folder).output().unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    };
    let name = "-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1,DNS:localhost";
    let new_key = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
    openssl(&format!("{new_key} -keyout key.pem -out cert.pem {name}"));
    let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    let tls = Tls::new().ca(&cert).certificate(&cert, &key).require_client_certificate();
    let secure = Transport::http().tls(tls).build().unwrap();
    let cluster = Cluster::start_with(3, |_, builder| builder.transport(secure.clone())).unwrap();
    whole_life(&cluster);
    // A member without a certificate is not let in: it loads for itself.
    let stranger = cohort::Instance::builder().transport(Transport::http().tls(Tls::new().ca(&cert)).build().unwrap());
    let stranger = stranger.build().unwrap();
    let own = "127.0.0.1:1";
    stranger.set_peers((0..3).map(|n| cluster.address(n)).chain([own]), own).unwrap();
    let group = stranger.new_group("g").blocking_getter(|_| Ok("by the stranger")).build().unwrap();
    let key = (0..).map(|n| format!("s-{n}")).find(|key| stranger.owner(key).unwrap().unwrap() != own).unwrap();
    assert_eq!(group.get_blocking(&key).unwrap(), "by the stranger");
    assert!(group.stats().peer_errors > 0);
    let missing = Tls::new().ca(folder.join("gone.pem"));
    let error =
        cohort::Instance::builder().transport(Transport::http().tls(missing).build().unwrap()).build().unwrap_err();
    assert!(matches!(error, Error::Io(_)), "{error:?}");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn what_goes_wrong_at_the_owner_is_told() {
    let cluster = Cluster::start(2).unwrap();
    fill(&cluster);
    let asker = cluster.group(0, "g");
    let key = cluster.key_of(1, "missing-");
    let error = asker.get_blocking(&key).unwrap_err();
    assert!(error.is_not_found() && error.to_string() == format!("no {key}"), "{error:?}");
    let error = asker.get_blocking(cluster.key_of(1, "fails-")).unwrap_err();
    assert!(matches!(error, Error::Remote(_)) && error.to_string().contains("node1 failed"), "{error:?}");
    let error = asker.get_blocking(cluster.key_of(1, "panics-")).unwrap_err();
    assert!(matches!(error, Error::Remote(_)) && error.to_string().contains("node1 panicked"), "{error:?}");
}

#[test]
fn a_member_that_is_cut_off_costs_a_load_and_returns() {
    let cluster = Cluster::start(3).unwrap();
    fill(&cluster);
    let key = cluster.key_of(2, "key-");
    cluster.cut(2).unwrap();
    let asker = cluster.group(0, "g");
    assert_eq!(asker.get(&key).timeout(LONG).wait().unwrap(), format!("{key} by node0"));
    assert!(asker.stats().peer_errors > 0);
    let error = asker.remove(&key).wait().unwrap_err();
    assert!(matches!(&error, Error::Unreachable(line) if line.contains(cluster.address(2))), "{error:?}");
    cluster.mend(2).unwrap();
    eventually("the owner answers again", || {
        asker.remove(&key).wait().is_ok() && asker.get_blocking(&key).unwrap() == format!("{key} by node2")
    });
}

#[test]
fn peers_may_change_while_gets_run() {
    let cluster = Cluster::start(3).unwrap();
    fill(&cluster);
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for member in 0..3 {
            let (group, done) = (cluster.group(member, "g"), &done);
            scope.spawn(move || {
                for n in 0.. {
                    let key = format!("key-{}", n % 500);
                    assert!(group.get_blocking(&key).unwrap().starts_with(key.as_bytes()));
                    if done.load(std::sync::atomic::Ordering::Relaxed) {
                        return;
                    }
                }
            });
        }
        for _ in 0..20 {
            for node in cluster.nodes().iter().take(2) {
                let own = node.address().unwrap();
                node.set_peers([cluster.address(0), cluster.address(1)], &own).unwrap();
            }
            cluster.node(2).set_peers([] as [&str; 0], "").unwrap();
            cluster.connect().unwrap();
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}
