//! The rows that an outer split holds out, and the threshold by which they were decided.

use super::Context;
use crate::data::{FoldRecord, ThresholdFacts};
use crate::math;
use crate::operation::Instance;
use crate::run::compute::in_fold;
use crate::spec::Study;

impl Context<'_> {
    pub(super) fn fold(
        &self,
        case: usize,
        (repeat, outer): (usize, usize),
        (n_train, without_columns): (usize, bool),
        predictions: &crate::data::Predictions,
    ) -> FoldRecord {
        let Instance::Metric(primary) = &self.study.evaluate.primary.instance else {
            unreachable!("`spec` puts a metric here")
        };
        let truth = &predictions.truth;
        let case = self.plan.cases[case];
        FoldRecord {
            repeat,
            outer,
            n_train: n_train.into(),
            n_held_out: predictions.rows.len().into(),
            positive_held_out: truth.iter().filter(|positive| **positive).count().into(),
            value: in_fold(self.study, case, primary.as_ref(), predictions).ok(),
            candidate: predictions.candidate,
            falls_back: predictions.falls_back,
            without_columns,
            threshold: predictions.threshold,
        }
    }
}

/// Where the thresholds of the folds lie.
pub(super) fn thresholds(folds: &[FoldRecord]) -> Option<ThresholdFacts> {
    let mut learned: Vec<f64> = folds.iter().filter_map(|fold| fold.threshold).collect();
    learned.retain(|threshold| threshold.is_finite());
    learned.sort_by(f64::total_cmp);
    Some(ThresholdFacts {
        n: learned.len(),
        median: math::median(&learned)?,
        lowest: *learned.first()?,
        highest: *learned.last()?,
    })
}

/// The threshold rule in words, if one was declared.
pub fn threshold_words(study: &Study) -> Option<String> {
    let threshold = study.evaluate.threshold.as_ref()?;
    let Instance::Calibrator(rule) = &threshold.rule.instance else {
        unreachable!("`spec` puts a threshold rule here")
    };
    Some(match rule.is_learned() {
        true => {
            format!("{}, learned on inner out-of-fold predictions", rule.in_words())
        }
        false => format!("{}, stated beforehand", rule.in_words()),
    })
}
