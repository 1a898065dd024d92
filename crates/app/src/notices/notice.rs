//! What is told, to whom, and with which particulars.
//!
//! Pure: a notice says what happened; [`Notice::telling`] says who is concerned and what their text
//! needs. The text itself is found by the notice's kind, in the reader's language.

mod allocation;
mod application;
mod call;
mod organisation;
mod person;

use store::notices::{Fact, Facts};
use units::PersonId;

pub use allocation::{AllocationNews, Award, Moved};
pub use application::{ApplicationNews, Case};
pub use call::{CallNews, OpenCall};
pub use organisation::{House, OrganisationNews};
pub use person::{PersonNews, Place};

use crate::{Role, Scope};

/// Something that happened and concerns people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// To an application.
    Application(Case, ApplicationNews),
    /// To an allocation.
    Allocation(Award, AllocationNews),
    /// To an organisation.
    Organisation(House, OrganisationNews),
    /// To a call.
    Call(OpenCall, CallNews),
    /// To somebody.
    Person(PersonId, PersonNews),
}

/// Whom a notice concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reader {
    /// This person.
    Person(PersonId),
    /// Whoever holds this role there.
    Holders(Role, Scope),
    /// Whoever wants to hear of calls.
    Followers,
}

/// How a notice is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Telling {
    /// Its kind, which names its text: `application.awarded`.
    pub kind: &'static str,
    /// Whom it concerns.
    pub readers: Vec<Reader>,
    /// What its text needs.
    pub facts: Facts,
    /// Where in the portal there is more about it.
    pub link: String,
    /// What it tells of at most once, where the same may be found again and again.
    pub once: Option<String>,
    /// Whether who did it is told as well, as a receipt.
    pub receipt: bool,
}

impl Notice {
    /// How it is told.
    pub fn telling(&self) -> Telling {
        match self {
            Self::Application(case, news) => application::telling(case, news),
            Self::Allocation(award, news) => allocation::telling(award, news),
            Self::Organisation(house, news) => organisation::telling(house, news),
            Self::Call(call, news) => call::telling(call, news),
            Self::Person(person, news) => person::telling(*person, news),
        }
    }
}

impl Telling {
    /// A notice of this kind, about something at `link`.
    fn of(kind: &'static str, link: String) -> Self {
        let (readers, facts) = (Vec::new(), Facts::new());
        Self { kind, readers, facts, link, once: None, receipt: false }
    }

    fn to(mut self, readers: impl IntoIterator<Item = Reader>) -> Self {
        self.readers.extend(readers);
        self
    }

    fn with(mut self, name: &str, fact: Fact) -> Self {
        self.facts.insert(name.to_owned(), fact);
        self
    }

    fn text(self, name: &str, text: impl Into<String>) -> Self {
        self.with(name, Fact::Text(text.into()))
    }

    /// It is told once in all, whoever finds it again.
    fn once(mut self, what: String) -> Self {
        self.once = Some(what);
        self
    }

    fn receipt(mut self) -> Self {
        self.receipt = true;
        self
    }
}

/// Those who decide on applications.
const fn officers() -> Reader {
    Reader::Holders(Role::ProgrammeOfficer, Scope::Federation)
}

/// Those who speak for an organisation.
const fn representatives(id: units::OrganisationId) -> Reader {
    Reader::Holders(Role::OrganisationRepresentative, Scope::Organisation(id))
}

#[cfg(any(test, feature = "testing"))]
pub mod samples;
