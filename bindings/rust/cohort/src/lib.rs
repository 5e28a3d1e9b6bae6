//! An in-process, read-through cache whose processes find each other's values.
//!
//! Your program makes an [`Instance`], names a [`Group`], and says how a missing value is loaded. All processes that do so form one
//! cluster: each key has one owner, each value is loaded once for everyone, popular values are kept everywhere. There is no server
//! to run, and programs in C++, C and Go, and unmodified groupcache-go v3 nodes, are members like any other.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), cohort::Error> {
//! let node = cohort::Instance::builder().listen("127.0.0.1:0").build()?;
//! let address = node.address().unwrap();
//! node.set_peers([&address], &address)?; // every member's address, and which of them this one is
//! let pages = node.new_group("pages").getter(|key| async move { Ok(format!("page {key}")) }).build()?;
//! let page = pages.get("index").await?;
//! assert_eq!(page.as_str()?, "page index");
//! # Ok(()) }
//! ```
//!
//! # Waiting
//! A [`Get`] is a future that needs no runtime, or is waited for on the calling thread with [`Get::wait`] and
//! [`Group::get_blocking`]. Dropping it cancels this wait and no other. However many gets wait, an instance has one
//! thread for their ends.
//!
//! # Getters
//! Async getters run as tasks, on the runtime that [`InstanceBuilder::spawn_with`] names: on tokio's with the feature `tokio`, else
//! on a few threads of the instance's own. They are dropped when all who waited have cancelled. Blocking getters run on a caller that
//! blocks, or on a thread for getters. A panic is an error for those who wait.
//!
//! # Values
//! A [`Value`] derefs to the engine's own bytes, and a clone of it is an atomic increment. What getters return and
//! [`Group::set`] takes is anything that is [`IntoValue`].
//!
//! # Features
//! | feature | what it adds |
//! | --- | --- |
//! | `tokio` | getters run on the tokio runtime in which the instance was built |
//! | `bytes` | values from and to `bytes::Bytes`, without a copy |
//! | `serde` | `Json` and `Value::json` |
//! | `prost` | `Proto` and `Value::proto` |
//! | `tower` | `PeerService`: peers are served by the program's own hyper, axum or tonic |
//! | `tracing` | spans for gets and loads; log lines as events |
//! | `metrics` | `Group::record_metrics` |
//! | `testing` | `testing::Cluster`, for a program's own tests |
//! | `full` | all of these |
//! | `vendored` | libcohort is built from source, also where one is installed |
#![deny(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod change;
mod error;
mod ffi;
mod get;
mod getter;
mod group;
mod instance;
mod key;
mod many;
#[cfg(feature = "metrics")]
mod metrics;
mod mount;
mod reader;
mod send;
#[cfg(feature = "tower")]
mod service;
mod shared;
mod spawn;
mod stats;
mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;
mod transport;
mod value;
mod wait;

pub use change::Change;
pub use error::{BoxError, Error, NotFound, Panicked, SharedError};
pub use get::{Get, GetWithSource};
pub use getter::Getter;
pub use group::{Cache, Evicted, Group, GroupBuilder, Policy, Reason, Tier};
pub use instance::{engine_version, Instance, InstanceBuilder, LogLevel, Ring};
pub use key::Key;
pub use many::GetMany;
pub use mount::{Handling, PeerRequest, PeerResponse};
pub use send::{CallError, CallTransport, Op, PeerCall, RawRequest, RawResponse, RawTransport, Reply};
#[cfg(feature = "tower")]
pub use service::PeerService;
pub use spawn::Task;
pub use stats::{CacheStats, GroupStats};
pub use transport::{HttpBuilder, Tls, Transport};
#[cfg(feature = "serde")]
pub use value::Json;
#[cfg(feature = "prost")]
pub use value::Proto;
pub use value::{Expiry, IntoValue, Value};
pub use wait::Source;
