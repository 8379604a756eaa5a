//! Calibration slope: whether predictions are too extreme or too modest.

use super::probabilities::{checked, logits};
use super::recalibration::{Line, line};
use crate::operation::prelude::*;

/// Slope of the logistic recalibration; 1 is right.
///
/// Below 1: predictions are too extreme, the sign of overfitting. Above 1: too modest.
///
/// # Computation
/// Maximum likelihood of logit P(y = 1) = a + b·logit p by Newton's steps, b is the slope; pooled within
/// each repeat and averaged. Predictions are not averaged over repeats first: that would be an ensemble,
/// whose slope is flattering. Probabilities of 0 or 1 are moved half a step of the learner's resolution,
/// and the report says how many.
///
/// # Limits
/// Not defined for one class, for equal predictions, and where the predictions set the classes wholly
/// apart. Under 100 events or non-events it is imprecise, which its interval shows.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CalibrationSlope {}

const UNDEFINED: &str = "one class, equal predictions, or classes wholly apart";

impl Operation for CalibrationSlope {
    const ABOUT: About = About {
        name: "calibration_slope",
        title: "Calibration slope",
        version: 1,
        sources: &["cox1958", "vancalster2016"],
        example: "calibration_slope",
    };
}

impl Metric for CalibrationSlope {
    const SCALE: Scale = Scale {
        range: (f64::NEG_INFINITY, f64::INFINITY),
        direction: Direction::Closest(1.0),
        chance: None,
        pooling: Pooling::Pooled { resamples: 1000 },
        needs_threshold: false,
        logarithms: true,
    };

    fn compute(&self, scored: Scored<'_>) -> Result<f64, Failure> {
        checked(scored)?;
        let found = line(scored.truth, &logits(scored.scores));
        found.map(|(_, slope)| slope).ok_or(Failure::Undefined(UNDEFINED))
    }

    fn again<'a>(&'a self, scored: Scored<'a>) -> Again<'a> {
        if checked(scored).is_err() {
            return on_copies(self, scored);
        }
        let mut line = Line::new(scored.truth, &logits(scored.scores));
        Box::new(move |counts| {
            let found = line.of(counts);
            found.map(|(_, slope)| slope).ok_or(Failure::Undefined(UNDEFINED))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_cases_by_hand() {
        let of = |truth: &[bool], scores: &[f64]| {
            CalibrationSlope {}.compute(Scored { truth, scores, ..Scored::default() })
        };
        // Shares of 1/4 and 3/4 at logits of ±2 ln 3: half as far as predicted.
        let truth = [true, false, false, false, true, true, true, false];
        let scores = [0.1, 0.1, 0.1, 0.1, 0.9, 0.9, 0.9, 0.9];
        let found = of(&truth, &scores).unwrap();
        assert!((found - 0.5).abs() < 1e-9, "{found}");
        assert!(of(&[true, false], &[0.5, 0.5]).is_err());
        assert!(of(&[true, false], &[0.9, 0.1]).is_err(), "wholly apart");
    }
}
