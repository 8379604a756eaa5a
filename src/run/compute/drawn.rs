//! What is drawn of held-out predictions: curves of calibration, of decisions, of precision.

use std::collections::BTreeSet;

use super::measured::{Held, How, distinct, judged};
use super::pools::{Pool, Pools};
use super::{Computed, Inputs};
use crate::data::{
    Band, Banded, CalibrationCurve, Confusion, Curve, Curves, DecisionAtThreshold,
    DecisionCurve, DecisionPoint, RiskBin, Value,
};
use crate::math::mean;
use crate::operation::Scored;
use crate::plan::Judgement;
use crate::statistics::{
    self, Add, Calibrated, DEGREE, Decided, NetBenefits, Points, Ranked, SPAN,
    band_places, benefit_of_decisions, benefits_of_rows, calibration_errors,
    mean_of_drawn, net_benefit, percentiles, quantile, thresholds, treat_all, useful,
};

const LEVEL: f64 = 0.95;
/// Of patients, for the bands of curves that are counted.
const RESAMPLES: usize = 1000;
/// The same for a calibration curve, which takes longer.
const RESAMPLES_OF_SMOOTH: usize = 200;
/// A band is drawn where at least this share of the resamples has a curve.
const REACHED: f64 = 0.5;
/// Points of a calibration curve.
const GRID: usize = 41;
/// Bins of the distribution of predictions.
const BINS: usize = 20;
/// Under this many of a class, calibration is imprecise.
const FEW: usize = 100;

/// ROC curves pooled within each repeat, and their mean with its band.
pub fn roc(inputs: &Inputs<'_>, of: Judgement) -> Computed {
    let judged = judged(inputs, of, 0..inputs.values.len())?;
    let called = Pools::of(inputs, &judged, false);
    let called: Vec<Vec<f64>> = called.repeats.into_iter().map(|of| of.scores).collect();
    let pools = ranked(inputs, &judged);
    let (mut curves, mut thresholds) = (Vec::new(), Vec::new());
    for (pool, called) in pools.repeats.iter().zip(&called) {
        if let Some((curve, at)) =
            statistics::roc_curve(&pool.truth, &pool.scores, called)
        {
            curves.push(curve);
            thresholds.push(at);
        }
    }
    if curves.is_empty() {
        return Ok(Value::Failed(why(&judged.failed, "a class is missing")));
    }
    let band = Around {
        add: Ranked::add_sensitivities,
        // All patients with the outcome are judged at each place; the curve ends in its corner.
        n_at: |x, _, positive| (x < 1.0).then_some(positive),
        counted: "patients with the outcome",
    };
    let band = band.of(inputs, &judged, &pools);
    let mean = statistics::mean_curve(&curves);
    Ok(Value::Curves(Curves { curves, thresholds, mean, band }))
}

/// Precision–recall curves pooled within each repeat, and their mean with its band.
pub fn precision_recall(inputs: &Inputs<'_>, of: Judgement) -> Computed {
    let judged = judged(inputs, of, 0..inputs.values.len())?;
    let pools = ranked(inputs, &judged);
    let curves = pools
        .repeats
        .iter()
        .filter_map(|pool| statistics::precision_recall(&pool.truth, &pool.scores));
    let curves: Vec<Curve> = curves.collect();
    if curves.is_empty() {
        return Ok(Value::Failed(why(&judged.failed, "there is no positive row")));
    }
    let band = Around {
        add: Ranked::add_precisions,
        n_at: |x, precision, positive| {
            (precision > 0.0).then(|| (x * positive).max(1.0) / precision)
        },
        counted: "patients called positive",
    };
    let band = band.of(inputs, &judged, &pools);
    let mean = statistics::mean_precision(&curves);
    Ok(Value::Curves(Curves { curves, thresholds: Vec::new(), mean, band }))
}

