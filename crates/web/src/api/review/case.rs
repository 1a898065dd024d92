//! One application under review as it goes over the wire: what a reviewer reads and writes, and how
//! far it has come.

use std::collections::BTreeMap;

use access::policy::Criterion;
use access::review::Points;
use app::review::{Dossier, Proceedings, ReviewRecord, TechnicalCheck, Written, WrittenReview};
use serde::{Deserialize, Serialize};
use units::Slug;
use utoipa::ToSchema;
use uuid::Uuid;

use super::dto::{EvaluationOut, keys};
use crate::api::verdicts::VerdictOut;
use crate::api::wire::Instant;
use crate::problem::Problem;

/// What points are given for.
#[derive(Serialize, ToSchema)]
struct AskedOut {
    #[schema(example = "excellence")]
    key: String,
    name: String,
    /// What a reviewer asks themselves.
    question: String,
    weight: u32,
    /// The fewest points that pass.
    threshold: String,
}

impl From<&Criterion> for AskedOut {
    fn from(criterion: &Criterion) -> Self {
        Self {
            key: criterion.key.to_string(),
            name: criterion.name.clone(),
            question: criterion.question.clone(),
            weight: criterion.weight,
            threshold: criterion.threshold.to_string(),
        }
    }
}

/// Somebody who applies, without their address.
#[derive(Serialize, ToSchema)]
struct TeamOut {
    name: String,
    organisation: String,
}

/// What a reviewer reads of an application, and their review.
#[derive(Serialize, ToSchema)]
pub(super) struct DossierOut {
    application: Uuid,
    call: String,
    organisation: String,
    title: String,
    purpose: String,
    partition: Option<String>,
    hours: Option<u32>,
    months: Option<u32>,
    fields: Vec<String>,
    team: Vec<TeamOut>,
    criteria: Vec<AskedOut>,
    /// The most points of a criterion; points are given in halves.
    #[schema(example = "5")]
    scale: String,
    /// The rule it is judged by.
    rule: String,
    review: ReviewOut,
}

impl From<Dossier<'_>> for DossierOut {
    fn from(dossier: Dossier<'_>) -> Self {
        let draft = dossier.application.draft;
        let team = draft.team.into_iter();
        Self {
            application: dossier.application.id.uuid(),
            call: dossier.call.title,
            organisation: dossier.organisation.name,
            title: draft.title,
            purpose: draft.purpose,
            partition: draft.partition.map(|key| key.to_string()),
            hours: draft.hours,
            months: draft.months,
            fields: keys(&draft.fields),
            team: team.map(|it| TeamOut { name: it.name, organisation: it.organisation }).collect(),
            criteria: dossier.procedure.says.criteria.iter().map(Into::into).collect(),
            scale: dossier.procedure.says.scale.to_string(),
            rule: dossier.procedure.rule.to_string(),
            review: dossier.review.into(),
        }
    }
}

/// A review as it is written.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReviewIn {
    /// The points in halves, by criterion.
    #[schema(example = json!({ "excellence": "4.5" }))]
    scores: BTreeMap<String, String>,
    /// What the applicant will read.
    #[serde(default)]
    #[schema(max_length = 10_000)]
    to_applicant: String,
    /// What only those who decide read.
    #[serde(default)]
    #[schema(max_length = 10_000)]
    confidential: String,
    /// Whether it is finished; it cannot be changed then.
    #[serde(default)]
    hand_in: bool,
}

impl ReviewIn {
    pub(super) fn read(self) -> Result<WrittenReview, Problem> {
        let written = Written {
            scores: points(&self.scores)?,
            to_applicant: self.to_applicant,
            confidential: self.confidential,
        };
        Ok(WrittenReview { written, hand_in: self.hand_in })
    }
}

/// A review.
#[derive(Serialize, ToSchema)]
pub(super) struct ReviewOut {
    /// Who wrote it; applicants do not learn that.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(required = false)]
    name: String,
    /// Why they were asked.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(required = false)]
    reason: String,
    scores: BTreeMap<String, String>,
    to_applicant: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(required = false)]
    confidential: String,
    submitted_at: Option<Instant>,
}

impl From<ReviewRecord> for ReviewOut {
    fn from(review: ReviewRecord) -> Self {
        Self {
            name: review.name,
            reason: review.reason,
            scores: points_out(&review.written.scores),
            to_applicant: review.written.to_applicant,
            confidential: review.written.confidential,
            submitted_at: review.submitted_at.map(Into::into),
        }
    }
}

