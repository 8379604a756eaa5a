//! Candidates that fall behind are not scored any further.

use super::inner::{best, means};
use crate::operation::prelude::*;

/// Scores all candidates on one inner split, the better half on a second, and so on.
///
/// For large grids: most of the work goes to candidates that matter. The choice is the best mean
/// among those that were scored on every inner split.
///
/// # Computation
/// Rungs end after 1, η, η², … inner splits. At the end of each the best ⌈n/η⌉ of the n candidates
/// by their mean so far go on, the earlier written first among equals (Jamieson and Talwalkar
/// 2016, with inner splits as the resource). By another metric others go on: a study that changes it
/// fits those anew.
///
/// Survivors are known once a rung is over, and every fit is made on the training rows of its own
/// inner split: what a candidate says of held-out rows is the same with or without the others. Which
/// candidates are there to say something has seen all inner splits so far, as any choice by inner
/// scores has; inner scores choose and are never shown as performance, and the certificate counts
/// these uses.
///
/// Decision values, such as those of a support vector machine, become probabilities by Platt's map from
/// the other inner splits scored so far. After the first there are none: the map of each of its rows is
/// then learned from other patients of that split, in five parts that hold both classes (Platt 1999,
/// cross-validated as there; Lin et al. 2007). So no map has seen the row that it judges. A metric of
/// probabilities, such as `brier`, judges those learners and learners of probabilities alike: both pay
/// for what they have learned from few rows.
///
/// # Differences
/// scikit-learn's `HalvingGridSearchCV` spends training rows, not splits; with a hundred patients
/// a fraction of the rows says little about the whole.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SuccessiveHalving {
    /// η: how many times fewer candidates go on after each rung.
    #[schemars(range(min = 2, max = 10))]
    pub factor: usize,
}

impl Default for SuccessiveHalving {
    fn default() -> Self {
        Self { factor: 2 }
    }
}

impl Operation for SuccessiveHalving {
    const ABOUT: About = About {
        name: "successive_halving",
        title: "Successive halving",
        version: 1,
        sources: &["jamieson2016", "platt1999", "lin2007"],
        example: "successive_halving: { factor: 2 }",
    };
}

impl Tuner for SuccessiveHalving {
    fn choose(&self, contest: &Contest<'_>) -> Option<Choice> {
        let inner = means(contest.candidates);
        let chosen = best(&inner, contest.direction, |_| true)?;
        Some(Choice::of(chosen, inner))
    }

    fn halving(&self) -> Option<usize> {
        Some(self.factor)
    }
}

#[cfg(test)]
mod tests {
    use super::super::inner::tests::choose;
    use super::*;
    use crate::data::NoScore;

    #[test]
    fn only_those_that_came_to_the_end_are_eligible() {
        let out = || Err(NoScore::LeftOut { after: 1 });
        let folds =
            [vec![Ok(0.9), out()], vec![Ok(0.8), Ok(0.6)], vec![Ok(0.7), Ok(0.8)]];
        let choice = choose(&SuccessiveHalving::default(), &folds, &[], &[]).unwrap();
        assert_eq!(choice.candidate, Some(2));
        assert_eq!(SuccessiveHalving { factor: 3 }.halving(), Some(3));
    }
}
