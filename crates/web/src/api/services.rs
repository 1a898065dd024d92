//! The catalogue of services.

use app::App;
use axum::extract::State;
use jobs::template::{Kind, Output, Parameter, Template, Texts};
use serde::Serialize;
use units::Slug;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::Actor;
use crate::extract::{Json, Path};
use crate::page::Page;
use crate::problem::Problem;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show))
}

/// A text in each language of the portal.
#[derive(Serialize, ToSchema)]
struct TextsOut {
    en: String,
    fr: String,
}

/// Something to fill in.
#[derive(Serialize, ToSchema)]
struct ParameterOut {
    /// The name under which a value is sent.
    name: String,
    label: TextsOut,
    /// `integer`, `text`, `choice` or `repository`.
    #[schema(example = "integer")]
    kind: &'static str,
    /// What an integer counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
    /// The least integer.
    #[serde(skip_serializing_if = "Option::is_none")]
    minimum: Option<i64>,
    /// The greatest integer.
    #[serde(skip_serializing_if = "Option::is_none")]
    maximum: Option<i64>,
    /// The most characters of a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    length_max: Option<u32>,
    /// What to choose from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    choices: Vec<String>,
    /// What the repository must hold: `dataset` or `model`.
    #[serde(skip_serializing_if = "Option::is_none")]
    holds: Option<String>,
    /// What is taken when nothing is sent; without it a value must be sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    default: Option<String>,
}

/// What a service makes.
#[derive(Serialize, ToSchema)]
struct ServiceOutputOut {
    name: String,
    /// `dataset` or `model`.
    holds: String,
}

/// A service.
#[derive(Serialize, ToSchema)]
pub(crate) struct ServiceOut {
    name: String,
    version: String,
    title: TextsOut,
    description: TextsOut,
    parameters: Vec<ParameterOut>,
    outputs: Vec<ServiceOutputOut>,
    /// The script that is run; its directives say what it needs unless options say otherwise.
    script: String,
}

impl From<&Texts> for TextsOut {
    fn from(texts: &Texts) -> Self {
        Self { en: texts.en.clone(), fr: texts.fr.clone() }
    }
}

impl From<&Parameter> for ParameterOut {
    fn from(parameter: &Parameter) -> Self {
        let mut out = Self {
            name: parameter.name.to_string(),
            label: (&parameter.label).into(),
            kind: "",
            unit: None,
            minimum: None,
            maximum: None,
            length_max: None,
            choices: Vec::new(),
            holds: None,
            default: parameter.default.clone(),
        };
        match &parameter.kind {
            Kind::Integer { unit, min, max } => {
                out.kind = "integer";
                out.unit.clone_from(unit);
                (out.minimum, out.maximum) = (Some(*min), Some(*max));
            }
            Kind::Text { length_max } => {
                out.kind = "text";
                out.length_max = Some(*length_max);
            }
            Kind::Choice(choices) => {
                out.kind = "choice";
                out.choices.clone_from(choices);
            }
            Kind::Repository { holds } => {
                out.kind = "repository";
                out.holds = Some(holds.to_string());
            }
        }
        out
    }
}

impl From<&Output> for ServiceOutputOut {
    fn from(output: &Output) -> Self {
        Self { name: output.name.to_string(), holds: output.holds.to_string() }
    }
}

impl From<&Template> for ServiceOut {
    fn from(service: &Template) -> Self {
        Self {
            name: service.name.to_string(),
            version: service.version.clone(),
            title: (&service.title).into(),
            description: (&service.description).into(),
            parameters: service.parameters.iter().map(Into::into).collect(),
            outputs: service.outputs.iter().map(Into::into).collect(),
            script: service.script.text().to_owned(),
        }
    }
}

/// The services on offer.
#[utoipa::path(
    get, path = "/services", tag = "jobs", security(()),
    responses((status = 200, body = Page<ServiceOut>, description = "All of them")),
)]
async fn list(State(app): State<App>, actor: Actor) -> Result<Json<Page<ServiceOut>>, Problem> {
    Ok(Json(Page::whole(app.services(&actor)?)))
}

/// One service.
#[utoipa::path(
    get, path = "/services/{name}", tag = "jobs", security(()),
    params(("name" = String, Path, description = "Its name")),
    responses((status = 200, body = ServiceOut, description = "It")),
)]
async fn show(
    State(app): State<App>,
    actor: Actor,
    Path(name): Path<Slug>,
) -> Result<Json<ServiceOut>, Problem> {
    Ok(Json(app.service(&actor, &name)?.into()))
}
