use ::jobs::Memory;
use ::jobs::life::{End, Failure};
use units::OrderId;

use super::*;
use crate::sites::{self, Inventory, OrderKind};
use crate::testing::databases;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn some(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).unwrap()
}

fn job(number: u128) -> Job {
    let uuid = Uuid::from_u128;
    Job {
        id: JobId::from_uuid(uuid(number)),
        number: 7,
        element: None,
        name: "train".to_owned(),
        user: String::new(),
        owner: Owner {
            project: ProjectId::from_uuid(uuid(1)),
            organisation: OrganisationId::from_uuid(uuid(2)),
            person: PersonId::from_uuid(uuid(3)),
            allocation: AllocationId::from_uuid(uuid(4)),
        },
        place: Place {
            factory: "meluxina-ai".parse().unwrap(),
            site: "here".parse().unwrap(),
            partition: "meluxina-ai.gpu".parse().unwrap(),
            charge_rule: "embedded".parse().unwrap(),
        },
        program: Program {
            recipe: Recipe::Script { sha256: Sha256::of(b"#!/bin/sh\n") },
            script: Sha256::of(b"#!/bin/sh\n"),
            environment: [("A".to_owned(), "b'\"\n".to_owned())].into(),
            network: true,
            folder: Some("code".to_owned()),
            stdout: Some("out".to_owned()),
            stderr: None,
            options: vec![
                ("signal".to_owned(), Some("USR1@60".to_owned())),
                ("hold".to_owned(), None),
            ],
        },
        dependency: None,
        request: Request {
            nodes: some(1),
            tasks: some(2),
            cores: some(4),
            memory: Memory::gibibytes(3),
            gpus: 1,
            time_limit_seconds: some(60),
        },
        held: Work::seconds(60),
        charged: None,
        submitted_at: at(100),
        life: Life { state: State::Ordered, cancel_asked: false },
        nodes: Vec::new(),
        reason: None,
        measured: Measured::default(),
    }
}

#[tokio::test]
async fn numbers_are_given_once_and_lead_to_jobs_arrays_and_elements() {
    for database in databases().await {
        let array = JobId::from_uuid(Uuid::from_u128(9));
        let tx = database.store.write().await.unwrap();
        let given = number(&tx, array).await.unwrap();
        let mut element = job(10);
        element.number = number(&tx, element.id).await.unwrap();
        element.element = Some(Element { array, number: given, index: 3, at_once_max: None });
        assert!(element.number > given);
        stored(&tx, &element).await;
        let find = |number, index| numbered(&tx, JobNumber { number, index });
        assert_eq!(find(given, None).await.unwrap(), Some(array));
        assert_eq!(find(given, Some(3)).await.unwrap(), Some(element.id));
        assert_eq!(find(element.number, None).await.unwrap(), Some(element.id));
        assert_eq!(find(given, Some(4)).await.unwrap(), None);
        assert_eq!(find(element.number + 1, None).await.unwrap(), None);
        assert_eq!(element.shown().to_string(), format!("{given}_3"));
        assert!(number(&tx, array).await.is_err(), "a second number was given");
    }
}

async fn stored(tx: &Tx, job: &Job) {
    keep_script(tx, "#!/bin/sh\n").await.unwrap();
    insert(tx, job).await.unwrap();
}

#[tokio::test]
async fn a_job_is_read_back_as_it_was_written_in_every_state() {
    for database in databases().await {
        let tx = database.store.write().await.unwrap();
        let mut one = job(10);
        one.element = Some(Element {
            array: JobId::from_uuid(Uuid::from_u128(9)),
            number: 6,
            index: 7,
            at_once_max: Some(some(2)),
        });
        one.dependency = Some(format!("afterok:{}", one.owner.project).parse().unwrap());
        one.program.recipe =
            Recipe::Service { name: "train-lm".parse().unwrap(), version: "1".to_owned() };
        stored(&tx, &one).await;
        assert_eq!(by_id(&tx, one.id).await.unwrap(), Some(one.clone()));
        let ended = |started| State::Ended {
            end: End::Failed(Failure::ExitCode(3)),
            started,
            ended: at(130),
        };
        let states = [
            State::Held,
            State::Queued,
            State::Running { started: at(120) },
            ended(None),
            ended(Some(at(120))),
        ];
        for state in states {
            one.life = Life { state, cancel_asked: true };
            one.reason = Some("why".to_owned());
            one.nodes = vec!["n1".to_owned(), "n2".to_owned()];
            (one.measured.peak_memory_mb, one.charged) = (Some(5), Some(Work::seconds(9)));
            update(&tx, &one).await.unwrap();
            assert_eq!(take(&tx, one.id).await.unwrap(), Some(one.clone()));
        }
        assert_eq!(script(&tx, one.program.script).await.unwrap(), "#!/bin/sh\n");
    }
}

