//! How closely a categorical column goes with another, or with the outcome.

use std::collections::BTreeMap;

use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::delong::wins;
use crate::math::sqrt;

/// Cramér's V of a table of counts, and the p of Pearson's chi-square test.
///
/// No continuity correction and none for small samples: V is above 0 by chance, the more so the
/// more cells there are, and p is approximate where expected counts are below about 5. Rows and
/// columns without a count are passed over. `None` when fewer than 2 of either are left, or when
/// rows differ in length.
///
/// Shape: counts by row and column. Source: pearson1900; cramer1946.
pub fn cramers_v(counts: &[Vec<usize>]) -> Option<(f64, f64)> {
    let width = counts.first()?.len();
    if counts.iter().any(|row| row.len() != width) {
        return None;
    }
    let rows: Vec<f64> =
        counts.iter().map(|row| row.iter().sum::<usize>() as f64).collect();
    let column = |at: usize| counts.iter().map(|row| row[at]).sum::<usize>() as f64;
    let columns: Vec<f64> = (0..width).map(column).collect();
    let filled = |totals: &[f64]| totals.iter().filter(|total| **total > 0.0).count();
    let (r, c) = (filled(&rows), filled(&columns));
    if r < 2 || c < 2 {
        return None;
    }
    let n: f64 = rows.iter().sum();
    let mut chi_squared = 0.0;
    for (row, row_total) in counts.iter().zip(&rows) {
        for (count, column_total) in row.iter().zip(&columns) {
            let expected = row_total * column_total / n;
            if expected > 0.0 {
                let apart = *count as f64 - expected;
                chi_squared += apart * apart / expected;
            }
        }
    }
    let df = ((r - 1) * (c - 1)) as f64;
    let v = sqrt(chi_squared / (n * (r.min(c) - 1) as f64)).min(1.0);
    Some((v, ChiSquared::new(df).ok()?.sf(chi_squared)))
}

/// The area under the ROC curve of the share of positives in each row's own level.
///
/// How well a categorical column alone, such as the site, orders the outcome. Apparent: the shares
/// are of the same rows, so that it is never below one half, and near 1 by chance where levels
/// hold few rows. `None` when there is one class only or the lengths differ.
///
/// Shape: one truth and one level per row. Source: hanley1982.
pub fn auroc_by_level(truth: &[bool], levels: &[u32]) -> Option<f64> {
    if truth.len() != levels.len() {
        return None;
    }
    let mut counts: BTreeMap<u32, (usize, usize)> = BTreeMap::new();
    for (positive, level) in truth.iter().zip(levels) {
        let (positives, all) = counts.entry(*level).or_default();
        *positives += usize::from(*positive);
        *all += 1;
    }
    let share = |level: &u32| {
        counts.get(level).map_or(0.0, |(positives, all)| *positives as f64 / *all as f64)
    };
    let scores: Vec<f64> = levels.iter().map(share).collect();
    let positive = truth.iter().filter(|positive| **positive).count();
    let pairs = positive * (truth.len() - positive);
    if pairs == 0 {
        return None;
    }
    let wins = wins(truth, &scores)?;
    let won: f64 = truth.iter().zip(&wins).filter(|row| *row.0).map(|row| row.1).sum();
    Some(won / pairs as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tables_by_hand() {
        // Every expected count is 5: χ² = 4·9/5 = 7.2 and V = √(7.2/20).
        let (v, p) = cramers_v(&[vec![8, 2], vec![2, 8]]).unwrap();
        assert!((v - 0.6).abs() < 1e-15, "{v}");
        // scipy 1.17: chi2.sf(7.2, 1).
        assert!((p - 0.007_290_358_091_536).abs() < 1e-12, "{p}");
        assert_eq!(cramers_v(&[vec![3, 6], vec![2, 4]]), Some((0.0, 1.0)));
        let (v, _) = cramers_v(&[vec![5, 0, 0], vec![0, 4, 3]]).unwrap();
        assert!((v - 1.0).abs() < 1e-15, "{v}");
    }

    #[test]
    fn empty_rows_and_columns_change_nothing() {
        let full = cramers_v(&[vec![8, 2], vec![2, 8]]);
        assert_eq!(cramers_v(&[vec![8, 0, 2], vec![0, 0, 0], vec![2, 0, 8]]), full);
        assert_eq!(cramers_v(&[]), None);
        assert_eq!(cramers_v(&[vec![8, 2], vec![0, 0]]), None);
        assert_eq!(cramers_v(&[vec![8, 2], vec![2]]), None);
    }

    #[test]
    fn shares_of_levels_order_the_outcome() {
        let truth = [true, true, false, true, false, false];
        // Shares 2/3 and 1/3: 4 of 9 pairs won, 4 tied, 1 lost.
        assert_eq!(auroc_by_level(&truth, &[9, 9, 9, 2, 2, 2]), Some(6.0 / 9.0));
        assert_eq!(auroc_by_level(&truth, &[1; 6]), Some(0.5));
        assert_eq!(auroc_by_level(&truth, &[0, 1, 2, 3, 4, 5]), Some(1.0));
        assert_eq!(auroc_by_level(&[true, true], &[0, 1]), None);
        assert_eq!(auroc_by_level(&truth, &[0, 1]), None);
    }

    proptest! {
        #[test]
        fn it_is_never_below_one_half(rows in prop::collection::vec((any::<bool>(), 0u32..6), 0..40)) {
            let truth: Vec<bool> = rows.iter().map(|row| row.0).collect();
            let levels: Vec<u32> = rows.iter().map(|row| row.1).collect();
            if let Some(area) = auroc_by_level(&truth, &levels) {
                prop_assert!((0.5..=1.0).contains(&area), "{}", area);
            }
        }
    }
}
