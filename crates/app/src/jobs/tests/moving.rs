use std::time::Duration;

use ::jobs::moving::Stays;
use ::jobs::placement::Limits;
use access::allocation::Allocation;
use jiff::SignedDuration;
use ledger::{Commodity, Pool};
use site::protocol::{End, Events, Inventory, OrderBody, VERSION};
use store::pools::PoolRecord;
use units::{
    AllocationId, JobId, Meter, PartitionKey, Payer, Period, PoolId, Shares, Slug, Work as Amount,
};

use super::super::Submission;
use super::yard::{Yard, script};
use crate::{Actor, Error, Role, Scope};

fn afar() -> Slug {
    "afar".parse().unwrap()
}

fn partition() -> PartitionKey {
    "meluxina.gpu".parse().unwrap()
}

impl Yard {
    /// Hours of the project at the site `afar`, which has nodes of two cores.
    async fn hours_afar(&self, seconds: i64) -> AllocationId {
        let (app, now) = (self.app(), self.app().now());
        let (period, amount) = (Period::quarter_of(now), Amount::seconds(seconds));
        let pool = PoolRecord {
            id: PoolId::from_uuid(app.clock().mint()),
            partition: partition(),
            meter: Meter::Gpu,
            payer: Payer::Union,
            period,
            amount,
            opened_at: now,
        };
        let tx = app.store().write().await.unwrap();
        store::pools::insert(&tx, &pool).await.unwrap();
        let hours = Commodity { partition: partition(), meter: Meter::Gpu };
        let opened = [(Pool { id: pool.id, payer: pool.payer, period }, amount)];
        let memo = app.memo(&Actor::system(), "a pool");
        store::ledger::open_pools(&tx, memo, &hours, period, &opened).await.unwrap().unwrap();
        let first = store::allocations::by_id(&tx, self.allocation).await.unwrap().unwrap();
        let share = store::allocations::shares(&tx, first.id).await.unwrap()[0];
        let id = AllocationId::from_uuid(app.clock().mint());
        let allocation = Allocation { id, amount, partition: partition(), ..first };
        let share = store::allocations::Share { amount, pool: pool.id, ..share };
        store::allocations::insert(&tx, &allocation, &[share]).await.unwrap();
        let memo = app.memo(&Actor::system(), "hours afar");
        let shares = Shares::sole(share.pool);
        store::ledger::grant(&tx, memo, id, &shares, amount).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        let inventory = Inventory {
            host: "afar".to_owned(),
            agent: "usine 0.0.0".to_owned(),
            engine: Some("local".to_owned()),
            nodes: 3,
            cpus: 6,
            memory_mb: 3 * 4_096,
            gpus: Vec::new(),
            isolation: Vec::new(),
            logins: None,
            scheduler: None,
        };
        let told = Events {
            version: VERSION,
            inventory: Some(inventory),
            snapshot: None,
            health: None,
            events: Vec::new(),
        };
        app.take_events(&Actor::site(afar()), &afar(), told).await.unwrap();
        id
    }

    /// The jobs that the agent of `afar` is given.
    async fn given_afar(&self) -> Vec<JobId> {
        let (agent, none) = (Actor::site(afar()), Duration::ZERO);
        let orders = self.app().site_orders(&agent, &afar(), 0, none).await.unwrap().orders;
        let job = |body: &OrderBody| match body {
            OrderBody::Start(start) => start.job,
            OrderBody::Cancel { job } => *job,
        };
        orders.iter().map(|order| job(&order.body)).collect()
    }

    async fn on(&self, allocation: AllocationId, text: &str) -> Vec<super::super::Job> {
        let new = Submission { allocation: Some(allocation), ..script(text) };
        self.submit(new).await.unwrap().jobs
    }

    fn wait(&self, seconds: i64) {
        self.hub.clock.advance(SignedDuration::from_secs(seconds));
    }
}

