use site::protocol::End;
use units::JobId;

use super::super::Job;
use super::yard::{Yard, script};

async fn states(yard: &Yard, jobs: &[Job]) -> Vec<String> {
    let mut states = Vec::new();
    for job in jobs {
        states.push(yard.stands(job.id).await);
    }
    states
}

#[tokio::test]
async fn a_job_waits_for_another_and_starts_or_dies_by_its_end() {
    for yard in Yard::each().await {
        let first = yard.job("#SBATCH --time=5").await;
        let on = |kind: &str| script(&format!("#SBATCH --time=5 -d {kind}:{}", first.id));
        let mut waiting = Vec::new();
        for kind in ["after", "afterok", "afternotok", "afterany"] {
            waiting.push(yard.submit(on(kind)).await.unwrap().jobs.remove(0));
        }
        assert_eq!(states(&yard, &waiting).await, ["held"; 4]);
        assert_eq!(yard.ordered().await, [("start", first.id)]);
        let [accepted, started, ended] = yard.run(End::Completed, 30);
        yard.report(first.id, accepted).await;
        yard.report(first.id, started).await;
        assert_eq!(states(&yard, &waiting).await, ["ordered", "held", "held", "held"]);
        yard.report(first.id, ended).await;
        assert_eq!(states(&yard, &waiting).await, ["ordered", "ordered", "cancelled", "ordered"]);
        let dead = yard.look(waiting[2].id).await;
        assert!(dead.reason.unwrap().contains("can never happen"));
        let (_, held, used) = yard.balance(yard.allocation).await;
        assert_eq!((held, used), (3 * 300, 30), "the dead job's hold is given back");
        let late = yard.submit(on("afterok")).await.unwrap();
        assert_eq!(yard.stands(late.id).await, "ordered");
        let never = yard.submit(on("afternotok")).await.unwrap_err();
        assert!(never.to_string().contains("could never start"), "{never}");
        yard.audit().await;
    }
}

#[tokio::test]
async fn a_job_waits_for_others_by_their_numbers_and_elements_for_elements() {
    for yard in Yard::each().await {
        let array = yard.submit(script("#SBATCH --array=0-2 --time=1")).await.unwrap();
        let number = array.number;
        let after = |text: &str| script(&format!("#SBATCH --time=1 -d {text}"));
        let whole = yard.submit(after(&format!("afterok:{number}"))).await.unwrap().jobs;
        let element = yard.submit(after(&format!("afterok:{number}_1"))).await.unwrap().jobs;
        let own =
            yard.submit(after(&format!("afterok:{}", array.jobs[1].number))).await.unwrap().jobs;
        let each = after(&format!("aftercorr:{number} --array=1-2"));
        let each = yard.submit(each).await.unwrap().jobs;
        yard.ends(array.jobs[1].id, End::Completed, 5).await;
        assert_eq!(states(&yard, &whole).await, ["held"]);
        assert_eq!(states(&yard, &element).await, ["ordered"]);
        assert_eq!(states(&yard, &own).await, ["ordered"]);
        assert_eq!(states(&yard, &each).await, ["ordered", "held"]);
        yard.ends(array.jobs[2].id, End::Failed { exit_code: 1 }, 5).await;
        assert_eq!(states(&yard, &whole).await, ["cancelled"]);
        assert_eq!(states(&yard, &each).await, ["ordered", "cancelled"]);

        for (text, why) in [
            ("afterok:999999", "there is no job 999999"),
            (&*format!("afterok:{number}_7"), "there is no job"),
            (&*format!("aftercorr:{number}"), "add --array"),
            (&*format!("aftercorr:{number} --array=7"), "has no element 7"),
        ] {
            let refused = yard.submit(after(text)).await.unwrap_err().to_string();
            assert!(refused.contains(why), "{text}: {refused}");
        }
        let eve = yard.hub.person("eve", &[]).await.1;
        let found =
            yard.app().job_numbered(&yard.ada, format!("{number}_1").parse().unwrap()).await;
        assert_eq!(found.unwrap(), array.jobs[1].id);
        let found =
            yard.app().job_numbered(&eve, number.to_string().parse().unwrap()).await.unwrap();
        assert!(yard.app().job(&eve, found).await.is_err(), "a number shows a job to a stranger");
    }
}

