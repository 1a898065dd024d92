//! A pool of nodes with cores, memory and GPUs, shared between jobs or given whole.

mod index;

use std::sync::Arc;

use crate::plan::Timeline;
use crate::{Pool, Resource, Tres};
use index::Index;

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

    /// The sum; as much as can be counted where that is less.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            cores: self.cores.saturating_add(other.cores),
            memory_mb: self.memory_mb.saturating_add(other.memory_mb),
            gpus: self.gpus.saturating_add(other.gpus),
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
    /// The nodes that [`State::offers`] something.
    index: Index,
    /// The sum of what they offer.
    room: u32,
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
    /// How many times it was closed and not yet opened again.
    closed: u32,
}

impl State {
    const fn is_usable(&self) -> bool {
        self.up && self.closed == 0
    }

    /// How much room a node has for new jobs: cores where they are shared, or itself.
    fn offers(&self, sharing: Sharing, whole: &Amount) -> u32 {
        match sharing {
            _ if !self.is_usable() => 0,
            Sharing::Shared => self.free.cores,
            Sharing::Whole => u32::from(self.free == *whole),
        }
    }
}

/// A number of nodes with at least `each` on every one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodesDemand {
    /// How many nodes.
    pub nodes: u32,
    /// What is needed on each, at least one core.
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
        let state = fixed.iter().map(|node| State { free: node.whole, up: true, closed: 0 });
        Self::with_state(&fixed, sharing, state.collect())
    }

    fn with_state(fixed: &Arc<[Fixed]>, sharing: Sharing, state: Vec<State>) -> Self {
        let gpus_max = fixed.iter().map(|node| node.whole.gpus).max().unwrap_or_default();
        let mut index = Index::new(fixed.len(), gpus_max);
        let mut room = 0;
        for (node, (state, fixed)) in state.iter().zip(fixed.iter()).enumerate() {
            let offered = state.offers(sharing, &fixed.whole);
            if offered > 0 {
                index.insert(node, state.free.gpus);
                room += offered;
            }
        }
        Self { fixed: Arc::clone(fixed), sharing, state, index, room }
    }

    /// The same nodes in another state each.
    fn map(&self, change: impl Fn(usize, &State) -> (Amount, bool, u32)) -> Self {
        let state = self.state.iter().enumerate().map(|(node, state)| {
            let (free, up, closed) = change(node, state);
            State { free, up, closed }
        });
        Self::with_state(&self.fixed, self.sharing, state.collect())
    }

    /// The same nodes with nothing taken and nothing closed; those that are down stay down.
    pub fn emptied(&self) -> Self {
        self.map(|node, state| (self.whole_of(node), state.up, 0))
    }

    /// The same nodes, all of them up, with nothing taken.
    pub fn repaired(&self) -> Self {
        self.map(|node, _| (self.whole_of(node), true, 0))
    }

    /// The number of nodes.
    pub fn len(&self) -> usize {
        self.fixed.len()
    }

    /// Whether there is no node at all.
    pub fn is_empty(&self) -> bool {
        self.fixed.is_empty()
    }

    /// A grant of whole nodes, by number, for them to be closed.
    pub fn named(&self, nodes: impl IntoIterator<Item = usize>) -> NodesGrant {
        nodes.into_iter().map(|node| (node, self.whole_of(node))).collect()
    }

    /// All that node number `node` has.
    pub fn whole_of(&self, node: usize) -> Amount {
        self.fixed.get(node).map(|fixed| fixed.whole).unwrap_or_default()
    }

    /// Lets node number `node` be used, or not; what runs there stays.
    pub fn set_up(&mut self, node: usize, up: bool) {
        self.change(node, |state| state.up = up);
    }

    /// Whether node number `node` is up.
    pub fn is_up(&self, node: usize) -> bool {
        self.state.get(node).is_some_and(|state| state.up)
    }

    fn change(&mut self, node: usize, change: impl FnOnce(&mut State)) {
        let (Some(state), Some(fixed)) = (self.state.get_mut(node), self.fixed.get(node)) else {
            return;
        };
        let (before, gpus) = (state.offers(self.sharing, &fixed.whole), state.free.gpus);
        change(state);
        let after = state.offers(self.sharing, &fixed.whole);
        self.room = self.room - before + after;
        if before > 0 {
            self.index.remove(node, gpus);
        }
        if after > 0 {
            self.index.insert(node, state.free.gpus);
        }
    }

    /// What is free on node number `node`; nothing while it may not be used.
    pub fn free(&self, node: usize) -> Amount {
        let usable = self.state.get(node).filter(|state| state.is_usable());
        usable.map(|state| state.free).unwrap_or_default()
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

    /// The best fit for `demand` among `sets` of nodes, when node `i` has `free(i)`: nodes with the
    /// fewest GPUs beyond what is asked, so that what is scarce stays together, then those with the
    /// least that `spared(i)` says, then with the fewest cores beyond. All nodes of one set are
    /// better than those of later sets.
    fn fit<I: Iterator<Item = usize>>(
        &self,
        demand: &NodesDemand,
        sets: impl Iterator<Item = I>,
        free: impl Fn(usize) -> Amount,
        spared: impl Fn(usize) -> u32,
    ) -> Option<NodesGrant> {
        let wanted = usize::try_from(demand.nodes).ok()?;
        let fitting = |index: usize| {
            let node = self.fixed.get(index)?;
            if demand.features & !node.features != 0 {
                return None;
            }
            let free = free(index);
            let given = self.given(node.whole, free, demand.each)?;
            let beyond = free.minus(demand.each);
            Some(([beyond.gpus, spared(index), beyond.cores], index, given))
        };
        let mut fits: Vec<([u32; 3], usize, Amount)> = Vec::new();
        for nodes in sets {
            match wanted {
                1 => fits.extend(
                    nodes.filter_map(fitting).min_by_key(|&(cost, index, _)| (cost, index)),
                ),
                _ => fits.extend(nodes.filter_map(fitting)),
            }
            if fits.len() >= wanted {
                break;
            }
        }
        if fits.len() < wanted {
            return None;
        }
        if fits.len() > wanted {
            fits.sort_unstable_by_key(|&(cost, index, _)| (cost, index));
            fits.truncate(wanted);
        }
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
        self.room
    }

    fn room_within(&self, other: &Self) -> u32 {
        match self.sharing {
            Sharing::Whole => self.index.count_both(&other.index),
            Sharing::Shared => self.room.min(other.room),
        }
    }

    fn place(&self, demand: &NodesDemand) -> Option<NodesGrant> {
        let sets = self.index.from(demand.each.gpus);
        self.fit(demand, sets, |node| self.free(node), |_| 0)
    }

    fn place_apart(&self, other: &Self, demand: &NodesDemand) -> Option<NodesGrant> {
        let sets = self.index.from(demand.each.gpus);
        self.fit(demand, sets, |node| self.free(node), |node| other.free(node).cores)
    }

    fn place_within(&self, other: &Self, demand: &NodesDemand) -> Option<NodesGrant> {
        let both = self.index.both_from(&other.index, demand.each.gpus);
        let free = |node| self.free(node).least(other.free(node));
        self.fit(demand, std::iter::once(both), free, |_| 0)
    }

    fn meet(&self, other: &Self) -> Self {
        self.map(|node, state| match other.state.get(node) {
            Some(theirs) => (
                state.free.least(theirs.free),
                state.up && theirs.up,
                state.closed.max(theirs.closed),
            ),
            None => (state.free, state.up, state.closed),
        })
    }

    fn take(&mut self, grant: &NodesGrant) {
        for (node, given) in grant {
            self.change(*node, |state| state.free = state.free.minus(*given));
        }
    }

    fn give(&mut self, grant: &NodesGrant) {
        for (node, given) in grant {
            self.change(*node, |state| state.free = state.free.plus(*given));
        }
    }

    fn close(&mut self, grant: &NodesGrant) {
        for (node, _) in grant {
            self.change(*node, |state| state.closed += 1);
        }
    }

    fn open(&mut self, grant: &NodesGrant) {
        for (node, _) in grant {
            self.change(*node, |state| state.closed = state.closed.saturating_sub(1));
        }
    }

    /// Where nodes are given whole, as many as the first node that would do.
    fn tres(&self, demand: &NodesDemand) -> Tres {
        let fits = |node: &&Fixed| node.whole.covers(&demand.each);
        let each = match self.sharing {
            Sharing::Shared => demand.each,
            Sharing::Whole => self.fixed.iter().find(fits).map_or(demand.each, |fixed| fixed.whole),
        };
        tres_of(u64::from(demand.nodes), &each)
    }

    fn could_place(&self, demand: &NodesDemand) -> bool {
        let fits = |node: &&Fixed| {
            demand.features & !node.features == 0 && node.whole.covers(&demand.each)
        };
        let wanted = usize::try_from(demand.nodes).unwrap_or(usize::MAX);
        self.fixed.iter().filter(fits).take(wanted).count() == wanted
    }

    /// The same nodes by number, with all others closed.
    fn only(&self, grant: &NodesGrant) -> Self {
        self.map(|node, state| {
            let named = grant.iter().any(|(named, _)| *named == node);
            (self.whole_of(node), state.up, u32::from(!named))
        })
    }

    fn whole(&self) -> Tres {
        let nodes = self.fixed.iter().map(|node| tres_of(1, &node.whole));
        nodes.fold(Tres::all(0), |sum, node| sum.zip(node, |a, b| a + b))
    }
}

/// What so many nodes with `each` come to.
fn tres_of(nodes: u64, each: &Amount) -> Tres {
    Tres::all(0)
        .with(Resource::Node, nodes)
        .with(Resource::Cpu, nodes * u64::from(each.cores))
        .with(Resource::Memory, nodes * each.memory_mb)
        .with(Resource::Gpu, nodes * u64::from(each.gpus))
}
