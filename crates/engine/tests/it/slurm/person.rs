//! Jobs are their persons', and nobody else's.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use engine::slurm::{Reading, Settings, SlurmEngine};
use engine::{Engine as _, Error, Stream};
use jobs::life::End;

use super::cluster::{ANN, BEN, Cluster, of, submit, until_ended, written};

#[tokio::test]
async fn a_job_runs_as_its_person_in_a_folder_that_nobody_else_can_enter() {
    let Some(cluster) = Cluster::new() else { return };
    let engine = SlurmEngine::open(cluster.settings_for_persons()).await.unwrap();
    let mut spec = of(
        ANN,
        "id -un; cat inputs/a.txt; echo \"$MINE\"; umask; mkdir out; echo result > out/b.txt",
    );
    spec.environment.insert("MINE".to_owned(), "it's\nmine".to_owned());
    spec.outputs = vec!["out".to_owned(), "none".to_owned(), "../..".to_owned()];
    let job = crate::machine::new_job();
    let work = engine.prepare(job).await.unwrap();
    fs::create_dir(work.join("inputs")).unwrap();
    fs::write(work.join("inputs/a.txt"), "an input\n").unwrap();
    engine.submit(job, &spec).await.unwrap();
    let ended = until_ended(&engine, job).await;
    let text = written(&engine, job).await;
    assert_eq!(ended.end, End::Completed, "{text}");
    assert!(text.starts_with(&format!("{ANN}\nan input\nit's\nmine\n")), "{text}");

    let folder = cluster.folder().join("people").join(ANN).join("jobs").join(job.to_string());
    let about = folder.metadata().unwrap();
    let person = cluster.folder().join("people").join(ANN).metadata().unwrap();
    assert_eq!(about.permissions().mode() & 0o777, 0o700);
    assert_eq!(about.uid(), person.uid());
    assert_eq!(folder.join("environment").metadata().unwrap().permissions().mode() & 0o077, 0);

    let left = engine.prepare(job).await.unwrap();
    assert_eq!(fs::read_to_string(left.join("out/b.txt")).unwrap(), "result\n");
    assert!(!left.join("none").exists() && !left.join("script").exists());
    engine.clear(job).await.unwrap();
    assert!(!folder.exists() && !left.exists());
}

#[tokio::test]
async fn one_persons_tricks_with_links_reach_nothing_of_anothers() {
    let Some(cluster) = Cluster::new() else { return };
    for reading in [Reading::AsPerson, Reading::Directly] {
        let settings = Settings { reading, ..cluster.settings_for_persons() };
        let engine = SlurmEngine::open(settings).await.unwrap();
        let victim = submit(&engine, &of(BEN, "echo secret-of-ben; echo m > metrics.jsonl")).await;
        until_ended(&engine, victim).await;
        assert_eq!(written(&engine, victim).await, "secret-of-ben\n");

        let thief = submit(&engine, &of(ANN, "echo mine")).await;
        until_ended(&engine, thief).await;
        let people = cluster.folder().join("people");
        let folder =
            |user: &str, job: units::JobId| people.join(user).join("jobs").join(job.to_string());
        // The whole folder becomes a link, then a file in it.
        let (own, theirs) = (folder(ANN, thief), folder(BEN, victim));
        fs::rename(&own, own.with_extension("away")).unwrap();
        symlink(&theirs, &own).unwrap();
        let read = engine.read(thief, Stream::Stdout, 0, 100).await;
        assert!(
            !read.is_ok_and(|bytes| bytes.starts_with(b"secret")),
            "{reading:?}: through a folder"
        );
        fs::remove_file(&own).unwrap();
        fs::rename(own.with_extension("away"), &own).unwrap();
        fs::remove_file(own.join("stdout.log")).unwrap();
        symlink(theirs.join("stdout.log"), own.join("stdout.log")).unwrap();
        let read = engine.read(thief, Stream::Stdout, 0, 100).await;
        assert!(
            !read.is_ok_and(|bytes| bytes.starts_with(b"secret")),
            "{reading:?}: through a file"
        );
    }
}

#[tokio::test]
async fn a_comment_that_somebody_else_wrote_makes_no_job_theirs() {
    let Some(cluster) = Cluster::new() else { return };
    let engine = SlurmEngine::open(cluster.settings_for_persons()).await.unwrap();
    let job = submit(&engine, &of(ANN, "sleep 4; echo ran")).await;
    let comment = format!("--comment=usine:{job}");
    let forged = ["--uid=usine-ben", &comment, "--chdir=/", "--output=/dev/null", "--wrap=exit 7"];
    cluster.ask("sbatch", &forged, &[0]);
    assert_eq!(until_ended(&engine, job).await.end, End::Completed);
    assert_eq!(written(&engine, job).await, "ran\n");
}

#[tokio::test]
async fn names_that_are_none_and_people_that_are_not_there_are_refused() {
    let Some(cluster) = Cluster::new() else { return };
    let engine = SlurmEngine::open(cluster.settings_for_persons()).await.unwrap();
    for user in ["--help", "#0", "0", "a/../root", ""] {
        let answer = engine.submit(crate::machine::new_job(), &of(user, "exit 0")).await;
        assert!(matches!(answer, Err(Error::Refused(_))), "{user:?}: {answer:?}");
    }
    let mut nobody = of(ANN, "exit 0");
    nobody.place.account = Some("no-such-account".to_owned());
    let job = crate::machine::new_job();
    let answer = engine.submit(job, &nobody).await;
    assert!(matches!(&answer, Err(Error::Refused(why)) if why.contains("account")), "{answer:?}");
    assert!(!engine.knows(job).await.unwrap());
}

#[tokio::test]
async fn a_log_that_its_person_named_on_another_file_system_stays_when_the_job_goes() {
    let Some(cluster) = Cluster::new() else { return };
    let engine = SlurmEngine::open(cluster.settings_for_persons()).await.unwrap();
    let job = crate::machine::new_job();
    let (log, gone) = (format!("/dev/shm/usine-{job}.log"), format!("/dev/shm/usine-{job}.err"));
    let mut spec = of(ANN, "echo told; echo apart >&2; pwd");
    (spec.stdout, spec.stderr) = (Some(log.clone()), Some(gone.clone()));
    spec.folder = Some("/dev/shm".to_owned());
    engine.submit(job, &spec).await.unwrap();
    let ended = until_ended(&engine, job).await;
    assert_eq!(ended.end, End::Completed, "{}", written(&engine, job).await);
    assert_eq!(written(&engine, job).await, "told\n/dev/shm\n");
    assert!(fs::symlink_metadata(&log).unwrap().is_symlink());
    // What the person has done away with stays away.
    fs::remove_file(&gone).unwrap();
    engine.clear(job).await.unwrap();
    let kept = fs::symlink_metadata(&log).unwrap();
    assert!(kept.is_file(), "{kept:?}");
    assert_eq!(fs::read_to_string(&log).unwrap(), "told\n/dev/shm\n");
    fs::remove_file(&log).unwrap();
    assert!(!std::path::Path::new(&gone).exists());
}

#[tokio::test]
async fn an_absolute_path_is_for_jobs_of_persons_only() {
    let Some(cluster) = Cluster::new() else { return };
    let engine = SlurmEngine::open(cluster.settings()).await.unwrap();
    let mut spec = engine::conformance::small("true");
    spec.stdout = Some("/dev/shm/usine-shared.log".to_owned());
    let answer = engine.submit(crate::machine::new_job(), &spec).await;
    assert!(matches!(&answer, Err(Error::Refused(_))), "{answer:?}");
}
