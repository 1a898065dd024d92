//! Whether a job may leave the site that it waits for.
//!
//! A site that is silent may still have taken every order that was ever given out to its agent, so
//! only an order that nobody was given can be taken back: then no copy of the job runs anywhere.

use crate::life::{Life, State};

/// How far the order to start a job has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartOrder {
    /// It was given out to the site's agent, which may have it.
    GivenOut,
    /// No agent was given it.
    Kept,
}

/// Why a job stays where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stays {
    /// Nothing more will happen to it.
    #[error("it has ended")]
    Ended,
    /// Somebody wants it stopped.
    #[error("its end was asked for")]
    ToBeCancelled,
    /// It runs, or waits in the site's own queue.
    #[error("its site has taken it")]
    Taken,
    /// It is to run there already.
    #[error("it is to run there already")]
    There,
    /// The site may have taken it without having said so yet.
    #[error("its site was given it, and may have taken it: cancel it, and submit it again")]
    GivenOut,
}

/// Whether a job may leave its site.
///
/// # Errors
/// With what keeps it there.
pub const fn may_leave(life: &Life, start: StartOrder) -> Result<(), Stays> {
    match (life.state, start) {
        (State::Ended { .. }, _) => Err(Stays::Ended),
        (State::Queued | State::Running { .. }, _) => Err(Stays::Taken),
        (State::Held | State::Ordered, _) if life.cancel_asked => Err(Stays::ToBeCancelled),
        (State::Held, _) | (State::Ordered, StartOrder::Kept) => Ok(()),
        (State::Ordered, StartOrder::GivenOut) => Err(Stays::GivenOut),
    }
}

#[cfg(test)]
mod tests {
    use units::Timestamp;

    use super::*;
    use crate::life::End;

    #[test]
    fn a_job_leaves_its_site_only_while_no_copy_of_it_can_be_there() {
        let started = Timestamp::UNIX_EPOCH;
        let ended = State::Ended { end: End::Completed, started: None, ended: started };
        let states =
            [State::Held, State::Ordered, State::Queued, State::Running { started }, ended];
        let told = |start, cancel_asked| {
            states.map(|state| may_leave(&Life { state, cancel_asked }, start).err())
        };
        let (taken, over) = (Some(Stays::Taken), Some(Stays::Ended));
        assert_eq!(told(StartOrder::Kept, false), [None, None, taken, taken, over]);
        let given = Some(Stays::GivenOut);
        assert_eq!(told(StartOrder::GivenOut, false), [None, given, taken, taken, over]);
        let cancelled = Some(Stays::ToBeCancelled);
        assert_eq!(told(StartOrder::Kept, true), [cancelled, cancelled, taken, taken, over]);
    }
}
