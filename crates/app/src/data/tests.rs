mod shared;

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::SignedDuration;
use units::{AllocationId, JobId, RevisionId};
use uuid::Uuid;
use vault::{ByteRange, Code, FileEntry, FilePath, Making, Program, Recipe, Sha256};

use super::*;
use crate::Role;
use crate::testing::TestHub;

fn home() -> Home {
    Home {
        project: ProjectId::from_uuid(Uuid::from_u128(1)),
        organisation: OrganisationId::from_uuid(Uuid::from_u128(2)),
    }
}

fn new(name: &str, sensitivity: Sensitivity) -> NewRepository {
    NewRepository {
        kind: Kind::Dataset,
        name: name.parse().unwrap(),
        title: "Texts".to_owned(),
        licence: None,
        sensitivity,
    }
}

fn body(content: &[u8]) -> impl futures_util::Stream<Item = Result<Bytes, std::io::Error>> + use<> {
    let chunks: Vec<_> = content.chunks(3).map(|part| Ok(Bytes::copy_from_slice(part))).collect();
    stream::iter(chunks)
}

fn path(text: &str) -> FilePath {
    text.parse().unwrap()
}

/// A hub with one repository and a member of its project.
struct Scene {
    hub: TestHub,
    member: Actor,
    repository: Repository,
}

impl Scene {
    async fn each(sensitivity: Sensitivity) -> Vec<Self> {
        let mut scenes = Vec::new();
        for hub in TestHub::each().await {
            let grant = (Role::User, Scope::Project(home().project));
            let (_, member) = hub.person("member", &[grant]).await;
            let tx = hub.app.store().write().await.unwrap();
            let made = new("texts", sensitivity);
            let repository =
                hub.app.create_repository_in(&tx, &member, home(), made).await.unwrap();
            tx.commit().await.unwrap();
            scenes.push(Self { hub, member, repository });
        }
        scenes
    }

    async fn send(&self, content: &[u8]) -> Sha256 {
        let sha256 = Sha256::of(content);
        let sent =
            self.hub.app.upload(&self.member, self.repository.id, (sha256, None), body(content));
        assert_eq!(sent.await.unwrap().sha256, sha256);
        sha256
    }

    async fn commit(
        &self,
        parent: Option<RevisionId>,
        put: &[(&str, Sha256)],
    ) -> Result<Revision, Error> {
        let commit = NewRevision {
            parent,
            message: "more".to_owned(),
            put: put.iter().map(|(name, sha256)| (path(name), *sha256)).collect(),
            ..NewRevision::default()
        };
        self.hub.app.commit_revision(&self.member, self.repository.id, commit).await
    }

    async fn read(&self, reference: Reference, name: &str) -> Result<Vec<u8>, Error> {
        let app = &self.hub.app;
        let file = app.file(&self.member, self.repository.id, reference, &path(name)).await?;
        let chunks: Vec<Bytes> = app.bytes(&file, None).await?.bytes.try_collect().await?;
        Ok(chunks.concat())
    }
}

#[tokio::test]
async fn what_was_sent_and_committed_is_read_back_at_every_revision() {
    for scene in Scene::each(Sensitivity::Confidential).await {
        let one = scene.send(b"first text").await;
        let first = scene.commit(None, &[("a.txt", one)]).await.unwrap();
        let two = scene.send(b"second").await;
        let second =
            scene.commit(Some(first.id), &[("a.txt", two), ("b/c.txt", one)]).await.unwrap();
        assert_eq!((first.number, second.number), (1, 2));
        assert_eq!(scene.read(Reference::Main, "a.txt").await.unwrap(), b"second");
        assert_eq!(scene.read(Reference::Number(1), "a.txt").await.unwrap(), b"first text");
        assert_eq!(scene.read(Reference::Id(second.id), "b/c.txt").await.unwrap(), b"first text");
        let absent = scene.read(Reference::Main, "z.txt").await;
        assert!(matches!(absent, Err(Error::NotFound("file"))), "{absent:?}");
        let app = &scene.hub.app;
        let detail =
            app.revision(&scene.member, scene.repository.id, Reference::Main).await.unwrap();
        assert_eq!(detail.parents, [first.id]);
        assert_eq!(detail.revision.size_bytes, 16);
        let file = app
            .file(&scene.member, scene.repository.id, Reference::Main, &path("a.txt"))
            .await
            .unwrap();
        let range = app.bytes(&file, Some(ByteRange::Last(3))).await.unwrap();
        let chunks: Vec<Bytes> = range.bytes.try_collect().await.unwrap();
        assert_eq!(chunks.concat(), b"ond");
    }
}

