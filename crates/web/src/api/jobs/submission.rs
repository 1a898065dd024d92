//! Submissions as they come over the wire.

use std::collections::BTreeMap;

use app::jobs::{NewOutput, Submission, Submitted, Work};
use serde::{Deserialize, Serialize};
use units::{AllocationId, Meter, Slug, Work as Hours};
use utoipa::ToSchema;
use uuid::Uuid;

use super::offers::{LimitsIn, OffersOut};
use crate::api::wire::Amount;
use crate::problem::Problem;

/// The value of a parameter: a number, or a text.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
enum ValueIn {
    Integer(i64),
    Text(String),
}

/// A service, filled in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ServiceIn {
    /// Its name.
    #[schema(example = "train-lm", max_length = 64)]
    name: String,
    /// The values of its parameters; a repository is named as `ID` or `ID@REVISION`.
    #[serde(default)]
    values: BTreeMap<String, ValueIn>,
}

/// A folder to keep as a revision of a repository.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OutputIn {
    /// Its name.
    #[schema(example = "model", max_length = 64)]
    name: String,
    /// Where the script writes it, relative to the job's directory; `outputs/NAME` when nothing is
    /// said. Not for services, which have their own.
    path: Option<String>,
    /// `dataset` or `model`. Not for services.
    kind: Option<String>,
    /// The name of the repository, made if it is not there.
    #[schema(max_length = 64)]
    repository: Option<String>,
    /// The licence of a repository that is made, as SPDX writes it.
    #[schema(max_length = 64)]
    licence: Option<String>,
}

/// A job to submit: a script or a service.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SubmissionIn {
    /// Whose hours; the project's only usable allocation when nothing is said.
    allocation: Option<Uuid>,
    /// Choose the best place among all where the project has hours, within these limits; then
    /// `allocation` must be absent.
    anywhere: Option<LimitsIn>,
    /// Lets it run elsewhere, within these limits, when its site does not fetch it for longer than
    /// policy says; absent, it waits for its site.
    may_move: Option<LimitsIn>,
    /// A batch script, with its `#SBATCH` directives.
    #[schema(example = "#!/bin/sh\n#SBATCH --time=1\necho hello\n")]
    script: Option<String>,
    /// A service of the catalogue.
    service: Option<ServiceIn>,
    /// Options as `sbatch` takes them, such as `--time=10`; they win over the directives.
    #[serde(default)]
    options: Vec<String>,
    /// Variables to send along; `--export` says which of them reach the job.
    #[serde(default)]
    environment: BTreeMap<String, String>,
    /// Revisions to read (`ID` or `ID@REVISION`), by the folder under `inputs/`.
    #[serde(default)]
    inputs: BTreeMap<String, String>,
    /// Folders to keep.
    #[serde(default)]
    outputs: Vec<OutputIn>,
    /// Whether it needs the network.
    #[serde(default)]
    network: bool,
}

impl TryFrom<SubmissionIn> for Submission {
    type Error = Problem;

    fn try_from(new: SubmissionIn) -> Result<Self, Problem> {
        let work = match (new.script, new.service) {
            (Some(script), None) => Work::Script(script),
            (None, Some(service)) => Work::Service {
                name: parsed("service.name", &service.name)?,
                values: service
                    .values
                    .into_iter()
                    .map(|(name, value)| (name, value.text()))
                    .collect(),
            },
            _ => return Err(Problem::field("script", "send either a script or a service")),
        };
        let inputs = new.inputs.iter().map(|(mount, named)| {
            Ok((parsed::<Slug>("inputs", mount)?, parsed(&format!("inputs.{mount}"), named)?))
        });
        Ok(Self {
            allocation: new.allocation.map(AllocationId::from_uuid),
            anywhere: new.anywhere.map(TryInto::try_into).transpose()?,
            may_move: new.may_move.map(TryInto::try_into).transpose()?,
            work,
            options: new.options,
            environment: new.environment,
            inputs: inputs.collect::<Result<_, Problem>>()?,
            outputs: new.outputs.into_iter().map(OutputIn::output).collect::<Result<_, _>>()?,
            network: new.network,
        })
    }
}

impl ValueIn {
    fn text(self) -> String {
        match self {
            Self::Integer(number) => number.to_string(),
            Self::Text(text) => text,
        }
    }
}

impl OutputIn {
    fn output(self) -> Result<NewOutput, Problem> {
        let field = |part: &str| format!("outputs.{part}");
        Ok(NewOutput {
            name: parsed(&field("name"), &self.name)?,
            path: self.path,
            kind: self.kind.map(|text| parsed(&field("kind"), &text)).transpose()?,
            repository: self
                .repository
                .map(|text| parsed(&field("repository"), &text))
                .transpose()?,
            licence: self.licence.map(|text| parsed(&field("licence"), &text)).transpose()?,
        })
    }
}

pub(super) fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
    field: &str,
    text: &str,
) -> Result<T, Problem> {
    text.parse().map_err(|error: T::Err| Problem::field(field, error.to_string()))
}

/// One job of a submission.
#[derive(Serialize, ToSchema)]
struct SubmittedJob {
    id: Uuid,
    /// Its number.
    number: i64,
    /// Its index in the array.
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<u32>,
    /// `held` or `ordered`.
    state: String,
}

/// What was read and has no effect.
#[derive(Serialize, ToSchema)]
struct WarningOut {
    /// The line of the script.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    text: String,
}

/// What was submitted.
#[derive(Serialize, ToSchema)]
pub(crate) struct SubmittedOut {
    /// The job, or the array.
    id: Uuid,
    /// Its number; elements of an array go by this one and their index too, as in `17_3`.
    #[schema(example = 17)]
    number: i64,
    /// The job, or the elements of the array in the order of their indices.
    jobs: Vec<SubmittedJob>,
    /// What was set aside for all of them together.
    held: Amount,
    warnings: Vec<WarningOut>,
    /// The places that were compared, when the choice was left open.
    #[serde(skip_serializing_if = "Option::is_none")]
    placed: Option<OffersOut>,
}

impl SubmittedOut {
    pub(crate) fn new(submitted: Submitted, meter: Meter) -> Self {
        let held = submitted.jobs.iter().map(|job| job.held.count()).sum();
        let jobs = submitted.jobs.into_iter().map(|job| SubmittedJob {
            id: job.id.uuid(),
            number: job.number,
            index: job.element.map(|element| element.index),
            state: job.life.state.name().to_owned(),
        });
        let warnings = submitted.warnings.into_iter();
        let warnings =
            warnings.map(|warning| WarningOut { line: warning.line, text: warning.text });
        Self {
            id: submitted.id.uuid(),
            number: submitted.number,
            jobs: jobs.collect(),
            held: Amount::of(Hours::seconds(held), meter),
            warnings: warnings.collect(),
            placed: submitted.placed.map(Into::into),
        }
    }
}
