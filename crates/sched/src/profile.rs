//! The plan of counted processors: how many are free from each instant on.
#![expect(
    clippy::indexing_slicing,
    reason = "positions come from the structure itself, in the innermost loop of every replay"
)]

use crate::plan::Plan;
use crate::{Processors, Second};

/// Steps that are kept together; more are split.
const STEPS_MAX: usize = 32;

/// A step function in blocks, so that a change over a long time touches whole blocks at once.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Never empty, and none of them empty.
    blocks: Vec<Block>,
    /// The first instant of each block.
    begins: Vec<Second>,
    /// What is to be added to every step of a block.
    added: Vec<i64>,
    /// The least and the most of each block, after adding.
    least: Vec<i64>,
    most: Vec<i64>,
}

#[derive(Clone, Debug)]
struct Block {
    times: Vec<Second>,
    free: Vec<i64>,
}

impl Block {
    fn new() -> Self {
        Self { times: Vec::with_capacity(STEPS_MAX), free: Vec::with_capacity(STEPS_MAX) }
    }
}

impl Profile {
    /// Brings what is known of a block up to date.
    fn refresh(&mut self, block: usize) {
        self.begins[block] = self.blocks[block].times.first().copied().unwrap_or(Second::MIN);
        self.add(block, 0, 0, 0);
    }

    /// Adds to the steps of a block from `low` up to `high`.
    fn add(&mut self, block: usize, low: usize, high: usize, by: i64) {
        let steps = &mut self.blocks[block].free;
        for free in &mut steps[low..high] {
            *free += by;
        }
        let (mut least, mut most) = (i64::MAX, i64::MIN);
        for free in steps {
            least = least.min(*free);
            most = most.max(*free);
        }
        self.least[block] = least + self.added[block];
        self.most[block] = most + self.added[block];
    }

    /// The block and the index of the last step that begins at or before `at`, or the first step.
    fn locate(&self, at: Second) -> (usize, usize) {
        let block = self.begins.partition_point(|begin| *begin <= at).saturating_sub(1);
        let index = self.blocks[block].times.partition_point(|time| *time <= at);
        (block, index.saturating_sub(1))
    }

    /// Where a step begins at `at`, made if need be; instants before all steps count as the first.
    fn split(&mut self, at: Second) -> (usize, usize) {
        let (mut block, mut index) = self.locate(at);
        if self.blocks[block].times[index] >= at {
            return (block, index);
        }
        if self.blocks[block].times.len() == STEPS_MAX {
            self.halve(block);
            (block, index) = self.locate(at);
        }
        let Block { times, free } = &mut self.blocks[block];
        times.insert(index + 1, at);
        free.insert(index + 1, free[index]);
        (block, index + 1)
    }

    fn halve(&mut self, block: usize) {
        let lower = &mut self.blocks[block];
        let mut upper = Block::new();
        upper.times.extend(lower.times.drain(STEPS_MAX / 2..));
        upper.free.extend(lower.free.drain(STEPS_MAX / 2..));
        self.blocks.insert(block + 1, upper);
        self.begins.insert(block + 1, 0);
        self.added.insert(block + 1, self.added[block]);
        self.least.insert(block + 1, 0);
        self.most.insert(block + 1, 0);
        self.refresh(block);
        self.refresh(block + 1);
    }

    /// Forgets a step if nothing changes there.
    fn merge(&mut self, (block, index): (usize, usize)) {
        if (block, index) == (0, 0) {
            return;
        }
        let value = |block: usize, index: usize| self.blocks[block].free[index] + self.added[block];
        let before = match index.checked_sub(1) {
            Some(before) => value(block, before),
            None => value(block - 1, self.blocks[block - 1].free.len() - 1),
        };
        if before != value(block, index) {
            return;
        }
        self.blocks[block].times.remove(index);
        self.blocks[block].free.remove(index);
        if self.blocks[block].times.is_empty() {
            self.drop_blocks(block, block + 1);
        } else if index == 0 {
            self.refresh(block);
        }
    }

    fn drop_blocks(&mut self, from: usize, to: usize) {
        self.blocks.drain(from..to);
        self.begins.drain(from..to);
        self.added.drain(from..to);
        self.least.drain(from..to);
        self.most.drain(from..to);
    }

    fn change(&mut self, start: Second, end: Second, by: i64) {
        if end <= start {
            return;
        }
        let mut first = self.split(start);
        let blocks = self.blocks.len();
        let last = self.split(end);
        if self.blocks.len() > blocks {
            first = self.locate(start);
        }
        if first.0 == last.0 {
            self.add(first.0, first.1, last.1, by);
        } else {
            self.add(first.0, first.1, self.blocks[first.0].free.len(), by);
            for of_blocks in [&mut self.added, &mut self.least, &mut self.most] {
                of_blocks[first.0 + 1..last.0].iter_mut().for_each(|value| *value += by);
            }
            if last.1 > 0 {
                self.add(last.0, 0, last.1, by);
            }
        }
        self.merge(last);
        self.merge(first);
    }

    /// The first instant at or after `from` at which fewer than `size` are free.
    fn first_below(&self, from: Second, size: i64) -> Second {
        let mut at = self.locate(from);
        self.walk_below(&mut at, size).map_or(Second::MAX, |below| below.max(from))
    }

