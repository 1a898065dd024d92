//! Projects and allocations as Slurm's commands name them: `--account`.

use anyhow::{Result, bail};
use serde_json::Value;

use super::job::Job;
use crate::command::{LIST_MAX, segment};
use crate::output::text;
use crate::remote::Remote;

/// The variables that name an account where no option does.
const VARIABLES: [&str; 2] = ["USINE_ACCOUNT", "SBATCH_ACCOUNT"];

/// Whose hours a job uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) project: String,
    /// The allocation, where one was named.
    pub(super) allocation: Option<String>,
}

/// A project by the two names that it goes by.
#[derive(Clone, Debug)]
struct Project {
    id: String,
    /// Its title in small letters, digits and dashes.
    name: String,
}

/// The projects that somebody has.
#[derive(Clone, Debug)]
pub(super) struct Projects(Vec<Project>);

impl Projects {
    pub(super) async fn ask(remote: &Remote) -> Result<Self> {
        let all = remote.list("/projects?limit=200", LIST_MAX).await?;
        let project =
            |value: &Value| Project { id: text(value, "/id"), name: name(&text(value, "/title")) };
        Ok(Self(all.iter().map(project).collect()))
    }

    /// Writes the names of projects in the place of their ids, where a name means one only.
    pub(super) fn name(&self, jobs: &mut [Job]) {
        for job in jobs {
            if let Some(project) = self.0.iter().find(|project| project.id == job.project)
                && self.0.iter().filter(|other| other.name == project.name).count() == 1
            {
                job.project = project.name.clone();
            }
        }
    }

    /// The account that `named` means, or the only one there is.
    ///
    /// # Errors
    /// When there is none, or it is not clear which.
    pub(super) async fn account(&self, named: Option<&str>, remote: &Remote) -> Result<Account> {
        let variable = VARIABLES.iter().find_map(|name| std::env::var(name).ok());
        let named = named.map(str::to_owned).or(variable).filter(|named| !named.is_empty());
        let Some(named) = named else {
            return match self.0.as_slice() {
                [only] => Ok(Account { project: only.id.clone(), allocation: None }),
                [] => bail!("you have no project whose hours a job could use"),
                several => bail!(
                    "you have several projects; name one with --account: {}",
                    several.iter().map(|it| it.name.as_str()).collect::<Vec<_>>().join(", ")
                ),
            };
        };
        let meant = |project: &&Project| project.id == named || project.name == name(&named);
        match self.0.iter().filter(meant).collect::<Vec<_>>().as_slice() {
            [only] => return Ok(Account { project: only.id.clone(), allocation: None }),
            [] => {}
            _ => bail!("several projects are called {named}; use the id of one as --account"),
        }
        for project in &self.0 {
            if allocations(&project.id, remote).await?.iter().any(|it| text(it, "/id") == named) {
                let project = project.id.clone();
                return Ok(Account { project, allocation: Some(named) });
            }
        }
        bail!("Invalid account or account/partition combination specified: {named}")
    }
}

/// The allocation of a project whose hours are of `partition`, if there is one.
pub(super) async fn on_partition(
    project: &str,
    partition: &str,
    remote: &Remote,
) -> Result<Option<String>> {
    let all = allocations(project, remote).await?;
    let found = all.iter().find(|it| text(it, "/partition") == partition);
    Ok(found.map(|it| text(it, "/id")))
}

async fn allocations(project: &str, remote: &Remote) -> Result<Vec<Value>> {
    let path = format!("/projects/{}/allocations?limit=200", segment(project));
    remote.list(&path, LIST_MAX).await
}

/// A title as the name of an account: small letters and digits, dashes for all else.
fn name(title: &str) -> String {
    let mut name = String::new();
    for mark in title.to_lowercase().chars() {
        if mark.is_alphanumeric() {
            name.push(mark);
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    name.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_becomes_a_name_without_blanks() {
        assert_eq!(name("A small model, of our own!"), "a-small-model-of-our-own");
        assert_eq!(name("  Élan 2 "), "élan-2");
    }
}
