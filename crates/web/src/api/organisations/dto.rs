//! Organisations, declarations and assessments as they go over the wire.

use access::organisation::{Organisation, OrganisationKind};
use access::sme::{
    AccountingPeriod, Awu, Enterprise, EnterpriseKind, Group, Holding, Line, PeriodResult, Size,
};
use app::organisations::{Declaration, NewOrganisation};
use serde::{Deserialize, Serialize};
use units::{Cents, PartsPerMillion, Slug};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::wire::Instant;
use crate::problem::Problem;

/// What an organisation is.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum KindName {
    Enterprise,
    Research,
    PublicBody,
}

impl From<KindName> for OrganisationKind {
    fn from(name: KindName) -> Self {
        match name {
            KindName::Enterprise => Self::Enterprise,
            KindName::Research => Self::Research,
            KindName::PublicBody => Self::PublicBody,
        }
    }
}

impl From<OrganisationKind> for KindName {
    fn from(kind: OrganisationKind) -> Self {
        match kind {
            OrganisationKind::Enterprise => Self::Enterprise,
            OrganisationKind::Research => Self::Research,
            OrganisationKind::PublicBody => Self::PublicBody,
        }
    }
}

/// What is said of a new organisation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OrganisationIn {
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    kind: KindName,
    /// ISO 3166-1 code of the state it is established in.
    #[schema(pattern = "^[A-Z]{2}$", example = "LU")]
    country: String,
    #[schema(min_length = 1, max_length = 200)]
    legal_form: Option<String>,
    /// VAT number or EUID.
    #[schema(min_length = 1, max_length = 200)]
    registration: Option<String>,
    #[schema(min_length = 1, max_length = 200)]
    sector: Option<String>,
    /// The day it was registered.
    #[schema(format = Date, example = "2024-05-01")]
    registered_on: Option<String>,
}

impl OrganisationIn {
    pub(super) fn read(self) -> Result<NewOrganisation, Problem> {
        let registered_on = self.registered_on.as_deref().map(|day| parsed("registered_on", day));
        Ok(NewOrganisation {
            name: self.name,
            kind: self.kind.into(),
            country: parsed("country", &self.country)?,
            legal_form: self.legal_form,
            registration: self.registration,
            sector: self.sector,
            registered_on: registered_on.transpose()?,
        })
    }
}

/// An organisation.
#[derive(Serialize, ToSchema)]
pub(super) struct OrganisationOut {
    id: Uuid,
    name: String,
    kind: KindName,
    #[schema(example = "LU")]
    country: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    legal_form: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    registration: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sector: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Date)]
    registered_on: Option<String>,
}

impl From<Organisation> for OrganisationOut {
    fn from(organisation: Organisation) -> Self {
        Self {
            id: organisation.id.uuid(),
            name: organisation.name,
            kind: organisation.kind.into(),
            country: organisation.country.to_string(),
            legal_form: organisation.legal_form,
            registration: organisation.registration,
            sector: organisation.sector,
            registered_on: organisation.registered_on.map(|day| day.to_string()),
        }
    }
}

/// The three measures of an enterprise, in hundredths of an annual work unit and in euro cents.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SizeJson {
    /// Hundredths of an annual work unit: 1150 is eleven and a half people.
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    headcount_hundredths: u32,
    #[schema(minimum = 0, maximum = 1_000_000_000_000_000_i64)]
    turnover_cents: i64,
    #[schema(minimum = 0, maximum = 1_000_000_000_000_000_i64)]
    balance_sheet_cents: i64,
}

impl SizeJson {
    fn read(self, field: &str) -> Result<Size, Problem> {
        const CENTS_MAX: i64 = 1_000_000_000_000_000;
        const HUNDREDTHS_MAX: u32 = 1_000_000_000;
        let sound = |cents: i64| (0..=CENTS_MAX).contains(&cents);
        if !sound(self.turnover_cents)
            || !sound(self.balance_sheet_cents)
            || self.headcount_hundredths > HUNDREDTHS_MAX
        {
            return Err(Problem::field(field, "its figures are out of range"));
        }
        Ok(Size {
            headcount: Awu::hundredths(self.headcount_hundredths),
            turnover: Cents::new(self.turnover_cents),
            balance_sheet: Cents::new(self.balance_sheet_cents),
        })
    }
}

