//! F1: the harmonic mean of sensitivity and positive predictive value.

use super::decided::{Decided, again_of_decided};
use crate::operation::prelude::*;

/// Harmonic mean of precision and recall at the declared threshold.
///
/// # Computation
/// 2·TP / (2·TP + FP + FN), pooled within each repeat and averaged.
///
/// # Limits
/// Ignores the negatives that are called right, and depends on prevalence: do not compare it between
/// cohorts. Without positives and without positive calls it is not defined.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct F1 {}

impl Operation for F1 {
    const ABOUT: About = About {
        name: "f1",
        title: "F1 score",
        version: 1,
        sources: &["vanrijsbergen1979"],
        example: "f1",
    };
}

fn of(Decided { hits, misses, alarms, .. }: Decided) -> Result<f64, Failure> {
    let below = 2 * hits + misses + alarms;
    if below == 0 {
        return Err(Failure::Undefined("no row is positive or called positive"));
    }
    Ok(2.0 * hits as f64 / below as f64)
}

impl Metric for F1 {
    const SCALE: Scale = Scale {
        range: (0.0, 1.0),
        direction: Direction::HigherIsBetter,
        chance: None,
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
        let expected = 2.0 / 3.0;
        let found = F1 {}.compute(scored).unwrap();
        assert!((found - expected).abs() < 1e-15, "{found}");
        let undecided = Scored { decisions: &[], ..scored };
        assert!(F1 {}.compute(undecided).is_err());
    }
}
