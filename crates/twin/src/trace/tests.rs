use std::fmt::Write as _;

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

fn told(trace: &Trace) -> String {
    let mut told = String::new();
    for entry in &trace.entries {
        let limit = entry.limit_seconds.map_or_else(|| "-".to_owned(), |it| it.to_string());
        let names = [entry.user, entry.account, entry.queue, entry.class];
        let names = names.map(|id| trace.names.name(id)).join("/");
        let Entry { submit, run_seconds, nodes, cores, gpus, .. } = entry;
        let _ = writeln!(
            told,
            "at {submit} for {run_seconds} of {limit}: {nodes} nodes {cores} cores {gpus} gpus, {names}"
        );
    }
    told + &format!("{:?}", trace.skipped)
}

fn check(format: Format, text: &str, expected: Expect) {
    expected.assert_eq(&match read(text.as_bytes(), format) {
        Ok(trace) => told(&trace),
        Err(error) => error.to_string(),
    });
}

const SACCT: &str = "\
JobID|User|Account|Partition|State|Submit|Elapsed|Timelimit|ReqTRES|AllocTRES|
100|ada|lab|gpu|COMPLETED|2026-01-01T00:00:10|01:00:00|1-02:03:04|billing=8,cpu=8,node=1|billing=8,cpu=16,gres/gpu=4,gres/gpu:a100=4,mem=64G,node=1|
100.batch||lab||COMPLETED|2026-01-01T00:00:10|01:00:00|||cpu=16,node=1|
100.0||lab||COMPLETED|2026-01-01T00:00:11|00:59:00|||cpu=16,node=1|
101_3|bob|lab|gpu|CANCELLED by 1001|2026-01-01T00:00:20|00:00:00|UNLIMITED|cpu=1,node=1||
102|bob|lab|gpu|RUNNING|2026-01-01T00:00:30|02:00:00|10:00|cpu=1,node=1|cpu=1,node=1|
103|eve|firm|gpu|REQUEUED|2026-01-01T00:00:40|30:00|Partition_Limit|cpu=4,node=2|cpu=4,node=2|
103|eve|firm|gpu|NODE_FAIL|2026-01-01T01:00:40|10:00.500|Partition_Limit|cpu=4,node=2|cpu=4,gres/gpu:h100=2,node=2|
";

