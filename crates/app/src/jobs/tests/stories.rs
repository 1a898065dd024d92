use expect_test::expect;
use site::protocol::{End, EventBody};

use super::yard::{Yard, script};
use crate::{Actor, Error, Role, Scope};

const ALL: i64 = 5_000 * 3_600;

fn refusal(outcome: Result<super::super::Submitted, Error>) -> String {
    match outcome {
        Err(error @ (Error::Refused(_) | Error::Invalid(_))) => error.to_string(),
        Err(other) => panic!("not a refusal: {other:?}"),
        Ok(submitted) => panic!("submitted: {submitted:?}"),
    }
}

#[tokio::test]
async fn a_job_is_held_ordered_run_and_charged_for_what_it_used() {
    for yard in Yard::each().await {
        let job =
            yard.job("#SBATCH --time=10 -c 2 --mem=1G -J hello -o ./%x-%u.out -e /dev/null -D inputs/code/").await;
        assert_eq!(yard.balance(yard.allocation).await, (ALL - 600, 600, 0));
        let start = yard.start_of(job.id).await;
        assert_eq!(start.name, "hello");
        assert_eq!(start.stdout.as_deref(), Some("hello-ada.out"));
        assert_eq!((start.stderr, start.folder.as_deref()), (None, Some("inputs/code")));
        assert_eq!((start.request.cpus, start.request.memory_mb), (2, 1_024));
        assert!(start.script.ends_with("echo done\n"));

        let [accepted, started, ended] = yard.run(End::Failed { exit_code: 3 }, 90);
        for (body, state) in [(accepted, "queued"), (started, "running"), (ended, "failed exit 3")]
        {
            yard.report(job.id, body).await;
            assert_eq!(yard.stands(job.id).await, state);
        }
        assert_eq!(yard.balance(yard.allocation).await, (ALL - 90, 0, 90));
        let seen = yard.app().job(&yard.ada, job.id).await.unwrap();
        assert_eq!(seen.job.charged.unwrap().count(), 90);
        assert_eq!(seen.job.measured.peak_memory_mb, Some(100));
        let trail: Vec<&str> = seen.trail.iter().map(|entry| entry.kind.as_str()).collect();
        assert_eq!(trail, ["accepted", "started", "ended"]);
        assert_eq!(yard.ordered().await, [], "a job that has ended is not started again");
        yard.audit().await;
    }
}

#[tokio::test]
async fn a_job_that_never_ran_costs_nothing() {
    for yard in Yard::each().await {
        let refused = yard.job("#SBATCH --time=10").await;
        let reason = "no such interpreter".to_owned();
        yard.report(refused.id, EventBody::Refused { reason }).await;
        let seen = yard.look(refused.id).await;
        assert_eq!(yard.stands(refused.id).await, "refused");
        assert_eq!(seen.reason.as_deref(), Some("no such interpreter"));
        let lost = yard.job("#SBATCH --time=10").await;
        let ended = EventBody::Ended {
            end: End::NodeFailed { reason: "power".to_owned() },
            started: None,
            ended: yard.app().now(),
            peak_memory_mb: None,
            cpu_milliseconds: None,
        };
        yard.report(lost.id, ended).await;
        assert_eq!(yard.stands(lost.id).await, "node-failed");
        assert_eq!(yard.balance(yard.allocation).await, (ALL, 0, 0));
    }
}

