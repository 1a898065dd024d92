//! The order of applications after review.

use units::{ApplicationId, Timestamp};

use super::score::{Evaluation, Standing};
use crate::policy::Order;

/// A place in the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Whose.
    pub application: ApplicationId,
    /// The place, from one; those who tie share it, and the next place after them is left out.
    pub place: u32,
    /// Whether others share it.
    pub tied: bool,
}

/// Puts the applications that have passed in order; the others have no place.
pub fn rank(order: Order, judged: &[(ApplicationId, Timestamp, Evaluation)]) -> Vec<Place> {
    let passed = judged.iter().filter(|(.., it)| it.standing == Standing::Passed);
    let mut passed: Vec<_> = passed.collect();
    // Ties stand in the order of their ids, which says nothing about them.
    passed.sort_by(|a, b| match order {
        Order::Score => b.2.total.cmp(&a.2.total).then(a.0.cmp(&b.0)),
        Order::FirstCome => a.1.cmp(&b.1).then(a.0.cmp(&b.0)),
    });
    let same =
        |a: &(ApplicationId, Timestamp, Evaluation), b: &(_, Timestamp, Evaluation)| match order {
            Order::Score => a.2.total == b.2.total,
            Order::FirstCome => a.1 == b.1,
        };
    let places = passed.iter().map(|it| {
        let before = passed.iter().take_while(|other| !same(other, it)).count();
        let sharing = passed.iter().filter(|other| same(other, it)).count();
        let place = u32::try_from(before.saturating_add(1)).unwrap_or(u32::MAX);
        Place { application: it.0, place, tied: sharing > 1 }
    });
    places.collect()
}
