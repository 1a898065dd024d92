//! Splitting an amount so that nothing is lost to rounding.

use std::fmt;

/// A ratio in parts per million, for rates and caps read from policy and agreements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartsPerMillion(u32);

impl PartsPerMillion {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The whole.
    pub const ONE: Self = Self(1_000_000);

    /// `parts` millionths.
    pub const fn new(parts: u32) -> Self {
        Self(parts)
    }

    /// `percent` hundredths.
    pub const fn percent(percent: u16) -> Self {
        // At most 65 535 × 10 000, which fits.
        #[expect(clippy::arithmetic_side_effects, clippy::as_conversions, reason = "fits in u32")]
        Self(percent as u32 * 10_000)
    }

    /// The number of millionths.
    pub const fn parts(self) -> u32 {
        self.0
    }

    /// This ratio of `amount`, rounded down.
    pub fn of(self, amount: i64) -> i64 {
        let scaled = i128::from(amount).saturating_mul(i128::from(self.0)).div_euclid(1_000_000);
        i64::try_from(scaled).unwrap_or(i64::MAX)
    }

    /// `part / whole` rounded down to a millionth; `None` unless `0 <= part` and `0 < whole`,
    /// or when the ratio exceeds 32 bits.
    pub fn ratio(part: i64, whole: i64) -> Option<Self> {
        if part < 0 || whole <= 0 {
            return None;
        }
        let scaled = i128::from(part).checked_mul(1_000_000)?.checked_div(i128::from(whole))?;
        u32::try_from(scaled).ok().map(Self)
    }
}

impl fmt::Display for PartsPerMillion {
    /// Writes a percentage with as many decimals as it needs: `35 %`, `12.5 %`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = self.0.checked_div(10_000).unwrap_or_default();
        let rest = self.0.checked_rem(10_000).unwrap_or_default();
        if rest == 0 {
            return write!(f, "{whole} %");
        }
        let decimals = format!("{rest:04}");
        write!(f, "{whole}.{} %", decimals.trim_end_matches('0'))
    }
}

/// Why a set of shares is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SharesError {
    /// Nobody, or only zero weights.
    #[error("shares need at least one owner with a positive weight")]
    Empty,
    /// The same owner twice.
    #[error("an owner stands twice among the shares")]
    Twice,
}

/// Owners with integer weights; an amount is split over them exactly.
///
/// ```
/// use units::Shares;
/// let shares = Shares::new([("union", 1), ("lu", 2)]).unwrap();
/// assert_eq!(shares.split(100), vec![("lu", 67), ("union", 33)]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shares<K> {
    /// In the order of the owners, without zero weights; never empty.
    weights: Vec<(K, u64)>,
}

impl<K: Ord + Clone> Shares<K> {
    /// Shares in proportion to `weights`; zero weights are left out.
    ///
    /// # Errors
    /// When nobody has a positive weight, or an owner stands twice.
    pub fn new(weights: impl IntoIterator<Item = (K, u64)>) -> Result<Self, SharesError> {
        let mut weights: Vec<_> = weights.into_iter().filter(|(_, weight)| *weight > 0).collect();
        weights.sort_by(|a, b| a.0.cmp(&b.0));
        if weights.is_empty() {
            return Err(SharesError::Empty);
        }
        if weights.windows(2).any(|pair| matches!(pair, [a, b] if a.0 == b.0)) {
            return Err(SharesError::Twice);
        }
        Ok(Self { weights })
    }

    /// The whole to one owner.
    pub fn sole(owner: K) -> Self {
        Self { weights: vec![(owner, 1)] }
    }

    /// Owners and weights, in the order of the owners.
    pub fn iter(&self) -> impl Iterator<Item = (&K, u64)> {
        self.weights.iter().map(|(owner, weight)| (owner, *weight))
    }

    /// Splits `amount` (not negative) by largest remainder: each part is within one unit of its
    /// exact share, and the parts add up to `amount`. Ties go to the first owner in order.
    ///
    /// Source: Hamilton's method (largest remainder).
    pub fn split(&self, amount: i64) -> Vec<(K, i64)> {
        let total: u128 = self.weights.iter().map(|(_, weight)| u128::from(*weight)).sum();
        let whole = u128::from(amount.max(0).unsigned_abs());
        let mut parts: Vec<(K, i64, u128)> = self
            .weights
            .iter()
            .map(|(owner, weight)| {
                let scaled = whole.saturating_mul(u128::from(*weight));
                let floor = scaled.checked_div(total).unwrap_or_default();
                let remainder = scaled.checked_rem(total).unwrap_or_default();
                (owner.clone(), i64::try_from(floor).unwrap_or(i64::MAX), remainder)
            })
            .collect();
        let given: i64 = parts.iter().map(|(_, part, _)| *part).sum();
        let left = usize::try_from(amount.max(0).saturating_sub(given)).unwrap_or_default();
        let mut order: Vec<usize> = (0..parts.len()).collect();
        order.sort_by_key(|index| std::cmp::Reverse(parts.get(*index).map(|part| part.2)));
        for index in order.into_iter().take(left) {
            if let Some(part) = parts.get_mut(index) {
                part.1 = part.1.saturating_add(1);
            }
        }
        parts.into_iter().map(|(owner, part, _)| (owner, part)).collect()
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "the reference a property is held to")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn percentages_read_without_needless_zeros() {
        assert_eq!(PartsPerMillion::percent(35).to_string(), "35 %");
        assert_eq!(PartsPerMillion::new(125_000).to_string(), "12.5 %");
        assert_eq!(PartsPerMillion::ratio(1, 3).unwrap().to_string(), "33.3333 %");
    }

    #[test]
    fn shares_without_weight_are_refused() {
        assert_eq!(Shares::new([("a", 0)]), Err(SharesError::Empty));
        assert_eq!(Shares::new([("a", 1), ("a", 2)]), Err(SharesError::Twice));
    }

    proptest! {
        #[test]
        fn every_amount_is_split_exactly_and_fairly(
            weights in proptest::collection::vec(0u64..1_000_000_000, 1..12),
            amount in 0i64..i64::MAX,
        ) {
            prop_assume!(weights.iter().any(|weight| *weight > 0));
            let total: u128 = weights.iter().map(|w| u128::from(*w)).sum();
            let shares = Shares::new(weights.iter().copied().enumerate()).unwrap();
            let parts = shares.split(amount);
            prop_assert_eq!(parts.iter().map(|(_, part)| i128::from(*part)).sum::<i128>(), i128::from(amount));
            for (owner, part) in parts {
                let exact = u128::from(amount.unsigned_abs()) * u128::from(weights[owner]);
                let floor = exact / total;
                let part = u128::from(part.unsigned_abs());
                prop_assert!(part == floor || part == floor + 1);
            }
        }
    }
}
