use proptest::prelude::*;

use super::*;

const HEADING: &str = "JobIDRaw|JobID|Submit|Start|End|State|ElapsedRaw|Suspended|TimelimitRaw|\
    AllocTRES|ConsumedEnergyRaw|User|Account|Partition|Cluster|Comment";

fn read(rows: &str, zone: &str) -> Result<Vec<Run>, TraceError> {
    let text = format!("{HEADING}\n{rows}");
    let mut runs = Runs::open(text.as_bytes(), TimeZone::get(zone).unwrap())?;
    let mut found = Vec::new();
    while let Some(run) = runs.next_run()? {
        found.push(run);
    }
    Ok(found)
}

const TRES: &str = "billing=8,cpu=8,energy=4200,gres/gpu:a100=2,gres/gpu=2,mem=1.50G,node=2";

#[test]
fn a_run_is_told_with_what_it_held_and_steps_are_passed_over() {
    let rows = format!(
        "9|7_2|100|110|170|COMPLETED|50|00:00:10|60|{TRES}|4200|ann|usine_a1|gpu|here|x\n\
         9.batch|7_2.batch|100|110|170|COMPLETED|60|00:00:00||cpu=4|1||||here|\n"
    );
    let runs = read(&rows, "UTC").unwrap();
    let [run] = &runs[..] else { panic!("{runs:?}") };
    assert_eq!((run.number, run.label.as_str(), run.line), (9, "7_2", 2));
    assert_eq!((run.submitted, run.started, run.ended), (100, Some(110), Some(170)));
    assert_eq!((run.ran_seconds, run.suspended_seconds), (50, 10));
    assert_eq!(run.limit_seconds, Some(3_600));
    assert_eq!((run.nodes, run.cores, run.memory_mb, run.gpus), (2, 8, 1_536, 2));
    assert_eq!((run.energy_joules, run.tres.as_str()), (Some(4_200), TRES));
    assert_eq!((run.user.as_str(), run.account.as_str()), ("ann", "usine_a1"));
    assert_eq!((run.cluster.as_deref(), run.comment.as_deref()), (Some("here"), Some("x")));
}

#[test]
fn each_time_that_a_job_was_put_back_in_the_queue_is_a_run() {
    let rows = "7|7|100|110|120|REQUEUED|10|00:00:00|UNLIMITED|cpu=1,node=1||ann|a|p|c|\n\
                7|7|121|130|131|NODE_FAIL|1|00:00:00|UNLIMITED|cpu=1,node=1|0|ann|a|p|c|\n\
                7|7|132|140|Unknown|RUNNING|5|00:00:00|UNLIMITED|cpu=1,node=1||ann|a|p|c|\n";
    let runs = read(rows, "UTC").unwrap();
    let told: Vec<_> =
        runs.iter().map(|run| (run.submitted, run.ended, run.state.as_str())).collect();
    let expected =
        [(100, Some(120), "REQUEUED"), (121, Some(131), "NODE_FAIL"), (132, None, "RUNNING")];
    assert_eq!(told, expected);
    assert!(runs.iter().all(|run| run.energy_joules.is_none() && run.limit_seconds.is_none()));
}

#[test]
fn a_job_that_was_withdrawn_from_the_queue_never_started() {
    let row = "7|7|100|120|120|CANCELLED by 1000|0|00:00:00|5|||ann|a|p|c|\n";
    let [run] = &read(row, "UTC").unwrap()[..] else { panic!("one run") };
    assert_eq!((run.started, run.ended, run.state.as_str()), (None, Some(120), "CANCELLED"));
    assert_eq!((run.nodes, run.ran_seconds), (0, 0));
}

#[test]
fn gpus_are_counted_by_type_where_slurm_does_not_count_them_all() {
    let of = |tres: &str| {
        let row = format!("7|7|1|2|3|COMPLETED|1|00:00:00|5|{tres}||ann|a|p|c|\n");
        read(&row, "UTC").unwrap().remove(0).gpus
    };
    assert_eq!(of("cpu=1,gres/gpu:a=2,gres/gpu:b=1,node=1"), 3);
    assert_eq!(of("cpu=1,gres/gpu:a=2,gres/gpu=2,node=1"), 2);
    assert_eq!(of("cpu=1,node=1"), 0);
}

#[test]
fn dates_are_of_the_zone_of_the_cluster_through_the_changes_of_the_clock() {
    let row = |at: &str| format!("7|7|{at}|{at}|{at}|COMPLETED|1|00:00:00|5|node=1||ann|a|p|c|\n");
    let at = |text: &str| read(&row(text), "Europe/Berlin").unwrap()[0].submitted;
    let second = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_second();
    assert_eq!(at("2026-03-29T01:59:59"), second("2026-03-29T00:59:59Z"));
    assert_eq!(at("2026-03-29T03:00:00"), second("2026-03-29T01:00:00Z"));
    assert_eq!(at("2026-10-25T03:00:00"), second("2026-10-25T02:00:00Z"));
    assert_eq!(at("2026-10-25T02:30:00+01:00"), second("2026-10-25T01:30:00Z"));
    assert_eq!(at("1792888200"), 1_792_888_200);
}

#[test]
fn what_cannot_be_meant_is_named_by_line_and_column() {
    let wrong = |row: &str| read(row, "UTC").unwrap_err().to_string();
    let good = "7|7|1|2|3|COMPLETED|1|00:00:00|5|node=1||ann|a|p|c|\n";
    let cases = [
        ("7|7|1|2|3|COMPLETE|1|00:00:00|5|node=1||ann|a|p|c|\n", "3:11: a state of Slurm"),
        ("x|7|1|2|3|COMPLETED|1|00:00:00|5|node=1||ann|a|p|c|\n", "3:1: the number of a job"),
        ("7|7|1|2|3|COMPLETED|-1|00:00:00|5|node=1||ann|a|p|c|\n", "3:21: a number of seconds"),
        ("7|7|1|2|Unknown|FAILED|1|00:00:00|5|node=1||ann|a|p|c|\n", "3:9: an instant"),
        ("7|7|1|2|3|COMPLETED|1|00:00:00|5|node||ann|a|p|c|\n", "3:34: a resource such as"),
    ];
    for (row, expected) in cases {
        let found = wrong(&format!("{good}{row}"));
        assert!(found.starts_with(expected), "{found}");
    }
    let missing = Runs::open("JobIDRaw|Submit\n".as_bytes(), TimeZone::UTC).unwrap_err();
    assert!(missing.to_string().contains("`Start`"), "{missing}");
}

proptest! {
    #[test]
    fn no_text_makes_it_fail_otherwise(rows in "[ -~\n]{0,400}") {
        let _ = read(&rows, "Europe/Berlin");
    }

    #[test]
    fn no_field_makes_it_fail_otherwise(field in "[ -~]{0,20}", at in 0_usize..16) {
        let mut fields = [
            "7", "7", "1", "2", "3", "COMPLETED", "1", "00:00:00", "5", "node=1", "", "a", "b", "p", "c", "",
        ];
        fields[at] = &field;
        let _ = read(&fields.join("|"), "UTC");
    }
}
