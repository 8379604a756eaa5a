//! DeLong's variance of the area under the ROC curve, its intervals and the paired test.

use statrs::distribution::{Beta, ContinuousCDF, Normal};

use crate::math::{erfc, ln, ln_1p, pow, sigmoid, sqrt, variance};

/// An area under the ROC curve with the variance that the placement values give it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Delong {
    pub auroc: f64,
    /// Zero where every score is equal and where the classes are wholly apart: no certainty, but
    /// no information either.
    pub variance: f64,
    pub n_positive: usize,
    pub n_negative: usize,
}

/// Two scores of the same rows compared by their areas.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Paired {
    /// The area of the first minus that of the second.
    pub difference: f64,
    pub variance: f64,
    pub z: f64,
    /// Two-sided, by the normal distribution.
    pub p: f64,
}

/// The area under the ROC curve and its variance, in O(n log n).
///
/// The variance is S²₁₀/m + S²₀₁/n over the placement values of the m positives and n negatives.
/// `None` when a class has fewer than 2 rows, when the lengths differ or a score is not a number.
///
/// Shape: one truth and one score per row; rows are independent. Source: delong1988; placement
/// values from ranks: sun2014.
pub fn delong(truth: &[bool], scores: &[f64]) -> Option<Delong> {
    let wins = wins(truth, scores)?;
    let (positive, negative) = by_class(truth, &wins);
    let (m, n) = (positive.len() as f64, negative.len() as f64);
    let variance = summed_variance(&positive, &negative)?;
    Some(Delong {
        auroc: positive.iter().sum::<f64>() / (m * n),
        variance,
        n_positive: positive.len(),
        n_negative: negative.len(),
    })
}

/// The interval of an area, symmetric on the logit scale: it stays inside 0 and 1.
///
/// The standard error on that scale is √variance/(a(1 − a)). `None` where `auroc` is not strictly
/// between 0 and 1 ([`exact_bound`] serves there) and where `variance` is not above 0, as it is
/// for a constant score.
///
/// Source: delong1988.
pub fn logit_interval(auroc: f64, variance: f64, level: f64) -> Option<(f64, f64)> {
    let (centre, variance) = logit(auroc, variance)?;
    if !(level > 0.0 && level < 1.0) {
        return None;
    }
    let z = Normal::standard().inverse_cdf(0.5 + level / 2.0);
    let half = z * sqrt(variance);
    Some((sigmoid(centre - half), sigmoid(centre + half)))
}

/// A one-sided bound for classes that the score sets wholly apart; not an interval.
///
/// For an area of 1 it is (L, 1), where L^min(m, n) = 1 − level; for an area of 0 it is (0, 1 − L).
/// min(m, n) pairs without a common row are independent, and all of them must be won, which has
/// probability of at most A^min(m, n): so the bound holds at every true area A, and is wide. The
/// analogue of the rule of three. `None` for any other area, and for a class without rows.
///
/// Source: hanley1983.
pub fn exact_bound(
    auroc: f64,
    n_positive: usize,
    n_negative: usize,
    level: f64,
) -> Option<(f64, f64)> {
    let pairs = n_positive.min(n_negative);
    if pairs == 0 || !(level > 0.0 && level < 1.0) {
        return None;
    }
    let bound = pow(1.0 - level, 1.0 / pairs as f64);
    match auroc {
        1.0 => Some((bound, 1.0)),
        0.0 => Some((0.0, 1.0 - bound)),
        _ => None,
    }
}

/// A wide interval for an area of few rows: that of a proportion of min(m, n) disjoint pairs.
///
/// Among m positives and n negatives min(m, n) pairs share no row, so the area is at least as
/// certain as that proportion. `None` where a class is empty.
///
/// Source: clopper1934.
pub fn few_interval(
    auroc: f64,
    n_positive: usize,
    n_negative: usize,
    level: f64,
) -> Option<(f64, f64)> {
    let pairs = n_positive.min(n_negative) as f64;
    if pairs == 0.0 || !(level > 0.0 && level < 1.0) || !(0.0..=1.0).contains(&auroc) {
        return None;
    }
    let (won, tail) = (auroc * pairs, (1.0 - level) / 2.0);
    let quantile = |a: f64, b: f64, p: f64| Some(Beta::new(a, b).ok()?.inverse_cdf(p));
    let lower = match won > 0.0 {
        true => quantile(won, pairs - won + 1.0, tail)?,
        false => 0.0,
    };
    let upper = match won < pairs {
        true => quantile(won + 1.0, pairs - won, 1.0 - tail)?,
        false => 1.0,
    };
    Some((lower, upper))
}

