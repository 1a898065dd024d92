use access::capacity::Range;
use jiff::SignedDuration;
use site::protocol::End;
use units::{Payer, Work};

use super::*;
use crate::jobs::tests::yard::Yard;
use crate::{Role, Scope};

fn gpu() -> PartitionKey {
    "meluxina-ai.gpu".parse().unwrap()
}

async fn operator(yard: &Yard, factory: &str) -> Actor {
    let grants = [(Role::SiteOperator, Scope::Factory(factory.parse().unwrap()))];
    yard.hub.person(factory, &grants).await.1
}

fn union(quarter: &QuarterForecast) -> PoolAhead {
    let pools = quarter.pools.as_ref().unwrap();
    *pools.iter().find(|pool| pool.payer == Payer::Union).unwrap()
}

#[tokio::test]
async fn a_pool_is_told_with_what_is_granted_held_used_and_likely_to_be_left() {
    for yard in Yard::each().await {
        let job = yard.job("#SBATCH --time=60").await;
        yard.ends(job.id, End::Completed, 1_800).await;
        yard.job("#SBATCH --time=30").await;
        let operator = operator(&yard, "meluxina-ai").await;
        let forecast = yard.app().capacity_forecast(&operator, &gpu()).await.unwrap();
        assert_eq!(forecast.quarters.len(), QUARTERS);
        let [first, second, third, _] = forecast.quarters.as_slice() else { panic!() };
        assert_eq!(first.period, Period::quarter_of(yard.app().now()));

        let now = union(first);
        let opened = yard.app().partition_pools(&operator, &gpu(), yard.app().now()).await;
        let (record, left) =
            opened.unwrap().opened.into_iter().find(|it| it.0.payer == Payer::Union).unwrap();
        assert_eq!(now.hours, record.amount);
        assert_eq!(now.granted, record.amount.minus(left).unwrap());
        assert_eq!((now.held.count(), now.used.count()), (1_800, 1_800));
        let days = first.period.end().as_second() - yard.app().now().as_second();
        let expected = 1_800 + 1_800 * days / 86_400;
        let Range { least, likely, most } = now.expected_used;
        assert_eq!([least, likely, most].map(Work::count), [expected; 3], "one day has no range");
        assert_eq!(now.expected_unused.likely.count(), record.amount.count() - expected);

        let next = union(second);
        assert_eq!((next.granted, next.used), (Work::ZERO, Work::ZERO));
        let all = 5_000 * 3_600;
        assert_eq!(next.carried_in.count(), all - expected, "the allocation lasts into February");
        assert_eq!(union(third).carried_in, Work::ZERO);
    }
}

#[tokio::test]
async fn last_quarters_hours_are_carried_into_this_one() {
    for yard in Yard::each().await {
        yard.hub.clock.advance(SignedDuration::from_hours(24 * 50));
        yard.app().keep_house().await.unwrap();
        let operator = operator(&yard, "meluxina-ai").await;
        let forecast = yard.app().capacity_forecast(&operator, &gpu()).await.unwrap();
        let now = union(&forecast.quarters[0]);
        assert_eq!((now.granted, now.carried_in), (Work::ZERO, Work::hours(5_000).unwrap()));
    }
}

#[tokio::test]
async fn a_partition_without_pools_says_which_figures_are_missing() {
    let yard = Yard::new().await;
    let (_, officer) =
        yard.hub.person("petra", &[(Role::ProgrammeOfficer, Scope::Federation)]).await;
    let all = yard.app().capacity_forecasts(&officer).await.unwrap();
    let partitions: usize =
        yard.app().rules().federation.systems().map(|(_, system)| system.partitions.len()).sum();
    assert_eq!(all.len(), partitions);
    let missing: Vec<&String> =
        all.iter().filter_map(|it| it.quarters[0].pools.as_ref().err()).flatten().collect();
    assert!(missing.iter().any(|reason| reason.contains("is unknown")), "{missing:?}");
}

#[tokio::test]
async fn who_answers_for_a_factory_sees_its_pools_and_no_others() {
    let yard = Yard::new().await;
    let here = operator(&yard, "meluxina-ai").await;
    let seen = yard.app().capacity_forecasts(&here).await.unwrap();
    let factory = Some(Scope::Factory("meluxina-ai".parse().unwrap()));
    assert!(!seen.is_empty());
    assert!(seen.iter().all(|it| yard.app().rules().scope_of(&it.partition) == factory));
    let elsewhere = operator(&yard, "lumi-aif").await;
    let refused = yard.app().capacity_forecast(&elsewhere, &gpu()).await;
    assert!(matches!(refused, Err(Error::Forbidden(Action::ViewCapacity))));
    let refused = yard.app().capacity_forecast(&yard.ada, &gpu()).await;
    assert!(matches!(refused, Err(Error::Forbidden(Action::ViewCapacity))));
    assert!(yard.app().capacity_forecasts(&yard.ada).await.unwrap().is_empty());
    let nowhere = "atlantis.gpu".parse().unwrap();
    let unknown = yard.app().capacity_forecast(&here, &nowhere).await;
    assert!(matches!(unknown, Err(Error::NotFound("partition"))));
}
