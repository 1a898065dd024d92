//! Pools, requests for reviews and rankings as they go over the wire.

use std::collections::BTreeMap;

use access::policy::Field;
use access::review::{CriterionResult, Evaluation, Pair, Shortfall, Standing};
use app::applications::Application;
use app::review::{Arranged, Judged, PoolEntry, Profile, ReviewRecord};
use serde::{Deserialize, Serialize};
use units::Slug;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::verdicts::VerdictOut;
use crate::api::wire::Instant;
use crate::problem::Problem;

/// A field of knowledge.
#[derive(Serialize, ToSchema)]
pub(super) struct FieldOut {
    #[schema(example = "pe6")]
    key: String,
    #[schema(example = "Computer science and informatics")]
    name: String,
    /// The domain it is part of.
    #[schema(example = "pe")]
    domain: String,
}

impl From<Field> for FieldOut {
    fn from(field: Field) -> Self {
        let (key, domain) = (field.key.to_string(), field.domain.to_string());
        Self { key, name: field.name, domain }
    }
}

/// What a reviewer states of themselves.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ProfileJson {
    /// What they know, by the keys of `GET /fields`.
    #[schema(example = json!(["pe6"]))]
    fields: Vec<String>,
    /// With whom they have published: they judge nothing of theirs.
    #[serde(default)]
    #[schema(max_items = 1000)]
    published_with: Vec<String>,
    /// The most applications they take; as many as the procedure says when not given.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 1000)]
    load_max: Option<u32>,
}

impl ProfileJson {
    pub(super) fn read(self) -> Result<Profile, Problem> {
        let wrong = |error: units::NotAKey| Problem::field("fields", error.to_string());
        let fields = self.fields.iter().map(|key| key.parse().map_err(wrong));
        Ok(Profile {
            fields: fields.collect::<Result<_, _>>()?,
            published_with: self.published_with,
            load_max: self.load_max,
        })
    }
}

impl From<Profile> for ProfileJson {
    fn from(profile: Profile) -> Self {
        Self {
            fields: keys(&profile.fields),
            published_with: profile.published_with,
            load_max: profile.load_max,
        }
    }
}

/// A reviewer to put into a pool.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReviewerIn {
    /// The address they sign in with.
    #[schema(example = "ben@example.org")]
    pub(super) email: String,
}

/// A reviewer in the pool of a call.
#[derive(Serialize, ToSchema)]
pub(super) struct PoolEntryOut {
    person: Uuid,
    name: String,
    email: String,
    added_at: Instant,
    /// What they know; empty until they have said so.
    fields: Vec<String>,
    /// How many applications they were asked to judge under this call.
    asked: u32,
    /// How many reviews they have handed in.
    handed_in: u32,
}

impl From<PoolEntry> for PoolEntryOut {
    fn from(entry: PoolEntry) -> Self {
        let profile = entry.member.profile.unwrap_or_default();
        Self {
            person: entry.member.person.uuid(),
            name: entry.member.name,
            email: entry.member.email,
            added_at: entry.member.added_at.into(),
            fields: keys(&profile.fields),
            asked: entry.asked,
            handed_in: entry.handed_in,
        }
    }
}

/// How to ask for reviews.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ArrangeIn {
    /// Only say who would be asked.
    #[serde(default)]
    pub(super) dry_run: bool,
}

/// That somebody is asked for a review.
#[derive(Serialize, ToSchema)]
struct PairOut {
    application: Uuid,
    title: String,
    reviewer: Uuid,
    name: String,
    /// Why they.
    #[schema(example = "knows the field (pe6), no conflict found, judges 3 in all")]
    reason: String,
}

/// An application for which too few may judge.
#[derive(Serialize, ToSchema)]
struct ShortfallOut {
    application: Uuid,
    title: String,
    found: u32,
    wanted: u32,
    /// How many of the pool have a conflict, by its kind.
    #[schema(example = json!({ "same-organisation": 2 }))]
    conflicts: BTreeMap<String, u32>,
    /// How many may judge it but take no more.
    full: u32,
}

/// Who is asked to judge what.
#[derive(Serialize, ToSchema)]
pub(super) struct ArrangedOut {
    /// The rule it follows.
    #[schema(example = "policy/review.toml#competitive@2025-12-01")]
    rule: String,
    pairs: Vec<PairOut>,
    short: Vec<ShortfallOut>,
}