/// DeLong's test of two scores of the same rows.
///
/// The variance is that of the differences of placement values, which holds the covariance. Scores
/// that order the rows alike have difference 0, z 0 and p 1. `None` where [`delong`] has none, and
/// for a difference without variance, as that of a score wholly apart and a constant one.
///
/// Shape: one truth and one score of either kind per row. Source: delong1988.
pub fn paired_delong(truth: &[bool], a: &[f64], b: &[f64]) -> Option<Paired> {
    let (wins_a, wins_b) = (wins(truth, a)?, wins(truth, b)?);
    // Halves of whole numbers: these differences are exact, and equal orders give exactly zero.
    let apart: Vec<f64> = wins_a.iter().zip(&wins_b).map(|(a, b)| a - b).collect();
    let (positive, negative) = by_class(truth, &apart);
    let (m, n) = (positive.len() as f64, negative.len() as f64);
    let variance = summed_variance(&positive, &negative)?;
    let difference = positive.iter().sum::<f64>() / (m * n);
    if difference == 0.0 {
        return Some(Paired { difference, variance, z: 0.0, p: 1.0 });
    }
    if variance <= 0.0 {
        return None;
    }
    let z = difference / sqrt(variance);
    // `statrs` has this tail to 10 digits only.
    let p = erfc(z.abs() / std::f64::consts::SQRT_2);
    Some(Paired { difference, variance, z, p })
}

/// An area and its variance on the logit scale; `None` at 0 and 1 and without variance.
pub(super) fn logit(auroc: f64, variance: f64) -> Option<(f64, f64)> {
    if !(auroc > 0.0 && auroc < 1.0 && variance > 0.0 && variance.is_finite()) {
        return None;
    }
    let slope = auroc * (1.0 - auroc);
    Some((ln(auroc) - ln_1p(-auroc), variance / (slope * slope)))
}

/// For each positive the number of negatives below it, for each negative the number of positives
/// above it; equal scores count one half.
///
/// These are the placement values times the size of the other class, found from the rank among all
/// rows less the rank in the row's own class. `None` when the lengths differ or a score is not a
/// number.
pub(super) fn wins(truth: &[bool], scores: &[f64]) -> Option<Vec<f64>> {
    if truth.len() != scores.len() || scores.iter().any(|score| score.is_nan()) {
        return None;
    }
    let mut order: Vec<usize> = (0..truth.len()).collect();
    order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    let mut above = truth.iter().filter(|positive| **positive).count() as f64;
    let mut below = 0.0;
    let mut wins = vec![0.0; truth.len()];
    for tied in order.chunk_by(|&a, &b| scores[a] == scores[b]) {
        let positive = tied.iter().filter(|&&row| truth[row]).count() as f64;
        let negative = tied.len() as f64 - positive;
        above -= positive;
        for &row in tied {
            wins[row] =
                if truth[row] { below + negative / 2.0 } else { above + positive / 2.0 };
        }
        below += negative;
    }
    Some(wins)
}

/// The values of the positives and those of the negatives, in row order.
pub(super) fn by_class(truth: &[bool], values: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let of = |class: bool| {
        let rows = truth.iter().zip(values).filter(|(truth, _)| **truth == class);
        rows.map(|(_, value)| *value).collect()
    };
    (of(true), of(false))
}

