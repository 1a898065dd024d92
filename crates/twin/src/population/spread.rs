//! How a quantity differs from job to job.

use access::document::Value;

use crate::random::Dice;

/// The most quantiles of one spread: one for each percent.
pub(super) const QUANTILES_MAX: usize = 101;

/// How a quantity is distributed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spread {
    /// By its quantiles at even steps from the least to the greatest; between them it grows evenly
    /// on a scale of logarithms, as durations and sizes do.
    Quantiles(Vec<i64>),
    /// Log-normal, by two of its quantiles.
    LogNormal {
        /// Half of the draws are below.
        median: i64,
        /// Nineteen of twenty draws are below.
        ninety_fifth: i64,
    },
}

impl Spread {
    /// A draw, which is never negative.
    pub(super) fn draw(&self, dice: &mut Dice) -> i64 {
        match self {
            Self::Quantiles(values) => at(values, dice.unit()),
            Self::LogNormal { median, ninety_fifth } => {
                let (median, ninety_fifth) = (*median as f64, *ninety_fifth as f64);
                let sigma = libm::log(ninety_fifth / median) / NORMAL_95TH;
                rounded(median * libm::exp(sigma * dice.normal()))
            }
        }
    }

    /// `[1, 60, 3600]`, or `{ median = 600, ninety_fifth = 7200 }`.
    pub(super) fn read(value: &Value<'_>) -> Option<Self> {
        if !value.is_list() {
            return value.table(|table| {
                let median: Option<u32> = table.required("median", Value::count);
                let ninety_fifth: Option<u32> = table.required("ninety_fifth", Value::count);
                let (median, ninety_fifth) = (i64::from(median?), i64::from(ninety_fifth?));
                if ninety_fifth < median {
                    return table.fault_of("ninety_fifth", "is less than the median");
                }
                Some(Self::LogNormal { median, ninety_fifth })
            });
        }
        let values = value.list(|item| item.number::<u32>().map(i64::from))?;
        if values.is_empty() || values.len() > QUANTILES_MAX {
            return value.fault(format!(
                "a spread has from 1 to {QUANTILES_MAX} quantiles, from the least to the greatest"
            ));
        }
        if !values.is_sorted() {
            return value.fault("quantiles must not fall: the least stands first");
        }
        Some(Self::Quantiles(values))
    }
}

/// The quantile of the standard normal distribution that nineteen of twenty draws are below.
const NORMAL_95TH: f64 = 1.644_853_626_951_472_2;

/// The value below which a fraction of `unit` lies.
fn at(values: &[i64], unit: f64) -> i64 {
    let steps = values.len().saturating_sub(1) as f64;
    let place = unit * steps;
    let below = place.floor() as usize;
    let (Some(&low), Some(&high)) = (values.get(below), values.get(below + 1)) else {
        return values.last().copied().unwrap_or_default();
    };
    let part = place - place.floor();
    // One is added so that nothing, too, has a logarithm.
    let (from, to) = (libm::log1p(low as f64), libm::log1p(high as f64));
    rounded(libm::expm1(from + (to - from) * part)).clamp(low, high)
}

fn rounded(value: f64) -> i64 {
    // Beyond a century no duration, and no size, is meant.
    value.round().clamp(0.0, 3.2e9) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share_below(spread: &Spread, bound: i64) -> f64 {
        let mut dice = Dice::new(11, 0);
        let below = (0..20_000).filter(|_| spread.draw(&mut dice) <= bound).count();
        below as f64 / 20_000.0
    }

    #[test]
    fn quantiles_are_kept() {
        let spread = Spread::Quantiles(vec![1, 60, 600, 3_600, 86_400]);
        for (bound, share) in [(60, 0.25), (600, 0.5), (3_600, 0.75), (86_400, 1.0)] {
            assert!((share_below(&spread, bound) - share).abs() < 0.012, "{bound}");
        }
        assert_eq!(Spread::Quantiles(vec![5]).draw(&mut Dice::new(1, 1)), 5);
    }

    #[test]
    fn a_log_normal_spread_has_its_two_quantiles() {
        let spread = Spread::LogNormal { median: 1_800, ninety_fifth: 40_000 };
        assert!((share_below(&spread, 1_800) - 0.5).abs() < 0.012);
        assert!((share_below(&spread, 40_000) - 0.95).abs() < 0.006);
    }
}
