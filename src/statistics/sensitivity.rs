//! Sensitivity: the share of positives that a threshold gets right.

use super::decided::{Decided, again_of_decided};
use crate::operation::prelude::*;

/// Share of the positive rows that are called positive at the declared threshold.
///
/// # Computation
/// The positive rows decided positive, over all positive rows; pooled within each repeat.
///
/// # Limits
/// Depends on the threshold, which is learned in training folds; there is no default rule.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Sensitivity {}

impl Operation for Sensitivity {
    const ABOUT: About = About {
        name: "sensitivity",
        title: "Sensitivity",
        version: 1,
        sources: &["altman1994", "wilson1927"],
        example: "sensitivity",
    };
}

fn of(Decided { hits, misses, .. }: Decided) -> Result<f64, Failure> {
    match hits + misses {
        0 => Err(Failure::OneClass),
        n => Ok(hits as f64 / n as f64),
    }
}

impl Metric for Sensitivity {
    const SCALE: Scale = Scale::PROPORTION;

    fn compute(&self, scored: Scored<'_>) -> Result<f64, Failure> {
        of(Decided::count(scored)?)
    }

    fn again<'a>(&'a self, scored: Scored<'a>) -> Again<'a> {
        again_of_decided(scored, of)
    }

    fn denominator(&self, scored: Scored<'_>) -> usize {
        scored.truth.iter().filter(|truth| **truth).count()
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
        let expected = 2.0 / 3.0;
        assert_eq!(Sensitivity {}.compute(scored), Ok(expected));
        let one_class = Scored { truth: &[false], decisions: &[true], ..scored };
        assert_eq!(Sensitivity {}.compute(one_class), Err(Failure::OneClass));
        let undecided = Scored { decisions: &[], ..scored };
        assert!(Sensitivity {}.compute(undecided).is_err());
    }
}
