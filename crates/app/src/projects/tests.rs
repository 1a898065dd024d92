use access::application::State;
use units::OrganisationId;

use super::*;
use crate::applications::tests::{begun, draft, story};
use crate::testing::TestHub;

/// A project with an allocation, and its manager.
pub(crate) async fn granted(hub: &TestHub) -> (ProjectId, OrganisationId, Actor) {
    let story = story(hub, "ada").await;
    let begun = begun(hub, &story, draft(10)).await;
    let decided = hub.app.submit_application(&story.actor, begun.id).await.unwrap();
    let State::Awarded { project, .. } = decided.state else { panic!("{:?}", decided.state) };
    (project, story.organisation, hub.again(&story.actor).await)
}

#[tokio::test]
async fn a_project_is_seen_by_its_people_and_the_staff_who_answer_for_it() {
    for hub in TestHub::each().await {
        let (project, _, _) = granted(&hub).await;
        let factory = Scope::Factory("meluxina-ai".parse().unwrap());
        let (_, operator) = hub.person("op", &[(Role::SiteOperator, factory)]).await;
        let other = Scope::Factory("lumi-aif".parse().unwrap());
        let (_, elsewhere) = hub.person("el", &[(Role::SiteOperator, other)]).await;
        let (_, officer) = hub.person("of", &[(Role::ProgrammeOfficer, Scope::Federation)]).await;
        let (_, stranger) = hub.person("st", &[]).await;
        for (actor, sees) in
            [(&operator, true), (&elsewhere, false), (&officer, true), (&stranger, false)]
        {
            assert_eq!(hub.app.project(actor, project).await.is_ok(), sees);
            let listed = hub.app.projects(actor, Filter::default(), 10).await.unwrap();
            assert_eq!(listed.len(), usize::from(sees));
            let hours = hub.app.projects_with_hours(actor, Filter::default(), 10).await.unwrap();
            let left = hours.iter().flat_map(|(_, hours)| hours).map(|it| it.balance.len());
            assert_eq!(left.collect::<Vec<_>>(), vec![1; usize::from(sees)], "one payer");
            assert_eq!(hub.app.project_allocations(actor, project).await.is_ok(), sees);
        }
        let read = hub.app.project(&Actor::anonymous(), project).await;
        assert!(matches!(read, Err(Error::NotSignedIn)));
    }
}

#[tokio::test]
async fn a_manager_brings_people_in_and_one_manager_stays() {
    let hub = TestHub::new().await;
    let (project, _, manager) = granted(&hub).await;
    let (grace, member) = hub.person("grace", &[]).await;
    assert!(hub.app.project(&member, project).await.is_err());
    let added = hub.app.add_project_member(&manager, project, ("grace@example.org", Role::User));
    assert_eq!(added.await.unwrap().person, grace);
    let member = hub.again(&member).await;
    assert!(hub.app.project(&member, project).await.is_ok());
    let beyond = hub.app.add_project_member(&member, project, ("ada@example.org", Role::User));
    assert!(matches!(beyond.await, Err(Error::Forbidden(Action::ManageProject))));
    let wrong = ("grace@example.org", Role::Administrator);
    let refused = hub.app.add_project_member(&manager, project, wrong).await;
    assert!(matches!(refused, Err(Error::Invalid(_))));
    assert_eq!(hub.app.project_members(&member, project).await.unwrap().len(), 2);
    let ada = manager.person_id().unwrap();
    let last = hub.app.remove_project_member(&manager, project, ada).await;
    assert!(matches!(last, Err(Error::Refused(_))));
    hub.app.remove_project_member(&manager, project, grace).await.unwrap();
    assert!(hub.app.project(&hub.again(&member).await, project).await.is_err());
    let gone = hub.app.remove_project_member(&manager, project, grace).await;
    assert!(matches!(gone, Err(Error::NotFound("member"))));
}

#[tokio::test]
async fn what_does_not_exist_looks_like_what_may_not_be_seen() {
    let hub = TestHub::new().await;
    let (_, stranger) = hub.person("st", &[]).await;
    let nothing = ProjectId::from_uuid(hub.app.clock().mint());
    assert!(matches!(hub.app.project(&stranger, nothing).await, Err(Error::NotFound("project"))));
    let (_, officer) = hub.person("of", &[(Role::ProgrammeOfficer, Scope::Federation)]).await;
    let nowhere = AllocationId::from_uuid(hub.app.clock().mint());
    assert!(matches!(
        hub.app.allocation(&officer, nowhere).await,
        Err(Error::NotFound("allocation"))
    ));
}
