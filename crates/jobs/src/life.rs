//! The life of a job: from submission to every end that Slurm knows.
//!
//! [`step`] is the only way from one state to the next. Reports arrive late, twice and out of
//! order; what cannot be true any more is ignored with a reason, and the last word on when a job
//! ran is the report of its end.

use std::fmt;
use std::str::FromStr;

use units::Timestamp;

/// How a job that did not complete failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Failure {
    /// The script returned this.
    ExitCode(u8),
    /// The script was ended by this signal.
    Signal(u8),
}

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// The script returned zero.
    Completed,
    /// The script did not return zero.
    Failed(Failure),
    /// Somebody, or a dependency that can never be met, stopped it.
    Cancelled,
    /// Its time limit passed.
    TimedOut,
    /// It needed more memory than it had.
    OutOfMemory,
    /// A node under it went away.
    NodeFailed,
    /// More important work took its place.
    Preempted,
    /// Its nodes did not come up.
    BootFailed,
    /// It could not have finished by its deadline.
    DeadlineMissed,
    /// The site could not take it.
    Refused,
}

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// The hub keeps it until its dependencies are met.
    Held,
    /// The site is to start it and has not answered yet.
    Ordered,
    /// The site has it and it waits for its turn.
    Queued,
    /// It runs.
    Running {
        /// Since when.
        started: Timestamp,
    },
    /// Nothing more will happen to it.
    Ended {
        /// How.
        end: End,
        /// When it began to run, if it ever did.
        started: Option<Timestamp>,
        /// When it ended.
        ended: Timestamp,
    },
}

/// A job's state and whether its end was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Life {
    /// Where it stands.
    pub state: State,
    /// Whether the site was told to stop it.
    pub cancel_asked: bool,
}

/// What happens to a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// Its dependencies are met.
    Released,
    /// Somebody wants it stopped, at this instant.
    CancelAsked(Timestamp),
    /// The site has taken it.
    Accepted,
    /// It began to run, at this instant.
    Started(Timestamp),
    /// It ended.
    Ended {
        /// How.
        end: End,
        /// When it began to run, if it ever did.
        started: Option<Timestamp>,
        /// When it ended.
        ended: Timestamp,
    },
}

/// What follows from a step, to be stored with the new state in one transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Tell the site to start it.
    OrderStart,
    /// Tell the site to stop it.
    OrderCancel,
    /// Charge for the time it ran and give back the rest of what was held.
    Settle {
        /// When it began to run.
        started: Timestamp,
        /// When it ended.
        ended: Timestamp,
    },
    /// Give back everything that was held: it never ran, or its site cannot say for how long.
    Release,
}

/// Why an event changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Ignored {
    /// It was already known.
    #[error("this was already known")]
    Duplicate,
    /// The job is past the point where it could matter.
    #[error("the job is already past this point")]
    Late,
    /// No site was told of the job.
    #[error("no site was told of this job yet")]
    NeverOrdered,
    /// The job would have ended before it began.
    #[error("the end lies before the start")]
    EndsBeforeStart,
}

/// A new state and what follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The job from now on.
    pub life: Life,
    /// What must be done because of it.
    pub effect: Option<Effect>,
}

impl Life {
    /// A job just submitted, and what follows: kept when something must end first, else ordered.
    pub const fn submitted(waits_for_others: Waits) -> Step {
        match waits_for_others {
            Waits::ForDependencies => {
                Step { life: Self { state: State::Held, cancel_asked: false }, effect: None }
            }
            Waits::ForNothing => Step {
                life: Self { state: State::Ordered, cancel_asked: false },
                effect: Some(Effect::OrderStart),
            },
        }
    }
}

/// What a job just submitted waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Waits {
    /// Other jobs.
    ForDependencies,
    /// Nothing: the site may have it.
    ForNothing,
}

/// Takes in one event.
///
/// # Errors
/// When the event changes nothing, with the reason.
pub fn step(life: Life, event: Event) -> Result<Step, Ignored> {
    match event {
        Event::Released => released(life),
        Event::CancelAsked(at) => cancel_asked(life, at),
        Event::Accepted => accepted(life),
        Event::Started(at) => started(life, at),
        Event::Ended { end, started, ended } => ended_with(life, end, started, ended),
    }
}

fn released(life: Life) -> Result<Step, Ignored> {
    match life.state {
        State::Held => Ok(Step { effect: Some(Effect::OrderStart), ..moved(life, State::Ordered) }),
        State::Ordered | State::Queued | State::Running { .. } => Err(Ignored::Duplicate),
        State::Ended { .. } => Err(Ignored::Late),
    }
}

