//! Inner scores of candidates: their means, and the best among some of them.

use crate::data::FoldScores;
use crate::math::mean;
use crate::operation::prelude::*;

/// The mean over all inner splits; `None` for a candidate that failed on any of them.
pub(super) fn means(candidates: &[FoldScores]) -> Vec<Option<f64>> {
    candidates.iter().map(|candidate| mean(&whole(candidate)?)).collect()
}

/// The scores of a candidate that has one on every inner split.
pub(super) fn whole(candidate: &FoldScores) -> Option<Vec<f64>> {
    candidate.folds.iter().map(|fold| fold.as_ref().ok().copied()).collect()
}

/// The first of the best of those that `among` takes.
pub(super) fn best(
    means: &[Option<f64>],
    direction: Direction,
    among: impl Fn(usize) -> bool,
) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for (position, mean) in means.iter().enumerate().filter(|(at, _)| among(*at)) {
        let Some(mean) = mean else { continue };
        if best.is_none_or(|(_, known)| direction.better(*mean, known)) {
            best = Some((position, *mean));
        }
    }
    best.map(|(candidate, _)| candidate)
}

/// Which candidates enter an ensemble.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Entrants {
    /// The best candidate of each learner.
    #[default]
    EachLearner,
    /// The best candidate of each pair of selector and learner.
    EachPair,
    /// Every candidate.
    All,
}

impl Entrants {
    /// Their positions, ascending.
    pub(super) fn of(self, contest: &Contest<'_>, means: &[Option<f64>]) -> Vec<usize> {
        let mut entrants: Vec<usize> = match self {
            Self::All => (0..means.len()).filter(|&at| means[at].is_some()).collect(),
            Self::EachPair => best_of_each(contest, means, |cell| cell),
            Self::EachLearner => {
                best_of_each(contest, means, |(_, learner)| (0, learner))
            }
        };
        entrants.sort_unstable();
        entrants
    }
}

fn best_of_each(
    contest: &Contest<'_>,
    means: &[Option<f64>],
    kind: fn((usize, usize)) -> (usize, usize),
) -> Vec<usize> {
    let mut kinds: Vec<(usize, usize)> =
        contest.cells.iter().map(|cell| kind(*cell)).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let of_kind = kinds.into_iter();
    of_kind
        .filter_map(|wanted| {
            best(means, contest.direction, |at| kind(contest.cells[at]) == wanted)
        })
        .collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::data::NoScore;

    /// Candidates with these scores, one learner each, and these out-of-fold probabilities.
    pub fn choose(
        tuner: &impl Tuner,
        folds: &[Vec<Result<f64, NoScore>>],
        out_of_fold: &[Vec<f64>],
        truth: &[bool],
    ) -> Option<Choice> {
        let candidates: Vec<FoldScores> =
            folds.iter().map(|folds| FoldScores { folds: folds.clone() }).collect();
        let cells: Vec<(usize, usize)> = (0..folds.len()).map(|at| (0, at)).collect();
        tuner.choose(&Contest {
            candidates: &candidates,
            direction: Direction::HigherIsBetter,
            cells: &cells,
            truth,
            out_of_fold: &|at| out_of_fold.get(at).cloned(),
        })
    }

    #[test]
    fn the_first_of_equals_is_best_and_a_failed_one_never() {
        let failed = NoScore::Failed("one class".to_string());
        let candidates = [
            FoldScores { folds: vec![Ok(0.5), Ok(0.7)] },
            FoldScores { folds: vec![Ok(0.9), Err(failed)] },
            FoldScores { folds: vec![Ok(0.8), Ok(0.8)] },
            FoldScores { folds: vec![Ok(0.9), Ok(0.7)] },
        ];
        let means = means(&candidates);
        assert_eq!(means[1], None);
        assert_eq!(best(&means, Direction::HigherIsBetter, |_| true), Some(2));
        assert_eq!(best(&means, Direction::LowerIsBetter, |_| true), Some(0));
        // 0.8 lies as near as 0.6 would, but for rounding nearer: the first of the nearest.
        assert_eq!(best(&means, Direction::Closest(0.79), |_| true), Some(2));
        assert_eq!(best(&means, Direction::HigherIsBetter, |at| at == 1), None);
    }

    #[test]
    fn entrants_are_the_best_of_their_kind() {
        let means = [Some(0.6), Some(0.7), None, Some(0.5), Some(0.5)];
        let cells = [(0, 0), (1, 0), (0, 1), (1, 1), (1, 1)];
        let contest = Contest {
            candidates: &[],
            direction: Direction::HigherIsBetter,
            cells: &cells,
            truth: &[],
            out_of_fold: &|_| None,
        };
        assert_eq!(Entrants::EachLearner.of(&contest, &means), [1, 3]);
        assert_eq!(Entrants::EachPair.of(&contest, &means), [0, 1, 3]);
        assert_eq!(Entrants::All.of(&contest, &means), [0, 1, 3, 4]);
    }
}
