//! Decisions: recomputed from what is on record of them.

use app::App;
use app::decisions::Replayed;
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use units::ApplicationId;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::wire::Instant;
use crate::Actor;
use crate::extract::{Json, Path};
use crate::problem::Problem;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(replay))
}

/// One thing that a decision says.
#[derive(Serialize, ToSchema)]
struct ToldOut {
    /// What it is about.
    #[schema(example = "outcome")]
    what: String,
    #[schema(example = "awarded")]
    text: String,
}

/// Where the recomputation is not what was decided.
#[derive(Serialize, ToSchema)]
struct RecomputedOut {
    /// What it is about.
    what: String,
    /// What was decided; nothing when only the recomputation says it.
    decided: Option<String>,
    /// What the recomputation says.
    recomputed: Option<String>,
}

/// A decision and its recomputation.
#[derive(Serialize, ToSchema)]
struct ReplayOut {
    application: Uuid,
    decided_at: Instant,
    /// The digest of the policy that it was decided by.
    policy: String,
    /// Whether that policy is in force now.
    policy_in_force: bool,
    /// What was decided, one thing an entry.
    decided: Vec<ToldOut>,
    /// What the rules say of the same facts.
    recomputed: Vec<ToldOut>,
    /// Whether both are the same.
    same: bool,
    differences: Vec<RecomputedOut>,
    /// The facts that it rested on, as they are kept.
    facts: Value,
}

impl ReplayOut {
    fn of(replayed: Replayed) -> Result<Self, Problem> {
        let told = |lines: Vec<(String, String)>| {
            lines.into_iter().map(|(what, text)| ToldOut { what, text }).collect()
        };
        let facts = serde_json::from_str(&replayed.facts).map_err(|error| {
            Problem::from(app::Error::Internal(format!("facts that are no JSON: {error}")))
        })?;
        let record = replayed.record;
        let differences = replayed.differences.into_iter().map(|line| RecomputedOut {
            what: line.what,
            decided: line.before,
            recomputed: line.after,
        });
        let differences: Vec<RecomputedOut> = differences.collect();
        Ok(Self {
            application: record.application.uuid(),
            decided_at: record.decided_at.into(),
            policy: record.policy,
            policy_in_force: replayed.policy_in_force,
            decided: told(record.told),
            recomputed: told(replayed.told),
            same: differences.is_empty(),
            differences,
            facts,
        })
    }
}

/// Recompute the newest decision on an application from its record: the facts of that instant and
/// the policy of that day.
#[utoipa::path(
    get, path = "/applications/{id}/replay", tag = "applications",
    params(("id" = Uuid, Path, description = "Which application")),
    responses((status = 200, body = ReplayOut, description = "Both, and where they differ")),
)]
async fn replay(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ApplicationId>,
) -> Result<Json<ReplayOut>, Problem> {
    Ok(Json(ReplayOut::of(app.replay_decision(&actor, id).await?)?))
}
