//! What an enterprise declares about itself and its group, as it goes over the wire.

use std::collections::BTreeSet;

use access::sme::{
    AccountingPeriod, Control, Enterprise, EnterpriseKind, Group, Holding, LocalAuthority,
};
use serde::Deserialize;
use units::{Cents, PartsPerMillion, Slug};
use utoipa::ToSchema;

use super::dto::{SizeJson, parsed};
use crate::problem::Problem;

/// One accounting period.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PeriodIn {
    /// The day the accounts were closed.
    #[schema(format = Date, example = "2025-12-31")]
    closed_on: String,
    size: SizeJson,
    /// Whether it is an estimate in good faith, as a new enterprise may give.
    #[serde(default)]
    estimated: bool,
}

/// Another enterprise, investor, public body or person of the group.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RelatedIn {
    /// Its name within this declaration; `self` is the organisation.
    #[schema(pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", max_length = 64, example = "holding")]
    key: String,
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// `enterprise`, `venture-capital`, `business-angel`, `university`, `institutional-investor`,
    /// `small-local-authority`, `local-authority`, `public-body` or `person`.
    #[schema(example = "enterprise")]
    kind: String,
    /// Its accounts; none for public bodies and persons.
    #[serde(default)]
    #[schema(max_items = 20)]
    periods: Vec<PeriodIn>,
    /// The markets it works in: they decide whether one person's enterprises are linked.
    #[serde(default)]
    #[schema(max_items = 100)]
    markets: Vec<String>,
    /// The markets directly upstream or downstream of its own.
    #[serde(default)]
    #[schema(max_items = 100)]
    adjacent_markets: Vec<String>,
    /// The keys of those whose figures its consolidated accounts include already.
    #[serde(default)]
    #[schema(max_items = 499)]
    consolidates: Vec<String>,
    /// The other persons with whom a person acts jointly, by their keys.
    #[serde(default)]
    #[schema(max_items = 100)]
    acts_with: Vec<String>,
    /// The annual budget of a local authority.
    #[schema(minimum = 0)]
    annual_budget_cents: Option<i64>,
    /// The inhabitants of a local authority.
    inhabitants: Option<u32>,
    /// Which organisation on record it is: one undertaking has one ceiling of State aid.
    #[schema(value_type = Option<Uuid>)]
    record: Option<String>,
}

/// One member of the group holds part of another.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct HoldingIn {
    /// The key of who holds; `self` is the organisation.
    #[schema(example = "holding")]
    holder: String,
    /// The key of what is held.
    #[schema(example = "self")]
    held: String,
    /// The part of the capital, in parts per million.
    #[schema(minimum = 0, maximum = 1_000_000)]
    capital_parts_per_million: u32,
    /// The part of the voting rights, in parts per million.
    #[schema(minimum = 0, maximum = 1_000_000)]
    voting_parts_per_million: u32,
    /// How the holder controls it otherwise, if it does: `board`, `contract`, `agreement`, or
    /// `stated` where it is not said how.
    #[schema(example = "board")]
    control: Option<String>,
    /// What a business angel has invested in it.
    #[schema(minimum = 0)]
    invested_cents: Option<i64>,
}

/// What an enterprise declares about itself and its group.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DeclarationIn {
    /// The organisation's own name in its accounts.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// The organisation's own accounts.
    #[schema(min_items = 1, max_items = 20)]
    periods: Vec<PeriodIn>,
    /// The markets it works in: they decide whether one person's enterprises are linked.
    #[serde(default)]
    #[schema(max_items = 100)]
    markets: Vec<String>,
    /// The markets directly upstream or downstream of its own.
    #[serde(default)]
    #[schema(max_items = 100)]
    adjacent_markets: Vec<String>,
    /// The keys of those whose figures its consolidated accounts include already.
    #[serde(default)]
    #[schema(max_items = 499)]
    consolidates: Vec<String>,
    /// The others of its group.
    #[serde(default)]
    #[schema(max_items = 499)]
    related: Vec<RelatedIn>,
    /// Who holds whom.
    #[serde(default)]
    #[schema(max_items = 2_000)]
    holdings: Vec<HoldingIn>,
}

