//! Faults of files that were handed in, told to people or to programs.

use access::document::{Diagnostic, Diagnostics};
use anyhow::Result;
use serde_json::{Value, json};

use crate::exit::{Failure, Told};
use crate::output::Audience;

/// Says what is wrong, one line a fault.
pub(crate) fn refuse<T>(faults: &Diagnostics, audience: Audience) -> Result<T> {
    if audience == Audience::Programs {
        let errors: Vec<Value> = faults.0.iter().map(as_json).collect();
        println!("{}", serde_json::to_string_pretty(&json!({ "valid": false, "errors": errors }))?);
    }
    let count = faults.0.len();
    let noun = if count == 1 { "fault" } else { "faults" };
    Err(Told::new(Failure::Invalid, format!("{faults}\n{count} {noun}")).into())
}

fn as_json(fault: &Diagnostic) -> Value {
    json!({
        "file": fault.file, "line": fault.at.line, "column": fault.at.column,
        "key": fault.key, "message": fault.message,
    })
}
