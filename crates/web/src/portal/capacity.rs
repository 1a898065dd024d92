//! What becomes of a partition's pools, as the staff of its factory sees it.

use access::capacity::{PoolAhead, Range};
use app::forecasts::{PartitionForecast, QuarterForecast};
use units::{Meter, Work};

use super::hours;
use super::tongue::Tongue;

/// One payer's hours in one quarter, in words.
pub(crate) struct Line {
    pub(crate) quarter: String,
    pub(crate) payer: String,
    pub(crate) hours: String,
    pub(crate) granted: String,
    pub(crate) used: String,
    pub(crate) expected_used: String,
    pub(crate) expected_unused: String,
    pub(crate) carried_in: String,
}

/// The lines of a partition, for the quarters whose pools are known.
pub(crate) fn lines(t: Tongue, forecast: &PartitionForecast) -> Vec<Line> {
    let of_quarter = |quarter: &QuarterForecast| {
        let pools = quarter.pools.as_deref().unwrap_or_default();
        let name = t.day(quarter.period.start());
        let lines = pools.iter().map(|pool| line(t, &name, pool, forecast.meter));
        lines.collect::<Vec<_>>()
    };
    forecast.quarters.iter().flat_map(of_quarter).collect()
}

fn line(t: Tongue, quarter: &str, pool: &PoolAhead, meter: Meter) -> Line {
    let amount = |work: Work| t.work(work, meter);
    let range = |range: Range| {
        let likely = amount(range.likely);
        if range.least == range.most {
            return likely;
        }
        let (least, most) = (amount(range.least), amount(range.most));
        let said = [("likely", likely.as_str()), ("least", &least), ("most", &most)];
        t.fill("capacity-range", &said)
    };
    Line {
        quarter: quarter.to_owned(),
        payer: hours::payer(t, pool.payer),
        hours: amount(pool.hours),
        granted: amount(pool.granted),
        used: amount(pool.used),
        expected_used: range(pool.expected_used),
        expected_unused: range(pool.expected_unused),
        carried_in: amount(pool.carried_in),
    }
}
