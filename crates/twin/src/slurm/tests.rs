//! Small machines in the words of Slurm, and what the core makes of them.

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

const CONF: &str = "\
ClusterName=mill   # where the flour is
SlurmctldPort=6817
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=bf_interval=1,bf_resolution=1,bf_continue,defer
PriorityType=priority/multifactor
PriorityWeightQOS=1000
PriorityWeightFairshare=100
AccountingStorageEnforce=limits,qos
NodeName=DEFAULT CPUs=8 RealMemory=8000
NodeName=n[1-2] Weight=5
NodeName=g1 \\
  CPUs=16 Gres=gpu:a100:4(S:0-1)
PartitionName=batch Nodes=n[1-2] MaxTime=1-0 Default=YES
PartitionName=gpu Nodes=g1 TRESBillingWeights=\"CPU=1.0,GRES/gpu=16.0\"
";
const ASSOCIATIONS: &str = "\
Cluster|Account|User|ParentName|Share|GrpTRES|MaxJobs|GrpWall
mill|root|||1|||
mill|root|root||1|||
mill|science||root|3|||
mill|physics||science|1|cpu=12||
mill|physics|ann||1||2|
mill|physics|ben||1||2|1-00:00:00
other|physics|eve||1|||
";
const QOS: &str = "\
Name|Priority|GraceTime|Preempt|PreemptMode|Flags|UsageFactor|MaxWall|MaxTRESPU
normal|0|00:00:00||cluster||1.000000||
high|10|00:00:00|normal|cluster|DenyOnLimit,NoReserve|1.000000|01:00:00|gres/gpu=2
";

fn site() -> Site {
    Site::read(CONF, ASSOCIATIONS, QOS).unwrap()
}

fn refused(conf: &str, associations: &str, qos: &str, expected: &Expect) {
    let error = Site::read(conf, associations, qos).unwrap_err();
    expected.assert_eq(&format!("{:?} {error}", error.part()));
}