/// The factory's word.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TechnicalIn {
    /// Whether it can be done.
    pub(super) feasible: bool,
    /// Why, or with what advice.
    #[schema(min_length = 1, max_length = 10_000)]
    pub(super) remark: String,
}

/// The factory's word on record.
#[derive(Serialize, ToSchema)]
struct TechnicalOut {
    feasible: bool,
    remark: String,
    checked_at: Instant,
}

impl From<TechnicalCheck> for TechnicalOut {
    fn from(check: TechnicalCheck) -> Self {
        let checked_at = check.checked_at.into();
        Self { feasible: check.feasible, remark: check.remark, checked_at }
    }
}

/// What reviewers have agreed on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AgreedIn {
    /// The points in halves, by criterion.
    #[schema(example = json!({ "excellence": "4" }))]
    scores: BTreeMap<String, String>,
    /// How they came to it.
    #[schema(min_length = 1, max_length = 10_000)]
    remark: String,
}

impl AgreedIn {
    pub(super) fn read(self) -> Result<(BTreeMap<Slug, Points>, String), Problem> {
        Ok((points(&self.scores)?, self.remark))
    }
}

/// A text.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TextIn {
    #[schema(min_length = 1, max_length = 10_000)]
    pub(super) text: String,
}

/// The applicant's answer to the reviews.
#[derive(Serialize, ToSchema)]
struct RebuttalOut {
    shown_at: Instant,
    /// Until when an answer may be given.
    closes_at: Instant,
    text: Option<String>,
}

/// An appeal against a refusal.
#[derive(Serialize, ToSchema)]
struct AppealOut {
    text: String,
    made_at: Instant,
    /// Whether it was right, once somebody has decided.
    upheld: Option<bool>,
    answer: Option<String>,
}

/// Everything about the review of an application that the caller may know.
#[derive(Serialize, ToSchema)]
pub(super) struct ProceedingsOut {
    application: Uuid,
    /// `draft`, `submitted`, `withdrawn`, `awarded` or `refused`.
    state: String,
    /// How peers review it, where they do.
    procedure: Option<String>,
    technical: Option<TechnicalOut>,
    reviews: Vec<ReviewOut>,
    evaluation: Option<EvaluationOut>,
    rebuttal: Option<RebuttalOut>,
    verdict: Option<VerdictOut>,
    appeal: Option<AppealOut>,
    /// Until when an appeal may be made, after a refusal.
    appeal_until: Option<Instant>,
    /// What stands against an award; told to those who decide.
    against_award: Vec<String>,
    /// What stands against a refusal; told to those who decide.
    against_refusal: Vec<String>,
}

impl From<Proceedings<'_>> for ProceedingsOut {
    fn from(whole: Proceedings<'_>) -> Self {
        let texts = |list: &[access::review::Obstacle]| {
            list.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        Self {
            application: whole.application.id.uuid(),
            state: whole.application.state.name().to_owned(),
            procedure: whole.procedure.map(|procedure| procedure.rule.to_string()),
            technical: whole.technical.map(Into::into),
            reviews: whole.reviews.into_iter().map(Into::into).collect(),
            evaluation: whole.evaluation.map(Into::into),
            rebuttal: whole.rebuttal.map(|it| RebuttalOut {
                shown_at: it.shown_at.into(),
                closes_at: it.closes_at.into(),
                text: it.text,
            }),
            verdict: whole.verdict.map(Into::into),
            appeal: whole.appeal.map(|it| AppealOut {
                text: it.text,
                made_at: it.made_at.into(),
                upheld: it.upheld,
                answer: it.answer,
            }),
            appeal_until: whole.appeal_until.map(Into::into),
            against_award: texts(&whole.obstacles.0),
            against_refusal: texts(&whole.obstacles.1),
        }
    }
}

fn points(scores: &BTreeMap<String, String>) -> Result<BTreeMap<Slug, Points>, Problem> {
    let one = |(key, points): (&String, &String)| {
        let key: Slug = key
            .parse()
            .map_err(|error: units::NotAKey| Problem::field("scores", error.to_string()))?;
        let points = points.parse().map_err(|error: access::review::NotPoints| {
            Problem::field("scores", format!("{key}: {error}"))
        })?;
        Ok((key, points))
    };
    scores.iter().map(one).collect()
}

fn points_out(scores: &BTreeMap<Slug, Points>) -> BTreeMap<String, String> {
    scores.iter().map(|(key, points)| (key.to_string(), points.to_string())).collect()
}
