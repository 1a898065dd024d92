//! From what somebody sends to what a job would be: rendering, reading, fitting. Nothing here is
//! written.

use std::num::NonZeroU32;

use ::jobs::Memory;
use ::jobs::request::{Misfit, PartitionShape, Request, normalise};
use ::jobs::script::{Script, ScriptErrors};
use ::jobs::template::WrongValue;
use store::jobs::{Input, Output};
use store::{Tx, sites::Inventory};
use units::Slug;
use vault::{FilePath, Kind, Recipe, Sha256};

use super::{NewOutput, SiteSettings, Submission, Work, kind};
use crate::data::Reference;
use crate::{Actor, App, Error, FieldError};

/// The most inputs or outputs of one job.
const PARTS_MAX: usize = 32;
/// The most variables, and the most bytes of them, that are sent along.
const VARIABLES_MAX: usize = 1_000;
const ENVIRONMENT_BYTES_MAX: usize = 256 * 1_024;

/// What a submission comes to.
pub(super) struct Prepared {
    pub(super) script: Script,
    pub(super) recipe: Recipe,
    pub(super) inputs: Vec<Input>,
    pub(super) outputs: Vec<Output>,
    /// What all inputs come to.
    pub(super) input_bytes: u64,
}

impl App {
    /// Renders and reads what is to run, and fixes what it reads and writes.
    pub(super) async fn prepare(
        &self,
        tx: &Tx,
        actor: &Actor,
        new: &Submission,
    ) -> Result<Prepared, Error> {
        check_environment(new)?;
        let (text, recipe, mut inputs, outputs) = self.rendered(new)?;
        let script = Script::parse(text.as_bytes(), &new.options).map_err(script_errors)?;
        for (mount, reference) in &new.inputs {
            inputs.push((mount.clone(), reference.clone(), None));
        }
        if inputs.len() > PARTS_MAX || outputs.len() > PARTS_MAX {
            return Err(Error::invalid("inputs", format!("a job has at most {PARTS_MAX} of each")));
        }
        let mut fixed = Vec::with_capacity(inputs.len());
        let mut input_bytes = 0_u64;
        for (mount, named, holds) in inputs {
            let reference = match &named.revision {
                None => Reference::Main,
                Some(text) => text
                    .parse()
                    .map_err(|error| Error::invalid(mount.to_string(), format!("{error}")))?,
            };
            let found = self
                .readable(tx, actor, named.repository)
                .await
                .map_err(|error| unreadable(&mount, error, &named.repository))?;
            if holds.is_some_and(|kind| kind != found.kind) {
                let text = format!("{} is a {}, not what this takes", found.name, found.kind);
                return Err(Error::invalid(mount.to_string(), text));
            }
            let input = self.job_input(tx, actor, named.repository, reference).await;
            let input = input.map_err(|error| unreadable(&mount, error, &named))?;
            input_bytes = input_bytes.saturating_add(input.tree.size_bytes());
            fixed.push(Input { mount, repository: input.repository, revision: input.revision });
        }
        Ok(Prepared { script, recipe, inputs: fixed, outputs, input_bytes })
    }

    #[expect(clippy::type_complexity, reason = "an intermediate result of one caller")]
    fn rendered(
        &self,
        new: &Submission,
    ) -> Result<
        (String, Recipe, Vec<(Slug, ::jobs::template::RepositoryRef, Option<Kind>)>, Vec<Output>),
        Error,
    > {
        match &new.work {
            Work::Script(text) => {
                let recipe = Recipe::Script { sha256: Sha256::of(text.as_bytes()) };
                let outputs = new.outputs.iter().map(own_output).collect::<Result<_, _>>()?;
                Ok((text.clone(), recipe, Vec::new(), outputs))
            }
            Work::Service { name, values } => {
                let service = self.work().services.iter().find(|service| service.name == *name);
                let service = service
                    .ok_or_else(|| Error::invalid("service", format!("there is no `{name}`")))?;
                let rendered = service.render(values).map_err(wrong_values)?;
                let recipe =
                    Recipe::Service { name: name.clone(), version: service.version.clone() };
                let inputs = rendered.inputs.into_iter().map(|(mount, reference)| {
                    let parameter = service.parameters.iter().find(|p| p.name == mount);
                    let holds = parameter.and_then(|parameter| match parameter.kind {
                        ::jobs::template::Kind::Repository { holds } => Some(kind(holds)),
                        _ => None,
                    });
                    (mount, reference, holds)
                });
                let inputs = inputs.collect();
                let outputs = service_outputs(name, &rendered.outputs, &new.outputs)?;
                Ok((rendered.script, recipe, inputs, outputs))
            }
        }
    }
}

