//! What `sshd` of a site asks and needs to let people in by the hub's certificates.

use std::fs;
use std::path::Path;

use ::site::agent::{Logins, Persons, Rule};
use ::site::ssh::{Gate, addresses};
use anyhow::{Context, Result};
use serde::Deserialize;

use super::config::{AgentConfig, invalid};
use crate::exit::{Failure, Told};

/// Prints the principals that may become `login`; prints nothing when none may.
pub(super) fn principals(config: &AgentConfig, login: &str, certificate: &str) -> Result<()> {
    let Persons::Known(mut logins) = config.settings()?.persons else {
        let text = "`[slurm.persons]` is missing: it says who has which login here";
        return Err(invalid(text.to_owned()));
    };
    if let Some(rule) = logins.rule.clone() {
        let refused = |refusal| Told::new(Failure::Refused, format!("{login}: {refusal}"));
        let shown = addresses(&config.site, certificate).map_err(refused)?;
        let found = crate::remote::wait(found(&rule, &logins, shown))?;
        logins.by_email.extend(found);
    }
    let gate = Gate { site: &config.site, logins: &logins, names: config.ssh_hosts()? };
    let principals = gate.principals(login, certificate).map_err(|refusal| {
        anyhow::Error::from(Told::new(Failure::Refused, format!("{login}: {refusal}")))
    })?;
    for principal in principals {
        println!("{principal}");
    }
    Ok(())
}

/// The logins of these addresses by the rule. A login that the table gives to somebody is nobody
/// else's.
async fn found(
    rule: &Rule,
    table: &Logins,
    addresses: Vec<String>,
) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for address in addresses {
        if table.by_email.contains_key(&address) {
            continue;
        }
        let login = rule.find(&address).await?.map(|login| login.to_string());
        let free = login.filter(|login| table.by_email.values().all(|theirs| theirs != login));
        found.extend(free.map(|login| (address, login)));
    }
    Ok(found)
}

/// The answer of the hub about its authority.
#[derive(Deserialize)]
struct AuthorityAnswer {
    public_key: String,
}

/// Writes the key of the hub's authority and the list of revoked keys into `folder`.
pub(super) fn trust(config: &AgentConfig, folder: &Path) -> Result<()> {
    let client = config.client()?;
    let (authority, revoked) = crate::remote::wait(async {
        let authority = client.get::<AuthorityAnswer>("/ssh/authority").await?;
        let mut download = client.download("/ssh/revoked", 0).await?;
        let mut revoked = Vec::new();
        while let Some(bytes) = download.chunk().await? {
            revoked.extend_from_slice(&bytes);
        }
        anyhow::Ok((authority, String::from_utf8(revoked)?))
    })?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    put(&folder.join("authority.pub"), &format!("{}\n", authority.public_key))?;
    put(&folder.join("revoked"), &revoked)?;
    println!("{}: {} keys are revoked", folder.display(), revoked.lines().count());
    Ok(())
}

/// Puts a whole file in the place of another: `sshd` may read it at any moment.
fn put(file: &Path, content: &str) -> Result<()> {
    let new = file.with_extension("new");
    fs::write(&new, content)
        .and_then(|()| fs::rename(&new, file))
        .with_context(|| format!("cannot write {}", file.display()))
}
