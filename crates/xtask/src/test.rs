//! All tests, with the real parts they need.

use anyhow::Result;

use crate::slurm::Cluster;
use crate::{postgres::Server, setup::Tools, shell};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Test only this crate; may be given several times.
    #[arg(short, long)]
    package: Vec<String>,
    /// Handed on to the test runner, for example a test's name or `-E` and a filter.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    runner: Vec<String>,
}

/// The crates with tests that need a real Slurm.
const SLURM_TESTS: [&str; 2] = ["engine", "usine"];
/// How many jobs the trial with real parts has among the tests; `cargo xtask trial` has more.
const TRIAL_JOBS: &str = "40";

impl Arguments {
    /// Whether tests of a crate may be run.
    fn reaches(&self, package: &str) -> bool {
        self.package.is_empty() || self.package.iter().any(|name| name == package)
    }
}

/// One test more than there are cores: some always wait for a cluster, a browser or a disk.
fn threads() -> usize {
    std::thread::available_parallelism().map_or(2, std::num::NonZero::get) + 1
}

/// Runs them; the last lines are the runner's summary.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let tools = Tools::install()?;
    if arguments.package.is_empty() && arguments.runner.is_empty() {
        let doctests = ["test", "--doc", "-q", "-p", "units", "-p", "ledger", "-p", "sched"];
        shell::step("examples in the documentation", &mut shell::cargo(doctests))?;
    }
    let server = Server::start(&tools.postgres)?;
    let wants_cluster = SLURM_TESTS.iter().any(|package| arguments.reaches(package));
    let cluster = wants_cluster.then(Cluster::for_tests).transpose()?.flatten();
    let mut command = shell::cargo(["nextest", "run"]);
    if arguments.package.is_empty() {
        command.arg("--workspace");
    }
    for package in &arguments.package {
        command.args(["--package", package]);
    }
    if arguments.reaches("usine") {
        command.args(["--features", "usine/e2e"]);
    }
    command
        .args(&arguments.runner)
        .envs(tools.environment())
        .env("NEXTEST_TEST_THREADS", threads().to_string())
        .env("USINE_TEST_POSTGRES", server.url());
    if let Some(cluster) = &cluster {
        command.envs(cluster.environment()?).env("USINE_TRIAL_JOBS", TRIAL_JOBS);
    }
    println!("==> tests, on SQLite and PostgreSQL");
    let status = command.status()?;
    drop(server);
    if let Some(cluster) = cluster {
        cluster.down(true)?;
    }
    std::process::exit(status.code().unwrap_or(1));
}