/// Predictions as curves rank them: one set of rows by its decision values, those of several folds, which
/// have no scale of these in common, by probability.
fn ranked(inputs: &Inputs<'_>, judged: &Held<'_>) -> Pools {
    let pools = Pools::of(inputs, judged, false);
    match judged.how {
        How::Once => pools.ranked(judged),
        How::Folds | How::Sites => pools,
    }
}

/// How the band around a curve is made.
struct Around {
    /// Of the curve.
    add: Add,
    /// Of how many patients a height is the share, at a place with so many patients with the outcome.
    n_at: fn(f64, f64, f64) -> Option<f64>,
    counted: &'static str,
}

impl Around {
    /// The band around the mean over repeats. Each resample draws patients and leaves their predictions
    /// as they are: no model is fitted again.
    fn of(&self, inputs: &Inputs<'_>, judged: &Held<'_>, pools: &Pools) -> Band {
        let cohort = &inputs.study.cohorts[judged.cohort].name;
        let patients = &inputs.survey.cohorts[cohort].groups;
        let (mut repeats, mut positive, mut ones) = (Vec::new(), BTreeSet::new(), 0);
        for pool in &pools.repeats {
            ones = ones.max(pool.units().iter().max().map_or(0, |last| last + 1));
            repeats.push(Ranked::new(&pool.truth, &pool.scores, pool.units()));
            let rows = pool.rows.iter().zip(&pool.truth).filter(|(_, class)| **class);
            positive.extend(rows.map(|(row, _)| patients[*row as usize]));
        }
        let ones = vec![1; ones];
        let mut sums = vec![0.0; band_places().count()];
        // A repeat without a curve has no part in the mean.
        repeats.retain_mut(|of| (self.add)(of, &ones, &mut sums).is_some());
        if repeats.is_empty() {
            return Band::default();
        }
        let n = repeats.len() as f64;
        let estimate: Vec<f64> = sums.iter().map(|sum| sum / n).collect();
        // By place, resample after resample.
        let of_place = || Vec::with_capacity(RESAMPLES);
        let mut drawn: Vec<Vec<f64>> = estimate.iter().map(|_| of_place()).collect();
        pools.reweigh(inputs.resamples, RESAMPLES, &mut |weights| {
            sums.fill(0.0);
            let mut all = repeats.iter_mut();
            if all.all(|of| (self.add)(of, weights, &mut sums).is_some()) {
                for (of_place, sum) in drawn.iter_mut().zip(&sums) {
                    of_place.push(sum / n);
                }
            }
        });
        let have = drawn[0].len();
        if have * 10 < RESAMPLES * 9 {
            return Band {
                points: Vec::new(),
                method: format!(
                    "no band: {} of {RESAMPLES} resamples of {} lack a class",
                    RESAMPLES - have,
                    pools.drawn()
                ),
            };
        }
        let positive = positive.len() as f64;
        let n_at = |x: f64, height: f64| (self.n_at)(x, height, positive);
        let fixed = match judged.how {
            How::Once => "the model is fixed",
            How::Folds | How::Sites => {
                "models are kept as they were fitted, so that the variation of training sets and \
                 choices is left out"
            }
        };
        Band {
            points: statistics::band(&drawn, &estimate, LEVEL, &n_at),
            method: format!(
                "pointwise 95 % band from {have} resamples of {}{}, nowhere narrower than Wilson's \
                 interval with the number of {}; it says nothing of the whole curve at once; {fixed}",
                pools.drawn_of(),
                pools.drawn_apart(),
                self.counted
            ),
        }
    }
}

