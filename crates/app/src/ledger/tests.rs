use ledger::{Commodity, Pool, verify};
use units::{Meter, Payer, Period, PoolId, Work};

use crate::testing::TestHub;
use crate::{Actor, Error, Role, Scope};

/// Opens a pool, `times` times.
async fn opened(hub: &TestHub, times: usize) {
    let hours = Commodity { partition: "lumi.lumi-g".parse().unwrap(), meter: Meter::Gpu };
    let period = Period::quarter_of(hub.app.now());
    let id = PoolId::from_uuid(hub.app.clock().mint());
    let pools = [(Pool { id, payer: Payer::Union, period }, Work::seconds(5))];
    let tx = hub.app.store().write().await.unwrap();
    for _ in 0..times {
        let memo = hub.app.memo(&Actor::system(), "agreement");
        store::ledger::open_pools(&tx, memo, &hours, period, &pools).await.unwrap().unwrap();
    }
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn the_ledger_is_read_and_checked_by_those_who_answer_for_it() {
    for hub in TestHub::each().await {
        opened(&hub, 5).await;
        let (_, officer) = hub.person("o", &[(Role::ProgrammeOfficer, Scope::Federation)]).await;
        let mut told = Vec::new();
        let check = hub.app.check_ledger(&officer, |progress| told.push(progress)).await.unwrap();
        assert_eq!(check.outcome.unwrap().entries, 5);
        assert!(told.iter().all(|progress| progress.total == 5) && !told.is_empty());
        let entries = hub.app.ledger_entries(&officer, None, 3).await.unwrap();
        let after = entries.last().map(ledger::Entry::seq);
        let rest = hub.app.ledger_entries(&officer, after, 3).await.unwrap();
        assert!(verify(entries.into_iter().chain(rest)).is_ok());

        let (_, stranger) = hub.person("s", &[]).await;
        for actor in [stranger, Actor::anonymous()] {
            assert!(hub.app.check_ledger(&actor, |_| {}).await.is_err());
            let read = hub.app.ledger_entries(&actor, None, 3).await;
            assert!(matches!(read, Err(Error::Forbidden(_) | Error::NotSignedIn)));
        }
    }
}
