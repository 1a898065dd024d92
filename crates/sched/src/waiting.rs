//! What the queue knows of each job that waits, and of stretches of them.

use crate::blocks::Summary;
use crate::{Second, Ticket};

/// A job in the queue, as far as searching goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting {
    pub(crate) ticket: Ticket,
    /// What [`Pool::size`](crate::Pool::size) says of its demand.
    pub(crate) size: u32,
    pub(crate) estimate_seconds: Second,
}

const CLASSES: usize = 16;
/// No job at all; estimates are capped below it.
const NOBODY: i32 = i32::MAX;

/// For each class of sizes, the shortest estimate among jobs of that class and all smaller ones.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shortest([i32; CLASSES]);

impl PartialEq for Shortest {
    /// Without a branch for every class, for it is asked at every start and end.
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).fold(0, |differ, (mine, theirs)| differ | (mine ^ theirs)) == 0
    }
}

impl Shortest {
    /// The shortest estimate of all.
    pub(crate) fn least(&self) -> Option<Second> {
        let [.., least] = self.0;
        (least < NOBODY).then_some(Second::from(least))
    }

    /// A size that none is below.
    pub(crate) fn smallest(&self) -> Option<u32> {
        self.0.iter().position(|least| *least < NOBODY).map(smallest)
    }
}

/// The class of a size: nothing, one, two and three, four to seven, and so on. Sizes are often
/// powers of two, which are then the smallest of their class.
const fn class(size: u32) -> usize {
    let class = 32 - size.leading_zeros() as usize;
    if class < CLASSES { class } else { CLASSES - 1 }
}

/// The smallest size of a class.
const fn smallest(class: usize) -> u32 {
    match class {
        0 => 0,
        _ => 1 << (class - 1),
    }
}

/// Seconds within 32 bits; what lies beyond is still below [`NOBODY`].
fn capped(seconds: Second) -> i32 {
    i32::try_from(seconds.clamp(i64::from(i32::MIN), i64::from(NOBODY - 1))).unwrap_or(NOBODY - 1)
}

impl Summary<Waiting> for Shortest {
    const NONE: Self = Self([NOBODY; CLASSES]);

    fn of(values: &[Waiting]) -> Self {
        let mut shortest = [NOBODY; CLASSES];
        for job in values {
            if let Some(least) = shortest.get_mut(class(job.size)) {
                *least = capped(job.estimate_seconds).min(*least);
            }
        }
        let mut least = NOBODY;
        for of_class in &mut shortest {
            least = least.min(*of_class);
            *of_class = least;
        }
        Self(shortest)
    }

    #[inline]
    fn is_none(&self) -> bool {
        let [.., all] = self.0;
        all == NOBODY
    }

    #[inline]
    fn with(&self, job: &Waiting) -> Self {
        let (from, estimate) = (class(job.size), capped(job.estimate_seconds));
        let mut shortest = self.0;
        for (class, least) in shortest.iter_mut().enumerate() {
            *least = (*least).min(if class >= from { estimate } else { NOBODY });
        }
        Self(shortest)
    }

    #[inline]
    fn without(&self, job: &Waiting) -> Option<Self> {
        let least = self.0.get(class(job.size))?;
        (*least < capped(job.estimate_seconds)).then_some(*self)
    }

    #[inline]
    fn join(&self, next: &Self) -> Self {
        let mut shortest = self.0;
        for (mine, theirs) in shortest.iter_mut().zip(&next.0) {
            *mine = (*mine).min(*theirs);
        }
        Self(shortest)
    }
}

/// For each class of sizes, how long jobs of that class may take at most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    seconds: [Second; CLASSES],
    capped: [i32; CLASSES],
}

impl Limits {
    /// The smallest size of each class, whose jobs have the most time of the class; nothing where
    /// all are below `least`.
    pub(crate) fn sizes(least: u32) -> [u32; CLASSES] {
        std::array::from_fn(|class| if smallest(class) < least { 0 } else { smallest(class) })
    }

    /// The limits when jobs of [`sizes`](Self::sizes) may take this long.
    pub(crate) fn new(seconds: [Second; CLASSES]) -> Self {
        Self { seconds, capped: seconds.map(capped) }
    }

    /// The same, counted from `seconds` earlier.
    pub(crate) fn since_earlier(&self, seconds: Second) -> Self {
        Self::new(self.seconds.map(|limit| limit.saturating_add(seconds)))
    }

    /// How long jobs of this size may take, if they are the smallest of their class.
    pub(crate) fn exactly(&self, size: u32) -> Option<Second> {
        let class = class(size);
        self.seconds.get(class).copied().filter(|_| size == smallest(class))
    }

    /// How long jobs of this size may take at least, as larger ones may.
    pub(crate) fn least(&self, size: u32) -> Second {
        self.seconds.get(class(size) + 1).copied().unwrap_or_default()
    }

    /// Whether a stretch may hold a job within its limit.
    pub(crate) fn may(&self) -> impl Fn(&Shortest) -> bool + use<> {
        let limits = self.capped;
        move |stretch| stretch.0.iter().zip(&limits).any(|(least, limit)| least <= limit)
    }

    /// Whether `job` may be within its limit.
    pub(crate) fn takes(&self, job: &Waiting) -> bool {
        let limit = self.seconds.get(class(job.size));
        limit.is_some_and(|limit| job.estimate_seconds <= *limit)
    }
}

/// What would fit: jobs of at most `room` that take no longer than `gap`, or of at most `spare`
/// that take any time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gap {
    pub(crate) room: u32,
    pub(crate) seconds: Second,
    pub(crate) spare: u32,
}

impl Gap {
    /// Whether a stretch may hold a job that fits; sizes within one class are not told apart.
    pub(crate) fn may(&self) -> impl Fn(&Shortest) -> bool + use<> {
        let (room, seconds, spare) = (class(self.room), capped(self.seconds), class(self.spare));
        move |stretch| {
            stretch.0.get(room).is_some_and(|shortest| *shortest <= seconds)
                || stretch.0.get(spare).is_some_and(|shortest| *shortest < NOBODY)
        }
    }

    /// Whether `job` may fit, by its size.
    pub(crate) const fn takes(&self, job: &Waiting) -> bool {
        job.size <= self.room && (job.estimate_seconds <= self.seconds || job.size <= self.spare)
    }
}
