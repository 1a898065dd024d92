//! When something that could not be sent is tried again.

use jiff::SignedDuration;
use units::Timestamp;

/// How long to wait after each attempt that failed: about three days in all, as the specification
/// of Standard Webhooks proposes. After the last it is given up.
const WAITS_SECONDS: [i64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

/// When to try again what has failed so many times, the last time now; never when it was enough.
pub(crate) fn again(attempts: u32, now: Timestamp) -> Option<Timestamp> {
    let index = usize::try_from(attempts.checked_sub(1)?).ok()?;
    let wait = WAITS_SECONDS.get(index)?;
    now.checked_add(SignedDuration::from_secs(*wait)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_tried_ten_times_ever_more_seldom_over_three_days() {
        let start = Timestamp::UNIX_EPOCH;
        let (mut now, mut attempts, mut last) = (start, 1, SignedDuration::ZERO);
        while let Some(next) = again(attempts, now) {
            let wait = next.duration_since(now);
            assert!(wait > last, "{wait} after {last}");
            (now, last, attempts) = (next, wait, attempts + 1);
        }
        assert_eq!(attempts, 10);
        assert_eq!(now.duration_since(start).as_hours(), 75);
        assert_eq!(again(0, now), None);
    }
}
