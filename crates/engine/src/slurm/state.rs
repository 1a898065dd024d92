//! Slurm's words for where a job stands.

use jobs::life::{End, Failure};

/// What a word of Slurm's means to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// It waits, perhaps once more.
    Waiting,
    /// It holds nodes.
    Active,
    /// It is over.
    Over(Close),
}

/// How a job ended, as far as the word alone tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Close {
    /// Its script returned zero.
    Completed,
    /// Its script did not; the status says how.
    Failed,
    /// As the word says.
    Plain(End),
}

/// How a script exited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Exit {
    pub(super) code: u8,
    pub(super) signal: u8,
}

/// A word that this program does not know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Slurm calls the state of a job `{0}`, which this program does not know")]
pub(super) struct UnknownState(pub(super) String);

/// The meaning of one word, such as `RUNNING` or `CANCELLED by 1000`. The words are those of
/// `squeue`'s and `sacct`'s manuals from release 22.05 to 25.11.
pub(super) fn phase(word: &str) -> Result<Phase, UnknownState> {
    let word = word.trim();
    let bare = word.split([' ', '+']).next().unwrap_or(word);
    Ok(match bare {
        "PENDING" | "REQUEUED" | "REQUEUE_FED" | "REQUEUE_HOLD" | "SPECIAL_EXIT"
        | "RESV_DEL_HOLD" | "EXPEDITING" => Phase::Waiting,
        "CONFIGURING" | "POWER_UP_NODE" | "RUNNING" | "RESIZING" | "SIGNALING" | "STAGE_OUT"
        | "STOPPED" | "SUSPENDED" | "COMPLETING" | "UPDATE_DB" => Phase::Active,
        "COMPLETED" => Phase::Over(Close::Completed),
        "FAILED" => Phase::Over(Close::Failed),
        "TIMEOUT" => Phase::Over(Close::Plain(End::TimedOut)),
        // A sibling of a federated job ran elsewhere, so this one never will.
        "CANCELLED" | "REVOKED" => Phase::Over(Close::Plain(End::Cancelled)),
        "OUT_OF_MEMORY" => Phase::Over(Close::Plain(End::OutOfMemory)),
        "NODE_FAIL" | "LAUNCH_FAILED" | "RECONFIG_FAIL" => {
            Phase::Over(Close::Plain(End::NodeFailed))
        }
        "PREEMPTED" => Phase::Over(Close::Plain(End::Preempted)),
        "BOOT_FAIL" => Phase::Over(Close::Plain(End::BootFailed)),
        "DEADLINE" => Phase::Over(Close::Plain(End::DeadlineMissed)),
        _ => return Err(UnknownState(word.to_owned())),
    })
}

/// The meaning of several words at once, as newer data formats have them: a state and what is being
/// done about it.
pub(super) fn phase_of_all<'w>(
    words: impl Iterator<Item = &'w str> + Clone,
) -> Result<Phase, UnknownState> {
    for decisive in ["COMPLETING", "REQUEUED", "REQUEUE_HOLD", "SPECIAL_EXIT"] {
        if words.clone().any(|word| word == decisive) {
            return phase(decisive);
        }
    }
    words.map(phase).next().unwrap_or_else(|| Err(UnknownState(String::new())))
}

impl Close {
    /// How the job ended; a word without a status says all it can.
    pub(super) fn end(self, exit: Option<Exit>) -> End {
        match (self, exit) {
            (Self::Completed, _) => End::Completed,
            (Self::Plain(end), _) => end,
            (Self::Failed, Some(Exit { signal, .. })) if signal > 0 => {
                End::Failed(Failure::Signal(signal))
            }
            (Self::Failed, Some(Exit { code, .. })) if code > 0 => {
                End::Failed(Failure::ExitCode(code))
            }
            (Self::Failed, _) => End::Failed(Failure::ExitCode(1)),
        }
    }
}

impl Exit {
    /// `3:0` or `0:9`: the code, then the signal.
    pub(super) fn from_pair(text: &str) -> Option<Self> {
        let (code, signal) = text.trim().split_once(':')?;
        Some(Self { code: low(code)?, signal: low(signal)? })
    }

    /// What `wait` tells: the code in the higher byte, the signal in the lower.
    pub(super) fn from_wait(status: u64) -> Self {
        let byte = |value: u64| u8::try_from(value & 0xFF).unwrap_or(u8::MAX);
        Self { code: byte(status >> 8), signal: byte(status & 0x7F) }
    }

    /// Whether it says more than that nothing is known.
    pub(super) fn is_failure(self) -> bool {
        self != Self::default()
    }
}

/// A number of which Slurm passes the lower byte on.
fn low(text: &str) -> Option<u8> {
    let number = super::text::number(text)?;
    u8::try_from(number & 0xFF).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_word_of_the_manuals_has_a_meaning() {
        let over = |word, exit: &str| match phase(word).unwrap() {
            Phase::Over(close) => close.end(Exit::from_pair(exit)),
            other => panic!("{word} is {other:?}"),
        };
        assert_eq!(over("COMPLETED", "0:0"), End::Completed);
        assert_eq!(over("FAILED", "3:0"), End::Failed(Failure::ExitCode(3)));
        assert_eq!(over("FAILED", "0:9"), End::Failed(Failure::Signal(9)));
        assert_eq!(over("CANCELLED by 1007", "0:15"), End::Cancelled);
        assert_eq!(over("TIMEOUT", "0:1"), End::TimedOut);
        assert_eq!(over("OUT_OF_MEMORY", "0:125"), End::OutOfMemory);
        assert_eq!(over("NODE_FAIL", "1:0"), End::NodeFailed);
        assert_eq!(over("PREEMPTED", "0:0"), End::Preempted);
        assert_eq!(over("BOOT_FAIL", "0:0"), End::BootFailed);
        assert_eq!(over("DEADLINE", "0:0"), End::DeadlineMissed);
        for word in ["PENDING", "REQUEUED", "REQUEUE_HOLD", "SPECIAL_EXIT"] {
            assert_eq!(phase(word), Ok(Phase::Waiting), "{word}");
        }
        for word in ["CONFIGURING", "RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "RESIZING"] {
            assert_eq!(phase(word), Ok(Phase::Active), "{word}");
        }
        assert_eq!(phase("DREAMING"), Err(UnknownState("DREAMING".to_owned())));
    }

    #[test]
    fn a_job_that_completes_still_holds_its_nodes() {
        assert_eq!(phase_of_all(["CANCELLED", "COMPLETING"].into_iter()), Ok(Phase::Active));
        assert_eq!(phase_of_all(["FAILED", "REQUEUED"].into_iter()), Ok(Phase::Waiting));
        let revoked = phase_of_all(["CANCELLED", "REVOKED"].into_iter());
        assert_eq!(revoked, Ok(Phase::Over(Close::Plain(End::Cancelled))));
        assert!(phase_of_all(std::iter::empty()).is_err());
    }

    #[test]
    fn the_status_of_wait_is_taken_apart() {
        assert_eq!(Exit::from_wait(768), Exit { code: 3, signal: 0 });
        assert_eq!(Exit::from_wait(9), Exit { code: 0, signal: 9 });
    }

    proptest! {
        #[test]
        fn no_word_makes_it_fail_otherwise(word in ".{0,30}") {
            let _ = phase(&word);
            let _ = Exit::from_pair(&word);
        }
    }
}
