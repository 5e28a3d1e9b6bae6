//! A cluster inside one process, for a program's own tests.

use crate::{Error, Instance, InstanceBuilder, Transport};
use std::time::Duration;

/// Some instances that know each other, on a network inside the process: no ports, and any member can be cut off.
///
/// ```
/// use cohort::testing::Cluster;
///
/// # fn main() -> Result<(), cohort::Error> {
/// let cluster = Cluster::start(3)?;
/// for node in cluster.nodes() {
///     let name = node.name().to_string();
///     node.new_group("g").blocking_getter(move |key| Ok(format!("{key} by {name}"))).build()?;
/// }
/// let value = cluster.group(0, "g").get_blocking("key")?;
/// assert_eq!(cluster.group(2, "g").get_blocking("key")?, value);
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Cluster {
    nodes: Vec<Instance>,
    addresses: Vec<String>,
}

impl Cluster {
    /// Starts so many members, named "node0" and on.
    ///
    /// # Errors
    /// What the members cannot be made for.
    pub fn start(nodes: usize) -> Result<Self, Error> {
        let network = Transport::in_process()?;
        Self::start_with(nodes, |_, builder| builder.transport(network.clone()))
    }

    /// As [`start`](Self::start), each member made as `configure` says. With another transport than the one in the process, such as
    /// [`Transport::http`], members listen on loopback ports.
    ///
    /// # Errors
    /// What the members cannot be made for.
    pub fn start_with(
        nodes: usize,
        configure: impl Fn(usize, InstanceBuilder) -> InstanceBuilder,
    ) -> Result<Self, Error> {
        let mut cluster = Self { nodes: Vec::new(), addresses: Vec::new() };
        for index in 0..nodes {
            let builder = Instance::builder().name(format!("node{index}")).listen("127.0.0.1:0");
            let node = configure(index, builder).build()?;
            cluster.addresses.push(node.address().ok_or_else(|| Error::Io("a member does not listen".into()))?);
            cluster.nodes.push(node);
        }
        cluster.connect()?;
        Ok(cluster)
    }

    /// Makes every member know every other, as at the start.
    ///
    /// # Errors
    /// A member that is closed.
    pub fn connect(&self) -> Result<(), Error> {
        for (node, own) in self.nodes.iter().zip(&self.addresses) {
            node.set_peers(&self.addresses, own)?;
        }
        Ok(())
    }

    /// The members.
    pub fn nodes(&self) -> &[Instance] {
        &self.nodes
    }

    /// One member.
    ///
    /// # Panics
    /// When there is none of that number.
    pub fn node(&self, index: usize) -> &Instance {
        &self.nodes[index]
    }

    /// A member's group.
    ///
    /// # Panics
    /// When there is no such member or group: this is for tests.
    pub fn group(&self, index: usize, name: &str) -> crate::Group {
        self.nodes[index].group(name).unwrap_or_else(|| panic!("node {index} has no group {name}"))
    }

    /// A member's address.
    ///
    /// # Panics
    /// When there is none of that number.
    pub fn address(&self, index: usize) -> &str {
        &self.addresses[index]
    }

    /// The member that owns the key.
    ///
    /// # Panics
    /// When the members are closed.
    pub fn owner(&self, key: impl AsRef<[u8]>) -> usize {
        let owner = self.nodes[0].owner(key).ok().flatten().unwrap_or_else(|| self.addresses[0].clone());
        self.addresses.iter().position(|address| *address == owner).expect("an owner is a member")
    }

    /// A key that begins with `prefix` and that the member owns.
    pub fn key_of(&self, index: usize, prefix: &str) -> String {
        (0..).map(|n| format!("{prefix}{n}")).find(|key| self.owner(key) == index).expect("every member owns some key")
    }

    /// Cuts a member off: nobody reaches it. It can still ask others.
    ///
    /// # Errors
    /// In one of the member's own callbacks.
    pub fn cut(&self, index: usize) -> Result<(), Error> {
        self.nodes[index].stop_listening(Duration::ZERO)
    }

    /// Undoes [`cut`](Self::cut).
    ///
    /// # Errors
    /// The address was taken meanwhile.
    pub fn mend(&self, index: usize) -> Result<(), Error> {
        self.nodes[index].listen(&self.addresses[index])
    }
}
