//! Organisations, declarations and assessments as they go over the wire.

use access::organisation::{Organisation, OrganisationKind};
use access::sme::{Awu, Line, PeriodResult, Size};
use app::organisations::{Declaration, NewOrganisation};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use units::Cents;
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
    /// VAT number of a Member State or EUID; its form and check digits are looked at.
    #[schema(min_length = 1, max_length = 200, example = "LU26375245")]
    registration: Option<String>,
    /// What it works in, in its own words.
    #[schema(min_length = 1, max_length = 200)]
    sector: Option<String>,
    /// The same as a code of NACE Rev. 2.1.
    #[schema(min_length = 1, max_length = 10, example = "K62.10")]
    nace: Option<String>,
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
            nace: self.nace,
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
    /// Its code of NACE Rev. 2.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    nace: Option<String>,
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
            nace: organisation.nace.map(|code| code.to_string()),
            registered_on: organisation.registered_on.map(|day| day.to_string()),
        }
    }
}

/// The three measures of an enterprise, in hundredths of an annual work unit and in euro cents.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SizeJson {
    /// Hundredths of an annual work unit: 1150 is eleven and a half people.
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    headcount_hundredths: u32,
    #[schema(minimum = 0, maximum = 1_000_000_000_000_000_i64)]
    turnover_cents: i64,
    #[schema(minimum = 0, maximum = 1_000_000_000_000_000_i64)]
    balance_sheet_cents: i64,
}

impl SizeJson {
    pub(super) fn read(self, field: &str) -> Result<Size, Problem> {
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

/// The text of `field`, in its own syntax.
pub(super) fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
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
    /// Whose figures the line adds, when it adds any.
    #[serde(skip_serializing_if = "Option::is_none")]
    whose: Option<String>,
    /// All of these figures, of which `size` is the share.
    #[serde(skip_serializing_if = "Option::is_none")]
    whole: Option<SizeJson>,
}

impl From<Line> for LineOut {
    fn from(line: Line) -> Self {
        Self {
            what: line.what,
            size: line.size.map(Into::into),
            share: line.share.map(|share| share.to_string()),
            article: line.article.into_owned(),
            whole: line.addend.as_ref().map(|it| it.whole.into()),
            whose: line.addend.map(|it| it.name),
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
    /// The last day on which it is relied on when the organisation applies.
    #[schema(format = Date)]
    valid_until: Option<String>,
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

impl AssessmentOut {
    /// What came of a declaration that is relied on until then.
    pub(super) fn new(declaration: Declaration, valid_until: Option<Date>) -> Self {
        let (assessment, start_up) = (declaration.assessment, declaration.start_up);
        Self {
            declaration: declaration.id,
            declared_by: declaration.declared_by,
            declared_at: declaration.declared_at.into(),
            valid_until: valid_until.map(|day| day.to_string()),
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
