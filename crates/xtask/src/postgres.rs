//! A PostgreSQL server of its own for a run of tests or a benchmark.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::shell;

/// A server on loopback with a database folder of its own; stopped when dropped.
pub(crate) struct Server {
    tools: PathBuf,
    data: PathBuf,
    port: u16,
    /// Deleted after the server has stopped.
    _folder: tempfile::TempDir,
}

impl Server {
    /// Starts a server with the programs in `tools`.
    pub(crate) fn start(tools: &Path) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("usine-pg").tempdir()?;
        let data = folder.path().join("data");
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777))?;
        let port = free_port()?;
        let server = Self { tools: tools.to_owned(), data, port, _folder: folder };
        let data = server.data.display().to_string();
        shell::quiet(
            "initdb",
            server
                .run("initdb")
                .args(["-D", &data, "-U", "usine", "-A", "trust", "--no-sync"])
                .args(["-E", "UTF8", "--locale=C.UTF-8"]),
        )?;
        // Crash safety of the machine is not what these tests are about; speed is.
        let options = format!(
            "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off \
             -c max_connections=200"
        );
        let log = server.data.with_extension("log").display().to_string();
        shell::step(
            "start PostgreSQL",
            server.run("pg_ctl").args(["-D", &data, "-l", &log, "-w", "-o", &options, "start"]),
        )
        .with_context(|| format!("its log is {log}"))?;
        Ok(server)
    }

    /// Its URL, without a database.
    pub(crate) fn url(&self) -> String {
        format!("postgres://usine@127.0.0.1:{}", self.port)
    }

    /// One of its programs; PostgreSQL refuses to run as root, so root hands it to nobody.
    fn run(&self, program: &str) -> Command {
        let program = self.tools.join(program).display().to_string();
        if shell::is_root() {
            let drop = ["--reuid", "nobody", "--regid", "nogroup", "--clear-groups"];
            let mut command = shell::command("setpriv", drop);
            command.arg(program).current_dir("/");
            command
        } else {
            shell::command(program, [""; 0])
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let data = self.data.display().to_string();
        let stop = shell::quiet(
            "stop PostgreSQL",
            self.run("pg_ctl").args(["-D", &data, "-m", "immediate", "-w", "stop"]),
        );
        if let Err(error) = stop {
            eprintln!("{error:#}");
        }
    }
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
