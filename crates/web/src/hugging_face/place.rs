//! What a request is about: a repository by kind, owner and name, and where this hub is.

use app::App;
use app::data::Repository;
use axum::Extension;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::HeaderMap;
use axum::http::header;
use axum::http::request::Parts;
use units::{Slug, Timestamp};
use vault::{FilePath, GitOid, Kind, RepositoryName};

use super::answer::{Code, Refused};
use crate::Actor;
use crate::settings::Scheme;

/// The repository of the request's path, which the caller may read.
pub(super) struct Place {
    pub(super) actor: Actor,
    pub(super) repository: Repository,
    pub(super) owner: Slug,
    /// The revision that the path names; empty when it names none.
    pub(super) rev: String,
    path: String,
}

impl Place {
    /// `OWNER/NAME`.
    pub(super) fn id(&self) -> String {
        format!("{}/{}", self.owner, self.repository.name)
    }

    /// Where the file or folder stands that the path names.
    pub(super) fn path(&self) -> Result<FilePath, Refused> {
        // What cannot be the path of a file is the path of none.
        self.path.parse().map_err(|_| Refused::missing(Code::Entry))
    }
}

impl FromRequestParts<App> for Place {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refused> {
        let missing = || Refused::missing(Code::Repo);
        let kind = parts.extensions.get::<Kind>().copied().ok_or_else(missing)?;
        let actor = parts.extensions.get::<Actor>().cloned().ok_or_else(missing)?;
        let params = RawPathParams::from_request_parts(parts, app)
            .await
            .map_err(|error| Refused::bad(error.body_text()))?;
        let text = |wanted: &str| {
            let found = params.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| value.to_owned()).unwrap_or_default()
        };
        let name = text("name");
        // Git's address of a repository ends so, and no name does.
        let name = name.strip_suffix(".git").unwrap_or(&name);
        let (owner, name) = (text("owner").parse(), name.parse());
        let (Ok(owner), Ok(name)) = (owner, name) else {
            // Somebody who has not signed in learns nothing, not even of names.
            actor.may(app::Action::BrowseData, &[])?;
            return Err(missing());
        };
        let repository = app.repository_named(&actor, kind, (&owner, &name)).await?;
        Ok(Self { actor, repository, owner, rev: text("rev"), path: text("path") })
    }
}

/// A repository by the name that clients send in a body.
pub(super) fn named(id: &str) -> Result<(Slug, RepositoryName), Refused> {
    let missing = || Refused::missing(Code::Repo);
    let (owner, name) = id.split_once('/').ok_or_else(missing)?;
    Ok((owner.parse().map_err(|_| missing())?, name.parse().map_err(|_| missing())?))
}

/// Where clients reach this hub: `https://usine.example`.
pub(super) struct Base(pub(super) String);

impl Base {
    /// Where people find a repository.
    pub(super) fn of(&self, kind: Kind, id: &str) -> String {
        match kind {
            Kind::Model => format!("{}/{id}", self.0),
            Kind::Dataset => format!("{}/datasets/{id}", self.0),
        }
    }
}

impl FromRequestParts<App> for Base {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refused> {
        let scheme = Extension::<Scheme>::from_request_parts(parts, app).await;
        let scheme = match scheme.map(|Extension(scheme)| scheme) {
            Ok(Scheme::Https) => "https",
            Ok(Scheme::Http) | Err(_) => "http",
        };
        let host = host(&parts.headers).ok_or_else(|| Refused::bad("the request names no host"))?;
        Ok(Self(format!("{scheme}://{host}")))
    }
}

/// The host that the client called, if it can stand in an address.
fn host(headers: &HeaderMap) -> Option<&str> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    (!host.is_empty() && host.chars().all(plain)).then_some(host)
}

/// An instant as these clients read it.
pub(super) fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// How these clients know a revision.
pub(super) fn commit_of(revision: &app::data::Revision) -> String {
    GitOid::of_revision(revision.id, revision.tree).to_string()
}

/// A piece of text within an address.
pub(super) fn segment(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
