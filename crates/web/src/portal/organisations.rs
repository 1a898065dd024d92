//! Organisations: put on record, declared, assessed line by line, and who belongs to them.

mod declaration;
mod printed;

use access::organisation::{Organisation, OrganisationKind, Verified};
use access::sme::StartUp;
use app::organisations::{Declaration, Filter, Member, NewOrganisation};
use app::{Action, Role, Scope};
use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use units::OrganisationId;

use super::form::Form;
use super::paging::{LISTED, Listing};
use super::tongue::Tongue;
use super::visit::{Frame, Visit, on_to, page};
use crate::extract::{Path, Query};
use crate::problem::Problem;

pub(crate) use declaration::{declare, in_hundredths, show_form};
pub(crate) use printed::print;

#[derive(Template)]
#[template(path = "organisations.html")]
struct OrganisationsPage {
    frame: Frame,
    sees_aid: bool,
    /// What was looked for.
    sought: String,
    organisations: Vec<Organisation>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "organisation_new.html")]
struct NewPage {
    frame: Frame,
    form: Form,
    states: Vec<(String, String)>,
    wrong: Vec<app::FieldError>,
}

#[derive(Template)]
#[template(path = "organisation.html")]
struct OrganisationPage {
    frame: Frame,
    organisation: Organisation,
    enterprise: bool,
    assessed: Option<Assessed>,
    members: Vec<Member>,
    verifications: Vec<Checked>,
    may_verify: bool,
    may_declare: bool,
    may_manage: bool,
    wrong: Vec<app::FieldError>,
}

/// What was verified, as the page shows it.
struct Checked {
    subject: String,
    evidence: String,
    by: String,
    at: String,
    /// Whether it is about an earlier declaration than the newest.
    of_earlier: bool,
}

/// The assessment as the page shows it.
struct Assessed {
    class: String,
    is_sme: bool,
    relation: String,
    at: String,
    until: Option<String>,
    rule: String,
    start_up: StartUp,
    headcount: String,
    turnover: String,
    balance_sheet: String,
    lines: Vec<AssessedLine>,
}

struct AssessedLine {
    what: String,
    share: Option<String>,
    headcount: Option<String>,
    turnover: Option<String>,
    balance_sheet: Option<String>,
    article: String,
}

/// `GET /organisations`.
pub(crate) async fn list(
    visit: Visit,
    Query(listing): Query<Listing>,
) -> Result<Response, Problem> {
    visit.signed_in()?;
    let name = listing.sought().map(str::to_owned);
    let filter = Filter { name, before: listing.after()? };
    let found = visit.app.organisations(&visit.actor, &filter, LISTED).await?;
    let (organisations, next) = listing.page(found, "/organisations", |it| it.id);
    let sought = filter.name.unwrap_or_default();
    let sees_aid = visit.actor.sees_aid();
    page(&OrganisationsPage { frame: visit.frame, sees_aid, sought, organisations, next })
}

/// `GET /organisations/new`.
pub(crate) async fn registration(visit: Visit) -> Result<Response, Problem> {
    visit.signed_in()?;
    render_new(&visit, Form::default(), Vec::new())
}

fn render_new(visit: &Visit, form: Form, wrong: Vec<app::FieldError>) -> Result<Response, Problem> {
    let t = visit.t();
    let mut states: Vec<(String, String)> = super::chart::Map::placed()
        .map(|code| (t.sub("country-", code), code.to_owned()))
        .collect();
    states.sort();
    page(&NewPage { frame: visit.frame.clone(), form, states, wrong })
}

