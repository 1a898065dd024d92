//! What there is, and what is known of it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::AccountPrefix;

/// A name that begins with the site's prefix. There is no other way to one, so nothing of the
/// site's own can be meant by it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owned(String);

impl Owned {
    /// The name, if it is one of Usine's and can stand on a command line.
    pub fn claimed(prefix: &AccountPrefix, name: &str) -> Option<Self> {
        let plain = |mark: u8| mark.is_ascii_lowercase() || mark.is_ascii_digit() || mark == b'_';
        let fine = name.len() <= LENGTH_MAX && name.bytes().all(|mark| plain(mark) || mark == b'-');
        (prefix.claims(name) && fine).then(|| Self(name.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The longest name.
const LENGTH_MAX: usize = 150;

impl fmt::Display for Owned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A person's login at a site.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Login(String);

/// The text is no login of a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not the login of a person", .0.escape_debug())]
pub struct NotALogin(pub String);

/// Logins that are never a person's.
const NOBODYS: [&str; 6] = ["root", "slurm", "nobody", "daemon", "bin", "munge"];
/// The longest login: what Slurm's commands are asked for in.
const LOGIN_LENGTH_MAX: usize = 32;

impl Login {
    /// The login as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Login {
    type Err = NotALogin;

    fn from_str(text: &str) -> Result<Self, NotALogin> {
        let begins = |mark: u8| mark.is_ascii_alphabetic() || mark == b'_';
        let fine = |mark: u8| mark.is_ascii_alphanumeric() || b"._-".contains(&mark);
        let valid = text.len() <= LOGIN_LENGTH_MAX
            && text.bytes().next().is_some_and(begins)
            && text.bytes().all(fine)
            && !NOBODYS.contains(&text);
        if valid { Ok(Self(text.to_owned())) } else { Err(NotALogin(text.to_owned())) }
    }
}

impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Something of Usine's on the books of a site.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Object {
    /// A quality of service: here the budget of one allocation, and its class's priority.
    Qos(Owned),
    /// An account.
    Account(Owned),
    /// That a login may use an account.
    Member(Owned, Login),
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Qos(name) => write!(f, "qos {name}"),
            Self::Account(name) => write!(f, "account {name}"),
            Self::Member(account, login) => write!(f, "user {login} of {account}"),
        }
    }
}

/// What can be set of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// The account above an account.
    Parent,
    /// The part of its parent's share that an account has.
    Fairshare,
    /// What jobs may hold at once, together.
    Ceiling,
    /// How many jobs may be submitted: 0 where none may, nothing where that is not bounded.
    Submit,
    /// The only quality of service of an account, and its default.
    Qos,
    /// The priority that a quality of service gives.
    Priority,
    /// Its flags.
    Flags,
    /// How many minutes of a resource jobs may use, past, present and future ones together.
    Budget,
}

impl Field {
    /// Its name in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Parent => "parent",
            Self::Fairshare => "fairshare",
            Self::Ceiling => "ceiling",
            Self::Submit => "submit",
            Self::Qos => "qos",
            Self::Priority => "priority",
            Self::Flags => "flags",
            Self::Budget => "budget",
        }
    }
}

/// What a field is set to, in the scheduler's own words in one spelling; empty where it is not set.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value(String);

impl Value {
    /// The value; lists are sorted, so that their order makes no difference.
    pub fn new(text: impl Into<String>) -> Self {
        let text: String = text.into();
        let mut parts: Vec<&str> =
            text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
        parts.sort_unstable();
        Self(parts.join(","))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether nothing is set.
    pub const fn is_none(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_none() { "nothing" } else { &self.0 })
    }
}

/// What is known of an object.
pub type Fields = BTreeMap<Field, Value>;
/// Objects with what is known of them.
pub type Tree = BTreeMap<Object, Fields>;
