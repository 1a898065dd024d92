//! What jobs read and write. A site acts here for a job of its own, which `app`'s job use cases
//! have checked before they call; the results belong to the job's project.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::Stream;
use store::{Tx, blobs, repositories as records};
use units::{AllocationId, JobId, RepositoryId, RevisionId, Slug};
use vault::{
    Blob, Code, FileEntry, FilePath, Kind, Licence, Making, RepositoryName, Sensitivity, Sha256,
    Tree,
};

use super::commit::{Draft, Tip};
use super::files::Content;
use super::reading::{Reference, content, find};
use super::{Home, NewRepository, Repository, Revision};
use crate::{Actor, App, Error};

/// A revision that a job is to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobInput {
    /// Where it is.
    pub repository: RepositoryId,
    /// The revision, no longer a moving reference.
    pub revision: RevisionId,
    /// How closely it must be kept, and what is made from it.
    pub sensitivity: Sensitivity,
    /// Its files.
    pub tree: Tree,
}

/// A folder that a job wrote, as a revision of a repository of its project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobOutput {
    /// Whose it is.
    pub home: Home,
    /// Name of the output within the job.
    pub output: Slug,
    /// What it holds.
    pub kind: Kind,
    /// The repository, made if it is not there.
    pub repository: Slug,
    /// The licence, if the submitter stated one.
    pub licence: Option<Licence>,
    /// Which job wrote it.
    pub job: JobId,
    /// The name of that job.
    pub job_name: String,
    /// The allocation that paid for it.
    pub allocation: AllocationId,
    /// What it ran.
    pub code: Code,
    /// What it read, by mount.
    pub inputs: BTreeMap<Slug, RevisionId>,
    /// The files as the site reported them.
    pub files: Vec<(FilePath, FileEntry)>,
}

/// Under which name the files of a job's output wait for their revision.
fn holder(job: JobId, output: &Slug) -> String {
    format!("job:{job}/{output}")
}

impl App {
    /// Fixes what a job that `actor` submits will read.
    ///
    /// # Errors
    /// When there is no such revision that the actor may read.
    pub(crate) async fn job_input(
        &self,
        tx: &Tx,
        actor: &Actor,
        repository: RepositoryId,
        reference: Reference,
    ) -> Result<JobInput, Error> {
        let repository = self.readable(tx, actor, repository).await?;
        let revision = find(tx, &repository, reference).await?;
        Ok(JobInput {
            repository: repository.id,
            revision: revision.id,
            sensitivity: repository.sensitivity,
            tree: records::files(tx, revision.id).await?,
        })
    }

    /// A file that a job reads, for its site. The caller has found that the job runs at the site
    /// and mounts the revision.
    ///
    /// # Errors
    /// When the revision has no such file.
    pub(crate) async fn job_input_file(
        &self,
        tx: &Tx,
        revision: RevisionId,
        path: &FilePath,
    ) -> Result<Content, Error> {
        content(tx, revision, path).await
    }

    /// Takes in one file of a job's output, for its site. The caller has found that the job runs
    /// at the site and declares the output.
    ///
    /// # Errors
    /// When the bytes are not the announced ones, or the vault fails.
    pub(crate) async fn take_in_output<S, E>(
        &self,
        job: JobId,
        output: &Slug,
        announced: (Sha256, Option<u64>),
        body: S,
    ) -> Result<Blob, Error>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        self.take_in(&holder(job, output), announced, body).await
    }

    /// Commits what a job wrote, in the transaction that takes in its site's report. The result is
    /// at least as sensitive as whatever the job read, and a new repository is not open by itself.
    ///
    /// # Errors
    /// When a file was not sent, when no folder could hold the files, or when the repository of
    /// that name is less sensitive than the inputs.
    pub(crate) async fn commit_output(
        &self,
        tx: &Tx,
        actor: &Actor,
        made: JobOutput,
    ) -> Result<Revision, Error> {
        let sensitivity = self.sensitivity_of(tx, &made.inputs).await?;
        let repository = self.output_repository(tx, actor, &made, sensitivity).await?;
        let name = holder(made.job, &made.output);
        let mut changes = Vec::with_capacity(made.files.len());
        for (path, reported) in made.files {
            let size_bytes = self.claim(tx, &name, &path, reported.sha256).await?;
            changes.push(vault::Change::Put(path, FileEntry { size_bytes, ..reported }));
        }
        let tree = Tree::default()
            .apply(&changes)
            .map_err(|error| Error::invalid("files", error.to_string()))?;
        let making = Making::Job { job: made.job, allocation: made.allocation, code: made.code };
        let message = format!("Output {} of job {}", made.output, made.job_name);
        let draft = Draft { message, tree, making, inputs: made.inputs };
        let tip = Tip::Main(repository.head);
        let revision = self.write_revision(tx, actor, (&repository, &tip), draft).await?;
        blobs::settle(tx, &name, revision.id).await?;
        Ok(revision)
    }

    async fn sensitivity_of(
        &self,
        tx: &Tx,
        inputs: &BTreeMap<Slug, RevisionId>,
    ) -> Result<Sensitivity, Error> {
        let mut strictest = Sensitivity::Open;
        for revision in inputs.values() {
            let Some(id) = records::repository_of(tx, *revision).await? else { continue };
            if let Some(repository) = records::by_id(tx, id).await? {
                strictest = strictest.max(repository.sensitivity);
            }
        }
        Ok(strictest)
    }

    async fn output_repository(
        &self,
        tx: &Tx,
        actor: &Actor,
        made: &JobOutput,
        sensitivity: Sensitivity,
    ) -> Result<Repository, Error> {
        let name = RepositoryName::from(made.repository.clone());
        let found = records::by_name(tx, made.home.project, made.kind, &name).await?;
        match found {
            Some(repository) if repository.sensitivity.admits_content_of(sensitivity) => {
                Ok(repository)
            }
            Some(repository) => Err(Error::refused(
                "data.sensitivity",
                format!(
                    "{} {} is {}, and the job read {sensitivity} data: name another repository",
                    repository.kind, repository.name, repository.sensitivity
                ),
            )),
            None => {
                let new = NewRepository {
                    kind: made.kind,
                    name,
                    title: made.repository.to_string(),
                    licence: made.licence.clone(),
                    sensitivity: sensitivity.max(Sensitivity::Internal),
                };
                self.create_repository_in(tx, actor, made.home, new).await
            }
        }
    }
}
