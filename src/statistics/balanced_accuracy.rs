//! Balanced accuracy: the mean of sensitivity and specificity.

use super::decided::{Decided, again_of_decided};
use crate::operation::prelude::*;

/// Mean of the shares of positives and of negatives that are called right at the declared threshold.
///
/// Use it instead of accuracy where one class is rare.
///
/// # Computation
/// (sensitivity + specificity) / 2, pooled within each repeat and averaged.
///
/// # Limits
/// Weighs a missed positive like a false alarm whatever they cost. Rows of one class have none.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BalancedAccuracy {}

impl Operation for BalancedAccuracy {
    const ABOUT: About = About {
        name: "balanced_accuracy",
        title: "Balanced accuracy",
        version: 1,
        sources: &["brodersen2010"],
        example: "balanced_accuracy",
    };
}

fn of(Decided { hits, misses, alarms, passes }: Decided) -> Result<f64, Failure> {
    if hits + misses == 0 || alarms + passes == 0 {
        return Err(Failure::OneClass);
    }
    let sensitivity = hits as f64 / (hits + misses) as f64;
    let specificity = passes as f64 / (alarms + passes) as f64;
    Ok((sensitivity + specificity) / 2.0)
}

impl Metric for BalancedAccuracy {
    const SCALE: Scale = Scale {
        range: (0.0, 1.0),
        direction: Direction::HigherIsBetter,
        chance: Some(0.5),
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
        let expected = 7.0 / 12.0;
        let found = BalancedAccuracy {}.compute(scored).unwrap();
        assert!((found - expected).abs() < 1e-15, "{found}");
        let undecided = Scored { decisions: &[], ..scored };
        assert!(BalancedAccuracy {}.compute(undecided).is_err());
    }
}
