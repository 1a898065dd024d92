//! The cheapest flow through a network: exact, by the primal-dual method.
//!
//! Shortest distances (Dijkstra, with potentials so that no edge is ever cheaper than nothing) say
//! which edges lie on a cheapest way; a blocking flow (Dinic) fills all of those ways at once. The
//! number of rounds is the number of different costs a way can have, not the amount of flow.
//!
//! R. K. Ahuja, T. L. Magnanti, J. B. Orlin: *Network Flows*, 1993, section 9.8.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// A point of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Node(usize);

/// An edge of the network, as it was laid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EdgeId(usize);

#[derive(Clone, Copy)]
struct Edge {
    to: usize,
    room: u32,
    cost: i64,
}

/// A network with room and cost on every edge. Costs are not negative.
#[derive(Default)]
pub(super) struct Network {
    /// Edge `2k` and the way back along it, `2k + 1`.
    edges: Vec<Edge>,
    leaving: Vec<Vec<usize>>,
}

/// How far away a node that cannot be reached lies.
const NOWHERE: i64 = i64::MAX;

impl Network {
    /// Adds a node.
    pub(super) fn node(&mut self) -> Node {
        self.leaving.push(Vec::new());
        Node(self.leaving.len().saturating_sub(1))
    }

    /// Lays an edge; each unit along it costs `cost`, which counts as nothing when it is negative.
    pub(super) fn edge(&mut self, from: Node, to: Node, room: u32, cost: i64) -> EdgeId {
        let cost = cost.max(0);
        let id = self.edges.len();
        self.edges.push(Edge { to: to.0, room, cost });
        self.edges.push(Edge { to: from.0, room: 0, cost: cost.saturating_neg() });
        for (node, edge) in [(from, id), (to, id.saturating_add(1))] {
            if let Some(leaving) = self.leaving.get_mut(node.0) {
                leaving.push(edge);
            }
        }
        EdgeId(id)
    }

    /// How much flows along an edge.
    pub(super) fn flow(&self, edge: EdgeId) -> u32 {
        self.edges.get(back(edge.0)).map_or(0, |back| back.room)
    }

    /// Sends as much as there is room for from `source` to `sink`, as cheaply as that much can be
    /// sent, and says how much that is. `progress` hears how much is sent so far.
    pub(super) fn send(
        &mut self,
        (source, sink): (Node, Node),
        progress: &mut dyn FnMut(u32),
    ) -> u32 {
        let mut potential = vec![0_i64; self.leaving.len()];
        let mut sent = 0_u32;
        while self.shortest(source.0, sink.0, &mut potential) {
            loop {
                let mut level = self.levels(source.0, &potential);
                if level.get(sink.0).is_none_or(|level| *level == usize::MAX) {
                    break;
                }
                sent = sent.saturating_add(self.block((source.0, sink.0), &potential, &mut level));
                progress(sent);
            }
        }
        sent
    }

    /// Adds to every potential the distance from `source`, no more than to `sink`. `false` when
    /// the sink cannot be reached.
    fn shortest(&self, source: usize, sink: usize, potential: &mut [i64]) -> bool {
        let mut distance = vec![NOWHERE; self.leaving.len()];
        let mut queue = BinaryHeap::from([(Reverse(0_i64), source)]);
        put(&mut distance, source, 0);
        while let Some((Reverse(far), node)) = queue.pop() {
            if far > at(&distance, node) {
                continue;
            }
            if node == sink {
                break;
            }
            for (_, edge) in self.out_of(node) {
                let reach = far.saturating_add(reduced(edge, node, potential));
                if reach < at(&distance, edge.to) {
                    put(&mut distance, edge.to, reach);
                    queue.push((Reverse(reach), edge.to));
                }
            }
        }
        let end = at(&distance, sink);
        if end == NOWHERE {
            return false;
        }
        for (potential, distance) in potential.iter_mut().zip(distance) {
            *potential = potential.saturating_add(distance.min(end));
        }
        true
    }

    /// How many edges of a cheapest way lie between `source` and each node.
    fn levels(&self, source: usize, potential: &[i64]) -> Vec<usize> {
        let mut level = vec![usize::MAX; self.leaving.len()];
        let mut queue = VecDeque::from([source]);
        if let Some(first) = level.get_mut(source) {
            *first = 0;
        }
        while let Some(node) = queue.pop_front() {
            let next = level.get(node).map_or(usize::MAX, |level| level.saturating_add(1));
            for (_, edge) in self.out_of(node) {
                if reduced(edge, node, potential) == 0
                    && let Some(unseen) = level.get_mut(edge.to).filter(|it| **it == usize::MAX)
                {
                    *unseen = next;
                    queue.push_back(edge.to);
                }
            }
        }
        level
    }

