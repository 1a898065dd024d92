//! One visit to a page: who comes, in which language, and how a page is rendered for them.

use app::identity::Account;
use app::{Action, App, Grant, Secret, Subject};
use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{Html, IntoResponse, Redirect, Response};

use super::tongue::Tongue;
use crate::Actor;
use crate::auth::Credential;
use crate::problem::{Kind, Problem};

/// One visit.
#[derive(Clone)]
pub(crate) struct Visit {
    /// The use cases.
    pub(crate) app: App,
    /// Who comes.
    pub(crate) actor: app::Actor,
    /// The secret of their session.
    pub(crate) secret: Option<Secret>,
    /// What every page shows around its content.
    pub(crate) frame: Frame,
}

/// What every page shows around its content.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// The visitor's language.
    pub(crate) t: Tongue,
    /// The path of this page.
    pub(crate) path: String,
    /// The token that forms of this session carry.
    pub(crate) csrf: String,
    /// Who is signed in.
    pub(crate) account: Option<Account>,
    /// Whether they may see any site.
    pub(crate) sees_sites: bool,
    /// Whether they judge applications.
    pub(crate) judges: bool,
    /// How many of their notices are unread.
    pub(crate) unread: i64,
}

impl Frame {
    /// The address of an asset.
    pub(crate) fn asset(&self, name: &str) -> String {
        super::assets::address(name)
    }

    /// Every language of the portal.
    pub(crate) fn tongues(&self) -> [Tongue; 2] {
        Tongue::ALL
    }

    /// Whether the section `under` is the one this page stands in.
    pub(crate) fn within(&self, under: &str) -> bool {
        self.path.strip_prefix(under).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl Visit {
    /// The visitor's language.
    pub(crate) const fn t(&self) -> Tongue {
        self.frame.t
    }

    /// Demands that somebody is signed in.
    pub(crate) fn signed_in(&self) -> Result<&Account, Problem> {
        self.frame.account.as_ref().ok_or_else(|| Problem::new(Kind::Unauthenticated))
    }
}

/// Whether the actor may see the sites of any place where they hold a role.
fn sees_sites(actor: &app::Actor) -> bool {
    let sees = |grant: &Grant| actor.can(Action::ViewSites, std::slice::from_ref(&grant.scope));
    actor.grants().iter().any(sees)
}

/// A rendered page.
pub(crate) fn page(template: &impl Template) -> Result<Response, Problem> {
    let html = template.render().map_err(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "a page could not be rendered");
        Problem::new(Kind::Internal)
    })?;
    Ok(Html(html).into_response())
}

/// On to another page of the portal, by `GET`.
pub(crate) fn on_to(path: &str) -> Response {
    Redirect::to(path).into_response()
}

/// `path` if it is one of the portal's own, otherwise the front page.
pub(crate) fn local(path: &str) -> &str {
    let plain = path.starts_with('/')
        && !path.starts_with("//")
        && !path.contains(['\\', '\r', '\n'])
        && !path.starts_with("/sign-in");
    if plain { path } else { "/" }
}

impl FromRequestParts<App> for Visit {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let Actor(actor) = Actor::from_request_parts(parts, app).await?;
        let credential = Credential::from_request_parts(parts, app).await?;
        let account = match actor.subject() {
            Subject::Person(_) => Some(app.me(&actor).await?),
            Subject::Anonymous | Subject::Site(_) | Subject::System => None,
        };
        let unread = match account {
            // A session may do this; where a token of another kind may not, nothing is counted.
            Some(_) if actor.can(Action::ReadNotices, &[]) => app.unread_notices(&actor).await?,
            _ => 0,
        };
        let frame = Frame {
            t: Tongue::wanted(&parts.headers),
            path: parts.uri.path().to_owned(),
            csrf: credential.csrf().unwrap_or_default(),
            account,
            sees_sites: sees_sites(&actor),
            judges: super::review::judges(&actor),
            unread,
        };
        Ok(Self { app: app.clone(), actor, secret: credential.secret().cloned(), frame })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_leads_nowhere_outside() {
        for foreign in
            ["https://evil.example", "//evil.example", "/\\evil.example", "evil", "/a\r\nb"]
        {
            assert_eq!(local(foreign), "/", "{foreign}");
        }
        assert_eq!(local("/projects/1?tab=2"), "/projects/1?tab=2");
    }
}
