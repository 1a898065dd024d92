//! Which machine a job goes to.

use super::site::Site;
use crate::scenario::{Placement, Scenario};
use crate::workload::{Job, Workload};

/// The machine a job is sent to, and when it arrives there with its data; `None` when no machine is
/// up that is large enough.
pub(super) fn choose(
    scenario: &Scenario,
    workload: &Workload,
    sites: &[Site<'_>],
    job: &Job,
    now: i64,
) -> Option<(usize, i64)> {
    let takes = |(_, site): &(usize, &Site<'_>)| site.takes(job.size);
    let open = sites.iter().enumerate().filter(takes).map(|(machine, _)| machine);
    let open: Vec<usize> = open.collect();
    let home = home(scenario, workload, job);
    let arrives = |machine: usize| match (home, scenario.transfer_gbit_per_second) {
        (Some(home), Some(gbit)) if home != machine && job.data_gb > 0 => {
            // Eight bits a byte; part of a second counts as one.
            now + (i64::from(job.data_gb) * 8 + i64::from(gbit) - 1) / i64::from(gbit)
        }
        _ => now,
    };
    let site = |machine: &usize| sites.get(*machine);
    let chosen = match scenario.policy.placement {
        Placement::Random => {
            let lot = usize::try_from(job.lot).unwrap_or_default();
            open.get(lot % open.len().max(1)).copied()
        }
        Placement::LeastLoaded => open.into_iter().min_by_key(|it| site(it).map(Site::load)),
        Placement::Forecast => {
            open.into_iter().min_by_key(|it| site(it).map(|site| site.forecast(job, now)))
        }
        Placement::DataAware => open.into_iter().min_by_key(|it| {
            site(it).map(|site| (site.forecast(job, now).max(arrives(*it)), arrives(*it)))
        }),
    };
    chosen.map(|machine| (machine, arrives(machine)))
}

/// Where the data of a job lies: on one of its group's machines, or on any.
fn home(scenario: &Scenario, workload: &Workload, job: &Job) -> Option<usize> {
    // The other half of the draw that chooses a machine at random.
    let lot = usize::try_from(job.lot >> 16).unwrap_or_default();
    let homes = workload.groups.get(job.group).map_or(&[][..], |group| group.home.as_slice());
    if homes.is_empty() {
        return lot.checked_rem(scenario.machines.len());
    }
    let key = homes.get(lot % homes.len())?;
    scenario.machines.iter().position(|machine| machine.key == *key)
}