#[tokio::test]
async fn a_job_leaves_a_site_that_was_never_given_it_under_its_number_on_hours_held_anew() {
    for yard in Yard::each().await {
        let there = yard.hours_afar(100_000).await;
        let text = "#SBATCH --time=5 --exclusive -o logs/%j.txt";
        let job = yard.on(there, text).await.remove(0);
        assert_eq!((job.place.site.as_str(), job.request.cores.get()), ("afar", 2));
        let outlook = yard.app().job_outlook(&yard.ada, job.id).await.unwrap();
        assert!(outlook.may_leave);
        let moved = yard.app().move_job(&yard.ada, job.id, None).await.unwrap();
        assert!(moved.stay.is_empty());
        let seen = yard.look(job.id).await;
        assert_eq!(moved.jobs[0].place, seen.place);
        assert_eq!((seen.number, seen.place.site.as_str()), (job.number, "here"));
        assert_eq!(seen.owner.allocation, yard.allocation);
        assert_eq!(seen.request.cores.get(), 8, "a whole node of the other site");
        assert_eq!(seen.program.stdout, job.program.stdout);
        assert_eq!(yard.balance(there).await.1, 0, "given back");
        assert_eq!(yard.balance(yard.allocation).await.1, seen.held.count());
        assert_eq!(yard.given_afar().await, []);
        assert_eq!(yard.ordered().await, [("start", job.id)]);
        yard.ends(job.id, End::Completed, 30).await;
        assert_eq!(yard.stands(job.id).await, "completed");
        let (_, held, used) = yard.balance(yard.allocation).await;
        assert_eq!((held, used), (0, 30 * seen.held.count() / 300));
        yard.audit().await;
        let trail = yard.app().audit_trail(&Actor::system(), None, None, 50).await.unwrap();
        let entry = trail.iter().find(|entry| entry.action == "job.move").unwrap();
        let told = "1 × from meluxina.gpu to meluxina-ai.gpu at here";
        assert!(entry.detail.contains(told), "{}", entry.detail);
    }
}

#[tokio::test]
async fn what_a_site_was_given_stays_there() {
    for yard in Yard::each().await {
        let there = yard.hours_afar(100_000).await;
        let array = yard.on(there, "#SBATCH --time=1 --array=0-3%2").await;
        let given = yard.given_afar().await;
        assert_eq!(given, [array[0].id, array[1].id]);
        let id = array[0].element.unwrap().array;
        let moved = yard.app().move_job(&yard.ada, id, Some(yard.allocation)).await.unwrap();
        let gone: Vec<JobId> = moved.jobs.iter().map(|job| job.id).collect();
        assert_eq!(gone, [array[2].id, array[3].id]);
        let stay: Vec<Stays> = moved.stay.iter().map(|(_, why)| *why).collect();
        assert_eq!(stay, [Stays::GivenOut, Stays::GivenOut]);
        assert_eq!(yard.ordered().await, [], "held elements wait for the others as before");
        let again = yard.app().move_job(&yard.ada, array[0].id, None).await.unwrap_err();
        assert!(again.to_string().contains("may have taken it"), "{again}");
        let outlook = yard.app().job_outlook(&yard.ada, array[0].id).await.unwrap();
        assert!(!outlook.may_leave);
        yard.app().cancel_job(&yard.ada, array[2].id).await.unwrap();
        let over = yard.app().move_job(&yard.ada, array[2].id, None).await.unwrap_err();
        assert!(over.to_string().contains("has ended"), "{over}");
        yard.audit().await;
    }
}