#[tokio::test]
async fn a_commit_from_an_old_head_is_refused() {
    for scene in Scene::each(Sensitivity::Open).await {
        let sha256 = scene.send(b"x").await;
        let first = scene.commit(None, &[("a", sha256)]).await.unwrap();
        let late = scene.commit(None, &[("b", sha256)]).await;
        assert!(matches!(late, Err(Error::Conflict(_))), "{late:?}");
        scene.commit(Some(first.id), &[("b", sha256)]).await.unwrap();
    }
}

#[tokio::test]
async fn knowing_a_digest_is_not_enough_to_have_the_file() {
    for scene in Scene::each(Sensitivity::Confidential).await {
        let secret = scene.send(b"secret").await;
        scene.commit(None, &[("a", secret)]).await.unwrap();
        let other = Home { project: ProjectId::from_uuid(Uuid::from_u128(7)), ..home() };
        let grant = (Role::User, Scope::Project(other.project));
        let (_, thief) = scene.hub.person("thief", &[grant]).await;
        let app = &scene.hub.app;
        let tx = app.store().write().await.unwrap();
        let theirs = app
            .create_repository_in(&tx, &thief, other, new("x", Sensitivity::Open))
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let commit = NewRevision {
            message: "mine".to_owned(),
            put: vec![(path("a"), secret)],
            ..NewRevision::default()
        };
        let refused = app.commit_revision(&thief, theirs.id, commit).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn wrong_bytes_are_refused_and_leave_nothing() {
    for scene in Scene::each(Sensitivity::Open).await {
        let app = &scene.hub.app;
        let sha256 = Sha256::of(b"right");
        let announced = (sha256, None);
        let wrong = app.upload(&scene.member, scene.repository.id, announced, body(b"wrong")).await;
        assert!(matches!(wrong, Err(Error::Invalid(_))), "{wrong:?}");
        let cut = body(b"righ").chain(stream::iter([Err(std::io::Error::other("gone"))]));
        let cut = app.upload(&scene.member, scene.repository.id, announced, cut).await;
        assert!(matches!(cut, Err(Error::Invalid(_))), "{cut:?}");
        let large = vec![0; 1_000_001];
        let announced = (Sha256::of(&large), None);
        let large = app.upload(&scene.member, scene.repository.id, announced, body(&large)).await;
        assert!(matches!(large, Err(Error::Refused(_))), "{large:?}");
        let refused = scene.commit(None, &[("a", sha256)]).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
        assert_eq!(
            scene.commit(None, &[("a", scene.send(b"right").await)]).await.unwrap().files,
            1
        );
    }
}

#[tokio::test]
async fn who_may_read_follows_from_sensitivity_and_membership() {
    for (sensitivity, colleague_reads, stranger_reads) in [
        (Sensitivity::Open, true, true),
        (Sensitivity::Internal, true, false),
        (Sensitivity::Confidential, false, false),
        (Sensitivity::Personal, false, false),
    ] {
        for scene in Scene::each(sensitivity).await {
            let organisation = Scope::Organisation(home().organisation);
            let hub = &scene.hub;
            let (_, colleague) =
                hub.person("colleague", &[(Role::User, organisation.clone())]).await;
            let (_, stranger) = hub.person("stranger", &[]).await;
            let representative = (Role::OrganisationRepresentative, organisation);
            let (_, speaker) = hub.person("speaker", &[representative]).await;
            for (actor, reads) in
                [(&colleague, colleague_reads), (&stranger, stranger_reads), (&speaker, true)]
            {
                let one = hub.app.repository(actor, scene.repository.id).await;
                let list = hub.app.repositories(actor, &Filter::default(), 10).await.unwrap();
                assert_eq!(one.is_ok(), reads, "{sensitivity}: {one:?}");
                assert_eq!(list.len(), usize::from(reads), "{sensitivity}");
                let write = hub
                    .app
                    .upload(actor, scene.repository.id, (Sha256::of(b"x"), None), body(b"x"))
                    .await;
                let expected = if reads { "you may not write" } else { "there is no such repo" };
                let error = write.unwrap_err().to_string();
                assert!(error.starts_with(expected), "{sensitivity}: {error}");
            }
            let nobody = hub.app.repository(&Actor::anonymous(), scene.repository.id).await;
            assert!(matches!(nobody, Err(Error::NotSignedIn)), "{nobody:?}");
        }
    }
}

fn output(input: Option<RevisionId>, files: Vec<(FilePath, FileEntry)>) -> JobOutput {
    JobOutput {
        home: home(),
        output: "model".parse().unwrap(),
        kind: Kind::Model,
        repository: "small-lm".parse().unwrap(),
        licence: None,
        job: JobId::from_uuid(Uuid::from_u128(50)),
        job_name: "train".to_owned(),
        allocation: AllocationId::from_uuid(Uuid::from_u128(51)),
        code: Code {
            recipe: Recipe::Service { name: "train-lm".parse().unwrap(), version: "1".to_owned() },
            program: Program { version: "0.0.0".to_owned(), commit: None },
        },
        inputs: input.map(|id| ("corpus".parse().unwrap(), id)).into_iter().collect(),
        files,
    }
}

#[tokio::test]
async fn what_a_job_wrote_becomes_a_model_that_names_its_origin() {
    for scene in Scene::each(Sensitivity::Confidential).await {
        let app = &scene.hub.app;
        let text = scene.send(b"corpus").await;
        let corpus = scene.commit(None, &[("a.txt", text)]).await.unwrap();
        let weights = FileEntry { sha256: Sha256::of(b"weights"), size_bytes: 7 };
        let made = output(Some(corpus.id), vec![(path("model.safetensors"), weights)]);
        let system = Actor::system();

        let tx = app.store().write().await.unwrap();
        let early = app.commit_output(&tx, &system, made.clone()).await;
        assert!(matches!(early, Err(Error::Invalid(_))), "nothing was sent yet: {early:?}");
        drop(tx);
        let announced = (weights.sha256, Some(7));
        app.take_in_output(made.job, &made.output, announced, body(b"weights")).await.unwrap();
        let tx = app.store().write().await.unwrap();
        let revision = app.commit_output(&tx, &system, made.clone()).await.unwrap();
        tx.commit().await.unwrap();

        let found = app.repository(&scene.member, revision.repository).await.unwrap();
        assert_eq!((found.kind, found.sensitivity), (Kind::Model, Sensitivity::Confidential));
        let lineage = app.lineage(&scene.member, found.id, Reference::Main).await.unwrap();
        assert_eq!(
            lineage.revision.making,
            Making::Job { job: made.job, allocation: made.allocation, code: made.code }
        );
        let [(name, Source::Known { repository, revision: input })] = &lineage.inputs[..] else {
            panic!("{:?}", lineage.inputs);
        };
        assert_eq!(
            (name.as_str(), repository.id, input.id),
            ("corpus", scene.repository.id, corpus.id)
        );
        let down = app.lineage(&scene.member, scene.repository.id, Reference::Main).await.unwrap();
        assert_eq!(down.children.len(), 1);
    }
}

#[tokio::test]
async fn lineage_does_not_name_what_its_reader_may_not_see() {
    for scene in Scene::each(Sensitivity::Confidential).await {
        let app = &scene.hub.app;
        let text = scene.send(b"corpus").await;
        let corpus = scene.commit(None, &[("a.txt", text)]).await.unwrap();
        let tx = app.store().write().await.unwrap();
        let open = new("digest", Sensitivity::Open);
        let open = app.create_repository_in(&tx, &scene.member, home(), open).await.unwrap();
        tx.commit().await.unwrap();
        let sha256 = Sha256::of(b"counts");
        app.upload(&scene.member, open.id, (sha256, None), body(b"counts")).await.unwrap();
        let commit = NewRevision {
            message: "counts".to_owned(),
            put: vec![(path("counts.csv"), sha256)],
            inputs: BTreeMap::from([("texts".parse().unwrap(), corpus.id)]),
            ..NewRevision::default()
        };
        app.commit_revision(&scene.member, open.id, commit).await.unwrap();
        let (_, stranger) = scene.hub.person("stranger", &[]).await;
        let lineage = app.lineage(&stranger, open.id, Reference::Main).await.unwrap();
        assert_eq!(lineage.inputs, [("texts".parse().unwrap(), Source::Withheld)]);
    }
}

#[tokio::test]
async fn only_files_that_nothing_names_are_swept_away() {
    for scene in Scene::each(Sensitivity::Open).await {
        let (app, clock) = (&scene.hub.app, &scene.hub.clock);
        let kept = scene.send(b"kept").await;
        scene.commit(None, &[("a", kept)]).await.unwrap();
        let forgotten = scene.send(b"forgotten").await;
        assert_eq!(app.sweep_data().await.unwrap(), 0, "it may still be committed");
        clock.advance(SignedDuration::from_hours(25));
        assert_eq!(app.sweep_data().await.unwrap(), 1);
        assert!(app.data().vault.size_bytes(forgotten).await.is_err());
        assert_eq!(scene.read(Reference::Main, "a").await.unwrap(), b"kept");
        scene.send(b"forgotten").await;
    }
}

#[tokio::test]
async fn a_deletion_that_a_crash_interrupted_is_finished_by_the_next_upload() {
    for scene in Scene::each(Sensitivity::Open).await {
        let (app, clock) = (&scene.hub.app, &scene.hub.clock);
        scene.send(b"text").await;
        clock.advance(SignedDuration::from_hours(25));
        let tx = app.store().write().await.unwrap();
        assert_eq!(store::blobs::doom(&tx, app.now()).await.unwrap(), 1);
        tx.commit().await.unwrap();
        let again = scene.send(b"text").await;
        let revision = scene.commit(None, &[("a", again)]).await.unwrap();
        assert_eq!(revision.files, 1);
        assert_eq!(app.sweep_data().await.unwrap(), 0);
        assert_eq!(scene.read(Reference::Main, "a").await.unwrap(), b"text");
    }
}

#[tokio::test]
async fn reading_everything_back_finds_what_is_gone() {
    for scene in Scene::each(Sensitivity::Open).await {
        let app = &scene.hub.app;
        let kept = scene.send(b"kept").await;
        let lost = scene.send(b"lost").await;
        scene.commit(None, &[("a", kept), ("b", lost)]).await.unwrap();
        let (_, administrator) =
            scene.hub.person("admin", &[(Role::Administrator, Scope::Federation)]).await;
        let sound = app.verify_data(&administrator, None, u64::MAX).await.unwrap();
        assert_eq!((sound.files, sound.bytes, sound.damaged.len()), (2, 8, 0));
        assert_eq!(sound.next, None);
        app.data().vault.delete(lost).await.unwrap();
        let (mut files, mut damaged, mut after) = (0, Vec::new(), None);
        loop {
            let page = app.verify_data(&administrator, after, 1).await.unwrap();
            files += page.files;
            damaged.extend(page.damaged);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(files, 2, "page by page every file is read once");
        assert_eq!(damaged, [Damaged { sha256: lost, damage: vault::Damage::Missing }]);
        assert!(app.verify_data(&scene.member, None, u64::MAX).await.is_err());
    }
}
