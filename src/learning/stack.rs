//! Candidates weighted by what their out-of-fold predictions are worth together.

use super::inner::{Entrants, best, means};
use crate::data::Member;
use crate::math::{Matrix, dot, ln};
use crate::operation::prelude::*;

/// Weighs the probabilities of several candidates so that together they predict best.
///
/// For learners of different kinds. Nothing more is fitted but the weights: they are learned on
/// inner out-of-fold predictions, which no fit of a candidate has seen.
///
/// # Computation
/// Weights w ≥ 0 with Σ w = 1 that minimise the mean log loss of Σ wᵢ pᵢ over the inner
/// out-of-fold rows (the convex super learner of van der Laan, Polley and Hubbard 2007). The
/// problem is that of mixture proportions. Dempster, Laird and Rubin's iteration
/// wᵢ ← mean of wᵢ qᵢ / Σⱼ wⱼ qⱼ, with q the probability given to what happened, leads from equal
/// weights to the neighbourhood of the optimum, and projected Newton steps to the optimum
/// (Bertsekas 1982). Members that say the same share their weight evenly. Members below `least` are
/// dropped and the rest scaled to 1.
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
        // 1: first release. 2: weights are those of the optimum, not of a number of iterations.
        version: 2,
        sources: &["vanderlaan2007", "dempster1977", "bertsekas1982"],
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

    fn chooses_one(&self) -> bool {
        false
    }

    fn by_scores(&self) -> bool {
        false
    }
}

/// A probability of nothing that happened anyway counts as this.
const LEAST: f64 = 1e-6;
/// Steps by which the weights leave where they start, all alike.
const CLIMBS: usize = 50;
/// Newton's steps that end it at the latest; some ten are taken.
const STEPS: usize = 200;
/// So far from the conditions of the optimum is at it.
const SETTLED: f64 = 1e-12;
/// What rounding adds to the loss, or takes from it.
const ROUNDING: f64 = 1e-14;

/// Mixture proportions of largest likelihood. Shape: one row per member, one column per sample.
///
/// The weights w ≥ 0 that minimise Σw − mean ln(wᵀq) add up to 1 by themselves, as the slopes show:
/// Σ wᵢ·(1 − mean qᵢ/(wᵀq)) = Σw − 1. So only the bounds are left to keep: Newton's method on the
/// weights that are free, projected. Dempster's iteration alone comes near in a few steps and then
/// crawls, the more the likelier members resemble each other.
fn proportions(given: &[Vec<f64>]) -> Vec<f64> {
    let likelihood = Likelihood::of(given);
    let mut weights = vec![1.0 / given.len() as f64; given.len()];
    for _ in 0..CLIMBS {
        let slopes = likelihood.slopes(&weights);
        weights.iter_mut().zip(slopes).for_each(|(weight, slope)| *weight *= 1.0 - slope);
    }
    for _ in 0..STEPS {
        match likelihood.nearer(&weights) {
            Some(next) => weights = next,
            None => break,
        }
    }
    let sum: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|weight| *weight /= sum);
    weights
}

/// What members gave to what happened, sample by sample.
struct Likelihood {
    samples: Matrix,
}

impl Likelihood {
    fn of(given: &[Vec<f64>]) -> Self {
        let (m, n) = (given.len(), given[0].len());
        let of_sample =
            |row: usize| given.iter().map(move |member| member[row].max(LEAST));
        Self { samples: Matrix { n, p: m, values: (0..n).flat_map(of_sample).collect() } }
    }

    /// By sample: the probability that the members together gave.
    fn together(&self, weights: &[f64]) -> Vec<f64> {
        (0..self.samples.n).map(|row| dot(self.samples.row(row), weights)).collect()
    }

    fn loss(&self, weights: &[f64]) -> f64 {
        let logs: f64 = self.together(weights).into_iter().map(ln).sum();
        weights.iter().sum::<f64>() - logs / self.samples.n as f64
    }

    /// By member: how fast the loss rises with its weight.
    fn slopes(&self, weights: &[f64]) -> Vec<f64> {
        let n = self.samples.n as f64;
        let shares: Vec<f64> =
            self.together(weights).into_iter().map(|whole| 1.0 / (n * whole)).collect();
        let pulls = self.samples.transposed_times(&shares);
        pulls.into_iter().map(|pull| 1.0 - pull).collect()
    }

