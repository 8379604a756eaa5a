//! Groups dealt into folds without chance: what is cross-validated inside one set of rows.

/// The fold of each row, of `folds`. Groups are dealt in turn in order of their number, those with a
/// positive row first: no chance is in it, and a group is never on both sides.
///
/// Shapes: group and class by row. `None` where there are fewer groups than folds.
pub fn dealt(groups: &[u32], positive: &[bool], folds: usize) -> Option<Vec<usize>> {
    let mut order: Vec<(bool, u32)> = classes(groups, positive)
        .into_iter()
        .map(|(group, positive)| (!positive, group))
        .collect();
    if folds == 0 || order.len() < folds {
        return None;
    }
    order.sort_unstable();
    let mut fold_of: Vec<(u32, usize)> =
        order.iter().enumerate().map(|(at, (_, group))| (*group, at % folds)).collect();
    fold_of.sort_unstable();
    let find = |group: &u32| {
        let at = fold_of.binary_search_by_key(group, |(group, _)| *group);
        fold_of[at.expect("every group was dealt")].1
    };
    Some(groups.iter().map(find).collect())
}

/// The most folds, up to `wanted`, of which each has a group with a positive row and one without,
/// once they are [`dealt`].
pub fn folds_of_both(groups: &[u32], positive: &[bool], wanted: usize) -> usize {
    let classes = classes(groups, positive);
    let n_positive = classes.iter().filter(|(_, positive)| *positive).count();
    wanted.min(n_positive).min(classes.len() - n_positive)
}

/// Each group once, in order of its number, with whether any of its rows is positive.
fn classes(groups: &[u32], positive: &[bool]) -> Vec<(u32, bool)> {
    let mut rows: Vec<(u32, bool)> =
        groups.iter().copied().zip(positive.iter().copied()).collect();
    rows.sort_unstable();
    let of_groups = rows.chunk_by(|a, b| a.0 == b.0);
    of_groups
        .map(|rows| (rows[0].0, rows.iter().any(|(_, positive)| *positive)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_stay_together_and_classes_are_spread() {
        let groups = [7, 7, 3, 3, 5, 5, 1, 1];
        let positive = [true, false, false, false, true, true, false, false];
        // Positive: 5, 7; then 1, 3.
        let folds = dealt(&groups, &positive, 2).unwrap();
        assert_eq!(folds, [1, 1, 1, 1, 0, 0, 0, 0]);
        assert_eq!(dealt(&groups, &positive, 5), None);
        assert_eq!(folds_of_both(&groups, &positive, 5), 2);
        assert_eq!(folds_of_both(&groups, &[true; 8], 5), 0);
    }
}
