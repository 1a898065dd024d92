//! Counting what jobs hold and have used, for every limit that is set.

use std::collections::BTreeMap;

use super::class::ClassId;
use super::spec::{Qos, Throttle};
use crate::limits::{Bound, over};
use crate::{Accounts, Association, LimitCause, Limits, Owner, Resource, Second, Tres};

/// What some jobs hold together, and may.
#[derive(Clone, Debug)]
struct Tally {
    owner: Owner,
    whose: Whose,
    allowed: Allowed,
    running: Tres,
    jobs: u32,
    submitted: u32,
    /// In the kind's unit times seconds: by jobs that have ended, and by those that run if they run
    /// as long as they may.
    used: Tres,
    may_use: Tres,
    decays: bool,
    /// Whether any use is limited.
    metered: bool,
    parked: Vec<ClassId>,
}

/// Which jobs a tally counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Group,
    OneUser,
    Array,
}

#[derive(Clone, Copy, Debug, Default)]
struct Allowed {
    tres: Tres<Option<u64>>,
    minutes: Tres<Option<u64>>,
    jobs: Option<u32>,
    submitted: Option<u32>,
}

impl Tally {
    fn new(owner: Owner, whose: Whose, allowed: Allowed, decays: bool) -> Self {
        let none = Tres::all(0);
        Self {
            owner,
            whose,
            allowed,
            running: none,
            jobs: 0,
            submitted: 0,
            used: none,
            may_use: none,
            decays,
            metered: allowed.minutes.iter().any(|(_, minutes)| minutes.is_some()),
            parked: Vec::new(),
        }
    }

    fn blocks(&self, tres: &Tres, seconds: Second) -> Option<Bound> {
        if self.allowed.jobs.is_some_and(|most| self.jobs >= most) {
            return Some(match self.whose {
                Whose::Group => Bound::GroupJobs,
                Whose::OneUser => Bound::JobsPerUser,
                Whose::Array => Bound::ArrayTasks,
            });
        }
        if let Some(resource) = over(&self.running.zip(*tres, |a, b| a + b), &self.allowed.tres) {
            return Some(match self.whose {
                Whose::Group => Bound::GroupTres(resource),
                Whose::OneUser | Whose::Array => Bound::TresPerUser(resource),
            });
        }
        if self.metered {
            let seconds = seconds.max(0).unsigned_abs();
            let needed = self.used.zip(self.may_use, |a, b| a + b);
            let needed = needed.zip(*tres, |sum, each| sum.saturating_add(each * seconds));
            let minutes = needed.zip(Tres::all(()), |seconds, ()| seconds.div_ceil(60));
            return over(&minutes, &self.allowed.minutes).map(Bound::GroupTresMinutes);
        }
        None
    }
}

/// Every tally there is.
#[derive(Clone, Debug)]
pub(super) struct Tallies {
    all: Vec<Tally>,
    of_group: BTreeMap<Association, usize>,
    of_user: BTreeMap<Association, usize>,
    of_qos: BTreeMap<usize, usize>,
    of_qos_user: BTreeMap<(usize, u32), usize>,
    of_array: BTreeMap<u32, usize>,
    /// Those that forget use.
    decaying: Vec<usize>,
    /// What a job of each user may ask, where that is limited.
    per_job: BTreeMap<Association, Limits>,
}

