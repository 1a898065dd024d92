//! Commands that speak to a hub: one module a noun.

pub(crate) mod aid;
pub(crate) mod allocation;
pub(crate) mod apply;
pub(crate) mod call;
pub(crate) mod data;
pub(crate) mod decision;
pub(crate) mod estimate;
pub(crate) mod invitation;
pub(crate) mod job;
pub(crate) mod ledger;
pub(crate) mod login;
pub(crate) mod model;
pub(crate) mod notice;
pub(crate) mod org;
pub(crate) mod people;
pub(crate) mod project;
pub(crate) mod review;
pub(crate) mod sessions;
pub(crate) mod site;
pub(crate) mod verdict;

use anyhow::Result;

use crate::output::Audience;
use crate::remote::{HubChoice, Remote};

/// The most entries of a list that a command prints.
pub(crate) const LIST_MAX: usize = 1_000;

/// What every command is told: which hub, and for whom to print.
#[derive(Clone, Debug, Default)]
pub(crate) struct Session {
    pub(crate) hub: HubChoice,
    pub(crate) audience: Audience,
}

impl Session {
    /// The way to the chosen hub.
    pub(crate) fn remote(&self) -> Result<Remote> {
        Remote::chosen(&self.hub)
    }
}

/// A value as one segment of a path.
pub(crate) fn segment(text: &str) -> String {
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        if plain(byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
        encoded
    })
}

/// A path with the span it is asked about, as far as it is given.
pub(crate) fn between(path: &str, from: &Option<String>, to: &Option<String>) -> String {
    let query = |(name, value): (&str, &Option<String>)| {
        Some(format!("{name}={}", segment(value.as_ref()?)))
    };
    let queries: Vec<_> = [("from", from), ("to", to)].into_iter().filter_map(query).collect();
    if queries.is_empty() { path.to_owned() } else { format!("{path}?{}", queries.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_cannot_change_the_path_around_it() {
        assert_eq!(segment("a/../b?c#d e%"), "a%2F..%2Fb%3Fc%23d%20e%25");
        assert_eq!(segment("018f-AZ_.~"), "018f-AZ_.~");
    }

    #[test]
    fn a_span_is_asked_for_as_far_as_it_is_given() {
        let day = |text: &str| Some(text.to_owned());
        assert_eq!(between("/a", &None, &None), "/a");
        assert_eq!(
            between("/a", &None, &day("2026-01-01T00:00:00Z")),
            "/a?to=2026-01-01T00%3A00%3A00Z"
        );
        assert_eq!(between("/a", &day("1"), &day("2")), "/a?from=1&to=2");
    }
}