#[tokio::test]
async fn what_an_allocation_cannot_cover_is_refused_with_what_is_missing_and_what_would_fit() {
    for yard in Yard::each().await {
        let allocation = yard.small_allocation(5_400).await;
        let of =
            |text: &str| super::super::Submission { allocation: Some(allocation), ..script(text) };
        let one = refusal(yard.submit(of("#SBATCH --time=2:00:00")).await);
        expect!["the allocation has 1.50 GPU-h left and 2.00 GPU-h would be held: 0.50 GPU-h are missing; --time=01:30:00 would fit"]
            .assert_eq(&one);
        let several = refusal(yard.submit(of("#SBATCH --time=30 --array=1-5")).await);
        expect!["the allocation has 1.50 GPU-h left and 2.50 GPU-h would be held: 1.00 GPU-h are missing; 3 of the 5 elements would fit"]
            .assert_eq(&several);
        assert_eq!(yard.balance(allocation).await, (5_400, 0, 0));
        assert_eq!(yard.ordered().await, [], "a refused submission leaves no order");
        yard.submit(of("#SBATCH --time=1:30:00")).await.unwrap();
        let none = refusal(yard.submit(of("#SBATCH --time=1")).await);
        expect!["the allocation has 0.00 GPU-h left and 0.02 GPU-h would be held: 0.02 GPU-h are missing; no job of this shape would fit"]
            .assert_eq(&none);
    }
}

#[tokio::test]
async fn what_cannot_run_is_refused_before_anything_is_held() {
    let yard = Yard::new().await;
    let table = [
        ("#SBATCH --tme=1", expect!["script: line 2: `--tme` is unknown; did you mean `--time`?"]),
        (
            "#SBATCH -c 9",
            expect![
                "its fullest node would need 9 cores; a node has 8: ask for fewer tasks or cores a node, or for more nodes"
            ],
        ),
        ("#SBATCH -G 1", expect!["this partition has no GPUs; ask for none"]),
        ("#SBATCH -t 2-0", expect!["it asks for 2-00:00:00; the longest job here runs 1-00:00:00"]),
        (
            "#SBATCH -o /scratch/%x.out",
            expect![
                "script: `--output`: name a file below the job's directory, such as logs/%x-%j.out"
            ],
        ),
        (
            "#SBATCH -e a/../../b",
            expect![
                "script: `--error`: name a file below the job's directory, such as logs/%x-%j.out"
            ],
        ),
        (
            "#SBATCH -D /tmp",
            expect![
                "script: `--chdir`: a job runs in a directory of its own; name a folder below it"
            ],
        ),
        (
            "#SBATCH -d afterok:018f2a6e-7c2b-7d1e-9a51-0b7c2f6f9a10",
            expect![
                "dependency: there is no job 018f2a6e-7c2b-7d1e-9a51-0b7c2f6f9a10 that you may see"
            ],
        ),
    ];
    for (text, expected) in table {
        expected.assert_eq(&refusal(yard.submit(script(text)).await));
    }
    assert_eq!(yard.balance(yard.allocation).await, (ALL, 0, 0));
}

#[tokio::test]
async fn an_allocation_pays_only_in_its_time_and_for_its_project() {
    let yard = Yard::new().await;
    let other = Yard::new().await;
    let foreign = super::super::Submission { allocation: Some(other.allocation), ..script("true") };
    assert!(refusal(yard.submit(foreign).await).contains("the project has no allocation"));
    yard.small_allocation(60).await;
    let unnamed = refusal(yard.submit(script("true")).await);
    expect!["allocation: the project has several; name the one that pays"].assert_eq(&unnamed);
    yard.hub.clock.advance(jiff::SignedDuration::from_hours(24 * 100));
    let named = super::super::Submission { allocation: Some(yard.allocation), ..script("true") };
    assert!(refusal(yard.submit(named).await).contains("the allocation ended on"));
    assert!(refusal(yard.submit(script("true")).await).contains("no allocation that can be used"));
}

#[tokio::test]
async fn cancelling_releases_what_waits_and_asks_the_site_to_end_what_runs() {
    for yard in Yard::each().await {
        let first = yard.job("#SBATCH --time=10").await;
        let waiting = yard.job(&format!("#SBATCH -d afterany:{}", first.id)).await;
        yard.app().cancel_job(&yard.ada, waiting.id).await.unwrap();
        assert_eq!(yard.stands(waiting.id).await, "cancelled");
        assert_eq!(yard.balance(yard.allocation).await, (ALL - 600, 600, 0));

        for _ in 0..2 {
            yard.app().cancel_job(&yard.ada, first.id).await.unwrap();
            assert!(yard.look(first.id).await.life.cancel_asked);
        }
        assert_eq!(yard.ordered().await, [("start", first.id), ("cancel", first.id)]);
        yard.ends(first.id, End::Cancelled, 5).await;
        assert_eq!(yard.stands(first.id).await, "cancelled");
        assert_eq!(yard.balance(yard.allocation).await, (ALL - 5, 0, 5));
        yard.app().cancel_job(&yard.ada, first.id).await.unwrap();
        assert_eq!(yard.balance(yard.allocation).await, (ALL - 5, 0, 5));
    }
}