/// Rows by class and decision.
pub fn confusion(inputs: &Inputs<'_>, of: Judgement) -> Computed {
    let judged = judged(inputs, of, 0..inputs.values.len())?;
    let pools = Pools::of(inputs, &judged, false);
    let counted = pools.repeats.iter().filter(|pool| !pool.truth.is_empty());
    let cells: Vec<Decided> =
        counted.filter_map(|pool| Decided::count(pool.scored()).ok()).collect();
    let average = |of: fn(&Decided) -> usize| {
        mean(&cells.iter().map(|cell| of(cell) as f64).collect::<Vec<_>>())
    };
    Ok(match average(|cell| cell.hits) {
        Some(true_positive) => Value::Confusion(Confusion {
            true_positive,
            false_positive: average(|cell| cell.alarms).unwrap_or_default(),
            false_negative: average(|cell| cell.misses).unwrap_or_default(),
            true_negative: average(|cell| cell.passes).unwrap_or_default(),
            repeats: cells.len(),
            benefit: benefit(inputs, pools),
        }),
        None => Value::Failed(why(&judged.failed, "no threshold is applied here")),
    })
}

/// Net benefit over the range that the author declared.
pub fn decision(inputs: &Inputs<'_>, of: Judgement) -> Computed {
    let judged = judged(inputs, of, 0..inputs.values.len())?;
    let range = inputs.study.evaluate.decision_range;
    let range = range.expect("`plan` adds this node for a declared range");
    let mut pools = Pools::of(inputs, &judged, false);
    pools.drop_empty();
    if pools.repeats.is_empty() {
        return Ok(Value::Failed(why(&judged.failed, "there are no predictions")));
    }
    let grid = thresholds(range);
    let model = |at: f64| {
        let repeats = pools.repeats.iter();
        let values = repeats.map(|pool| net_benefit(&pool.truth, &pool.scores, at));
        mean(&values.collect::<Vec<_>>())
    };
    let repeats = pools.repeats.iter();
    let repeats = repeats.map(|pool| NetBenefits::new(&pool.truth, &pool.scores, &grid));
    let repeats: Vec<NetBenefits<'_>> = repeats.collect();
    let mut bands = vec![Vec::with_capacity(RESAMPLES); grid.len()];
    pools.redraw(inputs.resamples, RESAMPLES, &mut |drawn| {
        let benefits = repeats.iter().zip(drawn).map(|(of, drawn)| of.of(drawn));
        let benefits: Vec<Vec<f64>> = benefits.collect();
        for (place, band) in bands.iter_mut().enumerate() {
            let values: Vec<f64> = benefits.iter().map(|of| of[place]).collect();
            band.extend(mean(&values));
        }
    });
    let mut points = Vec::new();
    for (at, band) in grid.iter().zip(&bands) {
        let all = pools.repeats.iter().map(|pool| treat_all(&pool.truth, *at));
        let (lower, upper) = percentiles(band, LEVEL);
        points.push(DecisionPoint {
            threshold: *at,
            model: model(*at).unwrap_or_default(),
            lower: Some(lower),
            upper: Some(upper),
            treat_all: mean(&all.collect::<Vec<_>>()).unwrap_or_default(),
        });
    }
    Ok(Value::Decided(DecisionCurve {
        range,
        useful: useful(&points),
        points,
        method: format!(
            "out-of-sample predictions{}; rows at or above the threshold are treated; pointwise \
             95 % band from {RESAMPLES} resamples of {}",
            pooled_words(judged.how, pools.repeats.len()),
            pools.drawn_of()
        ),
    }))
}

/// What decisions at the declared threshold are worth, each fold at its own.
fn benefit(inputs: &Inputs<'_>, mut pools: Pools) -> Option<DecisionAtThreshold> {
    pools.drop_empty();
    let over = |of: &dyn Fn(&Pool) -> Option<f64>| {
        let values: Option<Vec<f64>> = pools.repeats.iter().map(of).collect();
        mean(&values?)
    };
    let model = |rows: Scored<'_>| {
        benefit_of_decisions(rows.truth, rows.decisions, rows.thresholds)
    };
    let all = |pool: &Pool| {
        let everybody = vec![true; pool.truth.len()];
        benefit_of_decisions(&pool.truth, &everybody, &pool.thresholds)
    };
    let benefit = over(&|pool| model(pool.scored()))?;
    let treat_all = over(&all)?;
    // A benefit that is no number is in no resample either.
    let rows = pools.repeats.iter().map(|pool| benefits_of_rows(pool.scored()));
    let rows: Vec<Vec<f64>> = rows.collect();
    let drawn = pools.values(inputs.resamples, RESAMPLES, &mut |drawn| {
        let repeats = rows.iter().zip(drawn);
        let values: Option<Vec<f64>> =
            repeats.map(|(rows, drawn)| mean_of_drawn(rows, drawn).ok()).collect();
        mean(&values?)
    });
    let enough = drawn.len() * 10 >= RESAMPLES * 9;
    let interval = enough.then(|| percentiles(&drawn, LEVEL));
    let interval =
        interval.filter(|(lower, upper)| *lower <= benefit && benefit <= *upper);
    let (lower, upper) = interval.unzip();
    Some(DecisionAtThreshold { model: benefit, lower, upper, treat_all })
}

