//! Specificity: the share of negatives that a threshold gets right.

use super::decided::{Decided, again_of_decided};
use crate::operation::prelude::*;

/// Share of the negative rows that are called negative at the declared threshold.
///
/// # Computation
/// The negative rows decided negative, over all negative rows; pooled within each repeat.
///
/// # Limits
/// Depends on the threshold, which is learned in training folds; there is no default rule.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Specificity {}

impl Operation for Specificity {
    const ABOUT: About = About {
        name: "specificity",
        title: "Specificity",
        version: 1,
        sources: &["altman1994", "wilson1927"],
        example: "specificity",
    };
}

fn of(Decided { passes, alarms, .. }: Decided) -> Result<f64, Failure> {
    match passes + alarms {
        0 => Err(Failure::OneClass),
        n => Ok(passes as f64 / n as f64),
    }
}

impl Metric for Specificity {
    const SCALE: Scale = Scale::PROPORTION;

    fn compute(&self, scored: Scored<'_>) -> Result<f64, Failure> {
        of(Decided::count(scored)?)
    }

    fn again<'a>(&'a self, scored: Scored<'a>) -> Again<'a> {
        again_of_decided(scored, of)
    }

    fn denominator(&self, scored: Scored<'_>) -> usize {
        scored.truth.iter().filter(|truth| !**truth).count()
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
        let expected = 0.5;
        assert_eq!(Specificity {}.compute(scored), Ok(expected));
        let one_class = Scored { truth: &[true], decisions: &[true], ..scored };
        assert_eq!(Specificity {}.compute(one_class), Err(Failure::OneClass));
        let undecided = Scored { decisions: &[], ..scored };
        assert!(Specificity {}.compute(undecided).is_err());
    }
}
