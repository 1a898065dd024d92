//! The machines behind partitions as everybody with an account may see them: nodes, and how much of
//! each is taken. Whose jobs take it stands elsewhere.

use std::collections::BTreeMap;

use ::jobs::readiness::Obstacle;
use site::protocol::{Share, Snapshot};
use units::PartitionKey;

use super::AgentState;
use crate::{Action, Actor, App, Error};

/// A partition with its nodes, as its site last showed them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// The partition.
    pub partition: PartitionKey,
    /// Whether its site's agent calls, so that jobs could be ordered now.
    pub answers: bool,
    /// Whether jobs start there, in Slurm's word: `up`, `drain`, `inact` or `down`.
    pub availability: &'static str,
    /// The longest time limit of a job.
    pub time_limit_max_seconds: u32,
    /// The nodes, by name; none where the site does not show any.
    pub nodes: Vec<Node>,
}

/// A node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Whether new jobs may start on it.
    pub up: bool,
    /// Its cores, and how many of them jobs have.
    pub cores: (u32, u32),
    /// Its GPUs, and how many of them jobs have.
    pub gpus: (u32, u32),
    /// Its memory for jobs.
    pub memory_mb: u64,
    /// What jobs may ask for by name.
    pub features: Vec<String>,
}

impl App {
    /// Every partition that a site serves, with its nodes.
    ///
    /// # Errors
    /// When nobody is signed in.
    pub async fn clusters(&self, actor: &Actor) -> Result<Vec<Cluster>, Error> {
        actor.may(Action::ViewSelf, &[])?;
        let tx = self.store().read().await?;
        let mut clusters = Vec::new();
        for settings in &self.work().sites {
            let agent = self.site_detail(&tx, settings).await?.agent;
            let readiness = self.readiness(&tx, settings).await?;
            let shown = store::sites::snapshot(&tx, &settings.name).await?;
            // One in the words of another version is shown again soon.
            let shown = shown.and_then(|(_, text)| serde_json::from_str::<Snapshot>(&text).ok());
            clusters.push(Cluster {
                partition: settings.partition.clone(),
                answers: agent == AgentState::Present,
                availability: readiness.blocked().map_or("up", Obstacle::availability),
                time_limit_max_seconds: settings.time_limit_max_seconds.get(),
                nodes: shown.as_ref().map(nodes).unwrap_or_default(),
            });
        }
        clusters.sort_by(|a, b| a.partition.cmp(&b.partition));
        Ok(clusters)
    }
}

/// The nodes of a snapshot, with what runs on each.
fn nodes(snapshot: &Snapshot) -> Vec<Node> {
    let mut taken = BTreeMap::<&str, (u32, u32)>::new();
    for Share { node, cpus, gpus, .. } in snapshot.running.iter().flat_map(|job| &job.shares) {
        let (cores, cards) = taken.entry(node).or_default();
        *cores = cores.saturating_add(*cpus);
        *cards = cards.saturating_add(*gpus);
    }
    let node = |node: &site::protocol::SnapshotNode| {
        let (cores, gpus) = taken.get(node.name.as_str()).copied().unwrap_or_default();
        Node {
            name: node.name.clone(),
            up: node.up,
            cores: (node.cpus, cores),
            gpus: (node.gpus, gpus),
            memory_mb: node.memory_mb,
            features: node.features.clone(),
        }
    };
    let mut nodes: Vec<Node> = snapshot.nodes.iter().map(node).collect();
    nodes.sort_by(|a, b| a.name.cmp(&b.name));
    nodes
}
