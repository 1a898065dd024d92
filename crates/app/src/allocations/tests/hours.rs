//! Hours that move, are advanced or cut, and awards that follow others.

use super::*;

async fn change(
    hub: &TestHub,
    officer: &Actor,
    id: AllocationId,
    change: Change,
) -> Result<Allocation, Error> {
    let officer = hub.again(officer).await;
    // Changes are in the order of their instants.
    hub.clock.advance(SignedDuration::from_secs(1));
    hub.app.change_allocation(&officer, id, (change, "as was agreed")).await
}

fn rules_of(error: Error) -> Vec<String> {
    let Error::Refused(reasons) = error else { panic!("{error:?}") };
    reasons.into_iter().map(|reason| reason.rule).collect()
}

async fn kinds(hub: &TestHub, officer: &Actor, id: AllocationId) -> Vec<&'static str> {
    let officer = hub.again(officer).await;
    let changes = hub.app.allocation_changes(&officer, id).await.unwrap();
    changes.iter().map(|it| it.kind.name()).collect()
}

/// Charges a job of so many hours.
async fn work(hub: &TestHub, id: AllocationId, hours: i64) {
    let tx = hub.app.store().write().await.unwrap();
    let memo = || hub.app.memo(&Actor::system(), "a job".to_owned());
    let (job, hours) = (JobId::from_uuid(hub.app.clock().mint()), Work::hours(hours).unwrap());
    store::ledger::hold(&tx, memo(), id, job, hours).await.unwrap().unwrap();
    hub.clock.advance(SignedDuration::from_secs(1));
    store::ledger::settle(&tx, memo(), job, hours).await.unwrap().unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn hours_move_between_awards_of_one_organisation_and_keep_their_payer() {
    for hub in TestHub::each().await {
        let (story, officer, first, _) = awarded(&hub).await;
        let next = Change::Renew { hours: 1_000, months: 3 };
        let second = change(&hub, &officer, first, next).await.unwrap().id;

        let moving = Change::Transfer { to: second, hours: 1_500 };
        let held = change(&hub, &officer, first, moving).await.unwrap();
        assert_eq!(held.amount, Work::hours(2_500).unwrap());
        assert_eq!(left(&hub, &officer, second).await, Work::hours(2_500).unwrap());
        let shares = hub.app.allocation(&officer, second).await.unwrap().shares;
        assert_eq!(shares[0].amount, Work::hours(2_500).unwrap());
        assert_eq!(kinds(&hub, &officer, first).await, ["renewed", "moved-out"]);
        assert_eq!(kinds(&hub, &officer, second).await, ["moved-in"]);

        let too_much = Change::Transfer { to: second, hours: 2_501 };
        let refused = change(&hub, &officer, first, too_much).await.unwrap_err();
        assert_eq!(rules_of(refused), ["allocation.hours"]);
        let own = Change::Transfer { to: first, hours: 1 };
        let refused = change(&hub, &officer, first, own).await.unwrap_err();
        assert_eq!(rules_of(refused), ["allocation.transfer"]);
        let applicant = change(&hub, &story.actor, first, moving).await;
        assert!(matches!(applicant, Err(Error::Forbidden(Action::ChangeAllocation))));
        sound_books(&hub, &hub.again(&officer).await).await;
    }
}

#[tokio::test]
async fn an_organisation_does_not_give_its_hours_to_another() {
    for hub in TestHub::each().await {
        let (_, officer, first, _) = awarded(&hub).await;
        let bob = crate::applications::tests::story(&hub, "bob").await;
        let application = begun(&hub, &bob, draft(1_000)).await;
        let decided = hub.app.submit_application(&bob.actor, application.id).await.unwrap();
        let State::Awarded { allocation: second, .. } = decided.state else { panic!() };
        let moving = Change::Transfer { to: second, hours: 10 };
        let refused = change(&hub, &officer, first, moving).await.unwrap_err();
        assert_eq!(rules_of(refused), ["allocation.organisation"]);
        assert_eq!(left(&hub, &officer, first).await, Work::hours(4_000).unwrap());
    }
}

#[tokio::test]
async fn hours_of_later_months_are_released_when_an_officer_advances_them() {
    for mut hub in TestHub::each().await {
        let monthly = edited(&[("systems = [\"meluxina\"]", "systems = [\"meluxina-ai\"]")]);
        let plain = hub.app.clone();
        hub.app = App::new(Parts { rules: monthly, ..(*hub.app.parts).clone() });
        let (_, officer, id, _) = awarded(&hub).await;
        let before = hub.app.allocation(&officer, id).await.unwrap().released.unwrap();
        change(&hub, &officer, id, Change::Advance { hours: 500 }).await.unwrap();
        let after = hub.app.allocation(&officer, id).await.unwrap().released.unwrap();
        let more = Work::hours(500).unwrap();
        assert_eq!(after.quota.minus(before.quota), Ok(more));
        assert_eq!(before.later.minus(after.later), Ok(more));
        let all = u32::try_from(after.later.count() / 3_600 + 1).unwrap();
        let refused = change(&hub, &officer, id, Change::Advance { hours: all }).await;
        assert_eq!(rules_of(refused.unwrap_err()), ["allocation.released"]);
        // Where all hours are released at once, there is nothing to advance.
        hub.app = plain;
        let refused = change(&hub, &officer, id, Change::Advance { hours: 1 }).await;
        assert_eq!(rules_of(refused.unwrap_err()), ["allocation.released"]);
    }
}

#[tokio::test]
async fn a_renewed_award_is_followed_by_another_out_of_the_pool_of_the_period() {
    for hub in TestHub::each().await {
        let (_, officer, first, project) = awarded(&hub).await;
        let next = Change::Renew { hours: 4_000, months: 3 };
        let second = change(&hub, &officer, first, next).await.unwrap();
        let ended = hub.app.allocation(&officer, first).await.unwrap().allocation.period.end();
        assert_eq!((second.period.start(), second.project), (ended, project));
        assert_eq!(second.stage(hub.app.now()).name(), "granted");
        assert_eq!(left(&hub, &officer, second.id).await, Work::hours(4_000).unwrap());
        assert_eq!(kinds(&hub, &officer, first).await, ["renewed"]);
        let again = change(&hub, &officer, first, next).await.unwrap_err();
        assert_eq!(rules_of(again), ["allocation.renewal"]);
        let larger = Change::Renew { hours: 4_001, months: 3 };
        let refused = change(&hub, &officer, second.id, larger).await.unwrap_err();
        assert_eq!(rules_of(refused), ["allocation.hours"]);
        hub.clock.advance(SignedDuration::from_hours(24 * 95));
        let refused =
            change(&hub, &officer, second.id, Change::Renew { hours: 1, months: 1 }).await;
        assert!(refused.is_ok(), "the one that follows lasts: {refused:?}");
        sound_books(&hub, &hub.again(&officer).await).await;
    }
}

#[tokio::test]
async fn what_is_not_used_is_cut_once_and_goes_back_to_the_pool() {
    for mut hub in TestHub::each().await {
        let strict = edited(&[(
            "payer = \"state:DK\"\nafter_months = 6",
            "mode = \"playground\"\nafter_months = 2",
        )]);
        hub.app = App::new(Parts { rules: strict, ..(*hub.app.parts).clone() });
        let (_, officer, id, _) = awarded(&hub).await;
        work(&hub, id, 1_000).await;
        assert_eq!(hub.app.keep_house().await.unwrap().allocations_cut, 0);
        hub.clock.advance(SignedDuration::from_hours(24 * 62));
        assert_eq!(hub.app.keep_house().await.unwrap().allocations_cut, 1);
        // 40 % of 4 000 are 1 600, of which 600 are missing.
        let officer = hub.again(&officer).await;
        let view = hub.app.allocation(&officer, id).await.unwrap();
        assert_eq!(view.allocation.amount, Work::hours(3_400).unwrap());
        assert_eq!(left(&hub, &officer, id).await, Work::hours(2_400).unwrap());
        assert_eq!(kinds(&hub, &officer, id).await, ["cut"]);
        let changes = hub.app.allocation_changes(&officer, id).await.unwrap();
        assert!(changes[0].reason.contains("policy/awards.toml#denmark@"), "{changes:?}");
        hub.clock.advance(SignedDuration::from_hours(24));
        assert_eq!(hub.app.keep_house().await.unwrap().allocations_cut, 0);
        sound_books(&hub, &hub.again(&officer).await).await;
    }
}

#[tokio::test]
async fn no_more_is_promised_than_the_payers_part_delivers_until_the_award_ends() {
    for mut hub in TestHub::each().await {
        let narrow = edited(&[("factor_percent = 120", "factor_percent = 1")]);
        hub.app = App::new(Parts { rules: narrow, ..(*hub.app.parts).clone() });
        let ada = crate::applications::tests::story(&hub, "ada").await;
        let told = async |story: &Story, months| {
            let asked = Draft { months: Some(months), ..draft(5_000) };
            let application = begun(&hub, story, asked).await;
            let checked = hub.app.check_application(&story.actor, application.id).await.unwrap();
            let of_promises = |it: &&Finding| it.check == Check::Commitment;
            let finding = checked.findings.iter().find(of_promises).unwrap().clone();
            (application.id, finding)
        };
        // One per cent of the Union's part delivers it in three months, not in one.
        let (_, short) = told(&ada, 1).await;
        let why = format!("{:?}", short.outcome);
        assert!(!short.passed() && why.contains("policy/awards.toml#house@"), "{why}");
        let (first, long) = told(&ada, 3).await;
        assert!(long.passed(), "{long:?}");
        let decided = hub.app.submit_application(&ada.actor, first).await.unwrap();
        assert!(matches!(decided.state, State::Awarded { .. }), "{:?}", decided.state);
        // What was awarded is likely to be used, and counts for those who ask next.
        let bob = crate::applications::tests::story(&hub, "bob").await;
        let (second, next) = told(&bob, 3).await;
        assert!(next.passed(), "{next:?}");
        hub.app.submit_application(&bob.actor, second).await.unwrap();
        let carol = crate::applications::tests::story(&hub, "carol").await;
        let (_, last) = told(&carol, 3).await;
        let why = format!("{:?}", last.outcome);
        assert!(!last.passed() && why.contains("less the 10 000.00 GPU-h"), "{why}");
    }
}
