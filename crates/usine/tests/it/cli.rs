//! The command line as people type it, against a running factory.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use expect_test::{expect, expect_file};
use serde_json::Value;

use crate::factory::Factory;
use crate::story::{PASSWORD, StartUp};

/// A terminal of one person, with sign-ins of its own.
pub(crate) struct Terminal<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) name: &'static str,
}

impl Terminal<'_> {
    pub(crate) fn run(&self, line: &[&str], input: &str) -> Output {
        use std::io::Write;
        let mut process = Command::new(env!("CARGO_BIN_EXE_usine"))
            .args(line)
            .current_dir(self.folder)
            .env("USINE_CREDENTIALS", self.folder.join(self.name).join("credentials.toml"))
            .env_remove("USINE_HUB")
            .env_remove("USINE_TOKEN")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        process.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        process.wait_with_output().unwrap()
    }

    /// What a line prints that must succeed.
    pub(crate) fn told(&self, line: &[&str]) -> String {
        let output = self.run(line, "");
        let complained = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "usine {}: {complained}", line.join(" "));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The same as JSON.
    pub(crate) fn json(&self, line: &[&str]) -> Value {
        let told = self.told(&[line, &["--json"]].concat());
        serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error}: {told}"))
    }

    /// The exit code and the complaint of a line that must fail.
    pub(crate) fn refused(&self, line: &[&str]) -> (i32, String) {
        let output = self.run(line, "");
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    }
}

#[test]
fn the_help_names_every_command_and_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let terminal = Terminal { folder: folder.path(), name: "any" };
    expect_file!["./help.txt"].assert_eq(&terminal.told(&["--help"]));
}

#[test]
fn completions_and_the_openapi_document_need_no_hub() {
    let folder = tempfile::tempdir().unwrap();
    let terminal = Terminal { folder: folder.path(), name: "any" };
    assert!(terminal.told(&["completions", "bash"]).contains("usine"));
    let document: Value = serde_json::from_str(&terminal.told(&["openapi"])).unwrap();
    assert_eq!(document["info"]["title"], "Usine");
}