#[tokio::test]
async fn strangers_do_not_learn_of_a_job_and_staff_may_not_read_what_it_wrote() {
    let yard = Yard::new().await;
    let job = yard.job("true").await;
    let (_, stranger) = yard.hub.person("bob", &[]).await;
    let app = yard.app();
    assert!(matches!(app.job(&stranger, job.id).await, Err(Error::NotFound("job"))));
    assert!(matches!(app.cancel_job(&stranger, job.id).await, Err(Error::NotFound("job"))));
    let submitted = app.submit_job(&stranger, yard.project, script("true")).await;
    assert!(matches!(submitted, Err(Error::NotFound("project"))));
    assert_eq!(app.jobs(&stranger, Default::default(), 9).await.unwrap(), []);

    let factory = Scope::Factory("meluxina-ai".parse().unwrap());
    let (_, operator) = yard.hub.person("oda", &[(Role::SiteOperator, factory)]).await;
    let elsewhere = Scope::Factory("lumi-aif".parse().unwrap());
    let (_, other) = yard.hub.person("una", &[(Role::SiteOperator, elsewhere)]).await;
    assert_eq!(app.jobs(&operator, Default::default(), 9).await.unwrap().len(), 1);
    assert_eq!(app.jobs(&other, Default::default(), 9).await.unwrap(), []);
    assert!(app.job(&operator, job.id).await.is_ok());
    let log = app.job_log(&operator, job.id, super::super::Stream::Stdout, 0).await;
    assert!(matches!(log, Err(Error::Forbidden(_))));
    let submitted = app.submit_job(&operator, yard.project, script("true")).await;
    assert!(matches!(submitted, Err(Error::Forbidden(_))));
    assert!(matches!(
        app.jobs(&Actor::anonymous(), Default::default(), 9).await,
        Err(Error::NotSignedIn)
    ));
    app.cancel_job(&operator, job.id).await.unwrap();
}

#[tokio::test]
async fn what_is_used_day_by_day_tells_when_the_hours_run_out() {
    for yard in Yard::each().await {
        const DAY: i64 = 86_400;
        for _ in 0..14 {
            let job = yard.job("#SBATCH --time=20:00:00").await;
            yard.ends(job.id, End::Completed, 3_600 * 10).await;
            yard.hub.clock.advance(jiff::SignedDuration::from_secs(DAY));
        }
        let now = yard.app().now();
        let forecast = yard.app().project_forecast(&yard.ada, yard.project).await.unwrap();
        let [(allocation, heading)] = forecast.as_slice() else { panic!("{forecast:?}") };
        assert_eq!(allocation.id, yard.allocation);
        assert_eq!(heading.remaining.count(), ALL - 14 * 36_000);
        assert_eq!(heading.seen_days, 14);
        let days =
            |at: Option<units::Timestamp>| at.map(|at| (at.as_second() - now.as_second()) / DAY);
        let left_days = (ALL - 14 * 36_000) / heading.mean_per_day.count();
        assert_eq!(days(heading.runs_out.likely), Some(left_days));
        assert!(!heading.falls_short(allocation), "5 000 hours last longer than three months");
        let stranger = yard.hub.person("eve", &[]).await.1;
        assert!(yard.app().project_forecast(&stranger, yard.project).await.is_err());
    }
}

