//! Youden's index: the threshold where sensitivity and specificity together are highest.

use crate::operation::prelude::*;

/// Threshold that maximises sensitivity + specificity − 1.
///
/// Use it when both kinds of error weigh the same; a clinical rule is better where they do not.
///
/// # Computation
/// Every score is tried; rows at or above the threshold are called positive. Among equal maxima
/// the highest threshold is taken.
///
/// # Limits
/// Unstable in small samples; learned on inner out-of-fold predictions only.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Youden {}

impl Operation for Youden {
    const ABOUT: About = About {
        name: "youden",
        title: "Youden's index",
        version: 1,
        sources: &["youden1950"],
        example: "youden",
    };
}

impl Calibrator for Youden {
    fn threshold(&self, truth: &[bool], scores: &[f64]) -> Result<f64, Failure> {
        let positive = truth.iter().filter(|positive| **positive).count();
        let negative = truth.len() - positive;
        if positive == 0 || negative == 0 {
            return Err(Failure::OneClass);
        }
        let mut order: Vec<usize> = (0..truth.len()).collect();
        order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
        let (mut hits, mut alarms) = (0usize, 0usize);
        let mut best = (f64::NEG_INFINITY, 0.0);
        for (position, &row) in order.iter().enumerate() {
            if truth[row] {
                hits += 1;
            } else {
                alarms += 1;
            }
            let tied = order.get(position + 1).is_some_and(|&n| scores[n] == scores[row]);
            // Whole numbers, so that equal indices compare as equal.
            let index = (hits * negative) as f64 - (alarms * positive) as f64;
            if !tied && index > best.0 {
                best = (index, scores[row]);
            }
        }
        Ok(best.1)
    }

    fn in_words(&self) -> String {
        "Youden's index".to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_cut_is_found() {
        let youden = |truth: &[bool], scores: &[f64]| Youden {}.threshold(truth, scores);
        let truth = [true, true, false, true, false, false];
        assert_eq!(youden(&truth, &[0.9, 0.8, 0.7, 0.6, 0.5, 0.1]), Ok(0.8));
        assert_eq!(youden(&[true, false], &[0.5, 0.5]), Ok(0.5));
        assert_eq!(youden(&[true], &[0.5]), Err(Failure::OneClass));
    }
}
