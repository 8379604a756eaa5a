//! What is measured on held-out predictions over all splits of an analysis.

use std::collections::{BTreeMap, BTreeSet};

use super::pools::{Pool, Pools, step};
use super::{ComputeError, Computed, Inputs};
use crate::data::{
    Compared, Estimate, GroupDifference, GroupEstimate, GroupMeasure, Heterogeneity,
    Interval, OuterSplit, Predictions, SiteEstimate, SitesEstimate, Value,
};
use crate::operation::{Again, AnyMetric, Instance, Judged, Pooling, Scored};
use crate::plan::{Case, Judgement};
use crate::spec::{Named, Study, Subgroup};
use crate::statistics::{self, Limited, inwards};
use crate::survey::View;

const LEVEL: f64 = 0.95;
/// Of patients, where an estimate has no closed form.
const RESAMPLES: usize = 1000;
/// Below this many rows of a class an interval rests on them alone.
const FEW: usize = 10;
/// Sites with fewer rows of a class are shown and not pooled.
const FEW_AT_SITE: usize = 5;

/// How held-out predictions are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Folds whose training sets overlap.
    Folds,
    Sites,
    /// One set of rows.
    Once,
}

/// Held-out predictions by repeat, and the splits that have none.
pub struct Held<'a> {
    pub repeats: Vec<Vec<&'a Predictions>>,
    /// How many rows each of them was learned from; empty for a frozen model.
    pub training: Vec<Vec<usize>>,
    pub failed: Vec<String>,
    pub how: How,
    /// Rows of the cohort: what strata are given for.
    pub cohort: usize,
    /// Whose candidates the predictions are of.
    pub case: usize,
    /// Whether the rows are of a cohort that the model was not made in.
    pub external: bool,
}

impl Held<'_> {
    /// The same judgement of some of its predictions.
    fn only<'b>(&self, repeats: Vec<Vec<&'b Predictions>>) -> Held<'b> {
        Held { repeats, training: Vec::new(), failed: Vec::new(), ..*self }
    }
}

/// Repeat, outer split, and of how many rows it was learned where that counts.
type Place = (usize, usize, Option<usize>);

pub fn judged<'a>(
    inputs: &'a Inputs<'_>,
    of: Judgement,
    values: std::ops::Range<usize>,
) -> Result<Held<'a>, ComputeError> {
    let values = &inputs.values[values];
    let mut repeats: Vec<Vec<&Predictions>> = Vec::new();
    let mut training: Vec<Vec<usize>> = Vec::new();
    let mut failed = Vec::new();
    let (case, how, places): (usize, How, Vec<Place>) = match of {
        Judgement::Internal(at) | Judgement::Learning { analysis: at, .. } => {
            let analysis = &inputs.plan.analyses[at];
            let (repeats, part) = match (of, &analysis.learning) {
                (Judgement::Learning { part, .. }, Some(learning)) => {
                    (learning.repeats, part.map(|at| &learning.parts[at]))
                }
                _ => (usize::MAX, None),
            };
            let scheme = &inputs.study.validate[analysis.scheme];
            let Instance::Resampling(resampling) = &scheme.resampling.instance else {
                unreachable!("`spec` puts a resampling scheme here")
            };
            let outcome = inputs.plan.cases[analysis.case].outcome;
            let outcome = inputs.study.outcomes[outcome].name.clone();
            let splits = &inputs.survey.splits[&(scheme.name.clone(), outcome)];
            let used = analysis.outer.iter().filter(|nodes| nodes.repeat < repeats);
            let places = used.enumerate().map(|(at, nodes)| {
                let OuterSplit { split, .. } = &splits.repeats[nodes.repeat][nodes.outer];
                let split = part.map_or(split, |part| &part.splits[at].0.split);
                (nodes.repeat, nodes.outer, Some(split.train.len()))
            });
            let places: Vec<Place> = places.collect();
            let how = match resampling.judged() {
                Judged::Sites => How::Sites,
                Judged::Folds if places.len() == 1 => How::Once,
                Judged::Folds => How::Folds,
            };
            (analysis.case, how, places)
        }
        Judgement::External(at) => {
            (inputs.plan.external[at].case, How::Once, vec![(0, 0, None)])
        }
        Judgement::Apparent(at) => {
            (inputs.plan.frozen[at].case, How::Once, vec![(0, 0, None)])
        }
    };
    for (value, (repeat, outer, n_train)) in values.iter().zip(places) {
        repeats.resize(repeats.len().max(repeat + 1), Vec::new());
        training.resize(repeats.len(), Vec::new());
        match &**value {
            Value::Predictions(predictions) => {
                repeats[repeat].push(predictions);
                training[repeat].extend(n_train);
            }
            Value::Failed(why) => {
                failed.push(format!("repeat {}, split {}: {why}", repeat + 1, outer + 1))
            }
            other => return Err(ComputeError::Kind(other.kind(), "predictions")),
        }
    }
    let external = matches!(of, Judgement::External(_));
    let cohort = inputs.plan.cases[case].cohort;
    Ok(Held { repeats, training, failed, how, cohort, case, external })
}

/// The reasons of failed splits, each once and without its place.
pub fn distinct(failed: &[String]) -> String {
    let reason = |text: &String| match text.split_once(": ") {
        Some((place, reason)) if place.starts_with("repeat ") => reason.to_string(),
        _ => text.clone(),
    };
    let reasons: BTreeSet<String> = failed.iter().map(reason).collect();
    reasons.into_iter().collect::<Vec<_>>().join("; ")
}

pub fn decisions(predictions: &Predictions) -> Vec<bool> {
    let Some(threshold) = predictions.threshold else { return Vec::new() };
    predictions.scores.iter().map(|score| *score >= threshold).collect()
}

pub fn measure(inputs: &Inputs<'_>, of: Judgement, metric: usize) -> Computed {
    let used = inputs.study.evaluate.metrics().nth(metric);
    let used = used.expect("`plan` counts the study's metrics");
    let Instance::Metric(metric) = &used.instance else {
        unreachable!("`spec` puts a metric here")
    };
    let judged = judged(inputs, of, 0..inputs.values.len())?;
    let auroc = used.about.name == "auroc";
    let scale = metric.scale();
    if scale.needs_threshold
        && judged.repeats.iter().flatten().all(|fold| fold.threshold.is_none())
        && !judged.repeats.iter().all(Vec::is_empty)
    {
        return Ok(Value::Failed("no threshold is applied here".to_string()));
    }
    Ok(match (scale.pooling, judged.how) {
        (Pooling::FoldMean, How::Sites) if auroc => {
            sites(inputs, &judged, metric.as_ref())
        }
        (Pooling::FoldMean, How::Once) if auroc => once(inputs, &judged, metric.as_ref()),
        (Pooling::FoldMean, how) => {
            let case = inputs.plan.cases[judged.case];
            let value =
                |fold: &Predictions| in_fold(inputs.study, case, metric.as_ref(), fold);
            let pairs = pairs_of_a_repeat(inputs, &judged, &|_| Some(0));
            match fold_mean(&judged, &value, pairs) {
                Value::Estimate(mut estimate) if auroc && how == How::Folds => {
                    let other = by_influence(inputs, &judged, &estimate);
                    if other.as_ref().is_some_and(|other| narrower(&estimate, other)) {
                        estimate.method.push_str(NARROWER);
                    }
                    estimate.other_intervals.extend(other);
                    Value::Estimate(estimate)
                }
                other => other,
            }
        }
        (Pooling::Proportion, _) => {
            let pools = Pools::of(inputs, &judged, scale.logarithms);
            shares(inputs, &judged, &pools, metric.as_ref())
        }
        (Pooling::Pooled { resamples }, _) => {
            let pools = Pools::of_metric(inputs, &judged, metric.as_ref());
            pooled(inputs, &judged, &pools, metric.as_ref(), resamples)
        }
    })
}

