//! Between the words of the protocol and those of the engine.

use engine::{Capacity, Ended, Place, Spec};
use jobs::life::{End, Failure};
use units::{JobId, Timestamp};

use super::Settings;
use super::orders::error_chain;
use super::persons::Persons;
use crate::protocol::{
    self, AWAY_MAX, Drained, EventBody, Health, Inventory, RESERVED_MAX, Running, SNAPSHOT_MAX,
    Share, SnapshotJob, SnapshotNode, StartJob,
};

/// What the engine is to run.
pub(super) fn spec(order: &StartJob, place: Place) -> Spec {
    let request = order.request;
    Spec {
        name: order.name.clone(),
        script: order.script.clone(),
        environment: order.environment.clone(),
        request: engine::Request {
            nodes: request.nodes,
            cores: request.cpus,
            memory_mb: request.memory_mb,
            gpus: request.gpus,
            time_limit_seconds: request.time_limit_seconds,
        },
        network: match order.network {
            protocol::Network::Denied => engine::Network::Denied,
            protocol::Network::Allowed => engine::Network::Allowed,
        },
        folder: order.folder.clone(),
        stdout: order.stdout.clone(),
        stderr: order.stderr.clone(),
        outputs: order.outputs.iter().map(|output| output.path.clone()).collect(),
        place,
    }
}

/// What the hub hears of the end of a job.
pub(super) fn ended(ended: &Ended) -> EventBody {
    let reason = ended.reason.clone().unwrap_or_default();
    let end = match ended.end {
        End::Refused => return EventBody::Refused { reason },
        End::Completed => protocol::End::Completed,
        End::Failed(Failure::ExitCode(code)) => {
            protocol::End::Failed { exit_code: i32::from(code) }
        }
        End::Failed(Failure::Signal(signal)) => protocol::End::Killed { signal: i32::from(signal) },
        End::Cancelled => protocol::End::Cancelled,
        End::TimedOut => protocol::End::TimedOut,
        End::OutOfMemory => protocol::End::OutOfMemory,
        End::NodeFailed => protocol::End::NodeFailed { reason },
        End::Preempted => protocol::End::Preempted,
        End::BootFailed => protocol::End::BootFailed,
        End::DeadlineMissed => protocol::End::DeadlineMissed,
    };
    EventBody::Ended {
        end,
        started: ended.started,
        ended: ended.ended,
        peak_memory_mb: ended.peak_memory_mb,
        cpu_milliseconds: ended.cpu_milliseconds,
    }
}

/// What the hub hears of the site.
pub(super) fn inventory(capacity: &Capacity, settings: &Settings, persons: &Persons) -> Inventory {
    Inventory {
        host: capacity.host.clone(),
        agent: env!("CARGO_PKG_VERSION").to_owned(),
        engine: Some(settings.engine.clone()),
        nodes: capacity.nodes,
        cpus: capacity.cores,
        memory_mb: capacity.memory_mb,
        gpus: capacity.gpus.clone(),
        isolation: capacity.isolation.clone(),
        logins: persons.digests(),
        scheduler: settings.scheduler.clone(),
    }
}

/// What the hub hears of what keeps the site from taking work.
pub(super) fn health(
    asked: Result<engine::Health, engine::Error>,
    drained: std::io::Result<Option<Drained>>,
) -> Health {
    let failing = |why: String| Health { failing: Some(why), ..Health::default() };
    let drained = match drained {
        Ok(drained) => drained,
        Err(error) => return failing(format!("whether the site is drained is unclear: {error}")),
    };
    let health = match asked {
        Ok(health) => health,
        Err(error) => return Health { drained, ..failing(error_chain(&error)) },
    };
    let away = health.away.into_iter().take(AWAY_MAX).map(|node| protocol::NodeAway {
        name: node.name,
        condition: condition(node.condition),
        reason: node.reason,
        since: node.since,
    });
    let reserved = health.reserved.into_iter().take(RESERVED_MAX).map(|one| protocol::Reserved {
        name: one.name,
        from: one.from,
        until: one.until,
        nodes: one.nodes,
        maintenance: one.maintenance,
    });
    Health {
        drained,
        failing: None,
        closed: health.closed,
        away: away.collect(),
        reserved: reserved.collect(),
        accounting_backlog: health.accounting_backlog,
    }
}

const fn condition(condition: engine::Condition) -> protocol::Condition {
    match condition {
        engine::Condition::Draining => protocol::Condition::Draining,
        engine::Condition::Drained => protocol::Condition::Drained,
        engine::Condition::Maintenance => protocol::Condition::Maintenance,
        engine::Condition::Rebooting => protocol::Condition::Rebooting,
        engine::Condition::Off => protocol::Condition::Off,
        engine::Condition::Failing => protocol::Condition::Failing,
        engine::Condition::Down => protocol::Condition::Down,
        engine::Condition::Unknown => protocol::Condition::Unknown,
    }
}

/// What the hub hears of what runs and waits; `None` when it is more than it would take, or lies
/// outside of time. Jobs that are not `known` as the hub's are told without their names.
pub(super) fn snapshot(
    snapshot: &sched::Snapshot,
    at: Timestamp,
    known: impl Fn(JobId) -> bool,
) -> Option<protocol::Snapshot> {
    let sched::Snapshot { partition, down, running, waiting } = snapshot;
    if [partition.nodes.len(), running.len(), waiting.len()].iter().any(|len| *len > SNAPSHOT_MAX) {
        tracing::warn!("the site is too busy to be shown to the hub");
        return None;
    }
    let job = |job: &sched::Job| SnapshotJob {
        job: known(job.id).then_some(job.id),
        nodes: job.request.nodes,
        cpus_per_node: job.request.each.cores,
        memory_mb_per_node: job.request.each.memory_mb,
        gpus_per_node: job.request.each.gpus,
        features: job.request.features.clone(),
        time_limit_seconds: u64::try_from(job.time_limit_seconds).unwrap_or_default(),
    };
    let count = |numbers: &[u32]| u32::try_from(numbers.len()).unwrap_or(u32::MAX);
    let share = |part: &sched::NodePlacement| Share {
        node: part.node.clone(),
        cpus: count(&part.cores),
        memory_mb: part.memory_mb,
        gpus: count(&part.gpus),
    };
    let run = |(asked, placement, started): &(sched::Job, sched::Placement, i64)| {
        Some(Running {
            job: job(asked),
            started: Timestamp::from_second(*started).ok()?,
            shares: placement.nodes.iter().map(share).collect(),
        })
    };
    let node = |node: &sched::NodeSpec| SnapshotNode {
        name: node.name.clone(),
        up: !down.contains(&node.name),
        cpus: node.whole.cores,
        memory_mb: node.whole.memory_mb,
        gpus: node.whole.gpus,
        features: node.features.clone(),
    };
    Some(protocol::Snapshot {
        at,
        policy: match partition.policy {
            sched::Policy::Fcfs => protocol::Policy::Fcfs,
            sched::Policy::Easy => protocol::Policy::Easy,
            sched::Policy::Conservative => protocol::Policy::Conservative,
        },
        shared: match partition.sharing {
            sched::Sharing::Shared => true,
            sched::Sharing::Whole => false,
        },
        nodes: partition.nodes.iter().map(node).collect(),
        running: running.iter().map(run).collect::<Option<_>>()?,
        waiting: waiting.iter().map(job).collect(),
    })
}
