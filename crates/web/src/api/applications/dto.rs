//! Applications as they go over the wire.

use access::application::{Draft, Finding, Member, Outcome, Reason, State};
use app::applications::{Application, Checked};
use serde::{Deserialize, Serialize};
use units::{OrganisationId, ProjectId};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::wire::Instant;
use crate::problem::Problem;

/// What is asked, as far as it has been written.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DraftJson {
    /// The organisation's project that is to have more hours; a new one when none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    project: Option<Uuid>,
    /// What the project will be called.
    #[serde(default)]
    #[schema(max_length = 200)]
    title: String,
    /// What the hours are for.
    #[serde(default)]
    #[schema(max_length = 10_000)]
    purpose: String,
    /// Where: SYSTEM.PARTITION.
    #[schema(example = "meluxina-ai.gpu")]
    partition: Option<String>,
    /// How many hours of the mode's unit.
    #[schema(minimum = 0)]
    hours: Option<u32>,
    /// For how many months.
    #[schema(minimum = 0)]
    months: Option<u32>,
    /// Whether the duties of the access mode are accepted.
    #[serde(default)]
    duties_accepted: bool,
    /// What it is about, by the keys of `GET /fields`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 5, example = json!(["pe6"]))]
    fields: Vec<String>,
    /// Who asks with the applicant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 50)]
    team: Vec<MemberJson>,
}

/// Somebody who asks with the applicant.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MemberJson {
    /// How they are called.
    name: String,
    /// Their address.
    #[schema(example = "grace@example.org")]
    email: String,
    /// Where they work.
    #[serde(default)]
    organisation: String,
}

impl From<MemberJson> for Member {
    fn from(MemberJson { name, email, organisation }: MemberJson) -> Self {
        Self { name, email, organisation }
    }
}

impl From<Member> for MemberJson {
    fn from(Member { name, email, organisation }: Member) -> Self {
        Self { name, email, organisation }
    }
}

impl DraftJson {
    fn read(self) -> Result<Draft, Problem> {
        let partition = self.partition.map(|text| text.parse()).transpose();
        let wrong = |error: units::NotAKey| Problem::field("draft.fields", error.to_string());
        let fields = self.fields.iter().map(|key| key.parse().map_err(wrong));
        Ok(Draft {
            project: self.project.map(ProjectId::from_uuid),
            title: self.title,
            purpose: self.purpose,
            partition: partition
                .map_err(|error| Problem::field("draft.partition", format!("{error}")))?,
            hours: self.hours,
            months: self.months,
            duties_accepted: self.duties_accepted,
            fields: fields.collect::<Result<_, _>>()?,
            team: self.team.into_iter().map(Into::into).collect(),
        })
    }
}

impl From<Draft> for DraftJson {
    fn from(draft: Draft) -> Self {
        Self {
            project: draft.project.map(ProjectId::uuid),
            title: draft.title,
            purpose: draft.purpose,
            partition: draft.partition.map(|key| key.to_string()),
            hours: draft.hours,
            months: draft.months,
            duties_accepted: draft.duties_accepted,
            fields: draft.fields.iter().map(ToString::to_string).collect(),
            team: draft.team.into_iter().map(Into::into).collect(),
        }
    }
}

/// An application to begin.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ApplicationIn {
    /// For which organisation.
    organisation: Uuid,
    /// What is asked so far.
    draft: DraftJson,
}

impl ApplicationIn {
    pub(super) fn read(self) -> Result<(OrganisationId, Draft), Problem> {
        Ok((OrganisationId::from_uuid(self.organisation), self.draft.read()?))
    }
}

/// A draft written again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenIn {
    /// The version that the writer has read.
    #[schema(minimum = 1)]
    version: i64,
    /// What is asked now.
    draft: DraftJson,
}

impl WrittenIn {
    pub(super) fn read(self) -> Result<(Draft, i64), Problem> {
        Ok((self.draft.read()?, self.version))
    }
}

/// Why a rule says no.
#[derive(Serialize, ToSchema)]
struct ReasonOut {
    /// The entry of policy, with its version.
    #[schema(example = "policy/access-modes.toml#playground@2025-12-01")]
    rule: String,
    /// Which check.
    #[schema(example = "hours")]
    check: String,
    /// What was found.
    found: String,
    /// What is allowed.
    allowed: String,
    /// What would be accepted instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    fits: Option<String>,
}

