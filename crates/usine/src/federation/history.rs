//! `usine federation history`: a factory's load as the hub has seen it, for the digital twin.

use std::path::PathBuf;

use anyhow::Result;
use serde_json::json;

use crate::command::{Session, between, segment};
use crate::output::{bytes, spinner};
use crate::remote::wait;

/// Which history, and where to put it.
#[derive(clap::Args)]
pub(crate) struct HistoryArguments {
    /// The factory, as meluxina-ai.
    factory: String,
    /// Jobs submitted from then on, as 2026-10-01T00:00:00Z [default: a year before --to].
    #[arg(long)]
    from: Option<String>,
    /// Jobs submitted before then [default: now].
    #[arg(long)]
    to: Option<String>,
    /// The file to write; standard output when none is named.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Carries out the command.
pub(super) fn run(arguments: &HistoryArguments, session: &Session) -> Result<()> {
    let remote = session.remote()?;
    let path = format!("/factories/{}/history", segment(&arguments.factory));
    let path = between(&path, &arguments.from, &arguments.to);
    let Some(file) = &arguments.out else {
        return wait(remote.print(&path));
    };
    let waiting = spinner("history");
    let written = wait(remote.save(&path, file))?;
    waiting.finish_and_clear();
    let told = json!({ "file": file.display().to_string(), "bytes": written });
    session.audience.show(&told, |_| {
        println!(
            "{} written to {}; read it with format = \"history\"",
            bytes(written),
            file.display()
        );
    })
}
