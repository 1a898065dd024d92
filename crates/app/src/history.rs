//! The history of a factory's load, as the digital twin reads it: who it was stays behind.

use std::collections::BTreeMap;

use access::organisation::Class;
use bytes::Bytes;
use futures_util::{Stream, stream};
use store::Tx;
use store::jobs::Past;
use twin::trace::HistoryRow;
use units::{JobId, OrganisationId, Period, PersonId, Slug, Timestamp};

use crate::audit::Entry;
use crate::{Action, Actor, App, Error, Scope};

/// How many jobs are read at once.
const PAGE_JOBS: u32 = 1_000;
/// What the key behind pseudonyms is kept for.
const PURPOSE: &str = "pseudonyms of persons in histories";
/// The length of a pseudonym in hexadecimal digits: 64 bits, so that two never meet by chance.
const PSEUDONYM_DIGITS: usize = 16;

/// A history that may be read.
pub struct History {
    app: App,
    factory: Slug,
    period: Period,
    names: Pseudonyms,
    classes: Classes,
    after: Option<(Timestamp, JobId)>,
    next: Next,
}

/// What comes next.
enum Next {
    Heading,
    Jobs,
    Nothing,
}

impl App {
    /// The jobs at `factory` that were submitted in `period` and have ended. Persons appear under
    /// pseudonyms that are the same in every history of this hub and mean nothing elsewhere;
    /// organisations only as their class.
    ///
    /// # Errors
    /// When there is no such factory, or the actor may not take its history out.
    pub async fn history(
        &self,
        actor: &Actor,
        factory: &Slug,
        period: Period,
    ) -> Result<History, Error> {
        if !self.rules().federation.factories.contains_key(factory) {
            return Err(Error::NotFound("factory"));
        }
        actor.may(Action::ExportHistory, &[Scope::Factory(factory.clone())])?;
        let tx = self.store().write().await?;
        let names = self.pseudonyms(&tx).await?;
        let entry = Entry {
            action: "history.export",
            object: &format!("factory:{factory}"),
            rule: "ExportHistory",
            detail: &format!("jobs submitted in {period}"),
        };
        self.audit(&tx, actor, entry).await?;
        tx.commit().await?;
        Ok(History {
            app: self.clone(),
            factory: factory.clone(),
            period,
            names,
            classes: Classes::default(),
            after: None,
            next: Next::Heading,
        })
    }

    /// The pseudonyms of this hub, which begin with its first history.
    async fn pseudonyms(&self, tx: &Tx) -> Result<Pseudonyms, Error> {
        let mut fresh = [0; 32];
        getrandom::fill(&mut fresh)
            .map_err(|error| Error::Internal(format!("no randomness: {error}")))?;
        Ok(Pseudonyms(store::identity::keys::keep(tx, PURPOSE, fresh, self.now()).await?))
    }
}

impl History {
    /// The text, a page of jobs at a time.
    pub fn text(self) -> impl Stream<Item = Result<Bytes, Error>> {
        stream::try_unfold(self, |mut history| async {
            Ok(history.page().await?.map(|page| (page, history)))
        })
    }

    /// The next part of the text; `None` at its end.
    async fn page(&mut self) -> Result<Option<Bytes>, Error> {
        let mut text = Vec::new();
        match self.next {
            Next::Heading => {
                HistoryRow::write_heading(&mut text).map_err(unwritten)?;
                self.next = Next::Jobs;
            }
            Next::Jobs => self.jobs(&mut text).await?,
            Next::Nothing => return Ok(None),
        }
        Ok(Some(text.into()))
    }

    /// Writes the next page of jobs.
    async fn jobs(&mut self, text: &mut Vec<u8>) -> Result<(), Error> {
        let tx = self.app.store().read().await?;
        let of = (&self.factory, self.period);
        let jobs = store::jobs::history(&tx, of, self.after, PAGE_JOBS).await?;
        match jobs.last() {
            Some(last) => self.after = Some((last.submitted_at, last.id)),
            None => self.next = Next::Nothing,
        }
        for job in &jobs {
            let class = self.classes.of(&self.app, &tx, job.organisation).await?;
            self.write(job, class, text).map_err(unwritten)?;
        }
        Ok(())
    }

    fn write(&self, job: &Past, class: Class, text: &mut Vec<u8>) -> std::io::Result<()> {
        let (started, ended) = job.ran.unzip();
        let row = HistoryRow {
            job: &job.id.to_string(),
            submitted: job.submitted_at,
            started,
            ended,
            time_limit_seconds: Some(job.time_limit_seconds),
            nodes: job.nodes,
            cores: job.cores,
            gpus: job.gpus,
            person: &self.names.of(job.person),
            project: &job.project.to_string(),
            partition: &job.partition.to_string(),
            class: &class.to_string(),
        };
        row.write(text)
    }
}

/// The classes of organisations, each looked up once.
#[derive(Default)]
pub(crate) struct Classes(BTreeMap<OrganisationId, Class>);

impl Classes {
    /// The class of an organisation.
    pub(crate) async fn of(
        &mut self,
        app: &App,
        tx: &Tx,
        id: OrganisationId,
    ) -> Result<Class, Error> {
        if let Some(class) = self.0.get(&id) {
            return Ok(*class);
        }
        let found = store::organisations::by_id(tx, id).await?;
        let organisation = found.ok_or(Error::NotFound("organisation"))?;
        let class = app.applicant(tx, &organisation).await?.class();
        self.0.insert(id, class);
        Ok(class)
    }
}

/// How persons are called in histories.
struct Pseudonyms([u8; 32]);

impl Pseudonyms {
    /// What `person` is called: nobody without the key can tell who that is.
    fn of(&self, person: PersonId) -> String {
        let digest = blake3::keyed_hash(&self.0, person.uuid().as_bytes());
        digest.to_hex().chars().take(PSEUDONYM_DIGITS).collect()
    }
}

fn unwritten(error: std::io::Error) -> Error {
    Error::Internal(format!("a row of the history cannot be written: {error}"))
}

#[cfg(test)]
mod tests;
