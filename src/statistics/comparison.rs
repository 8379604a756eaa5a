//! Comparisons of two procedures on the same splits, and of many at once.

use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::math::{mean, sqrt, variance};

/// The corrected resampled t-test of fold differences: t, two-sided p and the 95 % interval.
///
/// The variance is (1/J + n_test/n_train)·S², Student's distribution has J − 1 degrees of freedom;
/// the interval is of the mean difference and is not cut. Approximate. Folds without any
/// difference have t 0 and p 1. `None` below 2 folds, and where all folds differ by one same
/// amount, which has no t.
///
/// Shape: one difference per fold, both procedures on identical splits. Source: nadeau2003,
/// section 3.
pub fn corrected_t(
    differences: &[f64],
    n_train: f64,
    n_test: f64,
) -> Option<(f64, f64, f64, f64)> {
    let j = differences.len() as f64;
    let (mean, spread) = (mean(differences)?, variance(differences)?);
    if differences.iter().all(|difference| *difference == 0.0) {
        return Some((0.0, 1.0, 0.0, 0.0));
    }
    // Asked of the values: the sum of squares of equal values need not be zero.
    if differences.iter().all(|difference| *difference == differences[0]) {
        return None;
    }
    let error = sqrt((1.0 / j + n_test / n_train) * spread);
    if !(error > 0.0 && error.is_finite()) {
        return None;
    }
    let student = StudentsT::new(0.0, 1.0, j - 1.0).ok()?;
    let t = mean / error;
    let half = student.inverse_cdf(0.975) * error;
    Some((t, 2.0 * student.sf(t.abs()), mean - half, mean + half))
}

/// Holm's adjusted p-values, in the order given.
///
/// They hold the chance of any false claim among all of them, whatever their dependence. A p that
/// is not a number counts as 1: a declared comparison stays in the count.
///
/// Shape: one p per comparison. Source: holm1979.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let p: Vec<f64> = p.iter().map(|p| if p.is_nan() { 1.0 } else { *p }).collect();
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut adjusted = vec![1.0; p.len()];
    let mut highest: f64 = 0.0;
    for (position, &at) in order.iter().enumerate() {
        let left = (p.len() - position) as f64;
        highest = highest.max(left * p[at]).min(1.0);
        adjusted[at] = highest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_corrected_t_by_hand() {
        let (t, p, lower, upper) =
            corrected_t(&[0.1, 0.0, 0.2, 0.05, 0.15], 80.0, 20.0).unwrap();
        // Mean 0.1, S² = 0.00625, factor 0.2 + 0.25, t(4; 0.975) = 2.776445.
        let error = sqrt(0.45 * 0.006_25);
        assert!((t - 0.1 / error).abs() < 1e-12, "{t}");
        // scipy 1.17: 2 * t.sf(0.1 / sqrt(0.45 * 0.00625), 4).
        assert!((p - 0.132_418_922_220_249).abs() < 1e-12, "{p}");
        assert!((lower - (0.1 - 2.776_445_105 * error)).abs() < 1e-9, "{lower}");
        assert!((upper - (0.1 + 2.776_445_105 * error)).abs() < 1e-9, "{upper}");
    }

    #[test]
    fn folds_without_spread_have_no_t() {
        assert_eq!(corrected_t(&[0.0; 5], 80.0, 20.0), Some((0.0, 1.0, 0.0, 0.0)));
        assert_eq!(corrected_t(&[0.1; 3], 80.0, 20.0), None);
        assert_eq!(corrected_t(&[0.1], 80.0, 20.0), None);
        assert_eq!(corrected_t(&[], 80.0, 20.0), None);
        assert_eq!(corrected_t(&[0.1, 0.2], 0.0, 20.0), None);
        assert_eq!(corrected_t(&[0.1, f64::NAN], 80.0, 20.0), None);
    }

    #[test]
    fn holm_steps_down() {
        assert_eq!(holm(&[]), Vec::<f64>::new());
        assert_eq!(holm(&[0.03]), [0.03]);
        // 0.0625·4, 0.125·3, then the highest so far, and never above 1.
        assert_eq!(holm(&[0.125, 0.0625, 0.75, 0.126]), [0.375, 0.25, 0.75, 0.375]);
        assert_eq!(holm(&[f64::NAN, 0.25, -f64::NAN]), [1.0, 0.75, 1.0]);
    }
}