/// The metric on the rows of one fold of a case, with certainties moved as where folds are pooled.
pub fn in_fold(
    study: &Study,
    case: Case,
    metric: &dyn AnyMetric,
    fold: &Predictions,
) -> Result<f64, String> {
    let decisions = decisions(fold);
    let thresholds: Vec<f64> =
        fold.threshold.map_or(Vec::new(), |at| vec![at; fold.rows.len()]);
    let mut moved = Vec::new();
    if metric.scale().logarithms {
        moved.clone_from(&fold.scores);
        inwards(&mut moved, step(study, case, fold));
    }
    let scores = match (metric.ranks_only(), metric.scale().logarithms) {
        (true, _) => fold.ranks(),
        (false, true) => &moved,
        (false, false) => &fold.scores,
    };
    let scored = Scored {
        truth: &fold.truth,
        scores,
        decisions: &decisions,
        thresholds: &thresholds,
    };
    metric.compute(scored).map_err(|failure| failure.to_string())
}

/// The standard deviation over folds, whatever the estimate was pooled over.
fn sd_folds(
    inputs: &Inputs<'_>,
    judged: &Held<'_>,
    metric: &dyn AnyMetric,
) -> Option<f64> {
    let folds = judged.repeats.iter().flatten();
    let case = inputs.plan.cases[judged.case];
    let value = |fold: &&Predictions| in_fold(inputs.study, case, metric, fold).ok();
    let values: Vec<f64> = folds.filter_map(value).collect();
    crate::math::variance(&values).map(crate::math::sqrt)
}

/// The interval of a mean AUROC from its influence curve, if every fold has both classes and some row
/// of one is ranked otherwise than the rest.
fn by_influence(
    inputs: &Inputs<'_>,
    judged: &Held<'_>,
    estimate: &Estimate,
) -> Option<Interval> {
    let patients = patients(inputs, judged);
    let mut variances = Vec::new();
    let mut clustered = false;
    for folds in &judged.repeats {
        let units: Vec<Vec<u32>> = folds
            .iter()
            .map(|fold| fold.rows.iter().map(|row| patients[*row as usize]).collect())
            .collect();
        let distinct = |units: &Vec<u32>| units.iter().collect::<BTreeSet<_>>().len();
        clustered |= units.iter().any(|units| distinct(units) < units.len());
        let folds: Vec<(&[bool], &[f64], &[u32])> = folds
            .iter()
            .zip(&units)
            .map(|(fold, units)| (&fold.truth[..], fold.ranks(), &units[..]))
            .collect();
        let se = statistics::influence_se(&folds)?;
        variances.push(se * se);
    }
    let variance = crate::math::mean(&variances).filter(|variance| *variance > 0.0)?;
    let half = 1.959_963_984_540_054 * crate::math::sqrt(variance);
    let rows = match clustered {
        true => "the rows of a patient count together, patients as independent",
        false => "rows count as independent",
    };
    Some(Interval {
        lower: (estimate.estimate - half).max(0.0),
        upper: (estimate.estimate + half).min(1.0),
        method: format!(
            "influence curve, its variance averaged over repeats; {rows}, and the variation of the \
             choice among candidates is left out"
        ),
    })
}

/// What is said of folds that are more alike than so many rows are, as where they were stratified by what
/// the model looks at.
const NARROWER: &str = ", narrower here than that of the influence curve: the folds are more alike than \
                        as many independent patients would make them";

fn narrower(estimate: &Estimate, than: &Interval) -> bool {
    let width = estimate.lower.zip(estimate.upper).map(|(lower, upper)| upper - lower);
    width.is_some_and(|width| width < than.upper - than.lower)
}

/// By row of the cohort, whose it is.
fn patients<'a>(inputs: &'a Inputs<'_>, judged: &Held<'_>) -> &'a [u32] {
    &inputs.survey.cohorts[&inputs.study.cohorts[judged.cohort].name].groups
}

/// A metric pooled within each repeat and averaged, with an interval by resampling patients.
fn pooled(
    inputs: &Inputs<'_>,
    judged: &Held<'_>,
    pools: &Pools,
    metric: &dyn AnyMetric,
    resamples: usize,
) -> Value {
    let mut failed = judged.failed.clone();
    let mut values = Vec::new();
    for pool in &pools.repeats {
        if pool.truth.is_empty() {
            continue; // Why is told with the splits that failed.
        }
        match metric.compute(pool.scored()) {
            Ok(value) => values.push(value),
            Err(failure) => failed.push(failure.to_string()),
        }
    }
    let Some(mean) = crate::math::mean(&values) else {
        return Value::Failed(distinct(&failed));
    };
    let all = pools.repeats.len();
    let (interval, mut words) = match all - values.len() {
        0 => resampled(inputs, pools, metric, resamples),
        none => {
            let have = if none == 1 { "repeat has" } else { "repeats have" };
            (None, format!("no interval, since {none} {have} no value"))
        }
    };
    // Resamples repeat patients, which moves the distances of a curve upwards: the percentiles may
    // then leave the estimate out, and are no interval for it.
    let holds = |(lower, upper): &(f64, f64)| *lower <= mean && mean <= *upper;
    let held = interval.filter(holds);
    words = match (interval, held) {
        (Some((lower, upper)), None) => format!(
            "no interval: the middle 95 % of {resamples} resamples of {}, {lower:.3} to \
             {upper:.3}, do not hold the estimate",
            pools.drawn()
        ),
        (_, Some(_)) if judged.how != How::Once => {
            format!("{words}, which leaves out the variation of training sets")
        }
        _ => words,
    };
    let (lower, upper) = held.unzip();
    let method = match judged.how {
        How::Once => words,
        _ => format!("{}; {words}", put_together(values.len(), all)),
    };
    Value::Estimate(Estimate {
        estimate: mean,
        lower,
        upper,
        method: pools.add_moved(method),
        folds: values,
        failed_folds: failed,
        prediction: None,
        sd_folds: sd_folds(inputs, judged, metric),
        other_intervals: Vec::new(),
    })
}

/// How values were put together, of which so many repeats have one.
fn put_together(defined: usize, all: usize) -> String {
    let over = match (defined, all) {
        (_, 1) => return "pooled over the folds".to_string(),
        (defined, all) if defined == all => format!("{all} repeats"),
        _ => format!("the {defined} of {all} repeats in which it has a value"),
    };
    format!("pooled within each repeat and averaged over {over}")
}

/// The percentile interval of a metric over resamples of patients, and how it was made.
fn resampled(
    inputs: &Inputs<'_>,
    pools: &Pools,
    metric: &dyn AnyMetric,
    resamples: usize,
) -> (Option<(f64, f64)>, String) {
    let repeats = pools.repeats.iter();
    let mut again: Vec<Again<'_>> =
        repeats.map(|pool| metric.again(pool.scored())).collect();
    let values = pools.values(inputs.resamples, resamples, &mut |drawn| {
        let repeats = again.iter_mut().zip(drawn);
        let values: Option<Vec<f64>> =
            repeats.map(|(again, drawn)| again(drawn).ok()).collect();
        crate::math::mean(&values?)
    });
    // Where many resamples have no value, the rest are no sample of anything.
    let enough = values.len() * 10 >= resamples * 9;
    let interval = enough.then(|| statistics::percentiles(&values, LEVEL));
    // Equal values, as of classes wholly apart, are no certainty but no information.
    let apart = interval.filter(|(lower, upper)| lower < upper);
    let words = match enough {
        true if apart.is_none() => {
            format!("no interval: resamples of {} have one value", pools.drawn_of())
        }
        true => format!(
            "95 % interval from {} resamples of {} (percentiles)",
            values.len(),
            pools.drawn_of()
        ),
        false => format!(
            "no interval: {} of {resamples} resamples of {} have no value",
            resamples - values.len(),
            pools.drawn()
        ),
    };
    (apart, words)
}

