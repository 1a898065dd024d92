//! What can go wrong between an engine and a cluster, and how often.

use std::time::Duration;

/// Numbers that look random and are the same in every run (`SplitMix64`).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice that fall as `seed` says.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub const fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; zero when that is zero.
    pub const fn below(&mut self, bound: u64) -> u64 {
        match self.roll().checked_rem(bound) {
            Some(number) => number,
            None => 0,
        }
    }

    /// Whether something happens that does so `chances` times in a thousand.
    pub const fn hits(&mut self, chances: u32) -> bool {
        self.below(1_000) < chances as u64
    }

    /// So many milliseconds at most.
    pub const fn up_to(&mut self, milliseconds: u64) -> Duration {
        Duration::from_millis(self.below(milliseconds.saturating_add(1)))
    }
}

/// How often things go wrong, in a thousand times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// A question is lost on its way to the cluster.
    pub lost_there: u32,
    /// The answer is lost on its way back.
    pub lost_back: u32,
    /// A submission arrives when whoever made it has given up.
    pub late: u32,
    /// A question or an answer takes up to ten seconds.
    pub slow: u32,
}

/// What becomes of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Answered,
    LostThere,
    LostBack,
}

/// The way of a question and of its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Passage {
    pub(super) fate: Fate,
    pub(super) there: Duration,
    pub(super) back: Duration,
}

impl Faults {
    const SLOW_MILLISECONDS: u64 = 10_000;
    const QUICK_MILLISECONDS: u64 = 40;

    /// How the next question fares.
    pub(super) const fn passage(self, dice: &mut Dice) -> Passage {
        let fate = if dice.hits(self.lost_there) {
            Fate::LostThere
        } else if dice.hits(self.lost_back) {
            Fate::LostBack
        } else {
            Fate::Answered
        };
        Passage { fate, there: self.length(dice), back: self.length(dice) }
    }

    const fn length(self, dice: &mut Dice) -> Duration {
        if dice.hits(self.slow) {
            dice.up_to(Self::SLOW_MILLISECONDS)
        } else {
            dice.up_to(Self::QUICK_MILLISECONDS)
        }
    }
}
