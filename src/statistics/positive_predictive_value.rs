//! Positive predictive value: how often a positive call is right.

use super::decided::{Decided, again_of_decided};
use crate::operation::prelude::*;

/// Share of the rows called positive that are positive.
///
/// # Computation
/// The positive rows decided positive, over all rows decided positive; pooled within each repeat and
/// averaged. Wilson's interval takes the mean number of rows decided positive.
///
/// # Limits
/// Holds at the prevalence of the rows that were judged, not at another. Without a positive call it is
/// not defined.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PositivePredictiveValue {}

impl Operation for PositivePredictiveValue {
    const ABOUT: About = About {
        name: "positive_predictive_value",
        title: "Positive predictive value",
        version: 1,
        sources: &["altman1994b", "wilson1927"],
        example: "positive_predictive_value",
    };
}

fn of(Decided { hits, alarms, .. }: Decided) -> Result<f64, Failure> {
    if hits + alarms == 0 {
        return Err(Failure::Undefined("no row is called positive"));
    }
    Ok(hits as f64 / (hits + alarms) as f64)
}

impl Metric for PositivePredictiveValue {
    const SCALE: Scale = Scale::PROPORTION;

    fn compute(&self, scored: Scored<'_>) -> Result<f64, Failure> {
        of(Decided::count(scored)?)
    }

    fn again<'a>(&'a self, scored: Scored<'a>) -> Again<'a> {
        again_of_decided(scored, of)
    }

    fn denominator(&self, scored: Scored<'_>) -> usize {
        scored.decisions.iter().filter(|positive| **positive).count()
    }

    fn chance(&self, prevalence: f64) -> Option<f64> {
        Some(prevalence)
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
        let found = PositivePredictiveValue {}.compute(scored).unwrap();
        assert!((found - expected).abs() < 1e-15, "{found}");
        let undecided = Scored { decisions: &[], ..scored };
        assert!(PositivePredictiveValue {}.compute(undecided).is_err());
        assert_eq!(PositivePredictiveValue {}.denominator(scored), 3);
        let none = Scored { decisions: &[false; 5], ..scored };
        assert!(PositivePredictiveValue {}.compute(none).is_err());
    }
}