#[tokio::test]
async fn what_only_slurm_can_do_is_handed_to_it_and_refused_elsewhere() {
    for yard in Yard::each().await {
        let text = "#SBATCH --time=5 -n 4 --constraint=a100 --signal=USR1@60 --nice=7\n\
            #SBATCH --chdir=/home/ada/run --output=/home/ada/%x-%j.out --account=lab";
        let here = yard.submit(script(text)).await.unwrap_err().to_string();
        for why in ["`--constraint` is not supported", "`--signal` is not supported"] {
            assert!(here.contains(why), "{here}");
        }
        let mut slurm = site::protocol::Inventory {
            host: "cluster".to_owned(),
            agent: "usine 0.0.0".to_owned(),
            engine: None,
            nodes: 1,
            cpus: 16,
            memory_mb: 65_536,
            gpus: Vec::new(),
            isolation: Vec::new(),
            logins: None,
            scheduler: Some(site::protocol::Scheduler {
                kind: "slurm".to_owned(),
                plugins: vec!["container-image".to_owned()],
            }),
        };
        yard.has(slurm.clone()).await;
        let shared = yard.submit(script(text)).await.unwrap_err().to_string();
        assert!(shared.contains("a job runs in a directory of its own"), "{shared}");

        slurm.logins = Some(vec![site::protocol::login_digest("ada@example.org")]);
        yard.has(slurm).await;
        let submitted = yard.submit(script(text)).await.unwrap();
        assert_eq!(submitted.warnings, []);
        let start = yard.start_of(submitted.id).await;
        let option = |name: &str, value: &str| (name.to_owned(), Some(value.to_owned()));
        let expected = [
            option("ntasks", "4"),
            option("constraint", "a100"),
            option("signal", "USR1@60"),
            option("nice", "7"),
        ];
        assert_eq!(start.options, expected);
        assert_eq!(start.folder.as_deref(), Some("/home/ada/run"));
        assert_eq!(start.stdout, Some(format!("/home/ada/job-{}.out", submitted.number)));
        let image = yard.submit(script("#SBATCH --container-image=a/b:1")).await.unwrap();
        assert_eq!(yard.start_of(image.id).await.options, [option("container-image", "a/b:1")]);
        let other = yard.submit(script("#SBATCH --container-name=x")).await.unwrap_err();
        assert!(other.to_string().contains("does not say that it has the plugin"), "{other}");
    }
}

#[tokio::test]
async fn a_job_may_span_the_nodes_of_a_site_and_asks_of_each_no_more_than_it_has() {
    for yard in Yard::each().await {
        let cluster = site::protocol::Inventory {
            host: "cluster".to_owned(),
            agent: "usine 0.0.0".to_owned(),
            engine: Some("slurm".to_owned()),
            nodes: 4,
            cpus: 64,
            memory_mb: 4 * 65_536,
            gpus: vec!["h100".to_owned(); 16],
            isolation: Vec::new(),
            logins: None,
            scheduler: None,
        };
        yard.has(cluster).await;
        let asks = "#SBATCH --time=5 --nodes=2 --ntasks-per-node=16 --gpus-per-node=4";
        let wide = yard.job(asks).await;
        let request = yard.start_of(wide.id).await.request;
        assert_eq!((request.nodes, request.cpus, request.gpus), (2, 32, 8));
        assert_eq!(request.memory_mb, 2 * 65_536);
        let beyond = ["--nodes=5", "--nodes=1 --ntasks=17", "--mem=70000", "--gpus-per-node=5"];
        let mut told = Vec::new();
        for asked in beyond {
            let outcome = yard.submit(script(&format!("#SBATCH {asked}"))).await;
            told.push(refusal(outcome));
        }
        expect![[r#"
            it needs 5 nodes; the partition has 4
            its fullest node would need 17 cores; a node has 16: ask for fewer tasks or cores a node, or for more nodes
            it would need 70000M of memory on a node; a node has 64G: ask for less memory, fewer cores a node, or more nodes
            its fullest node would need 5 GPUs; a node has 4: ask for fewer GPUs or for more nodes"#]].assert_eq(&told.join("\n"));
    }
}
