use access::allocation::Allocation;
use access::application::{Check, Draft, Reason, State};
use access::call::Call;
use access::organisation::{Organisation, OrganisationKind};
use access::policy::RuleId;
use access::project::Project;
use access::sme::{
    AccountingPeriod, Addend, Assessment, Awu, Control, Enterprise, EnterpriseKind, Group, Holding,
    Line, LocalAuthority, PeriodResult, Relation, Size, SizeClass, StartUp,
};
use units::{
    Cents, Meter, OrganisationId, PartsPerMillion, Payer, Period, PoolId, Slug, Timestamp, Work,
};
use uuid::Uuid;

use super::*;
use crate::allocations::{self, Share};
use crate::identity::people;
use crate::organisations::{self, Declaration};
use crate::pools::{self, PoolRecord};
use crate::testing::databases;
use crate::{calls, projects};

fn now() -> Timestamp {
    "2026-11-21T09:00:00Z".parse().unwrap()
}

fn quarter() -> Period {
    Period::quarter_of(now())
}

fn rule() -> RuleId {
    let from = "2025-12-01".parse().unwrap();
    RuleId { file: "policy/access-modes.toml".to_owned(), entry: "playground".to_owned(), from }
}

pub(crate) struct World {
    organisation: Organisation,
    pub(crate) call: Call,
    pub(crate) application: Application,
}

/// An organisation with a draft under a call.
pub(crate) async fn world(tx: &Tx) -> World {
    let person = people::Person {
        id: PersonId::from_uuid(Uuid::new_v4()),
        email: "ada@example.org".to_owned(),
        name: "Ada".to_owned(),
        password: None,
        created_at: now(),
        disabled_at: None,
    };
    people::insert(tx, &person).await.unwrap();
    let organisation = Organisation {
        id: OrganisationId::from_uuid(Uuid::new_v4()),
        name: "Aurore".to_owned(),
        kind: OrganisationKind::Enterprise,
        country: "LU".parse().unwrap(),
        legal_form: None,
        registration: Some("LU12345678".to_owned()),
        sector: Some("space".to_owned()),
        nace: Some("K62.10".parse().unwrap()),
        registered_on: Some("2024-02-29".parse().unwrap()),
    };
    organisations::insert(tx, &organisation, "person:ada", now()).await.unwrap();
    let call = Call {
        id: CallId::from_uuid(Uuid::new_v4()),
        key: "playground".parse().unwrap(),
        title: "Playground".to_owned(),
        mode: "playground".parse().unwrap(),
        rule: rule(),
        partitions: vec!["lumi.lumi-g".parse().unwrap(), "meluxina-ai.gpu".parse().unwrap()],
        opens_at: now(),
        closes_at: None,
    };
    calls::insert(tx, &call, "system", now()).await.unwrap();
    let application = Application {
        id: ApplicationId::from_uuid(Uuid::new_v4()),
        call: call.id,
        organisation: organisation.id,
        created_by: person.id,
        created_at: now(),
        draft: Draft::default(),
        version: 1,
        state: State::Draft,
        state_at: now(),
    };
    insert(tx, &application).await.unwrap();
    World { organisation, call, application }
}

fn allocation(world: &World, project: ProjectId) -> Allocation {
    Allocation {
        id: AllocationId::from_uuid(Uuid::new_v4()),
        project,
        application: world.application.id,
        partition: "meluxina-ai.gpu".parse().unwrap(),
        meter: Meter::Gpu,
        amount: Work::hours(5_000).unwrap(),
        period: quarter(),
        rule: rule().to_string(),
        granted_at: now(),
        closed_at: None,
        suspended: None,
    }
}

#[tokio::test]
async fn organisations_and_calls_read_back_as_written() {
    for database in databases().await {
        let tx = database.store.write().await.unwrap();
        let world = world(&tx).await;
        let read = organisations::by_id(&tx, world.organisation.id).await.unwrap();
        assert_eq!(read, Some(world.organisation.clone()));
        assert_eq!(calls::by_key(&tx, &world.call.key).await.unwrap(), Some(world.call.clone()));
        assert_eq!(by_id(&tx, world.application.id).await.unwrap(), Some(world.application));
        let again =
            Organisation { id: OrganisationId::from_uuid(Uuid::new_v4()), ..world.organisation };
        tx.commit().await.unwrap();
        let tx = database.store.write().await.unwrap();
        let refused = organisations::insert(&tx, &again, "person:ada", now()).await;
        assert!(matches!(refused, Err(StoreError::Exists(_))), "{refused:?}");
    }
}

