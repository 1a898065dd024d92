//! The history of a factory's load, for the digital twin.

use app::App;
use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use jiff::ToSpan;
use jiff::tz::TimeZone;
use serde::Deserialize;
use units::{Period, Slug};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::wire::Instant;
use crate::Actor;
use crate::extract::{Path, Query};
use crate::problem::{Kind, Problem};

/// What the twin reads: CSV with a heading.
const CSV: &str = "text/csv; charset=utf-8";

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(export))
}

/// When the jobs were submitted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct HistoryQuery {
    /// The first instant inside; a year before `to`, when it is not given.
    from: Option<Instant>,
    /// The first instant after; now, when it is not given.
    to: Option<Instant>,
}

impl HistoryQuery {
    fn period(&self, app: &App) -> Result<Period, Problem> {
        let end = self.to.map_or_else(|| app.now(), |at| at.0);
        let year_before = || end.to_zoned(TimeZone::UTC).saturating_sub(1.year()).timestamp();
        let start = self.from.map_or_else(year_before, |at| at.0);
        Period::new(start, end)
            .map_err(|_| Problem::with(Kind::BadRequest, "`from` must lie before `to`"))
    }
}

/// The jobs of a factory that have ended, as CSV that the digital twin reads (`format =
/// "history"`). Persons appear under pseudonyms, the same in every history of this hub;
/// organisations only as their class. That it was taken out stands in the audit trail.
#[utoipa::path(
    get, path = "/factories/{key}/history", tag = "federation",
    params(
        ("key" = String, Path, description = "The factory", example = "meluxina-ai"),
        HistoryQuery,
    ),
    responses((status = 200, content_type = "text/csv", body = String,
        description = "A heading, and one row a job in order of submission")),
)]
async fn export(
    State(app): State<App>,
    actor: Actor,
    Path(factory): Path<Slug>,
    Query(query): Query<HistoryQuery>,
) -> Result<Response, Problem> {
    let history = app.history(&actor, &factory, query.period(&app)?).await?;
    let name = format!("attachment; filename=\"{factory}-history.csv\"");
    let headers = [(header::CONTENT_TYPE, CSV.to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, Body::from_stream(history.text())).into_response())
}
