use proptest::prelude::*;

use super::*;
use crate::plan::Timeline;

/// How many are free of 40.
fn free(profile: &Profile, at: Second) -> Option<u32> {
    (0..=40).rev().find(|size| profile.fits(at, 1, size).is_some())
}

proptest! {
    #[test]
    fn the_profile_is_the_timeline_of_processors(
        steps in proptest::collection::vec((0_i64..400, 1_i64..120, 1_u32..20, 0_u8..6), 1..400)
    ) {
        let pool = Processors::new(40);
        let (mut profile, mut timeline) = (Profile::new(0, pool), Timeline::new(0, pool));
        let mut held: Vec<(i64, i64, u32)> = Vec::new();
        let mut now = 0;
        for (at, seconds, size, kind) in steps {
            match kind {
                0 if !held.is_empty() => {
                    let (start, end, grant) = held.swap_remove(at.unsigned_abs() as usize % held.len());
                    profile.release(start.max(now), end, &grant);
                    timeline.release(start.max(now), end, &grant);
                }
                1 => {
                    let since = profile.begins[0];
                    now += at / 100;
                    let grown = (since..now).any(|at| free(&profile, at) < free(&profile, now));
                    prop_assert_eq!(profile.advance(now), grown);
                    timeline.advance(now);
                }
                _ => {
                    let found = profile.earliest(now + at, seconds, &size);
                    prop_assert_eq!(found, timeline.earliest(now + at, seconds, &size));
                    if let Some((start, grant)) = found {
                        profile.reserve(start, start + seconds, &grant);
                        timeline.reserve(start, start + seconds, &grant);
                        held.push((start, start + seconds, grant));
                    }
                }
            }
            prop_assert_eq!(profile.fits(now, seconds, &size), timeline.fits(now, seconds, &size));
            prop_assert_eq!(profile.room_until(now, size), timeline.room_until(now, size));
            let sizes = [0, 1, 2, 5, 9, 30, 41];
            prop_assert_eq!(profile.rooms_until(now, sizes), timeline.rooms_until(now, sizes));
            prop_assert!(profile.blocks.iter().all(|block| block.times.len() <= STEPS_MAX));
        }
    }
}