impl From<Size> for SizeJson {
    fn from(size: Size) -> Self {
        Self {
            headcount_hundredths: size.headcount.count(),
            turnover_cents: size.turnover.count(),
            balance_sheet_cents: size.balance_sheet.count(),
        }
    }
}

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
    /// `small-local-authority`, `public-body` or `person`.
    #[schema(example = "enterprise")]
    kind: String,
    /// Its accounts; none for public bodies and persons.
    #[serde(default)]
    #[schema(max_items = 20)]
    periods: Vec<PeriodIn>,
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
    /// Whether the holder controls it otherwise.
    #[serde(default)]
    control: bool,
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
            name: self.name,
            kind: EnterpriseKind::Enterprise,
            periods: periods(self.periods)?,
        };
        let mut members = std::collections::BTreeMap::from([(subject.clone(), own)]);
        for related in self.related {
            let key: Slug = parsed("related.key", &related.key)?;
            let words = EnterpriseKind::WORDS;
            let kind = words.iter().find(|(word, _)| *word == related.kind).map(|(_, kind)| *kind);
            let Some(kind) = kind else {
                let allowed = words.map(|(word, _)| word).join(", ");
                return Err(Problem::field("related.kind", format!("one of {allowed}")));
            };
            let member =
                Enterprise { name: related.name, kind, periods: periods(related.periods)? };
            if members.insert(key.clone(), member).is_some() {
                return Err(Problem::field("related.key", format!("`{key}` stands twice")));
            }
        }
        let holdings = self.holdings.into_iter().map(HoldingIn::read);
        Ok(Group { subject, members, holdings: holdings.collect::<Result<_, _>>()? })
    }
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
            control: self.control,
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

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
    field: &str,
    text: &str,
) -> Result<T, Problem> {
    text.parse().map_err(|error: T::Err| Problem::field(field, error.to_string()))
}

/// One line of the calculation.
#[derive(Serialize, ToSchema)]
struct LineOut {
    what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<SizeJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "30 %")]
    share: Option<String>,
    /// The article of the annex of Recommendation 2003/361/EC.
    #[schema(example = "Article 6(2)")]
    article: String,
}

impl From<Line> for LineOut {
    fn from(line: Line) -> Self {
        Self {
            what: line.what,
            size: line.size.map(Into::into),
            share: line.share.map(|share| share.to_string()),
            article: line.article.into_owned(),
        }
    }
}

/// What one accounting period alone would give.
#[derive(Serialize, ToSchema)]
struct PeriodOut {
    #[schema(format = Date)]
    closed_on: String,
    size: SizeJson,
    class: String,
}

impl From<PeriodResult> for PeriodOut {
    fn from(period: PeriodResult) -> Self {
        Self {
            closed_on: period.closed_on.to_string(),
            size: period.size.into(),
            class: period.class.to_string(),
        }
    }
}

/// How large an enterprise is, and why.
#[derive(Serialize, ToSchema)]
pub(super) struct AssessmentOut {
    declaration: Uuid,
    declared_by: String,
    declared_at: Instant,
    /// `micro`, `small`, `medium` or `large`.
    #[schema(example = "small")]
    class: String,
    /// Whether it is a small or medium-sized enterprise.
    sme: bool,
    /// `autonomous`, `partner` or `linked`.
    #[schema(example = "autonomous")]
    relation: String,
    /// Whether it counts as a start-up.
    start_up: bool,
    /// The figures of the whole group in the latest period.
    size: SizeJson,
    /// The part held by public bodies.
    #[schema(example = "0 %")]
    public_share: String,
    periods: Vec<PeriodOut>,
    /// The calculation.
    lines: Vec<LineOut>,
    /// Why it is a start-up, or not.
    start_up_reasons: Vec<String>,
    /// The definition that was applied, with its version.
    #[schema(example = "policy/sme.toml#sme@2005-01-01")]
    rule: String,
    /// The definition of a start-up that was applied, with its version.
    start_up_rule: String,
}

impl From<Declaration> for AssessmentOut {
    fn from(declaration: Declaration) -> Self {
        let (assessment, start_up) = (declaration.assessment, declaration.start_up);
        Self {
            declaration: declaration.id,
            declared_by: declaration.declared_by,
            declared_at: declaration.declared_at.into(),
            class: assessment.class.to_string(),
            sme: assessment.class.is_sme(),
            relation: assessment.relation.to_string(),
            start_up: start_up.holds,
            size: assessment.size.into(),
            public_share: assessment.public_share.to_string(),
            periods: assessment.periods.into_iter().map(Into::into).collect(),
            lines: assessment.lines.into_iter().map(Into::into).collect(),
            start_up_reasons: start_up.reasons,
            rule: assessment.rule.to_string(),
            start_up_rule: start_up.rule.to_string(),
        }
    }
}
