//! The federation at a glance, for people.

use units::{Meter, Period, Slug};

use super::{Deployment, Factory, Federation, System, SystemKind};
use crate::agreement::{NoPools, Pools, pools};
use crate::policy::Caps;

/// One line for each factory, and totals.
#[derive(Clone, Debug)]
pub struct Summary {
    /// The factories.
    pub factories: Vec<FactorySummary>,
    /// How many figures are known.
    pub figures_known: usize,
    /// How many are openly unknown.
    pub figures_unknown: usize,
}

/// A factory in one line.
#[derive(Clone, Debug)]
pub struct FactorySummary {
    /// Its key.
    pub key: Slug,
    /// Its name.
    pub name: String,
    /// The hosting entity and place.
    pub host: String,
    /// The states, the hosting one first.
    pub states: Vec<String>,
    /// Its systems: name, kind and how far each has come.
    pub systems: Vec<(String, SystemKind, Option<Deployment>)>,
    /// Accelerators that are known to be there or on order; quantum processors are none.
    pub devices: u64,
    /// Partitions whose number of accelerators is unknown.
    pub devices_unknown: usize,
    /// Partitions whose hours are known by payer, of all its partitions.
    pub pools: (usize, usize),
}

impl Federation {
    /// The federation at a glance; pools are tried for `period` under `caps`.
    pub fn summary(&self, period: Period, caps: &Caps) -> Summary {
        let factories =
            self.factories.values().map(|factory| line(factory, period, caps)).collect();
        let mut count = (0, 0);
        for (_, system) in self.systems() {
            count_system(system, &mut count);
        }
        Summary { factories, figures_known: count.0, figures_unknown: count.1 }
    }
}

impl System {
    /// The pools of `partition` in `period`.
    ///
    /// # Errors
    /// Which figures are not known.
    pub fn pools(
        &self,
        partition: &super::Partition,
        period: Period,
        caps: &Caps,
    ) -> Result<Pools, NoPools> {
        match &self.agreement {
            Some(agreement) => pools(agreement, partition, period, caps),
            None => Err(NoPools {
                reasons: vec![format!("no agreement is described for {}", self.name)],
            }),
        }
    }
}

fn line(factory: &Factory, period: Period, caps: &Caps) -> FactorySummary {
    let partitions: Vec<_> = factory
        .systems
        .iter()
        .flat_map(|system| system.partitions.iter().map(move |part| (system, part)))
        .collect();
    let accelerated = || partitions.iter().filter(|(_, part)| part.meter != Meter::Qpu);
    let known = |(_, part): &&(&System, &super::Partition)| part.devices.known().is_some();
    let devices = accelerated().filter_map(|(_, part)| part.devices.known());
    let with_pools =
        partitions.iter().filter(|(system, part)| system.pools(part, period, caps).is_ok());
    FactorySummary {
        key: factory.key.clone(),
        name: factory.name.clone(),
        host: format!("{}, {}", factory.hosting_entity, factory.place),
        states: factory.states().iter().map(ToString::to_string).collect(),
        systems: factory
            .systems
            .iter()
            .map(|it| (it.name.clone(), it.kind, it.deployment.known().copied()))
            .collect(),
        devices: devices.map(|count| u64::from(*count)).fold(0, u64::saturating_add),
        devices_unknown: accelerated().filter(|it| !known(it)).count(),
        pools: (with_pools.count(), partitions.len()),
    }
}

fn count_system(system: &System, count: &mut (usize, usize)) {
    let mut add = |known: bool| {
        let side = if known { &mut count.0 } else { &mut count.1 };
        *side = side.saturating_add(1);
    };
    add(system.deployment.known().is_some());
    add(system.vendor.known().is_some());
    for part in &system.partitions {
        for figure in [
            &part.nodes,
            &part.devices_per_node,
            &part.devices,
            &part.cores_per_node,
            &part.memory_per_node_gb,
        ] {
            add(figure.known().is_some());
        }
        add(part.device.known().is_some());
        add(part.charge_rule.known().is_some());
    }
    if let Some(agreement) = &system.agreement {
        add(agreement.class.known().is_some());
        add(agreement.signed.known().is_some());
        add(agreement.acquisition.known().is_some());
        add(agreement.operation.known().is_some());
        add(agreement.operation_years.known().is_some());
        add(agreement.union_acquisition.known().is_some());
        add(agreement.union_operation.known().is_some());
        add(agreement.commercial.known().is_some());
        add(agreement.remainder.known().is_some());
    }
}
