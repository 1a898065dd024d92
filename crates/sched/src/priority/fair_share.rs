//! From shares and usage to a factor for every user.

use std::cmp::Reverse;

use super::accounts::{Accounts, Association, Usage};
use super::decay;

/// How shares and usage become a factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FairShare {
    /// Fair Tree, Slurm's default since 19.05: siblings are ranked by share over usage, from the
    /// root down, and a user's factor is their rank among all users.
    Tree,
    /// The classic formula, `2^(-usage / share / dampening)`: Slurm's with `NO_FAIR_TREE`.
    Classic {
        /// `FairShareDampeningFactor`, at least one.
        dampening: u32,
    },
}

/// The factor of every user, in parts of the same whole.
#[derive(Clone, Debug)]
pub(crate) struct Factors {
    parts: Vec<u32>,
    whole: u32,
}

impl Factors {
    pub(crate) fn new(accounts: &Accounts) -> Self {
        Self { parts: vec![0; accounts.places.len()], whole: 1 }
    }

    /// The factor at a place, and what would be one.
    pub(crate) fn of(&self, place: Association) -> (u32, u32) {
        (self.parts.get(place.index()).copied().unwrap_or_default(), self.whole)
    }
}

impl FairShare {
    /// Makes all factors anew.
    pub(crate) fn update(self, accounts: &mut Accounts, usage: &Usage, factors: &mut Factors) {
        match self {
            Self::Tree => {
                factors.whole = accounts.users.max(1);
                let levels: Vec<u64> =
                    accounts.iter().map(|at| level(accounts, usage, at)).collect();
                let mut tree = Tree { accounts, levels: &levels, factors, rank: 0, tied_rank: 0 };
                tree.rank = tree.factors.whole;
                tree.descend(&[Association::ROOT], false);
            }
            Self::Classic { dampening } => classic(accounts, usage, dampening.max(1), factors),
        }
    }
}

/// The level fair share, share over usage among siblings, as a number that orders alike.
///
/// Quotients of whole numbers, rounded once: the same on every machine, and only ever compared.
fn level(accounts: &Accounts, usage: &Usage, at: Association) -> u64 {
    let Some(place) = accounts.places.get(at.index()) else { return 0 };
    let used = usage.of(at);
    if place.shares == 0 {
        return 0;
    }
    if used == 0 {
        return u64::MAX;
    }
    let share = f64::from(place.shares) * usage.of(place.parent) as f64;
    (share / (accounts.shares_around(place) as f64 * used as f64)).to_bits()
}

struct Tree<'a> {
    accounts: &'a mut Accounts,
    levels: &'a [u64],
    factors: &'a mut Factors,
    rank: u32,
    /// The rank of the first of those that are tied.
    tied_rank: u32,
}

impl Tree<'_> {
    fn level(&self, at: Association) -> u64 {
        self.levels.get(at.index()).copied().unwrap_or_default()
    }

    fn is_user(&self, at: Association) -> bool {
        self.accounts.places.get(at.index()).is_some_and(|place| place.user.is_some())
    }

    /// Ranks what is under `accounts`, which are tied if there are several; `tied` says that they
    /// are tied with what was ranked last.
    fn descend(&mut self, parents: &[Association], tied: bool) {
        let children = self.children(parents);
        let mut rest = children.as_slice();
        let mut last = None;
        while let Some((&first, others)) = rest.split_first() {
            let level = self.level(first);
            let tied = last.map_or(tied, |last| last == level);
            last = Some(level);
            rest = others;
            if self.is_user(first) {
                if !tied {
                    self.tied_rank = self.rank;
                }
                if let Some(part) = self.factors.parts.get_mut(first.index()) {
                    *part = self.tied_rank;
                }
                self.rank -= 1;
            } else {
                // Accounts that are tied are ranked as if they were one.
                let more = others.iter().take_while(|at| self.level(**at) == level).count();
                self.descend(children_of(&children, rest.len() + 1, more + 1), tied);
                rest = others.get(more..).unwrap_or_default();
            }
        }
        self.keep(parents, children);
    }

    /// All that is right under `parents`: the highest level first, users before accounts.
    fn children(&mut self, parents: &[Association]) -> Vec<Association> {
        let mut children = Vec::new();
        for parent in parents {
            if let Some(own) = self.accounts.children.get_mut(parent.index()) {
                if parents.len() == 1 {
                    children = std::mem::take(own);
                } else {
                    children.extend_from_slice(own);
                }
            }
        }
        // They hardly change places from one period to the next, which sorting makes use of.
        children.sort_by_key(|at| (Reverse(self.level(*at)), !self.is_user(*at)));
        children
    }

    /// Lets an account remember how its children were sorted.
    fn keep(&mut self, parents: &[Association], children: Vec<Association>) {
        if let [parent] = parents
            && let Some(own) = self.accounts.children.get_mut(parent.index())
        {
            *own = children;
        }
    }
}

/// `count` of `all`, of which `left` are not yet done.
fn children_of(all: &[Association], left: usize, count: usize) -> &[Association] {
    let from = all.len() - left;
    all.get(from..from + count).unwrap_or_default()
}

/// `2^(-usage / share / dampening)`, where what siblings use counts in part as one's own.
fn classic(accounts: &Accounts, usage: &Usage, dampening: u32, factors: &mut Factors) {
    const ONE: u128 = decay::ONE as u128;
    factors.whole = 1 << 30;
    let all = u128::from(usage.of(Association::ROOT).max(1));
    // Share of the whole and effective usage of every place, with 32 binary places.
    let mut known: Vec<(u128, u128)> = Vec::with_capacity(accounts.places.len());
    for at in accounts.iter() {
        let Some(place) = accounts.places.get(at.index()) else { continue };
        let actual = u128::from(usage.of(at)) * ONE / all;
        let (share, effective) = match known.get(place.parent.index()) {
            None => (ONE, actual),
            // Right under the root, only one's own use counts.
            Some((share, effective)) => {
                let effective = if place.parent == Association::ROOT { actual } else { *effective };
                let mine = u128::from(place.shares);
                let around = u128::from(accounts.shares_around(place));
                let others = effective.saturating_sub(actual);
                (share * mine / around.max(1), actual + others * mine / around.max(1))
            }
        };
        known.push((share, effective));
        let exponent = (effective * ONE)
            .checked_div(share * u128::from(dampening))
            .map_or(u64::MAX, |exponent| u64::try_from(exponent).unwrap_or(u64::MAX));
        if let Some(part) = factors.parts.get_mut(at.index()) {
            *part = u32::try_from(decay::half_to_the(exponent) >> 2).unwrap_or(u32::MAX);
        }
    }
}
