//! Outcomes that belong to nobody: permuted, so that only chance is left.

use std::collections::BTreeMap;

use crate::math::Stream;

/// The same classes in another order. Shapes: one class, group and stratum per row.
///
/// A group keeps its rows together: the classes of one group go to a group with as many rows, in
/// their order. With strata, only to one in the same stratum; a group's stratum is that of its
/// first row.
///
/// Source: good2005, section 3.
pub fn permuted(
    outcome: &[bool],
    groups: &[u32],
    strata: Option<&[u32]>,
    stream: &mut Stream,
) -> Vec<bool> {
    let mut rows_of: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (row, group) in groups.iter().enumerate() {
        rows_of.entry(*group).or_default().push(row);
    }
    // Groups that may change places, in order of their first rows.
    let mut classes: BTreeMap<(u32, usize), Vec<Vec<usize>>> = BTreeMap::new();
    for rows in rows_of.into_values() {
        let stratum = strata.map_or(0, |strata| strata[rows[0]]);
        classes.entry((stratum, rows.len())).or_default().push(rows);
    }
    let mut permuted = outcome.to_vec();
    for mut exchangeable in classes.into_values() {
        exchangeable.sort_by_key(|rows| rows[0]);
        let mut from: Vec<usize> = (0..exchangeable.len()).collect();
        stream.shuffle(&mut from);
        for (rows, from) in exchangeable.iter().zip(from) {
            for (row, other) in rows.iter().zip(&exchangeable[from]) {
                permuted[*row] = outcome[*other];
            }
        }
    }
    permuted
}

/// p = (b + 1)/(m + 1): b of m permutations came out at least as well as what was observed.
///
/// Source: phipson2010.
pub fn permutation_p(as_extreme: usize, permutations: usize) -> f64 {
    (as_extreme as f64 + 1.0) / (permutations as f64 + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_kept_in_every_stratum_and_group() {
        let outcome = [true, true, false, false, true, false, true, false];
        let groups = [0, 0, 1, 1, 2, 3, 4, 5];
        let strata = [0, 0, 0, 0, 1, 1, 2, 2];
        let mut moved = 0;
        for seed in 0..50 {
            let mut stream = Stream::new(seed, &["permutation test"]);
            let other = permuted(&outcome, &groups, Some(&strata), &mut stream);
            assert_eq!(other[0], other[1], "a group moves whole");
            for pair in [0..4, 4..6, 6..8] {
                let count =
                    |classes: &[bool]| classes.iter().filter(|class| **class).count();
                assert_eq!(count(&other[pair.clone()]), count(&outcome[pair]));
            }
            moved += usize::from(other != outcome);
        }
        assert!(moved > 30);
    }

    #[test]
    fn p_is_never_zero() {
        assert_eq!(permutation_p(0, 999), 0.001);
        assert_eq!(permutation_p(999, 999), 1.0);
    }
}
