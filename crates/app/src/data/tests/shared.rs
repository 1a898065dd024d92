//! Repositories as other tools see them: branches, edits, tickets, and what managers do.

use super::*;
use crate::data::{Branch, Edit, NewCommit, Offer, RefKind, Visibility};

fn edit(parent: Option<RevisionId>, name: &str, sha256: Sha256) -> NewCommit {
    NewCommit {
        branch: Branch::Main,
        parent,
        message: "more".to_owned(),
        edits: vec![Edit::Put(path(name), sha256)],
    }
}

impl Scene {
    /// Somebody who manages the project.
    async fn manager(&self) -> Actor {
        let grant = (Role::ProjectManager, Scope::Project(home().project));
        self.hub.person("manager", &[grant]).await.1
    }

    async fn names(&self, at: &str) -> String {
        let (app, id) = (&self.hub.app, self.repository.id);
        let revision = app.revision_named(&self.member, id, at).await.unwrap();
        let files = app.listing(&self.member, id, revision.id).await.unwrap();
        files.iter().map(|file| file.path.to_string()).collect::<Vec<_>>().join(" ")
    }

    async fn offer(&self, file: (Sha256, u64)) -> Offer {
        let offers = self.hub.app.offer_uploads(&self.member, self.repository.id, &[file]).await;
        offers.unwrap().remove(0)
    }
}

#[tokio::test]
async fn commits_at_once_all_arrive_unless_they_depend_on_what_they_saw() {
    for scene in Scene::each(Sensitivity::Confidential).await {
        let (app, id) = (&scene.hub.app, scene.repository.id);
        let sha256 = scene.send(b"x").await;
        let first = app.commit_edits(&scene.member, id, edit(None, "0", sha256)).await.unwrap();
        let parent = Some(first.revision().id);
        let free = ["1", "2", "3"].map(|name| edit(None, name, sha256));
        let bound = ["4", "5", "6"].map(|name| edit(parent, name, sha256));
        let all = free.into_iter().chain(bound);
        let outcomes = all.map(|new| app.commit_edits(&scene.member, id, new));
        let outcomes = futures_util::future::join_all(outcomes).await;
        let refused = |outcome: &&Result<_, Error>| matches!(outcome, Err(Error::Conflict(_)));
        let late = outcomes.iter().filter(refused).count();
        assert!(late >= 2, "at most one of those that saw the first revision comes next");
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 6 - late);
        let names = scene.names("main").await;
        assert!(names.starts_with("0 1 2 3"), "{names}");
        assert_eq!(names.split(' ').count(), 7 - late, "{names}");
    }
}

#[tokio::test]
async fn a_branch_goes_its_own_way_and_a_tag_keeps_a_revision() {
    for scene in Scene::each(Sensitivity::Confidential).await {
        let (app, id) = (&scene.hub.app, scene.repository.id);
        let sha256 = scene.send(b"x").await;
        let nowhere = (RefKind::Branch, "dev".parse().unwrap());
        let early = app.create_ref(&scene.member, id, nowhere.clone(), "main").await;
        assert!(matches!(early, Err(Error::NotFound("revision"))), "{early:?}");
        app.commit_edits(&scene.member, id, edit(None, "a", sha256)).await.unwrap();
        app.create_ref(&scene.member, id, nowhere.clone(), "main").await.unwrap();
        let again = app.create_ref(&scene.member, id, nowhere.clone(), "main").await;
        assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
        let tag = (RefKind::Tag, "v1".parse().unwrap());
        app.create_ref(&scene.member, id, tag, "1").await.unwrap();
        let on_dev =
            NewCommit { branch: Branch::Named(nowhere.1.clone()), ..edit(None, "b", sha256) };
        app.commit_edits(&scene.member, id, on_dev).await.unwrap();
        let on_tag = NewCommit { branch: "v1".parse().unwrap(), ..edit(None, "c", sha256) };
        let refused = app.commit_edits(&scene.member, id, on_tag).await;
        assert!(matches!(refused, Err(Error::NotFound("revision"))), "{refused:?}");
        assert_eq!(
            (scene.names("main").await, scene.names("dev").await),
            ("a".into(), "a b".into())
        );
        assert_eq!(scene.names("refs/heads/dev").await, "a b");
        assert_eq!((scene.names("v1").await, scene.names("2").await), ("a".into(), "a b".into()));
        let same = app.commit_edits(&scene.member, id, edit(None, "a", sha256)).await.unwrap();
        assert!(matches!(same, crate::data::Committed::Unchanged(_)), "{same:?}");
        app.delete_ref(&scene.member, id, (RefKind::Branch, &nowhere.1)).await.unwrap();
        assert!(app.revision_named(&scene.member, id, "dev").await.is_err());
    }
}

#[tokio::test]
async fn a_file_sent_by_ticket_is_that_file_or_none() {
    for scene in Scene::each(Sensitivity::Confidential).await {
        let (app, content) = (&scene.hub.app, b"a large file".as_slice());
        let file = (Sha256::of(content), 12);
        let Offer::Whole(ticket) = scene.offer(file).await else { panic!("no ticket") };
        let wrong = app.receive_file(file.0, &ticket, body(b"another file")).await;
        assert!(matches!(wrong, Err(Error::Invalid(_))), "{wrong:?}");
        let cut = app.receive_file(file.0, &ticket, body(b"a large")).await;
        assert!(matches!(cut, Err(Error::Invalid(_))), "{cut:?}");
        let other = app.receive_file(Sha256::of(b"other"), &ticket, body(b"other")).await;
        assert!(matches!(other, Err(Error::BadCredentials(_))), "{other:?}");
        app.receive_file(file.0, &ticket, body(content)).await.unwrap();
        assert_eq!(scene.offer(file).await, Offer::Present);
        let large = scene.offer((Sha256::of(b"y"), 1_000_001)).await;
        assert!(matches!(large, Offer::Refused(_)), "{large:?}");
        scene.hub.clock.advance(SignedDuration::from_hours(13));
        let late = app.receive_file(file.0, &ticket, body(content)).await;
        assert!(matches!(late, Err(Error::BadCredentials(_))), "{late:?}");
    }
}

