//! Submitting a job: a service of the catalogue filled in, or a script as `sbatch` takes it.

use std::collections::BTreeMap;

use ::jobs::template::{Holds, Kind, Parameter, Template as Service, Texts};
use app::data::{Filter, Repository};
use app::jobs::{Limits, Submission, Work};
use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use units::{JobId, ProjectId, Slug};

use super::offers::Comparison;
use crate::extract::{Path, Query};
use crate::portal::form::Form;
use crate::portal::tongue::Tongue;
use crate::portal::visit::{Frame, Visit, on_to, page};
use crate::problem::Problem;

/// How many repositories a choice offers.
const OFFERED: u32 = 200;
/// The choice that leaves the place open.
const ANYWHERE: &str = "anywhere";

#[derive(Template)]
#[template(path = "job_new.html")]
struct SubmitPage {
    frame: Frame,
    project: String,
    title: String,
    catalogue: Vec<Entry>,
    chosen: Option<Chosen>,
    allocations: Vec<(String, String)>,
    form: Form,
    comparison: Option<Comparison>,
    wrong: Vec<app::FieldError>,
    refused: Vec<app::Reason>,
}

/// What came of a form that was sent.
#[derive(Default)]
struct Outcome {
    comparison: Option<Comparison>,
    wrong: Vec<app::FieldError>,
    refused: Vec<app::Reason>,
}

/// A service as the catalogue shows it.
struct Entry {
    name: String,
    title: String,
    description: String,
}

/// The service being filled in.
struct Chosen {
    entry: Entry,
    fields: Vec<Field>,
}

/// One parameter as a field of the form.
struct Field {
    name: String,
    label: String,
    value: String,
    required: bool,
    input: Input,
}

/// What a field looks like.
enum Input {
    Number { min: i64, max: i64, unit: String },
    Text { length_max: u32 },
    Choice(Vec<(String, String)>),
}

/// Which service to fill in.
#[derive(Deserialize)]
pub(crate) struct Which {
    service: Option<String>,
}

/// `GET /projects/{id}/jobs/new`.
pub(crate) async fn form(
    visit: Visit,
    Path(id): Path<ProjectId>,
    Query(which): Query<Which>,
) -> Result<Response, Problem> {
    let fields: Vec<(&str, &str)> =
        which.service.iter().map(|name| ("service", name.as_str())).collect();
    render(&visit, id, Form::of(&fields), Outcome::default()).await
}

async fn render(
    visit: &Visit,
    id: ProjectId,
    form: Form,
    outcome: Outcome,
) -> Result<Response, Problem> {
    let t = visit.t();
    let project = visit.app.project(&visit.actor, id).await?;
    let services = visit.app.services(&visit.actor)?;
    let service = services.iter().find(|service| service.name.as_str() == form.text("service"));
    let chosen = match service {
        Some(service) => Some(chosen(visit, id, service, &form).await?),
        None => None,
    };
    let allocations = visit.app.project_allocations(&visit.actor, id).await?;
    let usable = allocations
        .iter()
        .filter(|view| view.allocation.usable(visit.app.now()).is_ok())
        .map(|view| (view.allocation.id.to_string(), view.allocation.partition.to_string()));
    page(&SubmitPage {
        frame: visit.frame.clone(),
        project: id.to_string(),
        title: project.title,
        catalogue: services.iter().map(|service| entry(t, service)).collect(),
        chosen,
        allocations: usable.collect(),
        form,
        comparison: outcome.comparison,
        wrong: outcome.wrong,
        refused: outcome.refused,
    })
}

fn text(t: Tongue, texts: &Texts) -> String {
    match t {
        Tongue::English => texts.en.clone(),
        Tongue::French => texts.fr.clone(),
    }
}

fn entry(t: Tongue, service: &Service) -> Entry {
    Entry {
        name: service.name.to_string(),
        title: text(t, &service.title),
        description: text(t, &service.description),
    }
}

async fn chosen(
    visit: &Visit,
    project: ProjectId,
    service: &Service,
    form: &Form,
) -> Result<Chosen, Problem> {
    let t = visit.t();
    let mut repositories = Vec::new();
    for kind in [vault::Kind::Dataset, vault::Kind::Model] {
        let filter = Filter { project: Some(project), kind: Some(kind), ..Filter::default() };
        repositories.extend(visit.app.repositories(&visit.actor, &filter, OFFERED).await?);
    }
    let fields = service.parameters.iter().map(|it| field(t, it, form, &repositories)).collect();
    Ok(Chosen { entry: entry(t, service), fields })
}

