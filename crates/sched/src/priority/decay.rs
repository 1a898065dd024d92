//! Forgetting: powers of one half, in integers.

use crate::Second;

/// One, with 32 binary places.
pub(super) const ONE: u64 = 1 << 32;

/// Two to the power of minus `exponent`, both with 32 binary places.
///
/// The fraction of the exponent is taken bit by bit: each stands for another square root of one
/// half, and integers have square roots everywhere alike.
pub(super) fn half_to_the(exponent: u64) -> u64 {
    const PLACES: u32 = 63;
    let mut power: u128 = 1 << PLACES;
    let mut root: u128 = 1 << (PLACES - 1);
    for bit in (0..32).rev() {
        root = (root << PLACES).isqrt();
        if exponent >> bit & 1 == 1 {
            power = (power * root) >> PLACES;
        }
    }
    let whole = u32::try_from(exponent >> 32).unwrap_or(u32::MAX);
    let power = power.checked_shr(whole).unwrap_or_default();
    u64::try_from(power >> (PLACES - 32)).unwrap_or(ONE)
}

/// What is left of one after `seconds`, with 32 binary places.
pub(super) fn left_after(seconds: Second, half_life_seconds: Second) -> u64 {
    let seconds = u128::from(seconds.max(0).unsigned_abs());
    let half_life = u128::from(half_life_seconds.max(1).unsigned_abs());
    half_to_the(u64::try_from((seconds << 32) / half_life).unwrap_or(u64::MAX))
}

/// `amount` times a factor with 32 binary places, rounded down.
pub(crate) fn scaled(amount: u64, factor: u64) -> u64 {
    u64::try_from((u128::from(amount) * u128::from(factor)) >> 32).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_is_left_after_a_half_life_and_a_quarter_after_two() {
        assert_eq!(left_after(0, 100), ONE);
        assert_eq!(left_after(100, 100), ONE / 2);
        assert_eq!(left_after(200, 100), ONE / 4);
        assert_eq!(left_after(100 * 64, 100), 0);
        // 2^(-1/2) is 0.70710678…
        let root = left_after(50, 100) * 100_000_000 / ONE;
        assert!((70_710_677..=70_710_678).contains(&root), "{root}");
        assert_eq!(scaled(1_000, ONE / 4), 250);
    }
}
