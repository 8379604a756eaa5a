//! Precision against recall, as the threshold is lowered.

use super::smooth::quantile_of;
use crate::data::{Curve, Point};

/// Recall (x) and precision (y) at each distinct score from the highest down, with the precision
/// of the first at recall 0. Between two points it is a step: the precision of the right one
/// holds. `None` without a positive, and for scores that are no numbers.
///
/// Source: davis2006.
pub fn precision_recall(truth: &[bool], scores: &[f64]) -> Option<Curve> {
    let positive = truth.iter().filter(|positive| **positive).count();
    if positive == 0 || scores.iter().any(|score| score.is_nan()) {
        return None;
    }
    let mut order: Vec<usize> = (0..truth.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    let mut points = Vec::new();
    let mut hits = 0usize;
    for (position, &row) in order.iter().enumerate() {
        hits += usize::from(truth[row]);
        let tied =
            order.get(position + 1).is_some_and(|&next| scores[next] == scores[row]);
        if !tied {
            let point = Point {
                x: hits as f64 / positive as f64,
                y: hits as f64 / (position + 1) as f64,
            };
            if points.is_empty() {
                points.push(Point { x: 0.0, y: point.y });
            }
            points.push(point);
        }
    }
    Some(Curve { points })
}

/// How finely the mean of curves is drawn.
const STEPS: usize = 100;

/// The mean precision of several curves at each recall of a grid.
pub fn mean_precision(curves: &[Curve]) -> Curve {
    let at = |step: usize| {
        let x = step as f64 / STEPS as f64;
        let height = |curve: &Curve| {
            let point = curve.points[1..].iter().find(|point| point.x >= x - 1e-12);
            point.map_or(0.0, |point| point.y)
        };
        Point { x, y: curves.iter().map(height).sum::<f64>() / curves.len() as f64 }
    };
    Curve { points: (0..=STEPS).map(at).collect() }
}

/// The two-sided limits of a resampled value.
pub fn percentiles(values: &[f64], level: f64) -> (f64, f64) {
    let tail = (1.0 - level) / 2.0;
    let mut values = values.to_vec();
    // The second one finds them half sorted.
    let lower = quantile_of(&mut values, tail);
    (lower, quantile_of(&mut values, 1.0 - tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_by_hand() {
        let curve =
            precision_recall(&[true, false, true], &[0.9, 0.8, 0.7]).unwrap().points;
        let points: Vec<(f64, f64)> = curve.iter().map(|p| (p.x, p.y)).collect();
        assert_eq!(points, [(0.0, 1.0), (0.5, 1.0), (0.5, 0.5), (1.0, 2.0 / 3.0)]);
        let tied = precision_recall(&[true, false], &[0.5, 0.5]).unwrap().points;
        assert_eq!(tied.last(), Some(&Point { x: 1.0, y: 0.5 }));
        assert_eq!(precision_recall(&[false], &[0.5]), None);
    }

    #[test]
    fn the_mean_of_one_curve_is_that_curve() {
        let curve = precision_recall(&[true, false, true], &[0.9, 0.8, 0.7]).unwrap();
        let mean = mean_precision(std::slice::from_ref(&curve));
        assert_eq!(mean.points[25].y, 1.0);
        assert_eq!(mean.points[75].y, 2.0 / 3.0);
    }
}