/// `POST /organisations/new`.
pub(crate) async fn register(visit: Visit, form: Form) -> Result<Response, Problem> {
    let registered = match parsed(&form) {
        Ok(new) => visit.app.register_organisation(&visit.actor, new).await,
        Err(wrong) => Err(app::Error::Invalid(wrong)),
    };
    match registered {
        Ok(organisation) => Ok(on_to(&format!("/organisations/{}", organisation.id))),
        Err(app::Error::Invalid(wrong)) => {
            let again = render_new(&visit, form, wrong)?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, again).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

fn parsed(form: &Form) -> Result<NewOrganisation, Vec<app::FieldError>> {
    let wrong = |field: &str, text: String| vec![app::FieldError::new(field, text)];
    let optional = |name: &str| Some(form.text(name).to_owned()).filter(|text| !text.is_empty());
    let kind = OrganisationKind::WORDS.iter().find(|(word, _)| *word == form.text("kind"));
    let (_, kind) = kind.ok_or_else(|| wrong("kind", "choose one".to_owned()))?;
    let country = form.text("country").parse();
    let country = country.map_err(|error| wrong("country", format!("{error}")))?;
    let day = optional("registered_on").map(|day| day.parse::<jiff::civil::Date>()).transpose();
    let day = day.map_err(|_| wrong("registered_on", "write it as 2026-11-21".to_owned()))?;
    Ok(NewOrganisation {
        name: form.text("name").to_owned(),
        kind: *kind,
        country,
        legal_form: optional("legal_form"),
        registration: optional("registration"),
        sector: optional("sector"),
        nace: optional("nace"),
        registered_on: day,
    })
}

/// `GET /organisations/{id}`.
pub(crate) async fn show(
    visit: Visit,
    Path(id): Path<OrganisationId>,
) -> Result<Response, Problem> {
    render(&visit, id, Vec::new()).await
}

async fn render(
    visit: &Visit,
    id: OrganisationId,
    wrong: Vec<app::FieldError>,
) -> Result<Response, Problem> {
    let organisation = visit.app.organisation(&visit.actor, id).await?;
    let mut newest = None;
    let assessed = match visit.app.assessment(&visit.actor, id).await {
        Ok(it) => {
            newest = Some(it.id);
            let until = visit.app.declaration_valid_until(&it);
            Some(assessed(visit.t(), it, until))
        }
        Err(app::Error::NotFound(_)) => None,
        Err(error) => return Err(error.into()),
    };
    let verifications = visit.app.verifications(&visit.actor, id).await?;
    let t = visit.t();
    let checked = |it: app::organisations::Verification| Checked {
        of_earlier: it.declaration.is_some() && it.declaration != newest,
        subject: it.subject.to_string(),
        evidence: it.evidence,
        by: it.name,
        at: t.minute(it.verified_at),
    };
    let scope = [Scope::Organisation(id)];
    let enterprise = organisation.kind == OrganisationKind::Enterprise;
    page(&OrganisationPage {
        members: visit.app.organisation_members(&visit.actor, id).await?,
        may_declare: enterprise && visit.actor.can(Action::DeclareOrganisation, &scope),
        verifications: verifications.into_iter().map(checked).collect(),
        may_verify: visit.actor.can(Action::VerifyOrganisation, &scope),
        may_manage: visit.actor.can(Action::ManageOrganisation, &scope),
        organisation,
        enterprise,
        assessed,
        wrong,
        frame: visit.frame.clone(),
    })
}

fn assessed(t: Tongue, declared: Declaration, until: Option<jiff::civil::Date>) -> Assessed {
    let (it, start_up) = (&declared.assessment, declared.start_up);
    let euros = |cents: units::Cents| cents.to_string().replace(' ', "\u{a0}");
    let awu = |size: &access::sme::Size| t.hundredths(size.headcount.count());
    let line = |line: &access::sme::Line| AssessedLine {
        what: line.what.clone(),
        share: line.share.map(|share| t.percent(share)),
        headcount: line.size.as_ref().map(awu),
        turnover: line.size.map(|size| euros(size.turnover)),
        balance_sheet: line.size.map(|size| euros(size.balance_sheet)),
        article: line.article.to_string(),
    };
    Assessed {
        class: it.class.to_string(),
        is_sme: it.class.is_sme(),
        relation: it.relation.to_string(),
        at: t.minute(declared.declared_at),
        until: until.map(|day| day.to_string()),
        rule: it.rule.to_string(),
        start_up,
        headcount: awu(&it.size),
        turnover: euros(it.size.turnover),
        balance_sheet: euros(it.size.balance_sheet),
        lines: it.lines.iter().map(line).collect(),
    }
}

/// `POST /organisations/{id}/verifications`.
pub(crate) async fn verify(
    visit: Visit,
    Path(id): Path<OrganisationId>,
    form: Form,
) -> Result<Response, Problem> {
    let subject = Verified::WORDS.iter().find(|(word, _)| *word == form.text("subject"));
    let (_, subject) = subject.ok_or_else(|| Problem::field("subject", "choose one"))?;
    let verified = (*subject, form.text("evidence"));
    match visit.app.verify_organisation(&visit.actor, id, verified).await {
        Ok(_) => Ok(on_to(&format!("/organisations/{id}#verifications"))),
        Err(app::Error::Invalid(wrong)) => {
            let again = render(&visit, id, wrong).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, again).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /organisations/{id}/members`.
pub(crate) async fn add_member(
    visit: Visit,
    Path(id): Path<OrganisationId>,
    form: Form,
) -> Result<Response, Problem> {
    let role: Role =
        form.text("role").parse().map_err(|error| Problem::field("role", format!("{error}")))?;
    let new = (form.text("email"), role);
    match visit.app.add_organisation_member(&visit.actor, id, new).await {
        Ok(_) => Ok(on_to(&format!("/organisations/{id}"))),
        Err(app::Error::Invalid(wrong)) => {
            let again = render(&visit, id, wrong).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, again).into_response())
        }
        Err(error) => Err(error.into()),
    }
}
