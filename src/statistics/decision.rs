//! What decisions at a threshold probability are worth.

use crate::data::DecisionPoint;
use crate::operation::Scored;

/// Net benefit of treating the rows whose probability is at least `at`.
///
/// Units: true positives per row. Source: vickers2006.
pub fn net_benefit(truth: &[bool], probabilities: &[f64], at: f64) -> f64 {
    let n = truth.len() as f64;
    let (mut hits, mut alarms) = (0.0, 0.0);
    for (positive, p) in truth.iter().zip(probabilities) {
        if *p >= at {
            if *positive {
                hits += 1.0;
            } else {
                alarms += 1.0;
            }
        }
    }
    hits / n - alarms / n * (at / (1.0 - at))
}

/// Net benefit at each of several thresholds, of rows that are drawn: by where each row lies among them.
pub struct NetBenefits<'a> {
    truth: &'a [bool],
    /// In rising order.
    thresholds: &'a [f64],
    /// By row: how many thresholds it reaches.
    reached: Vec<u32>,
}

impl<'a> NetBenefits<'a> {
    /// Shapes: one probability per row, with its class; `thresholds` rise.
    pub fn new(truth: &'a [bool], probabilities: &[f64], thresholds: &'a [f64]) -> Self {
        let reached = |p: &f64| thresholds.partition_point(|at| *p >= *at) as u32;
        Self { truth, thresholds, reached: probabilities.iter().map(reached).collect() }
    }

    /// By threshold, as [`net_benefit`] has it for copies of the rows, each as often as it was drawn.
    pub fn of(&self, drawn: &[u32]) -> Vec<f64> {
        let n = f64::from(drawn.iter().sum::<u32>());
        let mut counts = vec![[0u64; 2]; self.thresholds.len() + 1];
        for ((times, reached), class) in drawn.iter().zip(&self.reached).zip(self.truth) {
            counts[*reached as usize][usize::from(*class)] += u64::from(*times);
        }
        let mut benefits = vec![0.0; self.thresholds.len()];
        let (mut hits, mut alarms) = (0, 0);
        let falling = benefits.iter_mut().zip(self.thresholds).zip(&counts[1..]).rev();
        for ((benefit, at), [negative, positive]) in falling {
            hits += positive;
            alarms += negative;
            *benefit = hits as f64 / n - alarms as f64 / n * (at / (1.0 - at));
        }
        benefits
    }
}

/// Net benefit of decisions that were made at a threshold probability for each row.
///
/// `None` without rows, where lengths differ, and where a row without the outcome is treated at a
/// threshold of 1, which weighs a false positive without end.
///
/// Units: true positives per row. Source: vickers2006.
pub fn benefit_of_decisions(
    truth: &[bool],
    decisions: &[bool],
    thresholds: &[f64],
) -> Option<f64> {
    let n = truth.len();
    if n == 0 || decisions.len() != n || thresholds.len() != n {
        return None;
    }
    let rows = truth.iter().zip(decisions).zip(thresholds);
    let mut sum = 0.0;
    for ((truth, decision), threshold) in rows {
        sum += benefit_of_decision(*truth, *decision, *threshold)?;
    }
    Some(sum / n as f64)
}

/// What one decision adds; `None` for a false positive at a threshold of 1.
fn benefit_of_decision(truth: bool, decision: bool, threshold: f64) -> Option<f64> {
    match (decision, truth) {
        (true, true) => Some(1.0),
        (true, false) if threshold >= 1.0 => None,
        (true, false) => Some(-threshold.max(0.0) / (1.0 - threshold)),
        (false, _) => Some(0.0),
    }
}

/// What each row adds to the net benefit of decisions, of which [`benefit_of_decisions`] is the mean where
/// it has a value.
pub fn benefits_of_rows(scored: Scored<'_>) -> Vec<f64> {
    let rows = scored.truth.iter().zip(scored.decisions).zip(scored.thresholds);
    let benefit = |((truth, decision), threshold): ((&bool, &bool), &f64)| {
        benefit_of_decision(*truth, *decision, *threshold).unwrap_or(f64::NEG_INFINITY)
    };
    rows.map(benefit).collect()
}

/// Net benefit of treating everybody.
pub fn treat_all(truth: &[bool], at: f64) -> f64 {
    let share = truth.iter().filter(|class| **class).count() as f64 / truth.len() as f64;
    share - (1.0 - share) * (at / (1.0 - at))
}

