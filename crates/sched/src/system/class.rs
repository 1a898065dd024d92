//! Classes of waiting jobs that are alike in all but when they came.
//!
//! Within a class nobody passes anybody: all age alike, and whatever else counts is the same. So
//! only the first of each class must be compared with the first of others.

use std::collections::{BTreeMap, VecDeque};

use super::spec::Throttle;
use crate::{Association, Second, Ticket, Tres};

/// A class, by its place; places of classes that are gone are given out again.
pub(super) type ClassId = usize;

/// In what the jobs of a class are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Alike {
    pub(super) association: Association,
    pub(super) lane: usize,
    pub(super) qos: usize,
    pub(super) tres: Tres,
    /// What the submitter said of their priority.
    pub(super) points: i64,
    pub(super) throttle: Option<Throttle>,
    /// How long they may run, where that counts towards a limit; zero elsewhere.
    pub(super) metered_seconds: Second,
}

/// A job's turn within its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Turn {
    /// Since when it may start.
    pub(super) since: Second,
    pub(super) arrival: u64,
    pub(super) ticket: Ticket,
}

#[derive(Clone, Debug)]
pub(super) struct Class<D> {
    pub(super) alike: Alike,
    /// The points of all its jobs, as long as they wait.
    pub(super) points: i64,
    /// The tallies that count its jobs.
    pub(super) chain: Vec<usize>,
    /// Those of its jobs that are not before the core, by turn.
    pub(super) waiting: VecDeque<Turn>,
    /// Whether a limit keeps its jobs from starting.
    pub(super) parked: bool,
    /// All its jobs, waiting or running.
    pub(super) jobs: usize,
    /// A demand that is known to fit when all is free.
    pub(super) fits: Option<D>,
}

impl<D> Class<D> {
    /// Lets a job wait; says whether it is now the first.
    pub(super) fn insert(&mut self, turn: Turn) -> bool {
        let at = self.waiting.partition_point(|other| *other < turn);
        self.waiting.insert(at, turn);
        at == 0
    }

    /// Takes a job out; says whether it was the first.
    pub(super) fn remove(&mut self, turn: Turn) -> bool {
        match self.waiting.binary_search(&turn) {
            Ok(at) => {
                self.waiting.remove(at);
                at == 0
            }
            Err(_) => false,
        }
    }
}

/// All classes with jobs.
#[derive(Clone, Debug)]
pub(super) struct Classes<D> {
    all: Vec<Option<Class<D>>>,
    vacant: Vec<ClassId>,
    known: BTreeMap<Alike, ClassId>,
}

impl<D> Classes<D> {
    pub(super) const fn new() -> Self {
        Self { all: Vec::new(), vacant: Vec::new(), known: BTreeMap::new() }
    }

    pub(super) fn get(&self, id: ClassId) -> Option<&Class<D>> {
        self.all.get(id)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, id: ClassId) -> Option<&mut Class<D>> {
        self.all.get_mut(id)?.as_mut()
    }

    /// The class of such jobs, if there is one.
    pub(super) fn find(&self, alike: &Alike) -> Option<ClassId> {
        self.known.get(alike).copied()
    }

    pub(super) fn add(&mut self, alike: Alike, points: i64, chain: Vec<usize>) -> ClassId {
        let class = Class {
            alike,
            points,
            chain,
            waiting: VecDeque::new(),
            parked: false,
            jobs: 0,
            fits: None,
        };
        let id = self.vacant.pop().unwrap_or_else(|| {
            self.all.push(None);
            self.all.len() - 1
        });
        if let Some(place) = self.all.get_mut(id) {
            *place = Some(class);
        }
        self.known.insert(alike, id);
        id
    }

    /// Counts a job less, and forgets the class with its last.
    pub(super) fn leave(&mut self, id: ClassId) {
        let Some(class) = self.get_mut(id) else { return };
        class.jobs = class.jobs.saturating_sub(1);
        if class.jobs == 0 {
            let alike = class.alike;
            self.known.remove(&alike);
            if let Some(place) = self.all.get_mut(id) {
                *place = None;
            }
            self.vacant.push(id);
        }
    }
}
