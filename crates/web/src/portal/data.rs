//! Datasets and models: repositories, their revisions, files, and where each came from.

use app::data::{Filter, Lineage, Reference, Repository, Revision, Source};
use askama::Template;
use axum::response::Response;
use units::RepositoryId;
use vault::{Making, Recipe};

use super::tongue::Tongue;
use super::visit::{Frame, Visit, page};
use crate::extract::Path;
use crate::problem::Problem;

/// How many repositories and revisions a page lists.
const LISTED: u32 = 200;
/// How many files of a revision a page lists.
const FILES_MAX: usize = 500;

#[derive(Template)]
#[template(path = "data.html")]
struct DataPage {
    frame: Frame,
    repositories: Vec<Repository>,
}

#[derive(Template)]
#[template(path = "repository.html")]
struct RepositoryPage {
    frame: Frame,
    repository: Repository,
    revisions: Vec<RevisionLine>,
}

struct RevisionLine {
    id: String,
    number: i64,
    message: String,
    files: String,
    size: String,
    at: String,
}

#[derive(Template)]
#[template(path = "revision.html")]
struct RevisionPage {
    frame: Frame,
    repository: Repository,
    revision: RevisionLine,
    files: Vec<FileLine>,
    /// How many files there are in all.
    count: usize,
    making: Vec<Fact>,
    inputs: Vec<(String, Option<Link>)>,
    children: Vec<Link>,
}

struct FileLine {
    path: String,
    size: String,
    sha256: String,
}

/// A line of how a revision came to be.
struct Fact {
    label: String,
    value: String,
    page: Option<String>,
}

struct Link {
    page: String,
    title: String,
}

/// `GET /data`.
pub(crate) async fn list(visit: Visit) -> Result<Response, Problem> {
    visit.signed_in()?;
    let repositories = visit.app.repositories(&visit.actor, &Filter::default(), LISTED).await?;
    page(&DataPage { frame: visit.frame, repositories })
}

/// `GET /data/{id}`.
pub(crate) async fn repository(
    visit: Visit,
    Path(id): Path<RepositoryId>,
) -> Result<Response, Problem> {
    let repository = visit.app.repository(&visit.actor, id).await?;
    let revisions = visit.app.revisions(&visit.actor, id, None, LISTED).await?;
    let revisions = revisions.iter().map(|revision| line(visit.t(), revision)).collect();
    page(&RepositoryPage { frame: visit.frame, repository, revisions })
}

fn line(t: Tongue, revision: &Revision) -> RevisionLine {
    let bytes = i64::try_from(revision.size_bytes).unwrap_or(i64::MAX);
    RevisionLine {
        id: revision.id.to_string(),
        number: revision.number,
        message: revision.message.clone(),
        files: t.number(i64::try_from(revision.files).unwrap_or(i64::MAX)),
        size: t.bytes(bytes),
        at: t.minute(revision.created_at),
    }
}

/// `GET /data/{id}/revisions/{revision}`.
pub(crate) async fn revision(
    visit: Visit,
    Path((id, reference)): Path<(RepositoryId, Reference)>,
) -> Result<Response, Problem> {
    let t = visit.t();
    let detail = visit.app.revision(&visit.actor, id, reference).await?;
    let exact = Reference::Id(detail.revision.id);
    let lineage = visit.app.lineage(&visit.actor, id, exact).await?;
    let files = detail.tree.files().take(FILES_MAX).map(|(path, entry)| FileLine {
        path: path.to_string(),
        size: t.bytes(i64::try_from(entry.size_bytes).unwrap_or(i64::MAX)),
        sha256: entry.sha256.to_string(),
    });
    page(&RevisionPage {
        files: files.collect(),
        count: detail.tree.files().len(),
        revision: line(t, &detail.revision),
        making: making(t, &detail.revision.making),
        inputs: inputs(t, &lineage),
        children: lineage.children.iter().filter_map(|source| link(t, source)).collect(),
        repository: lineage.repository,
        frame: visit.frame,
    })
}

fn making(t: Tongue, making: &Making) -> Vec<Fact> {
    let fact = |what: &str, value: String| Fact { label: t.sub("made-", what), value, page: None };
    match making {
        Making::Sent { by } => vec![fact("sent", by.to_string())],
        Making::Job { job, allocation, code } => {
            let recipe = match &code.recipe {
                Recipe::Service { name, version } => format!("{name} {version}"),
                Recipe::Script { sha256 } => format!("sha256:{sha256}"),
            };
            let program = match &code.program.commit {
                Some(commit) => format!("usine {} ({commit})", code.program.version),
                None => format!("usine {}", code.program.version),
            };
            let page = Some(format!("/jobs/{job}"));
            vec![
                Fact { page, ..fact("job", job.to_string()) },
                fact("allocation", allocation.to_string()),
                fact("recipe", recipe),
                fact("program", program),
            ]
        }
    }
}

/// What a revision was made from; a source that the visitor may not see has no link.
fn inputs(t: Tongue, lineage: &Lineage) -> Vec<(String, Option<Link>)> {
    lineage.inputs.iter().map(|(name, source)| (name.to_string(), link(t, source))).collect()
}

fn link(t: Tongue, source: &Source) -> Option<Link> {
    match source {
        Source::Known { repository, revision } => Some(Link {
            page: format!("/data/{}/revisions/{}", repository.id, revision.id),
            title: t.fill(
                "revision-of",
                &[("title", &repository.title), ("number", &revision.number.to_string())],
            ),
        }),
        Source::Withheld => None,
    }
}
