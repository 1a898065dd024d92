//! Organisations, and what the rules know about them when they apply.

use std::fmt;

use jiff::civil::Date;
use units::{CountryCode, OrganisationId};

use crate::document::word;
use crate::policy::Audience;
use crate::registration::Nace;
use crate::sme::{Assessment, StartUp};

/// What an organisation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OrganisationKind {
    /// An enterprise, whatever its legal form.
    Enterprise,
    /// A university or research organisation.
    Research,
    /// A public body.
    PublicBody,
}

impl OrganisationKind {
    /// The kinds, by the words that people use.
    pub const WORDS: [(&str, Self); 3] = [
        ("enterprise", Self::Enterprise),
        ("research", Self::Research),
        ("public-body", Self::PublicBody),
    ];
}

impl fmt::Display for OrganisationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word(&Self::WORDS, self))
    }
}

/// An organisation on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organisation {
    /// Which.
    pub id: OrganisationId,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: OrganisationKind,
    /// The state it is established in.
    pub country: CountryCode,
    /// Its legal form, such as `S.à r.l.`.
    pub legal_form: Option<String>,
    /// Its number in a public register, as [`crate::registration::Registration`] prints it.
    pub registration: Option<String>,
    /// The sector it works in, in its own words.
    pub sector: Option<String>,
    /// The same in the statistical classification.
    pub nace: Option<Nace>,
    /// The day it was registered.
    pub registered_on: Option<Date>,
}

/// What an organisation counts as in statistics and simulations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// A start-up, which is also an enterprise of small or medium size.
    StartUp,
    /// Another enterprise of small or medium size.
    Sme,
    /// A large enterprise, or one that has not declared its size.
    Industry,
    /// A university or research organisation.
    Academia,
    /// A public body.
    Public,
}

impl Class {
    /// The classes, by the words that histories and scenarios use.
    pub const WORDS: [(&str, Self); 5] = [
        ("start-up", Self::StartUp),
        ("sme", Self::Sme),
        ("industry", Self::Industry),
        ("academia", Self::Academia),
        ("public", Self::Public),
    ];
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word(&Self::WORDS, self))
    }
}

/// What may be verified of an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verified {
    /// That it exists as it is registered.
    Identity,
    /// The figures of its declaration.
    Size,
    /// The owners and holdings of its declaration.
    Ownership,
}

impl Verified {
    /// The subjects, by the words that people use.
    pub const WORDS: [(&str, Self); 3] =
        [("identity", Self::Identity), ("size", Self::Size), ("ownership", Self::Ownership)];

    /// Whether it is about a declaration.
    pub const fn is_declared(self) -> bool {
        matches!(self, Self::Size | Self::Ownership)
    }
}

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word(&Self::WORDS, self))
    }
}

/// What the rules know about an organisation that applies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applicant {
    /// What it is.
    pub kind: OrganisationKind,
    /// The state it is established in.
    pub country: CountryCode,
    /// Its size, once it has declared its data.
    pub assessment: Option<Assessment>,
    /// Whether it is a start-up, once it has declared its data.
    pub start_up: Option<StartUp>,
}

impl Applicant {
    /// The audiences it belongs to, as far as is known.
    pub fn audiences(&self) -> Vec<Audience> {
        match self.kind {
            OrganisationKind::Research => vec![Audience::Science],
            OrganisationKind::PublicBody => vec![Audience::PublicSector],
            OrganisationKind::Enterprise => {
                let sme = self.assessment.as_ref().is_some_and(|it| it.class.is_sme());
                let start_up = self.start_up.as_ref().is_some_and(|it| it.holds);
                let mut audiences = vec![Audience::Industry];
                audiences.extend(sme.then_some(Audience::Sme));
                audiences.extend(start_up.then_some(Audience::StartUp));
                audiences
            }
        }
    }

    /// What it counts as, as far as is known.
    pub fn class(&self) -> Class {
        let audiences = self.audiences();
        match self.kind {
            OrganisationKind::Research => Class::Academia,
            OrganisationKind::PublicBody => Class::Public,
            OrganisationKind::Enterprise if audiences.contains(&Audience::StartUp) => {
                Class::StartUp
            }
            OrganisationKind::Enterprise if audiences.contains(&Audience::Sme) => Class::Sme,
            OrganisationKind::Enterprise => Class::Industry,
        }
    }
}
