//! `usine ssh`: to a site by a certificate that lasts an hour.
//!
//! The key is made for this one visit, stays in a folder that only its owner can read, and goes when
//! the visit is over.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use ::site::ssh::Authority;
use anyhow::{Context, Result};
use serde_json::json;

use crate::command::{LIST_MAX, Session};
use crate::exit::{Failure, Told};
use crate::output::{text, when};
use crate::remote::wait;

/// Log in to a site by SSH, with a certificate that lasts an hour.
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["site", "list", "revoke"]))]
pub(crate) struct SshArguments {
    /// The site.
    site: Option<String>,
    /// List your certificates that still last.
    #[arg(long)]
    list: bool,
    /// Revoke the certificate with this number.
    #[arg(long, value_name = "SERIAL")]
    revoke: Option<i64>,
    /// Your login at the site, if it is not that of this machine.
    #[arg(long, short, value_name = "NAME", requires = "site")]
    login: Option<String>,
    /// Keep key and certificate as FILE and FILE-cert.pub and do not log in: for scp, rsync, editors.
    #[arg(long, value_name = "FILE", requires = "site")]
    save: Option<PathBuf>,
    /// More for ssh, after `--`: options, then a command to run there.
    #[arg(last = true, value_name = "SSH ARGUMENTS")]
    rest: Vec<String>,
}

/// Carries out `usine ssh`.
pub(crate) fn run(arguments: &SshArguments, session: &Session) -> Result<()> {
    if arguments.list {
        return list(session);
    }
    if let Some(serial) = arguments.revoke {
        let remote = session.remote()?;
        wait(remote.delete(&format!("/ssh/certificates/{serial}")))?;
        eprintln!("revoked; hosts refuse it once they have fetched the list");
        return Ok(());
    }
    let site = arguments.site.as_deref().unwrap_or_default();
    match &arguments.save {
        Some(file) => {
            let visit = Visit::prepare(session, site, file)?;
            eprintln!("{} lasts until {}", visit.certificate.display(), visit.until);
            println!("ssh -i {} {}", file.display(), visit.host);
            Ok(())
        }
        None => {
            let folder = tempfile::Builder::new().prefix("usine-ssh-").tempdir()?;
            let key = folder.path().join("key");
            let visit = Visit::prepare(session, site, &key)?;
            go(arguments, &key, &visit)
        }
    }
}

fn list(session: &Session) -> Result<()> {
    let remote = session.remote()?;
    let certificates = wait(remote.list("/ssh/certificates", LIST_MAX))?;
    let header = ["serial", "site", "until (UTC)", "revoked (UTC)"];
    session.audience.list(
        &certificates,
        "you have no certificate that still lasts",
        header,
        |one| {
            [
                text(one, "/serial"),
                text(one, "/site"),
                when(one, "/expires_at"),
                when(one, "/revoked_at"),
            ]
        },
    )
}

/// All that `ssh` needs.
struct Visit {
    host: String,
    certificate: PathBuf,
    until: String,
}

impl Visit {
    /// Makes a key in `file` and has it certified.
    fn prepare(session: &Session, site: &str, file: &Path) -> Result<Self> {
        let remote = session.remote()?;
        let (secret, public) = Authority::pair().context("cannot make a key")?;
        let asked = json!({ "site": site, "public_key": public });
        let issued = wait(remote.post("/ssh/certificates", &asked))?;
        private(file, &secret)?;
        let mut name = file.as_os_str().to_owned();
        name.push("-cert.pub");
        let certificate = PathBuf::from(name);
        private(&certificate, &format!("{}\n", text(&issued, "/certificate")))?;
        let until = when(&issued, "/expires_at");
        Ok(Self { host: text(&issued, "/host"), certificate, until })
    }
}

/// Writes a file that only its owner can read.
fn private(file: &Path, content: &str) -> Result<()> {
    let failed = || format!("cannot write {}", file.display());
    match fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(failed);
        }
        _ => {}
    }
    let mut options = fs::OpenOptions::new();
    let mut open =
        options.write(true).create_new(true).mode(0o600).open(file).with_context(failed)?;
    open.write_all(content.as_bytes()).with_context(failed)
}

/// Runs `ssh` to its end and ends as it does.
fn go(arguments: &SshArguments, key: &Path, visit: &Visit) -> Result<()> {
    let mut ssh = Command::new("ssh");
    ssh.arg("-i").arg(key);
    ssh.args(["-o", "IdentitiesOnly=yes"]);
    ssh.arg("-o").arg(format!("CertificateFile={}", visit.certificate.display()));
    if let Some(login) = &arguments.login {
        ssh.args(["-l", login]);
    }
    // Options of ssh come before the host, a command behind it.
    let options = arguments.rest.iter().take_while(|word| word.starts_with('-')).count();
    let (options, command) = arguments.rest.split_at(options);
    ssh.args(options).arg("--").arg(&visit.host).args(command);
    let status = ssh.status().map_err(|error| {
        let message = format!("cannot run ssh: {error}; install OpenSSH's client");
        anyhow::Error::from(Told::new(Failure::Failed, message))
    })?;
    match status.code() {
        Some(0) => Ok(()),
        Some(code) => {
            let passed = Failure::Passed(u8::try_from(code).unwrap_or(u8::MAX));
            let message = match code {
                255 => {
                    "ssh could not log in, or lost the connection; it has said why above".to_owned()
                }
                code => format!("what ran there ended with {code}"),
            };
            Err(Told::new(passed, message).into())
        }
        None => Err(Told::new(Failure::Failed, "ssh was ended by a signal").into()),
    }
}
