//! Who judges what: as many reviews as are wanted, by those who know the field, evenly spread.
//!
//! As a flow from applications over reviewers: an application sends out as many units as it wants
//! reviews, one to each reviewer without a conflict, at a cost that grows with the distance of
//! fields; each further application costs a reviewer one more than the one before. The cheapest
//! flow is the best assignment: exactly, and the same whatever order people come in.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use units::{ApplicationId, PersonId, Slug};

use super::flow::{EdgeId, Network, Node};
use super::{Candidate, Conflict, MailDomain, Reviewer, conflicts};
use crate::policy::{Field, Procedure};

/// How near a reviewer's knowledge lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Affinity {
    /// They know a field of the application.
    Field,
    /// They know a field of the same domain.
    Domain,
    /// They know something else.
    Other,
}

impl fmt::Display for Affinity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Field => "knows the field",
            Self::Domain => "knows another field of the domain",
            Self::Other => "knows other domains",
        })
    }
}

/// That somebody is to judge an application, and why they.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// What.
    pub application: ApplicationId,
    /// By whom.
    pub reviewer: PersonId,
    /// How near their knowledge lies.
    pub affinity: Affinity,
    /// The fields that they have in common.
    pub fields: Vec<Slug>,
    /// How many applications they judge in all.
    pub load: u32,
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.affinity)?;
        if !self.fields.is_empty() {
            let fields: Vec<&str> = self.fields.iter().map(Slug::as_str).collect();
            write!(f, " ({})", fields.join(", "))?;
        }
        write!(f, ", no conflict found, judges {} in all", self.load)
    }
}

/// An application for which too few may judge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortfall {
    /// Which.
    pub application: ApplicationId,
    /// How many reviews it has, with those that were there before.
    pub found: u32,
    /// How many it should have.
    pub wanted: u32,
    /// How many of the pool have a conflict, by its name; somebody with two counts for the first.
    pub conflicts: BTreeMap<&'static str, u32>,
    /// How many of the pool may judge but take no more.
    pub full: u32,
}

/// Who judges what from now on, beside what was assigned before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assignment {
    /// What is new.
    pub pairs: Vec<Pair>,
    /// What could not be found.
    pub short: Vec<Shortfall>,
}

/// Assigns reviewers of `pool` to `candidates`: first as many reviews as can be had, then those
/// that cost least. What is judged already stays. `progress` hears how many reviews are placed so
/// far, and how many are wanted.
pub fn assign(
    (pool, candidates): (&[Reviewer], &[Candidate]),
    (procedure, known, public): (&Procedure, &[Field], &[MailDomain]),
    progress: &mut dyn FnMut(u32, u32),
) -> Assignment {
    let mut pool: Vec<&Reviewer> = pool.iter().collect();
    pool.sort_by_key(|reviewer| reviewer.person);
    pool.dedup_by_key(|reviewer| reviewer.person);
    let mut candidates: Vec<&Candidate> = candidates.iter().collect();
    candidates.sort_by_key(|candidate| candidate.application);
    let mut loads: BTreeMap<PersonId, u32> = BTreeMap::new();
    for person in candidates.iter().flat_map(|candidate| &candidate.judged_by) {
        count(&mut loads, *person);
    }
    let table = Table { procedure, known, public };
    let drawn = Drawn::of(&pool, &candidates, &loads, &table);
    let chosen = drawn.solve(progress);
    for (_, choice) in &chosen {
        count(&mut loads, choice.reviewer);
    }
    let mut assignment = Assignment::default();
    for candidate in &candidates {
        let mine = chosen.iter().filter(|(application, _)| *application == candidate.application);
        let new: Vec<Pair> = mine.map(|(_, choice)| choice.pair(candidate, &loads)).collect();
        let found = candidate.judged_by.len().saturating_add(new.len());
        if found < usize::try_from(procedure.reviewers).unwrap_or(usize::MAX) {
            assignment.short.push(table.shortfall((candidate, &new), &pool));
        }
        assignment.pairs.extend(new);
    }
    assignment
}

fn count(loads: &mut BTreeMap<PersonId, u32>, person: PersonId) {
    let load = loads.entry(person).or_default();
    *load = load.saturating_add(1);
}

/// What the rules of policy say of a pair.
struct Table<'a> {
    procedure: &'a Procedure,
    known: &'a [Field],
    public: &'a [MailDomain],
}

