//! One's own account: tokens, sign-ins, identities, password, roles held.

use app::Ability;
use app::identity::provided::Identity;
use app::identity::{ApiToken, NewToken, OpenSession, TOKEN_DAYS_MAX};
use askama::Template;
use axum::Extension;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use units::{IdentityId, TokenId};

use super::form::Form;
use super::visit::{Frame, Visit, on_to, page};
use crate::extract::Path;
use crate::oidc::Providers;
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "settings.html")]
struct SettingsPage {
    frame: Frame,
    tokens: Vec<ApiToken>,
    sessions: Vec<OpenSession>,
    identities: Vec<Identity>,
    providers: Providers,
    abilities: [Ability; 5],
    days_max: u32,
    wrong: Vec<app::FieldError>,
    /// The secret of the token just made, shown only now.
    secret: Option<String>,
}

impl SettingsPage {
    /// How a session was opened, in the visitor's words.
    fn means(&self, means: &str) -> String {
        match (means, means.strip_prefix("provider ")) {
            (_, Some(name)) => self.providers.label(name).to_owned(),
            ("password", _) => self.frame.t.say("session-by-password"),
            _ => self.frame.t.say("session-by-link"),
        }
    }
}

/// `GET /settings`.
pub(crate) async fn show(
    visit: Visit,
    Extension(providers): Extension<Providers>,
) -> Result<Response, Problem> {
    render(visit, providers, Vec::new(), None).await
}

async fn render(
    visit: Visit,
    providers: Providers,
    wrong: Vec<app::FieldError>,
    secret: Option<String>,
) -> Result<Response, Problem> {
    visit.signed_in()?;
    let tokens = visit.app.tokens(&visit.actor).await?;
    let sessions = visit.app.sessions(&visit.actor, visit.secret.as_ref()).await?;
    let identities = visit.app.identities(&visit.actor).await?;
    page(&SettingsPage {
        frame: visit.frame,
        tokens,
        sessions,
        identities,
        providers,
        abilities: Ability::ALL,
        days_max: TOKEN_DAYS_MAX,
        wrong,
        secret,
    })
}

/// `POST /settings/tokens`: makes a token and shows its secret this once.
pub(crate) async fn create_token(
    visit: Visit,
    Extension(providers): Extension<Providers>,
    form: Form,
) -> Result<Response, Problem> {
    let abilities = form.all("abilities").filter_map(|name| name.parse().ok()).collect();
    let days = form.text("days").parse().unwrap_or_default();
    let new = NewToken { name: form.text("name").to_owned(), abilities, days };
    match visit.app.create_token(&visit.actor, new).await {
        Ok((_, secret)) => {
            render(visit, providers, Vec::new(), Some(secret.reveal().to_owned())).await
        }
        Err(app::Error::Invalid(wrong)) => refused(visit, providers, wrong).await,
        Err(error) => Err(error.into()),
    }
}

/// `POST /settings/tokens/{id}/revoke` and `/settings/sessions/{id}/end`.
pub(crate) async fn revoke_token(
    visit: Visit,
    Path(id): Path<TokenId>,
    _form: Form,
) -> Result<Response, Problem> {
    visit.app.revoke_token(&visit.actor, id).await?;
    Ok(on_to("/settings"))
}

/// `POST /settings/password`: after it every session ends, this one too.
pub(crate) async fn set_password(
    visit: Visit,
    Extension(providers): Extension<Providers>,
    form: Form,
) -> Result<Response, Problem> {
    match visit.app.set_password(&visit.actor, form.secret("password")).await {
        Ok(()) => Ok(on_to("/sign-in")),
        Err(app::Error::Invalid(wrong)) => refused(visit, providers, wrong).await,
        Err(error) => Err(error.into()),
    }
}

/// `POST /settings/identities/{id}/remove`.
pub(crate) async fn unlink(
    visit: Visit,
    Path(id): Path<IdentityId>,
    _form: Form,
) -> Result<Response, Problem> {
    visit.app.unlink_identity(&visit.actor, id).await?;
    Ok(on_to("/settings"))
}

async fn refused(
    visit: Visit,
    providers: Providers,
    wrong: Vec<app::FieldError>,
) -> Result<Response, Problem> {
    let again = render(visit, providers, wrong, None).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, again).into_response())
}
