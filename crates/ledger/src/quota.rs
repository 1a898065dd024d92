//! Dividing what is used among those who pay, unit by unit, without ever drifting.
//!
//! With weights `w` that sum to `W`, owner `i` should have paid `n·wᵢ/W` when `n` units are used.
//! Amounts are integers, and a unit once charged to an owner stays charged, so no owner can always
//! have exactly that; [`advance`] keeps each one *less than one unit* away from it, at every `n`
//! that occurs, for any number of owners. Rounding each charge by itself cannot do that: its
//! errors add up over many charges.
//!
//! The rule: the `j`-th unit of owner `i` has a window. It may be charged once `n·wᵢ/W > j − 1`
//! (before, the owner would be a whole unit ahead) and must be charged when `n·wᵢ/W ≥ j` (after,
//! it would be a whole unit behind). Of the units whose window is open, those that must be
//! charged soonest are charged first; ties go to the first owner in order.
//!
//! Why it always succeeds: between any two totals `s < t`, at most `t − s` windows lie entirely
//! inside (each owner has at most `⌊t·wᵢ/W⌋ − ⌈s·wᵢ/W⌉` of them), so a charge at every unit can
//! meet every deadline, and taking the earliest deadlines first never leaves more urgent units
//! behind than any other choice would.
//!
//! Sources: R. Tijdeman, *The chairman assignment problem*, Discrete Mathematics 32 (1980);
//! M. Balinski and H. P. Young, *The quota method of apportionment*, American Mathematical Monthly
//! 82 (1975), which asks the same of seats; S. Baruah et al., *Proportionate progress*,
//! Algorithmica 15 (1996), for earliest deadlines.

/// One owner: the weight, and what it has paid so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner {
    pub(crate) weight: i64,
    pub(crate) paid: i64,
}

/// What each owner will have paid when `total` units are used, each no less than it paid before.
///
/// Weights are not negative and sum to at least `total`. `None` when what was paid so far did not
/// come about by this rule.
pub(crate) fn advance(owners: &[Owner], total: i64) -> Option<Vec<i64>> {
    let sum: i128 = owners.iter().map(|owner| i128::from(owner.weight)).sum();
    let total = i128::from(total);
    if sum == 0 {
        return (total == 0).then(|| owners.iter().map(|owner| owner.paid).collect());
    }
    let mut paid = Vec::with_capacity(owners.len());
    let mut open = Vec::new();
    let mut left = total;
    for (index, owner) in owners.iter().enumerate() {
        let scaled = total.checked_mul(i128::from(owner.weight))?;
        let behind = scaled.checked_div(sum)?;
        let now = behind.max(i128::from(owner.paid));
        left = left.checked_sub(now)?;
        if now == behind && scaled.checked_rem(sum)? != 0 {
            let deadline = now.checked_add(1)?.checked_mul(sum)?;
            open.push((ceiling(deadline, i128::from(owner.weight))?, index));
        }
        paid.push(i64::try_from(now).ok()?);
    }
    open.sort_unstable();
    let left = usize::try_from(left).ok()?;
    if left > open.len() {
        return None;
    }
    for (_, index) in open.into_iter().take(left) {
        let owner = paid.get_mut(index)?;
        *owner = owner.checked_add(1)?;
    }
    Some(paid)
}

/// Whether everyone is less than one unit away from the exact share of what all have paid.
pub(crate) fn is_exact(owners: &[Owner]) -> bool {
    let sum: i128 = owners.iter().map(|owner| i128::from(owner.weight)).sum();
    let total: i128 = owners.iter().map(|owner| i128::from(owner.paid)).sum();
    owners.iter().all(|owner| {
        let exact = total.checked_mul(i128::from(owner.weight));
        let paid = sum.checked_mul(i128::from(owner.paid));
        let away = exact.zip(paid).and_then(|(exact, paid)| exact.checked_sub(paid));
        away.is_some_and(|away| away == 0 || away.abs() < sum)
    })
}

/// `number / by`, rounded up; both positive.
fn ceiling(number: i128, by: i128) -> Option<i128> {
    let whole = number.checked_div(by)?;
    if number.checked_rem(by)? == 0 { Some(whole) } else { whole.checked_add(1) }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "a test may overflow: it fails")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn owners(weights: &[i64]) -> Vec<Owner> {
        weights.iter().map(|weight| Owner { weight: *weight, paid: 0 }).collect()
    }

    fn walk(weights: &[i64], steps: impl IntoIterator<Item = i64>) {
        let whole: i64 = weights.iter().sum();
        let mut owners = owners(weights);
        let mut total = 0;
        for step in steps {
            total = (total + step).min(whole);
            let paid = advance(&owners, total).expect("the rule always finds a way");
            assert_eq!(paid.iter().sum::<i64>(), total);
            for (owner, paid) in owners.iter_mut().zip(paid) {
                assert!(paid >= owner.paid, "a unit once charged stays charged");
                assert!(paid <= owner.weight, "nobody pays more than all of theirs");
                owner.paid = paid;
            }
            assert!(is_exact(&owners), "{owners:?} at {total}");
        }
        let paid = advance(&owners, whole).unwrap();
        assert_eq!(paid, weights, "when all is used, everyone has paid all of theirs");
    }

    #[test]
    fn twelve_payers_unit_by_unit() {
        // One payer with half of everything is where divisor methods leave the quota.
        walk(&[660, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 1], std::iter::repeat_n(1, 1_261));
    }

    #[test]
    fn a_history_that_broke_the_rule_is_noticed() {
        let owners = [Owner { weight: 10, paid: 0 }, Owner { weight: 10, paid: 8 }];
        assert_eq!(advance(&owners, 7), None);
        assert!(!is_exact(&owners));
    }

    proptest! {
        #[test]
        fn everyone_stays_within_one_unit_of_the_exact_share(
            weights in prop::collection::vec(prop_oneof![0i64..30, 0i64..1_000, 0i64..1 << 50], 1..12),
            steps in prop::collection::vec(prop_oneof![0i64..4, 1i64..200, 1i64..1 << 50], 0..60),
        ) {
            walk(&weights, steps);
        }

        #[test]
        fn small_weights_hold_at_every_single_unit(
            weights in prop::collection::vec(0i64..40, 1..9),
            offset in 0i64..100,
        ) {
            let whole = weights.iter().sum::<i64>();
            walk(&weights, std::iter::once(offset).chain(std::iter::repeat_n(1, usize::try_from(whole).unwrap())));
        }
    }
}
