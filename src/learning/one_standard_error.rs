//! The first candidate that is as good as the best, but for noise.

use super::inner::{best, means, whole};
use crate::math::{mean, sqrt, variance};
use crate::operation::prelude::*;

/// Chooses the candidate that is written first among those within one standard error of the best.
///
/// Write candidates from the simplest to the most complex: fewer columns before more, stronger
/// penalties before weaker ones. The rule then prefers the simpler model unless the gain is more
/// than noise.
///
/// # Computation
/// The standard error is that of the best candidate's mean over J inner splits, s/√J. Among
/// candidates with a score on every inner split the first whose mean is not worse than the best
/// mean by more than that (Breiman et al. 1984, section 3.4.3).
///
/// # Limits
/// Inner training sets overlap, so s/√J understates the error; it is a rule of thumb for choosing,
/// never an interval.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OneStandardError {}

impl Operation for OneStandardError {
    const ABOUT: About = About {
        name: "one_standard_error",
        title: "One-standard-error rule",
        version: 1,
        sources: &["breiman1984"],
        example: "one_standard_error",
    };
}

impl Tuner for OneStandardError {
    fn choose(&self, contest: &Contest<'_>) -> Option<Choice> {
        let inner = means(contest.candidates);
        let top = best(&inner, contest.direction, |_| true)?;
        let folds = whole(&contest.candidates[top])?;
        let best_mean = mean(&folds)?;
        let error = variance(&folds).map_or(0.0, |s2| sqrt(s2 / folds.len() as f64));
        let near = inner.iter().position(|mean| {
            mean.is_some_and(|mean| match contest.direction {
                Direction::HigherIsBetter => mean >= best_mean - error,
                Direction::LowerIsBetter => mean <= best_mean + error,
                Direction::Closest(at) => {
                    (mean - at).abs() <= (best_mean - at).abs() + error
                }
            })
        });
        Some(Choice::of(near.unwrap_or(top), inner))
    }
}

#[cfg(test)]
mod tests {
    use super::super::inner::tests::choose;
    use super::*;

    #[test]
    fn the_first_within_one_error_of_the_best_is_chosen() {
        // The best has mean 0.8 and standard error √(0.02/2) = 0.1.
        let folds =
            [vec![Ok(0.69), Ok(0.69)], vec![Ok(0.71), Ok(0.71)], vec![Ok(0.7), Ok(0.9)]];
        let choice = choose(&OneStandardError {}, &folds, &[], &[]).unwrap();
        assert_eq!(choice.candidate, Some(1));
        // One split has no spread: then only equals are near.
        let folds = [vec![Ok(0.7)], vec![Ok(0.8)]];
        assert_eq!(
            choose(&OneStandardError {}, &folds, &[], &[]).unwrap().candidate,
            Some(1)
        );
    }
}
