//! The clock of a site.

use tokio::time::Instant;
use units::Timestamp;

/// Shows what time it is: the machine's, or one that goes as the runtime's time does.
#[derive(Clone, Copy, Debug, Default)]
pub enum Clock {
    /// The machine's.
    #[default]
    Machine,
    /// One that showed an instant when the runtime's time was another; for simulations, whose
    /// runtime lets time pass as it likes.
    Set {
        /// What it showed.
        at: Timestamp,
        /// When.
        since: Instant,
    },
}

impl Clock {
    /// What time it is.
    pub fn now(self) -> Timestamp {
        match self {
            Self::Machine => crate::carry::now(),
            Self::Set { at, since } => at.saturating_add(since.elapsed()).unwrap_or(Timestamp::MAX),
        }
    }
}
