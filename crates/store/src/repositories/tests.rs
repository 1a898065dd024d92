use std::collections::BTreeMap;

use units::{AllocationId, JobId, PersonId};
use uuid::Uuid;
use vault::{Blake3, Blob, Change, Code, FileEntry, Making, Program, Recipe, Sha256, Tree};

use super::*;
use crate::blobs;
use crate::testing::databases;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn repository(number: u128, name: &str) -> Repository {
    Repository {
        id: RepositoryId::from_uuid(Uuid::from_u128(number)),
        project: ProjectId::from_uuid(Uuid::from_u128(1)),
        organisation: OrganisationId::from_uuid(Uuid::from_u128(2)),
        kind: Kind::Dataset,
        name: name.parse().unwrap(),
        title: "Texts".to_owned(),
        licence: Some("CC-BY-4.0".parse().unwrap()),
        sensitivity: Sensitivity::Confidential,
        head: None,
        revisions: 0,
        created_by: "person:x".to_owned(),
        created_at: at(5),
    }
}

async fn file(tx: &Tx, name: &str, content: &[u8]) -> Change {
    let entry = FileEntry { sha256: Sha256::of(content), size_bytes: content.len() as u64 };
    let id = Uuid::new_v4();
    blobs::begin(tx, id, "h", entry.sha256, at(1)).await.unwrap();
    let blob = Blob {
        sha256: entry.sha256,
        blake3: Blake3::from_bytes([1; 32]),
        git: None,
        size_bytes: entry.size_bytes,
    };
    assert!(blobs::complete(tx, id, &blob).await.unwrap());
    Change::Put(name.parse().unwrap(), entry)
}

fn revision(repository: &Repository, number: i64, tree: &Tree, making: Making) -> Revision {
    Revision {
        id: RevisionId::from_uuid(Uuid::new_v4()),
        repository: repository.id,
        number,
        message: "m".to_owned(),
        tree: tree.digest(),
        files: tree.files().len() as u64,
        size_bytes: tree.size_bytes(),
        created_by: "person:x".to_owned(),
        created_at: at(6),
        making,
    }
}

fn sent() -> Making {
    Making::Sent { by: PersonId::from_uuid(Uuid::from_u128(9)) }
}

#[tokio::test]
async fn a_repository_and_its_revisions_come_back_as_stored() {
    for database in databases().await {
        let tx = database.store.write().await.unwrap();
        let mut texts = repository(10, "texts");
        create(&tx, &texts).await.unwrap();
        assert_eq!(by_id(&tx, texts.id).await.unwrap(), Some(texts.clone()));
        let changes = [file(&tx, "a/b.txt", b"one").await, file(&tx, "ö.txt", b"two").await];
        let tree = Tree::default().apply(&changes).unwrap();
        let first = revision(&texts, 1, &tree, sent());
        insert(&tx, &first, &[], &tree).await.unwrap();
        assert!(advance(&tx, texts.id, None, &first).await.unwrap());
        let job = Making::Job {
            job: JobId::from_uuid(Uuid::from_u128(20)),
            allocation: AllocationId::from_uuid(Uuid::from_u128(21)),
            code: Code {
                recipe: Recipe::Service {
                    name: "clean-text".parse().unwrap(),
                    version: "2".to_owned(),
                },
                program: Program {
                    version: "0.1.0".to_owned(),
                    commit: Some("abcdef0".parse().unwrap()),
                },
            },
        };
        let second = revision(&texts, 2, &tree, job);
        insert(&tx, &second, &[first.id], &tree).await.unwrap();
        let inputs_of_second = BTreeMap::from([("raw".parse().unwrap(), first.id)]);
        record_inputs(&tx, second.id, &inputs_of_second).await.unwrap();
        assert!(advance(&tx, texts.id, Some(first.id), &second).await.unwrap());
        tx.commit().await.unwrap();

        let tx = database.store.read().await.unwrap();
        (texts.head, texts.revisions) = (Some(second.id), 2);
        assert_eq!(
            by_name(&tx, texts.project, texts.kind, &texts.name).await.unwrap(),
            Some(texts.clone())
        );
        assert_eq!(load(&tx, texts.id, second.id).await.unwrap(), Some(second.clone()));
        assert_eq!(by_number(&tx, texts.id, 1).await.unwrap(), Some(first.clone()));
        assert_eq!(list(&tx, texts.id, None, 10).await.unwrap(), [second.clone(), first.clone()]);
        assert_eq!(list(&tx, texts.id, Some(2), 10).await.unwrap(), std::slice::from_ref(&first));
        assert_eq!(files(&tx, second.id).await.unwrap(), tree);
        assert_eq!(parents(&tx, second.id).await.unwrap(), [first.id]);
        let found: Vec<_> = inputs(&tx, second.id).await.unwrap().into_values().collect();
        assert_eq!(found, [(texts.id, first.id)]);
        assert_eq!(children(&tx, first.id).await.unwrap(), [(texts.id, second.id)]);
        let job = JobId::from_uuid(Uuid::from_u128(20));
        assert_eq!(of_job(&tx, job).await.unwrap(), [(texts.id, second.id)]);
    }
}