impl Tallies {
    pub(super) fn new(accounts: &Accounts, limits: &[(Association, Limits)], qos: &[Qos]) -> Self {
        let mut tallies = Self {
            all: Vec::new(),
            of_group: BTreeMap::new(),
            of_user: BTreeMap::new(),
            of_qos: BTreeMap::new(),
            of_qos_user: BTreeMap::new(),
            of_array: BTreeMap::new(),
            decaying: Vec::new(),
            per_job: BTreeMap::new(),
        };
        let limits: BTreeMap<Association, Limits> = limits.iter().copied().collect();
        for (&place, limits) in &limits {
            if let Some(allowed) = of_group(limits) {
                let tally =
                    tallies.add(Tally::new(Owner::Association, Whose::Group, allowed, true));
                tallies.of_group.insert(place, tally);
            }
        }
        for place in accounts.iter().filter(|place| accounts.user_at(*place).is_some()) {
            let above = accounts.upwards(place).filter_map(|above| limits.get(&above));
            let Some(inherited) = above.copied().reduce(|mine, above| mine.or(&above)) else {
                continue;
            };
            tallies.per_job.insert(place, inherited);
            if let Some(allowed) = of_user(&inherited, Tres::all(None)) {
                let tally = Tally::new(Owner::Association, Whose::OneUser, allowed, true);
                let tally = tallies.add(tally);
                tallies.of_user.insert(place, tally);
            }
        }
        for (place, qos) in qos.iter().enumerate() {
            if let Some(allowed) = of_group(&qos.limits) {
                let tally = Tally::new(Owner::Qos, Whose::Group, allowed, !qos.keeps_usage);
                let tally = tallies.add(tally);
                tallies.of_qos.insert(place, tally);
            }
        }
        tallies
    }

    fn add(&mut self, tally: Tally) -> usize {
        if tally.metered && tally.decays {
            self.decaying.push(self.all.len());
        }
        self.all.push(tally);
        self.all.len() - 1
    }

    /// What the job alone exceeds.
    pub(super) fn exceeded_by_one(
        &self,
        association: Association,
        qos: &Qos,
        tres: &Tres,
        seconds: Second,
    ) -> Option<LimitCause> {
        let cause = |owner, bound| LimitCause { owner, bound };
        let of_qos = qos.limits.exceeded_by(tres, seconds).map(|bound| cause(Owner::Qos, bound));
        of_qos.or_else(|| {
            let bound = self.per_job.get(&association)?.exceeded_by(tres, seconds)?;
            Some(cause(Owner::Association, bound))
        })
    }

    /// The tallies that count such a job.
    pub(super) fn chain(
        &mut self,
        accounts: &Accounts,
        association: Association,
        qos: (usize, &Qos),
        throttle: Option<Throttle>,
    ) -> Vec<usize> {
        let mut chain = Vec::new();
        chain.extend(self.of_qos.get(&qos.0));
        let limits = &qos.1.limits;
        if let (Some(allowed), Some(user)) =
            (of_user(limits, limits.tres_per_user), accounts.user_at(association))
        {
            let known = self.of_qos_user.get(&(qos.0, user)).copied();
            let tally = known.unwrap_or_else(|| {
                self.add(Tally::new(Owner::Qos, Whose::OneUser, allowed, !qos.1.keeps_usage))
            });
            self.of_qos_user.insert((qos.0, user), tally);
            chain.push(tally);
        }
        chain.extend(self.of_user.get(&association));
        chain.extend(accounts.upwards(association).filter_map(|place| self.of_group.get(&place)));
        if let Some(throttle) = throttle {
            let known = self.of_array.get(&throttle.array).copied();
            let tally = known.unwrap_or_else(|| {
                let allowed = Allowed { jobs: Some(throttle.running_max), ..Allowed::default() };
                self.add(Tally::new(Owner::Association, Whose::Array, allowed, true))
            });
            self.of_array.insert(throttle.array, tally);
            chain.push(tally);
        }
        chain
    }

    /// Whether how long a job may run counts.
    pub(super) fn is_metered(&self, chain: &[usize]) -> bool {
        self.of(chain).any(|(_, tally)| tally.metered)
    }

    /// Why one job more may not be submitted.
    pub(super) fn full(&self, chain: &[usize]) -> Option<LimitCause> {
        let full =
            |tally: &Tally| tally.allowed.submitted.is_some_and(|most| tally.submitted >= most);
        let (_, tally) = self.of(chain).find(|(_, tally)| full(tally))?;
        let bound = match tally.whose {
            Whose::OneUser => Bound::SubmittedPerUser,
            Whose::Group | Whose::Array => Bound::GroupSubmitted,
        };
        Some(LimitCause { owner: tally.owner, bound })
    }

    /// The first tally that keeps such a job from starting, and why.
    pub(super) fn blocks(
        &self,
        chain: &[usize],
        tres: &Tres,
        seconds: Second,
    ) -> Option<(usize, LimitCause)> {
        self.of(chain).find_map(|(index, tally)| {
            let bound = tally.blocks(tres, seconds)?;
            Some((index, LimitCause { owner: tally.owner, bound }))
        })
    }