#[test]
fn what_is_not_taken_into_account_is_named_line_by_line() {
    let notes: Vec<String> =
        site().notes.iter().map(|note| format!("{:?} {note}", note.part)).collect();
    expect![[r#"
        Conf 5: defer of SchedulerParameters is not taken into account
        Conf 11: Weight=5 is not taken into account
        Associations 7: GrpWall=1-00:00:00 is not taken into account
        Qos 3: the flag NoReserve is not taken into account"#]]
    .assert_eq(&notes.join("\n"));
}

#[test]
fn a_text_that_cannot_be_meant_is_refused_with_its_line() {
    refused(
        "NodeName=n[1-",
        ASSOCIATIONS,
        QOS,
        &expect!["Conf 1:10: names such as n[1-4] is expected, not `n[1-`"],
    );
    refused(
        "NodeName=n1\nPartitionName=p Nodes=n[1-2]",
        ASSOCIATIONS,
        QOS,
        &expect!["Conf 2:1: no node is called n2"],
    );
    refused(
        "PriorityType=priority/multifactor\nPriorityWeightAge=much",
        ASSOCIATIONS,
        QOS,
        &expect!["Conf 2:19: a whole number is expected, not `much`"],
    );
    refused(
        "PreemptType=preempt/qos\nPreemptMode=SUSPEND,GANG",
        ASSOCIATIONS,
        QOS,
        &expect!["Conf 2:13: OFF, REQUEUE or CANCEL is expected, not `SUSPEND,GANG`"],
    );
    refused(
        CONF,
        "Account|User|ParentName|Share\nphysics||science|1\n",
        QOS,
        &expect!["Associations 2:1: no account is called science"],
    );
    refused(
        CONF,
        "Account|User|Share\nphysics||1\n",
        QOS,
        &expect![
            "Associations 1:1: the heading has no column `ParentName` or `Par Name`; it has Account, User, Share"
        ],
    );
    refused(
        CONF,
        ASSOCIATIONS,
        "Name|Priority|GrpTRES\nhigh|1|cpu=lots\n",
        &expect!["Qos 2:12: a whole amount such as 48 or 100G is expected, not `lots`"],
    );
}

/// Rows for jobs on `batch`, each `id submitted started ended cores user qos`.
fn told(rows: &[(u64, i64, &str, i64, u32, &str, &str)]) -> String {
    let mut text =
        "JobID|Submit|Start|End|State|Timelimit|ReqTRES|User|Account|Partition|QOS\n".to_owned();
    for (id, submit, start, end, cores, user, qos) in rows {
        let state = if start.is_empty() { "CANCELLED by 0" } else { "COMPLETED" };
        let row = format!(
            "{id}|{submit}|{start}|{end}|{state}|00:01:00|cpu={cores},mem=64M,node=1|{user}|physics|batch|{qos}\n"
        );
        text.push_str(&row);
    }
    text
}

fn predicted(text: &str) -> (Vec<Option<i64>>, Vec<String>) {
    let jobs = read_jobs(text.as_bytes(), Part::Jobs).unwrap().jobs;
    let prediction = predict(&site(), &jobs, Habits::default()).unwrap();
    (prediction.starts, prediction.notes.iter().map(ToString::to_string).collect())
}

#[test]
fn limits_classes_and_withdrawals_decide_as_they_do_in_slurm() {
    let text = told(&[
        // Eight cores on each of two nodes, of which physics may hold twelve.
        (1, 0, "0", 10, 8, "ann", "normal"),
        (2, 0, "", 5, 8, "ann", "normal"),
        (3, 1, "12", 20, 8, "ann", "normal"),
        (4, 1, "10", 12, 8, "ben", "high"),
        (5, 2, "2", 4, 4, "ben", "normal"),
    ]);
    // The account's limit keeps 2, 3 and 4 back while 1 runs; 2 is withdrawn; then 4 is of the
    // higher class.
    let starts = [Some(0), None, Some(12), Some(10), Some(2)];
    assert_eq!(predicted(&text), (starts.to_vec(), Vec::new()));
}

#[test]
fn jobs_that_the_machine_does_not_know_are_left_out_by_name() {
    let text = told(&[
        (1, 0, "0", 10, 8, "zoe", "normal"),
        (2, 0, "0", 5, 8, "ann", "odd"),
        (3, 0, "0", 5, 80, "ann", "normal"),
        (4, 0, "0", 5, 8, "ann", "normal"),
    ]);
    let (starts, notes) = predicted(&text);
    assert_eq!(starts, [None, None, None, Some(0)]);
    expect![[r#"
        2: job 1 is left out: zoe is not in account physics
        3: job 2 is left out: there is no class odd
        4: job 3 is left out: the job would not fit if all of the partition were free"#]]
    .assert_eq(&notes.join("\n"));
}

#[test]
fn partitions_that_share_nodes_are_refused_once_both_are_used() {
    let conf = format!("{CONF}PartitionName=all Nodes=ALL\n");
    let site = Site::read(&conf, ASSOCIATIONS, QOS).unwrap();
    let one = told(&[(1, 0, "0", 10, 8, "ann", "normal")]);
    let both = format!("{one}2|0|0|9|COMPLETED|1|cpu=1,node=1|ann|physics|all|normal\n");
    let both = both.replace("|1|cpu", "|00:01:00|cpu");
    assert!(
        predict(&site, &read_jobs(one.as_bytes(), Part::Jobs).unwrap().jobs, Habits::default())
            .is_ok()
    );
    let error =
        predict(&site, &read_jobs(both.as_bytes(), Part::Jobs).unwrap().jobs, Habits::default())
            .unwrap_err();
    expect!["14:1: the jobs use partitions all and batch, which share nodes: leave the jobs of one of them out"]
        .assert_eq(&error.to_string());
}

proptest! {
    #[test]
    fn no_text_makes_a_reader_panic(
        conf in "([A-Za-z0-9=\\[\\],:.\"#\\\\ -]|NodeName=n\\[1-3\\] |PartitionName=p Nodes=ALL |PriorityType=priority/multifactor\n|SchedulerParameters=bf_interval=|Gres=gpu:|\n){0,40}",
        table in "([0-9A-Za-z=|,.:/-]|root|cpu=|gres/gpu=|mem=1G|2026-01-01T00:00:00|COMPLETED|\n){0,40}",
    ) {
        let _ = Site::read(&conf, ASSOCIATIONS, QOS);
        let (associations, qos) =
            (ASSOCIATIONS.lines().next().unwrap(), QOS.lines().next().unwrap());
        let _ = Site::read(CONF, &format!("{associations}\n{table}"), QOS);
        let _ = Site::read(CONF, ASSOCIATIONS, &format!("{qos}\n{table}"));
        let _ = Site::read(&conf, &table, &table);
        if let Ok(jobs) = read_jobs(format!("{}{table}", told(&[])).as_bytes(), Part::Jobs) {
            let _ = predict(&site(), &jobs.jobs, Habits::default());
        }
    }

    #[test]
    fn nor_do_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = read_jobs(bytes.as_slice(), Part::Jobs);
        let text = String::from_utf8_lossy(&bytes);
        let _ = Site::read(&text, &text, &text);
    }
}

/// What `cargo xtask compare slurm` dumped of a real cluster: 300 jobs that slept on eight nodes
/// under Slurm 22.05.8, submitted over ten minutes.
#[test]
fn the_starts_of_a_real_slurm_are_foretold_closely() {
    let site = Site::read(
        include_str!("recorded/slurm.conf"),
        include_str!("recorded/associations.txt"),
        include_str!("recorded/qos.txt"),
    )
    .unwrap();
    let observed = read_jobs(include_bytes!("recorded/jobs.txt").as_slice(), Part::Jobs).unwrap();
    // slurmctld was started on 2026-11-21 at 17:36:26.
    let habits = Habits { settle_seconds: 1, booted: Some(1_795_282_586) };
    let prediction = predict(&site, &observed.jobs, habits).unwrap();
    assert!(prediction.notes.is_empty(), "{:?}", prediction.notes);
    let agreement = Agreement::of(&observed.jobs, &prediction);
    assert_eq!(agreement.jobs, 300);
    assert!(agreement.error_seconds_median <= 2, "{agreement:#?}");
    assert!(agreement.share_of_pairs_in_order > 0.95, "{agreement:#?}");
    assert!(agreement.kendall_tau > 0.9, "{agreement:#?}");
    let waits = agreement.predicted_wait_seconds_mean / agreement.wait_seconds_mean;
    assert!((0.75..1.25).contains(&waits), "{agreement:#?}");
}
