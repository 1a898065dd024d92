use proptest::prelude::*;

use super::*;
use crate::testing::{day, federation, policy};

fn guess(
    work: &str,
    (parameters, tokens): (&str, &str),
    partition: &str,
) -> Result<Estimate, NoEstimate> {
    let key = partition.parse().unwrap();
    let plan = Plan {
        work: work.to_owned(),
        parameters: parameters.parse().unwrap(),
        tokens: tokens.parse().unwrap(),
        devices: None,
    };
    estimate(&plan, (federation(), &key), (policy(), day("2026-11-22")))
}

#[test]
fn seven_billion_parameters_over_a_hundred_and_forty_billion_tokens() {
    let found = guess("pretrain", ("7B", "140B"), "meluxina-ai.gpu").unwrap();
    // 6 × 7e9 × 140e9 = 5.88e21 operations, at 35 % of 2.5e15 a second: 6.72e6 s.
    assert_eq!((found.device_hours, found.hours), (1_867, 1_867));
    // 112 GB of state in 186 GB.
    assert_eq!((found.devices_min, found.devices, found.elapsed_hours), (1, 1, 1_867));
    assert_eq!(found.meter, Meter::Gpu);
    assert_eq!(
        found.lines.first().unwrap(),
        "6 × 7 000 000 000 parameters × 140 000 000 000 tokens = \
         5 880 000 000 000 000 000 000 operations"
    );
    assert_eq!(found.rule, "policy/estimates.toml#pretrain@2025-12-01");
}

#[test]
fn a_large_model_needs_many_devices_and_nodes_are_counted_where_the_partition_counts_nodes() {
    let found = guess("pretrain", ("70B", "1.4T"), "marenostrum-5.acc").unwrap();
    // 1 120 GB of state in devices of 64 GB.
    assert_eq!(found.devices_min, 18);
    let hours = found.device_hours.div_ceil(4);
    assert_eq!((found.hours, found.meter), (hours, Meter::Node));
    assert_eq!(found.elapsed_hours, found.device_hours.div_ceil(18));
    // Leonardo counts cores: 32 for four devices.
    let cores = guess("adapt", ("7B", "10B"), "leonardo.booster").unwrap();
    assert_eq!((cores.hours, cores.meter), (cores.device_hours * 8, Meter::Core));
}

#[test]
fn what_is_not_known_is_said() {
    let unknown = guess("meluxina", ("7B", "1B"), "meluxina-ai.gpu").unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "`meluxina` is no kind of work; known are pretrain, fine-tune, adapt, infer"
    );
    let device = guess("infer", ("7B", "1B"), "lumi-ai.gpu").unwrap_err().to_string();
    assert!(device.starts_with("lumi-ai.gpu: nothing is known of what AMD MI430X"), "{device}");
}

#[test]
fn counts_are_written_as_people_write_them() {
    let count = |text: &str| text.parse::<Count>().map(Count::get).ok();
    assert_eq!(count("7e9"), Some(7_000_000_000));
    assert_eq!(count("1.5T"), Some(1_500_000_000_000));
    assert_eq!(count("350M"), Some(350_000_000));
    assert_eq!(count("20k"), Some(20_000));
    assert_eq!(count("12"), Some(12));
    for text in ["", "0", "-1", "1.5", "7 B", "B", "1e99", "1e19", "1.23456k", "7Q", "ümlaut"] {
        assert_eq!(count(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn no_text_breaks_the_reading_of_counts(text in "\\PC{0,20}") {
        let _ = text.parse::<Count>();
    }

    #[test]
    fn more_tokens_never_take_fewer_hours(
        parameters in 1u64..1_000_000_000_000, tokens in 1u64..1_000_000_000_000, more in 0u64..1_000_000,
    ) {
        let hours = |tokens: u64| {
            let (parameters, tokens) = (parameters.to_string(), tokens.to_string());
            guess("pretrain", (&parameters, &tokens), "meluxina-ai.gpu").map(|it| it.hours)
        };
        if let (Ok(few), Ok(many)) = (hours(tokens), hours(tokens.saturating_add(more))) {
            prop_assert!(few <= many);
        }
    }
}