#[tokio::test]
async fn of_two_commits_on_one_head_only_one_moves_it() {
    for database in databases().await {
        let tx = database.store.write().await.unwrap();
        let texts = repository(11, "texts");
        create(&tx, &texts).await.unwrap();
        let tree = Tree::default().apply(&[file(&tx, "a", b"a").await]).unwrap();
        let first = revision(&texts, 1, &tree, sent());
        insert(&tx, &first, &[], &tree).await.unwrap();
        assert!(advance(&tx, texts.id, None, &first).await.unwrap());
        let second = revision(&texts, 2, &tree, sent());
        insert(&tx, &second, &[first.id], &tree).await.unwrap();
        assert!(!advance(&tx, texts.id, None, &second).await.unwrap());
        assert!(advance(&tx, texts.id, Some(first.id), &second).await.unwrap());
        assert!(!advance(&tx, texts.id, Some(first.id), &second).await.unwrap());
    }
}

#[tokio::test]
async fn a_name_is_taken_once_per_project_and_kind() {
    for database in databases().await {
        let tx = database.store.write().await.unwrap();
        create(&tx, &repository(12, "texts")).await.unwrap();
        let mut model = repository(13, "texts");
        model.kind = Kind::Model;
        create(&tx, &model).await.unwrap();
        let again = create(&tx, &repository(14, "texts")).await;
        assert!(matches!(again, Err(StoreError::Exists(_))), "{again:?}");
    }
}

#[tokio::test]
async fn a_list_shows_what_sensitivity_and_membership_admit() {
    for database in databases().await {
        let tx = database.store.write().await.unwrap();
        let classes = [Sensitivity::Open, Sensitivity::Internal, Sensitivity::Confidential];
        for (number, sensitivity) in (30..).zip(classes) {
            let name = sensitivity.to_string();
            create(&tx, &Repository { sensitivity, ..repository(number, &name) }).await.unwrap();
        }
        let own = repository(0, "x");
        let names = async |visible: Visible, filter: Filter| {
            let page = page(&tx, &visible, &filter, 10).await.unwrap();
            page.iter().map(|found| found.name.to_string()).collect::<Vec<_>>().join(" ")
        };
        let nothing = Visible { projects: vec![], represented: vec![], organisations: vec![] };
        let any = Filter::default();
        assert_eq!(names(nothing.clone(), any.clone()).await, "open");
        let colleague = Visible { organisations: vec![own.organisation], ..nothing.clone() };
        assert_eq!(names(colleague, any.clone()).await, "internal open");
        let speaker = Visible { represented: vec![own.organisation], ..nothing.clone() };
        assert_eq!(names(speaker, any.clone()).await, "confidential internal open");
        let member = Visible { projects: vec![own.project], ..nothing };
        assert_eq!(names(member.clone(), any.clone()).await, "confidential internal open");
        let models = Filter { kind: Some(Kind::Model), ..any.clone() };
        assert_eq!(names(member.clone(), models).await, "");
        let before = Some(RepositoryId::from_uuid(Uuid::from_u128(32)));
        assert_eq!(names(member, Filter { before, ..any }).await, "internal open");
    }
}

#[tokio::test]
async fn a_claimed_blob_survives_every_sweep() {
    for database in databases().await {
        let tx = database.store.write().await.unwrap();
        let texts = repository(15, "texts");
        create(&tx, &texts).await.unwrap();
        let tree = Tree::default().apply(&[file(&tx, "a", b"kept").await]).unwrap();
        file(&tx, "b", b"never committed").await;
        assert!(blobs::claim(&tx, Sha256::of(b"kept"), at(2)).await.unwrap());
        assert!(!blobs::claim(&tx, Sha256::of(b"unknown"), at(2)).await.unwrap());
        insert(&tx, &revision(&texts, 1, &tree, sent()), &[], &tree).await.unwrap();
        assert_eq!(blobs::doom(&tx, at(1_000)).await.unwrap(), 1);
        assert_eq!(blobs::doomed(&tx).await.unwrap(), [Sha256::of(b"never committed")]);
        assert!(!blobs::claim(&tx, Sha256::of(b"never committed"), at(1_001)).await.unwrap());
    }
}

