//! Running other programs, with errors that say which and how.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// A command that runs in the workspace's folder.
pub(crate) fn command<S: AsRef<OsStr>>(
    program: impl AsRef<OsStr>,
    arguments: impl IntoIterator<Item = S>,
) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(crate::root()).stdin(Stdio::null());
    command
}

/// `cargo`, the one that runs this.
pub(crate) fn cargo<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()), arguments)
}

/// Runs a step to its end, saying what it does and how long it took.
pub(crate) fn step(what: &str, command: &mut Command) -> Result<()> {
    println!("==> {what}");
    let begun = Instant::now();
    let status =
        command.status().with_context(|| format!("{what}: cannot start {}", program(command)))?;
    if !status.success() {
        bail!("{what} failed ({status}): {}", line(command));
    }
    println!("    {what}: {:.1} s", begun.elapsed().as_secs_f64());
    Ok(())
}

/// Runs a command quietly; its output appears only when it fails.
pub(crate) fn quiet(what: &str, command: &mut Command) -> Result<String> {
    let output =
        command.output().with_context(|| format!("{what}: cannot start {}", program(command)))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        bail!(
            "{what} failed ({}): {}\n{text}{}",
            output.status,
            line(command),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(text)
}

/// Where a program stands on the search path, or in one of `more`.
pub(crate) fn find(program: &str, more: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(more.iter().map(PathBuf::from))
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
}

/// Whether this process may install packages.
pub(crate) fn is_root() -> bool {
    // The owner of a process's own entry is its effective user.
    use std::os::unix::fs::MetadataExt;
    Path::new("/proc/self").metadata().is_ok_and(|entry| entry.uid() == 0)
}

fn program(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

fn line(command: &Command) -> String {
    let arguments = command.get_args().map(|argument| argument.to_string_lossy().into_owned());
    std::iter::once(program(command)).chain(arguments).collect::<Vec<_>>().join(" ")
}
