//! The threshold at which mistakes cost least.

use crate::operation::prelude::*;

/// Threshold with the lowest total cost of false positives and false negatives.
///
/// Use it where the two kinds of mistake can be weighed; only the ratio of the costs matters.
///
/// # Computation
/// `false_positive` × negatives called positive + `false_negative` × positives called negative, for
/// every score as threshold and for calling nobody positive. Rows at or above the threshold are
/// called positive. Among equal costs the highest threshold is taken; calling nobody positive is the
/// number that follows the highest score.
///
/// # Differences
/// Learned from scores. For calibrated probabilities the best threshold is known beforehand,
/// `false_positive` / (`false_positive` + `false_negative`): state it with `fixed`.
///
/// # Limits
/// Costs count at the prevalence of the rows that it was learned on.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Cost {
    /// What calling a negative positive costs.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub false_positive: f64,
    /// What calling a positive negative costs.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub false_negative: f64,
}

impl Default for Cost {
    fn default() -> Self {
        Self { false_positive: 1.0, false_negative: 1.0 }
    }
}

impl Operation for Cost {
    const ABOUT: About = About {
        name: "cost",
        title: "Lowest cost of mistakes",
        version: 1,
        sources: &["elkan2001"],
        example: "cost: { false_positive: 1, false_negative: 4 }",
    };
}

impl Calibrator for Cost {
    fn check(&self, problems: &mut Problems) {
        if self.false_positive == 0.0 && self.false_negative == 0.0 {
            problems
                .error("`cost` has no mistake that costs anything")
                .parameter("false_negative")
                .hint("only the ratio of the two costs matters, such as 1 to 4");
        }
    }

    fn threshold(&self, truth: &[bool], scores: &[f64]) -> Result<f64, Failure> {
        let positive = truth.iter().filter(|positive| **positive).count();
        if positive == 0 || positive == truth.len() {
            return Err(Failure::OneClass);
        }
        let mut order: Vec<usize> = (0..truth.len()).collect();
        order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
        let cost = |hits: usize, alarms: usize| {
            self.false_positive * alarms as f64
                + self.false_negative * (positive - hits) as f64
        };
        let mut best = (cost(0, 0), scores[order[0]].next_up());
        let (mut hits, mut alarms) = (0usize, 0usize);
        for (position, &row) in order.iter().enumerate() {
            if truth[row] {
                hits += 1;
            } else {
                alarms += 1;
            }
            let tied = order.get(position + 1).is_some_and(|&n| scores[n] == scores[row]);
            let here = cost(hits, alarms);
            if !tied && here < best.0 {
                best = (here, scores[row]);
            }
        }
        Ok(best.1)
    }

    fn in_words(&self) -> String {
        format!(
            "lowest cost, a false positive at {} and a false negative at {}",
            self.false_positive, self.false_negative
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_that_cost_nothing_are_refused() {
        for (false_positive, false_negative, n) in [(0.0, 0.0, 1), (0.0, 1.0, 0)] {
            let mut problems = Problems::default();
            Cost { false_positive, false_negative }.check(&mut problems);
            assert_eq!(problems.into_vec().len(), n);
        }
    }

    #[test]
    fn dear_mistakes_move_it() {
        let truth = [true, false, true, false];
        let scores = [0.9, 0.7, 0.4, 0.1];
        let at = |false_positive, false_negative| {
            Cost { false_positive, false_negative }.threshold(&truth, &scores).unwrap()
        };
        assert_eq!(at(1.0, 1.0), 0.9, "equal costs: the highest");
        assert_eq!(at(1.0, 4.0), 0.4);
        assert_eq!(at(1.0, 0.0), 0.9f64.next_up(), "nobody");
        assert_eq!(at(0.0, 1.0), 0.4);
        assert!(Cost::default().threshold(&[true], &[0.5]).is_err());
    }
}