    /// Curvatures of the loss between these members.
    fn curvatures(&self, weights: &[f64], members: &[usize]) -> Matrix {
        let (n, m) = (self.samples.n, members.len());
        let mut curvatures = Matrix { n: m, p: m, values: vec![0.0; m * m] };
        for (row, whole) in self.together(weights).into_iter().enumerate() {
            let sample = self.samples.row(row);
            let of: Vec<f64> = members.iter().map(|at| sample[*at] / whole).collect();
            for (i, a) in of.iter().enumerate() {
                for (sum, b) in curvatures.values[i * m..].iter_mut().zip(&of[..=i]) {
                    *sum += a * b / n as f64;
                }
            }
        }
        // Of members that say the same all shares are as good: the trace keeps them as they are.
        let trace: f64 = (0..m).map(|i| curvatures.values[i * m + i]).sum();
        (0..m).for_each(|i| curvatures.values[i * m + i] += 1e-10 * trace);
        curvatures
    }

    /// Weights of a lower loss, if there are any.
    ///
    /// Source: bertsekas1982, equation 32 and proposition 3.
    fn nearer(&self, weights: &[f64]) -> Option<Vec<f64>> {
        let slopes = self.slopes(weights);
        let distance = apart(weights, &slopes);
        if distance <= SETTLED {
            return None;
        }
        let near = distance.min(1e-3);
        let bound = |at: &usize| weights[*at] <= near && slopes[*at] > 0.0;
        let (held, free): (Vec<usize>, Vec<usize>) = (0..weights.len()).partition(bound);
        let mut step: Vec<f64> = vec![0.0; weights.len()];
        held.iter().for_each(|at| step[*at] = -weights[*at]);
        let downhill: Vec<f64> = free.iter().map(|at| -slopes[*at]).collect();
        let newton = self.curvatures(weights, &free).solve(&downhill)?;
        free.iter().zip(newton).for_each(|(at, step_of)| step[*at] = step_of);
        let loss = self.loss(weights);
        let mut length = 1.0;
        while length > 1e-10 {
            let moved = weights.iter().zip(&step).map(|(w, d)| (w + length * d).max(0.0));
            let next: Vec<f64> = moved.collect();
            let gain = loss - self.loss(&next);
            // At the end the loss no longer tells, and its slopes still do.
            let nearer = || apart(&next, &self.slopes(&next)) < distance / 2.0;
            if gain > ROUNDING || gain >= -ROUNDING && nearer() {
                return Some(next);
            }
            length /= 2.0;
        }
        None // Rounding is all that is left.
    }
}

/// How far weights are from the conditions of the optimum: a slope of 0, or a weight of 0 and a slope
/// that keeps it there.
fn apart(weights: &[f64], slopes: &[f64]) -> f64 {
    let each = weights.iter().zip(slopes).map(|(weight, slope)| weight.min(*slope).abs());
    each.fold(0.0, f64::max)
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
                true => assert!((mean - 1.0).abs() < 1e-10, "{mean}"),
                false => assert!(mean < 1.0),
            }
        }
        assert_eq!(weights[2], 0.0);
    }

    /// Where members nearly agree, Dempster's iteration is far from its end after 10,000 steps.
    #[test]
    fn members_that_nearly_agree_are_weighed_as_exactly() {
        let base: Vec<f64> =
            (0..60).map(|i| 0.3 + 0.5 * f64::from(i * 37 % 60) / 60.0).collect();
        let near = |by: f64, of: i32| -> Vec<f64> {
            let moved = base.iter().zip(0i32..);
            moved.map(|(p, i)| p + by * f64::from((i * of) % 7 - 3)).collect()
        };
        let given = [near(1e-3, 2), near(1e-3, 3), near(2e-3, 5), near(1e-3, 2)];
        let weights = proportions(&given);
        let slopes = Likelihood::of(&given).slopes(&weights);
        for (weight, slope) in weights.iter().zip(slopes) {
            assert!(weight.min(slope).abs() < 1e-10, "{weight} {slope}");
        }
        assert!(
            (weights[0] - weights[3]).abs() < 1e-6,
            "copies share evenly: {weights:?}"
        );
    }

    #[test]
    fn one_member_and_copies_of_one_are_no_trouble() {
        assert_eq!(proportions(&[vec![0.2, 0.9]]), [1.0]);
        let copies = proportions(&vec![vec![0.2, 0.9, 0.0]; 3]);
        assert!(
            copies.iter().all(|weight| (weight - 1.0 / 3.0).abs() < 1e-9),
            "{copies:?}"
        );
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
