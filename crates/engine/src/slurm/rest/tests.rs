//! Whatever a daemon answers, reading it comes to an end without a panic.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{accounting, format, nodes, queue, submission};

/// The names that are looked for, so that odd values stand where something is expected.
const NAMES: [&str; 16] = [
    "jobs",
    "nodes",
    "errors",
    "job_id",
    "comment",
    "job_state",
    "state",
    "time",
    "exit_code",
    "return_code",
    "signal",
    "steps",
    "number",
    "set",
    "gres",
    "paths",
];

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(json!("usine:0189abcd-0000-7000-8000-000000000004")),
    ];
    leaf.prop_recursive(5, 48, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::vec((proptest::sample::select(&NAMES), inner), 0..6)
                .prop_map(|all| all.into_iter().map(|(name, it)| (name.to_owned(), it)).collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_answer_makes_it_fail_otherwise(value in values()) {
        for answer in [value.clone(), json!({ "jobs": [value], "nodes": [value], "errors": [value] })] {
            let _ = queue::parse(&answer);
            let _ = queue::parse_load(&answer);
            let _ = accounting::parse(&answer);
            let _ = nodes::parse(&answer);
            let _ = submission::parse(&answer);
            let _ = format::Format::newest_in(&answer);
            let _ = format::settled(&answer);
            let _ = format::about(&answer);
            let _ = format::sound(answer);
        }
    }
}
