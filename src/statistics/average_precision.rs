//! Average precision: the area under the precision–recall curve, as steps.

use super::band::Ranked;
use super::precision_recall::precision_recall;
use crate::operation::prelude::*;

/// Mean precision over the positives, as the threshold is lowered from one to the next.
///
/// Use it beside the AUROC where positives are rare: it looks only at the rows that are called positive.
/// Chance is the prevalence, so compare it between cohorts of one prevalence only.
///
/// # Computation
/// Σ (Rₙ − Rₙ₋₁)·Pₙ over the distinct scores from the highest down, R recall and P precision at and above
/// the score; pooled within each repeat and averaged. No trapezoids: they are too favourable.
///
/// # Limits
/// Pooling compares scores of different folds, each with a model of its own. Rows without a positive have
/// none.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AveragePrecision {}

impl Operation for AveragePrecision {
    const ABOUT: About = About {
        name: "average_precision",
        title: "Average precision",
        version: 1,
        sources: &["davis2006"],
        example: "average_precision",
    };
}

impl Metric for AveragePrecision {
    const SCALE: Scale = Scale {
        range: (0.0, 1.0),
        direction: Direction::HigherIsBetter,
        chance: None,
        pooling: Pooling::Pooled { resamples: 1000 },
        needs_threshold: false,
        logarithms: false,
    };

    const RANKS: bool = true;

    fn compute(&self, scored: Scored<'_>) -> Result<f64, Failure> {
        let curve = precision_recall(scored.truth, scored.scores);
        let curve = curve.ok_or(Failure::OneClass)?;
        let mut area = 0.0;
        for pair in curve.points.windows(2) {
            area += (pair[1].x - pair[0].x) * pair[1].y;
        }
        Ok(area.min(1.0))
    }

    fn again<'a>(&'a self, scored: Scored<'a>) -> Again<'a> {
        match Ranked::of_rows(scored) {
            Some(mut rows) => Box::new(move |counts| {
                rows.average_precision(counts).ok_or(Failure::OneClass)
            }),
            None => on_copies(self, scored),
        }
    }

    fn chance(&self, prevalence: f64) -> Option<f64> {
        Some(prevalence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_cases_by_hand() {
        let of = |truth: &[bool], scores: &[f64]| {
            AveragePrecision {}.compute(Scored { truth, scores, ..Scored::default() })
        };
        assert_eq!(of(&[true, false], &[0.9, 0.1]), Ok(1.0));
        assert_eq!(of(&[false, true], &[0.9, 0.1]), Ok(0.5));
        assert_eq!(of(&[true, false, true], &[0.9, 0.8, 0.7]), Ok(0.5 + 0.5 * 2.0 / 3.0));
        assert_eq!(of(&[true, false, false, false], &[0.5; 4]), Ok(0.25));
        assert_eq!(of(&[false], &[0.5]), Err(Failure::OneClass));
        assert!(of(&[true, false], &[0.5, f64::NAN]).is_err());
    }
}
