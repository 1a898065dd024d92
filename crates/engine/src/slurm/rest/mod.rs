//! Slurm by `slurmrestd`: queries as the agent, everything else as the person, by their tokens.
//!
//! What differs between the releases' data formats is settled in `format`, and what a submission
//! says in `submission`; the other files read values that are the same in all.

mod accounting;
mod client;
mod format;
mod nodes;
mod orders;
mod queue;
mod submission;

use std::sync::Arc;

use serde_json::Value;
use units::Timestamp;

use super::settings::Settings;
use super::transport::{
    About, Accounted, Load, Node, Orders, Queued, SlurmId, Submission, Transport,
};
use crate::Error;
use client::Client;
use format::Format;

/// Where `slurmrestd` is, and who makes tokens for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestSettings {
    /// `http://HOST:PORT`, or `unix:/PATH`.
    pub address: String,
    /// The command that prints a token, such as
    /// `scontrol token username={user} lifespan={seconds}`.
    pub token: Vec<String>,
    /// How long a token holds.
    pub lifespan_seconds: u32,
}

impl RestSettings {
    /// The usual way to tokens, for the daemon at `address`.
    pub fn new(address: impl Into<String>) -> Self {
        let token = ["scontrol", "token", "username={user}", "lifespan={seconds}"];
        let token = token.map(str::to_owned).to_vec();
        Self { address: address.into(), token, lifespan_seconds: 3_600 }
    }
}

/// The way to Slurm through `slurmrestd`.
#[derive(Debug)]
pub(super) struct Rest {
    client: Client,
    format: Format,
}

impl Rest {
    /// Asks the daemon which data formats it speaks; `None` when it speaks none of ours.
    ///
    /// # Errors
    /// When it does not answer.
    pub(super) async fn open(
        settings: Arc<Settings>,
        rest: RestSettings,
    ) -> Result<Option<Self>, Error> {
        let client = Client::new(settings, rest).await?;
        let document = client.get("/openapi/v3").await?;
        Ok(Format::newest_in(&document).map(|format| Self { client, format }))
    }

    fn slurm(&self, path: &str) -> String {
        format!("/slurm/{}/{path}", self.format)
    }

    fn accounts(&self, path: &str) -> String {
        format!("/slurmdb/{}/{path}", self.format)
    }

    async fn jobs(&self) -> Result<Value, Error> {
        format::sound(self.client.get(&self.slurm("jobs")).await?)
    }
}

impl Transport for Rest {
    async fn about(&self) -> Result<About, Error> {
        let answer = format::sound(self.client.get(&self.slurm("ping")).await?)?;
        format::about(&answer)
    }

    async fn submit(&self, submission: Submission<'_>) -> Result<SlurmId, Error> {
        let body = submission::build(self.format, &submission)?;
        let user = submission.spec.place.user.as_deref();
        let answer = self.client.post(user, &self.slurm("job/submit"), &body).await?;
        submission::parse(&answer)
    }

    async fn cancel(&self, user: Option<&str>, ids: &[SlurmId]) -> Result<(), Error> {
        for id in ids {
            let path = self.slurm(&format!("job/{}", id.0));
            format::settled(&self.client.delete(user, &path).await?)?;
        }
        Ok(())
    }

    async fn queue(&self) -> Result<Vec<Queued>, Error> {
        Ok(queue::parse(&self.jobs().await?))
    }

    async fn accounting(&self, ids: &[SlurmId]) -> Result<Vec<Accounted>, Error> {
        let mut found = Vec::new();
        // No data format before v0.0.40 can name several; each is asked for as it ends.
        for id in ids {
            let answer = self.client.get(&self.accounts(&format!("job/{}", id.0))).await?;
            found.extend(accounting::parse(&format::sound(answer)?));
        }
        Ok(found)
    }

    async fn accounting_of(&self, user: &str, since: Timestamp) -> Result<Vec<Accounted>, Error> {
        let query = format!("jobs?start_time=uts{}", since.as_second());
        let answer = format::sound(self.client.get(&self.accounts(&query)).await?)?;
        let mut found = accounting::parse(&answer);
        found.retain(|row| row.user == user);
        Ok(found)
    }

    async fn nodes(&self) -> Result<Vec<Node>, Error> {
        let answer = format::sound(self.client.get(&self.slurm("nodes")).await?)?;
        Ok(nodes::parse(&answer))
    }

    async fn orders(&self) -> Result<Orders, Error> {
        let ask = async |what: &str| format::sound(self.client.get(&self.slurm(what)).await?);
        let (partitions, reservations) = tokio::try_join!(ask("partitions"), ask("reservations"))?;
        // Whoever is no operator may not be told; everything else is known all the same.
        let statistics = ask("diag").await.unwrap_or_default();
        Ok(orders::parse(&partitions, &reservations, &statistics))
    }

    async fn load(&self) -> Result<Vec<Load>, Error> {
        Ok(queue::parse_load(&self.jobs().await?))
    }
}

#[cfg(test)]
mod tests;
