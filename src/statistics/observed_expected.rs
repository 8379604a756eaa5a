//! Observed over expected: how many events there were for each that was predicted.

use super::counted::{counted, of_class};
use super::probabilities::{checked, paired};
use crate::operation::prelude::*;

/// Number of events over the sum of the predicted probabilities; 1 is right.
///
/// # Computation
/// Σy / Σp, pooled within each repeat and averaged. Above 1: risks are underestimated on the whole.
///
/// # Limits
/// Says nothing about single patients: predicting the prevalence for everybody gives 1.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ObservedExpected {}

impl Operation for ObservedExpected {
    const ABOUT: About = About {
        name: "observed_expected",
        title: "Ratio of observed to expected events",
        version: 1,
        sources: &["steyerberg2010"],
        example: "observed_expected",
    };
}

fn ratio(observed: f64, expected: f64) -> Result<f64, Failure> {
    if expected <= 0.0 {
        return Err(Failure::Undefined("no event is expected"));
    }
    Ok(observed / expected)
}

impl Metric for ObservedExpected {
    const SCALE: Scale = Scale {
        range: (0.0, f64::INFINITY),
        direction: Direction::Closest(1.0),
        chance: None,
        pooling: Pooling::Pooled { resamples: 1000 },
        needs_threshold: false,
        logarithms: false,
    };

    fn compute(&self, scored: Scored<'_>) -> Result<f64, Failure> {
        let (observed, expected) =
            paired(scored)?.fold((0.0, 0.0), |(o, e), (y, p)| (o + y, e + p));
        ratio(observed, expected)
    }

    fn again<'a>(&'a self, scored: Scored<'a>) -> Again<'a> {
        if checked(scored).is_err() {
            return on_copies(self, scored);
        }
        Box::new(move |counts| {
            let (_, observed) = of_class(scored.truth, counts);
            ratio(f64::from(observed), counted(scored.scores, counts))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_cases_by_hand() {
        let of = |truth: &[bool], scores: &[f64]| {
            ObservedExpected {}.compute(Scored { truth, scores, ..Scored::default() })
        };
        assert_eq!(of(&[true, false], &[0.25, 0.25]), Ok(2.0));
        assert_eq!(of(&[true, true, false, false], &[0.5; 4]), Ok(1.0));
        assert!(of(&[true], &[0.0]).is_err());
    }
}
