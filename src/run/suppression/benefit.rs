//! A decision curve in which no patient's prediction and no small count can be read.

use super::telling::rounded;
use crate::data::{DecisionCurve, DecisionPoint, RiskBin};
use crate::statistics::useful;

/// Neighbours on either side of a threshold.
const BESIDE: usize = 4;
/// Fewer neighbouring thresholds than this are no stretch of a curve.
const LEAST: usize = BESIDE + 1;

/// Net benefit as lines through neighbouring thresholds, rounded, at those at which nobody or enough of
/// either class have predictions above, and nobody or enough below.
///
/// Net benefit is a sum over the patients above a threshold. Where they are few it tells their number,
/// however smooth it is: a patient with the outcome adds 1/n to all of it, and one without what the
/// threshold says. `bins` are the finest ranges of the distribution of predictions, by which a count is
/// known at their ends; between these it may be any number from one to the other. `None` where no
/// threshold is left.
pub fn told(
    curve: &DecisionCurve,
    bins: &[RiskBin],
    smallest: f64,
) -> Option<DecisionCurve> {
    let open: Vec<bool> =
        curve.points.iter().map(|at| is_open(bins, at.threshold, smallest)).collect();
    let mut points: Vec<DecisionPoint> = Vec::new();
    let mut stretches = Vec::new();
    let mut first = 0;
    for stretch in open.chunk_by(|one, other| one == other) {
        let places = first..first + stretch.len();
        first = places.end;
        if stretch[0] && stretch.len() >= LEAST {
            let smooth = smoothed(&curve.points[places]);
            stretches.extend(useful(&smooth));
            points.extend(smooth);
        }
    }
    let round = |value: f64| rounded(value, 0.001);
    for point in &mut points {
        point.model = round(point.model);
        point.lower = point.lower.map(round);
        point.upper = point.upper.map(round);
    }
    let left_out = match curve.points.len() - points.len() {
        0 => "",
        _ => {
            "; left out at thresholds above or below which few of a class have predictions"
        }
    };
    let all = (2 * BESIDE + 1).min(curve.points.len());
    (!points.is_empty()).then(|| DecisionCurve {
        range: curve.range,
        points,
        useful: stretches,
        method: format!(
            "{}; as lines through up to {all} neighbouring thresholds, rounded, so that no patient's \
             prediction can be read{left_out}",
            curve.method.trim_end_matches('.'),
        ),
    })
}

/// Whether each class has nobody or enough on either side of a threshold.
fn is_open(bins: &[RiskBin], threshold: f64, smallest: f64) -> bool {
    let classes: [fn(&RiskBin) -> f64; 2] = [|bin| bin.events, |bin| bin.non_events];
    let sum = |of: fn(&RiskBin) -> f64, within: &dyn Fn(&RiskBin) -> bool| -> f64 {
        bins.iter().filter(|bin| within(bin)).map(of).sum()
    };
    let plain = |least: f64, most: f64| least >= smallest - 1e-6 || most < 1e-6;
    !bins.is_empty()
        && classes.into_iter().all(|of| {
            let all = sum(of, &|_| true);
            let least = sum(of, &|bin| bin.lower >= threshold - 1e-9);
            let most = sum(of, &|bin| bin.upper > threshold + 1e-9);
            plain(least, most) && plain(all - most, all - least)
        })
}