fn cancel_asked(life: Life, at: Timestamp) -> Result<Step, Ignored> {
    match life.state {
        State::Held => {
            let state = State::Ended { end: End::Cancelled, started: None, ended: at };
            Ok(Step { effect: Some(Effect::Release), ..moved(life, state) })
        }
        State::Ordered | State::Queued | State::Running { .. } if life.cancel_asked => {
            Err(Ignored::Duplicate)
        }
        State::Ordered | State::Queued | State::Running { .. } => Ok(Step {
            life: Life { cancel_asked: true, ..life },
            effect: Some(Effect::OrderCancel),
        }),
        State::Ended { .. } => Err(Ignored::Late),
    }
}

fn accepted(life: Life) -> Result<Step, Ignored> {
    match life.state {
        State::Held => Err(Ignored::NeverOrdered),
        State::Ordered => Ok(moved(life, State::Queued)),
        State::Queued => Err(Ignored::Duplicate),
        State::Running { .. } | State::Ended { .. } => Err(Ignored::Late),
    }
}

fn started(life: Life, at: Timestamp) -> Result<Step, Ignored> {
    match life.state {
        State::Held => Err(Ignored::NeverOrdered),
        State::Ordered | State::Queued => Ok(moved(life, State::Running { started: at })),
        State::Running { .. } => Err(Ignored::Duplicate),
        State::Ended { .. } => Err(Ignored::Late),
    }
}

/// The report of the end stands alone: it may overtake the others, and its start corrects theirs. A
/// job without one there is charged nothing, whatever was told before: its site has lost the run, or
/// takes it back.
fn ended_with(
    life: Life,
    end: End,
    started: Option<Timestamp>,
    ended: Timestamp,
) -> Result<Step, Ignored> {
    match life.state {
        State::Held => return Err(Ignored::NeverOrdered),
        State::Ended { end: e, started: s, ended: t } if (e, s, t) == (end, started, ended) => {
            return Err(Ignored::Duplicate);
        }
        State::Ended { .. } => return Err(Ignored::Late),
        State::Ordered | State::Queued | State::Running { .. } => {}
    }
    if started.is_some_and(|started| ended < started) {
        return Err(Ignored::EndsBeforeStart);
    }
    let effect = match started {
        Some(started) => Effect::Settle { started, ended },
        None => Effect::Release,
    };
    Ok(Step { effect: Some(effect), ..moved(life, State::Ended { end, started, ended }) })
}

const fn moved(life: Life, state: State) -> Step {
    Step { life: Life { state, ..life }, effect: None }
}

impl State {
    /// Whether nothing more will happen.
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::Ended { .. })
    }

    /// The state in one word.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Ordered => "ordered",
            Self::Queued => "queued",
            Self::Running { .. } => "running",
            Self::Ended { .. } => "ended",
        }
    }
}

impl End {
    /// Whether the job did what it was to do.
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Completed)
    }

    /// The end in one or two words, without the exit code.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed(_) => "failed",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed-out",
            Self::OutOfMemory => "out-of-memory",
            Self::NodeFailed => "node-failed",
            Self::Preempted => "preempted",
            Self::BootFailed => "boot-failed",
            Self::DeadlineMissed => "deadline-missed",
            Self::Refused => "refused",
        }
    }
}

impl fmt::Display for End {
    /// Writes the name, and after a failure how: `failed exit 3`, `failed signal 9`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::Failed(Failure::ExitCode(code)) => write!(f, " exit {code}"),
            Self::Failed(Failure::Signal(signal)) => write!(f, " signal {signal}"),
            _ => Ok(()),
        }
    }
}

/// The text names no end of a job.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an end of a job")]
pub struct NotAnEnd(pub String);

impl FromStr for End {
    type Err = NotAnEnd;

    fn from_str(text: &str) -> Result<Self, NotAnEnd> {
        let wrong = || NotAnEnd(text.to_owned());
        if let Some(code) = text.strip_prefix("failed exit ") {
            return code
                .parse()
                .map(|code| Self::Failed(Failure::ExitCode(code)))
                .map_err(|_| wrong());
        }
        if let Some(signal) = text.strip_prefix("failed signal ") {
            return signal
                .parse()
                .map(|number| Self::Failed(Failure::Signal(number)))
                .map_err(|_| wrong());
        }
        const PLAIN: [End; 9] = [
            End::Completed,
            End::Cancelled,
            End::TimedOut,
            End::OutOfMemory,
            End::NodeFailed,
            End::Preempted,
            End::BootFailed,
            End::DeadlineMissed,
            End::Refused,
        ];
        PLAIN.into_iter().find(|end| end.name() == text).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests;
