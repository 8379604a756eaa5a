//! Accuracy: the share of rows that a threshold gets right.

use super::decided::{Decided, again_of_decided};
use crate::operation::prelude::*;

/// Share of all rows that are called what they are at the declared threshold.
///
/// For comparing with studies that report nothing else: it hides which class is missed, and calling every
/// row by the larger class gives a high value where classes are unequal.
///
/// # Computation
/// The rows decided right, over all rows; pooled within each repeat and averaged.
///
/// # Limits
/// Holds at the prevalence of the rows that were judged. Never report it alone.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Accuracy {}

impl Operation for Accuracy {
    const ABOUT: About = About {
        name: "accuracy",
        title: "Accuracy",
        version: 1,
        sources: &["altman1994", "wilson1927"],
        example: "accuracy",
    };
}

fn of(Decided { hits, misses, alarms, passes }: Decided) -> Result<f64, Failure> {
    match hits + misses + alarms + passes {
        0 => Err(Failure::TooFew { needed: 1, found: 0 }),
        n => Ok((hits + passes) as f64 / n as f64),
    }
}

impl Metric for Accuracy {
    const SCALE: Scale = Scale::PROPORTION;

    fn compute(&self, scored: Scored<'_>) -> Result<f64, Failure> {
        of(Decided::count(scored)?)
    }

    fn again<'a>(&'a self, scored: Scored<'a>) -> Again<'a> {
        again_of_decided(scored, of)
    }

    fn chance(&self, prevalence: f64) -> Option<f64> {
        Some(prevalence.max(1.0 - prevalence))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_by_hand() {
        let truth = [true, true, true, false, false];
        let decisions = [true, true, false, false, true];
        let scored = Scored { truth: &truth, decisions: &decisions, ..Scored::default() };
        let expected = 0.6;
        let found = Accuracy {}.compute(scored).unwrap();
        assert!((found - expected).abs() < 1e-15, "{found}");
        let undecided = Scored { decisions: &[], ..scored };
        assert!(Accuracy {}.compute(undecided).is_err());
    }
}