/// What the nodes of a site give, as its agent reported.
pub(super) fn shape(
    site: &SiteSettings,
    inventory: Option<&Inventory>,
    whole_nodes: bool,
) -> Result<PartitionShape, Error> {
    let unknown = || {
        let text = format!("the site {} has not said yet what it has; try again soon", site.name);
        Error::refused("site.inventory", text)
    };
    let inventory = inventory.ok_or_else(unknown)?;
    let count = |number: i64| u32::try_from(number).ok().and_then(NonZeroU32::new);
    let nodes = count(inventory.nodes).ok_or_else(unknown)?;
    let cores = count(inventory.cores / i64::from(nodes.get())).ok_or_else(unknown)?;
    let gpus = u32::try_from(inventory.gpus.len()).unwrap_or(u32::MAX);
    Ok(PartitionShape {
        nodes,
        cores_per_node: cores,
        memory_per_node: Memory::mebibytes(inventory.memory_mb_per_node()),
        gpus_per_node: gpus / nodes,
        time_limit_default_seconds: site.time_limit_default_seconds,
        time_limit_max_seconds: site.time_limit_max_seconds,
        whole_nodes,
    })
}

/// What the script asks of these nodes.
pub(super) fn fitted(script: &Script, shape: &PartitionShape) -> Result<Request, Error> {
    normalise(script.directives(), shape).map_err(|misfit: Misfit| {
        Error::refused(format!("partition.{}", misfit.directives()), misfit.to_string())
    })
}

fn check_environment(new: &Submission) -> Result<(), Error> {
    let bytes: usize = new.environment.iter().map(|(name, value)| name.len() + value.len()).sum();
    if new.environment.len() > VARIABLES_MAX || bytes > ENVIRONMENT_BYTES_MAX {
        let text = format!(
            "send at most {VARIABLES_MAX} variables and {ENVIRONMENT_BYTES_MAX} bytes of them"
        );
        return Err(Error::invalid("environment", text));
    }
    let wrong = new.environment.iter().find(|(name, value)| {
        name.is_empty() || name.contains(['=', '\0']) || value.contains('\0')
    });
    match wrong {
        Some((name, _)) => {
            Err(Error::invalid("environment", format!("`{name}` is not a variable")))
        }
        None => Ok(()),
    }
}

fn own_output(new: &NewOutput) -> Result<Output, Error> {
    let path = new.path.clone().unwrap_or_else(|| format!("outputs/{}", new.name));
    path.parse::<FilePath>()
        .map_err(|error| Error::invalid(format!("outputs.{}", new.name), error.to_string()))?;
    Ok(Output {
        name: new.name.clone(),
        path,
        kind: new.kind.unwrap_or(Kind::Dataset),
        target: new.repository.clone().unwrap_or_else(|| new.name.clone()),
        licence: new.licence.clone(),
        result: None,
    })
}

/// The outputs of a service, with the submitter's wishes where there are any.
fn service_outputs(
    service: &Slug,
    declared: &[::jobs::template::Output],
    wishes: &[NewOutput],
) -> Result<Vec<Output>, Error> {
    for wish in wishes {
        let known = declared.iter().any(|output| output.name == wish.name);
        if !known || wish.path.is_some() || wish.kind.is_some() {
            let text = format!("{service} decides what it writes and where; name its outputs only");
            return Err(Error::invalid(format!("outputs.{}", wish.name), text));
        }
    }
    let outputs = declared.iter().map(|output| {
        let wish = wishes.iter().find(|wish| wish.name == output.name);
        Output {
            name: output.name.clone(),
            path: output.path.clone(),
            kind: kind(output.holds),
            target: wish.and_then(|w| w.repository.clone()).unwrap_or_else(|| service.clone()),
            licence: wish.and_then(|wish| wish.licence.clone()),
            result: None,
        }
    });
    Ok(outputs.collect())
}

pub(super) fn script_errors(errors: ScriptErrors) -> Error {
    let fields = errors.0.into_iter().map(|remark| match remark.line {
        Some(_) => FieldError::new("script", remark.to_string()),
        None => FieldError::new("options", remark.text),
    });
    Error::Invalid(fields.collect())
}

fn wrong_values(wrong: Vec<WrongValue>) -> Error {
    let fields = wrong
        .into_iter()
        .map(|wrong| FieldError::new(format!("values.{}", wrong.parameter), wrong.problem));
    Error::Invalid(fields.collect())
}

fn unreadable(mount: &Slug, error: Error, named: &impl ToString) -> Error {
    match error {
        Error::NotFound(what) => {
            let text = format!("there is no {what} {} that you may read", named.to_string());
            Error::invalid(mount.to_string(), text)
        }
        other => other,
    }
}
