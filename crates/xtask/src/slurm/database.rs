//! The database behind slurmdbd.

use anyhow::Result;

use super::daemon::wait_until;
use super::{Cluster, Port, answers, as_user};
use crate::shell;

/// Makes and starts it.
pub(super) fn start(cluster: &Cluster) -> Result<()> {
    let daemon = cluster.daemon("mariadbd");
    let data = cluster.path("database");
    // A server that starts deletes its neighbours' temporary tables from a common folder.
    let temporary = format!("--tmpdir={}", cluster.path("tmp").display());
    if !data.exists() {
        let unfinished = cluster.path("database.new");
        if unfinished.exists() {
            std::fs::remove_dir_all(&unfinished)?;
        }
        std::fs::create_dir(&unfinished)?;
        shell::quiet("chown", shell::command("chown", ["slurm:slurm"]).arg(&unfinished))?;
        let mut install = shell::command("mariadb-install-db", ["--no-defaults", &temporary]);
        install.args(["--user=slurm", "--auth-root-authentication-method=normal"]);
        install.arg("--skip-test-db").arg(format!("--datadir={}", unfinished.display()));
        shell::quiet("mariadb-install-db", &mut install)?;
        std::fs::rename(&unfinished, &data)?;
    }
    let socket = cluster.path("tmp/database.sock").display().to_string();
    if !daemon.is_alive() {
        daemon.start(
            as_user("slurm", "mariadbd")
                .args(["--no-defaults", &temporary])
                .args([
                    format!("--datadir={}", data.display()),
                    format!("--socket={socket}"),
                    format!("--port={}", cluster.port(Port::Database)),
                    format!("--pid-file={}", cluster.path("tmp/database.pid").display()),
                ])
                .arg("--bind-address=127.0.0.1")
                // Small, quick to start, and no safer against a power cut than a test needs.
                .args([
                    "--innodb-buffer-pool-size=128M",
                    "--loose-innodb-buffer-pool-size-max=256M",
                ])
                .args(["--innodb-log-file-size=32M", "--innodb-flush-log-at-trx-commit=2"])
                .args([
                    "--innodb-lock-wait-timeout=900",
                    "--skip-log-bin",
                    "--performance-schema=OFF",
                ]),
        )?;
    }
    let sql = |text: &str| {
        shell::command("mariadb", ["--no-defaults", "-S", &socket, "-u", "root", "-e", text])
    };
    wait_until("mariadbd", 30, || answers(&mut sql("SELECT 1")))?;
    // Only users of this machine reach it, so the account needs no password.
    let grants = "CREATE DATABASE IF NOT EXISTS slurm; \
        CREATE USER IF NOT EXISTS slurm@localhost; GRANT ALL ON slurm.* TO slurm@localhost; \
        CREATE USER IF NOT EXISTS slurm@'127.0.0.1'; GRANT ALL ON slurm.* TO slurm@'127.0.0.1'";
    shell::quiet("mariadb", &mut sql(grants)).map(drop)
}