/// The mean of an area over folds with the interval for overlapping training sets. `pairs` are those of
/// one repeat that have no patient in common.
fn fold_mean(
    judged: &Held<'_>,
    value: &dyn Fn(&Predictions) -> Result<f64, String>,
    pairs: usize,
) -> Value {
    let mut failed = judged.failed.clone();
    let mut folds = Vec::new();
    let (mut held_out, mut trained) = (0, 0);
    for (repeat, predictions) in judged.repeats.iter().enumerate() {
        for (split, fold) in predictions.iter().enumerate() {
            match value(fold) {
                Ok(value) => {
                    folds.push(value);
                    held_out += fold.rows.len();
                    trained += judged.training[repeat][split];
                }
                Err(why) => failed.push(format!(
                    "repeat {}, split {}: {why}",
                    repeat + 1,
                    split + 1
                )),
            }
        }
    }
    let Some(mean) = crate::math::mean(&folds) else {
        return Value::Failed(distinct(&failed));
    };
    let n_test = held_out as f64 / folds.len() as f64;
    let n_train = (trained as f64 / folds.len() as f64).max(1.0);
    let (interval, words) = over_folds(&folds, (n_train, n_test), pairs);
    let (lower, upper) = interval.unzip();
    let of = folds.len();
    Value::Estimate(Estimate {
        estimate: mean,
        lower,
        upper,
        method: format!(
            "mean over {of} held-out {}; {words}",
            if of == 1 { "fold" } else { "folds" }
        ),
        sd_folds: crate::math::variance(&folds).map(crate::math::sqrt),
        folds,
        failed_folds: failed,
        prediction: None,
        other_intervals: Vec::new(),
    })
}

/// The interval of a mean area over folds, and how it was made. Folds that all have one value have no
/// spread, which is no certainty but no information.
fn over_folds(
    folds: &[f64],
    (n_train, n_test): (f64, f64),
    pairs: usize,
) -> (Option<(f64, f64)>, String) {
    let alike = folds.iter().all(|value| *value == folds[0]);
    if alike && let Some(bound) = statistics::exact_bound(folds[0], pairs, pairs, LEVEL) {
        let words = format!(
            "classes wholly apart in all of them, so that their spread tells nothing: exact one-sided \
             95 % bound from the {pairs} disjoint pairs of one repeat"
        );
        return (Some(bound), words);
    }
    match folds {
        [_] => (None, "no interval: one fold has no spread".to_string()),
        _ if alike => {
            (None, "no interval: folds of one same value have no spread".to_string())
        }
        _ => (
            statistics::nadeau_bengio(folds, n_train, n_test, LEVEL),
            "approximate 95 % interval from the corrected resampled variance \
             (1/J + n_test/n_train)·S², t with J − 1 degrees of freedom"
                .to_string(),
        ),
    }
}

/// How many pairs of a positive and a negative of one fold and stratum have no patient in common, in the
/// repeat that has the fewest. Rows without a stratum are in no pair.
fn pairs_of_a_repeat(
    inputs: &Inputs<'_>,
    judged: &Held<'_>,
    stratum: &dyn Fn(u32) -> Option<u32>,
) -> usize {
    let patients = patients(inputs, judged);
    let of_fold = |fold: &&Predictions| -> usize {
        let mut strata: BTreeMap<u32, [BTreeSet<u32>; 2]> = BTreeMap::new();
        for (row, class) in fold.rows.iter().zip(&fold.truth) {
            if let Some(stratum) = stratum(*row) {
                strata.entry(stratum).or_default()[usize::from(*class)]
                    .insert(patients[*row as usize]);
            }
        }
        strata.values().map(disjoint_of).sum()
    };
    let of_repeat = |folds: &Vec<&Predictions>| folds.iter().map(of_fold).sum();
    judged.repeats.iter().map(of_repeat).min().unwrap_or(0)
}

/// Of patients with a row of one class and of the other, some of whom may have both.
fn disjoint_of([one, other]: &[BTreeSet<u32>; 2]) -> usize {
    one.len().min(other.len()).min(one.union(other).count() / 2)
}

/// The AUROC of each site, and of sites pooled with random effects.
fn sites(inputs: &Inputs<'_>, judged: &Held<'_>, metric: &dyn AnyMetric) -> Value {
    let mut failed = judged.failed.clone();
    let (mut pooled, mut folds, mut each) = (Vec::new(), Vec::new(), Vec::new());
    let (mut left, mut resampled) = (0, false);
    for (at, site) in judged.repeats.iter().flatten().enumerate() {
        let Some(found) = statistics::delong(&site.truth, site.ranks()) else {
            failed.push(format!("site {}: too few of a class for an AUROC", at + 1));
            each.push(SiteEstimate {
                auroc: None,
                lower: None,
                upper: None,
                pooled: false,
                method: "no AUROC: a class is missing".to_string(),
            });
            continue;
        };
        folds.push(found.auroc);
        let few = found.n_positive.min(found.n_negative) < FEW_AT_SITE;
        // Several rows of a patient are not independent.
        let again = at_site(inputs, judged, site, metric);
        resampled |= again.is_some();
        let variance = again.unwrap_or(found.variance);
        let interval = statistics::logit_interval(found.auroc, variance, LEVEL);
        let method = match (interval, again) {
            (Some(_), None) => "DeLong 95 % interval on the logit scale".to_string(),
            (Some(_), Some(_)) => format!(
                "95 % interval on the logit scale, its variance from {RESAMPLES} resamples of the \
                 site's patients"
            ),
            (None, None) => {
                "no interval: classes wholly apart, or scores all equal".to_string()
            }
            (None, Some(_)) => {
                "no interval: resamples of the site's patients tell too little"
                    .to_string()
            }
        };
        let (lower, upper) = interval.unzip();
        let is_pooled = !few && interval.is_some();
        match is_pooled {
            true => pooled.push((found.auroc, variance)),
            false => left += 1,
        }
        let auroc = Some(found.auroc);
        each.push(SiteEstimate { auroc, lower, upper, pooled: is_pooled, method });
    }
    let variances = match resampled {
        true => format!("; variances from {RESAMPLES} resamples of each site's patients"),
        false => String::new(),
    };
    let found = statistics::pooled_auroc(&pooled, LEVEL);
    let between = found.map(|found| Heterogeneity {
        n_sites: pooled.len(),
        tau_squared: found.logit.tau_squared,
        i_squared: found.logit.i_squared,
    });
    let estimate = |estimate, interval: Option<(f64, f64)>, prediction, method| {
        let (lower, upper) = interval.unzip();
        let pooled = Estimate {
            estimate,
            lower,
            upper,
            method,
            folds: folds.clone(),
            failed_folds: failed.clone(),
            prediction,
            sd_folds: crate::math::variance(&folds).map(crate::math::sqrt),
            other_intervals: Vec::new(),
        };
        Value::Sites(SitesEstimate { pooled, sites: each.clone(), between })
    };
    match found {
        Some(found) => estimate(
            found.auroc,
            Some(found.interval),
            found.prediction,
            format!(
                "random effects over {} sites on the logit scale, τ² by restricted maximum \
                 likelihood, Hartung–Knapp 95 % interval; \
                 {left} {} with fewer than {FEW_AT_SITE} of a class, or wholly apart, shown and not \
                 pooled{variances}",
                pooled.len(),
                if left == 1 { "site" } else { "sites" }
            ),
        ),
        _ => match crate::math::mean(&folds) {
            Some(mean) => estimate(
                mean,
                None,
                None,
                format!(
                    "mean over {} sites; too few sites have {FEW_AT_SITE} of each class to be pooled",
                    folds.len()
                ),
            ),
            None => Value::Failed(without_auroc(judged)),
        },
    }
}

/// The variance of a site's AUROC over resamples of its patients, where one of them has several rows;
/// 0 where too few resamples have both classes.
fn at_site(
    inputs: &Inputs<'_>,
    judged: &Held<'_>,
    site: &Predictions,
    metric: &dyn AnyMetric,
) -> Option<f64> {
    let held = judged.only(vec![vec![site]]);
    let pools = Pools::of(inputs, &held, false).ranked(&held);
    if !pools.clustered() {
        return None;
    }
    let mut again = metric.again(pools.repeats[0].scored());
    let values =
        pools.values(inputs.resamples, RESAMPLES, &mut |drawn| again(&drawn[0]).ok());
    let enough = values.len() * 10 >= RESAMPLES * 9;
    Some(crate::math::variance(&values).filter(|_| enough).unwrap_or(0.0))
}

/// Why no site has an AUROC: one class at each, or no result where both may be.
fn without_auroc(judged: &Held<'_>) -> String {
    match (judged.failed.is_empty(), judged.repeats.iter().all(Vec::is_empty)) {
        (true, _) => "no site has both classes".to_string(),
        (false, true) => distinct(&judged.failed),
        (false, false) => format!(
            "no site with a result has both classes; the others: {}",
            distinct(&judged.failed)
        ),
    }
}

