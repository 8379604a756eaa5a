//! Calibration in the large: whether predictions are too high or too low on the whole.

use super::probabilities::{checked, logits};
use super::recalibration::{Offset, offset};
use crate::operation::prelude::*;

/// Intercept of the logistic recalibration with its slope held at 1; 0 is right.
///
/// Above 0: risks are underestimated on the whole. Below 0: overestimated.
///
/// # Computation
/// Maximum likelihood of logit P(y = 1) = a + logit p with logit p as offset, by Newton's steps; pooled
/// within each repeat and averaged. Probabilities of 0 or 1 are moved half a step of the learner's
/// resolution first, and the report says how many.
///
/// # Differences
/// Not the intercept of the model that fits a slope as well: that one says little by itself.
///
/// # Limits
/// Rows of one class have none. Under 100 events or non-events it is imprecise, which its interval shows.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CalibrationIntercept {}

impl Operation for CalibrationIntercept {
    const ABOUT: About = About {
        name: "calibration_intercept",
        title: "Calibration intercept",
        version: 1,
        sources: &["cox1958", "vancalster2016"],
        example: "calibration_intercept",
    };
}

impl Metric for CalibrationIntercept {
    const SCALE: Scale = Scale {
        range: (f64::NEG_INFINITY, f64::INFINITY),
        direction: Direction::Closest(0.0),
        chance: None,
        pooling: Pooling::Pooled { resamples: 1000 },
        needs_threshold: false,
        logarithms: true,
    };

    fn compute(&self, scored: Scored<'_>) -> Result<f64, Failure> {
        checked(scored)?;
        offset(scored.truth, &logits(scored.scores)).ok_or(Failure::OneClass)
    }

    fn again<'a>(&'a self, scored: Scored<'a>) -> Again<'a> {
        if checked(scored).is_err() {
            return on_copies(self, scored);
        }
        let mut offset = Offset::new(scored.truth, &logits(scored.scores));
        Box::new(move |counts| offset.of(counts).ok_or(Failure::OneClass))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_cases_by_hand() {
        let of = |truth: &[bool], scores: &[f64]| {
            CalibrationIntercept {}.compute(Scored { truth, scores, ..Scored::default() })
        };
        let found = of(&[true, false, false, false], &[0.5; 4]).unwrap();
        assert!((found + crate::math::ln(3.0)).abs() < 1e-12, "{found}");
        let right = of(&[true, false, true, false], &[0.8, 0.2, 0.6, 0.4]).unwrap();
        assert!(right.abs() < 1e-12, "the mean is right: {right}");
        assert_eq!(of(&[true], &[0.5]), Err(Failure::OneClass));
    }
}
