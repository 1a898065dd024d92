//! Who stands in an ownership graph, and what they hold of one another.

use std::collections::BTreeSet;
use std::fmt;

use units::{Cents, OrganisationId, PartsPerMillion, Slug};

use super::AccountingPeriod;
use crate::document::word;
use crate::policy::SmeDefinition;

/// What an owner or holding is; the Recommendation treats some investors apart (Article 3(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EnterpriseKind {
    /// An enterprise like any other.
    Enterprise,
    /// A venture capital or public investment company.
    VentureCapital,
    /// A business angel.
    BusinessAngel,
    /// A university or non-profit research centre.
    University,
    /// An institutional investor, regional development funds included.
    InstitutionalInvestor,
    /// A local authority said to lie below the limits of Article 3(2)(d).
    SmallLocalAuthority,
    /// A local authority whose budget and population are given.
    LocalAuthority,
    /// Any other public body.
    PublicBody,
    /// A natural person.
    Person,
}

impl EnterpriseKind {
    /// The kinds, by the words that files use.
    pub const WORDS: [(&str, Self); 9] = [
        ("enterprise", Self::Enterprise),
        ("venture-capital", Self::VentureCapital),
        ("business-angel", Self::BusinessAngel),
        ("university", Self::University),
        ("institutional-investor", Self::InstitutionalInvestor),
        ("small-local-authority", Self::SmallLocalAuthority),
        ("local-authority", Self::LocalAuthority),
        ("public-body", Self::PublicBody),
        ("person", Self::Person),
    ];

    /// Whether its own figures can count: people and public bodies have none.
    pub(super) const fn is_enterprise(self) -> bool {
        !self.is_public() && !matches!(self, Self::Person)
    }

    /// Whether it is a public body in the sense of Article 3(4).
    pub(super) const fn is_public(self) -> bool {
        matches!(self, Self::SmallLocalAuthority | Self::LocalAuthority | Self::PublicBody)
    }
}

impl fmt::Display for EnterpriseKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word(&Self::WORDS, self))
    }
}

/// What makes a local authority small or not (Article 3(2)(d)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalAuthority {
    /// Its annual budget.
    pub annual_budget: Cents,
    /// Its population.
    pub inhabitants: u32,
}

/// One member of an ownership graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enterprise {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: EnterpriseKind,
    /// Its accounts, in any order.
    pub periods: Vec<AccountingPeriod>,
    /// The markets it works in; they decide whether a person's enterprises are linked.
    pub markets: BTreeSet<String>,
    /// The markets directly upstream or downstream of its own.
    pub adjacent_markets: BTreeSet<String>,
    /// Members whose accounts are already included in full in its own, by consolidation.
    pub consolidates: BTreeSet<Slug>,
    /// Other persons with whom this person acts jointly.
    pub acts_with: BTreeSet<Slug>,
    /// Budget and population of a local authority.
    pub authority: Option<LocalAuthority>,
    /// Which organisation on record it is, if it is one.
    pub organisation: Option<OrganisationId>,
}

impl Enterprise {
    /// A member with these accounts, of whom nothing else is said.
    pub fn new(
        name: impl Into<String>,
        kind: EnterpriseKind,
        periods: Vec<AccountingPeriod>,
    ) -> Self {
        Self {
            name: name.into(),
            kind,
            periods,
            markets: BTreeSet::new(),
            adjacent_markets: BTreeSet::new(),
            consolidates: BTreeSet::new(),
            acts_with: BTreeSet::new(),
            authority: None,
            organisation: None,
        }
    }

    /// Whether the two work in the same market or in adjacent ones (Article 3(3)).
    pub(super) fn meets(&self, other: &Self) -> bool {
        let common = |a: &BTreeSet<String>, b: &BTreeSet<String>| !a.is_disjoint(b);
        common(&self.markets, &other.markets)
            || common(&self.markets, &other.adjacent_markets)
            || common(&self.adjacent_markets, &other.markets)
    }

