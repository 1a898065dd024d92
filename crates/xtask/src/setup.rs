//! What the tests need beyond Rust: installed once, from the distribution's, Python's and Node's
//! own registries, into `target/tools` where it is not part of the system.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::shell;

/// Where Debian keeps PostgreSQL's server programs.
const POSTGRES_FOLDERS: &[&str] =
    &["/usr/lib/postgresql/17/bin", "/usr/lib/postgresql/16/bin", "/usr/lib/postgresql/15/bin"];

/// The Python that comes first on the path.
const PYTHON: &str = "python3";
/// The distribution's, which is nobody's own.
const SYSTEM_PYTHON: &str = "/usr/bin/python3";

/// The tools the tests run.
pub(crate) struct Tools {
    /// The folder of `initdb` and `pg_ctl`.
    pub(crate) postgres: PathBuf,
    /// A Python with `schemathesis`.
    pub(crate) python: PathBuf,
    /// A Python with `transformers` and `torch`.
    pub(crate) python_transformers: PathBuf,
    /// A Python with `submitit`.
    pub(crate) python_submitit: PathBuf,
    /// A Python with the clients of the Hugging Face Hub.
    pub(crate) python_hf: PathBuf,
    /// A Python with a mail server and a library for webhooks.
    pub(crate) python_post: PathBuf,
    /// A browser.
    pub(crate) chromium: PathBuf,
    /// The server of OpenSSH.
    pub(crate) sshd: PathBuf,
    /// The folder of the OpenID providers.
    pub(crate) oidc: PathBuf,
}

impl Tools {
    /// Installs what is missing. What is there already costs a fraction of a second.
    pub(crate) fn install() -> Result<Self> {
        nextest()?;
        let postgres = postgres()?;
        let chromium = debian("chromium", &[], &["chromium"])?;
        debian("node", &[], &["nodejs", "npm"])?;
        let sshd = debian("sshd", &["/usr/sbin"], &["openssh-client", "openssh-server"])?;
        packages("tests/portal")?;
        Ok(Self {
            postgres,
            python: schemathesis()?,
            python_transformers: transformers()?,
            python_submitit: submitit()?,
            python_hf: environment(PYTHON, "hf", "tests/hf/requirements.txt")?,
            python_post: environment(PYTHON, "post", "tests/post/requirements.txt")?,
            chromium,
            sshd,
            oidc: packages("tests/oidc")?,
        })
    }

    /// What the tests read, as environment variables.
    pub(crate) fn environment(&self) -> [(&'static str, &Path); 8] {
        [
            ("USINE_TEST_SCHEMATHESIS", &self.python),
            ("USINE_TEST_PYTHON", &self.python_transformers),
            ("USINE_TEST_SUBMITIT", &self.python_submitit),
            ("USINE_TEST_HF", &self.python_hf),
            ("USINE_TEST_POST", &self.python_post),
            ("USINE_TEST_CHROMIUM", &self.chromium),
            ("USINE_TEST_SSHD", &self.sshd),
            ("USINE_TEST_OIDC", &self.oidc),
        ]
    }
}

/// Prints where everything is.
pub(crate) fn describe(tools: &Tools) {
    println!("PostgreSQL:   {}", tools.postgres.display());
    println!("Chromium:     {}", tools.chromium.display());
    println!("sshd:         {}", tools.sshd.display());
    println!("oidc:         {}", tools.oidc.display());
    println!("schemathesis: {}", tools.python.display());
    println!("transformers: {}", tools.python_transformers.display());
    println!("submitit:     {}", tools.python_submitit.display());
    println!("hf:           {}", tools.python_hf.display());
    println!("post:         {}", tools.python_post.display());
}

/// The test runner.
fn nextest() -> Result<()> {
    if shell::cargo(["nextest", "--version"]).output().is_ok_and(|out| out.status.success()) {
        return Ok(());
    }
    shell::step(
        "install cargo-nextest (some minutes)",
        &mut shell::cargo(["install", "cargo-nextest", "--locked"]),
    )
}

/// The folder of PostgreSQL's server programs.
pub(crate) fn postgres() -> Result<PathBuf> {
    let initdb = debian("initdb", POSTGRES_FOLDERS, &["postgresql"])?;
    // A launcher elsewhere on the path may link into the folder that has them all.
    let initdb = initdb.canonicalize()?;
    initdb.parent().map(Path::to_owned).context("initdb has no folder")
}

/// A program of the distribution, installed with its packages where it is missing.
fn debian(program: &str, folders: &[&str], packages: &[&str]) -> Result<PathBuf> {
    if let Some(found) = shell::find(program, folders) {
        return Ok(found);
    }
    apt(packages).with_context(|| format!("the tests need `{program}`"))?;
    shell::find(program, folders)
        .with_context(|| format!("`{program}` is missing after installing {packages:?}"))
}

/// Says no to all that packages would start by themselves.
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Installs packages of the distribution; none of their daemons is started.
pub(crate) fn apt(packages: &[&str]) -> Result<()> {
    let wanted = packages.join(" ");
    if !shell::is_root() {
        bail!("install it first: sudo apt-get install {wanted}");
    }
    let policy = Path::new(POLICY);
    let ours = !policy.exists();
    if ours {
        std::fs::write(policy, "#!/bin/sh\nexit 101\n")?;
        std::fs::set_permissions(policy, Permissions::from_mode(0o755))?;
    }
    let done = fetched(packages, &wanted);
    if ours {
        std::fs::remove_file(policy)?;
    }
    done
}

fn fetched(packages: &[&str], wanted: &str) -> Result<()> {
    shell::quiet("apt-get update", &mut shell::command("apt-get", ["update", "-qq"]))?;
    shell::step(
        &format!("install {wanted}"),
        shell::command("apt-get", ["install", "-y", "-qq", "--no-install-recommends"])
            .args(packages)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdout(std::process::Stdio::null()),
    )
}

/// The pinned packages of Node that tests in a folder need; the folder.
fn packages(name: &str) -> Result<PathBuf> {
    let folder = crate::root().join(name);
    let lock = folder.join("package-lock.json");
    let installed = folder.join("node_modules/.package-lock.json");
    if !newer(&installed, &lock) {
        shell::step(
            &format!("install the packages of {name}"),
            shell::command("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"])
                .current_dir(&folder),
        )?;
    }
    Ok(folder)
}

