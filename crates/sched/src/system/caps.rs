//! Caps on what accounts may hold of a partition.

use super::System;
use crate::{Association, Pool};

impl<P: Pool> System<P> {
    /// Lets the running jobs of `accounts`, and of all that is in them, hold no more than `size_max`
    /// of a partition together, in the units of [`Pool::size`]; as [`Core::cap`](crate::Core::cap).
    ///
    /// It is what `GrpTRES` of a class is, except that none starves under it: a limit lets small
    /// jobs pass a large one for ever, a cap promises the first that it holds back a start.
    pub fn cap(&mut self, partition: usize, number: u32, accounts: &[Association], size_max: u32) {
        let known = &self.rules.accounts;
        let is_in = |place: &Association| known.upwards(*place).any(|it| accounts.contains(&it));
        if let Some(lane) = self.lanes.get_mut(partition) {
            lane.core.cap(number, known.iter().filter(is_in).map(Association::group), size_max);
            lane.changed = true;
        }
    }
}
