//! What a cluster needs of the distribution, and of this machine.

use std::fs::Permissions;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result};

use crate::{setup, shell};

const PACKAGES: &[&str] = &[
    "mariadb-client-core",
    "mariadb-server-core",
    "munge",
    "slurm-client",
    "slurm-wlm-basic-plugins",
    "slurm-wlm-jwt-plugin",
    "slurm-wlm-mysql-plugin",
    "slurmctld",
    "slurmd",
    "slurmdbd",
    "slurmrestd",
];

/// Installs the packages that are missing.
pub(super) fn packages() -> Result<()> {
    let status = ["-W", "-f", "${db:Status-Status} ${Package}\n"];
    let known = shell::command("dpkg-query", status).args(PACKAGES).output()?;
    let known = String::from_utf8_lossy(&known.stdout).into_owned();
    let installed = |name: &str| known.lines().any(|line| line == format!("installed {name}"));
    let missing: Vec<&str> = PACKAGES.iter().copied().filter(|name| !installed(name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    setup::apt(&missing).context("a cluster of Slurm needs these packages")
}

/// Makes the users of daemons and of tests that are not there.
pub(super) fn users(people: &[String]) -> Result<()> {
    let make = |name: &str, how: &[&str]| {
        if shell::quiet("id", &mut shell::command("id", ["-u", name])).is_ok() {
            return Ok(());
        }
        shell::quiet("useradd", shell::command("useradd", how).arg(name)).map(drop)
    };
    for daemon in ["slurm", "munge"] {
        make(daemon, &["--system", "--user-group", "--shell", "/usr/sbin/nologin"])?;
    }
    people.iter().try_for_each(|name| make(name, &["--no-create-home", "--home-dir", "/"]))
}

/// Writes a new secret that `user` alone may read.
pub(super) fn secret(path: &Path, user: &str) -> Result<()> {
    let mut bytes = [0; 64];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    std::fs::write(path, "")?;
    std::fs::set_permissions(path, Permissions::from_mode(0o600))?;
    std::fs::write(path, bytes)?;
    let owner = format!("{user}:{user}");
    shell::quiet("chown", shell::command("chown", [&owner]).arg(path)).map(drop)
}
