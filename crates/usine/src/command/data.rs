//! `usine data` and `usine model`: repositories, sent and fetched.

mod push;

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Subcommand;
use serde_json::Value;

use super::{LIST_MAX, Session, segment};
use crate::exit::{Failure, Told};
use crate::output::{byte_bar, bytes, entries, number, text, when};
use crate::remote::{Remote, wait};

pub(crate) use push::{NewRepository, PushArguments, push_files};

/// Datasets.
#[derive(Subcommand)]
pub(crate) enum DataCommand {
    /// Send files as the next revision of a dataset, which is made if it is not there.
    Push(PushArguments),
    /// Read every stored file back and compare it with its digests.
    Verify,
    #[command(flatten)]
    Common(Common),
}

/// What datasets and models have in common.
#[derive(Subcommand)]
pub(crate) enum Common {
    /// Fetch a revision into a folder.
    Pull {
        /// Its name or identifier.
        repository: String,
        /// Where to [default: a folder of the repository's name].
        folder: Option<PathBuf>,
        /// `main`, a number, or a revision's identifier.
        #[arg(long, default_value = "main")]
        revision: String,
    },
    /// List what you may read.
    List {
        /// Only this project's.
        #[arg(long, value_name = "ID")]
        project: Option<String>,
    },
    /// Show a repository with the files of a revision.
    Show {
        /// Its name or identifier.
        repository: String,
        /// `main`, a number, or a revision's identifier.
        #[arg(long, default_value = "main")]
        revision: String,
    },
    /// Show what a revision was made from, by which job, allocation and code.
    Lineage {
        /// Its name or identifier.
        repository: String,
        /// `main`, a number, or a revision's identifier.
        #[arg(long, default_value = "main")]
        revision: String,
    },
}

/// Carries out `usine data`.
pub(crate) fn data(command: &DataCommand, session: &Session) -> Result<()> {
    match command {
        DataCommand::Push(arguments) => push::run(arguments, session),
        DataCommand::Verify => verify(session),
        DataCommand::Common(command) => common("dataset", command, session),
    }
}

/// Carries out what `usine data` and `usine model` have in common.
pub(crate) fn common(kind: &str, command: &Common, session: &Session) -> Result<()> {
    let remote = session.remote()?;
    wait(async {
        match command {
            Common::Pull { repository, folder, revision } => {
                let found = find(&remote, kind, repository).await?;
                let folder = folder.clone().unwrap_or_else(|| text(&found, "/name").into());
                let fetched = pull(&remote, &found, revision, &folder).await?;
                session.audience.show(&fetched, |revision| {
                    println!(
                        "fetched revision {} of {} {}: {} files, {} in {}",
                        number(revision, "/number"),
                        kind,
                        text(&found, "/name"),
                        number(revision, "/file_count"),
                        bytes(number(revision, "/size_bytes").unsigned_abs()),
                        folder.display(),
                    );
                })
            }
            Common::List { project } => list(&remote, kind, project.as_deref(), session).await,
            Common::Show { repository, revision } => {
                let found = find(&remote, kind, repository).await?;
                let path = revision_path(&found, revision);
                let shown = match remote.get(&path).await {
                    Err(_) if found.pointer("/head").is_none_or(Value::is_null) => Value::Null,
                    other => other?,
                };
                let both = serde_json::json!({ "repository": found, "revision": shown });
                session.audience.show(&both, tell_repository)
            }
            Common::Lineage { repository, revision } => {
                let found = find(&remote, kind, repository).await?;
                let path = format!("{}/lineage", revision_path(&found, revision));
                let lineage = remote.get(&path).await?;
                session.audience.show(&lineage, tell_lineage)
            }
        }
    })
}

fn revision_path(repository: &Value, revision: &str) -> String {
    format!("/repositories/{}/revisions/{}", text(repository, "/id"), segment(revision))
}

/// The repository that somebody calls `name`, or whose identifier it is.
pub(crate) async fn find(remote: &Remote, kind: &str, name: &str) -> Result<Value> {
    if name.parse::<units::RepositoryId>().is_ok() {
        return remote.get(&format!("/repositories/{name}")).await;
    }
    let all = remote.list(&format!("/repositories?kind={kind}&limit=200"), LIST_MAX).await?;
    let mut found: Vec<_> = all.into_iter().filter(|one| text(one, "/name") == name).collect();
    match (found.pop(), found.is_empty()) {
        (Some(one), true) => Ok(one),
        (Some(one), false) => {
            found.push(one);
            let ids: Vec<_> = found.iter().map(|one| text(one, "/id")).collect();
            let message = format!(
                "several projects have a {kind} called {name}; name one by its identifier:\n  {}",
                ids.join("\n  ")
            );
            Err(Told::new(Failure::Invalid, message).into())
        }
        (None, _) => {
            let message = format!("there is no {kind} called {name} that you may read");
            Err(Told::new(Failure::NotFound, message).into())
        }
    }
}

async fn list(remote: &Remote, kind: &str, project: Option<&str>, session: &Session) -> Result<()> {
    let path = match project {
        Some(project) => format!("/projects/{}/repositories?kind={kind}", segment(project)),
        None => format!("/repositories?kind={kind}"),
    };
    let found = remote.list(&path, LIST_MAX).await?;
    let header = ["name", "identifier", "title", "class", "revisions", "made"];
    session.audience.list(&found, &format!("there is no {kind} that you may read"), header, |one| {
        [
            text(one, "/name"),
            text(one, "/id"),
            text(one, "/title"),
            text(one, "/sensitivity"),
            text(one, "/revisions"),
            when(one, "/created_at"),
        ]
    })
}