#[test]
fn sacct_is_read_by_its_heading_without_steps_and_with_attempts_added_up() {
    check(
        Format::Sacct,
        SACCT,
        expect![[r#"
            at 1767225610 for 3600 of 93784: 1 nodes 16 cores 4 gpus, ada/lab/gpu/
            at 1767225640 for 2400 of -: 2 nodes 4 cores 2 gpus, eve/firm/gpu/
            Skipped { steps: 2, not_run: 1, unfinished: 1, requeued: 1 }"#]],
    );
}

#[test]
fn raw_columns_of_sacct_serve_as_well_in_any_order() {
    check(
        Format::Sacct,
        "NCPUS|TimelimitRaw|ElapsedRaw|Submit|State|JobIDRaw|NNodes\n\
         128|1440|77|1767225610|OUT_OF_ME+|7|2\n",
        expect![[r#"
            at 1767225610 for 77 of 86400: 2 nodes 128 cores 0 gpus, ///
            Skipped { steps: 0, not_run: 0, unfinished: 0, requeued: 0 }"#]],
    );
}

#[test]
fn what_is_wrong_in_sacct_is_named_by_line_and_column() {
    check(
        Format::Sacct,
        "JobID|Submit|Elapsed|State|NNodes\n1|yesterday|00:01|COMPLETED|1\n",
        expect!["2:3: an instant such as 2026-01-31T23:59:59 is expected, not `yesterday`"],
    );
    check(
        Format::Sacct,
        "JobID|Submit|Elapsed|State|AllocTRES\n1|2026-01-01T00:00:00|00:01|COMPLETED|cpu=8,gres/gpu=four\n",
        expect!["2:54: a whole number up to 100000000 is expected, not `four`"],
    );
    check(
        Format::Sacct,
        "JobID|Submit|Elapsed|State|NNodes\n1|2026-01-01T00:00:00|00:01|DONE|1\n",
        expect!["2:29: a state of Slurm, such as COMPLETED is expected, not `DONE`"],
    );
    check(
        Format::Sacct,
        "JobID|Submit|State\n",
        expect![
            "1:1: the heading has no column `Elapsed` or `ElapsedRaw`; it has JobID, Submit, State"
        ],
    );
    check(
        Format::Sacct,
        "JobID|Submit|State|Elapsed|NCPUS\n",
        expect!["the log holds no job that ran"],
    );
}

#[test]
fn the_published_gpu_traces_are_read_by_their_headings() {
    check(
        Format::Gpu,
        "job_id,vc,submit_s_since_first_job_of_vc,gpus,duration_s\n1,0e4a51,0,1,16482\n",
        expect![[r#"
            at 0 for 16482 of -: 0 nodes 0 cores 1 gpus, /0e4a51//
            Skipped { steps: 0, not_run: 0, unfinished: 0, requeued: 0 }"#]],
    );
    check(
        Format::Gpu,
        "job_id,user,vc,jobname,gpu_num,cpu_num,node_num,state,submit_time,start_time,end_time,duration,queue\n\
         7,u1,vc3,\"train, \"\"big\"\"\",8,64,1,COMPLETED,2020-04-01 00:00:10,2020-04-01 00:01:10,2020-04-01 01:01:10,3600,60\n\
         8,u1,vc3,x,8,64,1,RUNNING,2020-04-01 00:00:10,,,,\n",
        expect![[r#"
            at 1585699210 for 3600 of -: 1 nodes 64 cores 8 gpus, u1/vc3//
            Skipped { steps: 0, not_run: 0, unfinished: 1, requeued: 0 }"#]],
    );
    check(
        Format::Gpu,
        "job_id,user,node_num,gpu_num,cpu_num,mem_per_pod_GB,shared_mem_per_pod,type,state,submit_time,start_time,end_time,fail_time,stop_time,duration,queue,gpu_time\n\
         d1,u9,8,64,960,1000,100.0,Pretrain,FAILED,2023-05-17 11:00:58+00:00,2023-05-17 11:01:08+00:00,,,,120.9,10.0,7680\n",
        expect![[r#"
            at 1684321258 for 120 of -: 8 nodes 960 cores 64 gpus, u9//Pretrain/
            Skipped { steps: 0, not_run: 0, unfinished: 0, requeued: 0 }"#]],
    );
}

#[test]
fn quotes_that_do_not_end_are_named() {
    check(
        Format::Gpu,
        "submit_time,duration,gpu_num\n0,1,\"2\n",
        expect!["2:5: a closing quote is expected, not `\"2`"],
    );
    check(
        Format::Gpu,
        "submit_time,duration,gpu_num\n0,\"1\"x,2\n",
        expect!["2:6: a comma after the closing quote is expected, not `x,2`"],
    );
}

#[test]
fn the_hubs_history_survives_writing_and_reading() {
    let trace = read(SACCT.as_bytes(), Format::Sacct).unwrap();
    let mut written = Vec::new();
    write_history(&mut written, &trace).unwrap();
    let again = read(written.as_slice(), Format::History).unwrap();
    assert_eq!(again.entries.len(), trace.entries.len());
    check(
        Format::History,
        str::from_utf8(&written).unwrap(),
        expect![[r#"
            at 1767225610 for 3600 of 93784: 1 nodes 16 cores 4 gpus, ada/lab/gpu/
            at 1767225640 for 2400 of -: 2 nodes 4 cores 2 gpus, eve/firm/gpu/
            Skipped { steps: 0, not_run: 0, unfinished: 0, requeued: 0 }"#]],
    );
    check(
        Format::History,
        "submitted,started,ended,gpus\n2026-01-01T00:00:00Z,2026-01-01T00:00:09Z,2026-01-01T00:00:01Z,1",
        expect![
            "2:43: an end that is not before the start is expected, not `2026-01-01T00:00:01Z`"
        ],
    );
}

#[test]
fn the_standard_workload_format_is_a_trace_too() {
    check(
        Format::Swf,
        "1 5 0 10 4 -1 -1 8 60 -1 1 3 2 -1 1 -1 -1 -1\n2 6 0 -1 4 -1 -1 8 60 -1 1 3 2 -1 1 -1 -1 -1\n",
        expect![[r#"
            at 5 for 10 of 60: 0 nodes 8 cores 0 gpus, 3/2/1/
            Skipped { steps: 0, not_run: 1, unfinished: 0, requeued: 0 }"#]],
    );
}

#[test]
fn a_hostile_file_is_refused_before_it_costs_memory() {
    let endless = format!("JobID|{}", "x".repeat(2 * LINE_BYTES_MAX));
    check(Format::Sacct, &endless, expect!["1:1: the line is longer than 65536 bytes"]);
    let wide = "a|".repeat(COLUMNS_MAX + 1);
    check(Format::Sacct, &wide, expect!["1:1: there are more than 256 columns"]);
    check(
        Format::History,
        "submitted,started,ended,gpus\n1,2,3,4,5,6,7\n",
        expect!["2:1: the row has 7 fields, the heading 4"],
    );
    check(
        Format::History,
        "submitted,started,ended,gpus\n1,2,99999999999999999999,4\n",
        expect![
            "2:5: an instant such as 2026-01-31T23:59:59 is expected, not `99999999999999999999`"
        ],
    );
}

const FORMATS: [Format; 4] = [Format::Swf, Format::Sacct, Format::Gpu, Format::History];

fn heading(format: Format) -> &'static str {
    match format {
        Format::Swf => "",
        Format::Sacct => "JobID|Submit|Elapsed|State|Timelimit|AllocTRES\n",
        Format::Gpu => "submit_time,duration,gpu_num,state,node_num\n",
        Format::History => "submitted,started,ended,gpus,time_limit_seconds\n",
    }
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        for format in FORMATS {
            let _ = read(bytes.as_slice(), format);
        }
    }

    #[test]
    fn nor_do_rows_that_look_almost_right(
        rows in "([0-9TZ:.|,+\"=-]|COMPLETED|REQUEUED|cpu|node|gres/gpu|UNLIMITED|2026-01-01T00:00:00|\n){0,60}",
    ) {
        for format in FORMATS {
            let text = format!("{}{rows}", heading(format));
            if let Ok(trace) = read(text.as_bytes(), format) {
                prop_assert!(trace.entries.iter().all(|entry| entry.run_seconds > 0));
                prop_assert!(trace.entries.is_sorted_by_key(|entry| entry.submit));
            }
        }
    }

    #[test]
    fn durations_of_slurm_are_what_they_print(seconds in 0_i64..10_000_000) {
        let (days, rest) = (seconds / 86_400, seconds % 86_400);
        let (hours, minutes, last) = (rest / 3_600, rest / 60 % 60, rest % 60);
        let text = format!(
            "JobID|Submit|Elapsed|State|NNodes\n1|5|{days}-{hours:02}:{minutes:02}:{last:02}|TIMEOUT|1\n"
        );
        match read(text.as_bytes(), Format::Sacct) {
            Ok(trace) => prop_assert_eq!(trace.entries[0].run_seconds, seconds),
            Err(error) => prop_assert!(seconds == 0 && matches!(error, TraceError::Empty)),
        }
    }
}
