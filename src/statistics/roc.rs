//! The receiver operating characteristic: sensitivity against 1 − specificity.

use crate::data::{Curve, Point};

/// The step curve of these scores, and for each of its points but the first the threshold that rows
/// reach there; `None` when there is one class only.
///
/// Rows of equal score are passed at once, which gives the straight lines that ties deserve. Points
/// within a straight line are left out. `thresholds` says what the score of a row is called, which is
/// the score itself unless that is on no scale that decisions are made on.
///
/// Source: hanley1982.
pub fn roc_curve(
    truth: &[bool],
    scores: &[f64],
    thresholds: &[f64],
) -> Option<(Curve, Vec<f64>)> {
    let positive = truth.iter().filter(|positive| **positive).count();
    let negative = truth.len() - positive;
    if positive == 0 || negative == 0 {
        return None;
    }
    let mut order: Vec<usize> = (0..truth.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    let mut passed: Vec<(i64, i64, usize)> = Vec::new();
    let (mut hits, mut alarms) = (0, 0);
    for (position, &row) in order.iter().enumerate() {
        if truth[row] {
            hits += 1;
        } else {
            alarms += 1;
        }
        let tied =
            order.get(position + 1).is_some_and(|&next| scores[next] == scores[row]);
        if tied {
            continue;
        }
        // A point on the way from the one before to this one is no corner.
        let before = passed.len().checked_sub(2).map_or((0, 0, 0), |at| passed[at]);
        if let Some(last) = passed.last()
            && (last.0 - before.0) * (hits - before.1)
                == (last.1 - before.1) * (alarms - before.0)
        {
            passed.pop();
        }
        passed.push((alarms, hits, row));
    }
    let mut points = vec![Point { x: 0.0, y: 0.0 }];
    points.extend(passed.iter().map(|(alarms, hits, _)| Point {
        x: *alarms as f64 / negative as f64,
        y: *hits as f64 / positive as f64,
    }));
    let at = passed.iter().map(|(_, _, row)| thresholds[*row]).collect();
    Some((Curve { points }, at))
}

/// How finely the mean of curves is drawn.
const STEPS: usize = 100;

/// The mean sensitivity of several curves at each 1 − specificity of a grid.
pub fn mean_curve(curves: &[Curve]) -> Curve {
    let at = |step: usize| {
        let x = step as f64 / STEPS as f64;
        let sum: f64 = curves.iter().map(|curve| height(curve, x)).sum();
        Point { x, y: sum / curves.len() as f64 }
    };
    let mut points = vec![Point { x: 0.0, y: 0.0 }];
    points.extend((0..=STEPS).map(at));
    Curve { points }
}

/// The highest point of a curve at `x`, by straight lines between its points.
fn height(curve: &Curve, x: f64) -> f64 {
    let after = curve.points.iter().position(|point| point.x > x);
    let Some(after) = after else {
        return curve.points.last().map_or(0.0, |point| point.y);
    };
    let (a, b) = (curve.points[after - 1], curve.points[after]);
    a.y + (b.y - a.y) * (x - a.x) / (b.x - a.x)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(curve: &Curve) -> f64 {
        let slice =
            |pair: &[Point]| (pair[1].x - pair[0].x) * (pair[0].y + pair[1].y) / 2.0;
        curve.points.windows(2).map(slice).sum()
    }

    fn curve(truth: &[bool], scores: &[f64]) -> Option<Curve> {
        roc_curve(truth, scores, scores).map(|(curve, _)| curve)
    }

    #[test]
    fn the_area_under_the_curve_counts_pairs() {
        let truth = [true, false, true, false];
        assert_eq!(area(&curve(&truth, &[0.9, 0.8, 0.7, 0.1]).unwrap()), 0.75);
        assert_eq!(area(&curve(&truth, &[0.5; 4]).unwrap()), 0.5);
        assert_eq!(curve(&[true, true], &[0.1, 0.2]), None);
    }

    #[test]
    fn corners_have_thresholds_and_stretches_have_no_points() {
        let truth = [true, true, true, false, false, true];
        let scores = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4];
        let (of, thresholds) = roc_curve(&truth, &scores, &scores).unwrap();
        let points: Vec<(f64, f64)> = of.points.iter().map(|p| (p.x, p.y)).collect();
        assert_eq!(points, [(0.0, 0.0), (0.0, 0.75), (1.0, 0.75), (1.0, 1.0)]);
        assert_eq!(thresholds, [0.7, 0.5, 0.4]);
        // Decision values rank, probabilities are what is called.
        let (_, called) =
            roc_curve(&truth, &scores, &[6.0, 5.0, 4.0, 3.0, 2.0, 1.0]).unwrap();
        assert_eq!(called, [4.0, 2.0, 1.0]);
    }

    #[test]
    fn the_mean_of_one_curve_is_that_curve() {
        let curve = curve(&[true, false, true, false], &[0.9, 0.8, 0.7, 0.1]).unwrap();
        let mean = mean_curve(std::slice::from_ref(&curve));
        assert!((area(&mean) - area(&curve)).abs() < 0.01);
        assert_eq!(mean.points.last(), Some(&Point { x: 1.0, y: 1.0 }));
    }
}
