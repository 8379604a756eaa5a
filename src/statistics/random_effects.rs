//! Estimates of several sites or studies pooled by random effects.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::delong::logit;
use crate::math::{sigmoid, sqrt};

/// Several estimates of one quantity, pooled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RandomEffects {
    pub estimate: f64,
    /// Hartung and Knapp's.
    pub standard_error: f64,
    /// Of the mean over studies.
    pub interval: (f64, f64),
    /// Of the true value in one further study; from 3 studies.
    pub prediction: Option<(f64, f64)>,
    /// Cochran's Q, with one degree of freedom less than there are studies.
    pub q: f64,
    /// The share of the variation that is not sampling error, 0 to 1.
    pub i_squared: f64,
    /// The variance of true values between studies.
    pub tau_squared: f64,
}

/// Areas under the ROC curve of several sites, pooled on the logit scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PooledAuroc {
    pub auroc: f64,
    pub interval: (f64, f64),
    pub prediction: Option<(f64, f64)>,
    /// The same on the logit scale, with Q, I² and τ².
    pub logit: RandomEffects,
}

/// Pools estimates by random effects: DerSimonian and Laird's τ², Hartung and Knapp's interval.
///
/// The interval has Student's quantile with k − 1 degrees of freedom and is unmodified: its factor
/// is not raised to 1, so that it may be narrower than the interval of a common effect, and has no
/// width where all estimates are equal. The prediction interval is ± t·√(τ² + 1/Σw) with k − 2
/// degrees of freedom, w the weights of random effects. `None` below 2 estimates, or for a
/// variance that is not above 0.
///
/// Shape: estimate and variance per study; studies are independent. Source: dersimonian1986;
/// hartung2001; prediction interval: higgins2009; I²: higgins2002.
pub fn random_effects(studies: &[(f64, f64)], level: f64) -> Option<RandomEffects> {
    let usable = |&(y, v): &(f64, f64)| y.is_finite() && v > 0.0 && v.is_finite();
    if studies.len() < 2 || !studies.iter().all(usable) || !(level > 0.0 && level < 1.0) {
        return None;
    }
    let df = (studies.len() - 1) as f64;
    let common = Weighted::new(studies, 0.0);
    let scale = common.sum - common.sum_of_squares / common.sum;
    let tau_squared = ((common.q - df) / scale).max(0.0);
    let random = Weighted::new(studies, tau_squared);
    let estimate = random.mean;
    let standard_error = sqrt(random.q / df / random.sum);
    let around = |df: f64, error: f64| {
        let t = StudentsT::new(0.0, 1.0, df).ok()?;
        let half = t.inverse_cdf(0.5 + level / 2.0) * error;
        Some((estimate - half, estimate + half))
    };
    // Without a degree of freedom there is no distribution, and so no prediction interval.
    let prediction = around(df - 1.0, sqrt(tau_squared + 1.0 / random.sum));
    Some(RandomEffects {
        estimate,
        standard_error,
        interval: around(df, standard_error)?,
        prediction,
        q: common.q,
        i_squared: if common.q > df { (common.q - df) / common.q } else { 0.0 },
        tau_squared,
    })
}

/// Pools areas under the ROC curve on the logit scale, as [`random_effects`], and transforms back.
///
/// `None` below 2 areas, and where any area is 0 or 1 or without variance: to leave such a site
/// out is a decision, and belongs to the caller.
///
/// Shape: area and its variance per site. Source: as [`random_effects`].
pub fn pooled_auroc(areas: &[(f64, f64)], level: f64) -> Option<PooledAuroc> {
    let logits: Option<Vec<(f64, f64)>> =
        areas.iter().map(|&(area, variance)| logit(area, variance)).collect();
    let pooled = random_effects(&logits?, level)?;
    let back = |(lower, upper): (f64, f64)| (sigmoid(lower), sigmoid(upper));
    Some(PooledAuroc {
        auroc: sigmoid(pooled.estimate),
        interval: back(pooled.interval),
        prediction: pooled.prediction.map(back),
        logit: pooled,
    })
}

/// The mean of estimates weighted by 1/(v + τ²), and what surrounds it.
struct Weighted {
    mean: f64,
    /// Of the weights.
    sum: f64,
    /// Of the weights.
    sum_of_squares: f64,
    /// Σ w (y − mean)².
    q: f64,
}

impl Weighted {
    fn new(studies: &[(f64, f64)], tau_squared: f64) -> Self {
        let weights: Vec<f64> =
            studies.iter().map(|(_, variance)| 1.0 / (variance + tau_squared)).collect();
        let weighted = || studies.iter().map(|(y, _)| y).zip(&weights);
        let sum: f64 = weights.iter().sum();
        let mean = weighted().map(|(y, w)| w * y).sum::<f64>() / sum;
        Self {
            mean,
            sum,
            sum_of_squares: weights.iter().map(|w| w * w).sum(),
            q: weighted().map(|(y, w)| w * (y - mean) * (y - mean)).sum(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found} {expected}");
    }

    #[test]
    fn equal_variances_by_hand() {
        // Mean 2, S² = 1, v = 0.25: Q = 8 with 2 degrees of freedom, τ² = S² − v = 0.75.
        let found =
            random_effects(&[(1.0, 0.25), (2.0, 0.25), (3.0, 0.25)], 0.95).unwrap();
        near(found.estimate, 2.0);
        near(found.q, 8.0);
        near(found.i_squared, 0.75);
        near(found.tau_squared, 0.75);
        // All weights are 1: the interval is that of a plain mean, t(2; 0.975) = 4.302653.
        near(found.standard_error, sqrt(1.0 / 3.0));
        near(found.interval.0, 2.0 - 4.302_652_729_7 * sqrt(1.0 / 3.0));
        // t(1; 0.975) = 12.706205.
        let half = 12.706_204_736_2 * sqrt(0.75 + 1.0 / 3.0);
        near(found.prediction.unwrap().1, 2.0 + half);
    }

    #[test]
    fn estimates_that_agree_have_no_variance_between_them() {
        let found = random_effects(&[(1.0, 0.5), (1.0, 0.25)], 0.95).unwrap();
        assert_eq!((found.q, found.i_squared, found.tau_squared), (0.0, 0.0, 0.0));
        // Unmodified: no width.
        assert_eq!(found.interval, (1.0, 1.0));
        assert_eq!(found.prediction, None);
    }

    #[test]
    fn too_few_and_impossible_estimates_are_not_pooled() {
        assert_eq!(random_effects(&[(1.0, 0.5)], 0.95), None);
        assert_eq!(random_effects(&[(1.0, 0.5), (1.0, 0.0)], 0.95), None);
        assert_eq!(random_effects(&[(1.0, 0.5), (f64::NAN, 0.5)], 0.95), None);
        assert_eq!(pooled_auroc(&[(0.8, 0.01), (1.0, 0.01)], 0.95), None);
        assert_eq!(pooled_auroc(&[(0.8, 0.01), (0.5, 0.0)], 0.95), None);
    }

    #[test]
    fn pooled_areas_stay_inside_0_and_1() {
        let found =
            pooled_auroc(&[(0.99, 0.001), (0.6, 0.01), (0.9, 0.01)], 0.95).unwrap();
        let (lower, upper) = found.prediction.unwrap();
        assert!(0.0 < lower && lower < found.interval.0);
        assert!(found.interval.0 < found.auroc && found.auroc < found.interval.1);
        assert!(found.interval.1 < upper && upper < 1.0);
    }
}
