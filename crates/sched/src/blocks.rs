//! A sorted sequence in blocks, with an aggregate over every stretch of it.
//!
//! Both sides of the algorithm ask one kind of question many times per event: which is the next
//! waiting job that may fit, and by when enough of the running jobs have ended. A tree of
//! aggregates over blocks of neighbours answers either without looking at most of the jobs.
#![expect(
    clippy::indexing_slicing,
    reason = "positions come from the structure itself, in the innermost loop of every replay"
)]

/// What is known about a stretch of values.
pub(crate) trait Summary<V>: Copy + PartialEq {
    /// Of no values.
    const NONE: Self;
    /// Of all of `values`.
    fn of(values: &[V]) -> Self;
    /// Whether it is known to be of no values.
    fn is_none(&self) -> bool;
    /// With one value more.
    fn with(&self, value: &V) -> Self;
    /// With one value less; `None` when only the remaining values can tell.
    fn without(&self, value: &V) -> Option<Self>;
    /// Of two stretches side by side.
    fn join(&self, next: &Self) -> Self;
}

/// The sum of amounts.
impl Summary<u32> for u64 {
    const NONE: Self = 0;

    fn of(values: &[u32]) -> Self {
        values.iter().map(|&value| Self::from(value)).sum()
    }

    fn is_none(&self) -> bool {
        *self == 0
    }

    fn with(&self, value: &u32) -> Self {
        self + Self::from(*value)
    }

    fn without(&self, value: &u32) -> Option<Self> {
        self.checked_sub(Self::from(*value))
    }

    fn join(&self, next: &Self) -> Self {
        self + next
    }
}

/// Neighbours that are kept together; more are split.
const BLOCK_LEN_MAX: usize = 32;

/// Keys in ascending order, each with a value.
#[derive(Clone, Debug)]
pub(crate) struct Blocks<K, V, S> {
    blocks: Vec<Block<K, V>>,
    /// Every key in block `i` is at most `bounds[i]` and above `bounds[i - 1]`.
    bounds: Vec<K>,
    /// A binary tree: node `i` joins `2 i` and `2 i + 1`; block `b` is node `width + b`.
    tree: Vec<S>,
    width: usize,
    empty: usize,
    len: usize,
}

#[derive(Clone, Debug)]
struct Block<K, V> {
    keys: Vec<K>,
    values: Vec<V>,
}

impl<K: Copy + Ord, V: Copy> Block<K, V> {
    fn new() -> Self {
        Self { keys: Vec::with_capacity(BLOCK_LEN_MAX), values: Vec::with_capacity(BLOCK_LEN_MAX) }
    }
}

/// A place in the sequence; removing what stands there makes it the place of the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct At {
    block: usize,
    index: usize,
}

impl At {
    /// The first place of all.
    pub(crate) const START: Self = Self { block: 0, index: 0 };

    /// The place after this one.
    pub(crate) const fn next(self) -> Self {
        Self { block: self.block, index: self.index + 1 }
    }
}

impl<K: Copy + Ord, V: Copy, S: Summary<V>> Blocks<K, V, S> {
    pub(crate) const fn new() -> Self {
        Self {
            blocks: Vec::new(),
            bounds: Vec::new(),
            tree: Vec::new(),
            width: 0,
            empty: 0,
            len: 0,
        }
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// What is known of all values.
    pub(crate) fn summary(&self) -> S {
        self.tree.get(1).copied().unwrap_or(S::NONE)
    }

    /// In order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.blocks.iter().flat_map(|block| block.keys.iter().zip(&block.values))
    }

    /// What stands at the first place at or after `at`, and that place.
    pub(crate) fn get(&self, mut at: At) -> Option<(At, K, V)> {
        loop {
            let block = self.blocks.get(at.block)?;
            if let (Some(key), Some(value)) = (block.keys.get(at.index), block.values.get(at.index))
            {
                return Some((at, *key, *value));
            }
            at = At { block: at.block + 1, index: 0 };
        }
    }

