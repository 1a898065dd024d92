//! Why a job waits and when it is expected to start, over the wire.

use app::App;
use app::jobs::{Cause, Expected, Outlook, Sooner};
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::Actor;
use crate::api::wire::Instant;
use crate::extract::{JobPath, Json};
use crate::portal::jobs::outlook as words;
use crate::portal::tongue::Tongue;
use crate::problem::Problem;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(outlook))
}

/// When a job is expected to start if nothing else arrives.
#[derive(Serialize, ToSchema)]
pub(super) struct ExpectedOut {
    /// If jobs use as little of their time limits as one in ten of the last thousand did.
    earliest: Instant,
    /// If jobs use as much of their time limits as half of them did.
    likely: Instant,
    /// If every job runs as long as it may.
    latest: Instant,
}

impl From<Expected> for ExpectedOut {
    fn from(expected: Expected) -> Self {
        let Expected { earliest, likely, latest } = expected;
        Self { earliest: earliest.into(), likely: likely.into(), latest: latest.into() }
    }
}

/// Something that keeps a job waiting.
#[derive(Serialize, ToSchema)]
struct CauseOut {
    /// `dependency`, `array-limit`, `on-its-way`, `agent-away`, `not-shown`, `held-back`,
    /// `nodes-down`, `not-free`, `maintenance`, `would-delay`, `behind` or `about-to-start`.
    #[schema(example = "behind")]
    kind: &'static str,
    /// The same for people.
    #[schema(example = "3 jobs stand before it")]
    text: String,
    /// Until when, or from when, where there is an instant to tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Instant>,
    /// How many jobs stand before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    jobs: Option<u64>,
}

impl From<&Cause> for CauseOut {
    fn from(cause: &Cause) -> Self {
        let (kind, at, jobs) = match cause {
            Cause::DependsOn(_) => ("dependency", None, None),
            Cause::ElementsFirst => ("array-limit", None, None),
            Cause::OnItsWay { seen_at } => ("on-its-way", *seen_at, None),
            Cause::AgentAway { since } => ("agent-away", Some(*since), None),
            Cause::NotShown => ("not-shown", None, None),
            Cause::HeldBack => ("held-back", None, None),
            Cause::NodesDown => ("nodes-down", None, None),
            Cause::NotFree { .. } => ("not-free", None, None),
            Cause::Maintenance { turns_at } => ("maintenance", Some(*turns_at), None),
            Cause::WouldDelay { promised_at } => ("would-delay", Some(*promised_at), None),
            Cause::Behind { jobs } => ("behind", None, Some(*jobs)),
            Cause::AboutToStart => ("about-to-start", None, None),
        };
        let text = words::cause(Tongue::English, cause);
        Self { kind, text, at: at.map(Into::into), jobs }
    }
}

/// A change that would let a job start now.
#[derive(Serialize, ToSchema)]
struct SoonerOut {
    /// `time-limit` or `nodes`.
    #[schema(example = "time-limit")]
    kind: &'static str,
    /// The most that may be asked: seconds, or nodes.
    #[schema(example = 1_800)]
    at_most: i64,
    /// The same for people.
    #[schema(example = "a time limit of at most 30 min")]
    text: String,
}

impl From<Sooner> for SoonerOut {
    fn from(sooner: Sooner) -> Self {
        let (kind, at_most) = match sooner {
            Sooner::TimeLimit { seconds_max } => ("time-limit", seconds_max),
            Sooner::Nodes { nodes_max } => ("nodes", i64::from(nodes_max)),
        };
        Self { kind, at_most, text: words::sooner(Tongue::English, sooner) }
    }
}

/// What stands between a job and its start.
#[derive(Serialize, ToSchema)]
struct OutlookOut {
    /// What keeps it waiting, most direct first; empty when it runs or has ended.
    causes: Vec<CauseOut>,
    /// Changes each of which would let it start now.
    sooner: Vec<SoonerOut>,
    /// Whether its site was not given it yet, so that it may still run elsewhere.
    may_leave: bool,
    /// When it is expected to start, where that can be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<ExpectedOut>,
    /// The range in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// When its site last said what runs there, or that nothing has changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<Instant>,
}

impl From<Outlook> for OutlookOut {
    fn from(outlook: Outlook) -> Self {
        Self {
            causes: outlook.causes.iter().map(Into::into).collect(),
            sooner: outlook.sooner.into_iter().map(Into::into).collect(),
            text: outlook.expected.map(|expected| words::expected(Tongue::English, expected)),
            may_leave: outlook.may_leave,
            expected: outlook.expected.map(Into::into),
            as_of: outlook.as_of.map(Into::into),
        }
    }
}

/// Why a job waits, what would start it sooner, and when it is expected to start: the scheduler of
/// its site, played forward from what that site last showed.
#[utoipa::path(
    get, path = "/jobs/{id}/outlook", tag = "jobs",
    params(("id" = uuid::Uuid, Path, description = "The job")),
    responses((status = 200, body = OutlookOut, description = "As far as it can be told")),
)]
async fn outlook(
    State(app): State<App>,
    actor: Actor,
    JobPath(id): JobPath,
) -> Result<Json<OutlookOut>, Problem> {
    Ok(Json(app.job_outlook(&actor, id).await?.into()))
}
