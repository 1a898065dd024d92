//! Federation and policy: the folders that are built in, or those that the operator names.

use std::path::Path;

use access::document::Document;
use access::policy::Policy;
use anyhow::{Context, Result};
use app::federation::Rules;
use include_dir::{Dir, include_dir};
use units::Timestamp;

use crate::config::Config;
use crate::exit::{Failure, Told};

static FEDERATION: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../federation");
static POLICY: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../policy");

/// The documents of a federation: of `folder`, or the built-in ones.
pub(crate) fn federation(folder: Option<&Path>) -> Result<Vec<Document>> {
    documents(folder, &FEDERATION, "federation")
}

/// The documents of a policy: of `folder`, or the built-in ones.
pub(crate) fn policy(folder: Option<&Path>) -> Result<Vec<Document>> {
    documents(folder, &POLICY, "policy")
}

/// The part of a policy that decides about access.
pub(crate) fn access_policy(folder: Option<&Path>) -> Result<Vec<Document>> {
    let mut documents = policy(folder)?;
    documents.retain(|document| {
        let name = document.name.rsplit('/').next().unwrap_or_default();
        Policy::FILES.contains(&name)
    });
    Ok(documents)
}

/// Federation and policy of a configuration, checked.
pub(crate) fn rules(config: &Config, now: Timestamp) -> Result<Rules> {
    let served = config.site.serves.parse().map_err(|error| {
        Told::new(Failure::Invalid, format!("site.serves in the configuration: {error}"))
    })?;
    let federation = federation(config.federation.as_deref())?;
    let policy = access_policy(config.policy.as_deref())?;
    let rules = Rules::read(&federation, &policy, vec![served], now);
    rules.map_err(|faults| Told::new(Failure::Invalid, faults.to_string()).into())
}

fn documents(folder: Option<&Path>, built_in: &Dir<'_>, name: &str) -> Result<Vec<Document>> {
    let mut documents = match folder {
        Some(folder) => read(folder)?,
        None => {
            let toml = |file: &&include_dir::File<'_>| is_toml(file.path());
            let document = |file: &include_dir::File<'_>| {
                let text = file.contents_utf8().context("a built-in file is not text")?;
                Ok(Document::new(format!("{name}/{}", file.path().display()), text))
            };
            built_in.files().filter(toml).map(document).collect::<Result<Vec<_>>>()?
        }
    };
    documents.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(documents)
}

fn read(folder: &Path) -> Result<Vec<Document>> {
    let unreadable = || format!("cannot read the folder {}", folder.display());
    let mut documents = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(unreadable)? {
        let path = entry.with_context(unreadable)?.path();
        if is_toml(&path) {
            let text = std::fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            documents.push(Document::new(path.display().to_string(), text));
        }
    }
    if documents.is_empty() {
        let message = format!("{} holds no .toml file", folder.display());
        return Err(Told::new(Failure::Invalid, message).into());
    }
    Ok(documents)
}

fn is_toml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "toml")
}
