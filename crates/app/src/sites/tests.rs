use std::time::Duration;

use site::protocol::{self, End, EventBody, Events, Inventory, VERSION, login_digest};
use units::{OrderId, Slug};

use crate::jobs::Cause;
use crate::jobs::tests::yard::{Yard, here, script};
use crate::{Actor, Error, Role, Scope};

#[tokio::test]
async fn an_agent_serves_its_own_site_and_no_other() {
    let yard = Yard::new().await;
    let elsewhere: Slug = "elsewhere".parse().unwrap();
    let foreign = Actor::site(elsewhere.clone());
    let app = yard.app();
    let none = || Events {
        version: VERSION,
        inventory: None,
        snapshot: None,
        health: None,
        events: vec![],
    };
    for (actor, site) in
        [(&foreign, here()), (&yard.agent, elsewhere.clone()), (&foreign, elsewhere)]
    {
        let orders = app.site_orders(actor, &site, 0, Duration::ZERO).await;
        assert!(matches!(orders, Err(Error::NotFound("site"))));
        let taken = app.take_events(actor, &site, none()).await;
        assert!(matches!(taken, Err(Error::NotFound("site"))));
    }
    let person = app.take_events(&yard.ada, &here(), none()).await;
    assert!(matches!(person, Err(Error::Forbidden(_))));
}

#[tokio::test]
async fn an_order_reaches_an_agent_that_waits_at_once() {
    for yard in Yard::each().await {
        let (app, agent) = (yard.app().clone(), yard.agent.clone());
        let waiting = tokio::spawn(async move {
            let begun = std::time::Instant::now();
            let orders = app.site_orders(&agent, &here(), 0, Duration::from_secs(20)).await;
            (orders.unwrap().orders.len(), begun.elapsed())
        });
        tokio::time::sleep(Duration::from_millis(300)).await;
        yard.job("true").await;
        let (orders, waited) = waiting.await.unwrap();
        assert_eq!(orders, 1);
        assert!(waited < Duration::from_secs(10), "waited {waited:?}");
    }
}

#[tokio::test]
async fn an_agent_goes_on_behind_the_last_order_it_saw() {
    for yard in Yard::each().await {
        let submitted = yard.submit(script("#SBATCH --array=1-60 --time=1")).await.unwrap();
        let first = yard.orders(0).await;
        assert_eq!(first.len(), 50);
        let second = yard.orders(first[49].seq).await;
        assert_eq!(second.len(), 10);
        for job in &submitted.jobs {
            yard.ends(job.id, End::Completed, 0).await;
        }
        let last = yard.job("true").await;
        let rest = yard.orders(0).await;
        assert_eq!(rest.len(), 1, "an agent that lost its place repeats no job that has ended");
        assert_eq!(yard.ordered().await, [("start", last.id)]);
    }
}

#[tokio::test]
async fn staff_see_what_a_site_has_and_when_it_called() {
    let yard = Yard::new().await;
    let factory = |key: &str| Scope::Factory(key.parse().unwrap());
    let (_, own) = yard.hub.person("o", &[(Role::SiteOperator, factory("meluxina-ai"))]).await;
    let (_, other) = yard.hub.person("p", &[(Role::SiteOperator, factory("lumi-aif"))]).await;
    let sites = yard.app().sites(&own).await.unwrap();
    let known = sites[0].known.as_ref().unwrap();
    assert_eq!(known.inventory.as_ref().unwrap().cores, 8);
    assert_eq!(known.seen_at, Some(yard.app().now()));
    assert!(matches!(yard.app().sites(&other).await, Err(Error::Forbidden(_))));
    assert!(matches!(yard.app().sites(&yard.ada).await, Err(Error::Forbidden(_))));
}

#[tokio::test]
async fn a_start_that_an_agent_cannot_read_ends_its_job_and_other_orders_do_not() {
    for yard in Yard::each().await {
        let job = yard.job("true").await;
        let key = yard.orders(0).await[0].key;
        let reason = "this agent is of version 0 and does not know `start`".to_owned();
        let foreign = OrderId::from_uuid(yard.app().clock().mint());
        let refused = |order| EventBody::OrderRefused { order, reason: reason.clone() };
        yard.report(job.id, refused(foreign)).await;
        assert_eq!(yard.stands(job.id).await, "ordered");
        yard.report(job.id, refused(key)).await;
        assert_eq!(yard.stands(job.id).await, "refused");
        assert_eq!(yard.look(job.id).await.reason.as_ref(), Some(&reason));
    }
}

