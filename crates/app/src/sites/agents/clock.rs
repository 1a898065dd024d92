//! In what words agents are turned away, and when their clocks are why.

use jiff::SignedDuration;
use site::key::KeyError;
use store::sites::agents::KeyEnd;
use units::{Slug, Timestamp};

use crate::Error;

/// Refuses a proof that was made too long ago or too far ahead; how far ahead it was otherwise.
pub(super) fn timely(
    made: Timestamp,
    now: Timestamp,
    allowed: SignedDuration,
) -> Result<SignedDuration, Error> {
    let ahead = made.duration_since(now);
    if ahead.abs() <= allowed {
        return Ok(ahead);
    }
    let side = if ahead.is_negative() { "behind" } else { "ahead of" };
    Err(Error::NotAdmitted(format!(
        "the site's clock is {} s {side} the hub's, and {} s are allowed: set it (timedatectl \
         set-ntp true, or the site's time server), the agent then goes on by itself",
        ahead.abs().as_secs(),
        allowed.as_secs(),
    )))
}

/// The refusal of a proof that does not hold.
pub(super) fn unproven(error: KeyError) -> Error {
    Error::NotAdmitted(error.to_string())
}

/// The refusal of a key that was the site's once.
pub(super) fn ended(site: &Slug, at: Timestamp, how: KeyEnd) -> Error {
    let what = match how {
        KeyEnd::Revoked => "was revoked by its operator",
        KeyEnd::Rotated => "was replaced by another one of the same agent",
        KeyEnd::Replaced => "was replaced when another agent was enrolled",
    };
    let at = at.strftime("%Y-%m-%d %H:%M:%S UTC");
    Error::NotAdmitted(format!(
        "the key of the site {site} {what} at {at}; to let this agent in again, enrol it with a new \
         code"
    ))
}

/// The refusal of a key or code that says nothing to the hub, the same whatever is unknown.
pub(super) fn unknown(site: &Slug) -> Error {
    Error::NotAdmitted(format!(
        "the hub does not know this key or code as one of a site {site}; its operator makes a code \
         with: usine site enrol {site}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_off_is_told_by_how_much_and_on_which_side() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let at = |seconds| now.checked_add(SignedDuration::from_secs(seconds)).unwrap();
        let allowed = SignedDuration::from_secs(60);
        let told = |seconds| timely(at(seconds), now, allowed).unwrap_err().to_string();
        assert!(told(312).contains("the site's clock is 312 s ahead of the hub's"));
        assert!(told(-61).contains("the site's clock is 61 s behind the hub's"));
        for seconds in [-60, 0, 60] {
            assert_eq!(timely(at(seconds), now, allowed).unwrap().as_secs(), seconds);
        }
    }
}
