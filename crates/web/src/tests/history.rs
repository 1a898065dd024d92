//! A factory's history over the API, as the command line and the twin receive it.

use app::Role;

use super::world::{Caller, World};

const PATH: &str = "/api/v1/factories/meluxina-ai/history";

#[tokio::test]
async fn a_history_is_a_table_of_what_ended_without_persons_and_addresses() {
    let world = World::new().await;
    let operator = world.client(Caller::Holds(Role::SiteOperator));
    let answer = operator.get(PATH).await.expect(200);
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(
        answer.header("content-disposition"),
        "attachment; filename=\"meluxina-ai-history.csv\""
    );
    let text = answer.text();
    let (heading, rows) = text.split_once('\n').unwrap();
    assert!(heading.starts_with("job,submitted,started,ended,time_limit_seconds,"), "{heading}");
    let trained = rows.lines().find(|row| row.starts_with(&world.thing("trained"))).unwrap();
    assert_eq!(trained.split(',').count(), heading.split(',').count(), "{trained}");
    assert!(!rows.contains(&world.thing("person")) && !rows.contains('@'), "{rows}");
    assert!(!rows.contains(&world.thing("job")), "a job that runs is not history\n{rows}");
}

#[tokio::test]
async fn a_span_that_ends_before_it_begins_is_refused_and_one_without_jobs_is_a_heading() {
    let world = World::new().await;
    let operator = world.client(Caller::Holds(Role::SiteOperator));
    let backwards = "?from=2026-11-21T00:00:00Z&to=2026-11-20T00:00:00Z";
    operator.get(&format!("{PATH}{backwards}")).await.expect(400);
    let long_ago = "?from=2001-01-01T00:00:00Z&to=2001-02-01T00:00:00Z";
    let empty = operator.get(&format!("{PATH}{long_ago}")).await.expect(200);
    assert_eq!(empty.text().lines().count(), 1);
}
