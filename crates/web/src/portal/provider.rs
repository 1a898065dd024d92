//! Sign-in at a provider: to its door and back, and adding an identity to one's account.

use app::identity::Attempt;
use app::identity::provided::Vouched;
use askama::Template;
use axum::Extension;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use units::{PersonId, Slug};

use super::form::Form;
use super::sign_in::{To, with_session};
use super::visit::{Frame, Visit, on_to, page};
use crate::auth::{attempt_cookie, attempt_of};
use crate::extract::{Path, Query};
use crate::oidc::{Fault, Provider, Providers, Returned};
use crate::problem::{Kind, Problem};
use crate::settings::Scheme;

/// Why nobody was signed in, as the visitor is told.
#[derive(Template)]
#[template(path = "not_vouched.html")]
struct NotVouchedPage {
    frame: Frame,
    /// The provider's label.
    provider: String,
    /// The member of the family of messages.
    why: &'static str,
    /// The rule's own words.
    detail: String,
}

/// On to the provider, which a form may not lead to by itself.
#[derive(Template)]
#[template(path = "onward.html")]
struct OnwardPage {
    frame: Frame,
    provider: String,
    address: String,
}

/// What a provider sends back with somebody.
#[derive(Deserialize)]
pub(crate) struct Back {
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
}

fn named<'a>(providers: &'a Providers, name: &Slug) -> Result<&'a Provider, Problem> {
    providers.named(name).ok_or_else(|| Problem::new(Kind::NotFound))
}

/// `GET /sign-in/with/{provider}`: to the provider's door.
pub(crate) async fn go(
    visit: Visit,
    Extension(scheme): Extension<Scheme>,
    Extension(providers): Extension<Providers>,
    Path(name): Path<Slug>,
    Query(to): Query<To>,
) -> Result<Response, Problem> {
    let provider = named(&providers, &name)?;
    if visit.frame.account.is_some() {
        return Ok(on_to(to.page()));
    }
    match begun(&visit, scheme, provider, None, to.page()).await? {
        Ok((address, cookie)) => {
            let mut response = Redirect::to(&address).into_response();
            response.headers_mut().extend(cookie);
            Ok(response)
        }
        Err(fault) => not_vouched(visit, provider, fault.into()),
    }
}

/// `POST /settings/identities`: to the provider's door, to add an identity. A page of its own leads
/// on, because our forms lead nowhere outside.
pub(crate) async fn add(
    visit: Visit,
    Extension(scheme): Extension<Scheme>,
    Extension(providers): Extension<Providers>,
    form: Form,
) -> Result<Response, Problem> {
    let person = visit.signed_in()?.id;
    let name = form.text("provider").parse().map_err(|_| Problem::new(Kind::NotFound))?;
    let provider = named(&providers, &name)?;
    match begun(&visit, scheme, provider, Some(person), "/settings").await? {
        Ok((address, cookie)) => {
            let refresh = HeaderValue::from_str(&format!("0; url={address}"));
            let label = provider.label.clone();
            let mut response = page(&OnwardPage { frame: visit.frame, provider: label, address })?;
            response.headers_mut().extend(cookie);
            if let Ok(refresh) = refresh {
                response.headers_mut().insert(HeaderName::from_static("refresh"), refresh);
            }
            Ok(response)
        }
        Err(fault) => not_vouched(visit, provider, fault.into()),
    }
}

/// The provider's door for a new attempt, and the cookie that the browser keeps meanwhile.
async fn begun(
    visit: &Visit,
    scheme: Scheme,
    provider: &Provider,
    person: Option<PersonId>,
    to: &str,
) -> Result<Result<(String, Option<(HeaderName, HeaderValue)>), Fault>, Problem> {
    let begun = visit.app.begin_attempt(&provider.name, person, to).await?;
    let address = match provider.door(&begun).await {
        Ok(address) => address.to_string(),
        Err(fault) => return Ok(Err(fault)),
    };
    let seconds = begun.expires_at.as_second() - visit.app.now().as_second();
    let cookie = attempt_cookie(scheme, begun.browser.reveal(), seconds);
    Ok(Ok((address, cookie.map(|cookie| (header::SET_COOKIE, cookie)))))
}

