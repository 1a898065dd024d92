use std::time::Duration;

use site::protocol::{self, Manage, StepTold, TOLD_MAX, Tenancy, TenancyReport, VERSION};

use super::Standing;
use crate::jobs::tests::yard::{Yard, here, script};
use crate::{Actor, Error, Role, Scope};

impl Yard {
    async fn wanted(&self, seen: &str) -> Tenancy {
        let asked = self.app().tenancy_wanted(&self.agent, &here(), seen, Duration::ZERO).await;
        asked.unwrap()
    }

    async fn keeper(&self) -> Actor {
        let factory = Scope::Factory("meluxina-ai".parse().unwrap());
        self.hub.person("olga", &[(Role::SiteOperator, factory)]).await.1
    }
}

fn report(wanted: &Tenancy, steps: usize) -> TenancyReport {
    let step = StepTold { text: "create account usine_all".to_owned(), why: "missing".to_owned() };
    TenancyReport {
        version: VERSION,
        manage: Manage::Plan,
        revision: wanted.revision.clone(),
        plan: format!("plan{steps}"),
        steps: vec![step; steps],
        steps_total: u64::try_from(steps).unwrap(),
        drift: Vec::new(),
        agrees: steps == 0,
        done: Vec::new(),
        failed: None,
    }
}

#[tokio::test]
async fn a_site_hears_who_has_hours_there_and_how_the_allocation_stands() {
    for yard in Yard::each().await {
        let wanted = yard.wanted("").await;
        let [tenant] = &wanted.allocations[..] else { panic!("{wanted:?}") };
        assert_eq!((tenant.allocation, tenant.project), (yard.allocation, yard.project));
        assert_eq!((tenant.granted_seconds, tenant.used_seconds), (5_000 * 3_600, 0));
        assert_eq!(tenant.standing, protocol::Standing::Active);
        let addresses: Vec<&str> = tenant.members.iter().map(|it| it.email.as_str()).collect();
        assert_eq!(addresses, ["ada@example.org"]);

        let operator = yard.keeper().await;
        let app = yard.app();
        let paused = async |reason| {
            let standing = (Standing::Paused, reason);
            app.set_standing(&operator, &here(), yard.allocation, standing).await
        };
        assert!(matches!(paused("").await, Err(Error::Invalid(_))));
        paused("an invoice is open").await.unwrap();
        let later = yard.wanted(&wanted.revision).await;
        assert_ne!(later.revision, wanted.revision);
        assert_eq!(later.allocations[0].standing, protocol::Standing::Paused);
        let refused = yard.submit(script("true")).await.unwrap_err();
        let Error::Refused(reasons) = refused else { panic!("{refused}") };
        assert_eq!(reasons[0].rule, "allocation.paused");
        assert!(reasons[0].text.contains("an invoice is open"), "{reasons:?}");

        let again = (Standing::Active, "");
        app.set_standing(&operator, &here(), yard.allocation, again).await.unwrap();
        yard.job("true").await;
        yard.hub.clock.advance(jiff::SignedDuration::from_hours(24 * 100));
        let over = yard.wanted("").await;
        assert_eq!(over.allocations[0].standing, protocol::Standing::Closed);
        yard.hub.clock.advance(jiff::SignedDuration::from_hours(24 * 100));
        assert_eq!(yard.wanted("").await.allocations, []);
    }
}

#[tokio::test]
async fn jobs_beyond_their_month_run_behind_all_others_where_policy_says_so() {
    for mut yard in Yard::each().await {
        let linear = crate::testing::rules_where(|document| {
            let here = "systems = [\"meluxina-ai\"]";
            document.text = document.text.replacen("systems = [\"leonardo\"]", here, 1);
        });
        let parts = crate::Parts { rules: linear, ..(*yard.hub.app.parts).clone() };
        yard.hub.app = crate::App::new(parts);
        let wanted = yard.wanted("").await;
        assert_eq!(wanted.allocations[0].standing, protocol::Standing::Active);
        let app = yard.app();
        let (tx, job) = (app.store().write().await.unwrap(), app.clock().mint());
        let memo = app.memo(&Actor::system(), "more than a month's part");
        let (job, used) = (units::JobId::from_uuid(job), units::Work::hours(2_000).unwrap());
        let charged = store::ledger::Pen::take(&tx, &[]).await.unwrap();
        let mut charged = charged;
        let entry = charged.charge(memo, yard.allocation, job, used).await.unwrap();
        charged.write(entry).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        let later = yard.wanted(&wanted.revision).await;
        assert_eq!(later.allocations[0].standing, protocol::Standing::Downscaled);
        // It is not refused, though.
        yard.job("true").await;
    }
}

