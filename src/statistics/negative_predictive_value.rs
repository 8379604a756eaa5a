//! Negative predictive value: how often a negative call is right.

use super::decided::{Decided, again_of_decided};
use crate::operation::prelude::*;

/// Share of the rows called negative that are negative.
///
/// # Computation
/// The negative rows decided negative, over all rows decided negative; pooled within each repeat and
/// averaged. Wilson's interval takes the mean number of rows decided negative.
///
/// # Limits
/// Holds at the prevalence of the rows that were judged, not at another. Without a negative call it is
/// not defined.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NegativePredictiveValue {}

impl Operation for NegativePredictiveValue {
    const ABOUT: About = About {
        name: "negative_predictive_value",
        title: "Negative predictive value",
        version: 1,
        sources: &["altman1994b", "wilson1927"],
        example: "negative_predictive_value",
    };
}

fn of(Decided { misses, passes, .. }: Decided) -> Result<f64, Failure> {
    if misses + passes == 0 {
        return Err(Failure::Undefined("no row is called negative"));
    }
    Ok(passes as f64 / (misses + passes) as f64)
}

impl Metric for NegativePredictiveValue {
    const SCALE: Scale = Scale::PROPORTION;

    fn compute(&self, scored: Scored<'_>) -> Result<f64, Failure> {
        of(Decided::count(scored)?)
    }

    fn again<'a>(&'a self, scored: Scored<'a>) -> Again<'a> {
        again_of_decided(scored, of)
    }

    fn denominator(&self, scored: Scored<'_>) -> usize {
        scored.decisions.iter().filter(|positive| !**positive).count()
    }

    fn chance(&self, prevalence: f64) -> Option<f64> {
        Some(1.0 - prevalence)
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
        let found = NegativePredictiveValue {}.compute(scored).unwrap();
        assert!((found - expected).abs() < 1e-15, "{found}");
        let undecided = Scored { decisions: &[], ..scored };
        assert!(NegativePredictiveValue {}.compute(undecided).is_err());
        assert_eq!(NegativePredictiveValue {}.denominator(scored), 2);
        let all = Scored { decisions: &[true; 5], ..scored };
        assert!(NegativePredictiveValue {}.compute(all).is_err());
    }
}
