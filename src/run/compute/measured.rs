//! What is measured on held-out predictions over all splits of an analysis.

use std::collections::BTreeSet;

use super::{ComputeError, Computed, Inputs};
use crate::data::{Curve, Estimate, Predictions, Value};
use crate::operation::{Instance, Pooling, Scored};
use crate::statistics;

/// The held-out predictions by repeat, and the outer splits that have none.
type ByRepeat<'a> = (Vec<Vec<&'a Predictions>>, Vec<String>);

fn by_repeat<'a>(
    inputs: &'a Inputs<'_>,
    analysis: usize,
) -> Result<ByRepeat<'a>, ComputeError> {
    let analysis = &inputs.plan.analyses[analysis];
    let mut repeats: Vec<Vec<&Predictions>> = Vec::new();
    let mut failed = Vec::new();
    for (value, nodes) in inputs.values.iter().zip(&analysis.outer) {
        repeats.resize(repeats.len().max(nodes.repeat + 1), Vec::new());
        match &**value {
            Value::Predictions(predictions) => repeats[nodes.repeat].push(predictions),
            Value::Failed(why) => failed.push(format!(
                "repeat {}, split {}: {why}",
                nodes.repeat + 1,
                nodes.outer + 1
            )),
            other => return Err(ComputeError::Kind(other.kind(), "predictions")),
        }
    }
    Ok((repeats, failed))
}

/// The reasons of failed splits, each once and without its place.
fn distinct(failed: &[String]) -> String {
    let reason = |text: &String| match text.split_once(": ") {
        Some((place, reason)) if place.starts_with("repeat ") => reason.to_string(),
        _ => text.clone(),
    };
    let reasons: BTreeSet<String> = failed.iter().map(reason).collect();
    reasons.into_iter().collect::<Vec<_>>().join("; ")
}

fn decisions(predictions: &Predictions) -> Vec<bool> {
    let Some(threshold) = predictions.threshold else { return Vec::new() };
    predictions.scores.iter().map(|score| *score >= threshold).collect()
}

pub fn measure(inputs: &Inputs<'_>, analysis: usize, metric: usize) -> Computed {
    let evaluate = &inputs.study.evaluate;
    let used = if metric == 0 { &evaluate.primary } else { &evaluate.also[metric - 1] };
    let Instance::Metric(metric) = &used.instance else {
        unreachable!("`spec` puts a metric here")
    };
    let (repeats, mut failed) = by_repeat(inputs, analysis)?;
    let scale = metric.scale();
    let estimate = match scale.pooling {
        Pooling::FoldMean => {
            let mut folds = Vec::new();
            let mut held_out = 0;
            for (repeat, predictions) in repeats.iter().enumerate() {
                for (split, fold) in predictions.iter().enumerate() {
                    let decisions = decisions(fold);
                    let (truth, scores) = (&fold.truth, &fold.scores);
                    match metric.compute(Scored { truth, scores, decisions: &decisions })
                    {
                        Ok(value) => {
                            folds.push(value);
                            held_out += fold.rows.len();
                        }
                        Err(failure) => failed.push(format!(
                            "repeat {}, split {}: {failure}",
                            repeat + 1,
                            split + 1
                        )),
                    }
                }
            }
            let Some(mean) = crate::math::mean(&folds) else {
                return Ok(Value::Failed(distinct(&failed)));
            };
            let n: usize =
                repeats.first().map_or(0, |r| r.iter().map(|f| f.rows.len()).sum());
            let n_test = held_out as f64 / folds.len() as f64;
            let interval =
                statistics::nadeau_bengio(&folds, n as f64 - n_test, n_test, 0.95);
            let (lower, upper) = interval.unzip();
            Estimate {
                estimate: mean,
                lower,
                upper,
                method: format!(
                    "mean over {} held-out folds; approximate 95 % interval from the corrected \
                     resampled variance (1/J + n_test/n_train)·S², t with J − 1 degrees of freedom",
                    folds.len()
                ),
                folds,
                failed_folds: failed,
            }
        }
        Pooling::Proportion => {
            let mut values = Vec::new();
            let mut n = 0;
            for predictions in &repeats {
                let mut truth = Vec::new();
                let mut scores = Vec::new();
                let mut decided = Vec::new();
                for fold in predictions {
                    truth.extend(&fold.truth);
                    scores.extend(&fold.scores);
                    decided.extend(decisions(fold));
                }
                n = n.max(metric.denominator(&truth));
                let scored =
                    Scored { truth: &truth, scores: &scores, decisions: &decided };
                if truth.is_empty() {
                    continue; // Why is told with the splits that failed.
                }
                match metric.compute(scored) {
                    Ok(value) => values.push(value),
                    Err(failure) => failed.push(failure.to_string()),
                }
            }
            let Some(mean) = crate::math::mean(&values) else {
                return Ok(Value::Failed(distinct(&failed)));
            };
            let (lower, upper) =
                statistics::wilson(mean * n as f64, n as f64, 0.95).unzip();
            Estimate {
                estimate: mean,
                lower,
                upper,
                method: format!(
                    "pooled within each repeat and averaged over {} repeats, each fold at its own \
                     threshold; Wilson's 95 % interval with n = {n} patients",
                    values.len()
                ),
                folds: values,
                failed_folds: failed,
            }
        }
    };
    Ok(Value::Estimate(estimate))
}

/// ROC curves pooled within each repeat, and their mean as the last curve.
pub fn roc(inputs: &Inputs<'_>, analysis: usize) -> Computed {
    let (repeats, failed) = by_repeat(inputs, analysis)?;
    let mut curves: Vec<Curve> = Vec::new();
    for predictions in &repeats {
        let truth: Vec<bool> = predictions.iter().flat_map(|f| f.truth.clone()).collect();
        let scores: Vec<f64> =
            predictions.iter().flat_map(|f| f.scores.clone()).collect();
        if let Some(curve) = statistics::roc_curve(&truth, &scores) {
            curves.push(curve);
        }
    }
    if curves.is_empty() {
        return Ok(Value::Failed(distinct(&failed)));
    }
    let mean = statistics::mean_curve(&curves);
    curves.push(mean);
    Ok(Value::Curves(curves))
}
