//! Intervals around estimates.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use crate::math::{mean, sqrt, variance};

/// The interval of a mean over held-out folds of repeated cross-validation.
///
/// The variance is (1/J + n_test/n_train)·S², which allows for training sets that overlap; the
/// quantile is Student's with J − 1 degrees of freedom; the ends are cut at 0 and 1. Approximate.
///
/// Shape: one value per fold. Source: nadeau2003, section 3.
pub fn nadeau_bengio(
    folds: &[f64],
    n_train: f64,
    n_test: f64,
    level: f64,
) -> Option<(f64, f64)> {
    let j = folds.len() as f64;
    let t = StudentsT::new(0.0, 1.0, j - 1.0).ok()?;
    let corrected = (1.0 / j + n_test / n_train) * variance(folds)?;
    let half = t.inverse_cdf(0.5 + level / 2.0) * sqrt(corrected);
    let mean = mean(folds)?;
    Some(((mean - half).max(0.0), (mean + half).min(1.0)))
}

/// The score interval of a proportion.
///
/// `successes` may be an average over repeats and so not whole. `None` when `n` is 0.
///
/// Source: wilson1927.
pub fn wilson(successes: f64, n: f64, level: f64) -> Option<(f64, f64)> {
    if n <= 0.0 {
        return None;
    }
    let z = Normal::standard().inverse_cdf(0.5 + level / 2.0);
    let p = successes / n;
    let centre = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * sqrt(p * (1.0 - p) / n + z * z / (4.0 * n * n));
    Some(((centre - half).max(0.0), (centre + half).min(1.0)))
}

/// The difference of two independent proportions, first less second, with the hybrid score interval.
///
/// With p the proportions and l, u their Wilson limits the ends are d − √((p₁ − l₁)² + (u₂ − p₂)²) and
/// d + √((u₁ − p₁)² + (p₂ − l₂)²). Each group is the number of successes and of trials; `None` when one
/// is empty.
///
/// Source: newcombe1998, method 10.
pub fn newcombe(
    (first, n): (f64, f64),
    (second, m): (f64, f64),
    level: f64,
) -> Option<(f64, f64, f64)> {
    let ((l1, u1), (l2, u2)) = (wilson(first, n, level)?, wilson(second, m, level)?);
    let (p, q) = (first / n, second / m);
    let apart = |a: f64, b: f64| sqrt(a * a + b * b);
    let d = p - q;
    Some((d, d - apart(p - l1, u2 - q), d + apart(u1 - p, q - l2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newcombe_has_the_intervals_of_the_article() {
        // Newcombe 1998, Table II, method 10: 56/70 − 48/80 and 9/10 − 3/10, 10/10 − 0/20.
        let of = |a, b| newcombe(a, b, 0.95).unwrap();
        let within = |found: (f64, f64, f64), d: f64, lower: f64, upper: f64| {
            assert!((found.0 - d).abs() < 1e-9, "{found:?}");
            assert!((found.1 - lower).abs() < 5e-5, "{found:?}");
            assert!((found.2 - upper).abs() < 5e-5, "{found:?}");
        };
        within(of((56.0, 70.0), (48.0, 80.0)), 0.2, 0.0524, 0.3339);
        within(of((9.0, 10.0), (3.0, 10.0)), 0.6, 0.1705, 0.8090);
        within(of((10.0, 10.0), (0.0, 20.0)), 1.0, 0.6791, 1.0);
        let (d, lower, upper) = of((3.0, 40.0), (5.0, 60.0));
        let (e, low, high) = of((5.0, 60.0), (3.0, 40.0));
        assert!((d + e).abs() < 1e-12 && (lower + high).abs() < 1e-12);
        assert!((upper + low).abs() < 1e-12);
        assert_eq!(newcombe((0.0, 0.0), (1.0, 5.0), 0.95), None);
    }

    fn near(found: (f64, f64), expected: (f64, f64)) {
        assert!((found.0 - expected.0).abs() < 1e-6, "{found:?}");
        assert!((found.1 - expected.1).abs() < 1e-6, "{found:?}");
    }

    #[test]
    fn wilson_is_that_of_statsmodels() {
        // statsmodels 0.14: proportion_confint(x, n, method="wilson").
        near(wilson(8.0, 10.0, 0.95).unwrap(), (0.490162, 0.943318));
        near(wilson(0.0, 10.0, 0.95).unwrap(), (0.0, 0.277533));
        near(wilson(10.0, 10.0, 0.95).unwrap(), (0.722467, 1.0));
        assert_eq!(wilson(0.0, 0.0, 0.95), None);
    }

    #[test]
    fn the_corrected_interval_is_wider_than_the_naive_one() {
        let folds = [0.8, 0.7, 0.9, 0.75, 0.85];
        // By hand: S² = 0.00625, factor 0.2 + 0.25, t(4; 0.975) = 2.776445.
        let half = 2.776_445_105 * sqrt(0.45 * 0.006_25);
        near(nadeau_bengio(&folds, 80.0, 20.0, 0.95).unwrap(), (0.8 - half, 0.8 + half));
        assert_eq!(nadeau_bengio(&[0.8], 80.0, 20.0, 0.95), None);
        assert_eq!(nadeau_bengio(&[1.0, 1.0], 80.0, 20.0, 0.95), Some((1.0, 1.0)));
    }
}
