//! What the federation can compute, before its factories and with them.
//!
//! Machines of different years are compared by their peak in arithmetic of 16 bits, which models are
//! trained in; numbers of accelerators alone say little.

use units::{Meter, PartitionKey, Slug};

use super::{Deployment, Factory, Federation, Partition, System, SystemKind};

/// How many accelerators there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accelerators {
    /// So many.
    Exactly(u32),
    /// So many or more: the exact number was not published.
    AtLeast(u32),
    /// It is not known; what was looked for.
    Unknown(String),
}

/// What one partition adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CapacityLine {
    /// Whose.
    pub factory: Slug,
    /// Of which system, for people.
    pub system: String,
    /// Which.
    pub partition: PartitionKey,
    /// How many accelerators.
    pub accelerators: Accelerators,
    /// What they can do together, in teraflops; or what is missing to know it.
    pub teraflops: Result<u64, String>,
}

/// What could be computed before the factories, and what they add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Machines in use that were acquired otherwise.
    pub before: Vec<CapacityLine>,
    /// Machines that come with the factories.
    pub added: Vec<CapacityLine>,
}

impl Capacity {
    /// What is known of the capacity before, in teraflops.
    pub fn before_teraflops(&self) -> u64 {
        total(&self.before)
    }

    /// What is known of what the factories add, in teraflops.
    pub fn added_teraflops(&self) -> u64 {
        total(&self.added)
    }

    /// How many hundredths of the capacity before there are with the factories, rounded down: 250
    /// says two and a half times as much. None while nothing is known of before.
    pub fn growth_hundredths(&self) -> Option<u64> {
        let before = self.before_teraflops();
        let with = before.saturating_add(self.added_teraflops());
        with.saturating_mul(100).checked_div(before)
    }
}

fn total(lines: &[CapacityLine]) -> u64 {
    let known = lines.iter().filter_map(|line| line.teraflops.as_ref().ok());
    known.fold(0, |sum, teraflops| sum.saturating_add(*teraflops))
}

impl Federation {
    /// What the federation can compute before its factories and with them. Quantum computers and
    /// platforms for experiments are not counted.
    pub fn capacity(&self) -> Capacity {
        let mut capacity = Capacity { before: Vec::new(), added: Vec::new() };
        for (factory, system) in self.systems() {
            let side = match (system.kind, system.deployment.known()) {
                (SystemKind::Experimental | SystemKind::Quantum, _) => continue,
                (SystemKind::Associated, Some(Deployment::Operational)) => &mut capacity.before,
                (SystemKind::AiOptimised | SystemKind::Upgrade | SystemKind::Associated, _) => {
                    &mut capacity.added
                }
            };
            let counted = system.partitions.iter().filter(|part| part.meter != Meter::Qpu);
            side.extend(counted.map(|partition| self.line(factory, system, partition)));
        }
        capacity
    }

    fn line(&self, factory: &Factory, system: &System, partition: &Partition) -> CapacityLine {
        let at_least = partition.devices_at_least.as_ref().and_then(|figure| figure.known());
        let accelerators = match (partition.devices.require("the number of devices"), at_least) {
            (Ok(count), _) => Accelerators::Exactly(*count),
            (Err(_), Some(count)) => Accelerators::AtLeast(*count),
            (Err(reason), None) => Accelerators::Unknown(reason),
        };
        CapacityLine {
            factory: factory.key.clone(),
            system: system.name.clone(),
            partition: partition.key.clone(),
            teraflops: self.teraflops(partition, &accelerators),
            accelerators,
        }
    }

    fn teraflops(&self, partition: &Partition, accelerators: &Accelerators) -> Result<u64, String> {
        let count = match accelerators {
            Accelerators::Exactly(count) | Accelerators::AtLeast(count) => u64::from(*count),
            Accelerators::Unknown(reason) => return Err(reason.clone()),
        };
        let name = partition.device.require("the kind of device")?;
        let described = self.programme.devices.iter().find(|device| device.name == *name);
        let described =
            described.ok_or_else(|| format!("what one {name} can do is not described"))?;
        let each = described.teraflops.require("the peak of one device")?;
        Ok(count.saturating_mul(u64::from(*each)))
    }
}
