//! The model card: what the model is and the figures of its training, for people.

use crate::{Report, TrainConfig};

/// The text of a model's README.
pub(crate) fn text(config: &TrainConfig, report: &Report) -> String {
    let d = config.dimensions;
    let corpus = report.corpus;
    let rows = [
        ("parameters", report.parameters.to_string()),
        (
            "layers · width · feed-forward · heads",
            format!("{} · {} · {} · {}", d.layers, d.width, d.hidden, d.heads),
        ),
        ("context", format!("{} tokens", d.context)),
        ("vocabulary", format!("{} byte pairs", d.vocabulary)),
        (
            "text",
            format!("{} bytes of {} in {} files", corpus.bytes, corpus.bytes_found, corpus.files),
        ),
        ("files skipped (not text)", corpus.files_skipped.to_string()),
        ("tokens to learn from", corpus.training_tokens.to_string()),
        ("tokens to validate on", corpus.validation_tokens.to_string()),
        ("steps", format!("{} of {} tokens", report.steps, report.tokens_per_step)),
        ("seed", config.seed.to_string()),
        ("training time", format!("{:.1} s on {} threads", report.seconds, report.threads)),
        ("training loss", format!("{:.4}", report.loss)),
        ("validation loss", format!("{:.4}", report.validation_loss)),
        ("speed", format!("{:.0} tokens per second", report.tokens_per_second)),
        (
            "speed of the arithmetic",
            format!(
                "{:.1} GFLOP/s, {:.0} % of the best matrix product here ({:.1} GFLOP/s)",
                report.peak_fraction * report.peak_flops / 1e9,
                report.peak_fraction * 100.0,
                report.peak_flops / 1e9
            ),
        ),
    ];
    let table: String =
        rows.iter().map(|(name, value)| format!("| {name} | {value} |\n")).collect();
    format!(
        "---\nlibrary_name: transformers\npipeline_tag: text-generation\n---\n\n\
         # A small language model\n\n\
         A decoder-only transformer of the Llama kind with its own byte-pair tokenizer, trained \
         from random weights. It continues text in the manner of what it was trained on; it knows \
         no facts and follows no instructions.\n\n\
         | | |\n| --- | --- |\n{table}\n\
         ```python\nfrom transformers import AutoModelForCausalLM, AutoTokenizer\n\
         model = AutoModelForCausalLM.from_pretrained(\".\")\n\
         tokenizer = AutoTokenizer.from_pretrained(\".\")\n```\n"
    )
}
