//! Columns that say much the same.

use crate::math::{dot, mid_ranks, unit};

/// Fewer rows with both values say nothing of how two columns go together.
const LEAST_ROWS: usize = 10;

/// Columns of which any two go together, and the smallest |ρ| between two of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Cluster {
    /// Positions, ascending.
    pub columns: Vec<usize>,
    pub least: f64,
}

/// Clusters of two columns and more by Spearman's |ρ|, so that any two of a cluster reach `at_least`:
/// complete linkage, cut there. The pair of clusters that are most alike is joined first, of equals the
/// first in order. NaN is missing: ρ is that of the rows with both values.
///
/// Averages of pairs would chain columns together that say different things; here a cluster is what can
/// stand for one column.
///
/// Shape: columns × rows. Cost: squares of the number of columns times rows, and its cube.
///
/// Source: tolosi2011 (columns of one cluster take each other's place in a selection).
pub fn clusters(columns: &[Vec<f64>], at_least: f64) -> Vec<Cluster> {
    let n = columns.len();
    let mut alike = similarities(columns);
    let mut members: Vec<Vec<usize>> = (0..n).map(|column| vec![column]).collect();
    loop {
        let mut best: Option<(usize, usize, f64)> = None;
        for first in (0..n).filter(|at| !members[*at].is_empty()) {
            for second in (first + 1..n).filter(|at| !members[*at].is_empty()) {
                let r = alike[first * n + second];
                if r >= at_least && best.is_none_or(|(_, _, known)| r > known) {
                    best = Some((first, second, r));
                }
            }
        }
        let Some((first, second, _)) = best else { break };
        let joined = std::mem::take(&mut members[second]);
        members[first].extend(joined);
        for other in 0..n {
            let least = alike[first * n + other].min(alike[second * n + other]);
            alike[first * n + other] = least;
            alike[other * n + first] = least;
        }
    }
    let of_several = members.into_iter().enumerate().filter(|(_, of)| of.len() > 1);
    let all = of_several.map(|(at, mut columns)| {
        columns.sort_unstable();
        // What is joined keeps the smallest |ρ| with itself on the diagonal.
        Cluster { columns, least: alike[at * n + at] }
    });
    all.collect()
}

/// |ρ| of every two columns, row by row; of a column with itself 1.
fn similarities(columns: &[Vec<f64>]) -> Vec<f64> {
    let n = columns.len();
    let whole: Vec<Option<Vec<f64>>> = columns
        .iter()
        .map(|values| match values.iter().any(|value| value.is_nan()) {
            true => None,
            false => unit(&mid_ranks(values)),
        })
        .collect();
    let mut alike = vec![1.0; n * n];
    for first in 0..n {
        for second in first + 1..n {
            let r = match (&whole[first], &whole[second]) {
                (Some(a), Some(b)) if a.len() >= LEAST_ROWS => dot(a, b),
                (Some(_), Some(_)) => 0.0,
                _ => of_both(&columns[first], &columns[second]),
            };
            let r = r.abs().min(1.0);
            alike[first * n + second] = r;
            alike[second * n + first] = r;
        }
    }
    alike
}

/// Spearman's ρ on the rows where both have a value.
fn of_both(a: &[f64], b: &[f64]) -> f64 {
    let both = a.iter().zip(b).filter(|(a, b)| !a.is_nan() && !b.is_nan());
    let (a, b): (Vec<f64>, Vec<f64>) = both.unzip();
    if a.len() < LEAST_ROWS {
        return 0.0;
    }
    let units = unit(&mid_ranks(&a)).zip(unit(&mid_ranks(&b)));
    units.map_or(0.0, |(a, b)| dot(&a, &b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::{Stream, exp};

    #[test]
    fn any_two_of_a_cluster_are_alike() {
        let mut stream = Stream::new(3, &["clusters"]);
        let n = 200;
        let base: Vec<f64> = (0..n).map(|_| stream.normal()).collect();
        let other: Vec<f64> = (0..n).map(|_| stream.normal()).collect();
        let mut noisy = |of: &[f64], by: f64| -> Vec<f64> {
            of.iter().map(|value| value + by * stream.normal()).collect()
        };
        // A monotone copy, a reversed copy and a near copy are alike; half of each of two is neither.
        let copy: Vec<f64> = base.iter().map(|value| exp(*value)).collect();
        let reversed: Vec<f64> = base.iter().map(|value| -value).collect();
        let near = noisy(&base, 0.2);
        let between: Vec<f64> = base.iter().zip(&other).map(|(a, b)| a + b).collect();
        let columns = [base, other, copy, reversed, near, between];
        let found = clusters(&columns, 0.8);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].columns, [0, 2, 3, 4]);
        assert!(found[0].least > 0.9 && found[0].least < 1.0, "{}", found[0].least);
        assert!(clusters(&columns[..2], 0.8).is_empty() && clusters(&[], 0.8).is_empty());
    }

    #[test]
    fn a_chain_is_no_cluster() {
        // Neighbours go together at 0.8 and more, the ends do not: by single linkage they were one.
        let n = 400;
        let mut stream = Stream::new(4, &["chain"]);
        let drawn: Vec<Vec<f64>> =
            (0..12).map(|_| (0..n).map(|_| stream.normal()).collect()).collect();
        let window = |from: usize| -> Vec<f64> {
            (0..n).map(|row| (from..from + 6).map(|at| drawn[at][row]).sum()).collect()
        };
        let columns: Vec<Vec<f64>> = (0..6).map(window).collect();
        let found = clusters(&columns, 0.75);
        assert!(found.len() > 1 && found.iter().all(|of| of.columns.len() < 6));
        for cluster in &found {
            assert!(cluster.least >= 0.75);
        }
    }

    #[test]
    fn rows_with_both_values_count() {
        let whole: Vec<f64> = (0..40).map(f64::from).collect();
        let mut gaps = whole.clone();
        gaps.iter_mut().step_by(3).for_each(|value| *value = f64::NAN);
        let found = clusters(&[whole.clone(), gaps], 0.8);
        assert_eq!(found.len(), 1);
        assert!((found[0].least - 1.0).abs() < 1e-12);
        let mut few = vec![f64::NAN; 40];
        few[..9].copy_from_slice(&whole[..9]);
        assert!(clusters(&[whole, few], 0.8).is_empty(), "nine rows say nothing");
    }
}
