//! Invitations: who was invited to a place, and the page that a link opens.

use app::identity::{InvitationRecord, InvitationState, Offer};
use app::{FieldError, Grant, Role, Scope, Secret};
use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use uuid::Uuid;

use super::form::Form;
use super::tongue::Tongue;
use super::visit::{Frame, Visit, on_to, page};
use crate::extract::{Path, Query};
use crate::problem::{Kind, Problem};

#[derive(Template)]
#[template(path = "invitations.html")]
struct InvitationsPage {
    frame: Frame,
    scope: String,
    /// The page of the place, and how it is called.
    place: (String, String),
    roles: Vec<Role>,
    email: String,
    invitations: Vec<Line>,
    wrong: Vec<FieldError>,
    /// The path of the link just made, where no mail server sends it.
    link: Option<String>,
}

/// An invitation in one line.
struct Line {
    id: String,
    email: String,
    role: String,
    state: String,
    class: &'static str,
    open: bool,
    until: String,
    letter: String,
}

/// Of which place.
#[derive(Deserialize)]
pub(crate) struct Place {
    scope: String,
}

/// `GET /invitations?scope=…`.
pub(crate) async fn list(visit: Visit, Query(place): Query<Place>) -> Result<Response, Problem> {
    render(&visit, scope_of(&place.scope)?, (String::new(), Vec::new(), None)).await
}

fn scope_of(text: &str) -> Result<Scope, Problem> {
    text.parse().map_err(|error| Problem::with(Kind::BadRequest, format!("scope: {error}")))
}

/// What may be given in a place.
fn roles_of(scope: &Scope) -> Vec<Role> {
    match scope {
        Scope::Organisation(_) => vec![Role::User, Role::OrganisationRepresentative],
        Scope::Project(_) => vec![Role::User, Role::ProjectManager],
        Scope::Federation => vec![Role::Reviewer, Role::ProgrammeOfficer, Role::Administrator],
        Scope::Factory(_) => vec![Role::SiteOperator],
    }
}

async fn render(
    visit: &Visit,
    scope: Scope,
    (email, wrong, link): (String, Vec<FieldError>, Option<String>),
) -> Result<Response, Problem> {
    visit.signed_in()?;
    let found = visit.app.invitations(&visit.actor, &scope).await?;
    let t = visit.t();
    let place = match &scope {
        Scope::Organisation(id) => {
            let organisation = visit.app.organisation(&visit.actor, *id).await?;
            (format!("/organisations/{id}"), organisation.name)
        }
        Scope::Project(id) => {
            (format!("/projects/{id}"), visit.app.project(&visit.actor, *id).await?.title)
        }
        Scope::Federation => ("/".to_owned(), t.say("notices-federation")),
        Scope::Factory(key) => (format!("/factories/{key}"), key.to_string()),
    };
    let now = visit.app.now();
    page(&InvitationsPage {
        roles: roles_of(&scope),
        scope: scope.to_string(),
        place,
        email,
        invitations: found.into_iter().map(|it| line(t, it, now)).collect(),
        wrong,
        link,
        frame: visit.frame.clone(),
    })
}

fn line(t: Tongue, it: InvitationRecord, now: units::Timestamp) -> Line {
    let state = InvitationState::of(&it, now);
    let class = match state {
        InvitationState::Accepted => "good",
        InvitationState::Open => "wait",
        InvitationState::Revoked | InvitationState::Expired => "bad",
    };
    let letter = match (it.letter.error, it.letter.sent_at) {
        (Some(error), _) => error,
        (None, Some(at)) => t.minute(at),
        (None, None) => "–".to_owned(),
    };
    Line {
        id: it.id.to_string(),
        email: it.email,
        role: t.sub("role-", &it.role),
        state: t.sub("invitation-state-", state.name()),
        class,
        open: state == InvitationState::Open,
        until: t.minute(it.expires_at),
        letter,
    }
}

/// `POST /invitations`: invites, and shows the link where nobody sends it.
pub(crate) async fn send(visit: Visit, form: Form) -> Result<Response, Problem> {
    let scope = scope_of(form.text("scope"))?;
    let role: Role =
        form.text("role").parse().map_err(|error| Problem::field("role", format!("{error}")))?;
    let email = form.text("email").to_owned();
    let grant = Grant { role, scope: scope.clone() };
    match visit.app.invite(&visit.actor, &email, grant).await {
        Ok((_, secret)) => {
            let path = |it: &Secret| format!("{}{}", crate::INVITATION_LINK, it.reveal());
            let link = secret.as_ref().map(path);
            render(&visit, scope, (String::new(), Vec::new(), link)).await
        }
        Err(app::Error::Invalid(wrong)) => {
            let again = render(&visit, scope, (email, wrong, None)).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, again).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /invitations/{id}/revoke`.
pub(crate) async fn revoke(
    visit: Visit,
    Path(id): Path<Uuid>,
    form: Form,
) -> Result<Response, Problem> {
    let scope = scope_of(form.text("scope"))?;
    visit.app.revoke_invitation(&visit.actor, id).await?;
    Ok(on_to(&format!("/invitations?scope={scope}")))
}

#[derive(Template)]
#[template(path = "invitation.html")]
struct OfferPage {
    frame: Frame,
    /// The path of this page, for the way back after signing in.
    own: String,
    /// What is offered; nothing when the link does not work.
    offered: Option<Offered>,
}

/// What is offered, in words.
struct Offered {
    by: String,
    role: String,
    place: String,
    until: String,
}

/// `GET /invitation/{secret}`: shows what is offered and changes nothing, as mail scanners follow
/// links too.
pub(crate) async fn show(visit: Visit, Path(secret): Path<String>) -> Result<Response, Problem> {
    let own = format!("{}{secret}", crate::INVITATION_LINK);
    let t = visit.t();
    let offered = match visit.app.invitation_offer(&Secret::presented(secret)).await {
        Ok(Offer { by, role, place, expires_at }) => Some(Offered {
            by,
            role: t.sub("role-", role.name()),
            place: place.name.unwrap_or_else(|| t.say("notices-federation")),
            until: t.minute(expires_at),
        }),
        Err(app::Error::Conflict(_)) => None,
        Err(error) => return Err(error.into()),
    };
    page(&OfferPage { frame: visit.frame, own, offered })
}

/// `POST /invitation/{secret}`: accepts it.
pub(crate) async fn accept(
    visit: Visit,
    Path(secret): Path<String>,
    _form: Form,
) -> Result<Response, Problem> {
    let grant = visit.app.accept_invitation(&visit.actor, &Secret::presented(secret)).await?;
    Ok(on_to(&match grant.scope {
        Scope::Organisation(id) => format!("/organisations/{id}"),
        Scope::Project(id) => format!("/projects/{id}"),
        Scope::Factory(key) => format!("/factories/{key}"),
        Scope::Federation => "/settings".to_owned(),
    }))
}