/// S²₁₀/m + S²₀₁/n, where the values are placements times the size of the other class.
pub(super) fn summed_variance(positive: &[f64], negative: &[f64]) -> Option<f64> {
    let (m, n) = (positive.len() as f64, negative.len() as f64);
    Some(variance(positive)? / (n * n) / m + variance(negative)? / (m * m) / n)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn few_rows_give_the_interval_of_a_proportion() {
        // scipy 1.17: binomtest(4, 5).proportion_ci(method="exact").
        let (lower, upper) = few_interval(0.8, 5, 90, 0.95).unwrap();
        assert!((lower - 0.283_582_06).abs() < 1e-6, "{lower}");
        assert!((upper - 0.994_949_24).abs() < 1e-6, "{upper}");
        assert_eq!(few_interval(1.0, 3, 4, 0.95).unwrap().1, 1.0);
        assert_eq!(few_interval(0.5, 0, 4, 0.95), None);
    }

    const TRUTH: [bool; 6] = [true, false, true, false, true, false];

    #[test]
    fn a_small_case_by_hand() {
        // Placements of the positives 1, 2/3, 1/2; of the negatives 5/6, 1/3, 1.
        let found = delong(&TRUTH, &[0.9, 0.3, 0.5, 0.6, 0.3, 0.1]).unwrap();
        assert_eq!((found.n_positive, found.n_negative), (3, 3));
        assert!((found.auroc - 13.0 / 18.0).abs() < 1e-15, "{found:?}");
        // S²₁₀ = 7/108 and S²₀₁ = 13/108.
        assert!((found.variance - 20.0 / 324.0).abs() < 1e-15, "{found:?}");
    }

    #[test]
    fn too_few_rows_and_scores_that_are_no_numbers_have_none() {
        assert_eq!(delong(&[], &[]), None);
        assert_eq!(delong(&[true, true, false], &[0.3, 0.2, 0.1]), None);
        assert_eq!(delong(&[true, true], &[0.3, 0.2]), None);
        assert_eq!(delong(&TRUTH, &[0.3, 0.2]), None);
        assert_eq!(delong(&TRUTH, &[f64::NAN, 0.3, 0.5, 0.6, 0.3, 0.1]), None);
    }

    #[test]
    fn the_ends_and_a_constant_score_have_no_interval() {
        let apart = delong(&TRUTH, &[0.9, 0.1, 0.8, 0.2, 0.7, 0.3]).unwrap();
        assert_eq!((apart.auroc, apart.variance), (1.0, 0.0));
        let constant = delong(&TRUTH, &[0.5; 6]).unwrap();
        assert_eq!((constant.auroc, constant.variance), (0.5, 0.0));
        assert_eq!(logit_interval(apart.auroc, apart.variance, 0.95), None);
        assert_eq!(logit_interval(constant.auroc, constant.variance, 0.95), None);
        assert_eq!(logit_interval(0.0, 0.01, 0.95), None);
        assert_eq!(logit_interval(1.0, 0.01, 0.95), None);
        assert_eq!(logit_interval(0.7, 0.01, 1.0), None);
        let (lower, upper) = logit_interval(0.5, 0.01, 0.95).unwrap();
        assert!((lower + upper - 1.0).abs() < 1e-15);
        assert!((lower - sigmoid(-0.4 * 1.959_963_984_540_054)).abs() < 1e-14);
    }

    #[test]
    fn the_bound_of_classes_wholly_apart_is_the_root_of_what_is_left() {
        let (lower, upper) = exact_bound(1.0, 30, 100, 0.95).unwrap();
        assert!((pow(lower, 30.0) - 0.05).abs() < 1e-14);
        // The rule of three: nearly 1 − 3/30.
        assert!((lower - 0.904_966).abs() < 1e-6, "{lower}");
        assert_eq!(upper, 1.0);
        assert_eq!(exact_bound(0.0, 100, 30, 0.95), Some((0.0, 1.0 - lower)));
        assert_eq!(exact_bound(0.9, 30, 30, 0.95), None);
        assert_eq!(exact_bound(1.0, 0, 30, 0.95), None);
    }

    #[test]
    fn equal_orders_do_not_differ_and_a_difference_without_variance_has_no_test() {
        let a = [0.9, 0.3, 0.5, 0.6, 0.3, 0.1];
        let doubled = a.map(|score| 2.0 * score);
        let same = Paired { difference: 0.0, variance: 0.0, z: 0.0, p: 1.0 };
        assert_eq!(paired_delong(&TRUTH, &a, &doubled), Some(same));
        let apart = [0.9, 0.1, 0.8, 0.2, 0.7, 0.3];
        assert_eq!(paired_delong(&TRUTH, &apart, &[0.5; 6]), None);
    }

    proptest! {
        #[test]
        fn placements_count_pairs(rows in prop::collection::vec((any::<bool>(), 0u8..5), 0..40)) {
            let truth: Vec<bool> = rows.iter().map(|row| row.0).collect();
            let scores: Vec<f64> = rows.iter().map(|row| f64::from(row.1)).collect();
            let found = wins(&truth, &scores).unwrap();
            for i in 0..rows.len() {
                let mut won = 0.0;
                for j in (0..rows.len()).filter(|j| truth[*j] != truth[i]) {
                    let (high, low) = if truth[i] { (i, j) } else { (j, i) };
                    won += f64::from(u8::from(scores[high] > scores[low]));
                    won += 0.5 * f64::from(u8::from(scores[high] == scores[low]));
                }
                prop_assert_eq!(found[i], won);
            }
        }

        #[test]
        fn the_paired_variance_is_that_of_the_difference(
            rows in prop::collection::vec((any::<bool>(), 0u8..9, 0u8..9), 4..40)
        ) {
            let truth: Vec<bool> = rows.iter().map(|row| row.0).collect();
            let a: Vec<f64> = rows.iter().map(|row| f64::from(row.1)).collect();
            let b: Vec<f64> = rows.iter().map(|row| f64::from(row.2)).collect();
            if let (Some(one), Some(two), Some(both)) =
                (delong(&truth, &a), delong(&truth, &b), paired_delong(&truth, &a, &b))
            {
                prop_assert!((both.difference - (one.auroc - two.auroc)).abs() < 1e-12);
                let most = sqrt(one.variance) + sqrt(two.variance);
                prop_assert!(both.variance <= most * most + 1e-12);
                let back = paired_delong(&truth, &b, &a).unwrap();
                prop_assert_eq!((back.z, back.p), (-both.z, both.p));
            }
        }
    }
}
