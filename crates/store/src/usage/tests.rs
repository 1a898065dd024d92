use super::*;
use crate::testing::databases;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + second).unwrap()
}

fn here() -> Slug {
    "here".parse().unwrap()
}

fn run(number: i64, submitted: i64) -> Run {
    Run {
        site: here(),
        cluster: "c1".to_owned(),
        number,
        submitted: at(submitted),
        job: JobId::from_uuid(Uuid::from_u128(7)),
        allocation: None,
        origin: Origin::Outside,
        label: format!("{number}_1"),
        account: "usine_a".to_owned(),
        login: "ann".to_owned(),
        partition: "gpu".to_owned(),
        state: "RUNNING".to_owned(),
        started: Some(at(submitted)),
        ended: None,
        ran_seconds: 0,
        suspended_seconds: 1,
        limit_seconds: Some(60),
        nodes: 1,
        cores: 2,
        memory_mb: 3,
        gpus: 4,
        tres: "cpu=2".to_owned(),
        energy_joules: Some(9),
        charge: None,
        posted: false,
    }
}

fn over(run: &Run, ended: i64) -> Run {
    let charge = Some(Work::seconds(5));
    Run { ended: Some(at(ended)), state: "COMPLETED".to_owned(), charge, ..run.clone() }
}

#[tokio::test]
async fn what_is_told_later_of_a_run_stands_in_the_place_of_what_was_told_before() {
    for database in databases().await {
        let tx = database.store.write().await.unwrap();
        let many: Vec<Run> = (0..300).map(|number| run(number, 0)).collect();
        put(&tx, &many).await.unwrap();
        let again = Run { submitted: at(50), ..run(7, 0) };
        put(&tx, &[over(&run(7, 0), 40), again.clone()]).await.unwrap();
        let mut found = numbered(&tx, &here(), "c1", &[7, 9_999]).await.unwrap();
        found.sort_by_key(|run| run.submitted);
        assert_eq!(found, [over(&run(7, 0), 40), again]);
        assert!(numbered(&tx, &here(), "c2", &[7]).await.unwrap().is_empty());
        assert_eq!(of_jobs(&tx, &[many[0].job]).await.unwrap().len(), 301);
    }
}

#[tokio::test]
async fn a_run_belongs_to_the_day_in_which_it_ended_and_to_no_other() {
    for database in databases().await {
        let tx = database.store.write().await.unwrap();
        put(&tx, &[over(&run(1, 0), 100), over(&run(2, 0), 200), run(3, 0)]).await.unwrap();
        let numbers = async |from, to| -> Vec<i64> {
            let runs = ended_between(&tx, &here(), at(from), at(to)).await.unwrap();
            runs.iter().map(|run| run.number).collect()
        };
        assert_eq!(numbers(0, 100).await, Vec::<i64>::new());
        assert_eq!(numbers(100, 200).await, [1]);
        assert_eq!(numbers(200, 300).await, [2]);
    }
}

#[tokio::test]
async fn runs_that_are_over_wait_for_the_ledger_until_it_has_them() {
    for database in databases().await {
        let tx = database.store.write().await.unwrap();
        let job = run(1, 0).job;
        put(&tx, &[run(1, 0)]).await.unwrap();
        assert!(unposted(&tx, &here(), 9).await.unwrap().is_empty(), "it still runs");
        put(&tx, &[over(&run(1, 0), 9)]).await.unwrap();
        assert_eq!(unposted(&tx, &here(), 9).await.unwrap(), [job]);
        mark_posted(&tx, &[job]).await.unwrap();
        assert!(unposted(&tx, &here(), 9).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn how_far_a_site_has_told_is_known_for_each_site() {
    for database in databases().await {
        let tx = database.store.write().await.unwrap();
        assert_eq!(cursor(&tx, &here()).await.unwrap(), None);
        take_turn(&tx, &here(), None).await.unwrap();
        let told = Place { zone: "Europe/Paris", prefix: Some("hub_") };
        let entered = take_turn(&tx, &here(), Some(told)).await.unwrap();
        let (zone, prefix) = ("Europe/Paris".to_owned(), Some("hub_".to_owned()));
        assert_eq!(entered, Cursor { zone, prefix, accounted_to: None });
        set_accounted(&tx, &here(), at(5)).await.unwrap();
        let known = take_turn(&tx, &here(), None).await.unwrap();
        assert_eq!(known, Cursor { accounted_to: Some(at(5)), ..entered });
        let told = Place { prefix: None, ..told };
        assert_eq!(take_turn(&tx, &here(), Some(told)).await.unwrap().prefix, None);
    }
}