#[tokio::test]
async fn a_death_passes_along_a_chain() {
    for yard in Yard::each().await {
        let first = yard.job("true").await;
        let mut chain = vec![first.clone()];
        for _ in 0..3 {
            let before = chain.last().map(|job| job.id).unwrap();
            chain.push(yard.job(&format!("#SBATCH -d afterok:{before}")).await);
        }
        yard.ends(first.id, End::TimedOut, 5).await;
        let expected = ["timed-out", "cancelled", "cancelled", "cancelled"];
        assert_eq!(states(&yard, &chain).await, expected);
        assert_eq!(yard.balance(yard.allocation).await.1, 0);
    }
}

#[tokio::test]
async fn an_array_is_as_many_jobs_and_goes_a_few_at_a_time() {
    for yard in Yard::each().await {
        let text = "#SBATCH --array=0-8:2%2 --time=1 -o %A_%2a.out";
        let submitted = yard.submit(script(text)).await.unwrap();
        let jobs = &submitted.jobs;
        let indices: Vec<_> = jobs.iter().map(|job| job.element.unwrap().index).collect();
        assert_eq!(indices, [0, 2, 4, 6, 8]);
        assert_eq!(states(&yard, jobs).await, ["ordered", "ordered", "held", "held", "held"]);
        assert_eq!(yard.balance(yard.allocation).await.1, 5 * 60);
        let start = yard.start_of(jobs[1].id).await;
        assert_eq!(start.stdout, Some(format!("{}_02.out", submitted.number)));
        let variable = |name: &str| start.environment.get(name).map(String::as_str);
        assert_eq!(variable("SLURM_ARRAY_TASK_ID"), Some("2"));
        let numbers =
            [("SLURM_ARRAY_JOB_ID", submitted.number), ("USINE_JOB_NUMBER", jobs[1].number)];
        for (name, number) in numbers {
            assert_eq!(variable(name), Some(number.to_string().as_str()));
        }
        assert_eq!(variable("SLURM_ARRAY_TASK_MAX"), Some("8"));
        assert_eq!(variable("SLURM_ARRAY_TASK_COUNT"), Some("5"));

        let after = yard.job(&format!("#SBATCH -d afterok:{}", submitted.id)).await;
        for done in 0..5 {
            yard.ends(jobs[done].id, End::Completed, 1).await;
            let at_site = states(&yard, jobs).await.iter().filter(|it| *it == "ordered").count();
            assert_eq!(at_site, 2.min(4 - done), "after {done}");
            let waits = if done < 4 { "held" } else { "ordered" };
            assert_eq!(yard.stands(after.id).await, waits);
        }
        assert_eq!(yard.balance(yard.allocation).await.2, 5);
    }
}

#[tokio::test]
async fn an_array_is_cancelled_as_a_whole() {
    for yard in Yard::each().await {
        let submitted = yard.submit(script("#SBATCH --array=1-4%1 --time=1")).await.unwrap();
        let jobs = yard.app().cancel_job(&yard.ada, submitted.id).await.unwrap();
        assert_eq!(jobs.len(), 4);
        let mut seen = states(&yard, &submitted.jobs).await;
        seen.sort();
        assert_eq!(seen, ["cancelled", "cancelled", "cancelled", "ordered"]);
        assert_eq!(yard.balance(yard.allocation).await.1, 60);
    }
}

#[tokio::test]
async fn a_singleton_waits_for_its_namesakes_only() {
    for yard in Yard::each().await {
        let submit = async |text: &str| -> JobId {
            // Ids tell the order of submission to the millisecond.
            yard.hub.clock.advance(jiff::SignedDuration::from_millis(5));
            yard.job(text).await.id
        };
        let first = submit("#SBATCH -J nightly").await;
        let second = submit("#SBATCH -J nightly -d singleton").await;
        let third = submit("#SBATCH -J nightly -d singleton").await;
        let other = submit("#SBATCH -J other -d singleton").await;
        assert_eq!(yard.stands(second).await, "held");
        assert_eq!(yard.stands(other).await, "ordered");
        yard.ends(first, End::Completed, 1).await;
        assert_eq!(yard.stands(second).await, "ordered");
        assert_eq!(yard.stands(third).await, "held");
        yard.ends(second, End::Failed { exit_code: 1 }, 1).await;
        assert_eq!(yard.stands(third).await, "ordered");
    }
}
