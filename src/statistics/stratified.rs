//! Discrimination inside strata: pairs of a positive and a negative of the same stratum.

use std::collections::BTreeMap;

use super::delong::{by_class, summed_variance, wins};

/// The conditional area under the ROC curve: the share of pairs inside a stratum that are won.
///
/// Pairs are pooled over strata, so that a stratum counts by its number of pairs; equal scores
/// count one half. What tells strata apart, but not rows inside them, earns nothing. `None` when
/// no stratum has both classes, when the lengths differ or a score is not a number.
///
/// Shape: one truth, score and stratum per row. Source: hanley1982, within strata.
pub fn within(truth: &[bool], scores: &[f64], strata: &[u32]) -> Option<f64> {
    Some(pooled(&comparable(truth, scores, strata)?))
}

/// The variance of [`within`]: that of DeLong in each stratum, over the squared pooled pair count.
///
/// Strata are independent and their class sizes fixed. Where a stratum has a single row of a
/// class, the spread of that class is unknown: the variance of its share of won pairs is then set
/// to the largest possible, A(1 − A) with the pooled A, which is too wide for designs that consist
/// of such strata. `None` where [`within`] has none.
///
/// Shape: one truth, score and stratum per row; rows are independent. Source: delong1988.
pub fn within_variance(truth: &[bool], scores: &[f64], strata: &[u32]) -> Option<f64> {
    let strata = comparable(truth, scores, strata)?;
    let all: f64 = strata.iter().map(Stratum::pairs).sum();
    let area = pooled(&strata);
    let of = |stratum: &Stratum| {
        let own = summed_variance(&stratum.positive, &stratum.negative);
        let share = stratum.pairs() / all;
        share * share * own.unwrap_or(area * (1.0 - area))
    };
    Some(strata.iter().map(of).sum())
}

/// The won pairs of each row of a stratum that has both classes.
struct Stratum {
    positive: Vec<f64>,
    negative: Vec<f64>,
}

impl Stratum {
    fn pairs(&self) -> f64 {
        (self.positive.len() * self.negative.len()) as f64
    }
}

/// Strata with both classes in the order of their numbers; `None` when there is none.
fn comparable(truth: &[bool], scores: &[f64], strata: &[u32]) -> Option<Vec<Stratum>> {
    if truth.len() != strata.len() || truth.len() != scores.len() {
        return None;
    }
    let mut rows: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (row, stratum) in strata.iter().enumerate() {
        rows.entry(*stratum).or_default().push(row);
    }
    let mut found = Vec::new();
    for rows in rows.values() {
        let truth: Vec<bool> = rows.iter().map(|&row| truth[row]).collect();
        let scores: Vec<f64> = rows.iter().map(|&row| scores[row]).collect();
        let (positive, negative) = by_class(&truth, &wins(&truth, &scores)?);
        if !positive.is_empty() && !negative.is_empty() {
            found.push(Stratum { positive, negative });
        }
    }
    (!found.is_empty()).then_some(found)
}

/// Won pairs over all pairs.
fn pooled(strata: &[Stratum]) -> f64 {
    let won: f64 = strata.iter().flat_map(|stratum| &stratum.positive).sum();
    won / strata.iter().map(Stratum::pairs).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::delong::delong;
    use super::*;

    #[test]
    fn a_small_case_by_hand() {
        let truth = [true, false, true, false, false, true];
        let strata = [0, 0, 7, 7, 7, 3];
        // Stratum 0 wins its pair; stratum 7 ties one and loses one; stratum 3 has no pair.
        let scores = [0.9, 0.8, 0.3, 0.3, 0.4, 0.1];
        assert_eq!(within(&truth, &scores, &strata), Some(0.5));
        // Each has a single positive: (1/3)²·¼ + (2/3)²·¼.
        let found = within_variance(&truth, &scores, &strata).unwrap();
        assert!((found - 5.0 / 36.0).abs() < 1e-15, "{found}");
    }

    #[test]
    fn a_score_that_only_tells_strata_apart_earns_one_half() {
        let truth = [true, true, true, false, true, false, false, false];
        let strata = [1, 1, 1, 1, 2, 2, 2, 2];
        let scores = strata.map(|stratum| -f64::from(stratum));
        assert_eq!(within(&truth, &scores, &strata), Some(0.5));
        assert_eq!(delong(&truth, &scores).unwrap().auroc, 0.75);
    }

    #[test]
    fn nothing_to_compare_has_no_area() {
        assert_eq!(within(&[true, false], &[0.1, 0.2], &[1, 2]), None);
        assert_eq!(within_variance(&[true, false], &[0.1, 0.2], &[1, 2]), None);
        assert_eq!(within(&[], &[], &[]), None);
        assert_eq!(within(&[true, false], &[0.1, 0.2], &[1]), None);
        assert_eq!(within(&[true, false], &[0.1, f64::NAN], &[1, 1]), None);
    }

    #[test]
    fn the_variance_is_that_of_a_bootstrap() {
        let strata: Vec<u32> = (0..240).map(|row| row % 3).collect();
        let truth: Vec<bool> =
            (0..240u32).map(|row| row * 7 % 11 < 4 + row % 3).collect();
        let score = |row: usize| {
            let noise = (row as f64 * 0.618_033_988_749_894_9) % 1.0;
            let sum = noise + 0.25 * f64::from(u8::from(truth[row]));
            ((sum + 0.3 * f64::from(strata[row])) * 20.0).round_ties_even() / 20.0
        };
        let scores: Vec<f64> = (0..240).map(score).collect();
        // numpy 2.4.6, by the matrix of pairs.
        let area = within(&truth, &scores, &strata).unwrap();
        assert!((area - 0.725_102_613_955_498).abs() < 1e-12, "{area}");
        let variance = within_variance(&truth, &scores, &strata).unwrap();
        assert!((variance - 0.001_082_548_621_016_918).abs() < 1e-12, "{variance}");
        // 20 000 bootstrap samples in numpy, of rows inside stratum and class: 0.0010765; of rows
        // inside strata: 0.0010746. The Monte-Carlo error of either is 1 %.
        assert!((variance / 0.001_076_5 - 1.0).abs() < 0.02, "{variance}");
    }

    proptest! {
        #[test]
        fn one_stratum_is_delong(rows in prop::collection::vec((any::<bool>(), 0u8..9), 0..40)) {
            let truth: Vec<bool> = rows.iter().map(|row| row.0).collect();
            let scores: Vec<f64> = rows.iter().map(|row| f64::from(row.1)).collect();
            let strata = vec![4; rows.len()];
            if let Some(expected) = delong(&truth, &scores) {
                let area = within(&truth, &scores, &strata).unwrap();
                let variance = within_variance(&truth, &scores, &strata).unwrap();
                prop_assert!((area - expected.auroc).abs() < 1e-12);
                prop_assert!((variance - expected.variance).abs() < 1e-12);
            }
        }
    }
}
