use units::AllocationId;

use super::*;
use crate::allocation::change::Before;
use crate::testing::allocation;

fn hours(count: i64) -> Work {
    Work::hours(count).unwrap()
}

fn second() -> Allocation {
    let id: AllocationId = "01930000-0000-7000-8000-00000000beef".parse().unwrap();
    Allocation { id, ..allocation() }
}

fn told(change: impl FnOnce(&mut Between<'_>), taker: &Allocation, asked: Work) -> Vec<String> {
    let giver = allocation();
    let mode: Slug = "playground".parse().unwrap();
    let now = "2026-12-01T00:00:00Z".parse().unwrap();
    let changing = Changing { allocation: &giver, rules: &[], before: Before::default(), now };
    let mut between = Between {
        giver: changing,
        giver_mode: &mode,
        taker,
        taker_mode: &mode,
        one_organisation: true,
        available: hours(1_000),
    };
    change(&mut between);
    let refusals = transfer(&between, asked).err().unwrap_or_default();
    refusals.iter().map(|it| format!("[{}] {it}", it.rule)).collect()
}

#[test]
fn hours_stay_with_their_partition_mode_and_organisation() {
    assert_eq!(told(|_| {}, &second(), hours(1_000)), Vec::<String>::new());
    let elsewhere = Allocation { partition: "lumi-ai.gpu".parse().unwrap(), ..second() };
    assert_eq!(
        told(|_| {}, &elsewhere, hours(10)),
        ["[allocation.partition] one is on meluxina-ai.gpu, the other on lumi-ai.gpu; \
          each hour belongs to the payers of its partition"]
    );
    let other: Slug = "fast-lane".parse().unwrap();
    let giver_mode: Slug = "playground".parse().unwrap();
    assert!(told(|_| {}, &allocation(), hours(10))[0].contains("both are the same"));
    let strangers = told(|it| it.one_organisation = false, &second(), hours(10));
    assert!(strangers[0].contains("two organisations"), "{strangers:?}");
    let giver = allocation();
    let now = "2026-12-01T00:00:00Z".parse().unwrap();
    let changing = Changing { allocation: &giver, rules: &[], before: Before::default(), now };
    let taker = second();
    let modes = Between {
        giver: changing,
        giver_mode: &giver_mode,
        taker: &taker,
        taker_mode: &other,
        one_organisation: true,
        available: hours(10),
    };
    assert_eq!(transfer(&modes, hours(1)).unwrap_err()[0].rule, "allocation.mode");
}

#[test]
fn only_what_is_available_moves_between_awards_that_last() {
    let more = told(|_| {}, &second(), hours(1_001));
    assert_eq!(
        more,
        ["[allocation.hours] 1 001.00 GPU-h are to move; 1 000.00 GPU-h are available"]
    );
    let ended = Allocation { closed_at: "2026-11-25T00:00:00Z".parse().ok(), ..second() };
    assert!(told(|_| {}, &ended, hours(1))[0].contains("it was closed"));
    assert!(told(|_| {}, &second(), Work::ZERO)[0].contains("at least one hour"));
}