/// The AUROC of one set of rows with the interval that its size allows.
fn once(inputs: &Inputs<'_>, judged: &Held<'_>, metric: &dyn AnyMetric) -> Value {
    let pools = Pools::of_metric(inputs, judged, metric);
    if pools.clustered() {
        return match pooled(inputs, judged, &pools, metric, RESAMPLES) {
            Value::Estimate(found) => {
                Value::Estimate(guarded(inputs, judged, &pools, found))
            }
            other => other,
        };
    }
    let mut predictions = judged.repeats.iter().flatten();
    let Some(rows) = predictions.next() else {
        return Value::Failed(distinct(&judged.failed));
    };
    match area(&rows.truth, rows.ranks()) {
        Some((estimate, interval, method)) => {
            let (lower, upper) = interval.unzip();
            Value::Estimate(Estimate {
                estimate,
                lower,
                upper,
                method,
                folds: vec![estimate],
                failed_folds: judged.failed.clone(),
                prediction: None,
                sd_folds: None,
                other_intervals: Vec::new(),
            })
        }
        None => Value::Failed("a class is missing".to_string()),
    }
}

/// An area, its interval and how that was made.
type Area = (f64, Option<(f64, f64)>, String);

/// `None` where a class is missing.
fn area(truth: &[bool], scores: &[f64]) -> Option<Area> {
    let m = truth.iter().filter(|class| **class).count();
    let n = truth.len() - m;
    let smaller = m.min(n);
    if smaller < FEW {
        let estimate = statistics::within(truth, scores, &vec![0; truth.len()])?;
        let interval = statistics::few_interval(estimate, m, n, LEVEL);
        let method = format!(
            "too few: {smaller} of the smaller class; exact 95 % interval of a proportion of that many \
             disjoint pairs"
        );
        return Some((estimate, interval, method));
    }
    let found = statistics::delong(truth, scores)?;
    let usual = statistics::logit_interval(found.auroc, found.variance, LEVEL);
    let (interval, method) = match usual {
        Some(interval) => {
            (Some(interval), "DeLong 95 % interval on the logit scale".to_string())
        }
        None => match statistics::exact_bound(found.auroc, m, n, LEVEL) {
            bound @ Some(_) => {
                (bound, "classes wholly apart: exact one-sided 95 % bound".to_string())
            }
            None => (None, "no interval: scores are all equal".to_string()),
        },
    };
    Some((found.auroc, interval, method))
}

/// An area over rows that are drawn together: with a wide interval where resamples of them tell too
/// little.
fn guarded(
    inputs: &Inputs<'_>,
    judged: &Held<'_>,
    pools: &Pools,
    found: Estimate,
) -> Estimate {
    let smaller = smaller_class(patients(inputs, judged), pools);
    let pairs = smaller.min(pools.disjoint_pairs());
    let apart = found.estimate <= 0.0 || found.estimate >= 1.0;
    let (interval, method) = match (smaller < FEW, apart) {
        (true, _) => (
            statistics::few_interval(found.estimate, pairs, pairs, LEVEL),
            format!(
                "too few: {smaller} patients of the smaller class; exact 95 % interval of a proportion \
                 of {pairs} disjoint pairs"
            ),
        ),
        (false, true) => (
            statistics::exact_bound(found.estimate, pairs, pairs, LEVEL),
            format!(
                "classes wholly apart: exact one-sided 95 % bound from {pairs} disjoint pairs of \
                 {}",
                pools.drawn()
            ),
        ),
        (false, false) => return found,
    };
    let (lower, upper) = interval.unzip();
    Estimate { lower, upper, method, ..found }
}

/// How many patients have a row of the class of which fewer have one.
fn smaller_class(patients: &[u32], pools: &Pools) -> usize {
    let of_class = |class: bool| {
        let rows =
            pools.repeats.iter().flat_map(|pool| pool.rows.iter().zip(&pool.truth));
        let rows = rows.filter(|(_, truth)| **truth == class);
        rows.map(|(row, _)| patients[*row as usize]).collect::<BTreeSet<u32>>().len()
    };
    of_class(true).min(of_class(false))
}

/// A proportion: of rows that are drawn together by resampling them, which tells nothing where all
/// are decided alike.
fn shares(
    inputs: &Inputs<'_>,
    judged: &Held<'_>,
    pools: &Pools,
    metric: &dyn AnyMetric,
) -> Value {
    if !pools.clustered() {
        return proportion(inputs, judged, pools, metric);
    }
    match pooled(inputs, judged, pools, metric, RESAMPLES) {
        Value::Estimate(found) if found.estimate <= 0.0 || found.estimate >= 1.0 => {
            let n = pools.with_any(&|pool| metric.denominator(pool.scored()));
            let interval = statistics::wilson(found.estimate * n, n, LEVEL);
            let (lower, upper) = interval.unzip();
            let n = (n * 10.0).round() / 10.0;
            let method = format!(
                "all alike, so that resamples tell nothing: Wilson's 95 % interval with n = {n} {}",
                pools.drawn()
            );
            Value::Estimate(Estimate { lower, upper, method, ..found })
        }
        other => other,
    }
}

fn proportion(
    inputs: &Inputs<'_>,
    judged: &Held<'_>,
    pools: &Pools,
    metric: &dyn AnyMetric,
) -> Value {
    let mut failed = judged.failed.clone();
    let (mut values, mut below) = (Vec::new(), Vec::new());
    for pool in &pools.repeats {
        if pool.truth.is_empty() {
            continue; // Why is told with the splits that failed.
        }
        match metric.compute(pool.scored()) {
            Ok(value) => {
                values.push(value);
                below.push(metric.denominator(pool.scored()) as f64);
            }
            Err(failure) => failed.push(failure.to_string()),
        }
    }
    let (Some(mean), Some(n)) = (crate::math::mean(&values), crate::math::mean(&below))
    else {
        return Value::Failed(distinct(&failed));
    };
    // Of those called positive there are not equally many in each repeat.
    let (lower, upper) = statistics::wilson(mean * n, n, LEVEL).unzip();
    let n = (n * 10.0).round() / 10.0;
    let method = match judged.how {
        How::Once => {
            format!("at the one threshold; Wilson's 95 % interval with n = {n} patients")
        }
        _ if values.len() == 1 => format!(
            "pooled over the folds, each at its own threshold; Wilson's 95 % interval with n = {n} \
             patients"
        ),
        _ => format!(
            "{}, each fold at its own threshold; Wilson's 95 % interval with n = {n} patients",
            put_together(values.len(), pools.repeats.len())
        ),
    };
    Value::Estimate(Estimate {
        estimate: mean,
        lower,
        upper,
        method,
        folds: values,
        failed_folds: failed,
        prediction: None,
        sd_folds: sd_folds(inputs, judged, metric),
        other_intervals: Vec::new(),
    })
}

/// What a column holds in the rows of a cohort, as numbers of its values.
pub fn levels(
    inputs: &Inputs<'_>,
    cohort: usize,
    column: &Named,
) -> Option<Vec<Option<u32>>> {
    let cells = cells(inputs, cohort, column)?;
    let names: BTreeSet<&String> = cells.iter().flatten().collect();
    let names: Vec<&String> = names.into_iter().collect();
    let position = |cell: &String| names.iter().position(|name| *name == cell);
    Some(
        cells
            .iter()
            .map(|cell| cell.as_ref().and_then(position).map(|at| at as u32))
            .collect(),
    )
}

fn cells(
    inputs: &Inputs<'_>,
    cohort: usize,
    column: &Named,
) -> Option<Vec<Option<String>>> {
    let cohort = &inputs.study.cohorts[cohort];
    let rows = &inputs.survey.cohorts[&cohort.name].rows;
    let view = View { study: inputs.study, survey: inputs.survey, cohort, rows };
    view.cells(column).ok()
}

