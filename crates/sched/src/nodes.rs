//! A pool of nodes with cores, memory and GPUs, shared between jobs or given whole.

use std::sync::Arc;

use crate::Pool;
use crate::plan::Timeline;

/// Cores, memory and GPUs of one node, or a part of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// Processor cores.
    pub cores: u32,
    /// Main memory in mebibytes.
    pub memory_mb: u64,
    /// GPUs.
    pub gpus: u32,
}

impl Amount {
    /// Whether `other` fits in this in every respect.
    pub const fn covers(&self, other: &Self) -> bool {
        other.cores <= self.cores && other.memory_mb <= self.memory_mb && other.gpus <= self.gpus
    }

    const fn plus(self, other: Self) -> Self {
        Self {
            cores: self.cores + other.cores,
            memory_mb: self.memory_mb + other.memory_mb,
            gpus: self.gpus + other.gpus,
        }
    }

    const fn minus(self, other: Self) -> Self {
        Self {
            cores: self.cores.saturating_sub(other.cores),
            memory_mb: self.memory_mb.saturating_sub(other.memory_mb),
            gpus: self.gpus.saturating_sub(other.gpus),
        }
    }

    fn least(self, other: Self) -> Self {
        Self {
            cores: self.cores.min(other.cores),
            memory_mb: self.memory_mb.min(other.memory_mb),
            gpus: self.gpus.min(other.gpus),
        }
    }
}

/// Whether jobs share the nodes of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// A job gets every node it runs on for itself.
    Whole,
    /// Jobs run side by side on a node as far as cores, memory and GPUs go.
    Shared,
}

/// Nodes with the same [`Sharing`], and what of them is free.
#[derive(Clone, Debug)]
pub struct Nodes {
    fixed: Arc<[Fixed]>,
    sharing: Sharing,
    /// What is free, and whether the node may be used, in the order of `fixed`.
    state: Vec<State>,
}

#[derive(Debug)]
struct Fixed {
    whole: Amount,
    features: u64,
}

#[derive(Clone, Copy, Debug)]
struct State {
    free: Amount,
    up: bool,
}

/// A number of nodes with at least `each` on every one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodesDemand {
    /// How many nodes.
    pub nodes: u32,
    /// What is needed on each.
    pub each: Amount,
    /// Features (one bit each) that every node must have.
    pub features: u64,
}

/// The nodes, by number, and what is given on each of them.
pub type NodesGrant = Vec<(usize, Amount)>;

impl Nodes {
    /// Free nodes that are up, each with its amounts and its features as bits.
    pub fn new(sharing: Sharing, nodes: impl IntoIterator<Item = (Amount, u64)>) -> Self {
        let fixed: Arc<[Fixed]> =
            nodes.into_iter().map(|(whole, features)| Fixed { whole, features }).collect();
        let state = fixed.iter().map(|node| State { free: node.whole, up: true }).collect();
        Self { fixed, sharing, state }
    }

    /// The same nodes with nothing taken; those that are down stay down.
    pub fn emptied(&self) -> Self {
        let mut empty = self.clone();
        for (state, fixed) in empty.state.iter_mut().zip(self.fixed.iter()) {
            state.free = fixed.whole;
        }
        empty
    }

    /// The same nodes, all of them up, with nothing taken.
    pub fn repaired(&self) -> Self {
        let mut all = self.emptied();
        for state in &mut all.state {
            state.up = true;
        }
        all
    }

    /// Lets node number `node` be used, or not; what runs there stays.
    pub fn set_up(&mut self, node: usize, up: bool) {
        if let Some(state) = self.state.get_mut(node) {
            state.up = up;
        }
    }

    /// What is free on node number `node`; nothing while it is down.
    pub fn free(&self, node: usize) -> Amount {
        self.state.get(node).filter(|state| state.up).map(|state| state.free).unwrap_or_default()
    }

    /// What is free on node number `node`, whether or not it is up.
    pub fn free_even_if_down(&self, node: usize) -> Amount {
        self.state.get(node).map(|state| state.free).unwrap_or_default()
    }

