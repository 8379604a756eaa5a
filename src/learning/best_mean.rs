//! The candidate with the best mean inner score.

use crate::data::{Choice, FoldScores};
use crate::math::mean;
use crate::operation::prelude::*;

/// Chooses the candidate whose primary metric is best on average over the inner splits.
///
/// # Computation
/// Mean over all inner splits of an outer training set; among equal means the candidate that is
/// written first. A candidate that failed on any inner split cannot be chosen.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BestMean {}

impl Operation for BestMean {
    const ABOUT: About = About {
        name: "best_mean",
        title: "Best mean inner score",
        version: 1,
        sources: &["stone1974"],
        example: "best_mean",
    };
}

impl Tuner for BestMean {
    fn choose(&self, candidates: &[FoldScores], direction: Direction) -> Option<Choice> {
        let inner: Vec<Option<f64>> = candidates
            .iter()
            .map(|candidate| {
                let folds: Option<Vec<f64>> = candidate
                    .folds
                    .iter()
                    .map(|fold| fold.as_ref().ok().copied())
                    .collect();
                mean(&folds?)
            })
            .collect();
        let mut best: Option<(usize, f64)> = None;
        for (position, mean) in inner.iter().enumerate() {
            let Some(mean) = mean else { continue };
            let better = best.is_none_or(|(_, known)| match direction {
                Direction::HigherIsBetter => *mean > known,
                Direction::LowerIsBetter => *mean < known,
                Direction::Closest(best) => (*mean - best).abs() < (known - best).abs(),
            });
            if better {
                best = Some((position, *mean));
            }
        }
        best.map(|(candidate, _)| Choice { candidate, inner })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_equals_is_chosen_and_a_failed_one_never() {
        let scores = |folds: &[Result<f64, String>]| FoldScores { folds: folds.to_vec() };
        let failed = || Err("one class".to_string());
        let candidates = [
            scores(&[Ok(0.5), Ok(0.7)]),
            scores(&[Ok(0.9), failed()]),
            scores(&[Ok(0.8), Ok(0.8)]),
            scores(&[Ok(0.9), Ok(0.7)]),
        ];
        let choice = BestMean {}.choose(&candidates, Direction::HigherIsBetter).unwrap();
        assert_eq!(choice.candidate, 2);
        assert_eq!(choice.inner[1], None);
        let closest = BestMean {}.choose(&candidates, Direction::Closest(0.75)).unwrap();
        assert_eq!(
            closest.candidate, 2,
            "0.8 lies nearer than 0.6, and is written first"
        );
        let lowest = BestMean {}.choose(&candidates, Direction::LowerIsBetter).unwrap();
        assert_eq!(lowest.candidate, 0);
        assert_eq!(
            BestMean {}.choose(&candidates[1..2], Direction::HigherIsBetter),
            None
        );
    }
}
