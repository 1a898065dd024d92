//! The one clock, which also mints ids in order of time.

use std::sync::Mutex;

use jiff::SignedDuration;
use units::Timestamp;
use uuid::Uuid;

/// Where `now` comes from.
pub trait Clock: Send + Sync {
    /// The current instant, UTC.
    fn now(&self) -> Timestamp;

    /// A new id, later in order than every id minted in an earlier millisecond.
    fn mint(&self) -> Uuid {
        let mut random = [0; 10];
        if getrandom::fill(&mut random).is_err() {
            // Without the system's generator fall back to the generator of `uuid`'s v4.
            return Uuid::new_v4();
        }
        let millis = u64::try_from(self.now().as_millisecond()).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A clock that stands still until it is moved, for tests and demonstrations.
#[derive(Debug)]
pub struct MovableClock(Mutex<Timestamp>);

impl MovableClock {
    /// A clock standing at `start`.
    pub fn starting(start: Timestamp) -> Self {
        Self(Mutex::new(start))
    }

    /// Moves the clock by `step`; beyond the range of instants it stays where it is.
    pub fn advance(&self, step: SignedDuration) {
        let mut now = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *now = now.checked_add(step).unwrap_or(*now);
    }
}

impl Clock for MovableClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