/// A group that says everything that can be said.
fn declared(period: AccountingPeriod) -> Group {
    let key = |text: &str| -> Slug { text.parse().unwrap() };
    let member = |name: &str, kind| Enterprise {
        markets: ["models".to_owned()].into(),
        adjacent_markets: ["chips".to_owned()].into(),
        consolidates: [key("holder")].into(),
        acts_with: [key("other")].into(),
        organisation: Some(OrganisationId::from_uuid(Uuid::nil())),
        authority: Some(LocalAuthority { annual_budget: Cents::new(5), inhabitants: 3 }),
        ..Enterprise::new(name, kind, vec![period])
    };
    Group {
        subject: key("subject"),
        members: [
            (key("subject"), member("Aurore", EnterpriseKind::Enterprise)),
            (key("holder"), member("Fund", EnterpriseKind::VentureCapital)),
        ]
        .into(),
        holdings: vec![Holding {
            holder: key("holder"),
            held: key("subject"),
            capital: PartsPerMillion::percent(30),
            voting: PartsPerMillion::percent(40),
            control: Some(Control::Board),
            invested: Some(Cents::new(7)),
        }],
    }
}

#[tokio::test]
async fn a_declaration_keeps_its_inputs_its_rule_and_every_line() {
    for database in databases().await {
        let tx = database.store.write().await.unwrap();
        let world = world(&tx).await;
        let size = Size {
            headcount: Awu::hundredths(1_250),
            turnover: Cents::new(100),
            balance_sheet: Cents::new(i64::MAX),
        };
        let day = "2025-12-31".parse().unwrap();
        let group = declared(AccountingPeriod { closed_on: day, size, estimated: true });
        let assessment = Assessment {
            rule: rule(),
            class: SizeClass::Small,
            relation: Relation::Partner,
            size,
            public_share: PartsPerMillion::percent(1),
            periods: vec![PeriodResult { closed_on: day, size, class: SizeClass::Micro }],
            lines: vec![Line {
                what: "a line".to_owned(),
                size: Some(size),
                share: None,
                article: "Article 2".into(),
                addend: Some(Addend {
                    period: day,
                    member: "holder".parse().unwrap(),
                    name: "Fund".to_owned(),
                    relation: Some(Relation::Partner),
                    accounts_of: day,
                    whole: size,
                }),
            }],
        };
        let start_up = StartUp { rule: rule(), holds: true, reasons: vec!["young".to_owned()] };
        let declaration = Declaration {
            id: Uuid::new_v4(),
            organisation: world.organisation.id,
            declared_by: "person:ada".to_owned(),
            declared_at: now(),
            group,
            assessment,
            start_up,
        };
        organisations::declare(&tx, &declaration).await.unwrap();
        let read = organisations::latest_declaration(&tx, world.organisation.id).await.unwrap();
        assert_eq!(read, Some(declaration));
    }
}

#[tokio::test]
async fn a_draft_is_written_only_by_who_has_read_its_latest_version() {
    for database in databases().await {
        let tx = database.store.write().await.unwrap();
        let id = world(&tx).await.application.id;
        let draft = Draft {
            title: "A model".to_owned(),
            partition: Some("meluxina-ai.gpu".parse().unwrap()),
            hours: Some(5_000),
            months: Some(3),
            duties_accepted: true,
            fields: vec!["pe6".parse().unwrap(), "ls2".parse().unwrap()],
            team: vec![access::application::Member {
                name: "Ben \"B\" Bär".to_owned(),
                email: "ben@example.org".to_owned(),
                organisation: "Aurore".to_owned(),
            }],
            ..Draft::default()
        };
        assert!(write(&tx, id, &draft, (1, now())).await.unwrap());
        assert!(!write(&tx, id, &Draft::default(), (1, now())).await.unwrap());
        assert_eq!(by_id(&tx, id).await.unwrap().unwrap().draft, draft);
        let submitted = State::Submitted { at: now() };
        assert!(advance(&tx, id, "draft", &submitted, now()).await.unwrap());
        assert!(!advance(&tx, id, "draft", &submitted, now()).await.unwrap());
        assert!(!write(&tx, id, &draft, (3, now())).await.unwrap());
        let reasons = vec![Reason {
            rule: rule().to_string(),
            check: Check::Hours,
            found: "7 GPU-h are asked".to_owned(),
            allowed: "1 to 5".to_owned(),
            fits: Some("5 GPU-h".to_owned()),
        }];
        let refused = State::Refused { at: now(), reasons };
        assert!(advance(&tx, id, "submitted", &refused, now()).await.unwrap());
        assert_eq!(by_id(&tx, id).await.unwrap().unwrap().state, refused);
    }
}