impl Table<'_> {
    fn affinity(&self, reviewer: &Reviewer, candidate: &Candidate) -> Affinity {
        if !reviewer.fields.is_disjoint(&candidate.fields) {
            return Affinity::Field;
        }
        let domain = |key: &Slug| self.known.iter().find(|it| it.key == *key).map(|it| &it.domain);
        let domains: BTreeSet<&Slug> = candidate.fields.iter().filter_map(domain).collect();
        let near = reviewer.fields.iter().filter_map(domain).any(|it| domains.contains(it));
        if near { Affinity::Domain } else { Affinity::Other }
    }

    fn cost(&self, affinity: Affinity) -> i64 {
        i64::from(match affinity {
            Affinity::Field => 0,
            Affinity::Domain => self.procedure.cost_of_domain,
            Affinity::Other => self.procedure.cost_of_other,
        })
    }

    fn conflicts(&self, reviewer: &Reviewer, candidate: &Candidate) -> Vec<Conflict> {
        conflicts(reviewer, candidate, self.public)
    }

    /// Why no more were found: everybody who does not judge it has a conflict or is full.
    fn shortfall(&self, (candidate, new): (&Candidate, &[Pair]), pool: &[&Reviewer]) -> Shortfall {
        let mut short = Shortfall {
            application: candidate.application,
            found: u32::try_from(candidate.judged_by.len().saturating_add(new.len()))
                .unwrap_or(u32::MAX),
            wanted: self.procedure.reviewers,
            conflicts: BTreeMap::new(),
            full: 0,
        };
        for reviewer in pool {
            let judges = candidate.judged_by.contains(&reviewer.person)
                || new.iter().any(|pair| pair.reviewer == reviewer.person);
            if judges {
                continue;
            }
            match self.conflicts(reviewer, candidate).first() {
                Some(conflict) => {
                    let of = short.conflicts.entry(conflict.name()).or_default();
                    *of = of.saturating_add(1);
                }
                None => short.full = short.full.saturating_add(1),
            }
        }
        short
    }
}

/// A pair that may be chosen.
struct Choice {
    reviewer: PersonId,
    affinity: Affinity,
    fields: Vec<Slug>,
}

impl Choice {
    fn pair(&self, candidate: &Candidate, loads: &BTreeMap<PersonId, u32>) -> Pair {
        Pair {
            application: candidate.application,
            reviewer: self.reviewer,
            affinity: self.affinity,
            fields: self.fields.clone(),
            load: loads.get(&self.reviewer).copied().unwrap_or(0),
        }
    }
}

/// The network of an assignment.
struct Drawn {
    network: Network,
    ends: (Node, Node),
    choices: Vec<(EdgeId, ApplicationId, Choice)>,
    wanted: u32,
}

impl Drawn {
    fn of(
        pool: &[&Reviewer],
        candidates: &[&Candidate],
        loads: &BTreeMap<PersonId, u32>,
        table: &Table<'_>,
    ) -> Self {
        let mut network = Network::default();
        let (source, sink) = (network.node(), network.node());
        let mut reviewers = Vec::with_capacity(pool.len());
        for reviewer in pool {
            let node = network.node();
            reviewers.push((node, *reviewer));
            let load = loads.get(&reviewer.person).copied().unwrap_or(0);
            for further in load..reviewer.load_max {
                network.edge(node, sink, 1, i64::from(further));
            }
        }
        let (mut choices, mut wanted) = (Vec::new(), 0_u32);
        for candidate in candidates {
            let judged = u32::try_from(candidate.judged_by.len()).unwrap_or(u32::MAX);
            let more = table.procedure.reviewers.saturating_sub(judged);
            wanted = wanted.saturating_add(more);
            let node = network.node();
            network.edge(source, node, more, 0);
            for (place, reviewer) in &reviewers {
                let judges = candidate.judged_by.contains(&reviewer.person);
                if judges || !table.conflicts(reviewer, candidate).is_empty() {
                    continue;
                }
                let affinity = table.affinity(reviewer, candidate);
                let edge = network.edge(node, *place, 1, table.cost(affinity));
                let fields = reviewer.fields.intersection(&candidate.fields).cloned().collect();
                let choice = Choice { reviewer: reviewer.person, affinity, fields };
                choices.push((edge, candidate.application, choice));
            }
        }
        Self { network, ends: (source, sink), choices, wanted }
    }

    /// The choices of a cheapest flow.
    fn solve(mut self, progress: &mut dyn FnMut(u32, u32)) -> Vec<(ApplicationId, Choice)> {
        let wanted = self.wanted;
        self.network.send(self.ends, &mut |sent| progress(sent, wanted));
        let network = &self.network;
        let chosen = self.choices.into_iter().filter(|(edge, ..)| network.flow(*edge) > 0);
        chosen.map(|(_, application, choice)| (application, choice)).collect()
    }
}