/// A Python environment with the API tester.
fn schemathesis() -> Result<PathBuf> {
    environment(PYTHON, "schemathesis", "tests/api/requirements.txt")
}

/// A Python environment with a simulator to measure ours against.
pub(crate) fn accasim() -> Result<PathBuf> {
    environment(PYTHON, "accasim", "tests/twin/requirements.txt")
}

/// A Python environment with the optimiser that assignments are measured against.
pub(crate) fn ortools() -> Result<PathBuf> {
    environment(PYTHON, "ortools", "tests/review/requirements.txt")
}

/// A Python environment that every user of this machine may run, with `submitit`.
fn submitit() -> Result<PathBuf> {
    let has_venv = shell::command(SYSTEM_PYTHON, ["-c", "import ensurepip"]).output();
    if !has_venv.is_ok_and(|output| output.status.success()) {
        apt(&["python3", "python3-venv"])?;
    }
    environment(SYSTEM_PYTHON, "submitit", "tests/slurm/requirements.txt")
}

/// A Python environment with what a file of requirements names; its Python.
fn environment(interpreter: &str, name: &str, requirements: &str) -> Result<PathBuf> {
    let environment = tools().join(name);
    let python = environment.join("bin/python");
    let wanted = crate::root().join(requirements);
    let done = environment.join("installed");
    if newer(&done, &wanted) {
        return Ok(python);
    }
    let path = environment.display().to_string();
    shell::step(
        "make a Python environment",
        &mut shell::command(interpreter, ["-m", "venv", "--clear", &path]),
    )?;
    shell::step(
        &format!("install {name}"),
        shell::command(&python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            .arg("-r")
            .arg(&wanted),
    )?;
    std::fs::write(done, "")?;
    Ok(python)
}

/// A Python environment with `torch` and `transformers`.
fn transformers() -> Result<PathBuf> {
    let environment = tools().join("transformers");
    let script = crate::root().join("tests/lm/install.sh");
    shell::step("install transformers", shell::command("bash", [&script]).arg(&environment))?;
    Ok(environment.join("bin/python"))
}

/// Whether `made` exists and is not older than `source`.
fn newer(made: &Path, source: &Path) -> bool {
    let time = |path: &Path| path.metadata().and_then(|entry| entry.modified());
    matches!((time(made), time(source)), (Ok(made), Ok(source)) if made >= source)
}

fn tools() -> PathBuf {
    crate::root().join("target/tools")
}
