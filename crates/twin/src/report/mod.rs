//! What a study says, for people (HTML, text) and for programs (JSON, Parquet).

mod chart;
mod html;
mod parquet;
mod style;
pub(crate) mod told;

use serde_json::{Value, json};

use crate::comparison::compare;
use crate::results::Results;

pub use html::html;
pub use parquet::{ParquetError, write_jobs};
pub use told::{Told, scope_in_words};

/// Results and comparisons for programs; every estimate has its mean and its margin.
pub fn json(results: &[Results]) -> Value {
    json!({ "scenarios": results, "comparisons": compare(results) })
}

#[cfg(test)]
mod tests;
