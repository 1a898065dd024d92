//! The rules of the house that the compiler does not know: which crate may use which, which may
//! reach the outside, how long a file may be, that every decision is linked, and that no two schemas
//! of the API's document share a name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::shell;

/// The crates in order: each may use only what stands before it (see ARCHITECTURE.md).
const ORDER: &[&str] = &[
    "units", "ledger", "access", "jobs", "sched", "twin", "engine", "vault", "lm", "site", "store",
    "app", "web", "sim", "usine", "xtask",
];

/// Crates of rules: no runtime, no clock, no randomness, no database, no network.
const PURE: &[&str] = &["units", "ledger", "access", "jobs", "sched"];

/// What the crates of rules may not reach, directly or through another. `getrandom` is not among
/// them: the ids' crate brings it once any crate of the workspace mints ids.
const IMPURE: &[&str] = &["tokio", "rand", "sea-orm", "sqlx", "axum", "reqwest", "object_store"];

/// Crates with one owner.
const OWNED: &[(&str, &[&str])] = &[
    ("sea-orm", &["store"]),
    ("sea-orm-migration", &["store"]),
    ("axum", &["web", "sim"]),
    ("askama", &["web"]),
    ("anyhow", &["sim", "usine", "xtask"]),
    ("clap", &["sim", "usine", "xtask"]),
];

/// The longest a source file may be, tests aside, in lines.
const LINES_MAX: usize = 500;

/// Checks them all and reports every breach at once.
pub(crate) fn run() -> Result<()> {
    println!("==> rules of the house");
    let metadata = shell::quiet(
        "cargo metadata",
        &mut shell::cargo(["metadata", "--format-version", "1", "--all-features"]),
    )?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let mut breaches = order(&metadata)?;
    breaches.extend(purity(&metadata)?);
    breaches.extend(lengths(&crate::root().join("crates"))?);
    breaches.extend(unlinked_decisions()?);
    breaches.extend(schemas_of_one_name(&crate::root().join("crates/web/src"))?);
    if breaches.is_empty() {
        return Ok(());
    }
    bail!("the rules of the house are broken:\n  {}", breaches.join("\n  "))
}

/// A workspace crate and its normal dependencies by name.
fn members(metadata: &Value) -> Result<BTreeMap<&str, Vec<&str>>> {
    let packages = metadata["packages"].as_array().context("no packages")?;
    let mut members = BTreeMap::new();
    for package in packages.iter().filter(|package| package["source"].is_null()) {
        let name = package["name"].as_str().context("a package without name")?;
        let dependencies = package["dependencies"].as_array().context("no dependencies")?;
        let normal = dependencies
            .iter()
            .filter(|dependency| dependency["kind"].is_null())
            .filter_map(|dependency| dependency["name"].as_str());
        members.insert(name, normal.collect());
    }
    Ok(members)
}

/// Crates that use what stands after them, or what belongs to another.
fn order(metadata: &Value) -> Result<Vec<String>> {
    let place = |name: &str| ORDER.iter().position(|known| *known == name);
    let mut breaches = Vec::new();
    for (name, dependencies) in members(metadata)? {
        let Some(own) = place(name) else {
            breaches.push(format!("{name} has no place in the order of crates"));
            continue;
        };
        for dependency in dependencies {
            if place(dependency).is_some_and(|other| other >= own) {
                breaches.push(format!("{name} uses {dependency}, which stands after it"));
            }
            let owner = OWNED.iter().find(|(owned, _)| *owned == dependency);
            if owner.is_some_and(|(_, owners)| !owners.contains(&name)) {
                breaches.push(format!("{name} uses {dependency}, which is not its business"));
            }
        }
    }
    Ok(breaches)
}

