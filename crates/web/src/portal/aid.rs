//! State aid: what an organisation was granted, and the register for officers.

use access::organisation::Organisation;
use app::aid::{AidRecord, OtherAid};
use app::{Action, FieldError, Scope};
use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use units::{Cents, OrganisationId};

use super::form::Form;
use super::organisations::in_hundredths;
use super::visit::{Frame, Visit, on_to, page};
use crate::api::aid::filter;
use crate::extract::{Path, Query};
use crate::problem::Problem;

/// How many lines the register shows; the export has all.
const LISTED: u32 = 200;

#[derive(Template)]
#[template(path = "aid.html")]
struct AidPage {
    frame: Frame,
    organisation: Organisation,
    rows: Vec<Row>,
    may_declare: bool,
    form: Form,
    wrong: Vec<FieldError>,
}

#[derive(Template)]
#[template(path = "aid_register.html")]
struct RegisterPage {
    frame: Frame,
    rows: Vec<Row>,
    state: String,
    from: String,
    to: String,
}

/// One line as the pages show it.
struct Row {
    beneficiary: OrganisationId,
    name: String,
    identifier: String,
    granted_on: String,
    state: String,
    amount: String,
    authority: String,
    instrument: String,
    sector: String,
}

impl From<AidRecord> for Row {
    fn from(record: AidRecord) -> Self {
        let line = record.line;
        Self {
            beneficiary: line.beneficiary,
            name: record.name,
            identifier: record.registration.unwrap_or_default(),
            granted_on: line.granted_on.to_string(),
            state: line.state.to_string(),
            amount: line.amount.to_string().replace(' ', "\u{a0}"),
            authority: line.authority,
            instrument: line.instrument,
            sector: line.sector.unwrap_or_default(),
        }
    }
}

/// Which part of the register a page shows.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegisterQuery {
    #[serde(default)]
    state: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
}

/// `GET /state-aid`.
pub(crate) async fn register(
    visit: Visit,
    Query(query): Query<RegisterQuery>,
) -> Result<Response, Problem> {
    visit.signed_in()?;
    let given = |text: &'_ str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let (state, from, to) = (given(&query.state), given(&query.from), given(&query.to));
    let filter = filter(state.as_deref(), (from.as_deref(), to.as_deref()))?;
    let found = visit.app.aid_register(&visit.actor, &filter, LISTED).await?;
    page(&RegisterPage {
        rows: found.into_iter().map(Row::from).collect(),
        state: query.state,
        from: query.from,
        to: query.to,
        frame: visit.frame,
    })
}

/// `GET /organisations/{id}/aid`.
pub(crate) async fn show(
    visit: Visit,
    Path(id): Path<OrganisationId>,
) -> Result<Response, Problem> {
    render(&visit, id, (Form::default(), Vec::new())).await
}

async fn render(
    visit: &Visit,
    id: OrganisationId,
    (form, wrong): (Form, Vec<FieldError>),
) -> Result<Response, Problem> {
    let organisation = visit.app.organisation(&visit.actor, id).await?;
    let records = visit.app.aid_of(&visit.actor, id).await?;
    let may_declare = visit.actor.can(Action::DeclareOrganisation, &[Scope::Organisation(id)]);
    page(&AidPage {
        frame: visit.frame.clone(),
        organisation,
        rows: records.into_iter().map(Row::from).collect(),
        may_declare,
        form,
        wrong,
    })
}

/// `POST /organisations/{id}/aid`.
pub(crate) async fn declare(
    visit: Visit,
    Path(id): Path<OrganisationId>,
    form: Form,
) -> Result<Response, Problem> {
    let declared = match read(&form) {
        Ok(aid) => visit.app.declare_aid(&visit.actor, id, aid).await,
        Err(wrong) => Err(app::Error::Invalid(vec![wrong])),
    };
    match declared {
        Ok(_) => Ok(on_to(&format!("/organisations/{id}/aid"))),
        Err(app::Error::Invalid(wrong)) => {
            let again = render(&visit, id, (form, wrong)).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, again).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

fn read(form: &Form) -> Result<OtherAid, FieldError> {
    let state = form.text("state").to_uppercase().parse();
    let day = form.text("granted_on").parse();
    let euros = form.text("amount").replace([' ', '\u{a0}', '\u{202f}'], "").replace(',', ".");
    Ok(OtherAid {
        state: state.map_err(|error| FieldError::new("state", format!("{error}")))?,
        granted_on: day.map_err(|_: jiff::Error| {
            FieldError::new("granted_on", "write the day as 2025-12-31")
        })?,
        amount: in_hundredths(&euros)
            .map(Cents::new)
            .ok_or_else(|| FieldError::new("amount", "write euros, such as 12500"))?,
        authority: form.text("authority").to_owned(),
        instrument: form.text("instrument").to_owned(),
    })
}