    /// The first, provided that summaries tell whether there is any.
    pub(crate) fn first(&self) -> Option<(At, K, V)> {
        if self.len == 0 {
            return None;
        }
        let start = At::START;
        if let Some(Block { keys, values }) = self.blocks.first()
            && let (Some(key), Some(value)) = (keys.first(), values.first())
        {
            return Some((start, *key, *value));
        }
        self.get(self.search(start, |stretch| !stretch.is_none(), |_| true)?)
    }

    /// The last key.
    pub(crate) fn last(&self) -> Option<K> {
        self.blocks.iter().rev().find_map(|block| block.keys.last().copied())
    }

    /// Gives every value another key; says whether that changed their order.
    pub(crate) fn rekey(&mut self, mut rekey: impl FnMut(K, &V) -> K) -> bool {
        if self.empty > 0 {
            self.drop_empty();
        }
        let mut last: Option<K> = None;
        let mut in_order = true;
        for (Block { keys, values }, bound) in self.blocks.iter_mut().zip(&mut self.bounds) {
            for (key, value) in keys.iter_mut().zip(values) {
                *key = rekey(*key, value);
                in_order &= last.is_none_or(|last| last < *key);
                last = Some(*key);
            }
            *bound = last.unwrap_or(*bound);
        }
        if !in_order {
            self.sort();
        }
        !in_order
    }

    fn sort(&mut self) {
        let mut all: Vec<(K, V)> = self.iter().map(|(key, value)| (*key, *value)).collect();
        all.sort_by_key(|(key, _)| *key);
        self.blocks.clear();
        self.bounds.clear();
        for chunk in all.chunks(BLOCK_LEN_MAX * 3 / 4) {
            let mut block = Block::new();
            block.keys.extend(chunk.iter().map(|(key, _)| *key));
            block.values.extend(chunk.iter().map(|(_, value)| *value));
            self.bounds.extend(chunk.last().map(|(key, _)| *key));
            self.blocks.push(block);
        }
        self.rebuild();
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        self.len += 1;
        let mut block = self.bounds.partition_point(|bound| *bound < key);
        if block == self.blocks.len() {
            if self.blocks.last().is_none_or(|last| last.keys.len() == BLOCK_LEN_MAX) {
                self.append(key);
            }
            block = self.blocks.len() - 1;
            self.bounds[block] = key;
        } else if self.blocks[block].keys.len() == BLOCK_LEN_MAX {
            self.split(block);
            block = self.bounds.partition_point(|bound| *bound < key);
        }
        let Block { keys, values } = &mut self.blocks[block];
        if keys.is_empty() {
            self.empty -= 1;
        }
        let index = keys.partition_point(|other| *other < key);
        keys.insert(index, key);
        values.insert(index, value);
        let summary = self.tree[self.width + block].with(&value);
        self.refresh(block, summary);
    }

    /// Where `key` stands.
    pub(crate) fn find(&self, key: K) -> Option<At> {
        let block = self.bounds.partition_point(|bound| *bound < key);
        let index = self.blocks.get(block)?.keys.binary_search(&key).ok()?;
        Some(At { block, index })
    }

    /// The place of `key`, or where it would stand.
    pub(crate) fn at_or_after(&self, key: K) -> At {
        let block = self.bounds.partition_point(|bound| *bound < key);
        let keys = self.blocks.get(block).map_or(&[][..], |block| &block.keys);
        At { block, index: keys.partition_point(|other| *other < key) }
    }

    pub(crate) fn remove(&mut self, at: At) {
        let Block { keys, values } = &mut self.blocks[at.block];
        keys.remove(at.index);
        let gone = values.remove(at.index);
        self.len -= 1;
        if keys.is_empty() {
            self.empty += 1;
        }
        let known = self.tree[self.width + at.block].without(&gone);
        let summary = known.unwrap_or_else(|| S::of(&self.blocks[at.block].values));
        self.refresh(at.block, summary);
    }

