use site::protocol::Run;
use units::Timestamp;

use super::desk::Desk;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_run_counts_on_the_day_of_the_site_in_which_it_ended_through_changes_of_the_clock() {
    // Berlin: the clock goes forward on 28 March 2027 and back on 31 October 2027.
    let cases = [
        ("2027-03-27T22:59:59Z", "2027-03-27"),
        ("2027-03-27T23:00:00Z", "2027-03-28"),
        ("2027-03-28T21:59:59Z", "2027-03-28"),
        ("2027-03-28T22:00:00Z", "2027-03-29"),
        ("2027-10-30T21:59:59Z", "2027-10-30"),
        ("2027-10-30T22:00:00Z", "2027-10-31"),
        ("2027-10-31T22:59:59Z", "2027-10-31"),
        // The month ends an hour before UTC's.
        ("2027-10-31T23:00:00Z", "2027-11-01"),
        ("2027-12-31T23:00:00Z", "2028-01-01"),
        ("2028-02-29T22:59:59Z", "2028-02-29"),
    ];
    for desk in Desk::each().await {
        let desk = Desk { zone: "Europe/Berlin", ..desk };
        let later = at("2028-03-02T00:00:00Z").as_second() - desk.now().as_second();
        desk.pass(later);
        let runs: Vec<Run> = (1..)
            .zip(&cases)
            .map(|(number, (ended, _))| {
                let ended = at(ended);
                let begun = |before| Timestamp::from_second(ended.as_second() - before).ok();
                let submitted = begun(11).unwrap();
                let told = desk.run(number, 0, 10);
                Run { submitted, started: begun(10), ended: Some(ended), ..told }
            })
            .collect();
        desk.tell(&runs).await;
        for (_, date) in cases {
            let expected = cases.iter().filter(|(_, of)| *of == date).count();
            let day = desk.day(date).await;
            assert_eq!(day.runs, u64::try_from(expected).unwrap(), "{date}");
            assert_eq!((day.accounted, day.agrees()), (day.charged, true), "{day:?}");
        }
        let hours = |from: Timestamp, to: Timestamp| (to.as_second() - from.as_second()) / 3_600;
        let (short, long) = (desk.day("2027-03-28").await, desk.day("2027-10-31").await);
        assert_eq!((hours(short.from, short.to), hours(long.from, long.to)), (23, 25));
    }
}

#[tokio::test]
async fn a_job_whose_runs_ended_on_two_days_is_proved_on_both() {
    for desk in Desk::each().await {
        let job = desk.yard.job("#SBATCH --time=60").await;
        desk.yard.ends(job.id, site::protocol::End::Completed, 40).await;
        desk.pass(3 * 86_400);
        let first = desk.of(job.id, desk.run(7, -3 * 86_400, 30));
        let second = desk.of(job.id, desk.run(7, -2 * 86_400, 40));
        desk.tell(&[first, second]).await;
        assert_eq!(desk.used().await, 70);
        for (date, seconds) in [("2026-11-21", 30), ("2026-11-22", 40)] {
            let day = desk.day(date).await;
            assert_eq!((day.accounted.count(), day.charged.count()), (seconds, seconds));
            assert!(day.agrees(), "{day:?}");
        }
    }
}
