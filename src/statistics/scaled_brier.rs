//! Scaled Brier score: how much better than the prevalence alone.

use super::counted::{mean_of_drawn, of_class};
use super::probabilities::paired;
use crate::operation::prelude::*;

/// Brier score as a share of what predicting the prevalence leaves; 1 is perfect, 0 no better than it.
///
/// # Computation
/// 1 − Brier / (φ(1 − φ)), φ the share of positives among the rows judged; pooled within each repeat and
/// averaged. Below 0 for predictions that are worse than the prevalence.
///
/// # Limits
/// Rows of one class have none.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ScaledBrier {}

impl Operation for ScaledBrier {
    const ABOUT: About = About {
        name: "scaled_brier",
        title: "Scaled Brier score",
        version: 1,
        sources: &["steyerberg2010"],
        example: "scaled_brier",
    };
}

/// A mean square as a share of what the prevalence leaves.
fn scaled(squares: f64, share: f64) -> Result<f64, Failure> {
    if share == 0.0 || share == 1.0 {
        return Err(Failure::OneClass);
    }
    Ok(1.0 - squares / (share * (1.0 - share)))
}

impl Metric for ScaledBrier {
    const SCALE: Scale = Scale {
        range: (f64::NEG_INFINITY, 1.0),
        direction: Direction::HigherIsBetter,
        chance: None,
        pooling: Pooling::Pooled { resamples: 1000 },
        needs_threshold: false,
        logarithms: false,
    };

    fn compute(&self, scored: Scored<'_>) -> Result<f64, Failure> {
        let n = scored.truth.len() as f64;
        let squares = paired(scored)?.map(|(y, p)| (p - y) * (p - y)).sum::<f64>();
        scaled(
            squares / n,
            scored.truth.iter().filter(|class| **class).count() as f64 / n,
        )
    }

    fn again<'a>(&'a self, scored: Scored<'a>) -> Again<'a> {
        let Ok(rows) = paired(scored) else { return on_copies(self, scored) };
        let squares: Vec<f64> = rows.map(|(y, p)| (p - y) * (p - y)).collect();
        Box::new(move |counts| {
            let squares = mean_of_drawn(&squares, counts)?;
            let (n, positive) = of_class(scored.truth, counts);
            scaled(squares, f64::from(positive) / f64::from(n))
        })
    }

    fn chance(&self, _prevalence: f64) -> Option<f64> {
        Some(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_cases_by_hand() {
        let of = |truth: &[bool], scores: &[f64]| {
            ScaledBrier {}.compute(Scored { truth, scores, ..Scored::default() })
        };
        assert_eq!(of(&[true, false], &[0.5, 0.5]), Ok(0.0));
        assert_eq!(of(&[true, false], &[1.0, 0.0]), Ok(1.0));
        assert_eq!(of(&[true, false], &[0.0, 1.0]), Ok(-3.0));
        assert_eq!(of(&[true], &[0.5]), Err(Failure::OneClass));
    }
}
