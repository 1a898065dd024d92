//! Forms as browsers send them, with the token that only our pages know.

use app::App;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header;

use crate::auth::{self, Credential};
use crate::extract::unreadable;
use crate::problem::{Kind, Problem};

/// The field that carries the token.
const TOKEN: &str = "csrf";

/// The fields of a form, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// A form of these fields.
    pub(crate) fn of(fields: &[(&str, &str)]) -> Self {
        Self(fields.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
    }

    /// The first value of a field, without surrounding space; empty when it is absent.
    pub(crate) fn text(&self, name: impl AsRef<str>) -> &str {
        let name = name.as_ref();
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.trim())
    }

    /// The first value of a field as it was typed, for secrets.
    pub(crate) fn secret(&self, name: &str) -> String {
        self.0.iter().find(|(key, _)| key == name).map_or_else(String::new, |(_, v)| v.clone())
    }

    /// The fields whose names begin with `stem`, by what follows it, with their values without
    /// surrounding space.
    pub(crate) fn beginning<'a>(
        &'a self,
        stem: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().filter_map(move |(key, value)| Some((key.strip_prefix(stem)?, value.trim())))
    }

    /// Every value of a field.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl FromRequest<App> for Form {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let form = request
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
        if !form {
            return Err(Problem::new(Kind::UnsupportedMediaType));
        }
        let expected = request.extensions().get::<Credential>().and_then(Credential::csrf);
        let body = Bytes::from_request(request, app).await.map_err(unreadable)?;
        let fields: Vec<(String, String)> = serde_urlencoded::from_bytes(&body)
            .map_err(|error| Problem::with(Kind::BadRequest, error.to_string()))?;
        if fields.iter().any(|(name, value)| name.contains('\0') || value.contains('\0')) {
            return Err(Problem::with(Kind::BadRequest, "text must not contain U+0000"));
        }
        let form = Self(fields);
        match expected {
            Some(expected) if !auth::same(form.text(TOKEN), &expected) => {
                Err(Problem::new(Kind::CrossSite))
            }
            _ => Ok(form),
        }
    }
}
