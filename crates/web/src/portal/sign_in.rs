//! Signing in and out, making an account, the one-time link, and the choice of language.

use app::Secret;
use app::identity::{NewAccount, Opened};
use askama::Template;
use axum::Extension;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::form::Form;
use super::tongue::{self, Tongue};
use super::visit::{Frame, Visit, local, on_to, page};
use crate::auth::{Credential, session_cookie};
use crate::extract::{Path, Query};
use crate::oidc::Providers;
use crate::problem::Problem;
use crate::settings::Scheme;

/// How long a browser keeps the chosen language.
const LANGUAGE_SECONDS: u32 = 365 * 86_400;

/// Where to go after signing in.
#[derive(Deserialize)]
pub(crate) struct To {
    to: Option<String>,
}

impl To {
    /// The page of the portal that is meant.
    pub(super) fn page(&self) -> &str {
        local(self.to.as_deref().unwrap_or("/"))
    }
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    frame: Frame,
    to: String,
    email: String,
    refused: bool,
    providers: Providers,
}

/// `GET /sign-in`.
pub(crate) async fn door(
    visit: Visit,
    Extension(providers): Extension<Providers>,
    Query(query): Query<To>,
) -> Result<Response, Problem> {
    let to = query.page().to_owned();
    if visit.frame.account.is_some() {
        return Ok(on_to(&to));
    }
    page(&SignInPage { frame: visit.frame, to, email: String::new(), refused: false, providers })
}

/// `POST /sign-in`.
pub(crate) async fn sign_in(
    visit: Visit,
    Extension(scheme): Extension<Scheme>,
    Extension(providers): Extension<Providers>,
    form: Form,
) -> Result<Response, Problem> {
    let (email, to) = (form.text("email").to_owned(), local(form.text("to")).to_owned());
    match visit.app.sign_in(&email, form.secret("password")).await {
        Ok(opened) => Ok(with_session(&visit, scheme, &opened, on_to(&to))),
        Err(app::Error::BadCredentials(_)) => {
            let again = SignInPage { frame: visit.frame, to, email, refused: true, providers };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&again)?).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

/// The response, with the cookie of the session just opened.
pub(super) fn with_session(
    visit: &Visit,
    scheme: Scheme,
    opened: &Opened,
    mut response: Response,
) -> Response {
    let seconds = opened.expires_at.as_second() - visit.app.now().as_second();
    if let Some(cookie) = session_cookie(scheme, opened.secret.reveal(), seconds) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// `POST /sign-out`.
pub(crate) async fn sign_out(
    visit: Visit,
    Extension(scheme): Extension<Scheme>,
    credential: Credential,
    _form: Form,
) -> Result<Response, Problem> {
    if let Some(secret) = credential.secret() {
        visit.app.sign_out(secret).await?;
    }
    let mut response = on_to("/");
    if let Some(cookie) = session_cookie(scheme, "", 0) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

#[derive(Template)]
#[template(path = "register.html")]
struct RegisterPage {
    frame: Frame,
    to: String,
    email: String,
    name: String,
    wrong: Vec<app::FieldError>,
}

/// `GET /register`.
pub(crate) async fn registration(visit: Visit, Query(q): Query<To>) -> Result<Response, Problem> {
    let to = q.page().to_owned();
    let (email, name) = (String::new(), String::new());
    page(&RegisterPage { frame: visit.frame, to, email, name, wrong: Vec::new() })
}

/// `POST /register`: makes the account and signs it in.
pub(crate) async fn register(
    visit: Visit,
    Extension(scheme): Extension<Scheme>,
    form: Form,
) -> Result<Response, Problem> {
    let (email, name) = (form.text("email").to_owned(), form.text("name").to_owned());
    let to = local(form.text("to")).to_owned();
    let password = form.secret("password");
    let new = NewAccount { email: email.clone(), name: name.clone(), password: password.clone() };
    let wrong = match visit.app.register(&visit.actor, new).await {
        Ok(_) => {
            let opened = visit.app.sign_in(&email, password).await?;
            return Ok(with_session(&visit, scheme, &opened, on_to(&to)));
        }
        Err(app::Error::Invalid(wrong)) => wrong,
        Err(app::Error::Conflict(text)) => vec![app::FieldError::new("email", text)],
        Err(error) => return Err(error.into()),
    };
    let again = RegisterPage { frame: visit.frame, to, email, name, wrong };
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&again)?).into_response())
}

#[derive(Template)]
#[template(path = "welcome.html")]
struct WelcomePage {
    frame: Frame,
    secret: String,
    refused: bool,
}

/// `GET /sign-in/link/{secret}`: asks before the link is used up, as mail scanners follow links too.
pub(crate) async fn welcome(visit: Visit, Path(secret): Path<String>) -> Result<Response, Problem> {
    page(&WelcomePage { frame: visit.frame, secret, refused: false })
}

/// `POST /sign-in/link/{secret}`: signs in with the one-time link.
pub(crate) async fn redeem(
    visit: Visit,
    Extension(scheme): Extension<Scheme>,
    Path(secret): Path<String>,
    _form: Form,
) -> Result<Response, Problem> {
    match visit.app.redeem_link(&Secret::presented(secret)).await {
        Ok(opened) => Ok(with_session(&visit, scheme, &opened, on_to("/settings"))),
        Err(app::Error::BadCredentials(_)) => {
            let again = WelcomePage { frame: visit.frame, secret: String::new(), refused: true };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&again)?).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /language`: remembers the visitor's language and goes back.
pub(crate) async fn language(
    Extension(scheme): Extension<Scheme>,
    form: Form,
) -> Result<Response, Problem> {
    let tongue = Tongue::chosen(form.text("language"));
    let tongue = tongue.ok_or_else(|| Problem::field("language", "is not one of ours"))?;
    let secure = if scheme == Scheme::Https { "; Secure" } else { "" };
    let cookie = format!(
        "{}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age={LANGUAGE_SECONDS}{secure}",
        tongue::COOKIE,
        tongue.code(),
    );
    let mut response = on_to(local(form.text("to")));
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}