#[tokio::test]
async fn jobs_that_wait_for_another_are_found_by_dependency_array_and_name() {
    for database in databases().await {
        let tx = database.store.write().await.unwrap();
        let held = Life { state: State::Held, cancel_asked: false };
        let first = job(10);
        let array = JobId::from_uuid(Uuid::from_u128(20));
        let element = |number: u128, index, life| Job {
            element: Some(Element { array, number: 6, index, at_once_max: None }),
            life,
            name: format!("element {index}"),
            ..job(number)
        };
        let dependent = Job {
            dependency: Some(format!("afterok:{}", first.id).parse().unwrap()),
            life: held,
            name: "other".to_owned(),
            ..job(11)
        };
        let namesake =
            Job { dependency: Some("singleton".parse().unwrap()), life: held, ..job(12) };
        let (running, waiting) = (element(21, 0, first.life), element(22, 1, held));
        let after_array = Job {
            dependency: Some(format!("afterany:{array}").parse().unwrap()),
            life: held,
            name: "last".to_owned(),
            ..job(30)
        };
        for job in [&first, &dependent, &namesake, &running, &waiting, &after_array] {
            stored(&tx, job).await;
        }
        let ids = |jobs: &[&Job]| jobs.iter().map(|job| job.id).collect::<Vec<_>>();
        let waiting_for_first = waiting_for(&tx, &first).await.unwrap();
        assert_eq!(waiting_for_first, ids(&[&dependent, &namesake]));
        let waiting_for_element = waiting_for(&tx, &running).await.unwrap();
        assert_eq!(waiting_for_element, ids(&[&after_array]));
        assert_eq!(held_elements(&tx, array, 5).await.unwrap(), ids(&[&waiting]));
        assert_eq!(earlier_namesakes(&tx, &namesake).await.unwrap(), ids(&[&first]));
        assert_eq!(named(&tx, array).await.unwrap(), ids(&[&running, &waiting]));
        assert_eq!(named(&tx, first.id).await.unwrap(), ids(&[&first]));
        assert_eq!(elements_at_site(&tx, array).await.unwrap(), 1);
        let filter =
            Filter { state: Some("held"), before: Some(after_array.id), ..Filter::default() };
        let everything = Visible { all: true, ..Visible::default() };
        let page = page(&tx, &everything, &filter, 2).await.unwrap();
        assert_eq!(page.iter().map(|job| job.id).collect::<Vec<_>>(), ids(&[&waiting, &namesake]));
    }
}

#[tokio::test]
async fn a_list_shows_only_what_may_be_seen() {
    for database in databases().await {
        let tx = database.store.write().await.unwrap();
        stored(&tx, &job(10)).await;
        let (owner, place) = (job(10).owner, job(10).place);
        let other = Uuid::from_u128(99);
        let project = |id| Visible { projects: vec![id], ..Visible::default() };
        let organisation = |id| Visible { organisations: vec![id], ..Visible::default() };
        let factory = |key: Slug| Visible { factories: vec![key], ..Visible::default() };
        let table = [
            (Visible::default(), 0),
            (project(ProjectId::from_uuid(other)), 0),
            (project(owner.project), 1),
            (organisation(OrganisationId::from_uuid(other)), 0),
            (organisation(owner.organisation), 1),
            (factory("elsewhere".parse().unwrap()), 0),
            (factory(place.factory), 1),
        ];
        for (visible, count) in table {
            let seen = page(&tx, &visible, &Filter::default(), 9).await.unwrap();
            assert_eq!(seen.len(), count, "{visible:?}");
        }
    }
}

