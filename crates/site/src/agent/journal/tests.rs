use std::io::Write as _;

use units::EventId;

use super::*;
use crate::protocol::{EventBody, Stream};

fn job() -> JobId {
    "018f2a6e-7c2b-7d1e-9a51-0b7c2f6f9a10".parse().unwrap()
}

fn log(offset: u64, text: &str) -> Entry {
    let what = format!("log/{offset}");
    let body = EventBody::Log { stream: Stream::Stdout, offset, bytes: text.into() };
    let key: EventId = crate::agent::key::event(job(), &what);
    Event { key, job: job(), at: "2026-01-01T00:00:00Z".parse().unwrap(), body }.into()
}

#[test]
fn what_the_hub_has_not_taken_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(Disk::default(), folder.path()).unwrap();
    journal.append(vec![log(0, "ab"), log(2, "cd")]).unwrap();
    journal.append(vec![log(4, "ef")]).unwrap();
    journal.taken(1).unwrap();
    drop(journal);
    for _ in 0..3 {
        let journal = Journal::open(Disk::default(), folder.path()).unwrap();
        assert_eq!(journal.waiting(9), [log(2, "cd").event, log(4, "ef").event]);
        assert_eq!(journal.mark(job()).stdout_bytes, 6);
        assert!(!journal.is_taken(job()));
    }
    let journal = Journal::open(Disk::default(), folder.path()).unwrap();
    journal.taken(2).unwrap();
    drop(journal);
    let journal = Journal::open(Disk::default(), folder.path()).unwrap();
    assert!(journal.waiting(9).is_empty());
    assert!(journal.is_taken(job()));
    assert_eq!(journal.mark(job()).stdout_bytes, 6, "what was told is remembered");
}

#[test]
fn a_line_that_a_crash_cut_short_was_never_written() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(Disk::default(), folder.path()).unwrap();
    journal.append(vec![log(0, "ab")]).unwrap();
    drop(journal);
    let (_, path) = segment::list(&Disk::default(), folder.path()).unwrap().pop().unwrap();
    let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(br#"{"event":{"key":"#).unwrap();
    drop(file);
    let journal = Journal::open(Disk::default(), folder.path()).unwrap();
    journal.append(vec![log(2, "cd")]).unwrap();
    drop(journal);
    let journal = Journal::open(Disk::default(), folder.path()).unwrap();
    assert_eq!(journal.waiting(9), [log(0, "ab").event, log(2, "cd").event]);
}

#[test]
fn segments_that_the_hub_has_are_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(Disk::default(), folder.path()).unwrap();
    let large = "x".repeat(1 << 20);
    for offset in 0..12 {
        journal.append(vec![log(offset << 20, &large)]).unwrap();
    }
    let files = || segment::list(&Disk::default(), folder.path()).unwrap().len();
    assert!(files() > 2, "one segment holds all");
    journal.taken(11).unwrap();
    assert!(files() <= 2, "{} segments are left", files());
    drop(journal);
    let journal = Journal::open(Disk::default(), folder.path()).unwrap();
    assert_eq!(journal.waiting(99).len(), 1);
    let more = (12..20).map(|offset| log(offset << 20, &large)).collect();
    journal.append(more).unwrap();
    assert_eq!(journal.waiting(99).len(), 2, "a message grew too long");
    assert_eq!(journal.mark(job()).stdout_bytes, 20 << 20);
}

#[test]
fn what_an_agent_of_before_noted_of_each_job_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let older = r#"{"events":1,"marks":{"018f2a6e-7c2b-7d1e-9a51-0b7c2f6f9a10":
        {"accepted":true,"started":true,"over":false,"stdout_bytes":7,"stderr_bytes":0,
         "metrics_bytes":0,"outputs":[]}}}"#;
    std::fs::write(folder.path().join("taken.json"), older).unwrap();
    for round in 1..=2 {
        let journal = Journal::open(Disk::default(), folder.path()).unwrap();
        let mark = journal.mark(job());
        assert!(mark.accepted && mark.started && mark.stdout_bytes >= 7, "{round}: {mark:?}");
        journal.append(vec![log(7, "ab")]).unwrap();
        journal.taken(1).unwrap();
    }
}
