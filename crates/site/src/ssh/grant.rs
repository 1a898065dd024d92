//! The hosts of a site, and for which of them a certificate is meant.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest name of a host (RFC 1035).
const NAME_LENGTH_MAX: usize = 253;
/// The longest part of one.
const LABEL_LENGTH_MAX: usize = 63;

/// Names of hosts, in small letters. In any label but the last, `*` stands for one or more
/// characters of that label.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Hosts(Vec<String>);

/// The text names no hosts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither the name of a host nor a pattern such as login-*.example.eu")]
pub struct NotHosts(String);

impl TryFrom<Vec<String>> for Hosts {
    type Error = NotHosts;

    fn try_from(names: Vec<String>) -> Result<Self, NotHosts> {
        let names: Vec<String> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
        match names.iter().find(|name| !is_pattern(name)) {
            Some(name) => Err(NotHosts(name.clone())),
            None => Ok(Self(names)),
        }
    }
}

impl From<Hosts> for Vec<String> {
    fn from(hosts: Hosts) -> Self {
        hosts.0
    }
}

impl Hosts {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The host to which people are sent: the first that is no pattern.
    pub fn door(&self) -> Option<&str> {
        self.0.iter().map(String::as_str).find(|name| !name.contains('*'))
    }

    /// Whether one of these is, or covers, `host`.
    pub fn cover(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        !host.contains('*') && is_pattern(&host) && self.0.iter().any(|name| covers(name, &host))
    }

    /// The value of the extension: a compact JSON array.
    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(&self.0).unwrap_or_else(|_| "[]".to_owned())
    }

    /// Reads the value of the extension.
    pub(super) fn from_json(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

impl fmt::Display for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

fn is_pattern(name: &str) -> bool {
    let is_label = |label: &str| {
        let sound = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '*';
        (1..=LABEL_LENGTH_MAX).contains(&label.len())
            && label.chars().all(sound)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    name.len() <= NAME_LENGTH_MAX && name.split('.').all(is_label) && !last.contains('*')
}

/// A wildcard never crosses a dot.
fn covers(pattern: &str, host: &str) -> bool {
    let (mut patterns, mut labels) = (pattern.split('.'), host.split('.'));
    loop {
        match (patterns.next(), labels.next()) {
            (None, None) => return true,
            (Some(pattern), Some(label)) if matches(pattern.as_bytes(), label.as_bytes()) => {}
            _ => return false,
        }
    }
}

/// Whether a label is as its pattern says, where `*` stands for one or more characters. Of two
/// wildcards the later one gives way, so that time grows with the product of the lengths only.
fn matches(pattern: &[u8], label: &[u8]) -> bool {
    let mut reached = vec![false; label.len() + 1];
    reached.first_mut().into_iter().for_each(|start| *start = true);
    for mark in pattern {
        let mut next = vec![false; label.len() + 1];
        let mut is_open = false;
        for (at, character) in label.iter().enumerate() {
            let was = reached.get(at).copied().unwrap_or(false);
            is_open |= was;
            let goes_on = if *mark == b'*' { is_open } else { was && mark == character };
            if let Some(place) = next.get_mut(at + 1) {
                *place = goes_on;
            }
        }
        reached = next;
    }
    reached.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hosts(names: &[&str]) -> Result<Hosts, NotHosts> {
        names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>().try_into()
    }

    #[test]
    fn a_pattern_covers_within_its_labels_and_letters_of_either_case() {
        for (pattern, host, expected) in [
            ("login.example.org", "LOGIN.example.org", true),
            ("login.example.org", "www.login.example.org", false),
            ("*.example.org", "a.example.org", true),
            ("*.example.org", "example.org", false),
            ("*.example.org", "a.b.example.org", false),
            ("prod-*.example.org", "prod-1.example.org", true),
            ("prod-*.example.org", "prod-.example.org", false),
            ("a*b*c.example.org", "axbxbxc.example.org", true),
            ("a*b*c.example.org", "abc.example.org", false),
            ("*.example.org", "*.example.org", false),
        ] {
            assert_eq!(hosts(&[pattern]).unwrap().cover(host), expected, "{pattern} {host}");
        }
        let some = hosts(&["*.a.eu", "Login.B.eu"]).unwrap();
        assert_eq!(some.door(), Some("login.b.eu"));
        assert!(!Hosts::default().cover("a.eu"));
    }

    #[test]
    fn what_names_no_host_is_refused() {
        for bad in ["", ".", "a..b", "-a.eu", "a-.eu", "a b.eu", "login.*", "*", "a_b.eu", "ä.eu"]
        {
            hosts(&[bad]).unwrap_err();
        }
        hosts(&[&"a".repeat(64)]).unwrap_err();
        assert_eq!(Hosts::from_json("[\"*\"]"), None);
        assert_eq!(Hosts::from_json("null"), None);
        let one = hosts(&["*.a.eu"]).unwrap();
        assert_eq!(one.to_json(), "[\"*.a.eu\"]");
        assert_eq!(Hosts::from_json(&one.to_json()), Some(one));
    }

    proptest! {
        #[test]
        fn a_wildcard_takes_any_run_of_characters(
            before in "[a-z]{0,6}", within in "[a-z]{1,9}", after in "[a-z]{0,6}",
        ) {
            let pattern = hosts(&[&format!("{before}*{after}.eu")]).unwrap();
            let whole = format!("{before}{within}{after}.eu");
            prop_assert!(pattern.cover(&whole));
            let short = format!("{before}{after}.eu");
            prop_assert!(!pattern.cover(&short));
        }

        #[test]
        fn no_text_makes_it_fail_otherwise(name in ".{0,80}", host in ".{0,80}") {
            if let Ok(hosts) = hosts(&[&name]) {
                hosts.cover(&host);
            }
            Hosts::from_json(&name);
        }
    }
}
