//! From the command to the first page, and the memory of a factory that has nothing to do.
//!
//! `cargo xtask bench start [--quick]`

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a measurement that cannot go on must stop, and rests between its parts"
)]

#[path = "../tests/it/factory.rs"]
#[expect(dead_code, reason = "benchmarks use a part of what tests do")]
mod factory;

use std::time::{Duration, Instant};

use factory::Factory;

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let starts = if quick { 3 } else { 15 };
    let rest = Duration::from_secs(if quick { 2 } else { 10 });

    let first = Factory::start();
    std::thread::sleep(rest);
    let memory = first.memory_kib();
    let folder = first.folder();
    assert!(first.stop().success());

    let fresh = measure(starts, Factory::start);
    let again = measure(starts, || Factory::start_in(folder.clone()));
    println!("                      fastest    median   slowest");
    print("first start, ms", &fresh);
    print("later start, ms", &again);
    println!("idle memory {:.1} MiB, {rest:?} after the start", mib(memory));
    println!(
        "{}",
        serde_json::json!({
            "bench": "start",
            "first_start_to_first_page_milliseconds": median(&fresh),
            "later_start_to_first_page_milliseconds": median(&again),
            "idle_memory_mebibytes": mib(memory),
        })
    );
}

/// Milliseconds from the command to the first page, sorted.
fn measure(starts: usize, start: impl Fn() -> Factory) -> Vec<f64> {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut all: Vec<f64> = (0..starts)
        .map(|_| {
            let begun = Instant::now();
            let factory = start();
            let page = runtime.block_on(async {
                factory::http(&factory.url)
                    .get(&factory.url)
                    .send()
                    .await?
                    .error_for_status()?
                    .text()
                    .await
            });
            let page = page.expect("the first page");
            assert!(page.contains("</html>"), "{page}");
            begun.elapsed().as_secs_f64() * 1_000.0
        })
        .collect();
    all.sort_by(f64::total_cmp);
    all
}

fn median(sorted: &[f64]) -> f64 {
    (sorted[sorted.len() / 2] * 10.0).round() / 10.0
}

fn print(name: &str, sorted: &[f64]) {
    let last = sorted.len() - 1;
    println!("{name:20} {:8.1}  {:8.1}  {:8.1}", sorted[0], sorted[last / 2], sorted[last]);
}

fn mib(kib: u64) -> f64 {
    (kib as f64 / 102.4).round() / 10.0
}
