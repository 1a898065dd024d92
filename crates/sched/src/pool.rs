//! What a scheduler hands out, seen through the few questions its decisions ask.

use std::fmt::Debug;

use crate::plan::Plan;
use crate::profile::Profile;
use crate::{Resource, Tres};

/// Resources that jobs take and give back.
///
/// One scalar, [`size`](Pool::size) against [`room`](Pool::room), bounds what can be placed; it
/// lets the queue be searched without asking [`place`](Pool::place) about every job.
pub trait Pool: Clone + Debug {
    /// What a job asks.
    type Demand: Clone + Debug + PartialEq;
    /// What a job was given.
    type Grant: Clone + Debug;
    /// How promises over it are kept.
    type Plan: Plan<Self>;

    /// The bound on `demand`: it cannot be placed while `size > room`.
    fn size(&self, demand: &Self::Demand) -> u32;

    /// The room that `grant` gives back, at most.
    fn held(&self, grant: &Self::Grant) -> u32;

    /// The free room.
    fn room(&self) -> u32;

    /// A bound on the room that is free both here and in `other`.
    fn room_within(&self, other: &Self) -> u32 {
        self.room().min(other.room())
    }

    /// Where `demand` fits now; nothing is taken yet.
    fn place(&self, demand: &Self::Demand) -> Option<Self::Grant>;

    /// Where `demand` fits here, leaving alone what is free in `other` as far as can be.
    fn place_apart(&self, other: &Self, demand: &Self::Demand) -> Option<Self::Grant>;

    /// Where `demand` fits in what is free both here and in `other`.
    fn place_within(&self, other: &Self, demand: &Self::Demand) -> Option<Self::Grant>;

    /// What is free both here and in `other`.
    #[must_use]
    fn meet(&self, other: &Self) -> Self;

    /// Takes what `grant` names.
    fn take(&mut self, grant: &Self::Grant);

    /// Gives back what `grant` names.
    fn give(&mut self, grant: &Self::Grant);

    /// Keeps what `grant` names from being handed out, until it is opened again; what is taken of
    /// it stays taken.
    fn close(&mut self, grant: &Self::Grant);

    /// Lets what `grant` names be handed out again.
    fn open(&mut self, grant: &Self::Grant);

    /// What `demand` comes to, kind by kind; nothing is billed yet.
    fn tres(&self, demand: &Self::Demand) -> Tres;

    /// All that there is, whether or not it is free.
    fn whole(&self) -> Tres;

    /// Whether `demand` would fit if all were up and free.
    fn could_place(&self, demand: &Self::Demand) -> bool;

    /// All of what `grant` names, free, and nothing else.
    #[must_use]
    fn only(&self, grant: &Self::Grant) -> Self;

    /// Gives back all `grants`, whose [`held`](Pool::held) add up to `held`.
    fn give_all<'a>(&mut self, _held: u64, grants: impl Iterator<Item = &'a Self::Grant>)
    where
        Self::Grant: 'a,
    {
        grants.for_each(|grant| self.give(grant));
    }
}

/// Identical processors, counted and not told apart.
///
/// ```
/// use sched::{Pool, Processors};
/// let mut pool = Processors::new(100);
/// let grant = pool.place(&60).unwrap();
/// pool.take(&grant);
/// assert_eq!(pool.place(&60), None);
/// assert_eq!(pool.place(&40), Some(40));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Processors {
    count: u32,
    /// Less than none while more is closed than was free.
    free: i64,
}

impl Processors {
    /// `count` free processors.
    pub const fn new(count: u32) -> Self {
        Self { count, free: count as i64 }
    }

    /// How many are free.
    pub fn free(&self) -> u32 {
        u32::try_from(self.free.max(0)).unwrap_or(u32::MAX)
    }
}

impl Pool for Processors {
    type Demand = u32;
    type Grant = u32;
    type Plan = Profile;

    fn size(&self, demand: &u32) -> u32 {
        *demand
    }

    fn held(&self, grant: &u32) -> u32 {
        *grant
    }

    fn room(&self) -> u32 {
        self.free()
    }

    fn place(&self, demand: &u32) -> Option<u32> {
        (i64::from(*demand) <= self.free).then_some(*demand)
    }

    fn place_apart(&self, _other: &Self, demand: &u32) -> Option<u32> {
        self.place(demand)
    }

    fn place_within(&self, other: &Self, demand: &u32) -> Option<u32> {
        (i64::from(*demand) <= self.free.min(other.free)).then_some(*demand)
    }

    fn meet(&self, other: &Self) -> Self {
        Self { free: self.free.min(other.free), ..*self }
    }

    fn take(&mut self, grant: &u32) {
        self.free -= i64::from(*grant);
    }

    fn give(&mut self, grant: &u32) {
        self.free += i64::from(*grant);
    }

    fn close(&mut self, grant: &u32) {
        self.free -= i64::from(*grant);
    }

    fn open(&mut self, grant: &u32) {
        self.free += i64::from(*grant);
    }

    fn tres(&self, demand: &u32) -> Tres {
        Tres::all(0).with(Resource::Cpu, u64::from(*demand))
    }

    fn whole(&self) -> Tres {
        self.tres(&self.count)
    }

    fn could_place(&self, demand: &u32) -> bool {
        *demand <= self.count
    }

    fn only(&self, grant: &u32) -> Self {
        Self::new(*grant)
    }

    fn give_all<'a>(&mut self, held: u64, _grants: impl Iterator<Item = &'a u32>) {
        self.free = self.free.saturating_add_unsigned(held);
    }
}
