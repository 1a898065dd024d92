//! How an agent comes to be let in: once by a code, then by its key.

use serde::{Deserialize, Serialize};
use units::Timestamp;
use utoipa::ToSchema;

use crate::wire::text;

/// A signature over one purpose at one site; good once, and only for a short time.
///
/// The text that is signed, each line ended by a line feed: `usine-agent-proof-1`, the purpose
/// (`enrol`, `session` or `rotate`), the site's name, `at`, `nonce`, and what it is about (the
/// SHA-256 of the code in hexadecimal; `-`; the other key).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Proof {
    /// The signing key: 32 bytes of Ed25519, in base64.
    #[schema(example = "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=")]
    pub key: String,
    /// When it was made, by the site's clock; signed as it is written here.
    #[schema(format = DateTime)]
    pub at: String,
    /// Something that this key never signed before: 16 to 64 letters, digits, `-` or `_`.
    #[schema(min_length = 16, max_length = 64, pattern = "^[0-9A-Za-z_-]+$")]
    pub nonce: String,
    /// The signature (RFC 8032), in base64.
    pub signature: String,
}

/// What an agent asks with a one-time code.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct Enrolment {
    /// [`VERSION`](super::VERSION) of the agent.
    pub version: u32,
    /// The code that the operator of the site was shown.
    pub code: String,
    /// Made for `enrol` by the key that is to be the site's from now on.
    pub proof: Proof,
}

impl std::fmt::Debug for Enrolment {
    /// Leaves the code out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Enrolment").field("proof", &self.proof).finish_non_exhaustive()
    }
}

/// The key is the site's from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Enrolled {
    /// [`VERSION`](super::VERSION) of the hub.
    pub version: u32,
    /// The name by which people compare keys.
    pub fingerprint: String,
}

/// What an agent asks to be let in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Knock {
    /// [`VERSION`](super::VERSION) of the agent.
    pub version: u32,
    /// Made for `session` by the site's key.
    pub proof: Proof,
}

/// A token for everything else, until it ends.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// [`VERSION`](super::VERSION) of the hub.
    pub version: u32,
    /// What to send as `Authorization: Bearer …`.
    pub token: String,
    /// How long it works.
    pub expires_in_seconds: u32,
    /// The hub's clock.
    #[serde(with = "text")]
    #[schema(value_type = String, format = DateTime)]
    pub now: Timestamp,
}

impl std::fmt::Debug for Session {
    /// Leaves the token out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("now", &self.now).finish_non_exhaustive()
    }
}

/// What an agent asks to put another key in the place of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Rotation {
    /// [`VERSION`](super::VERSION) of the agent.
    pub version: u32,
    /// The other key: 32 bytes of Ed25519, in base64.
    pub to: String,
    /// Made for `rotate` by the site's key so far.
    pub proof: Proof,
}

/// Why `theirs` and `ours` cannot speak with each other, if they cannot: a version changes nothing
/// that its neighbours would misunderstand, and nothing is said of those beyond.
pub fn apart(ours: (&str, u32), theirs: (&str, u32)) -> Option<String> {
    let ((our, ours), (their, theirs)) = (ours, theirs);
    if ours.abs_diff(theirs) <= 1 {
        return None;
    }
    let older = if ours < theirs { our } else { their };
    Some(format!(
        "this {our} speaks version {ours} of the agents' protocol and works with versions {} to {}; \
         the {their} speaks version {theirs}: update the {older}",
        ours.saturating_sub(1),
        ours.saturating_add(1),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_understand_each_other_and_others_are_told_who_is_to_be_updated() {
        for theirs in [4, 5, 6] {
            assert_eq!(apart(("hub", 5), ("agent", theirs)), None);
        }
        let told = apart(("hub", 5), ("agent", 3)).unwrap();
        assert_eq!(
            told,
            "this hub speaks version 5 of the agents' protocol and works with versions 4 to 6; the \
             agent speaks version 3: update the agent"
        );
        assert!(apart(("agent", 1), ("hub", 3)).unwrap().ends_with("update the agent"));
        assert!(apart(("agent", 3), ("hub", 1)).unwrap().ends_with("update the hub"));
    }
}