#[tokio::test]
async fn a_branch_moves_and_a_tag_stays() {
    for database in databases().await {
        let tx = database.store.write().await.unwrap();
        let texts = repository(16, "texts");
        create(&tx, &texts).await.unwrap();
        let tree = Tree::default().apply(&[file(&tx, "a", b"a").await]).unwrap();
        let first = revision(&texts, 1, &tree, sent());
        insert(&tx, &first, &[], &tree).await.unwrap();
        assert!(advance(&tx, texts.id, None, &first).await.unwrap());
        let named_so =
            |name: &str, kind| Ref { name: name.parse().unwrap(), kind, revision: first.id };
        let (dev, v1) = (named_so("dev", RefKind::Branch), named_so("v1", RefKind::Tag));
        add_ref(&tx, texts.id, &dev).await.unwrap();
        add_ref(&tx, texts.id, &v1).await.unwrap();
        let second = revision(&texts, 2, &tree, sent());
        insert(&tx, &second, &[first.id], &tree).await.unwrap();
        let place = (texts.id, &dev.name);
        assert!(advance_branch(&tx, place, first.id, &second).await.unwrap());
        let third = revision(&texts, 3, &tree, sent());
        insert(&tx, &third, &[first.id], &tree).await.unwrap();
        assert!(!advance_branch(&tx, place, first.id, &third).await.unwrap(), "it has moved");
        assert!(!advance_branch(&tx, (texts.id, &v1.name), first.id, &third).await.unwrap());
        let moved = Ref { revision: second.id, ..dev.clone() };
        assert_eq!(refs(&tx, texts.id).await.unwrap(), [moved, v1.clone()]);
        let ids = |line: Vec<Revision>| line.iter().map(|it| it.number).collect::<Vec<_>>();
        assert_eq!(ids(line(&tx, second.id, 10).await.unwrap()), [2, 1]);
        assert_eq!(ids(line(&tx, second.id, 1).await.unwrap()), [2]);
        assert!(!remove_ref(&tx, texts.id, RefKind::Branch, &v1.name).await.unwrap());
        assert!(remove_ref(&tx, texts.id, RefKind::Tag, &v1.name).await.unwrap());
        assert_eq!(named(&tx, texts.id, &v1.name).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_commit_settles_its_own_uploads_and_leaves_those_of_the_next() {
    for database in databases().await {
        let tx = database.store.write().await.unwrap();
        let texts = repository(17, "texts");
        create(&tx, &texts).await.unwrap();
        let tree = Tree::default().apply(&[file(&tx, "a", b"named").await]).unwrap();
        file(&tx, "b", b"for the next").await;
        let first = revision(&texts, 1, &tree, sent());
        insert(&tx, &first, &[], &tree).await.unwrap();
        blobs::settle(&tx, "h", first.id).await.unwrap();
        assert_eq!(blobs::uploaded(&tx, "h", Sha256::of(b"named")).await.unwrap(), None);
        assert!(blobs::uploaded(&tx, "h", Sha256::of(b"for the next")).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_deleted_repository_is_gone_but_for_its_place_in_lineages() {
    for database in databases().await {
        let tx = database.store.write().await.unwrap();
        let texts = repository(18, "texts");
        create(&tx, &texts).await.unwrap();
        let tree = Tree::default().apply(&[file(&tx, "a", b"gone").await]).unwrap();
        let first = revision(&texts, 1, &tree, sent());
        insert(&tx, &first, &[], &tree).await.unwrap();
        blobs::settle(&tx, "h", first.id).await.unwrap();
        assert_eq!(held(&tx, texts.project, Sha256::of(b"gone")).await.unwrap(), Some(4));
        delete(&tx, texts.id, at(7)).await.unwrap();
        assert_eq!(by_id(&tx, texts.id).await.unwrap(), None);
        assert_eq!(by_name(&tx, texts.project, texts.kind, &texts.name).await.unwrap(), None);
        assert_eq!(held(&tx, texts.project, Sha256::of(b"gone")).await.unwrap(), None);
        assert_eq!(repository_of(&tx, first.id).await.unwrap(), Some(texts.id));
        assert_eq!(blobs::doom(&tx, at(1_000)).await.unwrap(), 1);
        create(&tx, &repository(19, "texts")).await.unwrap();
    }
}
