//! Integrated calibration index: how far predictions lie from a calibration curve on average.

use super::smooth::{again_of_distances, distances};
use crate::operation::prelude::*;

/// Mean absolute distance between the predicted probability and the calibration curve; 0 is perfect.
///
/// # Computation
/// Mean over rows of |p − curve(p)|.
/// The calibration curve is loess of class on predicted probability: local quadratics, span 0.75, tricube
/// weights, computed at each prediction; above 500 rows at 200 of them and by straight lines between.
/// Pooled within each repeat and averaged.
///
/// # Differences
/// R's `loess` interpolates from the corners of a k-d tree unless told otherwise; the third digit
/// differs. The curve is not cut at 0 and 1 for this measure.
///
/// # Limits
/// Biased upwards in small samples, and resampling adds to that: its interval is descriptive. Fewer than
/// 10 rows, or equal predictions, have none.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Ici {}

impl Operation for Ici {
    const ABOUT: About = About {
        name: "ici",
        title: "Integrated calibration index",
        version: 4,
        sources: &["austin2019", "cleveland1988"],
        example: "ici",
    };
}

/// There is one at least.
fn mean(errors: &[f64]) -> f64 {
    errors.iter().sum::<f64>() / errors.len() as f64
}

impl Metric for Ici {
    const SCALE: Scale = Scale {
        range: (0.0, f64::INFINITY),
        direction: Direction::LowerIsBetter,
        chance: None,
        pooling: Pooling::Pooled { resamples: 1000 },
        needs_threshold: false,
        logarithms: false,
    };

    fn compute(&self, scored: Scored<'_>) -> Result<f64, Failure> {
        distances(scored).map(|errors| mean(&errors))
    }

    fn again<'a>(&'a self, scored: Scored<'a>) -> Again<'a> {
        again_of_distances(self, scored, mean)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_straight_truth_is_found_and_little_data_refused() {
        // Half of each ten are positive, whatever was predicted: the curve is flat at 1/2.
        let truth: Vec<bool> = (0..200).map(|row| row % 2 == 0).collect();
        let scores: Vec<f64> = (0..200).map(|row| f64::from(row / 2) / 99.0).collect();
        let scored = Scored { truth: &truth, scores: &scores, ..Scored::default() };
        let found = Ici {}.compute(scored).unwrap();
        assert!((found - 0.25).abs() < 0.01, "{found}");
        let few =
            Scored { truth: &truth[..4], scores: &scores[..4], ..Scored::default() };
        assert!(Ici {}.compute(few).is_err());
    }
}