#[tokio::test]
async fn a_file_sent_in_parts_is_whole_or_not_there() {
    for scene in Scene::each(Sensitivity::Confidential).await {
        let app = &scene.hub.app;
        let content: Vec<u8> = (0..900_000_u32).map(|i| i.to_le_bytes()[1]).collect();
        let file = (Sha256::of(&content), 900_000);
        let Offer::Parts { ticket, count: 3, bytes: 400_000 } = scene.offer(file).await else {
            panic!("not in parts");
        };
        let parts: Vec<&[u8]> = content.chunks(400_000).collect();
        let sent = async |part: u64, bytes: &[u8]| {
            app.receive_part((file.0, part), &ticket, body(bytes)).await
        };
        sent(1, parts[0]).await.unwrap();
        assert!(sent(2, &parts[1][..399_999]).await.is_err(), "a truncated part is refused");
        sent(3, parts[2]).await.unwrap();
        assert!(app.finish_parts(file.0, &ticket).await.is_err(), "part 2 has not arrived");
        assert!(!app.has_file(&scene.member, scene.repository.id, file.0).await.unwrap());
        for (number, part) in (1..).zip(&parts) {
            sent(number, part).await.unwrap();
        }
        app.finish_parts(file.0, &ticket).await.unwrap();
        app.finish_parts(file.0, &ticket).await.unwrap();
        assert_eq!(scene.offer(file).await, Offer::Present);
        scene.commit(None, &[("large", file.0)]).await.unwrap();
        assert_eq!(scene.read(Reference::Main, "large").await.unwrap(), content);
    }
}

#[tokio::test]
async fn a_ticket_is_worth_no_more_than_its_holder_may_now() {
    for scene in Scene::each(Sensitivity::Confidential).await {
        let file = (Sha256::of(b"x"), 1);
        let Offer::Whole(ticket) = scene.offer(file).await else { panic!("no ticket") };
        let tx = scene.hub.app.store().write().await.unwrap();
        let grant = crate::Grant { role: Role::User, scope: Scope::Project(home().project) };
        let person = scene.member.person_id().unwrap();
        scene.hub.app.withdraw(&tx, &Actor::system(), person, &grant).await.unwrap();
        tx.commit().await.unwrap();
        let sent = scene.hub.app.receive_file(file.0, &ticket, body(b"x")).await;
        assert!(matches!(sent, Err(Error::NotFound("repository"))), "{sent:?}");
    }
}

#[tokio::test]
async fn managers_rename_open_and_give_up_what_members_write() {
    for scene in Scene::each(Sensitivity::Confidential).await {
        let (app, id) = (&scene.hub.app, scene.repository.id);
        let manager = scene.manager().await;
        for refused in [
            app.delete_repository(&scene.member, id).await,
            app.set_visibility(&scene.member, id, Visibility::Public).await,
            app.rename_repository(&scene.member, id, "new".parse().unwrap()).await,
        ] {
            assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
        }
        app.rename_repository(&manager, id, "My_Texts.v2".parse().unwrap()).await.unwrap();
        app.set_visibility(&manager, id, Visibility::Public).await.unwrap();
        let now = app.repository(&scene.member, id).await.unwrap();
        assert_eq!((now.name.as_str(), now.sensitivity), ("My_Texts.v2", Sensitivity::Open));
        app.set_visibility(&manager, id, Visibility::Private).await.unwrap();
        assert_eq!(
            app.repository(&manager, id).await.unwrap().sensitivity,
            Sensitivity::Confidential
        );
        app.delete_repository(&manager, id).await.unwrap();
        let gone = app.repository(&manager, id).await;
        assert!(matches!(gone, Err(Error::NotFound("repository"))), "{gone:?}");
    }
    for scene in Scene::each(Sensitivity::Personal).await {
        let manager = scene.manager().await;
        let opened =
            scene.hub.app.set_visibility(&manager, scene.repository.id, Visibility::Public).await;
        assert!(matches!(opened, Err(Error::Refused(_))), "{opened:?}");
    }
}

#[tokio::test]
async fn what_was_made_from_kept_data_is_not_opened() {
    for scene in Scene::each(Sensitivity::Confidential).await {
        let (app, manager) = (&scene.hub.app, scene.manager().await);
        let sha256 = scene.send(b"x").await;
        let source = scene.commit(None, &[("a", sha256)]).await.unwrap();
        let tx = app.store().write().await.unwrap();
        let result = new("result", Sensitivity::Confidential);
        let result = app.create_repository_in(&tx, &manager, home(), result).await.unwrap();
        tx.commit().await.unwrap();
        let commit = NewRevision {
            message: "made".to_owned(),
            put: vec![(path("a"), sha256)],
            inputs: BTreeMap::from([("texts".parse().unwrap(), source.id)]),
            ..NewRevision::default()
        };
        app.commit_revision(&manager, result.id, commit).await.unwrap();
        let opened = app.set_visibility(&manager, result.id, Visibility::Public).await;
        assert!(matches!(opened, Err(Error::Refused(_))), "{opened:?}");
        app.set_visibility(&manager, scene.repository.id, Visibility::Public).await.unwrap();
        app.set_visibility(&manager, result.id, Visibility::Public).await.unwrap();
    }
}
