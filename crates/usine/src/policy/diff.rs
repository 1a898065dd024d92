//! `usine policy diff`: what another policy says otherwise, and who would notice.

use std::path::PathBuf;

use access::document::Diagnostics;
use access::policy::{Difference, Line, News, Policy, differences};
use anyhow::Result;
use app::decisions::Otherwise;
use serde_json::{Value, json};

use crate::config::{Config, ConfigFile};
use crate::exit::{Failure, Told};
use crate::output::Audience;
use crate::remote::wait;
use crate::{faults, folders, hub};

/// The two policies.
#[derive(clap::Args)]
pub(crate) struct DiffArguments {
    /// The policy to start from, a folder; `built-in` names the one of this program.
    #[arg(value_name = "A")]
    before: PathBuf,
    /// The policy to compare it with.
    #[arg(value_name = "B")]
    after: PathBuf,
    /// Also say which open applications of the factory in this folder B would decide otherwise.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The same for the factory of this configuration file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Compares the two folders.
pub(super) fn run(arguments: &DiffArguments, audience: Audience) -> Result<()> {
    let folder = |path: &PathBuf| (path.as_os_str() != "built-in").then(|| path.clone());
    let before = folders::policy(folder(&arguments.before).as_deref())?;
    let after = folders::policy(folder(&arguments.after).as_deref())?;
    let of_access = |documents: &[access::document::Document]| -> Result<Policy, Diagnostics> {
        let documents: Vec<_> =
            documents.iter().filter(|it| folders::is_access_policy(it)).cloned().collect();
        Policy::parse(&documents)
    };
    let compared = differences(&before, &after)
        .and_then(|found| Ok((found, of_access(&before)?, of_access(&after)?)));
    let (found, before, after) = match compared {
        Ok(compared) => compared,
        Err(faults) => return faults::refuse(&faults, audience),
    };
    let effect = effect(arguments, (&before, &after))?;
    let mut told = json!({ "differences": found.iter().map(as_json).collect::<Vec<_>>() });
    if let (Some((open, otherwise)), Some(fields)) = (&effect, told.as_object_mut()) {
        let otherwise = otherwise.iter().map(otherwise_as_json).collect::<Vec<_>>();
        fields.insert("open_applications".to_owned(), json!(open));
        fields.insert("decided_otherwise".to_owned(), json!(otherwise));
    }
    audience.show(&told, |_| {
        tell(&found);
        if let Some((open, otherwise)) = &effect {
            tell_otherwise(*open, otherwise);
        }
    })
}

/// How many applications are open in the named factory, and which B would decide otherwise.
fn effect(
    arguments: &DiffArguments,
    (before, after): (&Policy, &Policy),
) -> Result<Option<(usize, Vec<Otherwise>)>> {
    if arguments.data.is_none() && arguments.config.is_none() {
        return Ok(None);
    }
    let mut config = Config::load(&ConfigFile { config: arguments.config.clone() })?;
    config.data = arguments.data.clone().unwrap_or(config.data);
    if config.database.is_none() && !config.data.join("hub.db").exists() {
        let message =
            format!("there is no factory in {}; name one with --data", config.data.display());
        return Err(Told::new(Failure::NotFound, message).into());
    }
    wait(async {
        let app = hub::open(&config).await?;
        Ok(Some(app.decided_otherwise(before, after).await?))
    })
}

fn tell_otherwise(open: usize, otherwise: &[Otherwise]) {
    println!("{} of {open} open applications would be decided otherwise", otherwise.len());
    for Otherwise { application, lines } in otherwise {
        let (id, title) = (application.id, &application.draft.title);
        println!("application {id} ({}): {title}", application.state.name());
        for line in lines {
            println!("  {line}");
        }
    }
}

fn otherwise_as_json(otherwise: &Otherwise) -> Value {
    let Otherwise { application, lines } = otherwise;
    json!({
        "application": application.id.to_string(),
        "title": application.draft.title,
        "state": application.state.name(),
        "lines": lines.iter().map(line_as_json).collect::<Vec<_>>(),
    })
}

fn line_as_json(line: &Line) -> Value {
    json!({ "what": line.what, "before": line.before, "after": line.after })
}

fn tell(found: &[Difference]) {
    if found.is_empty() {
        println!("both policies say the same");
    }
    for difference in found {
        println!("{difference}");
        for line in &difference.lines {
            println!("  {line}");
        }
    }
}

fn as_json(difference: &Difference) -> Value {
    let (news, follows) = match &difference.news {
        News::Added => ("added", None),
        News::Removed => ("removed", None),
        News::Changed => ("changed", None),
        News::Follows(from) => ("follows", Some(from)),
    };
    let lines = difference.lines.iter().map(line_as_json);
    json!({
        "file": difference.file,
        "entry": difference.entry,
        "from": difference.from,
        "news": news,
        "follows": follows,
        "lines": lines.collect::<Vec<_>>(),
    })
}
