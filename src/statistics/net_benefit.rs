//! Net benefit: true positives less the false ones, weighed by what the threshold says of their cost.

use super::counted::mean_of_drawn;
use super::decision::{benefit_of_decisions, benefits_of_rows, net_benefit};
use super::probabilities::checked;
use crate::operation::prelude::*;

/// True positives per patient, less false positives at the exchange rate that the threshold implies.
///
/// A threshold probability of 0.2 says that one missed positive weighs like four false alarms. Compare it
/// with treating everybody and treating nobody (0); the decision curve does, over `decision_range`.
///
/// # Computation
/// TP/n − FP/n · t/(1 − t). With `at`, rows whose probability is at least t = `at` are treated. Without
/// it, rows are treated as decided at the declared threshold, and each fold's own threshold is its t.
/// Pooled within each repeat and averaged.
///
/// # Limits
/// A learned threshold, such as Youden's, is no statement about costs: state `at`, or a fixed threshold.
/// In units of true positives per patient.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NetBenefit {
    /// Threshold probability; without it the declared threshold.
    #[schemars(range(min = 0, max = 0.99))]
    pub at: Option<f64>,
}

impl Operation for NetBenefit {
    const ABOUT: About = About {
        name: "net_benefit",
        title: "Net benefit",
        version: 1,
        sources: &["vickers2006"],
        example: "net_benefit: { at: 0.2 }",
    };
}

impl Metric for NetBenefit {
    const SCALE: Scale = Scale {
        range: (f64::NEG_INFINITY, 1.0),
        direction: Direction::HigherIsBetter,
        chance: None,
        pooling: Pooling::Pooled { resamples: 1000 },
        needs_threshold: true,
        logarithms: false,
    };

    fn scale(&self) -> Scale {
        Scale { needs_threshold: self.at.is_none(), ..Self::SCALE }
    }

    fn compute(&self, scored: Scored<'_>) -> Result<f64, Failure> {
        if let Some(at) = self.at {
            checked(scored)?;
            return Ok(net_benefit(scored.truth, scored.scores, at));
        }
        let n = scored.truth.len();
        if n == 0 || scored.decisions.len() != n || scored.thresholds.len() != n {
            return Err(Failure::Undefined("no threshold was declared"));
        }
        benefit_of_decisions(scored.truth, scored.decisions, scored.thresholds).ok_or(
            Failure::Undefined("a threshold of 1 weighs a false positive without end"),
        )
    }

    fn again<'a>(&'a self, scored: Scored<'a>) -> Again<'a> {
        if self.compute(scored).is_err() {
            return on_copies(self, scored);
        }
        // All rows have a benefit, and so have those that are drawn.
        let rows = match self.at {
            Some(at) => {
                let decisions: Vec<bool> =
                    scored.scores.iter().map(|p| *p >= at).collect();
                let thresholds = vec![at; decisions.len()];
                benefits_of_rows(Scored {
                    decisions: &decisions,
                    thresholds: &thresholds,
                    ..scored
                })
            }
            None => benefits_of_rows(scored),
        };
        Box::new(move |counts| mean_of_drawn(&rows, counts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_cases_by_hand() {
        let truth = [true, true, false, false];
        let scores = [0.9, 0.2, 0.6, 0.1];
        let at = |at| {
            let scored = Scored { truth: &truth, scores: &scores, ..Scored::default() };
            NetBenefit { at: Some(at) }.compute(scored).unwrap()
        };
        assert_eq!(at(0.5), 0.25 - 0.25);
        assert_eq!(at(0.2), 0.5 - 0.25 * 0.2 / 0.8);
        let decided = Scored {
            truth: &truth,
            scores: &scores,
            decisions: &[true, false, true, false],
            thresholds: &[0.5, 0.5, 0.2, 0.2],
        };
        let found = NetBenefit::default().compute(decided).unwrap();
        assert_eq!(found, (1.0 - 0.25) / 4.0, "each row at its own threshold");
        assert!(
            NetBenefit::default().compute(Scored { thresholds: &[], ..decided }).is_err()
        );
        assert!(NetBenefit::default().scale().needs_threshold);
        assert!(!NetBenefit { at: Some(0.2) }.scale().needs_threshold);
    }
}
