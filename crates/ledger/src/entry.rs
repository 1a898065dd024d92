//! Entries: what stands in the books, and who put it there.

use std::fmt;
use std::str::FromStr;

use units::{Cents, EntryId, PersonId, Slug, Timestamp, Work};

use crate::chain::{self, Digest};
use crate::kind::{Kind, Seq};
use crate::transfer::{Malformed, Transfer};
use crate::unit::Unit;

/// The longest reason, in bytes of UTF-8.
pub const REASON_BYTES_MAX: usize = 1_000;

/// The text does not name an author.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` does not name who makes entries")]
pub struct NotAnAuthor(pub String);

/// Who makes an entry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Author {
    /// A person, by what they did.
    Person(PersonId),
    /// A site's agent, by what it reported.
    Site(Slug),
    /// The hub itself, because a time came.
    Hub,
}

impl fmt::Display for Author {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(person) => write!(f, "person:{person}"),
            Self::Site(site) => write!(f, "site:{site}"),
            Self::Hub => f.write_str("hub"),
        }
    }
}

impl FromStr for Author {
    type Err = NotAnAuthor;

    fn from_str(text: &str) -> Result<Self, NotAnAuthor> {
        let author = match text.split_once(':') {
            None if text == "hub" => Some(Self::Hub),
            Some(("person", id)) => id.parse().ok().map(Self::Person),
            Some(("site", name)) => name.parse().ok().map(Self::Site),
            _ => None,
        };
        author
            .filter(|author| author.to_string() == text)
            .ok_or_else(|| NotAnAuthor(text.to_owned()))
    }
}

/// Who makes an entry, when, and under which id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    id: EntryId,
    at: Timestamp,
    author: Author,
}

impl Stamp {
    /// A stamp; the books keep whole microseconds, so the rest of `at` is dropped.
    pub fn new(id: EntryId, at: Timestamp, author: Author) -> Self {
        let at = Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at);
        Self { id, at, author }
    }

    /// The id of the entry.
    pub const fn id(&self) -> EntryId {
        self.id
    }

    /// When it is made.
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// Who makes it.
    pub const fn author(&self) -> &Author {
        &self.author
    }
}

/// The transfers of an entry: of hours, or of euros.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Movements {
    /// Unit-seconds of partitions.
    Hours(Vec<Transfer<Work>>),
    /// Euro cents.
    Euros(Vec<Transfer<Cents>>),
}

/// What should be entered: a decision, not yet in any books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    kind: Kind,
    reason: String,
    movements: Movements,
}

impl Draft {
    /// A draft of `kind` because of `reason`.
    ///
    /// # Errors
    /// When it moves nothing, or hours of two kinds, or what its kind does not move; when the
    /// reason is not one line of text.
    pub fn new(
        kind: Kind,
        reason: impl Into<String>,
        movements: Movements,
    ) -> Result<Self, Malformed> {
        let reason = reason.into();
        match &movements {
            Movements::Hours(transfers) => one_commodity(transfers)?,
            Movements::Euros(transfers) => one_commodity(transfers)?,
        }
        if reason.trim().is_empty()
            || reason.len() > REASON_BYTES_MAX
            || reason.chars().any(char::is_control)
        {
            return Err(Malformed::Reason);
        }
        kind.check(&movements)?;
        Ok(Self { kind, reason, movements })
    }

    /// What the entry will do.
    pub const fn kind(&self) -> &Kind {
        &self.kind
    }

    /// Why, for people.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// What will move.
    pub const fn movements(&self) -> &Movements {
        &self.movements
    }
}

fn one_commodity<U: Unit>(transfers: &[Transfer<U>]) -> Result<(), Malformed> {
    let (first, rest) = transfers.split_first().ok_or(Malformed::Empty)?;
    let other = rest.iter().find(|other| other.from().commodity() != first.from().commodity());
    other.map_or(Ok(()), |other| {
        Err(Malformed::Mixed(first.from().to_string(), other.from().to_string()))
    })
}

/// One entry of the books, linked to the one before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    seq: Seq,
    stamp: Stamp,
    draft: Draft,
    previous: Digest,
    hash: Digest,
}

impl Entry {
    /// The entry that makes `draft` the successor of the entry whose hash is `previous`.
    pub(crate) fn seal(seq: Seq, stamp: Stamp, draft: Draft, previous: Digest) -> Self {
        let hash = chain::hash(seq, &stamp, &draft, previous);
        Self { seq, stamp, draft, previous, hash }
    }

    /// An entry as it was stored. Nothing is believed: [`crate::Books::replay`] checks it.
    pub const fn stored(
        seq: Seq,
        stamp: Stamp,
        draft: Draft,
        previous: Digest,
        hash: Digest,
    ) -> Self {
        Self { seq, stamp, draft, previous, hash }
    }

    /// Its position.
    pub const fn seq(&self) -> Seq {
        self.seq
    }

    /// Who made it, when, under which id.
    pub const fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    /// What it does.
    pub const fn kind(&self) -> &Kind {
        &self.draft.kind
    }

    /// Why, for people.
    pub fn reason(&self) -> &str {
        &self.draft.reason
    }

    /// What it moves.
    pub const fn movements(&self) -> &Movements {
        &self.draft.movements
    }

    /// The hash of the entry before it.
    pub const fn previous(&self) -> Digest {
        self.previous
    }

    /// Its own hash, which the next entry repeats.
    pub const fn hash(&self) -> Digest {
        self.hash
    }

    /// The hash that its content calls for.
    pub(crate) fn expected_hash(&self) -> Digest {
        chain::hash(self.seq, &self.stamp, &self.draft, self.previous)
    }
}
