//! Which nodes a job gets when it could have others as well.

use super::{Amount, NodesGrant};

/// Which of several nodes a job gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Those with the least to spare, so that what is scarce stays together.
    Tightest,
    /// The first of the shortest row of neighbours that is long enough, whatever is left on each:
    /// what Slurm's `select/cons_tres` does without weights or a topology.
    ShortestRow,
}

/// The first nodes of the shortest row of neighbours that has as many as are wanted; when none has,
/// the longest row and then, of the others, as many as are missing.
pub(super) fn shortest_row(fits: &[(usize, Amount)], wanted: usize) -> Option<NodesGrant> {
    if fits.len() < wanted {
        return None;
    }
    let mut rows: Vec<&[(usize, Amount)]> = fits.chunk_by(|a, b| a.0 + 1 == b.0).collect();
    let mut grant = NodesGrant::with_capacity(wanted);
    while grant.len() < wanted {
        let missing = wanted - grant.len();
        let cost = |row: &[(usize, Amount)]| match row.len() {
            enough if enough >= missing => (0, enough),
            short => (1, usize::MAX - short),
        };
        let best = (0..rows.len()).min_by_key(|place| rows.get(*place).map(|row| cost(row)))?;
        grant.extend(rows.remove(best).iter().take(missing));
    }
    grant.sort_unstable_by_key(|(index, _)| *index);
    Some(grant)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(fits: &[usize], wanted: usize) -> Option<Vec<usize>> {
        let fits: NodesGrant = fits.iter().map(|node| (*node, Amount::default())).collect();
        Some(shortest_row(&fits, wanted)?.into_iter().map(|(node, _)| node).collect())
    }

    #[test]
    fn a_job_takes_the_first_nodes_of_the_shortest_row_that_is_long_enough() {
        let free = [0, 1, 2, 3, 5, 7, 8];
        assert_eq!(chosen(&free, 1), Some(vec![5]));
        assert_eq!(chosen(&free, 2), Some(vec![7, 8]));
        assert_eq!(chosen(&free, 3), Some(vec![0, 1, 2]));
    }

    #[test]
    fn when_no_row_is_long_enough_the_longest_is_taken_and_then_the_rest() {
        let free = [0, 1, 2, 3, 5, 7, 8];
        assert_eq!(chosen(&free, 5), Some(vec![0, 1, 2, 3, 5]));
        assert_eq!(chosen(&free, 6), Some(vec![0, 1, 2, 3, 7, 8]));
        assert_eq!(chosen(&free, 8), None);
    }
}
