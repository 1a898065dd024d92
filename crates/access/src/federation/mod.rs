//! The federation: its programme, factories, systems and partitions, as its files describe it.
//!
//! Not here: what the hours of a partition are worth to whom (`agreement`), and any file access.

mod capacity;
mod check;
mod devices;
mod factory;
mod funding;
mod programme;
mod summary;

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::Date;
use units::{Cents, CountryCode, Meter, PartitionKey, PartsPerMillion, Slug};

use crate::agreement::Agreement;
use crate::document::{Diagnostic, Diagnostics, Document, Figure, Place, Reader, Source};
use crate::policy::Caps;

pub use capacity::{Accelerators, Capacity, CapacityLine};
pub use devices::Device;
pub use funding::{Contributor, FactoryFunding, Overview, Paid};
pub use summary::{FactorySummary, Summary};

/// All factories together, and the programme that brought them about.
#[derive(Clone, Debug)]
pub struct Federation {
    /// What was announced for all of them.
    pub programme: Programme,
    /// The factories by key.
    pub factories: BTreeMap<Slug, Factory>,
}

/// What was announced for all factories together.
#[derive(Clone, Debug)]
pub struct Programme {
    /// Its name.
    pub name: String,
    /// The money of the Union and the states together.
    pub investment: Figure<Cents>,
    /// The Union's part of it.
    pub union_part: Figure<PartsPerMillion>,
    /// The Union's programme that pays for infrastructure.
    pub infrastructure_paid_by: Figure<String>,
    /// The Union's programme that pays for services.
    pub services_paid_by: Figure<String>,
    /// How many member states take part.
    pub member_states: Figure<u32>,
    /// How many other participating states take part.
    pub other_states: Figure<u32>,
    /// What it does to the computing capacity of the federation.
    pub capacity: Figure<String>,
    /// When the factories are deployed.
    pub deployment: Figure<String>,
    /// The next closing day for proposals of states, as announced.
    pub next_cut_off: Figure<Date>,
    /// The sectors that the factories serve.
    pub sectors: Figure<Vec<String>>,
    /// What accelerators can do.
    pub devices: Vec<Device>,
}

/// An AI factory.
#[derive(Clone, Debug)]
pub struct Factory {
    /// Its key, which is also the name of its file.
    pub key: Slug,
    /// Its name, as it calls itself.
    pub name: String,
    /// The body that hosts it.
    pub hosting_entity: String,
    /// Where it stands.
    pub place: String,
    /// The state it stands in.
    pub country: CountryCode,
    /// Where name, host and place were read.
    pub described_by: Source,
    /// The states that joined the hosting state.
    pub joined: Figure<Vec<CountryCode>>,
    /// Bodies that run it together with the hosting entity.
    pub partners: Figure<Vec<String>>,
    /// What it is for.
    pub sectors: Figure<Vec<String>>,
    /// Its machines.
    pub systems: Vec<System>,
}

impl Factory {
    /// The hosting state, then those that joined it.
    pub fn states(&self) -> Vec<CountryCode> {
        let joined = self.joined.known().into_iter().flatten().copied();
        std::iter::once(self.country).chain(joined).collect()
    }
}

/// What a system is to its factory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SystemKind {
    /// A new AI-optimised supercomputer, owned by the Joint Undertaking (Article 12a).
    AiOptimised,
    /// An upgrade of a supercomputer that stood before.
    Upgrade,
    /// A supercomputer acquired otherwise, on which the factory also works.
    Associated,
    /// A platform for experiments with new kinds of machines.
    Experimental,
    /// A quantum computer.
    Quantum,
}

impl SystemKind {
    /// The kinds, by the words that files use.
    pub const WORDS: [(&str, Self); 5] = [
        ("ai-optimised", Self::AiOptimised),
        ("upgrade", Self::Upgrade),
        ("associated", Self::Associated),
        ("experimental", Self::Experimental),
        ("quantum", Self::Quantum),
    ];
}

impl fmt::Display for SystemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(crate::document::word(&Self::WORDS, self))
    }
}

/// How far a system has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deployment {
    /// Announced, not yet ordered.
    Planned,
    /// Ordered: the contract is signed.
    Contracted,
    /// Being built up.
    Installing,
    /// In use.
    Operational,
}

impl Deployment {
    /// The states, by the words that files use.
    pub const WORDS: [(&str, Self); 4] = [
        ("planned", Self::Planned),
        ("contracted", Self::Contracted),
        ("installing", Self::Installing),
        ("operational", Self::Operational),
    ];
}

impl fmt::Display for Deployment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(crate::document::word(&Self::WORDS, self))
    }
}

/// One machine of a factory.
#[derive(Clone, Debug)]
pub struct System {
    /// Its key, unique in the federation.
    pub key: Slug,
    /// Its name.
    pub name: String,
    /// What it is to its factory.
    pub kind: SystemKind,
    /// How far it has come; the evidence says as of when.
    pub deployment: Figure<Deployment>,
    /// What is expected next, in words.
    pub expected: Option<Figure<String>>,
    /// Who builds it.
    pub vendor: Figure<String>,
    /// Who pays for it.
    pub agreement: Option<Agreement>,
    /// Its parts.
    pub partitions: Vec<Partition>,
}