/// The AUROC over pairs within the strata of the study's column.
pub fn within(inputs: &Inputs<'_>, of: Judgement) -> Computed {
    let judged = judged(inputs, of, 0..inputs.values.len())?;
    let column = inputs.study.evaluate.within.as_ref();
    let levels = column.and_then(|column| levels(inputs, judged.cohort, column));
    let Some(levels) = levels else {
        return Ok(Value::Failed("the strata cannot be read".to_string()));
    };
    let kept = |fold: &Predictions| {
        let (mut truth, mut scores, mut strata) = (Vec::new(), Vec::new(), Vec::new());
        for ((row, class), score) in fold.rows.iter().zip(&fold.truth).zip(fold.ranks()) {
            if let Some(level) = levels[*row as usize] {
                truth.push(*class);
                scores.push(*score);
                strata.push(level);
            }
        }
        (truth, scores, strata)
    };
    if judged.how != How::Once {
        let value = |fold: &Predictions| {
            let (truth, scores, strata) = kept(fold);
            statistics::within(&truth, &scores, &strata)
                .ok_or_else(|| "no stratum has both classes".to_string())
        };
        let pairs = pairs_of_a_repeat(inputs, &judged, &|row| levels[row as usize]);
        return Ok(fold_mean(&judged, &value, pairs));
    }
    let Some(rows) = judged.repeats.iter().flatten().next() else {
        return Ok(Value::Failed(distinct(&judged.failed)));
    };
    let (truth, scores, strata) = kept(rows);
    let Some(estimate) = statistics::within(&truth, &scores, &strata) else {
        return Ok(Value::Failed("no stratum has both classes".to_string()));
    };
    let pools = Pools::of(inputs, &judged, false).ranked(&judged);
    // Resamples of so few tell no more than the pairs do.
    let pairs = pairs_of_a_repeat(inputs, &judged, &|row| levels[row as usize]);
    let (interval, method) = match pools.clustered() && pairs >= FEW {
        true => {
            let value = |pool: &Pool| {
                let level = |row: &u32| levels[*row as usize];
                let known = (0..pool.rows.len())
                    .filter_map(|at| Some((at, level(&pool.rows[at])?)));
                let (at, strata): (Vec<usize>, Vec<u32>) = known.unzip();
                let truth: Vec<bool> = at.iter().map(|at| pool.truth[*at]).collect();
                let scores: Vec<f64> = at.iter().map(|at| pool.scores[*at]).collect();
                statistics::within(&truth, &scores, &strata)
            };
            let (interval, method) = drawn_again(inputs, &pools, estimate, &value);
            (interval, format!("pairs within strata; {method}"))
        }
        false => inside(estimate, (&truth, &scores, &strata), pairs),
    };
    let (lower, upper) = interval.unzip();
    Ok(Value::Estimate(Estimate {
        estimate,
        lower,
        upper,
        method,
        folds: vec![estimate],
        failed_folds: judged.failed,
        prediction: None,
        sd_folds: None,
        other_intervals: Vec::new(),
    }))
}

/// The interval of an area within strata whose rows are independent, and how it was made: with few
/// pairs that have no row in common, that of a proportion of them.
fn inside(
    estimate: f64,
    (truth, scores, strata): (&[bool], &[f64], &[u32]),
    pairs: usize,
) -> (Option<(f64, f64)>, String) {
    if pairs == 0 {
        let words = "no interval: no pair within strata is of two patients";
        return (None, format!("pairs within strata; {words}"));
    }
    if pairs < FEW {
        let method = format!(
            "too few: {pairs} of the smaller class within strata; pairs within strata; exact 95 % interval \
             of a proportion of that many disjoint pairs"
        );
        return (statistics::few_interval(estimate, pairs, pairs, LEVEL), method);
    }
    if let Some(bound) = statistics::exact_bound(estimate, pairs, pairs, LEVEL) {
        let method = "pairs within strata; classes wholly apart: exact one-sided 95 % bound from \
                      disjoint pairs";
        return (Some(bound), method.to_string());
    }
    let variance = statistics::within_variance(truth, scores, strata);
    let interval = variance
        .and_then(|variance| statistics::logit_interval(estimate, variance, LEVEL));
    let words = match interval {
        Some(_) => {
            "95 % interval on the logit scale from the placement values, strata independent"
        }
        None => "no interval: scores are all equal within strata",
    };
    (interval, format!("pairs within strata; {words}"))
}

/// The percentile interval of a value of one repeat over resamples, meaned over repeats, and how it was
/// made.
fn drawn_again(
    inputs: &Inputs<'_>,
    pools: &Pools,
    estimate: f64,
    value: &dyn Fn(&Pool) -> Option<f64>,
) -> (Option<(f64, f64)>, String) {
    let values = pools.values(inputs.resamples, RESAMPLES, &mut |drawn| {
        let repeats = pools.repeats.iter().zip(drawn);
        let values: Option<Vec<f64>> =
            repeats.map(|(pool, drawn)| value(&pool.drawn(drawn))).collect();
        crate::math::mean(&values?)
    });
    let interval = (values.len() * 10 >= RESAMPLES * 9)
        .then(|| statistics::percentiles(&values, LEVEL))
        .filter(|(lower, upper)| {
            lower < upper && *lower <= estimate && estimate <= *upper
        });
    let words = match interval {
        Some(_) => format!(
            "95 % interval from {} resamples of {} (percentiles)",
            values.len(),
            pools.drawn_of()
        ),
        None => format!("no interval: resamples of {} tell too little", pools.drawn_of()),
    };
    (interval, words)
}

/// The AUROC in each group of each subgroup: over pairs of one fold or site, averaged over repeats.
pub fn groups(inputs: &Inputs<'_>, of: Judgement) -> Computed {
    let judged = judged(inputs, of, 0..inputs.values.len())?;
    let mut estimates = Vec::new();
    for subgroup in &inputs.study.evaluate.subgroups {
        let Some(cells) = cells(inputs, judged.cohort, &subgroup.by) else { continue };
        let cells: Vec<Option<String>> =
            cells.into_iter().map(|cell| cell.and_then(|c| group(subgroup, c))).collect();
        let names: BTreeSet<&String> = cells.iter().flatten().collect();
        let of_group = |name: &String| in_group(inputs, &judged, subgroup, name, &cells);
        let mut groups: Vec<GroupEstimate> = names.into_iter().map(of_group).collect();
        differ(inputs, &judged, &cells, &mut groups);
        estimates.extend(groups);
    }
    Ok(Value::Groups(estimates))
}

/// Every group of a column against its largest one, among those that are not too few.
fn differ(
    inputs: &Inputs<'_>,
    judged: &Held<'_>,
    cells: &[Option<String>],
    groups: &mut [GroupEstimate],
) {
    let known = groups.iter().enumerate().filter(|(_, group)| group.estimate.is_some());
    // Of groups of one size the first by name.
    let largest = known.rev().max_by_key(|(_, group)| group.n);
    let Some((reference, than)) = largest.map(|(at, group)| (at, group.clone())) else {
        return;
    };
    for (at, group) in groups.iter_mut().enumerate() {
        if at == reference || group.estimate.is_none() {
            continue;
        }
        let name = group.group.clone();
        let of = |row: u32| cells[row as usize].as_ref();
        let one = |row: u32| of(row) == Some(&name);
        let repeats =
            restricted_to(judged, &|row| one(row) || of(row) == Some(&than.group));
        let held =
            judged.only(repeats.iter().map(|folds| folds.iter().collect()).collect());
        let both = Pools::of(inputs, &held, false).shared(&one);
        let less =
            |pools: &dyn Fn() -> Pools, of: [[Option<f64>; 3]; 2], value: &OfPool<'_>| {
                match both {
                    false => from_both(of),
                    true => jointly(inputs, &pools(), judged.how, of, &one, value),
                }
            };
        group.against = Some(than.group.clone());
        group.difference = less(
            &|| Pools::of(inputs, &held, false).ranked(&held),
            [group, &than].map(|of| [of.estimate, of.lower, of.upper]),
            &|pool| statistics::within(&pool.truth, &pool.scores, &pool.folds),
        );
        for measure in &mut group.measures {
            let mut others = than.measures.iter();
            let other = others.find(|other| other.metric == measure.metric);
            let mut used = inputs.study.evaluate.metrics();
            let used = used.find(|used| used.about.name == measure.metric);
            let (Some(other), Some(used)) = (other, used) else { continue };
            let Instance::Metric(metric) = &used.instance else {
                unreachable!("`spec` puts a metric here")
            };
            measure.difference = less(
                &|| Pools::of(inputs, &held, metric.scale().logarithms),
                [&*measure, other].map(|of| [of.estimate, of.lower, of.upper]),
                &|pool| metric.compute(pool.scored()).ok(),
            );
        }
    }
}

