use std::io::Write as _;

use super::*;

fn line(
    id: i64,
    submit: i64,
    run: i64,
    (allocated, requested): (i64, i64),
    estimate: i64,
) -> String {
    format!(
        "{id} {submit} -1 {run} {allocated} -1 -1 {requested} {estimate} -1 1 3 2 -1 -1 -1 -1 -1\n"
    )
}

/// The jobs as `id submit run estimate procs`.
fn told(jobs: &[Job]) -> Vec<String> {
    jobs.iter()
        .map(|job| format!("{} {} {} {} {}", job.id, job.submit, job.run, job.estimate, job.procs))
        .collect()
}

#[test]
fn sanitising_rounds_up_drops_and_numbers_anew() {
    let log = [
        line(10, 500, 60, (5, 8), 90),
        line(11, 400, 60, (5, -1), 30),
        line(12, 450, 0, (5, 8), 30),
        line(13, 450, 10, (0, -1), 30),
        line(14, 450, 10, (1, 101), 30),
        line(9, 500, 60, (1, 96), -1),
    ]
    .concat();
    let sanitised = sanitise(log.as_bytes(), 100, 4).unwrap();
    assert_eq!(told(&sanitised.jobs), ["1 1 60 60 8", "2 101 60 60 96", "3 101 60 90 8"]);
    assert_eq!(sanitised.dropped, 3);
    assert_eq!(sanitised.jobs[0].queue, 1, "an unknown queue counts as the first");
}

#[test]
fn a_clean_log_is_read_as_it_is_and_another_is_refused_by_line() {
    let log = [line(7, 100, 60, (1, 3), 30), line(8, 100, 0, (1, 4), -1)].concat();
    assert_eq!(told(&as_is(log.as_bytes(), 4).unwrap()), ["7 100 60 30 3", "8 100 0 -1 4"]);
    let refused = |bad: String| {
        let log = ["; a comment\n", &log, &bad].concat();
        as_is(log.as_bytes(), 4).unwrap_err().to_string()
    };
    let message = "line 4: the job requests no processors; sanitising would put that right";
    assert_eq!(refused(line(9, 100, 1, (2, 0), 1)), message);
    let message = "line 4: the job requests more processors than the machine has; sanitising would put that right";
    assert_eq!(refused(line(9, 100, 1, (2, 5), 1)), message);
    let message = "line 4: the job has no run time; sanitising would put that right";
    assert_eq!(refused(line(9, 100, -1, (2, 4), 1)), message);
    let message =
        "line 4: the job was submitted before the one above it; sanitising would put that right";
    assert_eq!(refused(line(9, 99, 1, (2, 4), 1)), message);
}

#[test]
fn a_log_without_jobs_is_refused() {
    assert!(matches!(sanitise(&b"; nothing\n"[..], 4, 1), Err(LoadError::Empty)));
    assert!(matches!(as_is(&b""[..], 4), Err(LoadError::Empty)));
    assert!(matches!(sanitise(&b""[..], 4, 8), Err(LoadError::NodeCores { .. })));
}

#[test]
fn a_packed_log_reads_like_a_plain_one_and_a_damaged_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let log: String = (0..2_000).map(|id| line(id, id, 60, (1, 1), 60)).collect();
    let plain = folder.path().join("plain.swf");
    std::fs::write(&plain, &log).unwrap();
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(log.as_bytes()).unwrap();
    let packed = packer.finish().unwrap();
    let zipped = folder.path().join("named-otherwise");
    std::fs::write(&zipped, &packed).unwrap();
    let jobs = |path: &Path| sanitise(open(path).unwrap(), 4, 1);
    assert_eq!(jobs(&plain).unwrap(), jobs(&zipped).unwrap());
    assert_eq!(jobs(&plain).unwrap().jobs.len(), 2_000);
    std::fs::write(&zipped, &packed[..packed.len() / 2]).unwrap();
    assert!(matches!(jobs(&zipped), Err(LoadError::Swf(SwfError::Read { .. }))));
}
