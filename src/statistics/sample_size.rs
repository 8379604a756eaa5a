//! How many patients a prediction model needs.

use crate::math::{exp, ln};

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
}
