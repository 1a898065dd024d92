//! `scontrol show`: what the cluster is, whether it can be worked with, and what is reserved.

use super::columns::lines;
use crate::Error;
use crate::slurm::process::Invocation;
use crate::slurm::text;
use crate::slurm::transport::{About, Reservation};

pub(super) fn build() -> Invocation {
    Invocation::new("scontrol", ["show", "config"])
}

/// # Errors
/// [`Error::Refused`], naming the line that `slurm.conf` lacks.
pub(super) fn parse(answer: &[u8]) -> Result<About, Error> {
    let value = |name: &str| {
        lines(answer)
            .filter_map(|line| str::from_utf8(line).ok()?.split_once('='))
            .find_map(|(key, value)| (key.trim() == name).then(|| value.trim().to_owned()))
    };
    let missing = |name: &str| Error::Unclear {
        asked: "scontrol".into(),
        answer: format!("no {name} in `show config`"),
    };
    let storage = value("AccountingStorageType").ok_or_else(|| missing("AccountingStorageType"))?;
    if !storage.ends_with("slurmdbd") {
        return Err(lacks("AccountingStorageType=accounting_storage/slurmdbd", &storage));
    }
    let flags = value("AccountingStoreFlags").unwrap_or_default();
    if !flags.split(',').any(|flag| flag.trim() == "job_comment") {
        return Err(lacks("AccountingStoreFlags=job_comment", &flags));
    }
    Ok(About {
        cluster: value("ClusterName").ok_or_else(|| missing("ClusterName"))?,
        version: value("SLURM_VERSION").ok_or_else(|| missing("SLURM_VERSION"))?,
        min_job_age_seconds: value("MinJobAge")
            .and_then(|age| text::number(age.trim_end_matches(" sec")))
            .ok_or_else(|| missing("MinJobAge"))?,
    })
}

/// Asks for what is reserved.
pub(super) fn build_reservations() -> Invocation {
    Invocation::new("scontrol", ["show", "reservation", "--oneliner"])
}

/// What is reserved; a line that says that nothing is tells of none.
pub(super) fn parse_reservations(answer: &[u8]) -> Vec<Reservation> {
    lines(answer).filter_map(|line| reservation(&String::from_utf8_lossy(line))).collect()
}

fn reservation(line: &str) -> Option<Reservation> {
    let value =
        |name: &str| line.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
    let instant = |name: &str| text::instant(value(name)?).ok().flatten();
    Some(Reservation {
        name: value("ReservationName")?.to_owned(),
        from: instant("StartTime")?,
        until: instant("EndTime")?,
        nodes: value("Nodes").filter(|nodes| *nodes != "(null)").unwrap_or_default().to_owned(),
        maintenance: value("Flags")?.split(',').any(|flag| flag == "MAINT"),
    })
}

fn lacks(line: &str, found: &str) -> Error {
    let name = line.split('=').next().unwrap_or(line);
    let found = if found.is_empty() { "not there" } else { found };
    Error::Refused(format!(
        "jobs could not be found again after a crash: add `{line}` to slurm.conf (its {name} is \
         {found}) and restart slurmctld"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// From what Slurm 22.05.8 prints.
    const ANSWER: &str = "\
Configuration data as of 1795292165
AccountingStorageType   = accounting_storage/slurmdbd
AccountingStoreFlags    = job_comment,job_env
ClusterName             = bee
MinJobAge               = 600 sec
SLURM_VERSION           = 22.05.8
";

    #[test]
    fn a_cluster_tells_its_name_and_version() {
        let about = parse(ANSWER.as_bytes()).unwrap();
        assert_eq!((about.cluster.as_str(), about.version.as_str()), ("bee", "22.05.8"));
        assert_eq!(about.min_job_age_seconds, 600);
    }

    #[test]
    fn the_line_that_is_missing_is_named() {
        let without = ANSWER.replace("job_comment,", "");
        let error = parse(without.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("AccountingStoreFlags=job_comment"), "{error}");
        let without = ANSWER.replace("accounting_storage/slurmdbd", "accounting_storage/none");
        let error = parse(without.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("accounting_storage/slurmdbd"), "{error}");
        assert!(matches!(parse(b""), Err(Error::Unclear { .. })));
    }

    /// As Slurm 22.05.8 told it.
    const RESERVED: &str = "\
ReservationName=service StartTime=1795309125 EndTime=1795316325 Duration=02:00:00 Nodes=m-[1-4] \
NodeCnt=4 CoreCnt=64 Features=(null) PartitionName=(null) Flags=MAINT,IGNORE_JOBS,SPEC_NODES \
TRES=cpu=64 Users=root Groups=(null) Accounts=(null) Licenses=(null) State=INACTIVE
";

    #[test]
    fn what_is_reserved_has_its_time_and_nodes() {
        let reserved = parse_reservations(RESERVED.as_bytes());
        let [one] = &reserved[..] else { panic!("{reserved:?}") };
        assert_eq!((one.name.as_str(), one.nodes.as_str()), ("service", "m-[1-4]"));
        assert_eq!(one.until.as_second() - one.from.as_second(), 7_200);
        assert!(one.maintenance);
        assert!(parse_reservations(b"No reservations in the system\n").is_empty());
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_fail_otherwise(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_reservations(&bytes);
            let _ = parse(&bytes);
        }
    }
}
