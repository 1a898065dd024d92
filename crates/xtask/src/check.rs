//! Everything that is checked without running the product.

use anyhow::{Context, Result};

use crate::{shell, tidy};

/// Runs every check and stops at the first that fails.
pub(crate) fn run() -> Result<()> {
    shell::step("format", &mut shell::cargo(["fmt", "--all", "--check"]))?;
    tidy::run()?;
    let lints = ["clippy", "-q", "--workspace", "--all-targets", "--features", "usine/e2e"];
    shell::step("lints", shell::cargo(lints).args(["--", "-D", "warnings"]))?;
    shell::step(
        "documentation",
        shell::cargo(["doc", "-q", "--workspace", "--no-deps", "--document-private-items"])
            .env("RUSTDOCFLAGS", "-D warnings -A rustdoc::private_intra_doc_links"),
    )?;
    deny()
}

/// Licences, duplicate and forbidden crates, and where they come from.
fn deny() -> Result<()> {
    if !shell::cargo(["deny", "--version"]).output().is_ok_and(|out| out.status.success()) {
        // Unoptimised: it builds in half the time and runs once.
        let install = ["install", "cargo-deny", "--locked", "--debug"];
        shell::step("install cargo-deny (some minutes)", &mut shell::cargo(install))
            .context("cargo-deny checks licences")?;
    }
    let checks = ["deny", "--offline", "check", "bans", "licenses", "sources"];
    shell::step("licences and sources", &mut shell::cargo(checks))
}
