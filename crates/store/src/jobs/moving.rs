//! What is needed to run a job elsewhere: what its submitter asked, and the row of its new place.

use ::jobs::placement::Limits;
use sea_orm::FromQueryResult;
use serde::{Deserialize, Serialize};
use units::JobId;

use super::Job;
use super::row::written;
use crate::{StoreError, Tx};

/// What a submitter asked for beside the script.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// Options given beside the script.
    pub options: Vec<String>,
    /// Whether its jobs may leave a site that does not fetch them, and for where.
    pub may_move: Option<Limits>,
}

#[derive(Serialize, Deserialize)]
struct Within {
    countries: Vec<String>,
    gpu: Option<String>,
    memory_mb_per_node: Option<u64>,
}

/// Keeps what was asked with a submission, which is a job or an array.
///
/// # Errors
/// When the database fails.
pub async fn keep_wish(tx: &Tx, submission: JobId, wish: &Wish) -> Result<(), StoreError> {
    if *wish == Wish::default() {
        return Ok(());
    }
    const SQL: &str = "INSERT INTO job_wish (submission, options, may_move) VALUES ($1, $2, $3)";
    let may_move = wish.may_move.as_ref().map(|limits| {
        text(&Within {
            countries: limits.countries.iter().map(ToString::to_string).collect(),
            gpu: limits.gpu.clone(),
            memory_mb_per_node: limits.memory_mb_per_node,
        })
    });
    let values =
        [submission.uuid().into(), text(&wish.options)?.into(), may_move.transpose()?.into()];
    tx.execute(SQL, values).await?;
    Ok(())
}

/// What was asked with a submission; `None` where that was not kept.
///
/// # Errors
/// When the database fails.
pub async fn wish(tx: &Tx, submission: JobId) -> Result<Option<Wish>, StoreError> {
    #[derive(FromQueryResult)]
    struct Row {
        options: Option<String>,
        may_move: Option<String>,
    }
    const SQL: &str = "SELECT options, may_move FROM job_wish WHERE submission = $1";
    let Some(row) = tx.one::<Row>(SQL, [submission.uuid().into()]).await? else {
        return Ok(Some(Wish::default()));
    };
    let Some(options) = row.options else { return Ok(None) };
    let options = serde_json::from_str(&options).map_err(damaged)?;
    Ok(Some(Wish { options, may_move: row.may_move.as_deref().map(limits).transpose()? }))
}

fn limits(text: &str) -> Result<Limits, StoreError> {
    let Within { countries, gpu, memory_mb_per_node } =
        serde_json::from_str(text).map_err(damaged)?;
    let countries = countries.iter().map(|country| country.parse().map_err(damaged));
    Ok(Limits { countries: countries.collect::<Result<_, _>>()?, gpu, memory_mb_per_node })
}

fn text(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(damaged)
}

fn damaged(error: impl std::fmt::Display) -> StoreError {
    StoreError::damaged("what was asked with a job", error)
}

/// Writes where a job is to run now, on whose hours, and what it has there.
///
/// # Errors
/// When the database fails.
pub async fn replace(tx: &Tx, job: &Job) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE job SET allocation = $2, factory = $3, site = $4, partition = $5,
            charge_rule = $6, folder = $7, stdout = $8, stderr = $9, options = $10, nodes = $11,
            tasks = $12, cores = $13, memory_mb = $14, gpus = $15, time_limit_seconds = $16,
            held = $17
        WHERE id = $1";
    let (_, options) = written(&job.program)?;
    let memory_mb = i64::try_from(job.request.memory.count_mb()).map_err(damaged)?;
    let values = [
        job.id.uuid().into(),
        job.owner.allocation.uuid().into(),
        job.place.factory.to_string().into(),
        job.place.site.to_string().into(),
        job.place.partition.to_string().into(),
        job.place.charge_rule.to_string().into(),
        job.program.folder.clone().into(),
        job.program.stdout.clone().into(),
        job.program.stderr.clone().into(),
        options.into(),
        i64::from(job.request.nodes.get()).into(),
        i64::from(job.request.tasks.get()).into(),
        i64::from(job.request.cores.get()).into(),
        memory_mb.into(),
        i64::from(job.request.gpus).into(),
        i64::from(job.request.time_limit_seconds.get()).into(),
        job.held.count().into(),
    ];
    tx.execute(SQL, values).await?;
    Ok(())
}