/// Thresholds from `low` to `high` at which a curve is drawn; 0.99 at most, where odds end.
pub fn thresholds((low, high): (f64, f64)) -> Vec<f64> {
    const STEPS: usize = 50;
    let high = high.min(0.99);
    if low >= high {
        return vec![low.min(0.99)];
    }
    (0..=STEPS).map(|step| low + (high - low) * step as f64 / STEPS as f64).collect()
}

/// Stretches of neighbouring points at which the model beats treating everybody and nobody.
///
/// Where the model treats everybody, the two are one number with another rounding: that is no advantage.
pub fn useful(points: &[DecisionPoint]) -> Vec<(f64, f64)> {
    const ROUNDING: f64 = 1e-9;
    let mut stretches: Vec<(f64, f64)> = Vec::new();
    let mut open = false;
    for point in points {
        let better = point.model > point.treat_all.max(0.0) + ROUNDING;
        match (better, open) {
            (true, true) => {
                if let Some(last) = stretches.last_mut() {
                    last.1 = point.threshold;
                }
            }
            (true, false) => stretches.push((point.threshold, point.threshold)),
            (false, _) => {}
        }
        open = better;
    }
    stretches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let truth = [true, false, false, true];
        assert_eq!(net_benefit(&truth, &[0.5, 0.5, 0.1, 0.4], 0.5), 0.0);
        assert_eq!(net_benefit(&truth, &[0.5, 0.5, 0.1, 0.4], 0.2), 0.5 - 0.25 * 0.25);
        assert_eq!(treat_all(&truth, 0.5), 0.0);
        let decisions = [true, true, false, true];
        assert_eq!(
            benefit_of_decisions(&truth, &decisions, &[0.2; 4]),
            Some(0.5 - 0.25 * 0.25)
        );
        assert_eq!(
            benefit_of_decisions(&truth, &[true; 4], &[0.5; 4]),
            Some(treat_all(&truth, 0.5))
        );
        assert_eq!(benefit_of_decisions(&truth, &decisions, &[1.0; 4]), None);
        assert_eq!(benefit_of_decisions(&truth, &[], &[]), None);
        let grid = thresholds((0.1, 0.6));
        assert_eq!((grid.len(), grid[0], grid[50]), (51, 0.1, 0.6));
        assert!(thresholds((0.0, 1.0)).iter().all(|t| *t < 1.0));
    }

    #[test]
    fn of_rows_that_are_drawn_it_is_that_of_their_copies() {
        let truth = [true, false, false, true, true];
        let p = [0.5, 0.3, 0.1, 0.31, f64::NAN];
        let grid = thresholds((0.1, 0.5));
        let found = NetBenefits::new(&truth, &p, &grid).of(&[1, 1, 1, 2, 1]);
        let classes = [true, false, false, true, true, true];
        let copies = [0.5, 0.3, 0.1, 0.31, 0.31, f64::NAN];
        for (at, found) in grid.iter().zip(found) {
            assert_eq!(found, net_benefit(&classes, &copies, *at));
        }
    }

    fn point(threshold: f64, model: f64, treat_all: f64) -> DecisionPoint {
        DecisionPoint { threshold, model, lower: None, upper: None, treat_all }
    }

    #[test]
    fn stretches_where_a_model_is_useful_are_joined() {
        let points = [
            point(0.1, 0.3, 0.3),
            point(0.2, 0.2, 0.1),
            point(0.3, 0.1, 0.0),
            point(0.4, -0.1, -0.2),
            point(0.5, 0.01, -0.4),
        ];
        assert_eq!(useful(&points), [(0.2, 0.3), (0.5, 0.5)]);
    }

    #[test]
    fn a_model_that_treats_everybody_is_no_better_than_treating_everybody() {
        let mut apart = 0;
        for n in 20..120usize {
            for positive in 1..n {
                let truth: Vec<bool> = (0..n).map(|row| row < positive).collect();
                let model = net_benefit(&truth, &vec![0.9; n], 0.1);
                let all = treat_all(&truth, 0.1);
                apart += usize::from(model > all);
                assert!(
                    useful(&[point(0.1, model, all.max(0.0))]).is_empty() || all < 0.0
                );
            }
        }
        assert!(apart > 0, "rounding parts some");
    }
}