/// The key of the organisation within its declaration.
const SELF: &str = "self";

impl DeclarationIn {
    pub(super) fn read(self) -> Result<Group, Problem> {
        let subject: Slug = parsed("subject", SELF)?;
        let own = Enterprise {
            markets: self.markets.into_iter().collect(),
            adjacent_markets: self.adjacent_markets.into_iter().collect(),
            consolidates: keys("consolidates", &self.consolidates)?,
            ..Enterprise::new(self.name, EnterpriseKind::Enterprise, periods(self.periods)?)
        };
        let mut members = std::collections::BTreeMap::from([(subject.clone(), own)]);
        for related in self.related {
            let key: Slug = parsed("related.key", &related.key)?;
            let member = related.read()?;
            if members.insert(key.clone(), member).is_some() {
                return Err(Problem::field("related.key", format!("`{key}` stands twice")));
            }
        }
        let holdings = self.holdings.into_iter().map(HoldingIn::read);
        Ok(Group { subject, members, holdings: holdings.collect::<Result<_, _>>()? })
    }
}

impl RelatedIn {
    fn read(self) -> Result<Enterprise, Problem> {
        let kind = word("related.kind", &EnterpriseKind::WORDS, &self.kind)?;
        if self.annual_budget_cents.is_some_and(|cents| cents < 0) {
            return Err(Problem::field("related.annual_budget_cents", "must not be negative"));
        }
        let authority = self.annual_budget_cents.zip(self.inhabitants);
        Ok(Enterprise {
            markets: self.markets.into_iter().collect(),
            adjacent_markets: self.adjacent_markets.into_iter().collect(),
            consolidates: keys("related.consolidates", &self.consolidates)?,
            acts_with: keys("related.acts_with", &self.acts_with)?,
            authority: authority.map(|(budget, inhabitants)| LocalAuthority {
                annual_budget: Cents::new(budget),
                inhabitants,
            }),
            organisation: self.record.map(|id| parsed("related.record", &id)).transpose()?,
            ..Enterprise::new(self.name, kind, periods(self.periods)?)
        })
    }
}

/// What `text` means among `words`.
fn word<T: Copy>(field: &str, words: &[(&str, T)], text: &str) -> Result<T, Problem> {
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, meant)| *meant);
    found.ok_or_else(|| {
        let allowed: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        Problem::field(field, format!("one of {}", allowed.join(", ")))
    })
}

fn keys(field: &str, keys: &[String]) -> Result<BTreeSet<Slug>, Problem> {
    keys.iter().map(|key| parsed(field, key)).collect()
}

impl HoldingIn {
    fn read(self) -> Result<Holding, Problem> {
        let share = |field, parts: u32| {
            let share = PartsPerMillion::new(parts);
            let allowed = || Problem::field(field, "at most 1000000, the whole");
            if share <= PartsPerMillion::ONE { Ok(share) } else { Err(allowed()) }
        };
        if self.invested_cents.is_some_and(|cents| cents < 0) {
            return Err(Problem::field("holdings.invested_cents", "must not be negative"));
        }
        Ok(Holding {
            holder: parsed("holdings.holder", &self.holder)?,
            held: parsed("holdings.held", &self.held)?,
            capital: share("holdings.capital_parts_per_million", self.capital_parts_per_million)?,
            voting: share("holdings.voting_parts_per_million", self.voting_parts_per_million)?,
            control: self
                .control
                .map(|it| word("holdings.control", &Control::WORDS, &it))
                .transpose()?,
            invested: self.invested_cents.map(Cents::new),
        })
    }
}

fn periods(periods: Vec<PeriodIn>) -> Result<Vec<AccountingPeriod>, Problem> {
    let read = |period: PeriodIn| {
        Ok(AccountingPeriod {
            closed_on: parsed("periods.closed_on", &period.closed_on)?,
            size: period.size.read("periods.size")?,
            estimated: period.estimated,
        })
    };
    periods.into_iter().map(read).collect()
}
