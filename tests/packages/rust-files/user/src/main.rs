//! A user's program: two members on loopback ports, one load for both.

use cohort::testing::Cluster;
use cohort::{Error, Json, Transport};

fn main() -> Result<(), Error> {
    let http = Transport::http().build()?;
    let cluster = Cluster::start_with(2, |_, builder| builder.transport(http.clone()))?;
    for node in cluster.nodes() {
        let name = node.name().to_string();
        node.new_group("pages")
            .getter(move |key| {
                let page = (key.to_string(), name.clone());
                async move { Ok(Json(page)) }
            })
            .build()?;
    }
    let key = cluster.key_of(1, "page-");
    let (page, by): (String, String) = cluster.group(0, "pages").get_blocking(&key)?.json()?;
    assert_eq!((page, by.as_str()), (key.clone(), "node1"));
    cluster.group(0, "pages").remove(&key).wait()?;
    assert!(cluster.group(1, "pages").peek(&key).is_none());
    println!("engine {}: one load for two members", cohort::engine_version());
    Ok(())
}