    /// Whether this is an investor who may hold up to half without becoming a partner. What is
    /// known of the angels' money in the enterprise comes from the whole graph: `angels_invested`.
    pub(super) fn is_privileged(
        &self,
        angels_invested: Option<Cents>,
        definition: &SmeDefinition,
    ) -> bool {
        match self.kind {
            EnterpriseKind::VentureCapital
            | EnterpriseKind::University
            | EnterpriseKind::InstitutionalInvestor
            | EnterpriseKind::SmallLocalAuthority => true,
            EnterpriseKind::BusinessAngel => {
                angels_invested.is_some_and(|sum| sum < definition.business_angel_below)
            }
            EnterpriseKind::LocalAuthority => self.authority.is_some_and(|it| {
                it.annual_budget < definition.local_authority_budget_below
                    && it.inhabitants < definition.local_authority_inhabitants_below
            }),
            EnterpriseKind::Enterprise | EnterpriseKind::PublicBody | EnterpriseKind::Person => {
                false
            }
        }
    }
}

/// How a holder controls an enterprise otherwise than by its own votes (Article 3(3)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Control {
    /// It appoints or removes the majority of the board.
    Board,
    /// It has a dominant influence by contract or by the articles of association.
    Contract,
    /// It controls the majority of the votes by agreement with other shareholders.
    Agreement,
    /// It is said to control it, not how.
    Stated,
}

impl Control {
    /// The ways, by the words that files use.
    pub const WORDS: [(&str, Self); 4] = [
        ("board", Self::Board),
        ("contract", Self::Contract),
        ("agreement", Self::Agreement),
        ("stated", Self::Stated),
    ];

    /// The rule that makes it a link.
    pub(super) const fn article(self) -> &'static str {
        match self {
            Self::Board => "Article 3(3)(b)",
            Self::Contract => "Article 3(3)(c)",
            Self::Agreement => "Article 3(3)(d)",
            Self::Stated => "Article 3(3)",
        }
    }

    /// What the holder does.
    pub(super) const fn means(self) -> &'static str {
        match self {
            Self::Board => "appoints the majority of the board of",
            Self::Contract => "has a dominant influence by contract over",
            Self::Agreement => "controls by agreement the majority of the votes of",
            Self::Stated => "controls",
        }
    }
}

impl fmt::Display for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word(&Self::WORDS, self))
    }
}

/// One member holds part of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// Who holds.
    pub holder: Slug,
    /// Whose capital or votes.
    pub held: Slug,
    /// The part of the capital.
    pub capital: PartsPerMillion,
    /// The part of the voting rights.
    pub voting: PartsPerMillion,
    /// How the holder controls it otherwise, if it does.
    pub control: Option<Control>,
    /// What a business angel has invested in it.
    pub invested: Option<Cents>,
}

/// Parts of the capital and of the votes of one enterprise, added up over several holders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stake {
    pub(super) capital: PartsPerMillion,
    pub(super) voting: PartsPerMillion,
}

impl Stake {
    pub(super) const NONE: Self =
        Self { capital: PartsPerMillion::ZERO, voting: PartsPerMillion::ZERO };

    /// With one more holding.
    pub(super) fn and(self, holding: &Holding) -> Self {
        let sum = |a: PartsPerMillion, b: PartsPerMillion| {
            PartsPerMillion::new(a.parts().saturating_add(b.parts())).min(PartsPerMillion::ONE)
        };
        Self {
            capital: sum(self.capital, holding.capital),
            voting: sum(self.voting, holding.voting),
        }
    }

    /// The greater of capital and votes, which is what counts in proportion (Article 6(2)).
    pub(super) fn greater(self) -> PartsPerMillion {
        self.capital.max(self.voting)
    }
}

/// How an enterprise stands to others (Article 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relation {
    /// It has neither partners nor linked enterprises.
    Autonomous,
    /// It has partners.
    Partner,
    /// It has linked enterprises.
    Linked,
}

impl Relation {
    /// The relations, by the words that files use.
    pub const WORDS: [(&str, Self); 3] =
        [("autonomous", Self::Autonomous), ("partner", Self::Partner), ("linked", Self::Linked)];
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word(&Self::WORDS, self))
    }
}