    pub(super) fn submitted(&mut self, chain: &[usize]) {
        self.each(chain, |tally| tally.submitted += 1);
    }

    pub(super) fn withdrawn(&mut self, chain: &[usize]) {
        self.each(chain, |tally| tally.submitted = tally.submitted.saturating_sub(1));
    }

    pub(super) fn started(&mut self, chain: &[usize], tres: &Tres, seconds: Second) {
        let seconds = seconds.max(0).unsigned_abs();
        self.each(chain, |tally| {
            tally.jobs += 1;
            tally.running = tally.running.zip(*tres, |a, b| a + b);
            tally.may_use = tally.may_use.zip(*tres, |sum, each| sum + each * seconds);
        });
    }

    /// A job that might have run `seconds` has run for `ran`.
    pub(super) fn ended(&mut self, chain: &[usize], tres: &Tres, seconds: Second, ran: Second) {
        let (seconds, ran) = (seconds.max(0).unsigned_abs(), ran.max(0).unsigned_abs());
        self.each(chain, |tally| {
            tally.jobs = tally.jobs.saturating_sub(1);
            tally.running = tally.running.zip(*tres, u64::saturating_sub);
            tally.may_use =
                tally.may_use.zip(*tres, |sum, each| sum.saturating_sub(each * seconds));
            tally.used = tally.used.zip(*tres, |sum, each| sum.saturating_add(each * ran));
        });
    }

    /// Lets a class wait for a tally.
    pub(super) fn park(&mut self, tally: usize, class: ClassId) {
        if let Some(tally) = self.all.get_mut(tally) {
            tally.parked.push(class);
        }
    }

    /// The classes that waited for tallies that now count less.
    pub(super) fn unpark(&mut self, chain: &[usize]) -> Vec<ClassId> {
        let mut freed = Vec::new();
        self.each(chain, |tally| freed.append(&mut tally.parked));
        freed
    }

    /// Forgets some of what was used; returns the classes that waited for that.
    pub(super) fn decay(&mut self, scale: impl Fn(u64) -> u64) -> Vec<ClassId> {
        let mut freed = Vec::new();
        for index in &self.decaying {
            let Some(tally) = self.all.get_mut(*index) else { continue };
            tally.used = tally.used.zip(Tres::all(()), |used, ()| scale(used));
            freed.append(&mut tally.parked);
        }
        freed
    }

    /// Whether any class waits for use to be forgotten.
    pub(super) fn awaits_decay(&self) -> bool {
        self.of(&self.decaying).any(|(_, tally)| !tally.parked.is_empty())
    }

    fn of<'a>(&'a self, chain: &'a [usize]) -> impl Iterator<Item = (usize, &'a Tally)> {
        chain.iter().filter_map(|index| Some((*index, self.all.get(*index)?)))
    }

    fn each(&mut self, chain: &[usize], mut change: impl FnMut(&mut Tally)) {
        for index in chain {
            if let Some(tally) = self.all.get_mut(*index) {
                change(tally);
            }
        }
    }
}

/// What the limits allow all jobs together, if they limit that.
fn of_group(limits: &Limits) -> Option<Allowed> {
    let allowed = Allowed {
        tres: limits.group_tres,
        minutes: limits.group_tres_minutes,
        jobs: limits.group_jobs,
        submitted: limits.group_submitted,
    };
    allowed.is_some().then_some(allowed)
}

/// What the limits allow the jobs of one user, if they limit that.
fn of_user(limits: &Limits, tres: Tres<Option<u64>>) -> Option<Allowed> {
    let allowed = Allowed {
        tres,
        minutes: Tres::all(None),
        jobs: limits.jobs_per_user,
        submitted: limits.submitted_per_user,
    };
    allowed.is_some().then_some(allowed)
}

impl Allowed {
    fn is_some(&self) -> bool {
        let any = |tres: Tres<Option<u64>>| {
            tres.iter().any(|(_, limit): (Resource, Option<u64>)| limit.is_some())
        };
        any(self.tres) || any(self.minutes) || self.jobs.is_some() || self.submitted.is_some()
    }
}
