//! How fast a model of the tiny preset learns, against the matrix products of the same machine.
//!
//! `cargo xtask bench lm`. The text is made up, since speed does not depend on it. `--quick` trains
//! for two seconds instead of twenty.

use std::ops::ControlFlow;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

use lm::{Preset, Report, TrainConfig};

const WORDS: [&str; 12] =
    ["factory", "model", "learns", "the", "of", "text", "a", "hours", "from", "and", "reads", "it"];

fn main() {
    settle_environment();
    let quick = std::env::args().any(|argument| argument == "--quick");
    let budget = Duration::from_secs(if quick { 2 } else { 20 });
    match measure(budget) {
        Ok(report) => print(&report),
        Err(error) => {
            eprintln!("{error}");
            std::process::exit(1);
        }
    }
}

/// Begins anew with the environment that training needs, as `usine lm train` does.
fn settle_environment() {
    let threads = std::thread::available_parallelism().unwrap_or(std::num::NonZeroUsize::MIN);
    let wanted = lm::environment(threads);
    if wanted.iter().any(|(name, _)| std::env::var_os(name).is_none())
        && let Ok(program) = std::env::current_exe()
    {
        let error = Command::new(program).args(std::env::args_os().skip(1)).envs(wanted).exec();
        eprintln!("measuring without the environment that training needs: {error}");
    }
}

fn measure(budget: Duration) -> Result<Report, Box<dyn std::error::Error>> {
    let folder = std::env::temp_dir().join(format!("usine-bench-lm-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let mut state = 1_u64;
    let words = std::iter::repeat_with(|| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let word = WORDS.get((state >> 40) as usize % WORDS.len()).copied().unwrap_or_default();
        format!("{word}{}", state >> 54)
    });
    let text = words.take(100_000).collect::<Vec<_>>().join(" ");
    let corpus = folder.join("text");
    std::fs::write(&corpus, text)?;
    let config = TrainConfig { validations: 1, ..TrainConfig::within(Preset::Tiny, budget) };
    let report =
        lm::train(&config, &[corpus], &folder.join("model"), &mut |_| ControlFlow::Continue(()));
    std::fs::remove_dir_all(&folder)?;
    Ok(report?)
}

fn print(report: &Report) {
    let reached = report.peak_fraction * report.peak_flops;
    println!("parameters                        {:>12}", report.parameters);
    println!("threads                           {:>12}", report.threads);
    println!("tokens per second                 {:>12.0}", report.tokens_per_second);
    println!("arithmetic of training            {:>12.1} GFLOP/s", reached / 1e9);
    println!("best matrix product, same shapes  {:>12.1} GFLOP/s", report.peak_flops / 1e9);
    println!("fraction of that peak             {:>12.3}", report.peak_fraction);
    println!(
        "{}",
        serde_json::json!({
            "bench": "lm",
            "parameters": report.parameters,
            "threads": report.threads,
            "tokens_per_second": report.tokens_per_second,
            "training_flops_per_second": reached,
            "peak_flops_per_second": report.peak_flops,
            "peak_fraction": report.peak_fraction,
        })
    );
}
