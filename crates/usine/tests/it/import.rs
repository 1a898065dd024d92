//! Years of accounting charged to an allocation, while everything is killed.

use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::sleep;

use crate::factory::{Client, Factory};
use crate::story::{StartUp, text};

/// Runs of the account that is charged; as many of another are passed over.
const RUNS: i64 = 7_000;
/// What each ran.
const SECONDS: i64 = 5;
/// The day on which all ended.
const DAY: &str = "2023-11-14";

/// What `sacct` prints of them.
fn accounting() -> String {
    let heading = "JobIDRaw|Submit|Start|End|State|ElapsedRaw|AllocTRES|User|Account|Cluster\n";
    let mut rows = heading.to_owned();
    for number in 1..=RUNS {
        let at = 1_699_950_000 + number % 600;
        let (start, end) = (at + 1, at + 1 + SECONDS);
        for (number, account) in [(number, "p200"), (number + RUNS, "physics")] {
            let row =
                format!("{number}|{at}|{start}|{end}|COMPLETED|{SECONDS}|cpu=1,mem=1G,node=1");
            writeln!(rows, "{row}|ann|{account}|old").unwrap();
        }
    }
    rows
}

/// One hub, and what is imported into it.
struct Import<'a> {
    factory: &'a Factory,
    administrator: Client,
    site: String,
    account: String,
}

impl Import<'_> {
    fn start(&self, file: &Path) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_usine"));
        command
            .args(["site", "import", &self.site, "--json", "--account", &self.account])
            .arg(file);
        command.env("USINE_HUB", &self.factory.url);
        command.env("USINE_TOKEN", self.administrator.token.as_ref().unwrap());
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Runs known, and unit-seconds accounted and charged.
    async fn sums(&self) -> (i64, i64, i64) {
        let path = format!("/sites/{}/reconciliation?from={DAY}", self.site);
        let found = self.administrator.get(&path).await;
        let day = &found["days"][0];
        let number = |value: &Value| value.as_i64().unwrap();
        let unit_seconds = |name: &str| number(&day[name]["unit_seconds"]);
        (number(&day["runs"]), unit_seconds("accounted"), unit_seconds("charged"))
    }

    /// Waits until more runs than these are known, or the import has ended.
    async fn beyond(&self, runs: i64, import: &mut Child) {
        for _ in 0..600 {
            if self.sums().await.0 > runs {
                return;
            }
            if let Some(status) = import.try_wait().unwrap() {
                assert!(status.success(), "{}", complaint(import));
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!("the import stands still at {runs} runs");
    }

    /// Imports to the end: what was taken, and what was known before.
    fn whole(&self, file: &Path) -> (i64, i64) {
        let output = self.start(file).wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let done: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(done["read"], 2 * RUNS);
        (done["taken"].as_i64().unwrap(), done["repeated"].as_i64().unwrap())
    }
}

fn complaint(import: &mut Child) -> String {
    let mut text = String::new();
    import.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_killed_loses_nothing_and_charges_nothing_twice() {
    let first = Factory::start();
    let folder = first.folder();
    let administrator = first.administrator().await;
    let start_up = StartUp::with_hours(&first, 100).await;
    let allocations = format!("/projects/{}/allocations", start_up.project);
    let allocation = text(&start_up.founder.get(&allocations).await["items"][0], "id");
    let sites = administrator.get("/sites").await;
    let mut sites = sites["items"].as_array().unwrap().iter();
    let site = text(sites.find(|site| site["partition"] == "meluxina-ai.gpu").unwrap(), "name");
    let account = format!("p200={allocation}");
    let token = administrator.token.clone().unwrap();
    let import = Import { factory: &first, administrator, site, account };
    let file = folder.path().join("accounting.txt");
    let rows = accounting();

    // What cannot be meant is told with its line, and nothing of the rest is charged.
    fs::write(&file, format!("{rows}9|1|2|3|COMPLETE|1|cpu=1|ann|p200|old\n")).unwrap();
    let refused = import.start(&file).wait_with_output().unwrap();
    let complaint = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(2), "{complaint}");
    let line = format!("accounting.txt:{}:9: a state of Slurm", 2 * RUNS + 2);
    assert!(complaint.contains(&line), "{complaint}");
    assert_eq!(import.sums().await, (0, 0, 0));

    fs::write(&file, rows).unwrap();
    let mut killed = import.start(&file);
    import.beyond(0, &mut killed).await;
    killed.kill().unwrap();
    killed.wait().unwrap();
    let known = import.sums().await.0;
    let mut abandoned = import.start(&file);
    import.beyond(known, &mut abandoned).await;
    let Import { site, account, .. } = import;
    first.kill();
    abandoned.wait_with_output().unwrap();

    let factory = Factory::start_in(Arc::clone(&folder));
    let administrator = Client::anonymous(&factory.url).with(&token);
    let import = Import { factory: &factory, administrator, site, account };
    let (taken, repeated) = import.whole(&file);
    assert_eq!(taken + repeated, RUNS);
    assert!(repeated > 0, "what was committed before the crash is known");
    assert_eq!(import.sums().await, (RUNS, RUNS * SECONDS, RUNS * SECONDS));
    assert_eq!(import.whole(&file), (0, RUNS));
    let check = import.administrator.get("/ledger/check").await;
    assert_eq!(check["sound"], true, "{check}");
}
