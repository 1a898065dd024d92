//! Years of a site's accounting, charged: runs a second that are read, and that are posted to the
//! ledger through the hub, beside what the same database takes of bare rows in messages of the same
//! length.
//!
//! `cargo xtask bench import [--quick]` measures those first (`--bare`, `--entries`).

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a measurement that cannot go on must stop"
)]

#[path = "../tests/it/factory.rs"]
#[expect(dead_code, reason = "benchmarks use a part of what tests do")]
mod factory;
#[path = "../tests/it/story.rs"]
#[expect(dead_code, reason = "benchmarks use a part of what tests do")]
mod story;

use std::fs::File;
use std::io::{BufReader, BufWriter, Write as _};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use factory::{Client, Factory};
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};
use story::{StartUp, text};
use twin::slurm::{RUN_COLUMNS, Runs};

/// Runs that are read.
const READ: [(bool, usize); 2] = [(false, 1_000_000), (true, 100_000)];
/// Runs that are posted.
const POSTED: [(bool, usize); 2] = [(false, 300_000), (true, 20_000)];
/// When the first of them was submitted: 2023-11-14.
const BEGINNING: usize = 1_699_950_000;
/// The account of all of them.
const ACCOUNT: &str = "p200";

#[tokio::main]
async fn main() {
    let words: Vec<String> = std::env::args().collect();
    let quick = words.iter().any(|word| word == "--quick");
    let given = |name: &str| {
        let at = words.iter().position(|word| word == name)?;
        words.get(at + 1)?.parse::<f64>().ok()
    };
    let count = |of: [(bool, usize); 2]| of.into_iter().find(|it| it.0 == quick).unwrap().1;
    let factory = Factory::start();
    let administrator = factory.administrator().await;
    let start_up = StartUp::with_hours(&factory, 5_000).await;
    let allocations = format!("/projects/{}/allocations", start_up.project);
    let allocation = text(&start_up.founder.get(&allocations).await["items"][0], "id");
    let account = format!("{ACCOUNT}={allocation}");
    let folder = factory.folder();
    let mut json = Map::from_iter([("bench".to_owned(), json!("import"))]);
    let mut tell = |what: &str, key: &str, figure: f64| {
        println!("{what:60} {figure:12.0}");
        json.insert(key.to_owned(), json!((figure * 1_000.0).round() / 1_000.0));
    };

    let file = folder.path().join("accounting.txt");
    let rows = write(&file, count(READ));
    tell("runs read a second", "runs_read_per_second", read(&file, rows));
    let rows = write(&file, count(POSTED));
    let site = site(&administrator).await;
    let import = || import(&factory, &administrator, &site, &account, &file);
    let (posted, known) = import();
    assert_eq!(known, 0, "nothing was known before");
    tell("runs posted a second, through the hub", "runs_posted_per_second", posted);
    let (again, known) = import();
    assert_eq!(known, rows, "everything is known now");
    tell("runs told again a second, of which all are known", "runs_repeated_per_second", again);
    if let (Some(entries), Some(bare)) = (given("--entries"), given("--bare")) {
        tell("entries of the ledger alone a second", "entries_per_second", entries);
        tell("bare rows of as many bytes a second", "bare_inserts_per_second", bare);
        println!(
            "posted / entries of the ledger alone {:.2}, posted / bare rows {:.3}",
            posted / entries,
            posted / bare
        );
        json.insert("ratio_to_ledger".to_owned(), json!((posted / entries * 1e3).round() / 1e3));
        json.insert("ratio_to_bare_insert".to_owned(), json!((posted / bare * 1e3).round() / 1e3));
    }
    println!("{}", Value::Object(json));
}

/// What `sacct --parsable2` prints of so many runs; how many there are.
fn write(file: &Path, count: usize) -> usize {
    let mut to = BufWriter::new(File::create(file).unwrap());
    let columns: Vec<&str> = RUN_COLUMNS.split(',').collect();
    writeln!(to, "{}", columns.join("|")).unwrap();
    for number in 1..=count {
        let submitted = BEGINNING + number * 60;
        let (start, end) = (submitted + 5, submitted + 6);
        let row = columns.iter().map(|column| match *column {
            "JobIDRaw" | "JobID" => number.to_string(),
            "Submit" => submitted.to_string(),
            "Start" => start.to_string(),
            "End" => end.to_string(),
            "State" => "COMPLETED".to_owned(),
            "ElapsedRaw" => "1".to_owned(),
            "AllocTRES" => "billing=4,cpu=16,gres/gpu=4,mem=64G,node=1".to_owned(),
            "User" => format!("u{:05}", number % 700),
            "Account" => ACCOUNT.to_owned(),
            "Cluster" => "old".to_owned(),
            "Partition" => "gpu".to_owned(),
            "TimelimitRaw" => "60".to_owned(),
            "Suspended" => "00:00:00".to_owned(),
            "ConsumedEnergyRaw" => "1234".to_owned(),
            _ => String::new(),
        });
        writeln!(to, "{}", row.collect::<Vec<_>>().join("|")).unwrap();
    }
    to.flush().unwrap();
    count
}

/// Runs read a second.
fn read(file: &Path, rows: usize) -> f64 {
    let begun = Instant::now();
    let text = BufReader::with_capacity(1 << 20, File::open(file).unwrap());
    let mut runs = Runs::open(text, TimeZone::UTC).unwrap();
    let mut count = 0;
    while let Some(run) = runs.next_run().unwrap() {
        assert_eq!(run.ran_seconds, 1);
        count += 1;
    }
    assert_eq!(count, rows);
    rows as f64 / begun.elapsed().as_secs_f64()
}

/// The site whose partition the allocations are of.
async fn site(administrator: &Client) -> String {
    let sites = administrator.get("/sites").await;
    let mut sites = sites["items"].as_array().unwrap().iter();
    text(sites.find(|site| site["partition"] == "meluxina-ai.gpu").unwrap(), "name")
}

/// Runs posted a second by `usine site import`, and how many were known before.
fn import(
    factory: &Factory,
    administrator: &Client,
    site: &str,
    account: &str,
    file: &Path,
) -> (f64, usize) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_usine"));
    command.args(["site", "import", site, "--json", "--account", account]).arg(file);
    command.env("USINE_HUB", &factory.url).env("USINE_TOKEN", administrator.token.clone().unwrap());
    let begun = Instant::now();
    let output = command.output().unwrap();
    let took = begun.elapsed().as_secs_f64();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let done: Value = serde_json::from_slice(&output.stdout).unwrap();
    let rows = done["read"].as_f64().unwrap();
    (rows / took, done["repeated"].as_u64().unwrap().try_into().unwrap())
}