#[test]
fn a_hub_that_is_not_there_is_told_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let terminal = Terminal { folder: folder.path(), name: "any" };
    // Port 9 is the discard service, which nothing here offers.
    let (code, complaint) = terminal.refused(&["call", "list", "--hub", "http://127.0.0.1:9"]);
    assert_eq!(code, 6);
    let first = complaint.lines().next().unwrap();
    expect![
        "error: the hub at http://127.0.0.1:9 does not answer; start one with `usine up`, or name another with --hub"
    ]
    .assert_eq(first);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_is_worked_in_from_the_command_line() {
    let factory = Factory::start();
    let start_up = StartUp::with_hours(&factory, 100).await;
    let home = factory.folder();
    let ada = Terminal { folder: home.path(), name: "ada" };

    let (code, complaint) = ada.refused(&["project", "list", "--hub", &factory.url]);
    assert_eq!(code, 5, "{complaint}");
    let sign_in = ["login", &factory.url, "--email", &start_up.email, "--password-stdin"];
    let output = ada.run(&sign_in, &format!("{PASSWORD}\n"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let me = ada.json(&["user", "show"]);
    assert_eq!(me["email"], start_up.email.as_str());
    assert_eq!(ada.json(&["project", "list"])[0]["id"], start_up.project.as_str());

    data(&ada, &start_up.project);
    job(&ada, &start_up.project);

    let statement = ada.json(&["statement", &start_up.project]);
    assert!(statement["allocations"][0]["total"]["used"]["unit_seconds"].as_i64().unwrap() > 0);
    let (code, complaint) = ada.refused(&["ledger", "verify"]);
    assert_eq!(code, 3, "the books are for staff: {complaint}");
    let (code, complaint) = ada.refused(&["federation", "history", "meluxina-ai"]);
    assert_eq!(code, 3, "and so is what others ran: {complaint}");
    assert!(ada.told(&["logout"]).contains("signed out"));
    assert_eq!(ada.refused(&["project", "list"]).0, 5);

    let root = Terminal { folder: home.path(), name: "root" };
    let link = format!("{}/sign-in/link/{}", factory.url, factory.link.as_deref().unwrap());
    root.told(&["login", &link]);
    assert!(root.told(&["ledger", "verify"]).contains("the books are sound"));
    assert_eq!(root.json(&["data", "verify"])["files"], 2);
    ahead(&root, &start_up.project);
}

/// Looks at what has happened and at what is to come, as staff does.
fn ahead(root: &Terminal<'_>, project: &str) {
    assert!(root.told(&["project", "alerts", project]).contains("there is no alert"));
    let forecast = root.json(&["federation", "forecast", "meluxina-ai.gpu"]);
    assert_eq!(forecast[0]["quarters"].as_array().map(Vec::len), Some(4), "{forecast}");
    assert!(root.told(&["federation", "forecast"]).contains("the cost of operation is unknown"));

    let decided = root.json(&["apply", "list"])[0]["id"].as_str().unwrap().to_owned();
    let replayed = root.told(&["decision", "replay", &decided]);
    assert!(replayed.contains("recomputed from its record: the same"), "{replayed}");
    assert_eq!(root.refused(&["decision", "replay", project]).0, 4);
    let allocation = root.json(&["apply", "list"])[0]["allocation"].as_str().unwrap().to_owned();
    let why = ["--reason", "the officers have a question"];
    let told = root.told(&[&["allocation", "suspend", &allocation][..], &why].concat());
    assert!(told.contains("suspended since"), "{told}");
    root.told(&[&["allocation", "resume", &allocation][..], &why].concat());
    let (code, complaint) =
        root.refused(&[&["allocation", "extend", &allocation, "--months", "9"][..], &why].concat());
    assert_eq!(code, 3, "{complaint}");
    let changes = root.json(&["allocation", "changes", &allocation]);
    assert_eq!(changes.as_array().map(Vec::len), Some(2), "{changes}");

    let other = ["policy", "diff", "built-in", "built-in", "--data", "data"];
    let told = "both policies say the same\n0 of 0 open applications would be decided otherwise\n";
    assert_eq!(root.told(&other), told);

    let export = ["federation", "history", "meluxina-ai", "--out", "history.csv"];
    assert!(root.told(&export).contains("written to history.csv"));
    let history = twin::trace::Format::History;
    let history = twin::trace::read_file(&root.folder.join("history.csv"), history).unwrap();
    assert_eq!(history.entries.len(), 2, "the job that went well, and the one that failed");
    let (code, _) = root.refused(&["federation", "history", "atlantis", "--out", "none.csv"]);
    assert_eq!(code, 4);
    assert!(!root.folder.join("none.csv").exists() && !root.folder.join("none.csv.part").exists());

    let call = ["call", "open", "--key", "fast-lane-2027", "--title", "Fast Lane 2027"];
    let of = ["--mode", "fast-lane", "--partition", "meluxina-ai.gpu"];
    let from = ["--opens-at", "2026-01-01T00:00:00Z"];
    root.told(&[&call[..], &of, &from].concat());
    let weighed = root.told(&["call", "what-if", "fast-lane-2027"]);
    assert!(weighed.contains("0 applications wait for a decision"), "{weighed}");
    assert!(weighed.contains("nothing is asked here that is not decided"), "{weighed}");
}

/// Sends, lists, shows and fetches a dataset.
fn data(ada: &Terminal<'_>, project: &str) {
    let texts = ada.folder.join("texts");
    std::fs::create_dir_all(texts.join("more")).unwrap();
    std::fs::write(texts.join("one.txt"), "one").unwrap();
    std::fs::write(texts.join("more/two.txt"), "two").unwrap();
    let push = ["data", "push", "texts", "--name", "texts", "--project", project];
    let pushed = ada.json(&push);
    assert_eq!(
        (&pushed["revision"]["number"], &pushed["revision"]["file_count"]),
        (&1.into(), &2.into())
    );
    let (code, complaint) = ada.refused(&push);
    assert_eq!(code, 3, "nothing has changed: {complaint}");
    assert_eq!(ada.json(&["data", "list"])[0]["name"], "texts");
    assert!(ada.told(&["data", "show", "texts"]).contains("more/two.txt"));
    assert!(ada.told(&["data", "lineage", "texts"]).contains("sent by"));
    ada.told(&["data", "pull", "texts", "back"]);
    assert_eq!(std::fs::read(ada.folder.join("back/more/two.txt")).unwrap(), b"two");
    assert_eq!(ada.refused(&["data", "show", "nothing"]).0, 4);
    let (code, complaint) =
        ada.refused(&["data", "push", "nowhere", "--name", "x", "--project", project]);
    assert_eq!(code, 1, "{complaint}");
}

/// Submits, follows, shows and reads a job.
fn job(ada: &Terminal<'_>, project: &str) {
    let script = "#!/bin/sh\n#SBATCH --time=2\n#SBATCH --cpus-per-task=1\ncat inputs/texts/one.txt\nsleep 1\n";
    std::fs::write(ada.folder.join("job.sh"), script).unwrap();
    let texts = ada.json(&["data", "list"])[0]["id"].as_str().unwrap().to_owned();
    let input = format!("texts={texts}");
    let submit = ["job", "submit", "job.sh", "--project", project, "--input", &input];
    let submitted = ada.json(&submit);
    let id = submitted["id"].as_str().unwrap();
    assert!(ada.told(&["job", "watch", id]).starts_with("one"));
    assert_eq!(ada.told(&["job", "log", id]), "one");
    assert_eq!(ada.json(&["job", "show", id])["end"], "completed");
    assert_eq!(ada.json(&["job", "list", "--project", project])[0]["id"], id);
    std::fs::write(ada.folder.join("bad.sh"), "#!/bin/sh\n#SBATCH --time=1\nexit 3\n").unwrap();
    let watch = ["job", "submit", "bad.sh", "--project", project, "--watch"];
    let (code, complaint) = ada.refused(&watch);
    assert_eq!(code, 1);
    assert!(complaint.contains("usine job log"), "{complaint}");
    std::fs::write(ada.folder.join("odd.sh"), "#!/bin/sh\n#SBATCH --nonsense\ntrue\n").unwrap();
    let (code, complaint) = ada.refused(&["job", "submit", "odd.sh", "--project", project]);
    assert_eq!(code, 2);
    assert!(complaint.contains("nonsense"), "{complaint}");
}