/// Fetches a revision into `folder`, file by file, each checked against its digest.
pub(crate) async fn pull(
    remote: &Remote,
    repository: &Value,
    revision: &str,
    folder: &Path,
) -> Result<Value> {
    let found = remote.get(&revision_path(repository, revision)).await?;
    let fixed = revision_path(repository, &text(&found, "/id"));
    let bar = byte_bar(number(&found, "/size_bytes").unsigned_abs(), "fetching");
    for file in entries(&found, "/files") {
        // The hub is not trusted with paths of this machine.
        let path: vault::FilePath = text(file, "/path").parse()?;
        let here = folder.join(path.as_str());
        if let Some(parent) = here.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let url: Vec<_> = path.as_str().split('/').map(segment).collect();
        let from = format!("{fixed}/files/{}", url.join("/"));
        remote.fetch_file(&from, &here, &text(file, "/sha256"), &bar).await?;
    }
    bar.finish_and_clear();
    Ok(found)
}

fn tell_repository(both: &Value) {
    let repository = both.pointer("/repository").unwrap_or(&Value::Null);
    println!(
        "{} {}  {}\n  {}\n  class {}, licence {}, made {}",
        text(repository, "/kind"),
        text(repository, "/name"),
        text(repository, "/id"),
        text(repository, "/title"),
        text(repository, "/sensitivity"),
        Some(text(repository, "/licence")).filter(|t| !t.is_empty()).unwrap_or("not stated".into()),
        when(repository, "/created_at"),
    );
    let Some(revision) = both.pointer("/revision").filter(|revision| revision.is_object()) else {
        println!("  it has no revision yet");
        return;
    };
    tell_revision(revision);
    for file in entries(revision, "/files") {
        let size = bytes(number(file, "/size_bytes").unsigned_abs());
        println!("  {size:>12}  {}", text(file, "/path"));
    }
}

fn tell_revision(revision: &Value) {
    println!(
        "  revision {} ({}) of {}: {} files, {}\n  {}",
        number(revision, "/number"),
        text(revision, "/id"),
        when(revision, "/created_at"),
        number(revision, "/file_count"),
        bytes(number(revision, "/size_bytes").unsigned_abs()),
        text(revision, "/message").replace('\n', "\n  "),
    );
}

/// Tells where a revision comes from.
pub(crate) fn tell_lineage(lineage: &Value) {
    let (repository, making) = ("/repository", "/revision/making");
    println!(
        "{} {} revision {}",
        text(lineage, &format!("{repository}/kind")),
        text(lineage, &format!("{repository}/name")),
        number(lineage, "/revision/number"),
    );
    let of = |key: &str| text(lineage, &format!("{making}/{key}"));
    if of("kind") == "job" {
        println!("  made by job        {}", of("job"));
        println!("  on the allocation  {}", of("allocation"));
        let recipe = match of("recipe/kind").as_str() {
            "service" => format!("service {} version {}", of("recipe/name"), of("recipe/version")),
            _ => format!("script {}", of("recipe/sha256")),
        };
        println!("  running            {recipe}");
        println!("  with               usine {} {}", of("program_version"), of("program_commit"));
    } else {
        println!("  sent by            {}", of("by"));
    }
    let inputs = lineage.pointer("/inputs").and_then(Value::as_object);
    for (name, source) in inputs.into_iter().flatten() {
        println!("  from {name:<14}{}", place(source));
    }
    for child in entries(lineage, "/children") {
        println!("  led to             {}", place(child));
    }
}

fn place(source: &Value) -> String {
    if text(source, "/kind") == "withheld" {
        return "something that you may not read".to_owned();
    }
    format!(
        "{} {} revision {} ({})",
        text(source, "/repository/kind"),
        text(source, "/repository/name"),
        number(source, "/revision/number"),
        text(source, "/revision/id"),
    )
}

fn verify(session: &Session) -> Result<()> {
    let remote = session.remote()?;
    let (mut files, mut total, mut damaged) = (0, 0, Vec::new());
    wait(async {
        let mut path = "/vault/check".to_owned();
        loop {
            let page = remote.get(&path).await?;
            files += number(&page, "/files");
            total += number(&page, "/size_bytes");
            damaged.extend(entries(&page, "/damaged").iter().cloned());
            match page.pointer("/next").and_then(Value::as_str) {
                Some(next) => path = format!("/vault/check?after={}", segment(next)),
                None => return Ok(()),
            }
        }
    })?;
    let found = serde_json::json!({ "files": files, "size_bytes": total, "damaged": damaged });
    session.audience.show(&found, |_| {
        println!("read back {files} files, {}", bytes(total.unsigned_abs()));
        for one in &damaged {
            println!("  damaged: {} ({})", text(one, "/sha256"), text(one, "/damage"));
        }
    })?;
    if damaged.is_empty() {
        return Ok(());
    }
    let message = format!("{} files are damaged; restore them from a backup", damaged.len());
    Err(Told::new(Failure::Failed, message).into())
}
