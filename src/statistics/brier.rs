//! Brier score: the mean squared distance of a probability from what happened.

use super::counted::mean_of_drawn;
use super::probabilities::paired;
use crate::operation::prelude::*;

/// Mean squared difference between predicted probability and class; 0 is perfect.
///
/// It judges calibration and discrimination together. Read it against the score of the prevalence alone,
/// p(1 − p); `scaled_brier` does that division.
///
/// # Computation
/// Mean of (p − y)² over rows, pooled within each repeat and averaged.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Brier {}

impl Operation for Brier {
    const ABOUT: About = About {
        name: "brier",
        title: "Brier score",
        version: 1,
        sources: &["brier1950"],
        example: "brier",
    };
}

impl Metric for Brier {
    const SCALE: Scale = Scale {
        range: (0.0, 1.0),
        direction: Direction::LowerIsBetter,
        chance: None,
        pooling: Pooling::Pooled { resamples: 1000 },
        needs_threshold: false,
        logarithms: false,
    };

    fn compute(&self, scored: Scored<'_>) -> Result<f64, Failure> {
        let squares = paired(scored)?.map(|(y, p)| (p - y) * (p - y)).sum::<f64>();
        Ok(squares / scored.truth.len() as f64)
    }

    fn again<'a>(&'a self, scored: Scored<'a>) -> Again<'a> {
        let Ok(rows) = paired(scored) else { return on_copies(self, scored) };
        let squares: Vec<f64> = rows.map(|(y, p)| (p - y) * (p - y)).collect();
        Box::new(move |counts| mean_of_drawn(&squares, counts))
    }

    fn chance(&self, prevalence: f64) -> Option<f64> {
        Some(prevalence * (1.0 - prevalence))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_cases_by_hand() {
        let of = |truth: &[bool], scores: &[f64]| {
            Brier {}.compute(Scored { truth, scores, ..Scored::default() })
        };
        assert_eq!(of(&[true, false], &[0.5, 0.5]), Ok(0.25));
        assert_eq!(of(&[true, false], &[1.0, 0.0]), Ok(0.0));
        assert!(of(&[], &[]).is_err());
        assert!(of(&[true], &[f64::NAN]).is_err());
    }
}