/// A value of the rows of one repeat.
type OfPool<'a> = dyn Fn(&Pool) -> Option<f64> + 'a;

/// The difference of two groups that have no patient in common, from estimate and limits of each.
fn from_both(of: [[Option<f64>; 3]; 2]) -> Option<GroupDifference> {
    let [one, other] = of;
    let estimate = one[0]? - other[0]?;
    let limited = |of: [Option<f64>; 3]| {
        let [estimate, lower, upper] = of;
        Some(Limited { estimate: estimate?, lower: lower?, upper: upper? })
    };
    let found = limited(one).zip(limited(other));
    let found = found.map(|(one, other)| statistics::difference(one, other));
    let note = match found {
        Some(_) => {
            "95 % interval from those of the two groups, which have no patient in common"
        }
        None => "no interval: one of the two groups has none",
    };
    Some(GroupDifference {
        estimate,
        lower: found.map(|found| found.lower),
        upper: found.map(|found| found.upper),
        apart: true,
        note: note.to_string(),
    })
}

/// The difference of two groups some of whose rows are drawn together, over resamples of both.
fn jointly(
    inputs: &Inputs<'_>,
    pools: &Pools,
    how: How,
    of: [[Option<f64>; 3]; 2],
    one: &dyn Fn(u32) -> bool,
    value: &OfPool<'_>,
) -> Option<GroupDifference> {
    let estimate = of[0][0]? - of[1][0]?;
    let less = |pool: &Pool| {
        Some(value(&pool.only(one))? - value(&pool.only(&|row| !one(row)))?)
    };
    let (interval, mut note) = drawn_again(inputs, pools, estimate, &less);
    if interval.is_some() && how != How::Once {
        note.push_str(", which leaves out the variation of training sets");
    }
    let (lower, upper) = interval.unzip();
    Some(GroupDifference { estimate, lower, upper, apart: false, note })
}

/// The group of a cell: itself, or its place among the cuts.
fn group(subgroup: &Subgroup, cell: String) -> Option<String> {
    if subgroup.cut.is_empty() {
        return Some(cell);
    }
    let value: f64 = cell.parse().ok()?;
    let at = subgroup.cut.iter().take_while(|cut| value >= **cut).count();
    Some(match (at, subgroup.cut.as_slice()) {
        (0, [first, ..]) => format!("under {first}"),
        (at, cuts) if at == cuts.len() => format!("{} and over", cuts[at - 1]),
        (at, cuts) => format!("{} to under {}", cuts[at - 1], cuts[at]),
    })
}

/// What is measured in a group beside the AUROC: calibration, decisions at the applied threshold, and
/// the error of probabilities.
const IN_GROUPS: &[&str] = &[
    "calibration_intercept",
    "calibration_slope",
    "sensitivity",
    "specificity",
    "observed_expected",
    "brier",
];

/// Those metrics on the rows of a group, with the intervals that they have on all rows.
fn measures(
    inputs: &Inputs<'_>,
    judged: &Held<'_>,
    of_group: &dyn Fn(u32) -> bool,
    few: Option<String>,
) -> Vec<GroupMeasure> {
    let repeats = restricted_to(judged, of_group);
    let held = judged.only(repeats.iter().map(|folds| folds.iter().collect()).collect());
    let [plain, inwards] = [false, true].map(|of| Pools::of(inputs, &held, of));
    let decided =
        plain.repeats.iter().all(|pool| pool.decisions.len() == pool.truth.len());
    let mut measures = Vec::new();
    for name in IN_GROUPS {
        let Some(used) =
            inputs.study.evaluate.metrics().find(|used| used.about.name == *name)
        else {
            continue;
        };
        let Instance::Metric(metric) = &used.instance else {
            unreachable!("`spec` puts a metric here")
        };
        if metric.scale().needs_threshold && !decided {
            continue;
        }
        let pools = if metric.scale().logarithms { &inwards } else { &plain };
        let measured = match (&few, metric.scale().pooling) {
            (Some(why), _) => Value::Failed(why.clone()),
            (None, Pooling::Proportion) => shares(inputs, &held, pools, metric.as_ref()),
            (None, _) => pooled(inputs, &held, pools, metric.as_ref(), RESAMPLES),
        };
        let (estimate, note) = match measured {
            Value::Estimate(estimate) => {
                let note = estimate.method.clone();
                (Some(estimate), note)
            }
            Value::Failed(why) => (None, why),
            _ => (None, "it could not be computed".to_string()),
        };
        let ends = estimate.as_ref().map(|found| (found.lower, found.upper));
        measures.push(GroupMeasure {
            metric: (*name).to_string(),
            title: used.about.title.to_string(),
            estimate: estimate.map(|found| found.estimate),
            lower: ends.and_then(|(lower, _)| lower),
            upper: ends.and_then(|(_, upper)| upper),
            note,
            difference: None,
        });
    }
    measures
}

/// The predictions for some of the rows, by repeat and fold.
fn restricted_to(
    judged: &Held<'_>,
    keeps: &dyn Fn(u32) -> bool,
) -> Vec<Vec<Predictions>> {
    let of_folds = |folds: &Vec<&Predictions>| {
        folds.iter().map(|fold| restricted(fold, keeps)).collect()
    };
    judged.repeats.iter().map(of_folds).collect()
}

/// The predictions for some of the rows.
fn restricted(fold: &Predictions, keeps: &dyn Fn(u32) -> bool) -> Predictions {
    let kept: Vec<usize> =
        (0..fold.rows.len()).filter(|&at| keeps(fold.rows[at])).collect();
    let of = |values: &[f64]| kept.iter().map(|&at| values[at]).collect();
    Predictions {
        rows: kept.iter().map(|&at| fold.rows[at]).collect(),
        truth: kept.iter().map(|&at| fold.truth[at]).collect(),
        scores: of(&fold.scores),
        decision_values: fold.decision_values.as_deref().map(of),
        ..fold.clone()
    }
}

fn in_group(
    inputs: &Inputs<'_>,
    judged: &Held<'_>,
    subgroup: &Subgroup,
    name: &str,
    cells: &[Option<String>],
) -> GroupEstimate {
    let mut values = Vec::new();
    let mut variances = Vec::new();
    let (mut n, mut n_positive, mut pairs) = (0, 0, usize::MAX);
    for folds in &judged.repeats {
        let (mut truth, mut scores, mut strata) = (Vec::new(), Vec::new(), Vec::new());
        for (at, fold) in folds.iter().enumerate() {
            for ((row, class), score) in
                fold.rows.iter().zip(&fold.truth).zip(fold.ranks())
            {
                if cells[*row as usize].as_deref() == Some(name) {
                    truth.push(*class);
                    scores.push(*score);
                    strata.push(at as u32);
                }
            }
        }
        pairs = pairs.min(disjoint(&truth, &strata));
        n = n.max(truth.len());
        n_positive = n_positive.max(truth.iter().filter(|class| **class).count());
        if let Some(value) = statistics::within(&truth, &scores, &strata) {
            values.push(value);
            variances.extend(statistics::within_variance(&truth, &scores, &strata));
        }
    }
    let events = n_positive.min(n - n_positive);
    let few = events < subgroup.minimum_events;
    let estimate = crate::math::mean(&values).filter(|_| !few);
    let variance = crate::math::mean(&variances);
    let too_few = few.then(|| format!("too few: {events} of the smaller class"));
    let of_group = |row: u32| cells[row as usize].as_deref() == Some(name);
    let repeats = restricted_to(judged, &of_group);
    let held = judged.only(repeats.iter().map(|folds| folds.iter().collect()).collect());
    let pools = Pools::of(inputs, &held, false).ranked(&held);
    let (interval, made) = match (estimate, variance) {
        (Some(estimate), _) if pools.clustered() => {
            drawn_again(inputs, &pools, estimate, &|pool| {
                statistics::within(&pool.truth, &pool.scores, &pool.folds)
            })
        }
        (Some(estimate), _) if estimate <= 0.0 || estimate >= 1.0 => (
            statistics::exact_bound(estimate, pairs, pairs, LEVEL),
            "classes wholly apart: exact one-sided 95 % bound from disjoint pairs"
                .to_string(),
        ),
        (Some(estimate), Some(variance)) => (
            statistics::logit_interval(estimate, variance, LEVEL),
            "95 % interval on the logit scale".to_string(),
        ),
        _ => (None, "no interval".to_string()),
    };
    let (lower, upper) = interval.unzip();
    GroupEstimate {
        measures: measures(inputs, judged, &of_group, too_few),
        by: subgroup.by.name.clone(),
        group: name.to_string(),
        n,
        n_positive,
        estimate,
        lower,
        upper,
        against: None,
        difference: None,
        note: match (few, judged.how) {
            (true, _) => format!("too few: {events} of the smaller class"),
            (false, How::Once) => made,
            (false, how) => format!(
                "over pairs of one {}{}; {made}{}",
                if how == How::Sites { "site" } else { "fold" },
                if values.len() > 1 { ", averaged over repeats" } else { "" },
                match interval {
                    Some(_) => ", which leaves out the variation of training sets",
                    None => "",
                },
            ),
        },
    }
}

