//! Candidates weighted by what their out-of-fold predictions are worth together.

use super::inner::{Entrants, best, means};
use crate::data::Member;
use crate::operation::prelude::*;

/// Weighs the probabilities of several candidates so that together they predict best.
///
/// For learners of different kinds. Nothing more is fitted but the weights: they are learned on
/// inner out-of-fold predictions, which no fit of a candidate has seen.
///
/// # Computation
/// Weights w ≥ 0 with Σ w = 1 that minimise the mean log loss of Σ wᵢ pᵢ over the inner
/// out-of-fold rows (the convex super learner of van der Laan, Polley and Hubbard 2007). The
/// problem is that of mixture proportions, so Dempster, Laird and Rubin's iteration
/// wᵢ ← mean of wᵢ qᵢ / Σⱼ wⱼ qⱼ, with q the probability given to what happened, climbs to its
/// optimum from equal weights. Members below `least` are dropped and the rest scaled to 1.
///
/// # Differences
/// Stacking with a logistic regression on the candidates' predictions has free coefficients; with
/// a few dozen events and near-equal candidates they are mostly noise.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Stack {
    /// Which candidates enter: the best of each learner, of each pair of selector and learner, or
    /// all.
    pub of: Entrants,
    /// Smaller weights are dropped.
    #[schemars(range(min = 0.0, max = 0.5))]
    pub least: f64,
}

impl Default for Stack {
    fn default() -> Self {
        Self { of: Entrants::EachLearner, least: 1e-3 }
    }
}

impl Operation for Stack {
    const ABOUT: About = About {
        name: "stack",
        title: "Stacked candidates",
        version: 1,
        sources: &["vanderlaan2007", "dempster1977"],
        example: "stack: { of: each_learner }",
    };
}

impl Tuner for Stack {
    fn choose(&self, contest: &Contest<'_>) -> Option<Choice> {
        let inner = means(contest.candidates);
        let top = best(&inner, contest.direction, |_| true)?;
        let mut entrants = self.of.of(contest, &inner);
        // Of each entrant the probability that it gave to what happened.
        let mut given: Vec<Vec<f64>> = Vec::new();
        entrants.retain(|&candidate| {
            let Some(scores) = (contest.out_of_fold)(candidate) else { return false };
            let pairs = scores.iter().zip(contest.truth);
            given.push(
                pairs.map(|(p, class)| if *class { *p } else { 1.0 - p }).collect(),
            );
            true
        });
        if entrants.is_empty() || contest.truth.is_empty() {
            return Some(Choice::of(top, inner));
        }
        let weights = proportions(&given);
        let kept: Vec<(usize, f64)> =
            entrants.into_iter().zip(weights).filter(|(_, w)| *w >= self.least).collect();
        let sum: f64 = kept.iter().map(|(_, weight)| weight).sum();
        let members: Vec<Member> = kept
            .into_iter()
            .map(|(candidate, weight)| Member { candidate, weight: weight / sum })
            .collect();
        let mut heaviest = members[0];
        for member in &members {
            if member.weight > heaviest.weight {
                heaviest = *member;
            }
        }
        Some(Choice { members, ..Choice::of(heaviest.candidate, inner) })
    }
}

/// Weights no longer move by more than this.
const SETTLED: f64 = 1e-9;
/// A probability of nothing that happened anyway counts as this.
const LEAST: f64 = 1e-6;

/// Mixture proportions of largest likelihood. Shape: one row per member, one column per sample.
fn proportions(given: &[Vec<f64>]) -> Vec<f64> {
    let (m, n) = (given.len(), given[0].len());
    let mut weights = vec![1.0 / m as f64; m];
    for _ in 0..10_000 {
        let mut next = vec![0.0; m];
        for row in 0..n {
            let whole: f64 = (0..m)
                .map(|member| weights[member] * given[member][row].max(LEAST))
                .sum();
            for member in 0..m {
                next[member] += weights[member] * given[member][row].max(LEAST) / whole;
            }
        }
        next.iter_mut().for_each(|weight| *weight /= n as f64);
        let moved = weights.iter().zip(&next).map(|(a, b)| (a - b).abs());
        let settled = moved.fold(0.0, f64::max) < SETTLED;
        weights = next;
        if settled {
            break;
        }
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::super::inner::tests::choose;
    use super::*;

    #[test]
    fn weights_meet_the_conditions_of_the_optimum() {
        // In order: right at first, right at last, wrong everywhere.
        let given = [
            vec![0.9, 0.8, 0.9, 0.3, 0.4],
            vec![0.5, 0.6, 0.4, 0.8, 0.9],
            vec![0.1, 0.1, 0.1, 0.1, 0.1],
        ];
        let weights = proportions(&given);
        assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        // At the optimum the mean of q/Σwq is 1 for members with weight, below 1 for the others.
        for (member, weight) in given.iter().zip(&weights) {
            let mean = (0..5)
                .map(|row| {
                    let whole: f64 =
                        given.iter().zip(&weights).map(|(q, w)| w * q[row]).sum();
                    member[row] / whole
                })
                .sum::<f64>()
                / 5.0;
            match *weight > 1e-3 {
                true => assert!((mean - 1.0).abs() < 1e-5, "{mean}"),
                false => assert!(mean < 1.0),
            }
        }
        assert!(weights[2] < 1e-6);
    }

    #[test]
    fn the_useless_are_dropped_and_the_rest_adds_up() {
        let folds = [vec![Ok(0.6)], vec![Ok(0.8)], vec![Ok(0.7)]];
        let truth = [true, true, false, false];
        let scores = [
            vec![0.9, 0.6, 0.4, 0.2],
            vec![0.6, 0.9, 0.2, 0.4],
            vec![0.1, 0.2, 0.9, 0.8],
        ];
        let choice = choose(&Stack::default(), &folds, &scores, &truth).unwrap();
        let sum: f64 = choice.members.iter().map(|member| member.weight).sum();
        assert!((sum - 1.0).abs() < 1e-12);
        assert!(choice.members.iter().all(|member| member.candidate != 2));
    }
}
