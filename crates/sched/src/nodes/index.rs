//! Which nodes have something free, by how many of their GPUs are free.

/// More free GPUs than this are not told apart here.
const GPUS_MAX: usize = 15;

/// For each number of free GPUs, a set of nodes as bits.
#[derive(Clone, Debug)]
pub(super) struct Index {
    bits: Vec<u64>,
    /// Words for one set.
    words: usize,
}

impl Index {
    /// No node of `nodes`, none of which has more than `gpus_max` GPUs.
    pub(super) fn new(nodes: usize, gpus_max: u32) -> Self {
        let words = nodes.div_ceil(64);
        Self { bits: vec![0; words * (set(gpus_max) + 1)], words }
    }

    pub(super) fn insert(&mut self, node: usize, gpus: u32) {
        if let Some(word) = self.bits.get_mut(set(gpus) * self.words + node / 64) {
            *word |= 1 << (node % 64);
        }
    }

    pub(super) fn remove(&mut self, node: usize, gpus: u32) {
        if let Some(word) = self.bits.get_mut(set(gpus) * self.words + node / 64) {
            *word &= !(1 << (node % 64));
        }
    }

    /// Sets of nodes with at least `gpus` free, each in order, the fewest GPUs first. One set may
    /// hold several numbers of GPUs, and the first some nodes with fewer than asked.
    pub(super) fn from(&self, gpus: u32) -> impl Iterator<Item = impl Iterator<Item = usize>> {
        let sets = self.bits.chunks(self.words.max(1)).skip(set(gpus));
        sets.map(|words| {
            words
                .iter()
                .enumerate()
                .flat_map(|(at, &word)| Ones(word).map(move |one| at * 64 + one))
        })
    }

    /// Nodes with at least about `gpus` free both here and in `other`, in order.
    pub(super) fn both_from<'a>(
        &'a self,
        other: &'a Self,
        gpus: u32,
    ) -> impl Iterator<Item = usize> + 'a {
        (0..self.words).flat_map(move |at| {
            let both = self.union(gpus, at) & other.union(gpus, at);
            Ones(both).map(move |one| at * 64 + one)
        })
    }

    /// How many nodes have anything free both here and in `other`.
    pub(super) fn count_both(&self, other: &Self) -> u32 {
        (0..self.words).map(|at| (self.union(0, at) & other.union(0, at)).count_ones()).sum()
    }

    /// One word of all sets with at least about `gpus` free.
    fn union(&self, gpus: u32, at: usize) -> u64 {
        let words = self.bits.iter().skip(set(gpus) * self.words + at).step_by(self.words.max(1));
        words.fold(0, |union, word| union | word)
    }
}

const fn set(gpus: u32) -> usize {
    let gpus = gpus as usize;
    if gpus < GPUS_MAX { gpus } else { GPUS_MAX }
}

/// The places of the ones in a word.
struct Ones(u64);

impl Iterator for Ones {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        let place = self.0.trailing_zeros() as usize;
        self.0 &= self.0 - 1;
        Some(place)
    }
}