/// A homogeneous part of a system.
#[derive(Clone, Debug)]
pub struct Partition {
    /// Its key: system and partition.
    pub key: PartitionKey,
    /// Its name.
    pub name: String,
    /// How many nodes.
    pub nodes: Figure<u32>,
    /// How many accelerators (or quantum processors) in a node.
    pub devices_per_node: Figure<u32>,
    /// How many accelerators altogether.
    pub devices: Figure<u32>,
    /// How many there are at the least, where the exact number was not published.
    pub devices_at_least: Option<Figure<u32>>,
    /// Which accelerator.
    pub device: Figure<String>,
    /// How many cores in a node.
    pub cores_per_node: Figure<u32>,
    /// How much memory in a node, in gigabytes.
    pub memory_per_node_gb: Figure<u32>,
    /// What is counted.
    pub meter: Meter,
    /// The entry of `policy/charge-rules.toml` that turns use into amounts.
    pub charge_rule: Figure<Slug>,
}

impl Partition {
    /// How many units of the meter can be held at once.
    ///
    /// # Errors
    /// Says which figure is not known.
    pub fn units(&self) -> Result<u64, String> {
        match self.meter {
            Meter::Gpu | Meter::Qpu => self.devices.require("the number of devices").copied(),
            Meter::Node => self.nodes.require("the number of nodes").copied(),
            Meter::Core => {
                let nodes = self.nodes.require("the number of nodes")?;
                let cores = self.cores_per_node.require("the number of cores per node")?;
                return Ok(u64::from(*nodes).saturating_mul(u64::from(*cores)));
            }
        }
        .map(u64::from)
    }
}

impl Federation {
    /// The document that describes the programme; every other one describes a factory.
    pub const PROGRAMME: &'static str = "federation.toml";

    /// Reads `documents` and checks them against one another and against the law of `caps`.
    ///
    /// # Errors
    /// All faults of all documents.
    pub fn parse(documents: &[Document], caps: &Caps) -> Result<Self, Diagnostics> {
        let (programmes, factories): (Vec<&Document>, Vec<&Document>) =
            documents.iter().partition(|document| file_name(document) == Self::PROGRAMME);
        let mut faults = Vec::new();
        let mut keep = |faulty: Diagnostics| faults.extend(faulty.0);
        let programme = match programmes.first() {
            Some(document) => Reader::read(document, |table| {
                Some((programme::read(table)?, (table.file(), table.place_of("member_states"))))
            })
            .map_err(&mut keep)
            .ok(),
            None => {
                keep(check::missing_programme());
                None
            }
        };
        let mut read = Vec::new();
        for document in factories {
            let described = Reader::read(document, |table| factory::read(table, caps));
            read.extend(described.map_err(&mut keep).ok().map(|described| (document, described)));
        }
        faults.extend(check::across(&read));
        if let (Some((programme, place)), true) = (&programme, faults.is_empty()) {
            faults.extend(check::states_of(programme, place, &read));
        }
        faults.sort();
        match programme {
            Some((programme, _)) if faults.is_empty() => {
                let factories = read.into_iter().map(|(_, described)| described.factory);
                let factories = factories.map(|factory| (factory.key.clone(), factory)).collect();
                Ok(Self { programme, factories })
            }
            _ => Err(Diagnostics(faults)),
        }
    }

    /// The systems of all factories, each with its factory.
    pub fn systems(&self) -> impl Iterator<Item = (&Factory, &System)> {
        self.factories
            .values()
            .flat_map(|factory| factory.systems.iter().map(move |system| (factory, system)))
    }

    /// The partition called `key`, with its system and factory.
    pub fn partition(&self, key: &PartitionKey) -> Option<(&Factory, &System, &Partition)> {
        self.systems().find_map(|(factory, system)| {
            let partition = system.partitions.iter().find(|partition| partition.key == *key)?;
            Some((factory, system, partition))
        })
    }
}

impl Federation {
    /// Demands that there is a partition called `key`.
    ///
    /// # Errors
    /// With the partitions that there are.
    pub fn require(&self, key: &PartitionKey) -> Result<(), Diagnostics> {
        if self.partition(key).is_some() {
            return Ok(());
        }
        let known = self.systems().flat_map(|(_, system)| &system.partitions);
        let known: Vec<String> = known.map(|partition| partition.key.to_string()).collect();
        let message = format!("there is no partition `{key}`; there are {}", known.join(", "));
        let file = Self::PROGRAMME.to_owned();
        Err(Diagnostics(vec![Diagnostic { file, at: Place::START, key: key.to_string(), message }]))
    }
}

fn file_name(document: &Document) -> &str {
    document.name.rsplit('/').next().unwrap_or(&document.name)
}

#[cfg(test)]
mod tests;