#[tokio::test]
async fn what_a_site_hears_of_its_tenants_costs_the_same_statements_however_many_there_are() {
    for yard in Yard::each().await {
        let fuse = yard.app().store().fuse();
        let cost = async |allocations: usize| {
            let before = fuse.passed();
            let wanted = yard.wanted("").await;
            assert_eq!(wanted.allocations.len(), allocations);
            let hears = |it: &protocol::Tenant| it.members.len() == 1 && it.mode == "playground";
            assert!(wanted.allocations.iter().all(hears), "{wanted:?}");
            fuse.passed() - before
        };
        let alone = cost(1).await;
        for seconds in 1..=20 {
            yard.small_allocation(seconds).await;
        }
        assert_eq!(cost(21).await, alone);
    }
}

#[tokio::test]
async fn only_the_plan_that_was_told_last_can_be_agreed_to_and_the_doing_is_on_record() {
    for yard in Yard::each().await {
        let (app, operator) = (yard.app(), yard.keeper().await);
        let unseen = app.apply_tenancy(&operator, &here(), "plan2").await;
        assert!(matches!(unseen, Err(Error::Conflict(_))));
        let wanted = yard.wanted("").await;
        let told = async |report| app.take_tenancy(&yard.agent, &here(), report).await;
        assert!(told(report(&wanted, 2)).await.unwrap().current);
        let of_others = app.take_tenancy(&yard.ada, &here(), report(&wanted, 2)).await;
        assert!(of_others.is_err(), "only the site's agent tells");
        let stale = app.apply_tenancy(&operator, &here(), "plan1").await;
        assert!(matches!(stale, Err(Error::Conflict(_))));
        assert!(app.apply_tenancy(&yard.ada, &here(), "plan2").await.is_err());
        let agreed = app.apply_tenancy(&operator, &here(), "plan2").await.unwrap();
        assert!(agreed.applies && agreed.agreed_at.is_none());
        let ordered = yard.wanted(&wanted.revision).await;
        assert_eq!(ordered.apply.as_deref(), Some("plan2"));

        let done = vec!["create account usine_all".to_owned()];
        let after = TenancyReport { done, ..report(&ordered, 0) };
        told(after).await.unwrap();
        let detail = app.site_tenancy(&operator, &here()).await.unwrap();
        assert!(!detail.applies && detail.agreed_at.is_some());
        assert_eq!(yard.wanted("").await.apply, None, "an agreement holds for one plan");
        let officer = yard.hub.person("paul", &[(Role::Administrator, Scope::Federation)]).await.1;
        let trail = app.audit_trail(&officer, Some("site:here"), None, 9).await.unwrap();
        let actions: Vec<&str> = trail.iter().map(|entry| entry.action.as_str()).collect();
        assert!(actions.contains(&"site.accounts-apply"), "{actions:?}");
        assert!(actions.contains(&"site.accounts-applied"), "{actions:?}");
    }
}

#[tokio::test]
async fn a_report_that_cannot_be_so_changes_nothing() {
    let yard = Yard::new().await;
    let wanted = yard.wanted("").await;
    let strange = TenancyReport { plan: "a b".to_owned(), ..report(&wanted, 1) };
    for wrong in [report(&wanted, TOLD_MAX + 1), strange] {
        let refused = yard.app().take_tenancy(&yard.agent, &here(), wrong).await;
        assert!(matches!(refused, Err(Error::Invalid(_))));
    }
    let told = yard.app().site_tenancy(&yard.keeper().await, &here()).await.unwrap();
    assert_eq!(told.told_at, None);
}