/// The height of the line through the nearest points, so that slopes are kept at the ends and no point
/// there is alone; elsewhere it is their mean.
fn smoothed(points: &[DecisionPoint]) -> Vec<DecisionPoint> {
    let n = points.len();
    let line = |at: usize, of: &dyn Fn(&DecisionPoint) -> Option<f64>| {
        let width = (2 * BESIDE + 1).min(n);
        let first = at.saturating_sub(BESIDE).min(n - width);
        let values: Option<Vec<f64>> =
            points[first..first + width].iter().map(of).collect();
        let values = values?;
        let mean = values.iter().sum::<f64>() / width as f64;
        let middle = (width - 1) as f64 / 2.0;
        let (mut along, mut across) = (0.0, 0.0);
        for (place, value) in values.iter().enumerate() {
            let x = place as f64 - middle;
            along += x * value;
            across += x * x;
        }
        let slope = if across > 0.0 { along / across } else { 0.0 };
        Some(mean + slope * ((at - first) as f64 - middle))
    };
    let point = |(at, point): (usize, &DecisionPoint)| {
        // Of somebody who treats everybody the line is that of treating everybody.
        let less = line(at, &|of| Some(of.model - of.treat_all));
        let none = line(at, &|of| Some(of.model));
        let (less, none) = (less.unwrap_or_default(), none.unwrap_or_default());
        let everybody = less.abs() < 1e-9;
        DecisionPoint {
            model: if everybody { point.treat_all } else { none },
            lower: line(at, &|of| of.lower),
            upper: line(at, &|of| of.upper),
            ..*point
        }
    };
    points.iter().enumerate().map(point).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bin(at: usize, events: f64, non_events: f64) -> RiskBin {
        let (lower, upper) = (at as f64 / 20.0, (at + 1) as f64 / 20.0);
        RiskBin { lower, upper, events, non_events }
    }

    /// Predictions of a class at these places in steps of a hundredth.
    fn curve(events: &[usize], others: &[usize]) -> (DecisionCurve, Vec<RiskBin>) {
        let bins = (0..20).map(|at| {
            let inside =
                |of: &[usize]| of.iter().filter(|p| **p / 5 == at).count() as f64;
            bin(at, inside(events), inside(others))
        });
        let n = (events.len() + others.len()) as f64;
        let points = (5..=85).map(|at| {
            let threshold = at as f64 / 100.0;
            let odds = threshold / (1.0 - threshold);
            let above = |of: &[usize]| of.iter().filter(|p| **p >= at).count() as f64;
            let model = (above(events) - odds * above(others)) / n;
            let treat_all = (events.len() as f64 - odds * others.len() as f64) / n;
            DecisionPoint { threshold, model, lower: None, upper: None, treat_all }
        });
        let points: Vec<DecisionPoint> = points.collect();
        let useful = useful(&points);
        let method = String::new();
        (DecisionCurve { range: (0.05, 0.85), points, useful, method }, bins.collect())
    }

    #[test]
    fn where_few_are_above_or_below_nothing_is_told() {
        let events: Vec<usize> = (0..40).map(|at| 30 + at).collect();
        let others: Vec<usize> = (0..60).map(|at| 10 + at / 2).collect();
        let (whole, bins) = curve(&events, &others);
        let found = told(&whole, &bins, 5.0).unwrap();
        // Of those with the outcome none lies below 0.30 and fewer than five below 0.35; of the others fewer
        // than five lie below 0.12, and none from 0.40 on.
        let at = |threshold: f64| {
            found.points.iter().find(|point| (point.threshold - threshold).abs() < 1e-9)
        };
        assert!(at(0.11).is_none() && at(0.32).is_none() && at(0.68).is_none());
        assert!(at(0.07).is_some() && at(0.2).is_some() && at(0.5).is_some());
        assert!(at(0.8).is_some(), "nobody is above, which is plain");
        assert!(found.method.contains("left out"));
        for point in &found.points {
            let t = (point.threshold * 100.0).round() as usize;
            for class in [&events, &others] {
                let above = class.iter().filter(|p| **p >= t).count();
                let below = class.len() - above;
                assert!([above, below].iter().all(|n| *n == 0 || *n >= 5), "{t}");
            }
        }
        // What is told of treating everybody or nobody is no advantage.
        assert!(found.useful.iter().all(|(from, to)| *from > 0.1 && *to < 0.7));
        assert_eq!(told(&whole, &[], 5.0), None);
    }

    #[test]
    fn a_smoothed_curve_has_no_point_of_one_threshold() {
        let points = |model: &dyn Fn(usize) -> f64| -> Vec<DecisionPoint> {
            let point = |at: usize| DecisionPoint {
                threshold: 0.1 + at as f64 / 100.0,
                model: model(at),
                lower: None,
                upper: None,
                treat_all: 0.0,
            };
            (0..21).map(point).collect()
        };
        let line = smoothed(&points(&|at| 0.4 - at as f64 / 100.0));
        for (at, point) in line.iter().enumerate() {
            assert!((point.model - (0.4 - at as f64 / 100.0)).abs() < 1e-9);
        }
        for at in [0, 10, 20] {
            let step = smoothed(&points(&|place| f64::from(u8::from(place == at))));
            assert!(step[at].model < 0.5);
        }
    }
}