#[tokio::test]
async fn nothing_changes_when_no_other_place_can_take_the_job() {
    let yard = Yard::new().await;
    let near = yard.job("#SBATCH --time=5").await;
    let nowhere = yard.app().move_job(&yard.ada, near.id, None).await.unwrap_err();
    assert!(nowhere.to_string().contains("no hours at another site"), "{nowhere}");
    let there = yard.hours_afar(100).await;
    let (to, before) = (Some(there), yard.look(near.id).await);
    let poor = yard.app().move_job(&yard.ada, near.id, to).await.unwrap_err();
    assert!(poor.to_string().contains("are missing"), "{poor}");
    let here = yard.app().move_job(&yard.ada, near.id, Some(yard.allocation)).await.unwrap_err();
    assert!(here.to_string().contains("it is to run there already"), "{here}");
    let no = AllocationId::from_uuid(near.id.uuid());
    let none = yard.app().move_job(&yard.ada, near.id, Some(no)).await.unwrap_err();
    assert!(matches!(none, Error::Invalid(_)), "{none}");
    let (_, eve) = yard.hub.person("eve", &[]).await;
    let stranger = yard.app().move_job(&eve, near.id, to).await.unwrap_err();
    assert!(matches!(stranger, Error::NotFound(_)), "{stranger}");
    let own = Scope::Factory("meluxina-ai".parse().unwrap());
    let (_, operator) = yard.hub.person("olga", &[(Role::SiteOperator, own)]).await;
    let operator = yard.app().move_job(&operator, near.id, to).await.unwrap_err();
    assert!(matches!(operator, Error::Forbidden(_) | Error::NotFound(_)), "{operator}");
    assert_eq!(yard.look(near.id).await, before);
    assert_eq!(yard.ordered().await, [("start", near.id)]);
    yard.audit().await;
}

#[tokio::test]
async fn a_job_that_may_move_leaves_after_the_time_of_policy_and_another_waits() {
    for yard in Yard::each().await {
        let there = yard.hours_afar(100_000).await;
        let new = |may_move| Submission {
            allocation: Some(there),
            may_move,
            options: vec!["--time=3".to_owned()],
            ..script("")
        };
        let finland = Limits { countries: vec!["FI".parse().unwrap()], ..Limits::default() };
        let mut jobs = Vec::new();
        for may_move in [None, Some(Limits::default()), Some(finland)] {
            jobs.push(yard.submit(new(may_move)).await.unwrap().jobs.remove(0));
        }
        yard.wait(590);
        assert_eq!(yard.app().move_stranded().await.unwrap(), 0, "ten minutes are not over");
        yard.wait(11);
        assert_eq!(yard.app().move_stranded().await.unwrap(), 0, "the other site is away as well");
        assert_eq!(yard.ordered().await, [], "it calls again");
        assert_eq!(yard.app().move_stranded().await.unwrap(), 1);
        assert_eq!(yard.app().move_stranded().await.unwrap(), 0);
        let gone = yard.look(jobs[1].id).await;
        assert_eq!(gone.place.site.as_str(), "here");
        assert_eq!(gone.request.time_limit_seconds.get(), 180, "as the options say");
        assert_eq!(yard.given_afar().await, [jobs[0].id, jobs[2].id]);
        yard.wait(10_000);
        assert_eq!(yard.app().move_stranded().await.unwrap(), 0, "the site may have the others");
        yard.audit().await;
    }
}

#[tokio::test]
async fn an_order_is_given_out_or_taken_back_and_never_both() {
    for yard in Yard::each().await {
        let there = yard.hours_afar(1_000_000).await;
        let mut last = 0;
        for _ in 0..25 {
            let job = yard.on(there, "#SBATCH --time=1").await.remove(0).id;
            let agent = Actor::site(afar());
            let site = afar();
            let asked = yard.app().site_orders(&agent, &site, last, Duration::ZERO);
            let moved = yard.app().move_job(&yard.ada, job, None);
            let (given, moved) = tokio::join!(asked, moved);
            let given = given.unwrap().orders;
            assert_eq!(given.is_empty(), moved.is_ok(), "{given:?} and {moved:?}");
            last = given.last().map_or(last, |order| order.seq);
        }
        yard.audit().await;
    }
}
