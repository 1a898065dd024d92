//! Scripts written for Slurm, through commands of the same names, beside Slurm's own.

use std::fs;
use std::time::Duration;

use super::{Cluster, There, text, until};
use crate::placement::{ELSEWHERE, two_places};

/// Asks until something is there.
async fn until_some<T>(what: &str, find: impl Fn() -> Option<T>) -> T {
    for _ in 0..600 {
        if let Some(found) = find() {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{what}: waited in vain")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_for_slurm_finds_what_it_asked_for_and_writes_where_it_said() {
    let Some(cluster) = Cluster::new() else { return };
    let there = There::new(&cluster).await;
    let home = there.home.display();
    let script = format!(
        "#!/bin/bash\n#SBATCH -J probe --ntasks=2 --cpus-per-task=1 --mem=64M -t 3\n\
         #SBATCH --output={home}/%x-%j.out --chdir={home} --nice=7 --signal=B:USR1@30\n\
         echo \"$SLURM_NTASKS tasks for $1 in $(basename \"$PWD\")\"\nsrun echo a task\n"
    );
    fs::write(there.home.join("probe.sh"), script).unwrap();
    let told = there.told("sbatch", &["--parsable", "--wait", "probe.sh", "it's me"]);
    let number = told.trim();
    let job = there.start_up.founder.get(&format!("/jobs/{number}")).await;
    let file = there.home.join(format!("probe-{number}.out"));
    let expected = format!("2 tasks for it's me in {}\na task\na task\n", super::LOGIN);
    assert_eq!(fs::read_to_string(&file).unwrap(), expected, "{job}");
    let log = there.start_up.founder.get(&format!("/jobs/{number}/log")).await;
    assert_eq!(log["text"], expected.as_str());
    let slurms = cluster.number_of(&text(&job, "id")).unwrap();
    let shown = cluster.ask("scontrol", &["show", "job", &slurms]);
    assert!(shown.contains("Nice=7") && shown.contains("NumTasks=2"), "{shown}");

    // The job's own folder goes; the file stays.
    let folder = there.home.join("usine").join(text(&job, "id"));
    until_some("cleared", || (!folder.exists()).then_some(())).await;
    assert!(file.symlink_metadata().unwrap().is_file());
    assert_eq!(fs::read_to_string(&file).unwrap(), expected);

    // What only the site could tell is told, as Slurm tells it.
    let wrong = there.command("sbatch").args(["--banana", "probe.sh"]).output().unwrap();
    assert_eq!(wrong.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&wrong.stderr), "sbatch: error: `--banana` is unknown\n");
    let wrong =
        there.command("sbatch").args(["-C", "no-such-feature", "probe.sh"]).output().unwrap();
    let number = String::from_utf8_lossy(&wrong.stdout).replace("Submitted batch job ", "");
    let path = format!("/jobs/{}", number.trim());
    let refused = until(&there.start_up.founder, &path, |job| job["state"] == "ended").await;
    assert_eq!(refused["end"], "refused", "{refused}");
    assert!(text(&refused, "reason").contains("Invalid feature specification"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_print_what_slurms_own_print() {
    let Some(cluster) = Cluster::new() else { return };
    let there = There::new(&cluster).await;
    let ids = there.told(
        "sbatch",
        &[
            "--wrap",
            "sleep 600",
            "-J",
            "long_name_of_a_job",
            "-n1",
            "-c2",
            "--mem=2G",
            "-t",
            "12:34:00",
        ],
    );
    let number = ids.trim().strip_prefix("Submitted batch job ").unwrap().to_owned();
    let path = format!("/jobs/{number}");
    let job = until(&there.start_up.founder, &path, |job| job["state"] == "running").await;
    let slurms = cluster.number_of(&text(&job, "id")).unwrap();

    for format in
        ["%.8j %.2t %.10l %.6D %R", "%j|%t|%T|%l|%D|%C|%N|%R|%r|%S|%e|%m|%K", "%20S %.5D|%5D|"]
    {
        let ours = there.told("squeue", &["-j", &number, "-o", format]);
        assert_eq!(ours, cluster.ask("squeue", &["-j", &slurms, "-o", format]), "{format}");
    }
    let long =
        "name:12,state:.10,statecompact,timelimit,numnodes,numcpus,nodelist,reason,starttime";
    let ours = there.told("squeue", &["-j", &number, "-O", long]);
    assert_eq!(ours, cluster.ask("squeue", &["-j", &slurms, "-O", long]));
    for format in ["%D %T %c %m %N", "%.6D %.11T|%C|%F|%N"] {
        let real = || cluster.ask("sinfo", &["-o", format]);
        let ours = || there.told("sinfo", &["-p", "meluxina-ai.gpu", "-o", format]);
        until_some(format, || (ours() == real()).then_some(())).await;
    }

    there.told("scancel", &[&number]);
    until(&there.start_up.founder, &path, |job| job["state"] == "ended").await;
    let failed = there
        .command("sbatch")
        .args(["--wait", "--parsable", "-n1", "--mem=64M", "--wrap", "sleep 2; exit 7"])
        .output()
        .unwrap();
    assert_eq!(failed.status.code(), Some(7));
    let number = String::from_utf8(failed.stdout).unwrap().trim().to_owned();
    let job = there.start_up.founder.get(&format!("/jobs/{number}")).await;
    let slurms = cluster.number_of(&text(&job, "id")).unwrap();
    let fields = "JobName,State,ExitCode,Elapsed,ElapsedRaw,Start,End,NCPUS,AllocCPUS,NNodes,NodeList,Timelimit,TimelimitRaw,ReqMem,CPUTimeRAW";
    for style in [&["-P"][..], &["-p"], &["-P", "-n"], &[]] {
        let asked = |number| [&["-X", "-o", fields, "-j", number], style].concat();
        let ours = there.told("sacct", &asked(&number));
        // Its database hears of a job's name and size after its end.
        let real = || cluster.ask("sacct", &asked(&slurms));
        until_some(&ours, || (real() == ours).then_some(())).await;
    }

    let none = there.command("squeue").args(["-j", "999999"]).output().unwrap();
    assert_eq!(none.status.code(), Some(1));
    assert_eq!(there.told("squeue", &["-h", "--me"]), "");
    let none = there.command("scancel").arg("999999").output().unwrap();
    assert!(String::from_utf8_lossy(&none.stderr).contains("Invalid job id specified"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_may_be_queued_again_runs_again_under_its_number() {
    let Some(cluster) = Cluster::new() else { return };
    let there = There::new(&cluster).await;
    let home = there.home.display();
    let body = format!("echo run $SLURM_RESTART_COUNT; [ -e {home}/again ] || sleep 600");
    let sbatch = ["--parsable", "--requeue", "-n1", "--mem=64M", "-t", "5", "--wrap", &body];
    let number = there.told("sbatch", &sbatch).trim().to_owned();
    let path = format!("/jobs/{number}");
    let job = until(&there.start_up.founder, &path, |job| job["state"] == "running").await;
    let slurms = cluster.number_of(&text(&job, "id")).unwrap();
    let begun = || there.told("squeue", &["-h", "-j", &number, "-o", "%T"]);
    until_some("begun", || (begun() == "RUNNING\n").then_some(())).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    fs::write(there.home.join("again"), "").unwrap();
    cluster.ask("scontrol", &["requeue", &slurms]);
    // Slurm lets a job that it queued again wait for a while.
    for _ in 0..4 {
        let job = there.start_up.founder.get(&path).await;
        if job["state"] == "ended" {
            break;
        }
        cluster.ask("scontrol", &["update", &format!("JobId={slurms}"), "StartTime=now"]);
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    let ended = until(&there.start_up.founder, &path, |job| job["state"] == "ended").await;
    assert_eq!(ended["end"], "completed", "{ended}");
    let log = there.start_up.founder.get(&format!("{path}/log")).await;
    let log = text(&log, "text");
    assert!(log.starts_with("run\n") && log.contains("run 1\n"), "{log}");
    assert_eq!(cluster.number_of(&text(&job, "id")), Some(slurms));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_waits_for_one_at_another_site() {
    let Some(cluster) = Cluster::new() else { return };
    let there = There::in_folder(&cluster, |folder| {
        two_places(folder);
        let config = format!(
            "federation = \"federation\"\npolicy = \"policy\"\n\
             [site]\nserves = \"{ELSEWHERE}\"\ncores = 1\nmemory_mb = 1000\n\
             [[remote_sites]]\nname = \"afar\"\nserves = \"meluxina-ai.gpu\"\n\
             charge_rule = \"embedded\"\nstands_in = true\n"
        );
        fs::write(folder.join("usine.toml"), config).unwrap();
    })
    .await;
    there.start_up.awarded(Some(&there.start_up.project), ELSEWHERE, 50).await;
    let submit = |partition: &str, more: &[&str], body: &str| {
        let size = ["--parsable", "-n1", "--mem=64M", "-t", "5", "-p", partition, "--wrap", body];
        there.told("sbatch", &[&size, more].concat()).trim().to_owned()
    };
    let (slurm, local) = ("meluxina-ai.gpu", ELSEWHERE);
    let first = submit(slurm, &[], "sleep 2");
    let after = |kind: &str, number: &str| format!("--dependency={kind}:{number}");
    let ok = submit(local, &[&after("afterok", &first)], "echo after");
    let not_ok = submit(local, &[&after("afternotok", &first)], "true");
    let back = submit(slurm, &[&after("afterany", &ok)], "echo back");
    assert_eq!(there.told("squeue", &["-h", "-j", &ok, "-o", "%T %r"]), "PENDING Dependency\n");
    let jobs =
        [(&first, "completed"), (&ok, "completed"), (&not_ok, "cancelled"), (&back, "completed")];
    for (number, end) in jobs {
        let path = format!("/jobs/{number}");
        let ended = until(&there.start_up.founder, &path, |job| job["state"] == "ended").await;
        assert_eq!(ended["end"], end, "{number}: {ended}");
    }
    let rows = there.told(
        "sacct",
        &["-X", "-P", "-n", "-o", "JobID,State,Partition", "-j", &[&*first, &*ok].join(",")],
    );
    assert_eq!(rows, format!("{first}|COMPLETED|{slurm}\n{ok}|COMPLETED|{local}\n"));
}

#[test]
fn the_guide_says_of_every_option_what_becomes_of_it() {
    let guide = include_str!("../../../../../docs/slurm-scripts.md");
    let (_, table) =
        guide.split_once("| option | what becomes of it | |\n| --- | --- | --- |\n").unwrap();
    let said = table.lines().take_while(|line| line.starts_with('|')).map(|line| {
        let mut cells = line.split('|').map(str::trim).skip(1);
        let name = cells.next().unwrap().split('`').nth(1).unwrap();
        (name.trim_start_matches("--"), cells.next().unwrap())
    });
    let said: std::collections::BTreeMap<&str, &str> = said.collect();
    assert_eq!(said, jobs::script::fates().collect());
}

#[test]
fn every_option_of_the_sbatch_that_is_here_is_known() {
    let Some(cluster) = Cluster::new() else { return };
    let help = cluster.ask("sbatch", &["--help"]);
    let words = help.split(|mark: char| mark.is_whitespace() || ",=[".contains(mark));
    let options = words.filter_map(|word| word.strip_prefix("--")).filter(|name| !name.is_empty());
    let known: std::collections::BTreeSet<&str> =
        jobs::script::fates().map(|(name, _)| name).collect();
    let options: Vec<&str> = options.collect();
    assert!(options.len() > 80, "{options:?}");
    let unknown: Vec<_> = options.into_iter().filter(|name| !known.contains(name)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}
