use std::fs;

use super::*;
use crate::{Dimensions, Preset};

const STEPS: u64 = 24;

fn config(steps: u64) -> TrainConfig {
    TrainConfig {
        dimensions: Dimensions {
            vocabulary: 300,
            width: 32,
            hidden: 48,
            layers: 2,
            heads: 2,
            context: 16,
        },
        batch: 6,
        learning_rate: 1e-2,
        threads: std::num::NonZeroUsize::new(2),
        validations: 3,
        ..TrainConfig::steps(Preset::Tiny, steps)
    }
}

/// A folder with a small text in it.
fn corpus() -> (tempfile::TempDir, Vec<PathBuf>) {
    let folder = tempfile::tempdir().unwrap();
    let lines: String =
        (0..400).map(|i| format!("The factory trains model {} of {}.\n", i % 7, i % 3)).collect();
    fs::write(folder.path().join("text.txt"), lines).unwrap();
    fs::write(folder.path().join("image.png"), [0x89, 0x50, 0xff, 0x00]).unwrap();
    let sources = vec![folder.path().to_path_buf()];
    (folder, sources)
}

fn go_on(_: &Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Stops after the step of this number.
fn stop_at(last: u64) -> impl FnMut(&Progress) -> ControlFlow<()> {
    move |progress| match progress {
        Progress::Step { step, .. } if *step == last => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    }
}

#[test]
fn a_resumed_training_ends_in_the_same_bytes_as_one_without_a_break() {
    let (_corpus, sources) = corpus();
    let (whole, parts) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let config = config(STEPS);
    assert!(train(&config, &sources, whole.path(), &mut go_on).unwrap().completed);

    for stop in [5, STEPS / 2, STEPS - 1] {
        let report = train(&config, &sources, parts.path(), &mut stop_at(stop)).unwrap();
        assert_eq!((report.completed, report.steps), (false, stop));
        assert!(!parts.path().join("model.safetensors").exists());
    }
    let mut resumed = None;
    let report = train(&config, &sources, parts.path(), &mut |progress| {
        if let Progress::Started { resumed_at, .. } = progress {
            resumed = *resumed_at;
        }
        ControlFlow::Continue(())
    });
    assert_eq!(resumed, Some(STEPS - 1));
    assert_eq!(report.unwrap().steps, STEPS);
    for file in ["model.safetensors", "tokenizer.json", "config.json"] {
        let bytes = |folder: &tempfile::TempDir| fs::read(folder.path().join(file)).unwrap();
        assert!(bytes(&whole) == bytes(&parts), "{file} differs");
    }
    assert!(!checkpoint_of(&parts).exists(), "a finished training leaves no checkpoint");
}

fn checkpoint_of(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("checkpoint.safetensors")
}

#[test]
fn the_loss_falls_and_every_measurement_is_a_json_line() {
    let (_corpus, sources) = corpus();
    let out = tempfile::tempdir().unwrap();
    let mut losses = Vec::new();
    let report = train(&config(60), &sources, out.path(), &mut |progress| {
        if let Progress::Step { loss, .. } = progress {
            losses.push(*loss);
        }
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(losses.len(), 60);
    assert!((losses[0] - 300_f64.ln()).abs() < 0.5, "it starts undecided, at {}", losses[0]);
    assert!(report.loss < losses[0] * 0.6, "from {} to {}", losses[0], report.loss);
    assert!(report.validation_loss < losses[0] * 0.7);
    assert!(report.tokens_per_second > 0.0 && report.peak_fraction > 0.0);
    assert_eq!((report.corpus.files, report.corpus.files_skipped), (1, 1));

    let text = fs::read_to_string(out.path().join("metrics.jsonl")).unwrap();
    let mut names = std::collections::BTreeSet::new();
    for line in text.lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(value["step"].is_u64() && value["value"].is_f64(), "{line}");
        names.insert(value["name"].as_str().unwrap().to_owned());
    }
    let expected =
        ["learning_rate", "loss", "peak_fraction", "tokens_per_second", "validation_loss"];
    assert_eq!(names.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn a_trained_model_continues_a_text_the_same_way_for_the_same_seed() {
    let (_corpus, sources) = corpus();
    let out = tempfile::tempdir().unwrap();
    train(&config(60), &sources, out.path(), &mut go_on).unwrap();
    let generated = |seed| {
        let mut text = String::new();
        let config = crate::GenerateConfig { tokens_max: 50, seed, ..Default::default() };
        let added =
            crate::generate(out.path(), "The factory", config, &mut |piece| text.push_str(piece));
        (added.unwrap(), text)
    };
    let (added, text) = generated(1);
    assert!(added > 16, "it goes on beyond its context: {added} tokens");
    assert!(text.contains("model"), "{text:?}");
    assert_eq!(generated(1).1, text);
    assert_ne!(generated(2).1, text);
}

#[test]
fn a_checkpoint_of_another_training_is_refused_by_name() {
    let (corpus, sources) = corpus();
    let out = tempfile::tempdir().unwrap();
    train(&config(STEPS), &sources, out.path(), &mut stop_at(2)).unwrap();
    let refused = |config: &TrainConfig| {
        train(config, &sources, out.path(), &mut go_on).unwrap_err().to_string()
    };
    assert!(refused(&TrainConfig { seed: 9, ..config(STEPS) }).contains("another seed"));
    assert!(refused(&TrainConfig { batch: 4, ..config(STEPS) }).contains("another batch"));
    fs::write(corpus.path().join("more.txt"), "a text that was not there").unwrap();
    assert!(refused(&config(STEPS)).contains("another corpus"));
}

#[test]
fn a_damaged_checkpoint_is_an_error_that_names_the_file() {
    let (_corpus, sources) = corpus();
    let out = tempfile::tempdir().unwrap();
    train(&config(STEPS), &sources, out.path(), &mut stop_at(2)).unwrap();
    let good = fs::read(checkpoint_of(&out)).unwrap();
    for damaged in [&good[..good.len() / 2], &good[..4], b"", b"not a checkpoint at all"] {
        fs::write(checkpoint_of(&out), damaged).unwrap();
        let error = train(&config(STEPS), &sources, out.path(), &mut go_on).unwrap_err();
        assert!(error.to_string().contains("checkpoint.safetensors"), "{error}");
    }
}

#[test]
fn nothing_to_learn_from_is_said_with_the_figures() {
    let folder = tempfile::tempdir().unwrap();
    let out = tempfile::tempdir().unwrap();
    let sources = [folder.path().to_path_buf()];
    let refused = || train(&config(1), &sources, out.path(), &mut go_on).unwrap_err().to_string();
    assert!(refused().contains("0 tokens of text in 0 files (0 files are not text)"));
    fs::write(folder.path().join("image"), [0xff, 0xd8]).unwrap();
    assert!(refused().contains("(1 files are not text)"));
    fs::write(folder.path().join("note"), "too short").unwrap();
    assert!(refused().contains("needs at least 34"), "{}", refused());
}

#[test]
fn a_loss_that_is_not_a_number_ends_in_an_error_and_leaves_no_model() {
    let (_corpus, sources) = corpus();
    let out = tempfile::tempdir().unwrap();
    train(&config(STEPS), &sources, out.path(), &mut stop_at(2)).unwrap();
    let mut bytes = fs::read(checkpoint_of(&out)).unwrap();
    // The last array is that of the last normalisation's weights, through which everything passes.
    let end = bytes.len();
    bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    fs::write(checkpoint_of(&out), bytes).unwrap();
    let error = train(&config(STEPS), &sources, out.path(), &mut go_on).unwrap_err();
    assert!(matches!(error, Error::Diverged { step: 3 }), "{error}");
    assert!(!out.path().join("model.safetensors").exists());
}

#[test]
fn a_time_budget_ends_the_training() {
    let (_corpus, sources) = corpus();
    let out = tempfile::tempdir().unwrap();
    let budget = Duration::from_millis(300);
    let config = TrainConfig { steps: None, time_budget: Some(budget), ..config(1) };
    let report = train(&config, &sources, out.path(), &mut go_on).unwrap();
    assert!(report.completed && report.steps > 0);
    assert!((0.3..30.0).contains(&report.seconds), "{} s", report.seconds);
}
