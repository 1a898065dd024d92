//! Entries of the ledger per second, against the database's own bare inserts.
//!
//! Side by side in one run, on one database, in short turns: the ledger makes entries (holds and
//! settlements of jobs, with their transfers, balances, floors and hashes), and a plain table takes
//! rows of the same number of bytes, with nothing but a key. Both use the same connection settings,
//! commit the same number of entries or rows in a transaction, and reach the disk at each
//! commit. Bare rows are inserted in the two ways there are: one a statement, and many a
//! statement; the ratio is taken against the faster.
//!
//! The figure of each is the median of its turns, so that what else the machine does for a while
//! counts for nothing, or for all three.
//!
//! `--quick` measures for a moment only; `--postgres URL` names a server to measure beside SQLite;
//! `--size N` measures commits of N alone.

mod bare;
mod books;

use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait, Database};
use store::Store;

/// What went wrong; a benchmark that fails says so and prints no figures.
type Failure = Box<dyn std::error::Error>;

/// Entries, or rows, committed together.
const SIZES: [usize; 3] = [1, 10, 100];

/// The size whose figures are the headline: a submission commits one entry.
const HEADLINE: usize = 1;

struct Arguments {
    quick: bool,
    postgres: Option<String>,
    size: Option<usize>,
}

/// Commits in one turn.
const COMMITS: usize = 4;

/// The figures of one size on one database.
struct Measured {
    database: &'static str,
    size: usize,
    entries_per_second: f64,
    single_inserts_per_second: f64,
    many_inserts_per_second: f64,
}

impl Measured {
    fn bare_inserts_per_second(&self) -> f64 {
        self.single_inserts_per_second.max(self.many_inserts_per_second)
    }

    fn ratio(&self) -> f64 {
        self.entries_per_second / self.bare_inserts_per_second()
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments = arguments()?;
    let folder = tempfile::Builder::new().prefix("usine-bench").tempdir()?;
    let file = format!("sqlite://{}?mode=rwc", folder.path().join("hub.db").display());
    let mut all = measure("sqlite", &file, &arguments).await?;
    if let Some(server) = &arguments.postgres {
        let url = fresh_database(server).await?;
        all.extend(measure("postgres", &url, &arguments).await?);
    }
    print_table(&all);
    println!("{}", json(&all));
    Ok(())
}

fn arguments() -> Result<Arguments, Failure> {
    let mut found = Arguments { quick: false, postgres: None, size: None };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--quick" => found.quick = true,
            "--postgres" => found.postgres = Some(words.next().ok_or("--postgres takes a URL")?),
            "--size" => found.size = Some(words.next().ok_or("--size takes a number")?.parse()?),
            // Cargo says this to every benchmark.
            "--bench" => {}
            _ => {
                return Err(
                    format!("`{word}` is not an option: use --quick, --postgres URL").into()
                );
            }
        }
    }
    Ok(found)
}

async fn fresh_database(server: &str) -> Result<String, Failure> {
    let name = format!("bench_{}", uuid::Uuid::new_v4().simple());
    let admin = Database::connect(format!("{server}/postgres")).await?;
    admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await?;
    Ok(format!("{server}/{name}"))
}

async fn measure(
    database: &'static str,
    url: &str,
    arguments: &Arguments,
) -> Result<Vec<Measured>, Failure> {
    let store = Store::open(url).await?;
    let mut books = books::Load::begin(&store).await?;
    let mut bare = bare::Table::create(url, books.bytes_an_entry()).await?;
    let time = Duration::from_millis(if arguments.quick { 250 } else { 12_000 });
    let mut all = Vec::new();
    for size in arguments.size.map_or_else(|| SIZES.to_vec(), |only| vec![only]) {
        let (mut entries, mut single, mut many) = (Vec::new(), Vec::new(), Vec::new());
        let start = Instant::now();
        let mut turn = 0_usize;
        while start.elapsed() < time {
            for step in 0..3 {
                // Each stands before and after each other equally often.
                match if turn.is_multiple_of(2) { step } else { 2 - step } {
                    0 => entries.push(rate(size, async || books.commit(size).await).await?),
                    1 => {
                        single.push(rate(size, async || bare.commit_one_by_one(size).await).await?)
                    }
                    _ => many.push(rate(size, async || bare.commit_together(size).await).await?),
                }
            }
            turn += 1;
        }
        all.push(Measured {
            database,
            size,
            entries_per_second: median(entries),
            single_inserts_per_second: median(single),
            many_inserts_per_second: median(many),
        });
    }
    books.check().await?;
    Ok(all)
}

/// How many a second, over one turn of commits of `size` each.
async fn rate(
    size: usize,
    mut commit: impl AsyncFnMut() -> Result<(), Failure>,
) -> Result<f64, Failure> {
    let start = Instant::now();
    for _ in 0..COMMITS {
        commit().await?;
    }
    Ok(f64::from(u32::try_from(COMMITS * size)?) / start.elapsed().as_secs_f64())
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or_default()
}

fn print_table(all: &[Measured]) {
    println!("per second, median of turns; bare rows have as many bytes as an entry");
    println!(
        "{:<9} {:>11} {:>10} {:>12} {:>12} {:>7}",
        "database", "per commit", "entries", "bare, single", "bare, many", "ratio"
    );
    for it in all {
        println!(
            "{:<9} {:>11} {:>10.0} {:>12.0} {:>12.0} {:>7.2}",
            it.database,
            it.size,
            it.entries_per_second,
            it.single_inserts_per_second,
            it.many_inserts_per_second,
            it.ratio()
        );
    }
}

/// The headline on SQLite, then every size and database under keys of its own.
fn json(all: &[Measured]) -> String {
    let mut figures = vec![r#""bench":"ledger""#.to_owned()];
    let mut tell = |it: &Measured, suffix: &str| {
        for (name, figure, decimals) in [
            ("entries_per_second", it.entries_per_second, 1),
            ("bare_inserts_per_second", it.bare_inserts_per_second(), 1),
            ("ratio_to_bare_insert", it.ratio(), 3),
        ] {
            figures.push(format!("\"{name}{suffix}\":{figure:.decimals$}"));
        }
    };
    let headline =
        |it: &&Measured| it.database == "sqlite" && (it.size == HEADLINE || all.len() == 1);
    for it in all.iter().filter(headline) {
        tell(it, "");
    }
    for it in all {
        tell(it, &format!("_{}_{}", it.database, it.size));
    }
    format!("{{{}}}", figures.join(","))
}
