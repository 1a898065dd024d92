//! The audit trail: who did what to which object, when, under which rule.

use app::App;
use app::audit::AuditRecord;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::wire::Instant;
use crate::Actor;
use crate::extract::{Json, Query};
use crate::page::{Page, PageQuery};
use crate::problem::Problem;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(trail))
}

/// Which lines to give.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditQuery {
    /// Only those about this object, as `noun:id`.
    object: Option<String>,
    /// Where to go on: the `next` of the page before.
    cursor: Option<String>,
    /// How many entries at most.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
}

/// One line of the trail.
#[derive(Serialize, ToSchema)]
pub(crate) struct AuditOut {
    id: Uuid,
    at: Instant,
    /// Who: `person:…`, `site:…` or `system`.
    actor: String,
    /// What was done.
    #[schema(example = "job.submit")]
    action: String,
    /// To what, as `noun:id`.
    object: String,
    /// Under which rule or permission.
    rule: String,
    /// The particulars.
    detail: String,
}

impl From<AuditRecord> for AuditOut {
    fn from(record: AuditRecord) -> Self {
        Self {
            id: record.id,
            at: record.at.into(),
            actor: record.actor,
            action: record.action,
            object: record.object,
            rule: record.rule,
            detail: record.detail,
        }
    }
}

/// The trail, newest first.
#[utoipa::path(
    get, path = "/audit", tag = "audit", params(AuditQuery),
    responses((status = 200, body = Page<AuditOut>, description = "One page of the trail")),
)]
async fn trail(
    State(app): State<App>,
    actor: Actor,
    Query(query): Query<AuditQuery>,
) -> Result<Json<Page<AuditOut>>, Problem> {
    let page = PageQuery { cursor: query.cursor, limit: query.limit };
    let limit = page.limit()?;
    let lines = app.audit_trail(&actor, query.object.as_deref(), page.after()?, limit).await?;
    Ok(Json(Page::new(lines, limit, |line| line.id)))
}