/// Predicted probability against the share of events.
pub fn calibration(inputs: &Inputs<'_>, of: Judgement) -> Computed {
    let judged = judged(inputs, of, 0..inputs.values.len())?;
    let mut pools = Pools::of(inputs, &judged, false);
    pools.drop_empty();
    let repeats = pools.repeats.iter();
    let repeats = repeats.map(|pool| Calibrated::new(&pool.truth, &pool.scores));
    let mut repeats: Vec<Calibrated> = repeats.collect();
    let ones = pools.repeats.iter().map(|pool| vec![1; pool.truth.len()]);
    let ones: Vec<Vec<u32>> = ones.collect();
    let few = "fewer than 10 predictions, or all of them equal";
    let drawn = curves(&mut repeats, &ones).filter(|drawn| !drawn.is_empty());
    let Some(drawn) = drawn else {
        return Ok(Value::Failed(why(&judged.failed, few)));
    };
    let ranges: Vec<(f64, f64)> =
        drawn.iter().filter_map(|curve| curve.range()).collect();
    let low = ranges.iter().map(|range| range.0).fold(f64::NEG_INFINITY, f64::max);
    let high = ranges.iter().map(|range| range.1).fold(f64::INFINITY, f64::min);
    if low >= high {
        let apart = "the repeats have no range of predictions in common";
        return Ok(Value::Failed(apart.to_string()));
    }
    let grid = places(low, high);
    let heights = mean_heights(&drawn, &grid);
    let band = || Vec::with_capacity(RESAMPLES_OF_SMOOTH);
    let mut bands: Vec<Vec<f64>> = std::iter::repeat_with(band).take(GRID).collect();
    pools.redraw(inputs.resamples, RESAMPLES_OF_SMOOTH, &mut |resampled| {
        let Some(curves) = curves(&mut repeats, resampled) else { return };
        for (band, height) in bands.iter_mut().zip(mean_heights(&curves, &grid)) {
            band.extend(height);
        }
    });
    let points =
        grid.iter().zip(&heights).zip(&bands).filter_map(|((at, height), band)| {
            let reached = band.len() as f64 >= REACHED * RESAMPLES_OF_SMOOTH as f64;
            let (lower, upper) = reached.then(|| percentiles(band, LEVEL)).unzip();
            Some(Banded { x: *at, y: (*height)?, lower, upper })
        });
    let errors: Vec<Vec<f64>> = pools
        .repeats
        .iter()
        .filter_map(|pool| calibration_errors(&pool.truth, &pool.scores))
        .collect();
    let over = |of: &dyn Fn(&[f64]) -> f64| {
        mean(&errors.iter().map(|errors| of(errors)).collect::<Vec<_>>())
    };
    let truth = &pools.repeats[0].truth;
    let events = truth.iter().filter(|class| **class).count();
    let non_events = truth.len() - events;
    Ok(Value::Calibrated(CalibrationCurve {
        smoother: format!("loess, degree {DEGREE}, span {SPAN}, tricube weights"),
        points: points.collect(),
        distribution: distribution(&pools.repeats),
        events,
        non_events,
        few: events.min(non_events) < FEW,
        ici: over(&|errors| errors.iter().sum::<f64>() / errors.len() as f64),
        e50: over(&|errors| quantile(errors, 0.5)),
        e90: over(&|errors| quantile(errors, 0.9)),
        method: format!(
            "out-of-sample predictions{}; pointwise 95 % band from {RESAMPLES_OF_SMOOTH} \
             resamples of {}; drawn between the smallest and the largest prediction",
            pooled_words(judged.how, pools.repeats.len()),
            pools.drawn_of()
        ),
    }))
}

