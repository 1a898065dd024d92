use jiff::SignedDuration;
use units::Payer;

use super::*;
use crate::Role;
use crate::testing::TestHub;

fn served() -> PartitionKey {
    "meluxina-ai.gpu".parse().unwrap()
}

#[tokio::test]
async fn pools_of_a_quarter_are_opened_once_and_follow_the_agreement() {
    for hub in TestHub::each().await {
        let done = hub.app.keep_house().await.unwrap();
        assert_eq!(done.pools_opened, [served()]);
        let agreements: Vec<&str> = done.agreements_entered.iter().map(Slug::as_str).collect();
        assert_eq!(agreements, ["meluxina-ai"]);
        assert_eq!(hub.app.keep_house().await.unwrap(), Housekeeping::default());
        let at = hub.app.now();
        let pools = hub.app.partition_pools(&Actor::anonymous(), &served(), at).await.unwrap();
        let computed = pools.computed.unwrap();
        let opened: Vec<(Payer, Work)> =
            pools.opened.iter().map(|(pool, _)| (pool.payer, pool.amount)).collect();
        let expected: Vec<(Payer, Work)> = {
            let mut pools: Vec<_> =
                computed.pools.iter().map(|pool| (pool.payer, pool.amount)).collect();
            pools.sort_by_key(|(payer, _)| payer.to_string());
            pools
        };
        assert_eq!(opened, expected);
        assert!(pools.opened.iter().all(|(pool, left)| pool.amount == *left));
        let (_, officer) = hub.person("o", &[(Role::ProgrammeOfficer, Scope::Federation)]).await;
        let entries = hub.app.ledger_entries(&officer, None, 10).await.unwrap();
        let paid: Vec<String> = match entries[0].movements() {
            ledger::Movements::Euros(moves) => {
                moves.iter().map(|it| format!("{} to {}", it.amount(), it.to())).collect()
            }
            ledger::Movements::Hours(_) => Vec::new(),
        };
        assert_eq!(paid.len(), 4, "{paid:?}");
        assert!(paid.iter().filter(|it| it.starts_with("EUR 40 000 000.00")).count() == 2);
        let check = hub.app.check_ledger(&officer, |_| {}).await.unwrap();
        assert_eq!(check.outcome.unwrap().entries, 2);
    }
}

#[tokio::test]
async fn the_next_quarter_has_pools_of_its_own() {
    let hub = TestHub::new().await;
    hub.app.keep_house().await.unwrap();
    hub.clock.advance(SignedDuration::from_hours(24 * 60));
    assert_eq!(hub.app.keep_house().await.unwrap().pools_opened, [served()]);
    let at = hub.app.now();
    let pools = hub.app.partition_pools(&Actor::anonymous(), &served(), at).await.unwrap();
    assert_eq!(pools.period.to_string(), "2027-01-01 to 2027-04-01");
    assert!(pools.opened.iter().all(|(pool, _)| pool.period == pools.period));
}

#[tokio::test]
async fn where_the_agreement_is_not_known_there_are_reasons_and_no_pools() {
    let hub = TestHub::new().await;
    hub.app.keep_house().await.unwrap();
    let key = "lumi-ai.gpu".parse().unwrap();
    let at = hub.app.now();
    let pools = hub.app.partition_pools(&Actor::anonymous(), &key, at).await.unwrap();
    assert!(pools.opened.is_empty());
    assert!(pools.computed.unwrap_err().reasons.len() >= 2);
    let unknown = "nobody.gpu".parse().unwrap();
    let refused = hub.app.partition_pools(&Actor::anonymous(), &unknown, at).await;
    assert!(matches!(refused, Err(Error::NotFound("partition"))));
}

#[tokio::test]
async fn the_standing_call_is_the_mode_that_rules_decide() {
    let hub = TestHub::new().await;
    let opened = hub.app.keep_house().await.unwrap().calls_opened;
    assert_eq!(opened.iter().map(Slug::as_str).collect::<Vec<_>>(), ["playground"]);
    let calls = hub.app.calls(&Actor::anonymous(), None, 10).await.unwrap();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].partitions, [served()]);
}

#[test]
fn a_partition_that_is_not_described_cannot_be_served() {
    let rules = crate::testing::rules();
    let faults = rules.federation.require(&"lumi.lumi-x".parse().unwrap()).unwrap_err();
    assert!(faults.to_string().contains("there is no partition `lumi.lumi-x`"), "{faults}");
}