impl From<Reason> for ReasonOut {
    fn from(reason: Reason) -> Self {
        Self {
            rule: reason.rule,
            check: reason.check.to_string(),
            found: reason.found,
            allowed: reason.allowed,
            fits: reason.fits,
        }
    }
}

/// An application.
#[derive(Serialize, ToSchema)]
pub(super) struct ApplicationOut {
    id: Uuid,
    call: Uuid,
    organisation: Uuid,
    created_by: Uuid,
    created_at: Instant,
    draft: DraftJson,
    /// Grows by one at each change.
    version: i64,
    /// `draft`, `submitted`, `withdrawn`, `awarded` or `refused`.
    #[schema(example = "awarded")]
    state: String,
    /// Since when.
    state_at: Instant,
    /// The project that has the hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<Uuid>,
    /// The hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    allocation: Option<Uuid>,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    reasons: Vec<ReasonOut>,
}

impl From<Application> for ApplicationOut {
    fn from(application: Application) -> Self {
        let state = application.state.name().to_owned();
        let (project, allocation, reasons) = match application.state {
            State::Awarded { project, allocation, .. } => {
                (Some(project.uuid()), Some(allocation.uuid()), Vec::new())
            }
            State::Refused { reasons, .. } => (None, None, reasons),
            State::Draft | State::Submitted { .. } | State::Withdrawn { .. } => {
                (None, None, Vec::new())
            }
        };
        Self {
            id: application.id.uuid(),
            call: application.call.uuid(),
            organisation: application.organisation.uuid(),
            created_by: application.created_by.uuid(),
            created_at: application.created_at.into(),
            draft: application.draft.into(),
            version: application.version,
            state,
            state_at: application.state_at.into(),
            project,
            allocation,
            reasons: reasons.into_iter().map(Into::into).collect(),
        }
    }
}

/// One check and how it came out.
#[derive(Serialize, ToSchema)]
struct FindingOut {
    /// Which check.
    #[schema(example = "hours")]
    check: String,
    /// `passed`, `open` (something is still to be written or declared) or `failed`.
    #[schema(example = "passed")]
    outcome: String,
    /// By what, or what to do.
    text: String,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<ReasonOut>,
}

impl From<Finding> for FindingOut {
    fn from(finding: Finding) -> Self {
        let (outcome, text, reason) = match finding.outcome {
            Outcome::Passed(text) => ("passed", text, None),
            Outcome::Open(text) => ("open", text, None),
            Outcome::Failed(reason) => ("failed", reason.to_string(), Some(reason.into())),
        };
        let outcome = outcome.to_owned();
        Self { check: finding.check.to_string(), outcome, text, reason }
    }
}

/// An application with every check.
#[derive(Serialize, ToSchema)]
pub(super) struct CheckedOut {
    application: ApplicationOut,
    /// Whether it could be submitted now.
    ready: bool,
    findings: Vec<FindingOut>,
}

impl From<Checked> for CheckedOut {
    fn from(checked: Checked) -> Self {
        Self {
            ready: checked.findings.iter().all(Finding::passed),
            findings: checked.findings.into_iter().map(Into::into).collect(),
            application: checked.application.into(),
        }
    }
}

/// Until when an application is to be decided; only `runs` when it does not wait for people, or the
/// programme does not say.
#[derive(Serialize, ToSchema)]
pub(super) struct DecisionClockOut {
    /// Whether it waits for people, with a time that is said.
    runs: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    submitted_at: Option<Instant>,
    /// How long it takes, as the programme says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "10 working days after the cut-off")]
    term: Option<String>,
    /// The end of the last day of that in Brussels.
    #[serde(skip_serializing_if = "Option::is_none")]
    decide_by: Option<Instant>,
    /// Whether that has passed.
    overdue: bool,
    /// The entry of policy that says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
}

impl DecisionClockOut {
    pub(super) fn of(clock: Option<app::applications::DecisionClock>) -> Self {
        let known = clock.as_ref();
        Self {
            runs: known.is_some(),
            submitted_at: known.map(|it| it.submitted_at.into()),
            term: known.map(|it| it.term.clone()),
            decide_by: known.map(|it| it.decide_by.into()),
            overdue: known.is_some_and(|it| it.is_overdue),
            rule: known.map(|it| it.rule.to_string()),
        }
    }
}
