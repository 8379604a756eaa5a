//! What models look at: predictors shuffled in held-out rows, and exact Shapley values.

use std::collections::{BTreeMap, BTreeSet};

use super::external::{Part, Said, say_of_prepared};
use super::splits::{facts, fit_learner, with_beside};
use super::trails::{
    Straight, Trail, on_raw_scale, rows_of, straight, trails, without_rows,
};
use super::tuning::metric;
use super::winner::chosen;
use super::{Computed, Inputs, input};
use crate::data::{
    CoefficientLimits, Explained, FoldImportance, Frame, Frozen, Importance, Link,
    PredictorShap, Rows, Split, Train, Value,
};
use crate::math::trees::{Trees, covers, shapley};
use crate::math::{Stream, mean, sqrt};
use crate::operation::{AnyMetric, Direction, Form, Instance, Scored, Then};
use crate::plan::Placed;
use crate::spec::{Study, Use};
use crate::statistics::percentiles;

/// Shuffles of all predictors together; each has at least one and at most ten.
const SHUFFLES: usize = 500;

/// Why a model has no predictors to tell of.
const NONE_LOOKED_AT: &str =
    "the prevalence is predicted for everybody: no predictor is looked at";

/// How much worse metrics are on the held-out rows of a split with a predictor shuffled.
///
/// Source: breiman2001, section 10, on held-out rows instead of those out of the bag.
pub fn importance(inputs: &Inputs<'_>, case: usize, placed: &Placed) -> Computed {
    let frame = input!(&inputs.values[0], Frame, "frame");
    let frame = &*with_beside(inputs, case, case, frame);
    let winner = input!(&inputs.values[1], Winner, "winner");
    if winner.falls_back {
        return Ok(Value::Failed(NONE_LOOKED_AT.to_string()));
    }
    let mut members = input!(&inputs.values[2], Fit, "fit").members.clone();
    if let Some(value) = inputs.values.get(3) {
        let links = input!(value, Links, "links");
        for (member, link) in members.iter_mut().zip(links) {
            member.take_link(*link);
        }
    }
    let (outcome, _) = facts(inputs, case);
    let parts =
        members.iter().map(|of| chosen(inputs, case, &of.recipe).part(inputs.study, of));
    let parts: Vec<Part<'_>> = parts.collect();
    let metrics: Vec<&Use> = inputs.study.evaluate.importance_metrics().collect();
    let folds = match shuffled(inputs, frame, (placed, outcome), &parts, &metrics) {
        Ok(folds) => folds,
        Err(why) => return Ok(Value::Failed(why)),
    };
    let named = metrics
        .iter()
        .zip(folds)
        .map(|(metric, fold)| Importance { metric: metric.about.name.to_string(), fold });
    Ok(Value::Importance(named.collect()))
}