/// Where a calibration curve is drawn. Rounding must not carry the last place beyond the last
/// prediction, where there is no curve.
fn places(low: f64, high: f64) -> Vec<f64> {
    let place = |at: usize| low + (high - low) * at as f64 / (GRID - 1) as f64;
    (0..GRID).map(|at| place(at).min(high)).collect()
}

/// The points of each repeat for rows that were drawn so often, if all have enough.
fn curves<'a>(
    repeats: &'a mut [Calibrated],
    drawn: &[Vec<u32>],
) -> Option<Vec<&'a Points>> {
    repeats.iter_mut().zip(drawn).map(|(of, drawn)| of.points(drawn)).collect()
}

/// The mean of the curves at each place that all of them reach, cut at 0 and 1.
fn mean_heights(curves: &[&Points], grid: &[f64]) -> Vec<Option<f64>> {
    let mut sums = vec![Some(0.0); grid.len()];
    for curve in curves {
        let Some((low, high)) = curve.range() else { return vec![None; grid.len()] };
        let inside = |at: &f64| low <= *at && *at <= high;
        let mut heights = curve.loess(grid.iter().copied().filter(inside), SPAN, DEGREE);
        for (sum, at) in sums.iter_mut().zip(grid) {
            let height = if inside(at) { heights.next().flatten() } else { None };
            *sum = sum.zip(height).map(|(sum, height)| sum + height);
        }
    }
    let n = curves.len() as f64;
    sums.into_iter().map(|sum| sum.map(|sum: f64| (sum / n).clamp(0.0, 1.0))).collect()
}

fn distribution(pools: &[Pool]) -> Vec<RiskBin> {
    let mut bins: Vec<RiskBin> = (0..BINS)
        .map(|bin| RiskBin {
            lower: bin as f64 / BINS as f64,
            upper: (bin + 1) as f64 / BINS as f64,
            events: 0.0,
            non_events: 0.0,
        })
        .collect();
    for pool in pools {
        for (class, p) in pool.truth.iter().zip(&pool.scores) {
            let bin = ((p * BINS as f64) as usize).min(BINS - 1);
            match class {
                true => bins[bin].events += 1.0,
                false => bins[bin].non_events += 1.0,
            }
        }
    }
    for bin in &mut bins {
        bin.events /= pools.len() as f64;
        bin.non_events /= pools.len() as f64;
    }
    bins
}

fn pooled_words(how: How, repeats: usize) -> String {
    match how {
        How::Once => String::new(),
        _ if repeats == 1 => ", pooled over the folds".to_string(),
        _ => format!(
            ", pooled within each repeat; the mean of the curves of {repeats} repeats"
        ),
    }
}

/// The reasons of failed splits, or what was missing if none failed.
fn why(failed: &[String], missing: &str) -> String {
    match failed.is_empty() {
        true => missing.to_string(),
        false => distinct(failed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_reaches_the_last_prediction_and_not_beyond() {
        let mut beyond = 0;
        for at in 1..2000 {
            let (low, high) = (0.1 / f64::from(at), 1.0 - 0.31 / f64::from(at));
            let unbounded = low + (high - low) * (GRID - 1) as f64 / (GRID - 1) as f64;
            beyond += usize::from(unbounded > high);
            let places = places(low, high);
            assert!(places.len() == GRID && places.iter().all(|at| *at <= high));
            assert!(high - places[GRID - 1] < 1e-15);
        }
        assert!(beyond > 0, "rounding carries some beyond");
    }
}
