//! Estimates of several sites or studies pooled by random effects.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::delong::logit;
use crate::math::{ln, sigmoid, sqrt};

/// How the variance of true values between studies is estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Between {
    /// By moments, from Cochran's Q.
    DerSimonianLaird,
    /// By restricted maximum likelihood.
    Reml,
}

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

/// Pools estimates by random effects, with Hartung and Knapp's interval.
///
/// The interval has Student's quantile with k − 1 degrees of freedom and is unmodified: its factor
/// is not raised to 1, so that it may be narrower than the interval of a common effect, and has no
/// width where all estimates are equal. The prediction interval is ± t·√(τ² + 1/Σw) with k − 2
/// degrees of freedom, w the weights of random effects. `None` below 2 estimates, or for a
/// variance that is not above 0.
///
/// Shape: estimate and variance per study; studies are independent. Source: τ² by moments:
/// dersimonian1986; by likelihood: viechtbauer2005; hartung2001; prediction interval: higgins2009;
/// I²: higgins2002.
pub fn random_effects(
    studies: &[(f64, f64)],
    between: Between,
    level: f64,
) -> Option<RandomEffects> {
    let usable = |&(y, v): &(f64, f64)| y.is_finite() && v > 0.0 && v.is_finite();
    if studies.len() < 2 || !studies.iter().all(usable) || !(level > 0.0 && level < 1.0) {
        return None;
    }
    let df = (studies.len() - 1) as f64;
    let common = Weighted::new(studies, 0.0);
    let tau_squared = match between {
        Between::DerSimonianLaird => by_moments(&common, df),
        Between::Reml => by_likelihood(studies, by_moments(&common, df)),
    };
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

/// DerSimonian and Laird's τ², from the weights of a common effect.
fn by_moments(common: &Weighted, df: f64) -> f64 {
    let scale = common.sum - common.sum_of_squares / common.sum;
    ((common.q - df) / scale).max(0.0)
}

/// The τ² of restricted maximum likelihood, not below 0, by Fisher's scoring from `start`.
///
/// A step is halved while it lowers the likelihood, so that every step climbs. The end is where a
/// step moves τ² by less than 1e-12 of itself and the smallest variance.
fn by_likelihood(studies: &[(f64, f64)], start: f64) -> f64 {
    const MOST_STEPS: usize = 10_000;
    const MOST_HALVES: usize = 60;
    let least = studies.iter().map(|(_, v)| *v).fold(f64::INFINITY, f64::min);
    let (mut at, mut height) = (start, likelihood(studies, start));
    for _ in 0..MOST_STEPS {
        let (score, information) = slope(studies, at);
        let mut next = (at + score / information).max(0.0);
        let mut there = likelihood(studies, next);
        // At the top rounding alone tells heights apart.
        let rounding = 1e-13 * (1.0 + height.abs());
        for _ in 0..MOST_HALVES {
            if there >= height - rounding {
                break;
            }
            next = f64::midpoint(at, next);
            there = likelihood(studies, next);
        }
        let moved = (next - at).abs();
        (at, height) = (next, there);
        if moved <= 1e-12 * (at + least) {
            break;
        }
    }
    at
}

/// The restricted log likelihood of τ², without its constant.
fn likelihood(studies: &[(f64, f64)], tau_squared: f64) -> f64 {
    let of = Weighted::new(studies, tau_squared);
    let spread: f64 = studies.iter().map(|(_, v)| ln(v + tau_squared)).sum();
    -0.5 * (spread + ln(of.sum) + of.q)
}

/// The derivative of that, and its expected information: ½(r'PPr − tr P) and ½ tr PP, where
/// P = W − ww'/Σw. Summed by pairs, since the shorter forms cancel.
fn slope(studies: &[(f64, f64)], tau_squared: f64) -> (f64, f64) {
    let weights: Vec<f64> =
        studies.iter().map(|(_, v)| 1.0 / (v + tau_squared)).collect();
    let of = Weighted::new(studies, tau_squared);
    let (mut squares, mut trace, mut information) = (0.0, 0.0, 0.0);
    for (at, ((y, _), w)) in studies.iter().zip(&weights).enumerate() {
        let residual = w * (y - of.mean);
        squares += residual * residual;
        let others = || weights.iter().enumerate().filter(|(other, _)| *other != at);
        let own = w * others().map(|(_, other)| other).sum::<f64>() / of.sum;
        trace += own;
        information += own * own;
        for (_, other) in others() {
            let shared = w * other / of.sum;
            information += shared * shared;
        }
    }
    (0.5 * (squares - trace), 0.5 * information)
}

/// Pools areas under the ROC curve on the logit scale by [`random_effects`] with τ² of restricted
/// maximum likelihood, and transforms back.
///
/// `None` below 2 areas, and where any area is 0 or 1 or without variance: to leave such a site
/// out is a decision, and belongs to the caller.
///
/// Shape: area and its variance per site. Source: as [`random_effects`].
pub fn pooled_auroc(areas: &[(f64, f64)], level: f64) -> Option<PooledAuroc> {
    let logits: Option<Vec<(f64, f64)>> =
        areas.iter().map(|&(area, variance)| logit(area, variance)).collect();
    let pooled = random_effects(&logits?, Between::Reml, level)?;
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

    fn reml(studies: &[(f64, f64)]) -> Option<RandomEffects> {
        random_effects(studies, Between::Reml, 0.95)
    }

    #[test]
    fn equal_variances_by_hand() {
        // Mean 2, S² = 1, v = 0.25: Q = 8 with 2 degrees of freedom, τ² = S² − v = 0.75.
        let found = reml(&[(1.0, 0.25), (2.0, 0.25), (3.0, 0.25)]).unwrap();
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
    fn restricted_likelihood_is_that_of_a_search_in_python() {
        // numpy 2.4.6, scipy 1.17.1: the largest of 4001 heights, then the root of the score by
        // Brent's method.
        let studies = [(0.9, 0.05), (1.6, 0.2), (0.4, 0.08), (2.1, 0.3), (1.2, 0.02)];
        let found = reml(&studies).unwrap();
        near(found.tau_squared, 0.193_953_589_696_123);
        near(found.estimate, 1.122_727_473_731_43);
        near(found.standard_error, 0.261_596_302_137_567);
        near(found.interval.0, 0.396_419_701_124);
        near(found.prediction.unwrap().1, 2.722_915_972_93);
        // Two studies: S² less the mean variance, 1.28 − 0.065; the start by moments is the same.
        let two = reml(&[(0.2, 0.04), (1.8, 0.09)]).unwrap();
        near(two.tau_squared, 1.215);
        near(two.estimate, 0.984_375);
        assert_eq!(two.prediction, None);
        // Nothing beyond sampling error: τ² stays at 0.
        let alike = [(1.0, 0.1), (1.1, 0.2), (0.9, 0.15), (1.05, 0.3)];
        let found = reml(&alike).unwrap();
        assert_eq!(found.tau_squared, 0.0);
        near(found.interval.1, 1.129_922_826_36);
        near(found.prediction.unwrap().0, 0.139_469_454_05);
    }

    #[test]
    fn scoring_ends_where_the_score_is_nothing_from_any_start() {
        let studies = [(0.9, 0.05), (1.6, 0.2), (0.4, 0.08), (2.1, 0.3), (1.2, 0.02)];
        let expected = by_likelihood(&studies, 0.2);
        for start in [0.0, 1e-6, 3.0, 1e3] {
            let found = by_likelihood(&studies, start);
            assert!((found - expected).abs() < 1e-11, "{start}: {found}");
        }
        assert!(slope(&studies, expected).0.abs() < 1e-9);
    }

    #[test]
    fn moments_by_hand() {
        let studies = [(1.0, 0.25), (2.0, 0.25), (3.0, 0.5)];
        let found = random_effects(&studies, Between::DerSimonianLaird, 0.95).unwrap();
        // Weights 4, 4, 2: mean 1.8, Q = 2.56 + 0.16 + 2.88; scale 10 − 36/10.
        near(found.q, 5.6);
        near(found.tau_squared, 3.6 / 6.4);
    }

    #[test]
    fn estimates_that_agree_have_no_variance_between_them() {
        let found = reml(&[(1.0, 0.5), (1.0, 0.25)]).unwrap();
        assert_eq!((found.q, found.i_squared, found.tau_squared), (0.0, 0.0, 0.0));
        // Unmodified: no width.
        assert_eq!(found.interval, (1.0, 1.0));
        assert_eq!(found.prediction, None);
    }

    #[test]
    fn too_few_and_impossible_estimates_are_not_pooled() {
        assert_eq!(reml(&[(1.0, 0.5)]), None);
        assert_eq!(reml(&[(1.0, 0.5), (1.0, 0.0)]), None);
        assert_eq!(reml(&[(1.0, 0.5), (f64::NAN, 0.5)]), None);
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
