//! Logarithmic loss: how surprising the classes are under the predicted probabilities.

use super::counted::mean_of_drawn;
use super::probabilities::{LEAST, paired};
use crate::math::ln;
use crate::operation::prelude::*;

/// Mean negative log likelihood of the classes; 0 is perfect.
///
/// It punishes confident mistakes hardest, and is proper: the true probabilities make it smallest.
///
/// # Computation
/// Mean of −ln p over positives and −ln(1 − p) over negatives, pooled within each repeat and averaged.
/// Probabilities of 0 or 1 are moved half a step of the learner's resolution, and the report says how
/// many; for a learner without steps, and while candidates are chosen, by 2⁻⁵³.
///
/// # Limits
/// In units of nats; compare it with −φ ln φ − (1 − φ) ln(1 − φ) of the prevalence φ.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LogLoss {}

impl Operation for LogLoss {
    const ABOUT: About = About {
        name: "log_loss",
        title: "Logarithmic loss",
        version: 1,
        sources: &["good1952"],
        example: "log_loss",
    };
}

/// Of a row, by its class and probability.
fn loss((y, p): (f64, f64)) -> f64 {
    let right = if y == 1.0 { p } else { 1.0 - p };
    -ln(right.max(LEAST))
}

impl Metric for LogLoss {
    const SCALE: Scale = Scale {
        range: (0.0, f64::INFINITY),
        direction: Direction::LowerIsBetter,
        chance: None,
        pooling: Pooling::Pooled { resamples: 1000 },
        needs_threshold: false,
        logarithms: true,
    };

    fn compute(&self, scored: Scored<'_>) -> Result<f64, Failure> {
        Ok(paired(scored)?.map(loss).sum::<f64>() / scored.truth.len() as f64)
    }

    fn again<'a>(&'a self, scored: Scored<'a>) -> Again<'a> {
        let Ok(rows) = paired(scored) else { return on_copies(self, scored) };
        let losses: Vec<f64> = rows.map(loss).collect();
        Box::new(move |counts| mean_of_drawn(&losses, counts))
    }

    fn chance(&self, prevalence: f64) -> Option<f64> {
        let part = |p: f64| if p > 0.0 { -p * ln(p) } else { 0.0 };
        Some(part(prevalence) + part(1.0 - prevalence))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_cases_by_hand() {
        let of = |truth: &[bool], scores: &[f64]| {
            LogLoss {}.compute(Scored { truth, scores, ..Scored::default() })
        };
        assert_eq!(of(&[true, false], &[0.5, 0.5]), Ok(ln(2.0)));
        assert_eq!(of(&[true, false], &[1.0, 0.0]), Ok(0.0));
        assert_eq!(of(&[true], &[0.0]), Ok(-ln(LEAST)), "moved, not infinite");
        assert_eq!(LogLoss {}.chance(0.5), Some(ln(2.0)));
    }
}
