//! How many patients a prediction model needs: to be developed, and to be judged as precisely as wanted.

use super::probabilities::logits;
use super::recalibration::line;
use crate::math::{exp, ln, sigmoid, sqrt};

/// Width of a 95 % interval of ±1.96 standard errors.
pub const WIDTH: f64 = 2.0 * 1.96;
/// How wide the interval of an AUROC may be.
pub const AUROC_WIDTH: f64 = 0.1;
/// How wide the interval of a calibration slope may be.
pub const SLOPE_WIDTH: f64 = 0.4;

/// The smallest samples by three criteria; the largest is needed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampleSize {
    /// Coefficients shrink by no more than a tenth.
    pub for_shrinkage: f64,
    /// Apparent and adjusted R² (Nagelkerke's) differ by no more than 0.05.
    pub for_optimism: f64,
    /// The prevalence is estimated within 0.05.
    pub for_prevalence: f64,
    /// The largest Cox–Snell R² at this prevalence.
    pub largest_r2: f64,
}

pub const SHRINKAGE: f64 = 0.9;
pub const DIFFERENCE: f64 = 0.05;
pub const MARGIN: f64 = 0.05;
/// Share of the largest R² that is expected when nothing better is known.
pub const SHARE_OF_R2: f64 = 0.15;

/// The largest Cox–Snell R² of a binary outcome.
pub fn largest_r2(prevalence: f64) -> f64 {
    let (p, q) = (prevalence, 1.0 - prevalence);
    1.0 - exp(2.0 * (p * ln(p) + q * ln(q)))
}

/// For `parameters` candidate parameters and an expected Cox–Snell R². `None` unless there is a
/// parameter, and prevalence and R² lie strictly within their ranges.
///
/// Source: riley2020, criteria 2 to 4 of figure 2 (their equations of 2019 for shrinkage).
pub fn sample_size(parameters: usize, prevalence: f64, r2: f64) -> Option<SampleSize> {
    if parameters == 0 || !(0.0 < prevalence && prevalence < 1.0) {
        return None;
    }
    let largest = largest_r2(prevalence);
    if !(0.0 < r2 && r2 < largest && r2 < SHRINKAGE) {
        return None;
    }
    let p = parameters as f64;
    let needed = |shrinkage: f64| p / ((shrinkage - 1.0) * ln(1.0 - r2 / shrinkage));
    let margin = 1.96 / MARGIN;
    Some(SampleSize {
        for_shrinkage: needed(SHRINKAGE).ceil(),
        for_optimism: needed(r2 / (r2 + DIFFERENCE * largest)).ceil(),
        for_prevalence: (margin * margin * prevalence * (1.0 - prevalence)).ceil(),
        largest_r2: largest,
    })
}

/// The standard error of an AUROC on `n` patients, from its value and the prevalence alone. `None` unless
/// both lie strictly between 0 and 1 and there are two patients.
///
/// Hanley and McNeil's variance for exponential scores, with n/2 − 1 in the place of the sizes of both
/// classes less one.
///
/// Source: hanley1982; newcombe2006; riley2021, equation 11.
pub fn auroc_se(auroc: f64, n: f64, prevalence: f64) -> Option<f64> {
    let inside = |share: f64| 0.0 < share && share < 1.0;
    if !inside(auroc) || !inside(prevalence) || n < 2.0 {
        return None;
    }
    let (c, other) = (auroc, n / 2.0 - 1.0);
    let alike = 1.0 + other * (1.0 - c) / (2.0 - c) + other * c / (1.0 + c);
    Some(sqrt(c * (1.0 - c) * alike / (n * n * prevalence * (1.0 - prevalence))))
}

/// The fewest patients with whom the 95 % interval of an AUROC is no wider than `width`.
pub fn patients_for_auroc(auroc: f64, prevalence: f64, width: f64) -> Option<f64> {
    let fits = |n: f64| Some(WIDTH * auroc_se(auroc, n, prevalence)? <= width);
    // The standard error falls with n.
    let (mut few, mut many) = (1.0, 2.0);
    while !fits(many)? {
        (few, many) = (many, many * 2.0);
    }
    while many - few > 1.0 {
        let middle = ((few + many) / 2.0).floor();
        match fits(middle)? {
            true => many = middle,
            false => few = middle,
        }
    }
    Some(many)
}

/// The variance of a calibration slope, times the number of rows: from the information matrix of the
/// logistic recalibration of these predictions. `None` where that cannot be fitted.
///
/// Source: riley2021, on the calibration slope, with the linear predictors at hand in the place of a
/// distribution, and their own recalibration in that of an assumed one.
pub fn slope_variance(truth: &[bool], probabilities: &[f64]) -> Option<f64> {
    let logits = logits(probabilities);
    let (a, b) = line(truth, &logits)?;
    let (mut level, mut both, mut slope) = (0.0, 0.0, 0.0);
    for x in &logits {
        let p = sigmoid(a + b * x);
        let weight = p * (1.0 - p);
        level += weight;
        both += weight * x;
        slope += weight * x * x;
    }
    let n = probabilities.len() as f64;
    let variance = n * level / (level * slope - both * both);
    variance.is_finite().then_some(variance)
}

impl SampleSize {
    pub fn needed(&self) -> f64 {
        self.for_shrinkage.max(self.for_optimism).max(self.for_prevalence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_is_refused() {
        assert_eq!(sample_size(0, 0.5, 0.1), None);
        assert_eq!(sample_size(3, 0.0, 0.1), None);
        assert_eq!(sample_size(3, 0.5, 0.8), None, "above the largest");
        assert!((largest_r2(0.5) - 0.75).abs() < 1e-15);
        let more = sample_size(30, 0.5, 0.1).unwrap().needed();
        assert!(more > sample_size(10, 0.5, 0.1).unwrap().needed());
    }

    #[test]
    fn precision_is_that_of_the_published_formulae() {
        // The formula of riley2021 in Python, width = 2 · 1.96 · SE, n by counting up from 2; the same
        // formula as in the package pmvalsampsize 0.2.1.
        let widths = [
            ((0.77, 1000.0, 0.3), 0.063_523_828_354_229),
            ((0.72, 154.0, 76.0 / 154.0), 0.160_735_523_120_456_2),
            ((0.8, 500.0, 0.1), 0.129_370_998_410_113_42),
        ];
        for ((auroc, n, prevalence), width) in widths {
            let found = WIDTH * auroc_se(auroc, n, prevalence).unwrap();
            assert!((found - width).abs() < 1e-12, "{found}");
        }
        let needed = [
            ((0.72, 0.5), 397.0),
            ((0.8, 0.1), 836.0),
            ((0.7, 0.2), 650.0),
            ((0.77, 0.018), 4790.0),
        ];
        for ((auroc, prevalence), n) in needed {
            assert_eq!(patients_for_auroc(auroc, prevalence, 0.1), Some(n));
        }
        assert_eq!(patients_for_auroc(1.0, 0.5, 0.1), None);
        assert_eq!(patients_for_auroc(0.7, 0.0, 0.1), None);
        assert_eq!(auroc_se(0.7, 1.0, 0.5), None);
        // statsmodels 0.14: Logit(truth, [1, logit p]).fit().bse[1]² · 10.
        let p = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95];
        let truth = [false, false, true, false, false, true, false, true, true, true];
        let variance = slope_variance(&truth, &p).unwrap();
        assert!((variance - 5.485_922_596_452_3).abs() < 1e-9, "{variance}");
        assert_eq!(slope_variance(&[true, false], &[0.9, 0.1]), None, "wholly apart");
    }
}