#[tokio::test]
async fn a_pool_is_opened_once_for_each_payer_and_period() {
    for database in databases().await {
        let tx = database.store.write().await.unwrap();
        let pool = PoolRecord {
            id: PoolId::from_uuid(Uuid::new_v4()),
            partition: "meluxina-ai.gpu".parse().unwrap(),
            meter: Meter::Gpu,
            payer: Payer::State("LU".parse().unwrap()),
            period: quarter(),
            amount: Work::hours(7).unwrap(),
            opened_at: now(),
        };
        assert!(pools::insert(&tx, &pool).await.unwrap());
        let again = PoolRecord { id: PoolId::from_uuid(Uuid::new_v4()), ..pool.clone() };
        assert!(!pools::insert(&tx, &again).await.unwrap());
        assert_eq!(
            pools::at(&tx, &pool.partition, now()).await.unwrap(),
            std::slice::from_ref(&pool)
        );
        assert_eq!(pools::at(&tx, &pool.partition, quarter().end()).await.unwrap(), []);
    }
}

#[tokio::test]
async fn allocations_count_as_open_until_they_end_or_are_closed() {
    for database in databases().await {
        let tx = database.store.write().await.unwrap();
        let world = world(&tx).await;
        let project = Project {
            id: ProjectId::from_uuid(Uuid::new_v4()),
            organisation: world.organisation.id,
            title: "A model".to_owned(),
            purpose: "To see".to_owned(),
            created_at: now(),
        };
        projects::insert(&tx, &project).await.unwrap();
        assert_eq!(projects::by_id(&tx, project.id).await.unwrap(), Some(project.clone()));
        let pool = PoolRecord {
            id: PoolId::from_uuid(Uuid::new_v4()),
            partition: "meluxina-ai.gpu".parse().unwrap(),
            meter: Meter::Gpu,
            payer: Payer::Union,
            period: quarter(),
            amount: Work::hours(9_000).unwrap(),
            opened_at: now(),
        };
        pools::insert(&tx, &pool).await.unwrap();
        let open = allocation(&world, project.id);
        let closed = Allocation { closed_at: Some(now()), ..allocation(&world, project.id) };
        let share = Share { pool: pool.id, payer: Payer::Union, amount: open.amount };
        allocations::insert(&tx, &open, &[share]).await.unwrap();
        allocations::insert(&tx, &closed, &[]).await.unwrap();
        assert_eq!(allocations::by_id(&tx, open.id).await.unwrap(), Some(open.clone()));
        assert_eq!(allocations::shares(&tx, open.id).await.unwrap(), [share]);
        let mode = "playground".parse().unwrap();
        let count = |at| allocations::count_open(&tx, world.organisation.id, &mode, at);
        assert_eq!(count(now()).await.unwrap(), 1);
        assert_eq!(count(quarter().end()).await.unwrap(), 0);
        let granted = allocations::granted_by_mode(&tx, pool.id).await.unwrap();
        assert_eq!(granted, [(mode, open.amount)].into());
        let partitions = allocations::partitions_of(&tx, project.id).await.unwrap();
        assert_eq!(partitions, [open.partition]);
    }
}

#[tokio::test]
async fn a_reader_sees_what_lies_in_their_scope_and_no_more() {
    for database in databases().await {
        let tx = database.store.write().await.unwrap();
        let world = world(&tx).await;
        let (id, own) = (world.application.id, world.organisation.id);
        let seen = async |organisations: Vec<_>, partitions: Vec<_>, filter: Filter| {
            let scope = Scope::Within { organisations, projects: Vec::new(), partitions };
            page(&tx, &scope, &filter, 10).await.unwrap().len()
        };
        let stranger = OrganisationId::from_uuid(Uuid::new_v4());
        assert_eq!(seen(vec![], vec![], Filter::default()).await, 0);
        assert_eq!(seen(vec![stranger], vec![], Filter::default()).await, 0);
        assert_eq!(seen(vec![stranger, own], vec![], Filter::default()).await, 1);
        let asked = Draft { partition: world.call.partitions.first().cloned(), ..Draft::default() };
        assert!(write(&tx, id, &asked, (1, now())).await.unwrap());
        let partition = world.call.partitions.first().cloned().unwrap();
        assert_eq!(seen(vec![], vec![partition.clone()], Filter::default()).await, 1);
        let public = Filter { drafts_of: Some(vec![stranger]), ..Filter::default() };
        assert_eq!(seen(vec![], vec![partition.clone()], public.clone()).await, 0);
        let everything = page(&tx, &Scope::Everything, &public, 10).await.unwrap();
        assert_eq!(everything, []);
        let older = Filter { before: Some(id), ..Filter::default() };
        assert_eq!(page(&tx, &Scope::Everything, &older, 10).await.unwrap(), []);
    }
}
