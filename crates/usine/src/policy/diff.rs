//! `usine policy diff`: what another policy says otherwise.

use std::path::PathBuf;

use access::document::Diagnostics;
use access::policy::{Difference, News, Policy, differences};
use anyhow::Result;
use serde_json::{Value, json};

use crate::output::Audience;
use crate::{faults, folders};

/// The two policies.
#[derive(clap::Args)]
pub(crate) struct DiffArguments {
    /// The policy to start from, a folder; `built-in` names the one of this program.
    #[arg(value_name = "A")]
    before: PathBuf,
    /// The policy to compare it with.
    #[arg(value_name = "B")]
    after: PathBuf,
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
    let compared = differences(&before, &after).and_then(|found| {
        of_access(&before)?;
        of_access(&after)?;
        Ok(found)
    });
    match compared {
        Ok(found) => {
            let told = json!({ "differences": found.iter().map(as_json).collect::<Vec<_>>() });
            audience.show(&told, |_| tell(&found))
        }
        Err(faults) => faults::refuse(&faults, audience),
    }
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
    let lines = difference
        .lines
        .iter()
        .map(|line| json!({ "what": line.what, "before": line.before, "after": line.after }));
    json!({
        "file": difference.file,
        "entry": difference.entry,
        "from": difference.from,
        "news": news,
        "follows": follows,
        "lines": lines.collect::<Vec<_>>(),
    })
}
