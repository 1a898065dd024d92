//! How often one client may call: a token bucket each, kept in memory.
//!
//! The buckets belong to this process. Several hubs behind one address each allow the full rate.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::settings::Rate;

/// How many clients are remembered before the idle ones are forgotten.
const CLIENTS_MAX: usize = 10_000;

/// The buckets of all clients under one rate.
#[derive(Debug)]
pub(crate) struct Limiter {
    rate: Rate,
    buckets: Mutex<BTreeMap<String, Bucket>>,
}

/// The requests that a client has yet, as of an instant; a thousand parts each.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    thousandths: u64,
    at: Instant,
}

impl Limiter {
    pub(crate) const fn new(rate: Rate) -> Self {
        Self { rate, buckets: Mutex::new(BTreeMap::new()) }
    }

    /// Takes one request from `client`'s bucket.
    ///
    /// # Errors
    /// The whole seconds to wait until there is one again.
    pub(crate) fn take(&self, client: &str, now: Instant) -> Result<(), u64> {
        let mut buckets = self.buckets.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if buckets.len() >= CLIENTS_MAX {
            buckets.retain(|_, bucket| self.refilled(*bucket, now) < self.full());
        }
        let fresh = Bucket { thousandths: self.full(), at: now };
        let bucket = buckets.entry(client.to_owned()).or_insert(fresh);
        let available = self.refilled(*bucket, now);
        let left = available.checked_sub(1_000);
        *bucket = Bucket { thousandths: left.unwrap_or(available), at: now };
        left.map(|_| ()).ok_or_else(|| self.seconds_until_one(available))
    }

    fn full(&self) -> u64 {
        u64::from(self.rate.burst.get()).saturating_mul(1_000)
    }

    fn refilled(&self, bucket: Bucket, now: Instant) -> u64 {
        let elapsed = now.saturating_duration_since(bucket.at).min(Duration::from_secs(86_400));
        let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let gained = millis.saturating_mul(u64::from(self.rate.per_minute.get())) / 60;
        bucket.thousandths.saturating_add(gained).min(self.full())
    }

    fn seconds_until_one(&self, thousandths: u64) -> u64 {
        let missing = 1_000_u64.saturating_sub(thousandths);
        let per_minute = u64::from(self.rate.per_minute.get());
        missing.saturating_mul(60).div_ceil(per_minute.saturating_mul(1_000)).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_waits_after_its_burst_and_not_for_the_others() {
        let limiter = Limiter::new(Rate::new(2, 30));
        let start = Instant::now();
        assert_eq!(limiter.take("a", start), Ok(()));
        assert_eq!(limiter.take("a", start), Ok(()));
        assert_eq!(limiter.take("a", start), Err(2));
        assert_eq!(limiter.take("b", start), Ok(()));
        assert_eq!(limiter.take("a", start + Duration::from_secs(2)), Ok(()));
        assert_eq!(limiter.take("a", start + Duration::from_secs(2)), Err(2));
    }

    #[test]
    fn frequent_questions_do_not_lose_the_fractions() {
        let limiter = Limiter::new(Rate::new(1, 60));
        let start = Instant::now();
        assert_eq!(limiter.take("a", start), Ok(()));
        for millis in (100..1_000).step_by(100) {
            assert!(limiter.take("a", start + Duration::from_millis(millis)).is_err());
        }
        assert_eq!(limiter.take("a", start + Duration::from_millis(1_000)), Ok(()));
    }

    #[test]
    fn clients_at_rest_are_forgotten_before_memory_grows() {
        let limiter = Limiter::new(Rate::new(1, 60));
        let start = Instant::now();
        for client in 0..CLIENTS_MAX {
            limiter.take(&client.to_string(), start).unwrap();
        }
        limiter.take("late", start + Duration::from_secs(5)).unwrap();
        assert_eq!(limiter.buckets.lock().unwrap().len(), 1);
    }
}
