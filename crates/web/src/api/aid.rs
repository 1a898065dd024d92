//! State aid: what organisations were granted, and the register as an authority takes it in.

use app::App;
use app::aid::{AidFilter, AidRecord, OtherAid};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use units::{Cents, CountryCode, OrganisationId};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::wire::Instant;
use crate::Actor;
use crate::extract::{Json, Path, Query};
use crate::page::{Page, PageQuery};
use crate::problem::{Kind, Problem};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(register))
        .routes(routes!(export))
        .routes(routes!(show, declare))
}

/// Which part of the register.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RegisterQuery {
    /// Aid of this Member State.
    #[param(example = "LU")]
    state: Option<String>,
    /// Granted on this day or later.
    #[param(value_type = Option<String>, format = Date, example = "2026-01-01")]
    from: Option<String>,
    /// Granted on this day or before.
    #[param(value_type = Option<String>, format = Date, example = "2026-12-31")]
    to: Option<String>,
    /// Where to go on: the `next` of the page before.
    cursor: Option<String>,
    /// How many entries at most.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
}

/// Which part of the register is exported.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExportQuery {
    /// Aid of this Member State.
    #[param(example = "LU")]
    state: Option<String>,
    /// Granted on this day or later.
    #[param(value_type = Option<String>, format = Date, example = "2026-01-01")]
    from: Option<String>,
    /// Granted on this day or before.
    #[param(value_type = Option<String>, format = Date, example = "2026-12-31")]
    to: Option<String>,
}

/// The part of the register that a query names.
pub(crate) fn filter(
    state: Option<&str>,
    (from, to): (Option<&str>, Option<&str>),
) -> Result<AidFilter, Problem> {
    let wrong = |what: &str, error: &dyn std::fmt::Display| {
        Problem::with(Kind::BadRequest, format!("`{what}`: {error}"))
    };
    let day = |what: &str, text: Option<&str>| {
        text.map(str::parse::<Date>).transpose().map_err(|error| wrong(what, &error))
    };
    let state = state.map(str::parse::<CountryCode>).transpose();
    Ok(AidFilter {
        state: state.map_err(|error| wrong("state", &error))?,
        from: day("from", from)?,
        to: day("to", to)?,
        before: None,
    })
}

/// One grant of aid.
#[derive(Serialize, ToSchema)]
pub(crate) struct AidOut {
    id: Uuid,
    /// The organisation that received it.
    beneficiary: Uuid,
    name: String,
    /// Its VAT number or EUID.
    identifier: Option<String>,
    /// The state it is established in.
    country: String,
    /// The Member State whose aid it is.
    #[schema(example = "LU")]
    state: String,
    /// The day on which the right to it was conferred.
    #[schema(format = Date)]
    granted_on: String,
    /// Its gross grant equivalent.
    amount_cents: i64,
    authority: String,
    instrument: String,
    sector: Option<String>,
    /// The hours that it consists of; absent for aid of others.
    allocation: Option<Uuid>,
    /// The ceiling it was held to, or `declared`.
    rule: String,
    entered_by: String,
    entered_at: Instant,
}

impl From<AidRecord> for AidOut {
    fn from(record: AidRecord) -> Self {
        let line = record.line;
        Self {
            id: record.id,
            beneficiary: line.beneficiary.uuid(),
            name: record.name,
            identifier: record.registration,
            country: record.country.to_string(),
            state: line.state.to_string(),
            granted_on: line.granted_on.to_string(),
            amount_cents: line.amount.count(),
            authority: line.authority,
            instrument: line.instrument,
            sector: line.sector,
            allocation: line.allocation.map(units::AllocationId::uuid),
            rule: record.rule,
            entered_by: record.entered_by,
            entered_at: record.entered_at.into(),
        }
    }
}

/// Aid received from somebody else.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AidIn {
    /// The Member State whose aid it is.
    #[schema(pattern = "^[A-Z]{2}$", example = "LU")]
    state: String,
    /// The day on which it was granted.
    #[schema(format = Date, example = "2025-03-01")]
    granted_on: String,
    /// Its gross grant equivalent.
    #[schema(minimum = 1, maximum = 100_000_000_000_i64, example = 2_500_000)]
    amount_cents: i64,
    /// Who granted it.
    #[schema(min_length = 1, max_length = 200, example = "Luxinnovation")]
    authority: String,
    /// In which form.
    #[schema(min_length = 1, max_length = 200, example = "grant")]
    instrument: String,
}

impl AidIn {
    fn read(self) -> Result<OtherAid, Problem> {
        let state = self.state.parse();
        let day = self.granted_on.parse();
        Ok(OtherAid {
            state: state.map_err(|error| Problem::field("state", format!("{error}")))?,
            granted_on: day
                .map_err(|error: jiff::Error| Problem::field("granted_on", format!("{error}")))?,
            amount: Cents::new(self.amount_cents),
            authority: self.authority,
            instrument: self.instrument,
        })
    }
}

/// The register of de minimis aid, the newest entry first.
#[utoipa::path(
    get, path = "/state-aid", tag = "state aid", params(RegisterQuery),
    responses((status = 200, body = Page<AidOut>, description = "One page of the register")),
)]
async fn register(
    State(app): State<App>,
    actor: Actor,
    Query(query): Query<RegisterQuery>,
) -> Result<Json<Page<AidOut>>, Problem> {
    let page = PageQuery { cursor: query.cursor, limit: query.limit };
    let limit = page.limit()?;
    let filter = filter(query.state.as_deref(), (query.from.as_deref(), query.to.as_deref()))?;
    let filter = AidFilter { before: page.after()?, ..filter };
    let found = app.aid_register(&actor, &filter, limit).await?;
    Ok(Json(Page::new(found, limit, |record| record.id)))
}

/// The register as a national authority takes it in: CSV, one row a grant, by day.
#[utoipa::path(
    get, path = "/state-aid/export", tag = "state aid", params(ExportQuery),
    responses((status = 200, content_type = "text/csv", body = String,
        description = "A heading, and one row a grant")),
)]
async fn export(
    State(app): State<App>,
    actor: Actor,
    Query(query): Query<ExportQuery>,
) -> Result<Response, Problem> {
    let filter = filter(query.state.as_deref(), (query.from.as_deref(), query.to.as_deref()))?;
    let csv = app.export_aid(&actor, &filter).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"state-aid.csv\""),
    ];
    Ok((headers, csv).into_response())
}

/// All aid on record of an organisation and of those that are one undertaking with it.
#[utoipa::path(
    get, path = "/organisations/{id}/aid", tag = "state aid",
    params(("id" = Uuid, Path, description = "Whose")),
    responses((status = 200, body = Page<AidOut>, description = "The lines, oldest first")),
)]
async fn show(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<OrganisationId>,
) -> Result<Json<Page<AidOut>>, Problem> {
    Ok(Json(Page::whole(app.aid_of(&actor, id).await?)))
}

/// Declare de minimis aid that the organisation has received elsewhere.
#[utoipa::path(
    post, path = "/organisations/{id}/aid", tag = "state aid",
    params(("id" = Uuid, Path, description = "Whose")),
    request_body = AidIn,
    responses((status = 201, body = AidOut, description = "It stands in the register")),
)]
async fn declare(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<OrganisationId>,
    Json(aid): Json<AidIn>,
) -> Result<(StatusCode, Json<AidOut>), Problem> {
    let record = app.declare_aid(&actor, id, aid.read()?).await?;
    Ok((StatusCode::CREATED, Json(record.into())))
}
