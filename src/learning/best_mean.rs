//! The candidate with the best mean inner score.

use super::inner::{best, means};
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
    fn choose(&self, contest: &Contest<'_>) -> Option<Choice> {
        let inner = means(contest.candidates);
        let chosen = best(&inner, contest.direction, |_| true)?;
        Some(Choice::of(chosen, inner))
    }
}

#[cfg(test)]
mod tests {
    use super::super::inner::tests::choose;
    use super::*;
    use crate::data::NoScore;

    #[test]
    fn the_first_of_equals_is_chosen() {
        let folds =
            [vec![Ok(0.5), Ok(0.7)], vec![Ok(0.8), Ok(0.8)], vec![Ok(0.9), Ok(0.7)]];
        let choice = choose(&BestMean {}, &folds, &[], &[]).unwrap();
        assert_eq!((choice.candidate, choice.members.len()), (Some(1), 1));
        let failed = NoScore::Failed("no".to_string());
        assert_eq!(choose(&BestMean {}, &[vec![Err(failed)]], &[], &[]), None);
    }
}
