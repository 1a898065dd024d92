//! Repositories are made, renamed, opened, closed and given up.

use app::App;
use app::data::{NewRepository, Visibility};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use units::Slug;
use vault::{Kind, RepositoryName, Sensitivity};

use super::answer::{Code, Refused};
use super::place::{Base, Place, named};
use crate::Actor;

/// Which repository, as clients name it in a body.
#[derive(Deserialize)]
pub(super) struct Named {
    name: String,
    organization: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    visibility: Option<String>,
    private: Option<bool>,
}

impl Named {
    fn kind(&self) -> Result<Kind, Refused> {
        kind_of(self.kind.as_deref())
    }

    /// Who may see it, if the client says so: in a word, or as older clients do.
    fn visibility(&self) -> Result<Option<Visibility>, Refused> {
        let private = self.private.map(|private| if private { "private" } else { "public" });
        self.visibility.as_deref().or(private).map(visibility_of).transpose()
    }
}

fn kind_of(text: Option<&str>) -> Result<Kind, Refused> {
    match text.unwrap_or("model") {
        "model" => Ok(Kind::Model),
        "dataset" => Ok(Kind::Dataset),
        other => {
            let text = format!("this factory keeps models and datasets, and no {other}");
            Err(Refused::new(StatusCode::NOT_IMPLEMENTED, text))
        }
    }
}

fn visibility_of(text: &str) -> Result<Visibility, Refused> {
    match text {
        "public" => Ok(Visibility::Public),
        "private" => Ok(Visibility::Private),
        other => Err(Refused::bad(format!("`{other}` is not public or private"))),
    }
}

/// The project that a client means that names none: the caller's only one.
async fn owner_of(app: &App, actor: &Actor, named: Option<&str>) -> Result<Slug, Refused> {
    if let Some(owner) = named {
        return owner.parse().map_err(|_| Refused::missing(Code::Repo));
    }
    let owned = app.own_projects(actor).await?;
    if let [only] = owned.as_slice() {
        return Ok(only.handle.clone());
    }
    let names: Vec<_> = owned.iter().map(|owned| owned.handle.as_str()).collect();
    let text = match names.as_slice() {
        [] => "a repository belongs to a project, and you are in none".to_owned(),
        _ => format!("say which of your projects it belongs to: {}/NAME", names.join("/NAME, ")),
    };
    Err(Refused::bad(text))
}

/// Makes a repository. Unless the client asks for a public one, it is not open to everybody.
pub(super) async fn create(
    State(app): State<App>,
    actor: Actor,
    base: Base,
    Json(new): Json<Named>,
) -> Result<Response, Refused> {
    let (kind, visibility) = (new.kind()?, new.visibility()?);
    let owner = owner_of(&app, &actor, new.organization.as_deref()).await?;
    let name: RepositoryName =
        new.name.parse().map_err(|error: vault::NotAName| Refused::bad(error.to_string()))?;
    let url = base.of(kind, &format!("{owner}/{name}"));
    let asked = NewRepository {
        kind,
        title: name.to_string(),
        licence: None,
        sensitivity: visibility.map_or(Sensitivity::Internal, Visibility::sensitivity),
        name,
    };
    match app.open_repository(&actor, &owner, asked).await {
        Ok(made) => Ok(Json(json!({ "url": url, "id": made.id.to_string() })).into_response()),
        // A client that does not mind reads the address from here.
        Err(app::Error::Conflict(text)) => {
            let body = Json(json!({ "error": text, "url": url }));
            Ok((StatusCode::CONFLICT, body).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

/// Gives a repository up.
pub(super) async fn delete(
    State(app): State<App>,
    actor: Actor,
    Json(which): Json<Named>,
) -> Result<StatusCode, Refused> {
    let owner = owner_of(&app, &actor, which.organization.as_deref()).await?;
    let name = which.name.parse().map_err(|_| Refused::missing(Code::Repo))?;
    let found = app.repository_named(&actor, which.kind()?, (&owner, &name)).await?;
    app.delete_repository(&actor, found.id).await?;
    Ok(StatusCode::OK)
}

/// From which name to which.
#[derive(Deserialize)]
pub(super) struct Move {
    #[serde(rename = "fromRepo")]
    from: String,
    #[serde(rename = "toRepo")]
    to: String,
    #[serde(rename = "type")]
    kind: Option<String>,
}

/// Gives a repository another name within its project.
pub(super) async fn rename(
    State(app): State<App>,
    actor: Actor,
    Json(asked): Json<Move>,
) -> Result<StatusCode, Refused> {
    let kind = kind_of(asked.kind.as_deref())?;
    let (owner, name) = named(&asked.from)?;
    let found = app.repository_named(&actor, kind, (&owner, &name)).await?;
    let (to_owner, to_name) = named(&asked.to)?;
    if to_owner != owner {
        let text = "a repository stays in its project: it can be renamed, not handed over";
        return Err(Refused::new(StatusCode::FORBIDDEN, text));
    }
    app.rename_repository(&actor, found.id, to_name).await?;
    Ok(StatusCode::OK)
}

/// What a client would change of a repository.
#[derive(Deserialize)]
pub(super) struct Settings {
    visibility: Option<String>,
    private: Option<bool>,
    gated: Option<Value>,
}

/// Opens a repository or closes it.
pub(super) async fn settings(
    State(app): State<App>,
    place: Place,
    Json(asked): Json<Settings>,
) -> Result<Json<Value>, Refused> {
    if asked.gated.is_some_and(|gated| gated != json!(false)) {
        let text = "this factory has no gates of this kind: who may read follows from the \
            repository's sensitivity";
        return Err(Refused::new(StatusCode::NOT_IMPLEMENTED, text));
    }
    let private = asked.private.map(|private| if private { "private" } else { "public" });
    if let Some(text) = asked.visibility.as_deref().or(private) {
        app.set_visibility(&place.actor, place.repository.id, visibility_of(text)?).await?;
    }
    Ok(Json(json!({})))
}