/// `GET /sign-in/back/{provider}`: somebody comes back, with a code or without.
pub(crate) async fn back(
    visit: Visit,
    Extension(scheme): Extension<Scheme>,
    Extension(providers): Extension<Providers>,
    headers: HeaderMap,
    Path(name): Path<Slug>,
    Query(back): Query<Back>,
) -> Result<Response, Problem> {
    let provider = named(&providers, &name)?;
    let browser = attempt_of(scheme, &headers);
    let mut response = match proved(&visit, provider, browser, back).await {
        Ok((attempt, vouched)) => admitted(visit, scheme, provider, attempt, vouched).await?,
        Err(why) => not_vouched(visit, provider, why)?,
    };
    if let Some(cookie) = attempt_cookie(scheme, "", 0) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// The attempt that comes back, and whom the provider vouches for.
async fn proved(
    visit: &Visit,
    provider: &Provider,
    browser: Option<app::Secret>,
    back: Back,
) -> Result<(Attempt, Vouched), Why> {
    let (Some(browser), Some(state)) = (browser, back.state.map(app::Secret::presented)) else {
        return Err(Why::of("expired"));
    };
    let attempt = visit.app.end_attempt(&browser, &state).await?;
    // What was begun at one provider does not come back from another.
    if attempt.provider != provider.name {
        return Err(Why::of("expired"));
    }
    let code = back.code.ok_or_else(|| Why::of("declined"))?;
    let returned = Returned {
        code,
        issuer: back.iss.as_deref(),
        nonce: attempt.nonce.clone(),
        verifier: attempt.verifier.clone(),
    };
    let vouched = provider.vouched(returned).await?;
    Ok((attempt, vouched))
}

/// Signs in whom the provider vouches for, or adds the identity to who is signed in.
async fn admitted(
    visit: Visit,
    scheme: Scheme,
    provider: &Provider,
    attempt: Attempt,
    vouched: Vouched,
) -> Result<Response, Problem> {
    let done = match attempt.person {
        None => visit.app.sign_in_vouched(&vouched, &provider.trust).await.map(Some),
        // Whoever began to add it may have signed out meanwhile, and another in.
        Some(person) if visit.actor.person_id().ok() != Some(person) => {
            return not_vouched(visit, provider, Why::of("expired"));
        }
        Some(_) => {
            visit.app.link_vouched(&visit.actor, &vouched, &provider.trust).await.map(|()| None)
        }
    };
    match done {
        Ok(Some(opened)) => {
            let response = on_to(&attempt.destination);
            Ok(with_session(&visit, scheme, &opened, response))
        }
        Ok(None) => Ok(on_to(&attempt.destination)),
        Err(error) => not_vouched(visit, provider, error.into()),
    }
}

/// Why nobody was signed in.
enum Why {
    /// As the visitor is told: a message and a rule's own words.
    Told(&'static str, String),
    /// The hub itself failed.
    Failed(Problem),
}

impl Why {
    const fn of(message: &'static str) -> Self {
        Self::Told(message, String::new())
    }
}

impl From<Fault> for Why {
    fn from(fault: Fault) -> Self {
        Self::of(match fault {
            Fault::Away => "away",
            Fault::CodeRefused => "code",
            Fault::NotProved => "not-proved",
        })
    }
}

impl From<app::Error> for Why {
    fn from(error: app::Error) -> Self {
        let app::Error::Refused(reasons) = &error else { return Self::Failed(error.into()) };
        let Some(reason) = reasons.first() else { return Self::Failed(error.into()) };
        let message = match reason.rule.as_str() {
            "sign-in.expired" => return Self::of("expired"),
            "sign-in.assurance" => "assurance",
            "sign-in.address" => "address",
            "sign-in.account-exists" => "account-exists",
            "sign-in.no-account" => "no-account",
            "sign-in.closed" => "closed",
            "identity.other-person" => "other-person",
            _ => return Self::Failed(error.into()),
        };
        Self::Told(message, reason.text.clone())
    }
}

fn not_vouched(visit: Visit, provider: &Provider, why: Why) -> Result<Response, Problem> {
    let (why, detail) = match why {
        Why::Told(why, detail) => (why, detail),
        Why::Failed(problem) => return Err(problem),
    };
    let status = match why {
        "away" | "not-proved" => StatusCode::BAD_GATEWAY,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let provider = provider.label.clone();
    let told = page(&NotVouchedPage { frame: visit.frame, provider, why, detail })?;
    Ok((status, told).into_response())
}
