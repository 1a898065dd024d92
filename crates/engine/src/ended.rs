//! How a job ended, as it stands in a file.

use jobs::life::{End, Failure};
use serde::{Deserialize, Serialize};
use units::Timestamp;

use crate::job::Ended;

/// [`Ended`], durable before anybody is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EndRecord {
    pub(crate) how: How,
    pub(crate) reason: Option<String>,
    pub(crate) started_microseconds: Option<i64>,
    pub(crate) ended_microseconds: i64,
    pub(crate) peak_memory_mb: Option<u64>,
    pub(crate) cpu_milliseconds: Option<u64>,
}

/// The ends that engines can bring about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum How {
    Completed,
    Exited(u8),
    Signalled(u8),
    Cancelled,
    TimedOut,
    OutOfMemory,
    NodeFailed,
    Preempted,
    BootFailed,
    DeadlineMissed,
    Refused,
}

impl From<How> for End {
    fn from(how: How) -> Self {
        match how {
            How::Completed => Self::Completed,
            How::Exited(code) => Self::Failed(Failure::ExitCode(code)),
            How::Signalled(signal) => Self::Failed(Failure::Signal(signal)),
            How::Cancelled => Self::Cancelled,
            How::TimedOut => Self::TimedOut,
            How::OutOfMemory => Self::OutOfMemory,
            How::NodeFailed => Self::NodeFailed,
            How::Preempted => Self::Preempted,
            How::BootFailed => Self::BootFailed,
            How::DeadlineMissed => Self::DeadlineMissed,
            How::Refused => Self::Refused,
        }
    }
}

impl From<End> for How {
    fn from(end: End) -> Self {
        match end {
            End::Completed => Self::Completed,
            End::Failed(Failure::ExitCode(code)) => Self::Exited(code),
            End::Failed(Failure::Signal(signal)) => Self::Signalled(signal),
            End::Cancelled => Self::Cancelled,
            End::TimedOut => Self::TimedOut,
            End::OutOfMemory => Self::OutOfMemory,
            End::NodeFailed => Self::NodeFailed,
            End::Preempted => Self::Preempted,
            End::BootFailed => Self::BootFailed,
            End::DeadlineMissed => Self::DeadlineMissed,
            End::Refused => Self::Refused,
        }
    }
}

impl From<EndRecord> for Ended {
    fn from(record: EndRecord) -> Self {
        let instant = |microseconds| Timestamp::from_microsecond(microseconds).ok();
        Self {
            end: record.how.into(),
            reason: record.reason,
            started: record.started_microseconds.and_then(instant),
            ended: instant(record.ended_microseconds).unwrap_or(Timestamp::UNIX_EPOCH),
            peak_memory_mb: record.peak_memory_mb,
            cpu_milliseconds: record.cpu_milliseconds,
        }
    }
}

impl From<Ended> for EndRecord {
    fn from(ended: Ended) -> Self {
        Self {
            how: ended.end.into(),
            reason: ended.reason,
            started_microseconds: ended.started.map(Timestamp::as_microsecond),
            ended_microseconds: ended.ended.as_microsecond(),
            peak_memory_mb: ended.peak_memory_mb,
            cpu_milliseconds: ended.cpu_milliseconds,
        }
    }
}
