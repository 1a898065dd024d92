//! The tree of accounts and users, with their shares and what they used.

use super::decay;
use crate::{PriorityPolicy, Second};

/// A user in an account, or an account: a place in the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Association(u32);

impl Association {
    /// All accounts together.
    pub const ROOT: Self = Self(0);

    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }

    /// As the group whose jobs a [cap](crate::Core::cap) counts.
    pub(crate) const fn group(self) -> u32 {
        self.0
    }
}

/// Accounts within accounts, and users in them, each with shares among its siblings.
///
/// ```
/// use sched::{Accounts, Association};
/// let mut accounts = Accounts::new();
/// let science = accounts.account(Association::ROOT, 3);
/// let ann = accounts.user(science, 1, 1);
/// assert_eq!(accounts.parent(ann), Some(science));
/// ```
#[derive(Clone, Debug)]
pub struct Accounts {
    pub(super) places: Vec<Place>,
    /// The places right under each, in the order in which they were last sorted.
    pub(super) children: Vec<Vec<Association>>,
    pub(super) users: u32,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) parent: Association,
    pub(super) user: Option<u32>,
    pub(super) shares: u32,
    /// The shares of all that is right under it.
    pub(super) shares_under: u64,
}

impl Default for Accounts {
    fn default() -> Self {
        Self::new()
    }
}

impl Accounts {
    /// The root alone.
    pub fn new() -> Self {
        let root = Place { parent: Association::ROOT, user: None, shares: 1, shares_under: 0 };
        Self { places: vec![root], children: vec![Vec::new()], users: 0 }
    }

    /// A new account within `parent`, with `shares` of what that has.
    pub fn account(&mut self, parent: Association, shares: u32) -> Association {
        self.place(parent, None, shares)
    }

    /// User number `user` in `account`, with `shares` of what that has; the same number in another
    /// account is the same person.
    pub fn user(&mut self, account: Association, user: u32, shares: u32) -> Association {
        self.users += 1;
        self.place(account, Some(user), shares)
    }

    /// The account that a place is in; `None` for the root.
    pub fn parent(&self, place: Association) -> Option<Association> {
        (place != Association::ROOT).then(|| self.places.get(place.index()).map(|it| it.parent))?
    }

    /// The number of the user at a place; `None` for an account.
    pub fn user_at(&self, place: Association) -> Option<u32> {
        self.places.get(place.index())?.user
    }

    /// Every place, from the root to the leaves.
    pub fn iter(&self) -> impl Iterator<Item = Association> + use<> {
        (0..u32::try_from(self.places.len()).unwrap_or(u32::MAX)).map(Association)
    }

    /// A place and all that it is in, up to the root.
    pub fn upwards(&self, place: Association) -> impl Iterator<Item = Association> {
        std::iter::successors(Some(place), |place| self.parent(*place))
    }

    fn place(&mut self, parent: Association, user: Option<u32>, shares: u32) -> Association {
        let place = Association(u32::try_from(self.places.len()).unwrap_or(u32::MAX));
        if let (Some(above), Some(siblings)) =
            (self.places.get_mut(parent.index()), self.children.get_mut(parent.index()))
        {
            above.shares_under += u64::from(shares);
            siblings.push(place);
        }
        self.children.push(Vec::new());
        self.places.push(Place { parent, user, shares, shares_under: 0 });
        place
    }

    /// The shares of all siblings of a place and its own; its own alone for the root.
    pub(super) fn shares_around(&self, place: &Place) -> u64 {
        self.places.get(place.parent.index()).map_or(0, |above| above.shares_under)
    }
}

/// What every place in the tree has used, in billing units times seconds, older use counting less.
#[derive(Clone, Debug)]
pub(crate) struct Usage {
    pub(super) used: Vec<u64>,
    /// What running jobs add every second.
    rates: Vec<u64>,
    /// What starts and ends since the last period take from, or add to, a whole period's worth.
    parts: Vec<i64>,
    /// When the current period began.
    since: Second,
    /// How much is left after one period, with 32 binary places.
    left: u64,
    period_seconds: Second,
}

impl Usage {
    pub(crate) fn new(accounts: &Accounts, policy: &PriorityPolicy) -> Self {
        let places = accounts.places.len();
        let period_seconds = policy.period_seconds.max(1);
        let left = policy
            .half_life_seconds
            .map_or(decay::ONE, |half_life| decay::left_after(period_seconds, half_life));
        Self {
            used: vec![0; places],
            rates: vec![0; places],
            parts: vec![0; places],
            since: Second::MIN,
            left,
            period_seconds,
        }
    }

    /// When priorities were last made anew.
    pub(crate) const fn since(&self) -> Second {
        self.since
    }

    /// When they will be made anew.
    pub(crate) const fn next(&self) -> Second {
        self.since.saturating_add(self.period_seconds)
    }

    /// What is left after one period, with 32 binary places.
    pub(crate) const fn left(&self) -> u64 {
        self.left
    }

    /// Lets a period end, if one has by `now`.
    pub(crate) fn advance(&mut self, now: Second) -> bool {
        if self.since == Second::MIN {
            self.since = now;
            return true;
        }
        if now < self.next() {
            return false;
        }
        self.since = self.next();
        let seconds = self.period_seconds.unsigned_abs();
        let left = self.left;
        for ((used, rate), part) in self.used.iter_mut().zip(&self.rates).zip(&mut self.parts) {
            let kept = decay::scaled(*used, left);
            *used = kept.saturating_add(rate * seconds).saturating_add_signed(*part);
            *part = 0;
        }
        true
    }

    /// A job that is billed `billing` every second starts at `place`.
    pub(crate) fn start(
        &mut self,
        accounts: &Accounts,
        place: Association,
        billing: u64,
        now: Second,
    ) {
        let before = self.part(billing, now);
        self.upwards(accounts, place, |rate, part| {
            *rate += billing;
            *part -= before;
        });
    }

    /// It ends.
    pub(crate) fn end(
        &mut self,
        accounts: &Accounts,
        place: Association,
        billing: u64,
        now: Second,
    ) {
        let before = self.part(billing, now);
        self.upwards(accounts, place, |rate, part| {
            *rate = rate.saturating_sub(billing);
            *part += before;
        });
    }

    /// Changes what runs and what was used in part, from a place up to the root.
    fn upwards(
        &mut self,
        accounts: &Accounts,
        place: Association,
        change: impl Fn(&mut u64, &mut i64),
    ) {
        for place in accounts.upwards(place).map(Association::index) {
            if let (Some(rate), Some(part)) = (self.rates.get_mut(place), self.parts.get_mut(place))
            {
                change(rate, part);
            }
        }
    }

    /// What was used at a place up to the last period.
    pub(crate) fn of(&self, place: Association) -> u64 {
        self.used.get(place.index()).copied().unwrap_or_default()
    }

    /// What `billing` comes to between the beginning of the period and `now`.
    fn part(&self, billing: u64, now: Second) -> i64 {
        let seconds = now.saturating_sub(self.since).max(0);
        i64::try_from(billing).unwrap_or(i64::MAX).saturating_mul(seconds)
    }
}