    /// What a job that asks `each` is given of `whole` when `free` of it is left.
    fn given(&self, whole: Amount, free: Amount, each: Amount) -> Option<Amount> {
        match self.sharing {
            Sharing::Shared => free.covers(&each).then_some(each),
            Sharing::Whole => (free == whole && whole.covers(&each)).then_some(whole),
        }
    }

    /// The best fit for `demand` when node `i` has `free(i)`: nodes with the fewest GPUs beyond
    /// what is asked, so that what is scarce stays together, then those with the least that
    /// `spared(i)` says, then with the fewest cores beyond.
    fn fit(
        &self,
        demand: &NodesDemand,
        free: impl Fn(usize) -> Amount,
        spared: impl Fn(usize) -> u32,
    ) -> Option<NodesGrant> {
        let wanted = usize::try_from(demand.nodes).ok()?;
        let mut fits: Vec<([u32; 3], usize, Amount)> = self
            .fixed
            .iter()
            .enumerate()
            .filter(|(_, node)| demand.features & !node.features == 0)
            .filter_map(|(index, node)| {
                let free = free(index);
                let given = self.given(node.whole, free, demand.each)?;
                let beyond = free.minus(demand.each);
                Some(([beyond.gpus, spared(index), beyond.cores], index, given))
            })
            .collect();
        if fits.len() < wanted {
            return None;
        }
        fits.sort_unstable_by_key(|&(cost, index, _)| (cost, index));
        fits.truncate(wanted);
        let mut grant: NodesGrant =
            fits.into_iter().map(|(_, index, given)| (index, given)).collect();
        grant.sort_unstable_by_key(|(index, _)| *index);
        Some(grant)
    }
}

impl Pool for Nodes {
    type Demand = NodesDemand;
    type Grant = NodesGrant;
    type Plan = Timeline<Self>;

    fn size(&self, demand: &NodesDemand) -> u32 {
        match self.sharing {
            Sharing::Whole => demand.nodes,
            Sharing::Shared => demand.nodes.saturating_mul(demand.each.cores),
        }
    }

    fn held(&self, grant: &NodesGrant) -> u32 {
        match self.sharing {
            Sharing::Whole => u32::try_from(grant.len()).unwrap_or(u32::MAX),
            Sharing::Shared => grant.iter().map(|(_, given)| given.cores).sum(),
        }
    }

    fn room(&self) -> u32 {
        let nodes = self.state.iter().zip(self.fixed.iter()).filter(|(state, _)| state.up);
        match self.sharing {
            Sharing::Whole => {
                let free = nodes.filter(|(state, fixed)| state.free == fixed.whole).count();
                u32::try_from(free).unwrap_or(u32::MAX)
            }
            Sharing::Shared => nodes.map(|(state, _)| state.free.cores).sum(),
        }
    }

    fn place(&self, demand: &NodesDemand) -> Option<NodesGrant> {
        self.fit(demand, |node| self.free(node), |_| 0)
    }

    fn place_apart(&self, other: &Self, demand: &NodesDemand) -> Option<NodesGrant> {
        self.fit(demand, |node| self.free(node), |node| other.free(node).cores)
    }

    fn place_within(&self, other: &Self, demand: &NodesDemand) -> Option<NodesGrant> {
        self.fit(demand, |node| self.free(node).least(other.free(node)), |_| 0)
    }

    fn meet(&self, other: &Self) -> Self {
        let mut both = self.clone();
        for (mine, theirs) in both.state.iter_mut().zip(&other.state) {
            mine.free = mine.free.least(theirs.free);
            mine.up &= theirs.up;
        }
        both
    }

    fn take(&mut self, grant: &NodesGrant) {
        for (node, given) in grant {
            if let Some(state) = self.state.get_mut(*node) {
                state.free = state.free.minus(*given);
            }
        }
    }

    fn give(&mut self, grant: &NodesGrant) {
        for (node, given) in grant {
            if let Some(state) = self.state.get_mut(*node) {
                state.free = state.free.plus(*given);
            }
        }
    }
}
