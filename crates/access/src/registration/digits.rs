//! Check digits of VAT numbers, as the Member States publish them. Every function is given the whole
//! number, check digit included, and says whether it fits.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "at most twelve digits, each multiplied by at most 256: nothing can overflow"
)]

/// The sum of digits, each multiplied by its weight.
pub(super) fn weighed(digits: &[u32], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(digit, weight)| digit * weight).sum()
}

/// Whether the sum of all digits with their weights leaves `rest` when divided by `modulus`.
pub(super) fn leaves(digits: &[u32], weights: &[u32], (modulus, rest): (u32, u32)) -> bool {
    weighed(digits, weights) % modulus == rest
}

/// The number that digits spell.
pub(super) fn number(digits: &[u32]) -> u64 {
    digits.iter().fold(0, |number, digit| number * 10 + u64::from(*digit))
}

/// The formula of Luhn (ISO/IEC 7812-1): every second digit from the right counts twice, digit by
/// digit.
pub(super) fn luhn(digits: &[u32]) -> bool {
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let counted = digits.iter().rev().enumerate();
    let sum: u32 =
        counted.map(|(index, digit)| if index % 2 == 1 { doubled(*digit) } else { *digit }).sum();
    sum.is_multiple_of(10)
}

/// ISO/IEC 7064, modulus 11,10.
pub(super) fn mod_11_10(digits: &[u32]) -> bool {
    let Some((last, head)) = digits.split_last() else { return false };
    let mut product = 10;
    for digit in head {
        let sum = (digit + product) % 10;
        product = 2 * (if sum == 0 { 10 } else { sum }) % 11;
    }
    (product + last) % 10 == 1
}

/// Splits the check digit off, and says whether it is the one that `of` finds for the rest.
pub(super) fn ends_with(digits: &[u32], of: impl Fn(&[u32]) -> u32) -> bool {
    digits.split_last().is_some_and(|(last, head)| of(head) == *last)
}