impl From<Arranged> for ArrangedOut {
    fn from(arranged: Arranged) -> Self {
        let title =
            |id: &units::ApplicationId| arranged.titles.get(id).cloned().unwrap_or_default();
        let pair = |pair: &Pair| PairOut {
            application: pair.application.uuid(),
            title: title(&pair.application),
            reviewer: pair.reviewer.uuid(),
            name: arranged.names.get(&pair.reviewer).cloned().unwrap_or_default(),
            reason: pair.to_string(),
        };
        let shortfall = |short: &Shortfall| ShortfallOut {
            application: short.application.uuid(),
            title: title(&short.application),
            found: short.found,
            wanted: short.wanted,
            conflicts: short.conflicts.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect(),
            full: short.full,
        };
        Self {
            pairs: arranged.assignment.pairs.iter().map(pair).collect(),
            short: arranged.assignment.short.iter().map(shortfall).collect(),
            rule: arranged.rule.clone(),
        }
    }
}

/// What reviewers together say on a criterion.
#[derive(Serialize, ToSchema)]
struct CriterionOut {
    #[schema(example = "excellence")]
    criterion: String,
    /// What counts: the mean, or what they agreed on.
    #[schema(example = "4.33")]
    points: String,
    /// The fewest and the most points that somebody gave.
    #[schema(example = json!(["4", "5"]))]
    spread: [String; 2],
    /// Whether it misses its threshold.
    below: bool,
}

impl From<&CriterionResult> for CriterionOut {
    fn from(result: &CriterionResult) -> Self {
        Self {
            criterion: result.criterion.to_string(),
            points: result.counts.to_string(),
            spread: [result.spread.0.to_string(), result.spread.1.to_string()],
            below: result.below,
        }
    }
}

/// What reviews come to.
#[derive(Serialize, ToSchema)]
pub(super) struct EvaluationOut {
    criteria: Vec<CriterionOut>,
    /// The weighted sum.
    #[schema(example = "12.33")]
    total: String,
    /// Whether what counts was agreed on by the reviewers.
    agreed: bool,
    /// `incomplete`, `apart` (the reviewers must agree first), `below` (a threshold is missed) or
    /// `passed`.
    #[schema(example = "passed")]
    standing: String,
    /// The criteria that it is about.
    about: Vec<String>,
}

impl From<Evaluation> for EvaluationOut {
    fn from(evaluation: Evaluation) -> Self {
        let (standing, about) = match &evaluation.standing {
            Standing::Incomplete { .. } => ("incomplete", Vec::new()),
            Standing::Apart(criteria) => ("apart", keys(criteria)),
            Standing::Below(criteria) => ("below", keys(criteria)),
            Standing::Passed => ("passed", Vec::new()),
        };
        Self {
            criteria: evaluation.criteria.iter().map(Into::into).collect(),
            total: evaluation.total.to_string(),
            agreed: evaluation.agreed,
            standing: standing.to_owned(),
            about,
        }
    }
}

/// An application in the order of its call.
#[derive(Serialize, ToSchema)]
pub(super) struct JudgedOut {
    application: Uuid,
    organisation: Uuid,
    title: String,
    /// Where the hours are asked.
    partition: Option<String>,
    /// How many are asked.
    hours: Option<u32>,
    submitted_at: Instant,
    /// Whether the factory can do it, once it has said so.
    feasible: Option<bool>,
    /// How many reviews were asked for.
    asked: u32,
    /// How many were handed in.
    handed_in: u32,
    evaluation: Option<EvaluationOut>,
    /// Its place among those that have passed; those who tie share it.
    place: Option<u32>,
    /// Whether others share the place.
    tied: bool,
    verdict: Option<VerdictOut>,
}

impl From<Judged> for JudgedOut {
    fn from(judged: Judged) -> Self {
        let draft = judged.application.draft;
        Self {
            application: judged.application.id.uuid(),
            organisation: judged.application.organisation.uuid(),
            title: draft.title,
            partition: draft.partition.map(|key| key.to_string()),
            hours: draft.hours,
            submitted_at: judged.application.state_at.into(),
            feasible: judged.technical.map(|check| check.feasible),
            asked: judged.reviews.0,
            handed_in: judged.reviews.1,
            evaluation: judged.evaluation.map(Into::into),
            place: judged.place.map(|place| place.place),
            tied: judged.place.is_some_and(|place| place.tied),
            verdict: judged.verdict.map(Into::into),
        }
    }
}

/// A review that the caller was asked for.
#[derive(Serialize, ToSchema)]
pub(super) struct OwnReviewOut {
    application: Uuid,
    title: String,
    assigned_at: Instant,
    /// Why they were asked.
    reason: String,
    submitted_at: Option<Instant>,
}

impl From<(ReviewRecord, Application)> for OwnReviewOut {
    fn from((review, application): (ReviewRecord, Application)) -> Self {
        Self {
            application: application.id.uuid(),
            title: application.draft.title,
            assigned_at: review.assigned_at.into(),
            reason: review.reason,
            submitted_at: review.submitted_at.map(Into::into),
        }
    }
}

pub(super) fn keys(keys: &[Slug]) -> Vec<String> {
    keys.iter().map(Slug::to_string).collect()
}