#[tokio::test]
async fn an_event_is_recorded_once_and_logs_and_metrics_are_read_from_a_place() {
    for database in databases().await {
        let tx = database.store.write().await.unwrap();
        let one = job(10);
        stored(&tx, &one).await;
        let entry = TrailEntry {
            key: units::EventId::from_uuid(Uuid::from_u128(1)),
            job: one.id,
            at: at(1),
            taken_at: at(2),
            kind: "started".to_owned(),
            outcome: Outcome::Ignored("late".to_owned()),
        };
        assert!(record(&tx, &entry).await.unwrap());
        assert!(!record(&tx, &entry).await.unwrap());
        assert_eq!(trail(&tx, one.id).await.unwrap(), [entry]);

        let piece = |start: i64, text: &str| LogPiece { start, bytes: text.into() };
        for (piece, end) in [(piece(0, "abc"), 3), (piece(3, "\0\u{ff}"), 6)] {
            append_log(&tx, one.id, Stream::Stdout, &piece, end).await.unwrap();
        }
        let from = |offset| log(&tx, one.id, Stream::Stdout, offset, 9);
        assert_eq!(from(2).await.unwrap(), [piece(0, "abc"), piece(3, "\0\u{ff}")]);
        assert_eq!(from(3).await.unwrap(), [piece(3, "\0\u{ff}")]);
        assert_eq!(from(6).await.unwrap(), []);

        let metric = |seq: i64, name: &str| Metric {
            seq,
            at: at(seq),
            step: seq * 10,
            name: name.to_owned(),
            value: 0.1,
        };
        let both = [metric(1, "loss"), metric(2, "speed")];
        append_metrics(&tx, one.id, &both, 2).await.unwrap();
        assert_eq!(metrics(&tx, one.id, None, 0, 9).await.unwrap(), both);
        assert_eq!(metrics(&tx, one.id, Some("speed"), 0, 9).await.unwrap(), [metric(2, "speed")]);
        assert_eq!(metrics(&tx, one.id, None, 2, 9).await.unwrap(), []);
        let measured = by_id(&tx, one.id).await.unwrap().unwrap().measured;
        assert_eq!((measured.stdout_bytes, measured.metrics), (6, 2));
    }
}

#[tokio::test]
async fn inputs_and_outputs_are_kept_with_what_became_of_them() {
    for database in databases().await {
        let tx = database.store.write().await.unwrap();
        let one = job(10);
        stored(&tx, &one).await;
        let place = (
            units::RepositoryId::from_uuid(Uuid::from_u128(7)),
            units::RevisionId::from_uuid(Uuid::from_u128(8)),
        );
        let input =
            Input { mount: "data".parse().unwrap(), repository: place.0, revision: place.1 };
        put_input(&tx, one.id, &input).await.unwrap();
        assert_eq!(inputs(&tx, one.id).await.unwrap(), std::slice::from_ref(&input));
        assert_eq!(mounted(&tx, one.id, &input.mount).await.unwrap(), Some(input));
        assert_eq!(mounted(&tx, one.id, &"other".parse().unwrap()).await.unwrap(), None);
        let mut output = Output {
            name: "model".parse().unwrap(),
            path: "outputs/model".to_owned(),
            kind: vault::Kind::Model,
            target: "my-model".parse().unwrap(),
            licence: Some("MIT".parse().unwrap()),
            result: None,
        };
        put_output(&tx, one.id, &output).await.unwrap();
        assert_eq!(outputs(&tx, one.id).await.unwrap(), [output.clone()]);
        for result in [Err("too large".to_owned()), Ok(place)] {
            note_output(&tx, one.id, &output.name, &result).await.unwrap();
            output.result = Some(result);
            assert_eq!(outputs(&tx, one.id).await.unwrap(), [output.clone()]);
        }
    }
}

#[tokio::test]
async fn a_site_gets_its_orders_in_the_order_they_were_given() {
    for database in databases().await {
        let tx = database.store.write().await.unwrap();
        stored(&tx, &job(10)).await;
        let here: Slug = "here".parse().unwrap();
        sites::enter(&tx, &here).await.unwrap();
        sites::enter(&tx, &here).await.unwrap();
        for (number, kind) in [(1, OrderKind::Start), (2, OrderKind::Cancel)] {
            let key = OrderId::from_uuid(Uuid::from_u128(number));
            sites::order(&tx, &here, key, (job(10).id, kind), at(5)).await.unwrap();
        }
        let kinds = |orders: Vec<sites::Order>| {
            orders.iter().map(|order| (order.seq, order.kind)).collect::<Vec<_>>()
        };
        let all = sites::orders(&tx, &here, 0, 9).await.unwrap();
        assert_eq!(kinds(all), [(1, OrderKind::Start), (2, OrderKind::Cancel)]);
        let rest = sites::orders(&tx, &here, 1, 9).await.unwrap();
        assert_eq!(kinds(rest), [(2, OrderKind::Cancel)]);
        let inventory = Inventory {
            at: at(6),
            host: "h".to_owned(),
            agent: "usine 0".to_owned(),
            engine: Some("local".to_owned()),
            nodes: 2,
            cores: 2,
            memory_mb: 4_096,
            gpus: vec!["H100".to_owned()],
            isolation: vec!["landlock".to_owned()],
            scheduler: Some("slurm".to_owned()),
            plugins: vec!["container-image".to_owned()],
        };
        sites::note_inventory(&tx, &here, &inventory).await.unwrap();
        sites::seen(&tx, &here, at(7)).await.unwrap();
        let site = sites::by_name(&tx, &here).await.unwrap().unwrap();
        assert_eq!(inventory.memory_mb_per_node(), 2_048);
        assert_eq!(site.inventory, Some(inventory));
        assert_eq!((site.seen_at, site.orders), (Some(at(7)), 2));
    }
}
