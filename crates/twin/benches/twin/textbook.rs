//! A scheduler without an index, to agree with and to be measured against.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use twin::Job;

/// EASY as textbooks tell it: sets and lists, and a look at every waiting job in every pass.
pub(super) fn textbook(jobs: &[Job], procs: u32) -> Vec<i64> {
    let mut starts = vec![0; jobs.len()];
    let mut free = procs;
    let mut ends: BinaryHeap<Reverse<(i64, usize)>> = BinaryHeap::new();
    let mut due: BTreeSet<(i64, usize)> = BTreeSet::new();
    let mut queue: Vec<usize> = Vec::new();
    let mut arrivals = jobs.iter().enumerate().peekable();
    loop {
        let arrival = arrivals.peek().map(|(_, job)| job.submit);
        let end = ends.peek().map(|Reverse((end, _))| *end);
        let Some(now) = arrival.into_iter().chain(end).min() else { return starts };
        while let Some(Reverse((end, index))) = ends.peek().copied()
            && end <= now
        {
            ends.pop();
            free += jobs[index].procs;
            due.remove(&(starts[index] + jobs[index].estimate, index));
        }
        while let Some((index, _)) = arrivals.next_if(|(_, job)| job.submit <= now) {
            queue.push(index);
        }
        let mut promise: Option<(i64, u32)> = None;
        let mut held_up = false;
        queue.retain(|&index| {
            let job = &jobs[index];
            if job.procs > free || (held_up && free == 0) {
                if !held_up {
                    held_up = true;
                    promise = shadow(jobs, &due, free, job.procs);
                }
                return true;
            }
            if held_up {
                let Some((at, extra)) = &mut promise else { return true };
                let short = now + job.estimate <= *at;
                if !short && job.procs > *extra {
                    return true;
                }
                if !short {
                    *extra -= job.procs;
                }
            }
            starts[index] = now;
            free -= job.procs;
            ends.push(Reverse((now + job.run, index)));
            due.insert((now + job.estimate, index));
            false
        });
    }
}

/// When `wanted` processors are free if every job runs as long as it may, and how many beyond.
fn shadow(
    jobs: &[Job],
    due: &BTreeSet<(i64, usize)>,
    free: u32,
    wanted: u32,
) -> Option<(i64, u32)> {
    let mut free = free;
    let mut found = None;
    for &(end, index) in due {
        if found.is_some_and(|(at, _)| at < end) {
            break;
        }
        free += jobs[index].procs;
        if free >= wanted {
            found = Some((end, free - wanted));
        }
    }
    found
}