/// Crates of rules that reach the outside, through however many others.
fn purity(metadata: &Value) -> Result<Vec<String>> {
    let nodes = metadata.pointer("/resolve/nodes").and_then(Value::as_array);
    let nodes = nodes.context("no resolved graph")?;
    let mut graph: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for node in nodes {
        let id = node["id"].as_str().context("a node without id")?;
        let normal = node["deps"].as_array().context("a node without dependencies")?.iter();
        let normal = normal.filter(|dependency| {
            dependency["dep_kinds"]
                .as_array()
                .is_some_and(|kinds| kinds.iter().any(|kind| kind["kind"].is_null()))
        });
        graph.insert(id, normal.filter_map(|dependency| dependency["pkg"].as_str()).collect());
    }
    let packages = metadata["packages"].as_array().context("no packages")?;
    let names: BTreeMap<&str, &str> = packages
        .iter()
        .filter_map(|package| Some((package["id"].as_str()?, package["name"].as_str()?)))
        .collect();
    let mut breaches = Vec::new();
    for pure in PURE {
        let start = packages
            .iter()
            .find(|package| package["source"].is_null() && package["name"] == *pure)
            .and_then(|package| package["id"].as_str())
            .with_context(|| format!("{pure} is not in the workspace"))?;
        let (mut seen, mut waiting) = (vec![start], vec![start]);
        while let Some(id) = waiting.pop() {
            for next in graph.get(id).into_iter().flatten() {
                if !seen.contains(next) {
                    seen.push(next);
                    waiting.push(next);
                }
            }
        }
        let reached = seen.iter().filter_map(|id| names.get(id)).filter(|n| IMPURE.contains(n));
        breaches.extend(reached.map(|name| format!("{pure} reaches {name}; rules are pure")));
    }
    Ok(breaches)
}

/// Source files that hold more than one idea, by their length.
fn lengths(folder: &Path) -> Result<Vec<String>> {
    let mut breaches = Vec::new();
    for path in files(folder, "rs")? {
        let is_test = path.components().any(|part| part.as_os_str() == "tests")
            || path.file_stem().is_some_and(|stem| stem == "tests");
        let lines = std::fs::read_to_string(&path)?.lines().count();
        if lines > LINES_MAX && !is_test {
            breaches.push(format!("{} has {lines} lines; {LINES_MAX} are enough", path.display()));
        }
    }
    Ok(breaches)
}

/// Types whose schemas have one name: in the document the later would take the place of the other.
fn schemas_of_one_name(folder: &Path) -> Result<Vec<String>> {
    let mut seen: BTreeMap<String, PathBuf> = BTreeMap::new();
    let mut breaches = Vec::new();
    for path in files(folder, "rs")? {
        for name in schemas(&std::fs::read_to_string(&path)?) {
            if let Some(other) = seen.insert(name.clone(), path.clone()) {
                let (one, two) = (other.display(), path.display());
                breaches.push(format!("{one} and {two} both have a schema named {name}"));
            }
        }
    }
    Ok(breaches)
}

/// The names of the schemas that a source file declares.
fn schemas(source: &str) -> Vec<String> {
    let mut names = Vec::new();
    let (mut derived, mut renamed) = (false, None);
    for line in source.lines().map(str::trim_start) {
        derived |= line.starts_with("#[derive(") && line.contains("ToSchema");
        if let Some(rest) = line.strip_prefix("#[schema(as = ") {
            renamed = rest.split([')', ',']).next().map(str::to_owned);
        }
        let line =
            line.strip_prefix("pub(crate) ").or(line.strip_prefix("pub(super) ")).unwrap_or(line);
        let declared = line.strip_prefix("struct ").or_else(|| line.strip_prefix("enum "));
        if let Some(declared) = declared {
            let named = |c: char| !(c.is_alphanumeric() || c == '_');
            let name = declared.split(named).next().unwrap_or_default();
            if derived {
                names.push(renamed.take().unwrap_or_else(|| name.to_owned()));
            }
            (derived, renamed) = (false, None);
        }
    }
    names
}

/// Decisions that the index does not name.
fn unlinked_decisions() -> Result<Vec<String>> {
    let folder = crate::root().join("docs/decisions");
    let index = std::fs::read_to_string(folder.join("README.md"))?;
    let unlinked = files(&folder, "md")?
        .into_iter()
        .filter_map(|path| path.file_name().map(|name| name.to_string_lossy().into_owned()))
        .filter(|name| name != "README.md" && !index.contains(&format!("({name})")))
        .map(|name| format!("docs/decisions/README.md does not link {name}"));
    Ok(unlinked.collect())
}

/// Every file below `folder` with this ending.
fn files(folder: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in folder.read_dir().with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path, ending)?);
        } else if path.extension().is_some_and(|extension| extension == ending) {
            found.push(path);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemas_go_by_the_name_of_their_type_or_the_one_they_are_given() {
        let source = "#[derive(Serialize, ToSchema)]\n#[serde(untagged)]\npub(super) struct \
                      Line<T> {\n#[derive(Serialize)]\nstruct Plain;\n#[derive(ToSchema)]\n\
                      #[schema(as = Problem)]\nenum Told {";
        assert_eq!(schemas(source), ["Line", "Problem"]);
    }
}
