//! Hugging Face `transformers` loads a model of ours unchanged and computes the same.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lm::{Dimensions, Preset, TrainConfig};

const TEXTS: [&str; 5] = [
    "The factory trains a model.",
    " spaces,  tabs\tand\nlines\n\n  it's 12345 + don't",
    "Élève, größer, λόγος, 日本語, 🙂 and a\u{301}",
    "the the the the the the the the the the the the the the the the the the the the",
    "x",
];

/// A Python with `torch` and `transformers`; `cargo xtask test` makes one and names it here.
fn python() -> Option<PathBuf> {
    std::env::var_os("USINE_TEST_PYTHON").map(PathBuf::from)
}

fn train(folder: &Path) {
    let text: String = (0..300)
        .map(|i| format!("The factory {} trains the model number {i} on text.\n", i % 7))
        .collect();
    let corpus = folder.join("corpus.txt");
    std::fs::write(&corpus, text).unwrap();
    let config = TrainConfig {
        dimensions: Dimensions {
            vocabulary: 400,
            width: 48,
            hidden: 80,
            layers: 3,
            heads: 3,
            context: 64,
        },
        ..TrainConfig::steps(Preset::Tiny, 30)
    };
    let out = folder.join("model");
    let report = lm::train(&config, &[corpus], &out, &mut |_| ControlFlow::Continue(())).unwrap();
    assert!(report.completed);
}

/// What `transformers` makes of each text, one JSON object a text.
fn theirs(python: &Path, model: &Path) -> Vec<serde_json::Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/lm/compare_logits.py");
    let mut child = Command::new(python)
        .arg(script)
        .arg(model)
        .envs([("HF_HUB_OFFLINE", "1"), ("TRANSFORMERS_OFFLINE", "1"), ("OMP_NUM_THREADS", "2")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let texts = serde_json::to_string(&TEXTS).unwrap();
    child.stdin.take().unwrap().write_all(texts.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn transformers_loads_the_model_and_gives_the_same_tokens_and_scores() {
    let Some(python) = python() else {
        eprintln!(
            "skipped: USINE_TEST_PYTHON names no Python with transformers; run `cargo xtask test`"
        );
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    train(folder.path());
    let model = folder.path().join("model");
    let theirs = theirs(&python, &model);
    assert_eq!(theirs.len(), TEXTS.len());
    for (text, theirs) in TEXTS.iter().zip(theirs) {
        let ours = lm::score(&model, text).unwrap();
        assert_eq!(theirs["architecture"], "LlamaForCausalLM");
        assert_eq!(theirs["end"], 0);
        assert_eq!(theirs["text"], *text);
        assert_eq!(serde_json::to_value(&ours.tokens).unwrap(), theirs["tokens"], "{text:?}");
        let scores: Vec<Vec<f32>> = serde_json::from_value(theirs["scores"].clone()).unwrap();
        assert_eq!(scores.len(), ours.scores.len());
        let pairs = scores.iter().flatten().zip(ours.scores.iter().flatten());
        let difference = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        let largest = scores.iter().flatten().map(|x| x.abs()).fold(0.0, f32::max);
        println!("{text:?}: scores up to {largest}, largest difference {difference:e}");
        assert!(largest > 1.0, "scores say nothing");
        assert!(difference < 1e-3, "{text:?} differs by {difference}");
    }
}
