//! `usine sme`: how large an enterprise is, by a description in a file.

mod declaration;
mod told;

use std::path::{Path, PathBuf};

use access::document::Document;
use access::policy::{Entry, Policy, SmeDefinition};
use access::sme::{Assessment, Description, ScaleUp, StartUp};
use anyhow::{Context, Result};
use app::{Clock as _, SystemClock};
use clap::{Args, Subcommand};
use jiff::civil::Date;

use crate::exit::{Failure, Told};
use crate::output::Audience;
use crate::{faults, folders};

/// What can be computed of an enterprise.
#[derive(Subcommand)]
pub(crate) enum SmeCommand {
    /// Say whether an enterprise is micro, small, medium or large, and show the calculation.
    Assess(What),
    /// Print the declaration of its size, with the calculation, to date and to sign.
    Declare(What),
}

/// What is assessed, and by which rules.
#[derive(Args)]
pub(crate) struct What {
    /// The description (docs/sme.md); `-` reads standard input.
    file: PathBuf,
    /// The day whose rules apply; today when none is named.
    #[arg(long, value_name = "DAY")]
    on: Option<Date>,
    /// The policy folder with the definitions; the built-in one when none is named.
    #[arg(long, value_name = "DIR")]
    policy: Option<PathBuf>,
}

/// An assessed enterprise.
struct Assessed<'p> {
    description: Description,
    definition: &'p Entry<SmeDefinition>,
    assessment: Assessment,
    start_up: Option<StartUp>,
    scale_up: Option<ScaleUp>,
    on: Date,
}

/// Carries out `usine sme`.
pub(crate) fn run(command: &SmeCommand, audience: Audience) -> Result<()> {
    let (SmeCommand::Assess(what) | SmeCommand::Declare(what)) = command;
    let documents = folders::access_policy(what.policy.as_deref())?;
    let policy = match Policy::parse(&documents) {
        Ok(policy) => policy,
        Err(wrong) => return faults::refuse(&wrong, audience),
    };
    let today = access::day_in_brussels(SystemClock.now());
    let assessed = match assessed(what, &policy, what.on.unwrap_or(today))? {
        Ok(assessed) => assessed,
        Err(wrong) => return faults::refuse(&wrong, audience),
    };
    match command {
        SmeCommand::Declare(_) if audience == Audience::People => {
            print!("{}", declaration::of(&assessed));
            Ok(())
        }
        _ => audience.show(&told::as_json(&assessed), |_| told::tell(&assessed)),
    }
}

fn assessed<'p>(
    what: &What,
    policy: &'p Policy,
    on: Date,
) -> Result<Result<Assessed<'p>, access::document::Diagnostics>> {
    let definition = policy.sme(on).ok_or_else(|| {
        Told::new(Failure::Invalid, format!("no definition of enterprises holds on {on}"))
    })?;
    let description = match Description::read(&document(&what.file)?) {
        Ok(description) => description,
        Err(wrong) => return Ok(Err(wrong)),
    };
    let assessment = match access::sme::assess(&description.group, definition) {
        Ok(assessment) => assessment,
        Err(incomplete) => return Ok(Err(description.place(&incomplete.0))),
    };
    let group = &description.group;
    let periods = group.members.get(&group.subject).map_or(&[][..], |it| &it.periods);
    let start_up = policy.start_up(on).map(|definition| {
        access::sme::start_up(assessment.class, description.registered_on, on, definition)
    });
    let scale_up = policy.scale_up(on).map(|it| access::sme::scale_up(periods, it));
    Ok(Ok(Assessed { description, definition, assessment, start_up, scale_up, on }))
}

fn document(file: &Path) -> Result<Document> {
    let (name, text) = if file.as_os_str() == "-" {
        let text = std::io::read_to_string(std::io::stdin());
        ("standard input".to_owned(), text.context("cannot read standard input")?)
    } else {
        let text = std::fs::read_to_string(file).map_err(|error| {
            Told::new(Failure::Invalid, format!("cannot read {}: {error}", file.display()))
        })?;
        (file.display().to_string(), text)
    };
    Ok(Document::new(name, text))
}

impl Assessed<'_> {
    /// The name of the enterprise.
    fn name(&self) -> &str {
        let group = &self.description.group;
        group.members.get(&group.subject).map_or("", |it| &it.name)
    }
}