    /// Fills cheapest ways until each has a full edge, and says how much was sent.
    fn block(
        &mut self,
        (source, sink): (usize, usize),
        potential: &[i64],
        level: &mut [usize],
    ) -> u32 {
        let mut next = vec![0_usize; self.leaving.len()];
        let mut way: Vec<(usize, usize)> = Vec::new();
        let (mut node, mut sent) = (source, 0_u32);
        loop {
            if node == sink {
                sent = sent.saturating_add(self.push(&way));
                way.clear();
                node = source;
            }
            if let Some((edge, to)) = self.onward(node, &mut next, potential, level) {
                way.push((node, edge));
                node = to;
            } else {
                // Nothing leads on from here: nobody comes here again.
                if let Some(dead) = level.get_mut(node) {
                    *dead = usize::MAX;
                }
                match way.pop() {
                    Some((before, _)) => node = before,
                    None => return sent,
                }
            }
        }
    }

    /// The next edge out of `node` that lies on a cheapest way and has room.
    fn onward(
        &self,
        node: usize,
        next: &mut [usize],
        potential: &[i64],
        level: &[usize],
    ) -> Option<(usize, usize)> {
        let here = level.get(node)?.checked_add(1)?;
        let leaving = self.leaving.get(node)?;
        let place = next.get_mut(node)?;
        while let Some(id) = leaving.get(*place) {
            let edge = self.edges.get(*id)?;
            let closer = level.get(edge.to) == Some(&here);
            if edge.room > 0 && closer && reduced(edge, node, potential) == 0 {
                return Some((*id, edge.to));
            }
            *place = place.saturating_add(1);
        }
        None
    }

    /// Sends as much along `way` as its narrowest edge takes.
    fn push(&mut self, way: &[(usize, usize)]) -> u32 {
        let room = |(_, id): &(usize, usize)| self.edges.get(*id).map_or(0, |edge| edge.room);
        let amount = way.iter().map(room).min().unwrap_or(0);
        for (_, id) in way {
            if let Some(edge) = self.edges.get_mut(*id) {
                edge.room = edge.room.saturating_sub(amount);
            }
            if let Some(edge) = self.edges.get_mut(back(*id)) {
                edge.room = edge.room.saturating_add(amount);
            }
        }
        amount
    }

    /// The edges with room that leave `node`.
    fn out_of(&self, node: usize) -> impl Iterator<Item = (usize, &Edge)> {
        let leaving = self.leaving.get(node).map_or(&[][..], Vec::as_slice);
        leaving
            .iter()
            .filter_map(|id| Some((*id, self.edges.get(*id)?)))
            .filter(|(_, edge)| edge.room > 0)
    }
}

/// The edge back along the edge with this place.
const fn back(id: usize) -> usize {
    id ^ 1
}

/// What an edge costs beyond what the potentials of its ends say.
fn reduced(edge: &Edge, from: usize, potential: &[i64]) -> i64 {
    edge.cost.saturating_add(at(potential, from)).saturating_sub(at(potential, edge.to))
}

fn at(values: &[i64], place: usize) -> i64 {
    values.get(place).copied().unwrap_or(NOWHERE)
}

fn put(values: &mut [i64], place: usize, value: i64) {
    if let Some(old) = values.get_mut(place) {
        *old = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cheap_way_is_filled_before_the_dear_one() {
        let mut network = Network::default();
        let [source, cheap, dear, sink] = [(); 4].map(|()| network.node());
        let first = network.edge(source, cheap, 2, 1);
        let second = network.edge(source, dear, 2, 5);
        network.edge(cheap, sink, 1, 0);
        network.edge(dear, sink, 2, 0);
        let sent = network.send((source, sink), &mut |_| {});
        assert_eq!((sent, network.flow(first), network.flow(second)), (3, 1, 2));
    }

    #[test]
    fn an_early_choice_is_taken_back_when_all_together_costs_less() {
        // Ann takes either work, Ben only the first, which is the cheaper one for Ann.
        let mut network = Network::default();
        let [source, ann, ben, first, second, sink] = [(); 6].map(|()| network.node());
        network.edge(source, ann, 1, 0);
        network.edge(source, ben, 1, 0);
        let ann_first = network.edge(ann, first, 1, 1);
        let ann_second = network.edge(ann, second, 1, 4);
        let ben_first = network.edge(ben, first, 1, 2);
        network.edge(first, sink, 1, 0);
        network.edge(second, sink, 1, 0);
        let sent = network.send((source, sink), &mut |_| {});
        let flows = [ann_first, ann_second, ben_first].map(|edge| network.flow(edge));
        assert_eq!((sent, flows), (2, [0, 1, 1]));
    }
}