#[tokio::test]
async fn a_job_for_a_site_whose_agent_is_away_says_so() {
    let yard = Yard::new().await;
    let job = yard.job("true").await;
    let since = yard.app().now();
    yard.hub.clock.advance(jiff::SignedDuration::from_secs(91));
    let outlook = yard.app().job_outlook(&yard.ada, job.id).await.unwrap();
    assert_eq!(outlook.causes.first(), Some(&Cause::AgentAway { since }));
    assert_eq!(outlook.expected, None);
    assert!(!outlook.causes.contains(&Cause::AboutToStart));
}

/// A site where the jobs of these people run as themselves.
fn as_persons(emails: &[&str]) -> Inventory {
    Inventory {
        host: "cluster".to_owned(),
        agent: "usine 0.0.0".to_owned(),
        engine: Some("slurm".to_owned()),
        nodes: 2,
        cpus: 16,
        memory_mb: 65_536,
        gpus: Vec::new(),
        isolation: Vec::new(),
        logins: Some(emails.iter().map(|email| login_digest(email)).collect()),
        scheduler: None,
    }
}

#[tokio::test]
async fn whoever_has_no_login_at_a_site_is_told_before_a_job_is_taken_and_its_operator_hears_of_it()
{
    for yard in Yard::each().await {
        let app = yard.app();
        let own = Scope::Factory("meluxina-ai".parse().unwrap());
        let (_, operator) = yard.hub.person("olga", &[(Role::SiteOperator, own)]).await;
        yard.has(as_persons(&["somebody@example.org"])).await;
        let before = yard.balance(yard.allocation).await;
        for _ in 0..2 {
            let refused = yard.submit(script("#SBATCH --time=5")).await.unwrap_err();
            assert_eq!(
                refused.to_string(),
                "jobs run as persons at the site here, and you have no login there; its operator \
                 has been told that you want one"
            );
        }
        assert_eq!(yard.balance(yard.allocation).await, before, "nothing is held");
        assert!(yard.orders(0).await.is_empty());
        let requests = app.login_requests(&operator, &here()).await.unwrap();
        let [request] = &requests[..] else { panic!("{requests:?}") };
        assert!(request.email.starts_with("ada@"), "{request:?}");
        let limits = Default::default();
        let offers = app.job_offers(&yard.ada, yard.project, &script("true"), &limits).await;
        let offers = offers.unwrap().offers;
        let why = offers[0].terms.as_ref().unwrap_err();
        assert_eq!(why, "jobs run as persons at the site here, and you have no login there");
        let theirs = app.login_requests(&yard.ada, &here()).await;
        assert!(matches!(theirs, Err(Error::Forbidden(_) | Error::NotFound(_))), "{theirs:?}");

        yard.has(as_persons(&[&request.email.to_uppercase()])).await;
        assert!(app.login_requests(&operator, &here()).await.unwrap().is_empty());
        yard.job("#SBATCH --time=5").await;
        yard.has(Inventory { logins: None, ..as_persons(&[]) }).await;
        yard.job("#SBATCH --time=5").await;
        yard.audit().await;
    }
}

/// A step of a job that runs.
fn step(id: &str, state: &str) -> protocol::Step {
    protocol::Step {
        id: id.to_owned(),
        name: "train".to_owned(),
        state: state.to_owned(),
        exit_code: None,
        signal: None,
        started: None,
        ended: None,
        nodes: 1,
        tasks: 4,
        peak_memory_mb: None,
        cpu_milliseconds: None,
        gpu_percent: Some(87),
        gpu_memory_mb: None,
    }
}

#[tokio::test]
async fn steps_are_those_that_the_site_of_a_job_told_last() {
    for yard in Yard::each().await {
        let job = yard.job("true").await.id;
        let tell = async |site: &str, steps: Vec<protocol::Step>| {
            let site: Slug = site.parse().unwrap();
            let jobs = vec![protocol::JobSteps { job, steps, earlier: 0 }];
            let told = protocol::Steps { version: VERSION, jobs };
            yard.app().take_steps(&Actor::site(site.clone()), &site, told).await
        };
        let seen = async || {
            let steps = yard.app().job(&yard.ada, job).await.unwrap().steps;
            steps.map_or(Vec::new(), |told| told.steps)
        };
        assert_eq!(seen().await, []);
        let first = vec![step("batch", "RUNNING"), step("0", "RUNNING")];
        assert_eq!(tell("here", first.clone()).await.unwrap().taken, 1);
        assert_eq!(seen().await, first);
        let foreign = tell("afar", vec![step("9", "RUNNING")]).await.unwrap();
        assert_eq!((foreign.taken, seen().await), (0, first));
        let later = vec![step("batch", "RUNNING"), step("0", "COMPLETED")];
        tell("here", later.clone()).await.unwrap();
        assert_eq!(seen().await, later);
        let many = vec![step("0", "RUNNING"); protocol::STEPS_MAX + 1];
        assert!(matches!(tell("here", many).await, Err(Error::Invalid(_))));
    }
}
