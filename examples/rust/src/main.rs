//! Two members of one cluster in one process, in Rust: each key is loaded once, by its owner, whoever asks.
//!
//! usage: cargo run

use cohort::{Error, Group, Instance};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

static LOADS: AtomicU32 = AtomicU32::new(0);

/// Starts one member with its getter: here would be a database.
fn join(name: &'static str) -> Result<(Instance, Group), Error> {
    let node = Instance::builder().name(name).listen("127.0.0.1:0").build()?;
    let group = node
        .new_group("greetings")
        .cache_bytes(64 << 20)
        .getter(move |key| async move {
            LOADS.fetch_add(1, Ordering::Relaxed);
            Ok(format!("hello {key}, loaded by {name}"))
        })
        .build()?;
    Ok((node, group))
}

async fn show(name: &str, group: &Group, key: &str) -> Result<(), Error> {
    let value = group.get(key).timeout(Duration::from_secs(1)).await?;
    println!("{name} gets: {}", value.as_str()?);
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let (one, from_one) = join("one")?;
    let (two, from_two) = join("two")?;
    let peers = [&one, &two].map(|node| node.address().expect("it listens"));
    one.set_peers(&peers, &peers[0])?;
    two.set_peers(&peers, &peers[1])?;

    for key in ["ada", "grace", "barbara"] {
        show("one", &from_one, key).await?;
        show("two", &from_two, key).await?;
    }
    from_one.set("ada", "hello Countess").expires(Duration::from_secs(300)).await?;
    show("two", &from_two, "ada").await?;
    from_two.remove("ada").await?;
    show("one", &from_one, "ada").await?;
    println!("{} loads", LOADS.load(Ordering::Relaxed));
    Ok(())
}
