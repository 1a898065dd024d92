//! The hub's clock: it shows what it was set to, and its ids come from the seed.

use std::sync::Mutex;
use std::sync::PoisonError;

use app::Clock;
use engine::slurm::modelled::Dice;
use units::Timestamp;
use uuid::Uuid;

#[derive(Debug)]
pub(crate) struct HubClock(Mutex<(Timestamp, Dice)>);

impl HubClock {
    pub(crate) fn new(now: Timestamp, seed: u64) -> Self {
        Self(Mutex::new((now, Dice::new(seed))))
    }

    pub(crate) fn set(&self, now: Timestamp) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0 = now;
    }
}

impl Clock for HubClock {
    fn now(&self) -> Timestamp {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    fn mint(&self) -> Uuid {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let millis = u64::try_from(inner.0.as_millisecond()).unwrap_or_default();
        let mut random = [0; 10];
        for (byte, chance) in
            random.iter_mut().zip(inner.1.roll().to_le_bytes().into_iter().chain([0, 0]))
        {
            *byte = chance;
        }
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }
}