/// How many pairs of a positive and a negative of one stratum have no row in common.
fn disjoint(truth: &[bool], strata: &[u32]) -> usize {
    let of = |stratum: u32, class: bool| {
        let rows = truth.iter().zip(strata);
        rows.filter(|(truth, of)| **of == stratum && **truth == class).count()
    };
    let all: BTreeSet<u32> = strata.iter().copied().collect();
    all.into_iter().map(|stratum| of(stratum, true).min(of(stratum, false))).sum()
}

/// The variance of a calibration slope on these rows, times their number, as a mean over repeats.
pub fn slope_variance(inputs: &Inputs<'_>, of: Judgement) -> Computed {
    let judged = judged(inputs, of, 0..inputs.values.len())?;
    let pools = Pools::of(inputs, &judged, true);
    let of_pool = |pool: &Pool| statistics::slope_variance(&pool.truth, &pool.scores);
    let values: Option<Vec<f64>> = pools.repeats.iter().map(of_pool).collect();
    Ok(match values.and_then(|values| crate::math::mean(&values)) {
        Some(mean) => Value::SlopeVariance(mean),
        None => Value::Failed(
            "no logistic recalibration of the held-out predictions could be fitted"
                .to_string(),
        ),
    })
}

/// Two models, or one that learned from more and from fewer rows, on the same held-out rows, by the
/// primary metric.
pub fn compare(inputs: &Inputs<'_>, of: [Judgement; 2], first: usize) -> Computed {
    let better = judged(inputs, of[0], 0..first)?;
    let than = judged(inputs, of[1], first..inputs.values.len())?;
    let used = &inputs.study.evaluate.primary;
    let Instance::Metric(metric) = &used.instance else {
        unreachable!("`spec` puts a metric here")
    };
    let value = |case: usize, fold: &Predictions| {
        in_fold(inputs.study, inputs.plan.cases[case], metric.as_ref(), fold).ok()
    };
    if better.how == How::Once {
        let (Some(a), Some(b)) = (
            better.repeats.iter().flatten().next(),
            than.repeats.iter().flatten().next(),
        ) else {
            return Ok(Value::Failed(distinct(&[better.failed, than.failed].concat())));
        };
        if a.rows != b.rows {
            return Ok(Value::Failed(
                "the two were not judged on the same rows".to_string(),
            ));
        }
        let pools = Pools::of_metric(inputs, &better, metric.as_ref())
            .beside(Pools::of_metric(inputs, &than, metric.as_ref()));
        if pools.clustered() || used.about.name != "auroc" {
            let smaller = smaller_class(patients(inputs, &better), &pools);
            return Ok(drawn_apart(inputs, &pools, metric.as_ref(), smaller));
        }
        return Ok(match statistics::paired_delong(&a.truth, a.ranks(), b.ranks()) {
            Some(found) => {
                let positive = a.truth.iter().filter(|class| **class).count();
                let smaller = positive.min(a.truth.len() - positive);
                Value::Compared(paired(found, smaller))
            }
            None => Value::Failed("too few of a class".to_string()),
        });
    }
    let mut differences = Vec::new();
    let (mut held_out, mut trained) = (0, 0);
    for (repeat, folds) in better.repeats.iter().zip(&than.repeats).enumerate() {
        for (at, a) in folds.0.iter().enumerate() {
            let pair = folds.1.iter().position(|b| b.rows == a.rows);
            let Some(pair) = pair else { continue };
            let both = value(better.case, a).zip(value(than.case, folds.1[pair]));
            if let Some((a_value, b_value)) = both {
                differences.push(a_value - b_value);
                held_out += a.rows.len();
                // Of two that learned from more and from fewer rows, the fewer make the wider interval.
                let of_pair = [better.training[repeat][at], than.training[repeat][pair]];
                trained += of_pair[0].min(of_pair[1]);
            }
        }
    }
    let Some(mean) = crate::math::mean(&differences) else {
        let why = "no split has both models on the same rows";
        return Ok(Value::Failed(why.to_string()));
    };
    let n_test = held_out as f64 / differences.len() as f64;
    let n_train = (trained as f64 / differences.len() as f64).max(1.0);
    let found = statistics::corrected_t(&differences, n_train, n_test);
    let interval = found.filter(|(_, _, lower, upper)| lower < upper);
    let of = differences.len();
    let words = match (found, interval) {
        (Some(_), Some(_)) => "",
        (Some(_), None) => "; no interval: no fold shows a difference",
        (None, _) if of == 1 => "; no interval: one fold has no spread",
        (None, _) => "; no interval: folds of one same difference have no spread",
    };
    Ok(Value::Compared(Compared {
        difference: mean,
        lower: interval.map(|(_, _, lower, _)| lower),
        upper: interval.map(|(_, _, _, upper)| upper),
        p: found.map(|(_, p, _, _)| p),
        method: format!(
            "corrected resampled t test on {of} paired {} of folds{words}",
            if of == 1 { "difference" } else { "differences" }
        ),
    }))
}

/// Two areas on the same rows, with so many rows of the smaller class. Where all rows are ranked alike
/// there is no spread to make an interval of.
fn paired(found: statistics::Paired, smaller: usize) -> Compared {
    let half = 1.959_963_984_540_054 * crate::math::sqrt(found.variance);
    let (has_interval, words) = match (smaller < FEW, found.variance > 0.0) {
        (true, _) => (false, too_few_for("paired DeLong")),
        (false, false) => {
            (false, "paired DeLong; no interval: all rows are ranked alike".to_string())
        }
        (false, true) => (true, "paired DeLong".to_string()),
    };
    Compared {
        difference: found.difference,
        lower: has_interval.then(|| (found.difference - half).max(-1.0)),
        upper: has_interval.then(|| (found.difference + half).min(1.0)),
        p: (smaller >= FEW).then_some(found.p),
        method: words,
    }
}

fn too_few_for(test: &str) -> String {
    format!(
        "no interval and no p: too few of a class for {test}, which rests on the normal distribution"
    )
}

