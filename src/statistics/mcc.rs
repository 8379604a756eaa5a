//! Matthews correlation: the correlation of calls with classes.

use super::decided::{Decided, again_of_decided};
use crate::math::sqrt;
use crate::operation::prelude::*;

/// Correlation between what rows are called at the declared threshold and what they are.
///
/// # Computation
/// (TP·TN − FP·FN) / √((TP + FP)(TP + FN)(TN + FP)(TN + FN)), pooled within each repeat and averaged.
///
/// # Differences
/// Where all rows are called alike it is 0/0 and not defined here; scikit-learn gives 0.
///
/// # Limits
/// Depends on prevalence, like every measure of calls that counts all four cells.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Mcc {}

impl Operation for Mcc {
    const ABOUT: About = About {
        name: "mcc",
        title: "Matthews correlation coefficient",
        version: 1,
        sources: &["matthews1975"],
        example: "mcc",
    };
}

fn of(Decided { hits, misses, alarms, passes }: Decided) -> Result<f64, Failure> {
    let (tp, fn_, fp, tn) = (hits as f64, misses as f64, alarms as f64, passes as f64);
    // Roots one by one: the product of four counts is past the exact integers of a float.
    let below = sqrt((tp + fp) * (tp + fn_)) * sqrt((tn + fp) * (tn + fn_));
    if below == 0.0 {
        return Err(Failure::Undefined("all rows are called alike, or are alike"));
    }
    Ok(((tp * tn - fp * fn_) / below).clamp(-1.0, 1.0))
}

impl Metric for Mcc {
    const SCALE: Scale = Scale {
        range: (-1.0, 1.0),
        direction: Direction::HigherIsBetter,
        chance: Some(0.0),
        pooling: Pooling::Pooled { resamples: 1000 },
        needs_threshold: true,
        logarithms: false,
    };

    fn compute(&self, scored: Scored<'_>) -> Result<f64, Failure> {
        of(Decided::count(scored)?)
    }

    fn again<'a>(&'a self, scored: Scored<'a>) -> Again<'a> {
        again_of_decided(scored, of)
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
        let expected = 1.0 / 6.0;
        let found = Mcc {}.compute(scored).unwrap();
        assert!((found - expected).abs() < 1e-15, "{found}");
        let undecided = Scored { decisions: &[], ..scored };
        assert!(Mcc {}.compute(undecided).is_err());
        let alike = Scored { decisions: &[true; 5], ..scored };
        assert!(Mcc {}.compute(alike).is_err());
    }
}