    /// The first place at or after `from` whose value is `wanted`, among stretches that `may`
    /// hold one; a stretch of no values may not.
    pub(crate) fn search(
        &self,
        from: At,
        may: impl Fn(&S) -> bool,
        mut wanted: impl FnMut(&V) -> bool,
    ) -> Option<At> {
        if from.block >= self.blocks.len() || !may(&self.tree[1]) {
            return None;
        }
        let mut start = from.index;
        let mut node = self.width + from.block;
        if !may(&self.tree[node]) {
            node = self.next_block(node, &may)?;
            start = 0;
        }
        loop {
            let block = node - self.width;
            let values = self.blocks[block].values.get(start..).unwrap_or_default();
            if let Some(offset) = values.iter().position(&mut wanted) {
                return Some(At { block, index: start + offset });
            }
            node = self.next_block(node, &may)?;
            start = 0;
        }
    }

    /// The next block after tree node `node` that `may` hold what is sought.
    fn next_block(&self, mut node: usize, may: impl Fn(&S) -> bool) -> Option<usize> {
        loop {
            while node & 1 == 1 {
                node >>= 1;
            }
            if node == 0 {
                return None;
            }
            node += 1;
            while may(&self.tree[node]) {
                if node >= self.width {
                    return Some(node);
                }
                node *= 2;
            }
        }
    }

    /// Brings the aggregates above `block` up to date, whose own is now `summary`.
    fn refresh(&mut self, block: usize, mut summary: S) {
        let mut node = self.width + block;
        while node > 0 && self.tree[node] != summary {
            self.tree[node] = summary;
            node /= 2;
            if node > 0 {
                summary = self.tree[2 * node].join(&self.tree[2 * node + 1]);
            }
        }
    }

    /// An empty block at the end, after dropping the empty ones if they are many.
    fn append(&mut self, bound: K) {
        if self.empty > 8 + self.blocks.len() / 2 {
            self.drop_empty();
        }
        self.blocks.push(Block::new());
        self.bounds.push(bound);
        self.empty += 1;
        if self.blocks.len() > self.width {
            self.rebuild();
        }
    }

    fn split(&mut self, block: usize) {
        let Block { keys, values } = &mut self.blocks[block];
        let middle = keys.len() / 2;
        let upper = Block { keys: keys.split_off(middle), values: values.split_off(middle) };
        let bound = keys[middle - 1];
        self.blocks.insert(block + 1, upper);
        self.bounds.insert(block, bound);
        if self.empty > 8 + self.blocks.len() / 2 {
            self.drop_empty();
        }
        self.rebuild();
    }

    fn drop_empty(&mut self) {
        let mut kept = self.blocks.iter().map(|block| !block.keys.is_empty());
        self.bounds.retain(|_| kept.next().unwrap_or_default());
        self.blocks.retain(|block| !block.keys.is_empty());
        self.empty = 0;
        self.rebuild();
    }

    fn rebuild(&mut self) {
        self.width = self.blocks.len().next_power_of_two().max(2);
        self.tree.clear();
        self.tree.resize(2 * self.width, S::NONE);
        for (block, node) in self.blocks.iter().zip(self.width..) {
            self.tree[node] = S::of(&block.values);
        }
        for node in (1..self.width).rev() {
            self.tree[node] = self.tree[2 * node].join(&self.tree[2 * node + 1]);
        }
    }
}

impl<K: Copy + Ord> Blocks<K, u32, u64> {
    /// The first place up to which the sum reaches `target` (above zero), and the sum there.
    pub(crate) fn reach(&self, target: u64) -> Option<(At, u64)> {
        if self.summary() < target {
            return None;
        }
        let (mut node, mut sum) = (1, 0);
        while node < self.width {
            node *= 2;
            if sum + self.tree[node] < target {
                sum += self.tree[node];
                node += 1;
            }
        }
        let block = node - self.width;
        for (index, &value) in self.blocks[block].values.iter().enumerate() {
            sum += u64::from(value);
            if sum >= target {
                return Some((At { block, index }, sum));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
