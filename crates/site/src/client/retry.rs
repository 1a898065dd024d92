//! How long a client goes on when the hub does not answer.

use std::time::Duration;

use super::Error;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// How often a call that may succeed later is made, and so how long a dead hub is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    attempts_max: u32,
}

impl Default for Patience {
    /// Five attempts within about two seconds.
    fn default() -> Self {
        Self { attempts_max: 5 }
    }
}

impl Patience {
    /// One attempt: the caller repeats by itself.
    pub const NONE: Self = Self { attempts_max: 1 };

    /// At most so many attempts.
    pub const fn attempts_max(attempts_max: u32) -> Self {
        Self { attempts_max }
    }

    pub(super) const fn attempts(self) -> Attempts {
        Attempts { left: self.attempts_max.saturating_sub(1), pause: FIRST_PAUSE }
    }
}

/// The attempts of one call.
#[derive(Debug)]
pub(super) struct Attempts {
    left: u32,
    pause: Duration,
}

impl Attempts {
    /// How long to wait before the next attempt; `None` when there is to be none.
    pub(super) fn pause_after(&mut self, error: &Error) -> Option<Duration> {
        if !error.is_transient() {
            return None;
        }
        self.left = self.left.checked_sub(1)?;
        let asked = match error {
            Error::Refused(problem) => problem.wait_seconds.map(Duration::from_secs),
            _ => None,
        };
        let pause = asked.unwrap_or(self.pause).min(PAUSE_MAX);
        self.pause = self.pause.saturating_mul(2).min(PAUSE_MAX);
        Some(pause)
    }
}
