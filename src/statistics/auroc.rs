//! Area under the ROC curve: how often a positive scores above a negative.

use super::band::Ranked;
use crate::operation::prelude::*;

/// Area under the receiver operating characteristic curve.
///
/// The primary measure of discrimination: it needs no threshold and does not depend on prevalence.
///
/// # Computation
/// The share of pairs of a positive and a negative in which the positive scores higher; equal
/// scores count one half (Mann–Whitney).
///
/// # Limits
/// Says nothing about calibration. Rows of one class have none.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Auroc {}

impl Operation for Auroc {
    const ABOUT: About = About {
        name: "auroc",
        title: "Area under the ROC curve",
        version: 1,
        sources: &["hanley1982"],
        example: "auroc",
    };
}

impl Metric for Auroc {
    const SCALE: Scale = Scale {
        range: (0.0, 1.0),
        direction: Direction::HigherIsBetter,
        chance: Some(0.5),
        pooling: Pooling::FoldMean,
        needs_threshold: false,
        logarithms: false,
    };

    const RANKS: bool = true;

    fn compute(&self, scored: Scored<'_>) -> Result<f64, Failure> {
        let n = scored.truth.len();
        let positive = scored.truth.iter().filter(|positive| **positive).count();
        if positive == 0 || positive == n {
            return Err(Failure::OneClass);
        }
        // It equals no score, not even itself: its run of ties would never end.
        if scored.scores.iter().any(|score| score.is_nan()) {
            return Err(Failure::NotFinite("a score".to_string()));
        }
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|&a, &b| scored.scores[a].total_cmp(&scored.scores[b]));
        // The sum of the positives' ranks, where equal scores share the middle of their ranks.
        let mut rank_sum = 0.0;
        let mut start = 0;
        while start < n {
            let score = scored.scores[order[start]];
            let tied =
                order[start..].iter().take_while(|&&row| scored.scores[row] == score);
            let end = start + tied.count();
            let middle = (start + 1 + end) as f64 / 2.0;
            let hits = order[start..end].iter().filter(|&&row| scored.truth[row]).count();
            rank_sum += middle * hits as f64;
            start = end;
        }
        let positive = positive as f64;
        let pairs = positive * (n as f64 - positive);
        Ok((rank_sum - positive * (positive + 1.0) / 2.0) / pairs)
    }

    fn again<'a>(&'a self, scored: Scored<'a>) -> Again<'a> {
        match Ranked::of_rows(scored) {
            Some(mut rows) => {
                Box::new(move |counts| rows.auroc(counts).ok_or(Failure::OneClass))
            }
            None => on_copies(self, scored),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn auroc(truth: &[bool], scores: &[f64]) -> Result<f64, Failure> {
        Auroc {}.compute(Scored { truth, scores, ..Scored::default() })
    }

    #[test]
    fn small_cases_by_hand() {
        assert_eq!(auroc(&[false, true], &[0.1, 0.9]), Ok(1.0));
        assert_eq!(auroc(&[false, true], &[0.9, 0.1]), Ok(0.0));
        assert_eq!(auroc(&[false, true, true], &[0.5, 0.5, 0.9]), Ok(0.75));
        assert_eq!(auroc(&[true, true], &[0.5, 0.9]), Err(Failure::OneClass));
        assert_eq!(auroc(&[], &[]), Err(Failure::OneClass));
    }

    #[test]
    fn a_score_that_is_no_number_is_refused() {
        let refused = Err(Failure::NotFinite("a score".to_string()));
        for nan in [f64::NAN, -f64::NAN] {
            assert_eq!(auroc(&[false, true, true], &[nan, 0.5, 0.9]), refused);
            assert_eq!(auroc(&[false, true, true], &[0.1, 0.5, nan]), refused);
        }
        let infinite = [f64::NEG_INFINITY, 0.5, f64::INFINITY];
        assert_eq!(auroc(&[false, true, true], &infinite), Ok(1.0), "they have ranks");
    }

    proptest! {
        #[test]
        fn it_counts_pairs(rows in prop::collection::vec((any::<bool>(), 0u8..5), 2..40)) {
            let truth: Vec<bool> = rows.iter().map(|row| row.0).collect();
            let scores: Vec<f64> = rows.iter().map(|row| f64::from(row.1)).collect();
            let (mut won, mut pairs) = (0.0, 0.0);
            for (i, _) in truth.iter().enumerate().filter(|(_, t)| **t) {
                for (j, _) in truth.iter().enumerate().filter(|(_, t)| !**t) {
                    pairs += 1.0;
                    won += match scores[i].total_cmp(&scores[j]) {
                        std::cmp::Ordering::Greater => 1.0,
                        std::cmp::Ordering::Equal => 0.5,
                        std::cmp::Ordering::Less => 0.0,
                    };
                }
            }
            match auroc(&truth, &scores) {
                Ok(value) => prop_assert!((value - won / pairs).abs() < 1e-12),
                Err(_) => prop_assert_eq!(pairs, 0.0),
            }
        }
    }
}
