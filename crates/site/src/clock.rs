//! The site's clock.

use units::Timestamp;

/// What time it is here.
#[expect(clippy::disallowed_methods, reason = "when something came about is a fact of the site")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}
