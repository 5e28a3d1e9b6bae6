//! The Rust side of the benchmarks: hits, memory, changes, an asker and a node of a cluster, of Cohort, quick_cache and moka. The first
//! argument names a subject; the others are flags.

mod caches;
mod cluster;
mod harness;
mod keys;
mod subjects;

use harness::{die, Flags};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let subject = arguments.next().unwrap_or_default();
    let flags = Flags::new(arguments);
    match subject.as_str() {
        "hits" => subjects::hits(&flags),
        "fill" => subjects::fill(&flags),
        "changes" => subjects::changes(&flags),
        "asker" => cluster::asker(&flags),
        "node" => cluster::node(&flags),
        _ => die("usage: cohort-bench hits|fill|changes|asker|node [-flag value]..."),
    }
}
