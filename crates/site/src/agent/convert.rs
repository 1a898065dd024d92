//! Between the words of the protocol and those of the engine.

use engine::{Capacity, Ended, Spec};
use jobs::life::{End, Failure};

use crate::protocol::{self, EventBody, Inventory, StartJob};

/// What the engine is to run.
pub(super) fn spec(order: &StartJob) -> Spec {
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
pub(super) fn inventory(capacity: &Capacity) -> Inventory {
    Inventory {
        host: capacity.host.clone(),
        agent: env!("CARGO_PKG_VERSION").to_owned(),
        cpus: capacity.cores,
        memory_mb: capacity.memory_mb,
        gpus: capacity.gpus.clone(),
        isolation: capacity.isolation.clone(),
    }
}