    /// Goes on from the step at `at` to the first with fewer than `size` free.
    fn walk_below(&self, at: &mut (usize, usize), size: i64) -> Option<Second> {
        while let Some(ahead) = self.least.get(at.0..)?.iter().position(|least| *least < size) {
            if ahead > 0 {
                *at = (at.0 + ahead, 0);
            }
            let Block { times, free } = &self.blocks[at.0];
            let wanted = size - self.added[at.0];
            if let Some(ahead) = free[at.1..].iter().position(|free| *free < wanted) {
                at.1 += ahead;
                return Some(times[at.1]);
            }
            *at = (at.0 + 1, 0);
        }
        None
    }

    /// The last step with fewer than `size` free that begins after the one at `at` and before
    /// `until`.
    fn last_below(&self, at: (usize, usize), until: Second, size: i64) -> Option<(usize, usize)> {
        let later = &self.begins[at.0 + 1..];
        let covered = later.iter().position(|begin| *begin >= until).unwrap_or(later.len());
        (at.0..=at.0 + covered).rev().filter(|block| self.least[*block] < size).find_map(|block| {
            let Block { times, free } = &self.blocks[block];
            let from = if block == at.0 { at.1 + 1 } else { 0 };
            let to = match block == at.0 + covered {
                true => times.partition_point(|time| *time < until),
                false => times.len(),
            };
            let wanted = size - self.added[block];
            let short = free.get(from..to)?.iter().rposition(|free| *free < wanted)?;
            Some((block, from + short))
        })
    }

    /// Goes on from the step at `at` to the first with at least `size` free.
    fn walk_reaching(&self, at: &mut (usize, usize), size: i64) -> Option<Second> {
        while let Some(ahead) = self.most.get(at.0..)?.iter().position(|most| *most >= size) {
            if ahead > 0 {
                *at = (at.0 + ahead, 0);
            }
            let Block { times, free } = &self.blocks[at.0];
            let wanted = size - self.added[at.0];
            if let Some(ahead) = free[at.1..].iter().position(|free| *free >= wanted) {
                at.1 += ahead;
                return Some(times[at.1]);
            }
            *at = (at.0 + 1, 0);
        }
        None
    }
}

impl Plan<Processors> for Profile {
    fn new(now: Second, pool: Processors) -> Self {
        let free = i64::from(pool.free());
        let mut block = Block::new();
        block.times.push(now);
        block.free.push(free);
        Self {
            blocks: vec![block],
            begins: vec![now],
            added: vec![0],
            least: vec![free],
            most: vec![free],
        }
    }

    fn advance(&mut self, now: Second) -> bool {
        let past = self.begins.partition_point(|begin| *begin <= now).saturating_sub(1);
        let gone = self.least[..past].iter().copied().min();
        self.drop_blocks(0, past);
        let Block { times, free } = &mut self.blocks[0];
        let past = times.partition_point(|time| *time <= now).saturating_sub(1);
        let gone_here = free[..past].iter().map(|free| free + self.added[0]).min();
        if past > 0 {
            times.drain(..past);
            free.drain(..past);
            self.refresh(0);
        }
        let least = gone.into_iter().chain(gone_here).min();
        least.is_some_and(|least| least < self.blocks[0].free[0] + self.added[0])
    }

    fn earliest(&self, from: Second, seconds: Second, demand: &u32) -> Option<(Second, u32)> {
        let size = i64::from(*demand);
        let mut at = self.locate(from);
        loop {
            let start = self.walk_reaching(&mut at, size)?.max(from);
            // No start up to the last instant that is short would do.
            match self.last_below(at, start.saturating_add(seconds), size) {
                Some(below) => at = below,
                None => return Some((start, *demand)),
            }
        }
    }

    fn fits(&self, start: Second, seconds: Second, demand: &u32) -> Option<u32> {
        let below = self.first_below(start, i64::from(*demand));
        (below.saturating_sub(start) >= seconds).then_some(*demand)
    }

    fn reserve(&mut self, start: Second, end: Second, grant: &u32) {
        self.change(start, end, -i64::from(*grant));
    }

    fn release(&mut self, start: Second, end: Second, grant: &u32) {
        self.change(start, end, i64::from(*grant));
    }

    fn close(&mut self, start: Second, end: Second, grant: &u32) {
        self.reserve(start, end, grant);
    }

    fn reopen(&mut self, start: Second, grant: &u32) {
        self.release(start, Second::MAX, grant);
    }

    fn room_until(&self, from: Second, size: u32) -> Second {
        self.first_below(from, i64::from(size))
    }

    fn rooms_until<const N: usize>(&self, from: Second, sizes: [u32; N]) -> [Second; N] {
        let mut until = [Second::MAX; N];
        let mut at = self.locate(from);
        for (size, until) in sizes.iter().zip(&mut until).rev().filter(|(size, _)| **size > 0) {
            let Some(below) = self.walk_below(&mut at, i64::from(*size)) else { break };
            *until = below.max(from);
        }
        until
    }
}

#[cfg(test)]
mod tests;