/// The importance by each metric, of the same shuffles.
fn shuffled(
    inputs: &Inputs<'_>,
    frame: &Frame,
    (placed, outcome): (&Placed, &[Option<bool>]),
    parts: &[Part<'_>],
    metrics: &[&Use],
) -> Result<Vec<Result<FoldImportance, String>>, String> {
    let (held_out, rows) = placed.split.held_out(frame);
    let truth: Vec<bool> = held_out.iter().filter_map(|&row| outcome[row]).collect();
    let judged = |said: &Said| -> Vec<Result<f64, String>> {
        metrics.iter().map(|used| judged(metric(used), &truth, said)).collect()
    };
    let prepared: Vec<Rows> =
        parts.iter().map(|part| part.prepared(&rows)).collect::<Result<_, _>>()?;
    let whole = judged(&say_of_prepared(parts, &prepared)?);
    let names = rows
        .columns()
        .iter()
        .map(|column| (&*column.name, rows.categories(&column.name)));
    let columns = rows_of(names);
    let by_trails: Option<Vec<Vec<Trail>>> =
        parts.iter().map(|part| trails(part, &columns).ok()).collect();
    let looked_at: BTreeSet<usize> = match &by_trails {
        Some(of) => of.iter().flatten().map(|trail| trail.from).collect(),
        None => (0..rows.p()).collect(),
    };
    let times = (SHUFFLES / looked_at.len().max(1)).clamp(1, 10);
    // All shuffles of a predictor at once: each question reads the model from its bytes.
    let repeated: Vec<usize> = (0..times).flat_map(|_| 0..rows.n()).collect();
    let stacked: Vec<Rows> = match &by_trails {
        Some(_) => prepared.iter().map(|rows| rows.take(&repeated)).collect(),
        None => Vec::new(),
    };
    let one = |whole: Result<f64, String>| {
        whole.map(|whole| FoldImportance { whole, worse: Vec::new(), times })
    };
    let mut folds: Vec<Result<FoldImportance, String>> =
        whole.into_iter().map(one).collect();
    for &at in &looked_at {
        let column = &rows.columns()[at];
        let fields = ["importance", &placed.name, &column.name];
        let mut stream = Stream::new(inputs.study.seed, &fields);
        let mut shuffled = || {
            let mut values = column.values.clone();
            for last in (1..values.len()).rev() {
                values.swap(last, stream.below(last + 1));
            }
            values
        };
        let shuffles: Vec<Vec<f64>> = (0..times).map(|_| shuffled()).collect();
        let said: Vec<Said> = match &by_trails {
            Some(of) => {
                let categories = rows.categories(&column.name);
                let values = shuffles.concat();
                let with = of.iter().zip(&stacked).map(|(trails, rows)| {
                    replaced(rows, trails, at, &values, categories)
                });
                apart(&say_of_prepared(parts, &with.collect::<Vec<_>>())?, times)
            }
            None => {
                let said = shuffles.iter().map(|values| {
                    let mut with = rows.clone();
                    if let Some((_, old)) = with.columns_mut().nth(at) {
                        old.copy_from_slice(values);
                    }
                    let prepared = parts.iter().map(|part| part.prepared(&with));
                    say_of_prepared(parts, &prepared.collect::<Result<Vec<_>, _>>()?)
                });
                said.collect::<Result<_, _>>()?
            }
        };
        let judged: Vec<_> = said.iter().map(judged).collect();
        for (of, (fold, used)) in folds.iter_mut().zip(metrics).enumerate() {
            let Ok(known) = fold else { continue };
            let shuffled = judged.iter().map(|by_metric| by_metric[of].clone());
            let shuffled: Result<Vec<f64>, String> = shuffled.collect();
            let direction = metric(used).scale().direction;
            let worse = |without: f64| match direction {
                Direction::HigherIsBetter => known.whole - without,
                Direction::LowerIsBetter => without - known.whole,
                Direction::Closest(best) => {
                    (without - best).abs() - (known.whole - best).abs()
                }
            };
            let mean = |all: Vec<f64>| {
                all.into_iter().fold(0.0, |sum, without| sum + worse(without))
                    / times as f64
            };
            match shuffled.map(mean) {
                Ok(mean) => known.worse.push((column.name.to_string(), mean)),
                Err(why) => *fold = Err(why),
            }
        }
    }
    Ok(folds)
}

/// What is said of rows that stand several times behind each other, by time.
fn apart((probabilities, decision_values): &Said, times: usize) -> Vec<Said> {
    let n = probabilities.len() / times.max(1);
    let of = |time: usize, values: &[f64]| values[time * n..(time + 1) * n].to_vec();
    let times = (0..times).map(|time| {
        let decision_values = decision_values.as_ref().map(|values| of(time, values));
        (of(time, probabilities), decision_values)
    });
    times.collect()
}

fn judged(metric: &dyn AnyMetric, truth: &[bool], said: &Said) -> Result<f64, String> {
    let (probabilities, decision_values) = said;
    let ranks = decision_values.as_ref().filter(|_| metric.ranks_only());
    let scores = ranks.unwrap_or(probabilities);
    let scored = Scored { truth, scores, ..Scored::default() };
    metric.compute(scored).map_err(|failure| failure.to_string())
}

/// Prepared rows with what these values of a predictor become.
fn replaced(
    prepared: &Rows,
    trails: &[Trail],
    from: usize,
    values: &[f64],
    categories: Option<&[String]>,
) -> Rows {
    let mut with = prepared.clone();
    for ((_, old), trail) in with.columns_mut().zip(trails) {
        if trail.from == from {
            for (old, value) in old.iter_mut().zip(values) {
                *old = trail.of(*value, categories);
            }
        }
    }
    with
}

/// Most rows whose values are computed.
const ROWS: usize = 200;

/// Resamples of patients for the limits of coefficients, and the most coefficients that have such: of more
/// nobody reads each, and every one costs a fit with all of them.
const RESAMPLES: usize = 1000;
const MOST_COEFFICIENTS: usize = 100;

/// Exact Shapley values of a frozen model on the rows that it was developed on.
///
/// Linear: φ_j = w_j (x_j − mean of x_j), columns taken as independent (lundberg2017, corollary 1). Trees: path-dependent
/// (lundberg2020). Values of the columns that a predictor became are added up.
pub fn explain(inputs: &Inputs<'_>, case: usize) -> Computed {
    let frame = input!(&inputs.values[0], Frame, "frame");
    let frame = &*with_beside(inputs, case, case, frame);
    let frozen = input!(&inputs.values[1], Frozen, "frozen model");
    Ok(match explained(inputs, case, frame, frozen) {
        Ok(explained) => Value::Explained(explained),
        Err(why) => Value::Failed(why),
    })
}

fn explained(
    inputs: &Inputs<'_>,
    case: usize,
    frame: &Frame,
    frozen: &Frozen,
) -> Result<Explained, String> {
    if frozen.falls_back.is_some() {
        return Err(NONE_LOOKED_AT.to_string());
    }
    let [member] = frozen.members.as_slice() else {
        return Err("values of averaged models do not add up on one scale".to_string());
    };
    let part = chosen(inputs, case, &member.recipe).part(inputs.study, member);
    let learner = part.learner;
    let Instance::Learner(instance) = &learner.instance else {
        unreachable!("`spec` puts learners here")
    };
    let trails = trails(&part, &without_rows(frozen)).map_err(|step| {
        format!("`{step}` mixes rows or columns, so no column belongs to one predictor")
    })?;
    let (outcome, groups) = facts(inputs, case);
    let known = (0..outcome.len() as u32).filter(|row| outcome[*row as usize].is_some());
    let everybody = Split { train: known.collect(), held_out: Vec::new() };
    let train = everybody.train(frame, outcome, groups);
    let prepared = part.prepared(train.rows())?;
    let form = instance.form(&member.model).map_err(|failure| failure.to_string())?;
    let coefficients = match &form {
        Form::Linear { weights, .. } if weights.len() <= MOST_COEFFICIENTS => {
            let prepared = train.with_rows(prepared.clone());
            coefficient_limits(inputs.study, learner, &trails, member.link, &prepared)
        }
        _ => None,
    };
    let (of_rows, base, scale, method) = match form {
        Form::Linear { weights, intercept, then } => {
            let (base, values) = linear(&prepared, &weights, intercept);
            let scale = match then {
                Then::Sigmoid => "log odds",
                Then::Nothing => "decision value",
            };
            (values, base, scale, "linear, predictors taken as independent")
        }
        Form::Trees { trees, columns, start, mean, then } => {
            let times = if mean { 1.0 / trees.len().max(1) as f64 } else { 1.0 };
            let (base, values) = of_trees(&prepared, &trees, columns, times);
            let scale = match then {
                Then::Sigmoid => "log odds",
                Then::Nothing => "probability",
            };
            (values, base + start, scale, "trees, path-dependent")
        }
        Form::Constant(_) => return Err(NONE_LOOKED_AT.to_string()),
        Form::Kernel { .. } | Form::Opaque => {
            return Err(format!(
                "no exact values are known for `{}`",
                learner.about.name
            ));
        }
    };
    Ok(Explained {
        scale: scale.to_string(),
        method: method.to_string(),
        base,
        rows: of_rows.len(),
        predictors: by_predictor(&of_rows, &trails, train.rows()),
        coefficients,
    })
}

/// How far the coefficients of the equation vary when patients are drawn anew, with replacement and all
/// their rows with them. Preparation, selection, settings and the map from decision values stay as they
/// are.
///
/// `None` where there is no equation, or a tenth of the resamples cannot be fitted.
///
/// Source: efron1993, chapter 13.
fn coefficient_limits(
    study: &Study,
    learner: &Use,
    trails: &[Trail],
    link: Option<Link>,
    prepared: &Train,
) -> Option<CoefficientLimits> {
    let Instance::Learner(instance) = &learner.instance else { return None };
    let terms: Vec<Straight> =
        trails.iter().map(straight).collect::<Result<_, _>>().ok()?;
    let mut patients: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (row, group) in prepared.groups().iter().enumerate() {
        patients.entry(*group).or_default().push(row);
    }
    let patients: Vec<Vec<usize>> = patients.into_values().collect();
    let mut stream = Stream::new(study.seed, &["coefficients", "patients"]);
    let mut found: Vec<Vec<f64>> = vec![Vec::new(); terms.len() + 1];
    for _ in 0..RESAMPLES {
        let drawn = (0..patients.len()).map(|_| &patients[stream.below(patients.len())]);
        let rows: Vec<usize> = drawn.flatten().copied().collect();
        // A resample of one class, or one that the learner cannot fit, has no coefficients.
        let fit = fit_learner(study, "coefficients", learner, &prepared.take(&rows));
        let form = fit.ok().and_then(|model| instance.form(&model).ok());
        let Some(Form::Linear { weights, intercept, .. }) = form else { continue };
        let (intercept, coefficients) = on_raw_scale(&terms, &weights, intercept, link);
        for (all, value) in
            found.iter_mut().zip([intercept].into_iter().chain(coefficients))
        {
            all.push(value);
        }
    }
    let resamples = found[0].len();
    let mut limits = found.iter().map(|values| percentiles(values, 0.95));
    (resamples * 10 >= RESAMPLES * 9).then(|| CoefficientLimits {
        resamples,
        intercept: limits.next().unwrap_or_default(),
        terms: limits.collect(),
    })
}

/// A row's position, and the value of each column that reaches the learner.
type OfRows = Vec<(usize, Vec<f64>)>;

fn linear(prepared: &Rows, weights: &[f64], intercept: f64) -> (f64, OfRows) {
    let means: Vec<f64> = prepared
        .columns()
        .iter()
        .map(|column| mean(&column.values).unwrap_or(0.0))
        .collect();
    let base = weights.iter().zip(&means).map(|(w, m)| w * m).sum::<f64>() + intercept;
    let value = |row: usize| {
        let row = prepared.row(row);
        let terms = row.iter().zip(&means).zip(weights);
        terms.map(|((x, mean), w)| w * (x - mean)).collect()
    };
    (base, picked(prepared.n()).map(|row| (row, value(row))).collect())
}

fn of_trees(prepared: &Rows, trees: &Trees, p: usize, times: f64) -> (f64, OfRows) {
    let rows: Vec<f64> = (0..prepared.n()).flat_map(|row| prepared.row(row)).collect();
    let covers = covers(trees, &rows, p);
    let mut base = 0.0;
    let of_rows = picked(prepared.n()).map(|row| {
        let (start, values) = shapley(trees, &covers, &rows[row * p..(row + 1) * p]);
        base = start * times;
        (row, values.into_iter().map(|value| value * times).collect())
    });
    let of_rows = of_rows.collect();
    (base, of_rows)
}

/// All rows, or as many as are computed, evenly spread over the order of ids.
fn picked(n: usize) -> impl Iterator<Item = usize> {
    let picked = n.min(ROWS);
    (0..picked).map(move |at| at * n / picked.max(1))
}

fn by_predictor(of_rows: &OfRows, trails: &[Trail], raw: &Rows) -> Vec<PredictorShap> {
    let mut columns: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (at, trail) in trails.iter().enumerate() {
        columns.entry(trail.from).or_default().push(at);
    }
    let mut predictors: Vec<PredictorShap> = columns
        .into_iter()
        .map(|(from, columns)| {
            let column = &raw.columns()[from];
            let value = |values: &Vec<f64>| columns.iter().map(|at| values[*at]).sum();
            let values: Vec<f64> = of_rows.iter().map(|(_, v)| value(v)).collect();
            let given: Vec<f64> =
                of_rows.iter().map(|(row, _)| column.values[*row]).collect();
            let is_number = raw.categories(&column.name).is_none();
            let absolute: Vec<f64> = values.iter().map(|v| v.abs()).collect();
            PredictorShap {
                name: column.name.to_string(),
                mean_absolute: mean(&absolute).unwrap_or(0.0),
                correlation: correlation(&given, &values).filter(|_| is_number),
            }
        })
        .collect();
    predictors.sort_by(|a, b| b.mean_absolute.total_cmp(&a.mean_absolute));
    predictors
}

/// Pearson's correlation over pairs without missing values.
fn correlation(a: &[f64], b: &[f64]) -> Option<f64> {
    let pairs = a.iter().zip(b).filter(|(a, _)| !a.is_nan());
    let (a, b): (Vec<f64>, Vec<f64>) = pairs.map(|(a, b)| (*a, *b)).unzip();
    let (mean_a, mean_b) = (mean(&a)?, mean(&b)?);
    let (mut aa, mut bb, mut ab) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(&b) {
        aa += (a - mean_a) * (a - mean_a);
        bb += (b - mean_b) * (b - mean_b);
        ab += (a - mean_a) * (b - mean_b);
    }
    let r = ab / sqrt(aa * bb);
    r.is_finite().then_some(r.clamp(-1.0, 1.0))
}