fn field(t: Tongue, parameter: &Parameter, form: &Form, repositories: &[Repository]) -> Field {
    let name = format!("p-{}", parameter.name);
    let input = match &parameter.kind {
        Kind::Integer { unit, min, max } => {
            Input::Number { min: *min, max: *max, unit: unit.clone().unwrap_or_default() }
        }
        Kind::Text { length_max } => Input::Text { length_max: *length_max },
        Kind::Choice(choices) => {
            Input::Choice(choices.iter().map(|it| (it.clone(), it.clone())).collect())
        }
        Kind::Repository { holds } => {
            let wanted = match holds {
                Holds::Dataset => vault::Kind::Dataset,
                Holds::Model => vault::Kind::Model,
            };
            let fitting = repositories.iter().filter(|it| it.kind == wanted && it.head.is_some());
            Input::Choice(fitting.map(|it| (it.id.to_string(), it.title.clone())).collect())
        }
    };
    let written = form.text(&name);
    let default = parameter.default.clone().unwrap_or_default();
    Field {
        label: text(t, &parameter.label),
        value: if written.is_empty() { default } else { written.to_owned() },
        required: parameter.default.is_none(),
        input,
        name,
    }
}

/// `POST /projects/{id}/jobs/new`.
pub(crate) async fn submit(
    visit: Visit,
    Path(id): Path<ProjectId>,
    form: Form,
) -> Result<Response, Problem> {
    let done = match submission(&visit, &form) {
        Ok(new) => act(&visit, id, new, !form.text("compare").is_empty()).await,
        Err(error) => Err(error),
    };
    let outcome = match done {
        Ok(Done::Submitted(job)) => return Ok(on_to(&format!("/jobs/{job}"))),
        Ok(Done::Compared(comparison)) => {
            Outcome { comparison: Some(comparison), ..Outcome::default() }
        }
        Err(app::Error::Invalid(wrong)) => Outcome { wrong, ..Outcome::default() },
        Err(app::Error::Refused(refused)) => Outcome { refused, ..Outcome::default() },
        Err(error) => return Err(error.into()),
    };
    let compared = outcome.comparison.is_some();
    let again = render(&visit, id, form, outcome).await?;
    let status = if compared { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok((status, again).into_response())
}

enum Done {
    Submitted(JobId),
    Compared(Comparison),
}

/// Submits the job, or only compares the places where it could run.
async fn act(
    visit: &Visit,
    project: ProjectId,
    new: Submission,
    compare: bool,
) -> Result<Done, app::Error> {
    if !compare {
        let submitted = visit.app.submit_job(&visit.actor, project, new).await?;
        return Ok(Done::Submitted(submitted.id));
    }
    let anywhere = Limits::default();
    let offers = visit.app.job_offers(&visit.actor, project, &new, &anywhere).await?;
    Ok(Done::Compared(Comparison::of(visit.t(), &offers)))
}

fn submission(visit: &Visit, form: &Form) -> Result<Submission, app::Error> {
    let (allocation, anywhere) = match form.text("allocation") {
        "" => (None, None),
        ANYWHERE => (None, Some(Limits::default())),
        text => {
            let id = text.parse();
            let id = id.map_err(|error| app::Error::invalid("allocation", format!("{error}")))?;
            (Some(id), None)
        }
    };
    let work = match form.text("service") {
        "" => Work::Script(form.text("script").replace("\r\n", "\n")),
        name => {
            let name: Slug =
                name.parse().map_err(|error| app::Error::invalid("service", format!("{error}")))?;
            let service = visit.app.service(&visit.actor, &name)?;
            let values = service.parameters.iter().filter_map(|parameter| {
                let value = form.text(format!("p-{}", parameter.name));
                (!value.is_empty()).then(|| (parameter.name.to_string(), value.to_owned()))
            });
            Work::Service { name, values: values.collect() }
        }
    };
    Ok(Submission {
        allocation,
        anywhere,
        may_move: (form.text("may-move") == "yes").then(Limits::default),
        work,
        options: Vec::new(),
        environment: BTreeMap::new(),
        inputs: BTreeMap::new(),
        outputs: Vec::new(),
        network: false,
    })
}
