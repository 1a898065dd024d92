//! Files that jobs read and write, for the agents of their sites.

use bytes::Bytes;
use futures_util::Stream;
use store::jobs as records;
use units::{JobId, Slug};
use vault::{Blob, FilePath, Sha256};

use crate::data::Content;
use crate::{Actor, App, Error};

impl App {
    /// A file that a job of this site reads, for [`App::bytes`].
    ///
    /// # Errors
    /// When the actor is not the agent of that site, or the job reads no such file.
    pub async fn site_input(
        &self,
        actor: &Actor,
        (site, job): (&Slug, JobId),
        mount: &Slug,
        path: &FilePath,
    ) -> Result<Content, Error> {
        self.serves(actor, site)?;
        let tx = self.store().read().await?;
        let job = self.job_of_site(&tx, site, job).await?;
        let input = records::mounted(&tx, job.id, mount).await?;
        let input = input.ok_or(Error::NotFound("input"))?;
        self.job_input_file(&tx, input.revision, path).await
    }

    /// Takes in a file that a job of this site wrote. It becomes part of a revision when the site
    /// reports the whole output.
    ///
    /// # Errors
    /// When the actor is not the agent of that site, the job has no such output or has ended, or
    /// the bytes are not the announced ones.
    pub async fn site_output<S, E>(
        &self,
        actor: &Actor,
        (site, job): (&Slug, JobId),
        output: &Slug,
        announced: (Sha256, Option<u64>),
        body: S,
    ) -> Result<Blob, Error>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        self.serves(actor, site)?;
        let tx = self.store().read().await?;
        let job = self.job_of_site(&tx, site, job).await?;
        let outputs = records::outputs(&tx, job.id).await?;
        drop(tx);
        if !outputs.iter().any(|declared| declared.name == *output) {
            return Err(Error::NotFound("output"));
        }
        if job.life.state.is_final() {
            return Err(Error::Conflict("the job has ended; its outputs are settled".to_owned()));
        }
        self.take_in_output(job.id, output, announced, body).await
    }
}