/// The difference of two models on the same rows against its spread over resamples of them, drawn for
/// both alike. The interval and p are those of a normal distribution with that spread; there is neither
/// with few patients in the `smaller` class, of whom resamples are too much alike.
///
/// Source: efron1993, chapter 13.
fn drawn_apart(
    inputs: &Inputs<'_>,
    pools: &Pools,
    metric: &dyn AnyMetric,
    smaller: usize,
) -> Value {
    let difference = |pools: &[Pool]| {
        let of = |pool: &Pool| metric.compute(pool.scored()).ok();
        Some(of(&pools[0])? - of(&pools[1])?)
    };
    let Some(found) = difference(&pools.repeats) else {
        return Value::Failed("one of the two has no value on these rows".to_string());
    };
    if smaller < FEW {
        let method = too_few_for("a test by resamples");
        let (lower, upper, p) = (None, None, None);
        return Value::Compared(Compared { difference: found, lower, upper, p, method });
    }
    let [mut one, mut other] = [0, 1].map(|at| metric.again(pools.repeats[at].scored()));
    let values = pools.values(inputs.resamples, RESAMPLES, &mut |drawn| {
        Some(one(&drawn[0]).ok()? - other(&drawn[1]).ok()?)
    });
    let enough = values.len() * 10 >= RESAMPLES * 9;
    let sd = crate::math::variance(&values).map(crate::math::sqrt);
    let sd = sd.filter(|sd| enough && (*sd > 0.0 || found == 0.0));
    // Equal differences, as of rows ranked alike, are no certainty but no information.
    let half = sd.filter(|sd| *sd > 0.0).map(|sd| 1.959_963_984_540_054 * sd);
    let p = sd.map(|sd| match found == 0.0 {
        true => 1.0,
        false => crate::math::erfc((found / sd).abs() / std::f64::consts::SQRT_2),
    });
    let widest = match metric.scale().range {
        (low, high) if low.is_finite() && high.is_finite() => high - low,
        _ => f64::INFINITY,
    };
    Value::Compared(Compared {
        difference: found,
        lower: half.map(|half| (found - half).max(-widest)),
        upper: half.map(|half| (found + half).min(widest)),
        p,
        method: match sd {
            Some(_) => format!(
                "difference over its standard deviation in {} resamples of {}, by the normal \
                 distribution",
                values.len(),
                pools.drawn_of()
            ),
            None => {
                format!("resamples of {} tell too little for a test", pools.drawn_of())
            }
        },
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{
        NARROWER, area, disjoint_of, from_both, inside, narrower, over_folds, paired,
        put_together,
    };
    use crate::data::{Estimate, Interval};
    use crate::statistics;

    #[test]
    fn folds_of_one_value_have_no_interval_by_their_spread() {
        let sizes = (80.0, 20.0);
        // 20 pairs all won: 0.05^(1/20).
        let (bound, words) = over_folds(&[1.0; 5], sizes, 20);
        let (lower, upper) = bound.unwrap();
        assert!((lower - 0.860_891_659_331_734).abs() < 1e-12, "{lower}");
        assert!(upper == 1.0 && words.contains("from the 20 disjoint pairs"), "{words}");
        let (none, words) = over_folds(&[0.5; 5], sizes, 20);
        assert_eq!(none, None);
        assert_eq!(words, "no interval: folds of one same value have no spread");
        let (none, words) = over_folds(&[0.7], sizes, 20);
        assert_eq!((none, &*words), (None, "no interval: one fold has no spread"));
        // scipy 1.17: t.ppf(0.975, 4)·√((1/5 + 20/80)·0.000 25) about 0.98.
        let (usual, words) = over_folds(&[0.96, 1.0, 0.98, 0.99, 0.97], sizes, 20);
        let (lower, upper) = usual.unwrap();
        assert!((lower - 0.950_551_352_6).abs() < 1e-9 && upper == 1.0, "{lower}");
        assert!(words.starts_with("approximate 95 % interval"));
    }

    #[test]
    fn an_interval_that_is_narrower_than_that_of_the_influence_curve_says_so() {
        let of = |lower, upper| Estimate {
            lower: Some(lower),
            upper: Some(upper),
            ..Estimate::default()
        };
        let than = Interval { lower: 0.6, upper: 0.8, method: String::new() };
        assert!(narrower(&of(0.69, 0.71), &than) && !narrower(&of(0.5, 0.9), &than));
        assert!(!narrower(&Estimate::default(), &than));
        assert!(NARROWER.starts_with(", narrower"));
    }

    #[test]
    fn pairs_of_patients_with_rows_of_both_classes_use_them_once() {
        let of = |patients: &[u32]| patients.iter().copied().collect::<BTreeSet<u32>>();
        assert_eq!(disjoint_of(&[of(&[1, 2, 3]), of(&[4, 5])]), 2);
        // All of three patients have both: one pair of two of them is left.
        assert_eq!(disjoint_of(&[of(&[1, 2, 3]), of(&[1, 2, 3])]), 1);
    }

    #[test]
    fn two_areas_of_few_rows_are_not_tested() {
        let truth: Vec<bool> = (0..24).map(|at| at < 12).collect();
        let a: Vec<f64> = (0..24).map(|at| f64::from((at * 7) % 24)).collect();
        let b: Vec<f64> = (0..24).map(|at| f64::from((at * 5) % 24)).collect();
        let found = statistics::paired_delong(&truth, &a, &b).unwrap();
        let enough = paired(found, 12);
        assert!(enough.p.is_some() && enough.method == "paired DeLong");
        let few = paired(found, 9);
        assert_eq!((few.p, few.lower, few.upper), (None, None, None));
        assert!(few.method.starts_with("no interval and no p: too few of a class"));
        let alike = paired(statistics::paired_delong(&truth, &a, &a).unwrap(), 12);
        assert_eq!((alike.difference, alike.p, alike.lower), (0.0, Some(1.0), None));
        assert!(alike.method.ends_with("no interval: all rows are ranked alike"));
    }

    #[test]
    fn few_pairs_within_strata_have_a_wide_interval() {
        let truth = [true, true, false, false];
        let (interval, words) = inside(0.75, (&truth, &[0.9, 0.4, 0.5, 0.1], &[0; 4]), 2);
        // scipy 1.17: beta.ppf(0.025, 1.5, 1.5) and beta.ppf(0.975, 2.5, 0.5).
        let (lower, upper) = interval.unwrap();
        assert!((lower - 0.060_830_275_9).abs() < 1e-6, "{lower}");
        assert!((upper - 0.999_783_091_5).abs() < 1e-6, "{upper}");
        assert!(words.starts_with("too few: 2 of the smaller class within strata"));
        let truth: Vec<bool> = (0..20).map(|at| at < 10).collect();
        let scores: Vec<f64> = (0..20).map(|at| -f64::from(at)).collect();
        let (interval, words) = inside(1.0, (&truth, &scores, &[0; 20]), 10);
        assert!(
            interval.unwrap().0 < 0.75 && words.contains("exact one-sided 95 % bound")
        );
        let (interval, words) = inside(0.5, (&truth, &[0.5; 20], &[0; 20]), 10);
        assert!(
            interval.is_none() && words.ends_with("scores are all equal within strata")
        );
    }

    #[test]
    fn groups_differ_by_what_the_limits_of_both_allow() {
        let of = |estimate, lower, upper| [Some(estimate), Some(lower), Some(upper)];
        let [one, other] = [of(0.8, 0.7, 0.88), of(0.65, 0.52, 0.76)];
        let found = from_both([one, other]).unwrap();
        // numpy 2.4.6, with numpy.hypot.
        assert!((found.estimate - 0.15).abs() < 1e-12 && found.apart);
        assert!((found.lower.unwrap() - 0.001_339_312_527).abs() < 1e-9);
        assert!((found.upper.unwrap() - 0.302_643_375_225).abs() < 1e-9);
        let bare = [Some(0.65), None, None];
        let found = from_both([one, bare]).unwrap();
        assert!(found.lower.is_none() && found.note.starts_with("no interval: "));
        assert_eq!(from_both([one, [None; 3]]), None);
    }

    #[test]
    fn an_area_of_one_positive_is_told_with_a_wide_interval() {
        let (estimate, interval, method) =
            area(&[true, false, false, false], &[0.6, 0.7, 0.2, 0.1]).unwrap();
        assert!((estimate - 2.0 / 3.0).abs() < 1e-15);
        let (lower, upper) = interval.unwrap();
        assert!(lower < 0.1 && upper > 0.98, "{lower} {upper}");
        assert!(method.starts_with("too few: 1 of the smaller class"));
        assert!(area(&[false; 3], &[0.1, 0.2, 0.3]).is_none());
    }

    #[test]
    fn a_mean_says_over_how_many_repeats_it_is() {
        assert_eq!(put_together(1, 1), "pooled over the folds");
        assert_eq!(
            put_together(3, 3),
            "pooled within each repeat and averaged over 3 repeats"
        );
        assert_eq!(
            put_together(1, 3),
            "pooled within each repeat and averaged over the 1 of 3 repeats in which it has a value"
        );
    }
}
