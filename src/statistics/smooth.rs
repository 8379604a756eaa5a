//! Loess: a smooth curve through noisy points, by local polynomials.

use super::probabilities::checked;
use crate::math::{Matrix, sqrt};
use crate::operation::{Failure, Scored};

/// Points up to this number are all fitted; above, this many places with straight lines between.
const DIRECT: usize = 500;
const PLACES: usize = 200;
/// Below this many points there is no curve.
const LEAST: usize = 10;

/// Points in order of `x`.
#[derive(Debug, Clone, PartialEq)]
pub struct Points {
    x: Vec<f64>,
    y: Vec<f64>,
}

impl Points {
    pub fn new(x: &[f64], y: &[f64]) -> Self {
        let mut order: Vec<usize> = (0..x.len()).collect();
        // By both, so that the order of rows does not reach a sum.
        order.sort_by(|&a, &b| x[a].total_cmp(&x[b]).then(y[a].total_cmp(&y[b])));
        let take = |values: &[f64]| order.iter().map(|&at| values[at]).collect();
        Self { x: take(x), y: take(y) }
    }

    /// The smallest and the largest `x`.
    pub fn range(&self) -> Option<(f64, f64)> {
        Some((*self.x.first()?, *self.x.last()?))
    }

    /// The curve at `at`: a polynomial of `degree` fitted by least squares to the share `span` of
    /// the points that lies nearest, weighed by (1 − (d/h)³)³, h the distance of the farthest.
    ///
    /// Where the points have too few values of `x` for the degree, a lower one is fitted.
    ///
    /// Source: cleveland1988, section 2, fitted directly and without robustness iterations.
    pub fn loess(&self, at: f64, span: f64, degree: usize) -> Option<f64> {
        let n = self.x.len();
        let q = ((n as f64 * span + 1e-5) as usize).min(n);
        if q == 0 {
            return None;
        }
        // The q nearest are neighbours in order: slide their window to where it is narrowest.
        let mut first = self.x.partition_point(|x| *x < at).saturating_sub(q).min(n - q);
        while first + q < n && self.x[first + q] - at < at - self.x[first] {
            first += 1;
        }
        let nearest = &self.x[first..first + q];
        let h = (at - nearest[0]).max(nearest[q - 1] - at);
        if h <= 0.0 {
            return crate::math::mean(&self.y[first..first + q]);
        }
        let mut weighed = Vec::with_capacity(q);
        for (x, y) in nearest.iter().zip(&self.y[first..first + q]) {
            let u = (x - at) / h;
            let cube = 1.0 - (u * u * u).abs();
            let weight = cube * cube * cube;
            if weight > 0.0 {
                weighed.push((weight, u, *y));
            }
        }
        (0..=degree).rev().find_map(|degree| local(&weighed, degree))
    }
}

/// The intercept of a weighted polynomial; `None` where its normal equations are singular.
fn local(weighed: &[(f64, f64, f64)], degree: usize) -> Option<f64> {
    let p = degree + 1;
    let mut moments = vec![0.0; 2 * degree + 1];
    let mut right = vec![0.0; p];
    for (weight, u, y) in weighed {
        let mut power = *weight;
        for (k, moment) in moments.iter_mut().enumerate() {
            *moment += power;
            if k < p {
                right[k] += power * y;
            }
            power *= u;
        }
    }
    // Scaled to a unit diagonal, so that what is singular shows in the pivots.
    let scale: Vec<f64> = (0..p).map(|i| sqrt(moments[2 * i])).collect();
    if scale.iter().any(|s| *s <= 0.0) {
        return None;
    }
    let mut values = vec![0.0; p * p];
    for i in 0..p {
        for j in 0..p {
            values[i * p + j] = moments[i + j] / (scale[i] * scale[j]);
        }
    }
    if smallest_pivot(&values, p) < 1e-10 {
        return None;
    }
    for (b, s) in right.iter_mut().zip(&scale) {
        *b /= s;
    }
    let solved = Matrix { n: p, p, values }.solve(&right)?;
    Some(solved[0] / scale[0])
}

/// The smallest squared pivot of Cholesky's factorisation of a matrix with a unit diagonal.
fn smallest_pivot(values: &[f64], p: usize) -> f64 {
    let mut l = values.to_vec();
    let mut smallest = f64::INFINITY;
    for j in 0..p {
        let mut pivot = l[j * p + j];
        for k in 0..j {
            pivot -= l[j * p + k] * l[j * p + k];
        }
        smallest = smallest.min(pivot);
        if pivot <= 0.0 {
            return smallest;
        }
        let root = sqrt(pivot);
        for i in j + 1..p {
            let mut sum = l[i * p + j];
            for k in 0..j {
                sum -= l[i * p + k] * l[j * p + k];
            }
            l[i * p + j] = sum / root;
        }
        l[j * p + j] = root;
    }
    smallest
}

/// Share of the points, and degree, of every calibration curve.
pub const SPAN: f64 = 0.75;
pub const DEGREE: usize = 2;

/// The distance of each prediction from its calibration curve, or why there is no curve.
pub fn distances(scored: Scored<'_>) -> Result<Vec<f64>, Failure> {
    checked(scored)?;
    let errors = calibration_errors(scored.truth, scored.scores);
    errors.ok_or(Failure::Undefined("too few predictions for a curve"))
}

/// |p − curve(p)| for each row. `None` below 10 rows and for equal predictions.
///
/// Source: austin2019.
pub fn calibration_errors(truth: &[bool], probabilities: &[f64]) -> Option<Vec<f64>> {
    let points = calibration_points(truth, probabilities)?;
    let curve = |p: f64| points.loess(p, SPAN, DEGREE);
    if probabilities.len() <= DIRECT {
        return probabilities.iter().map(|p| Some((p - curve(*p)?).abs())).collect();
    }
    let mut places = Vec::with_capacity(PLACES);
    for place in 0..PLACES {
        let x = quantile_of_sorted(&points.x, place as f64 / (PLACES - 1) as f64);
        if places.last().is_none_or(|(last, _)| x > *last) {
            places.push((x, curve(x)?));
        }
    }
    let error = |p: &f64| (p - between(&places, *p)).abs();
    Some(probabilities.iter().map(error).collect())
}

/// The points that a calibration curve is drawn through, if they are enough for one.
pub fn calibration_points(truth: &[bool], probabilities: &[f64]) -> Option<Points> {
    if truth.len() < LEAST || truth.len() != probabilities.len() {
        return None;
    }
    let y: Vec<f64> = truth.iter().map(|class| f64::from(u8::from(*class))).collect();
    let points = Points::new(probabilities, &y);
    let (low, high) = points.range()?;
    (low < high).then_some(points)
}

/// The height at `x` of straight lines between points in order.
fn between(places: &[(f64, f64)], x: f64) -> f64 {
    let after =
        places.partition_point(|(place, _)| *place < x).clamp(1, places.len() - 1);
    let ((x0, y0), (x1, y1)) = (places[after - 1], places[after]);
    y0 + (y1 - y0) * (x - x0) / (x1 - x0)
}

/// The quantile with linear interpolation between order statistics (type 7).
pub fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    quantile_of_sorted(&sorted, share)
}

fn quantile_of_sorted(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (sorted[above] - sorted[below]) * (place - below as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quantiles_interpolate() {
        assert_eq!(quantile(&[3.0, 1.0, 2.0], 0.5), 2.0);
        assert_eq!(quantile(&[0.0, 10.0], 0.9), 9.0);
        assert_eq!(quantile(&[4.0], 0.3), 4.0);
    }

    #[test]
    fn few_values_of_x_are_fitted_with_less() {
        let x: Vec<f64> = (0..12).map(|row| f64::from(row % 2)).collect();
        let y: Vec<f64> = (0..12).map(|row| f64::from(row % 2) + 1.0).collect();
        let at = |at| Points::new(&x, &y).loess(at, 0.75, 2).unwrap();
        assert!((at(0.0) - 1.0).abs() < 1e-9 && (at(1.0) - 2.0).abs() < 1e-9);
    }

    #[test]
    fn more_rows_than_are_fitted_one_by_one_give_nearly_the_same() {
        let p: Vec<f64> = (0..600).map(|row| f64::from(row) / 599.0).collect();
        let truth: Vec<bool> = (0..600).map(|row| (row * 7919) % 600 < row).collect();
        let quick = calibration_errors(&truth, &p).unwrap();
        let points = calibration_points(&truth, &p).unwrap();
        let direct =
            p.iter().map(|p| (p - points.loess(*p, SPAN, DEGREE).unwrap()).abs());
        assert!(quick.iter().zip(direct).all(|(a, b)| (a - b).abs() < 1e-4));
    }

    proptest! {
        #[test]
        fn a_polynomial_of_its_degree_is_met(
            x in prop::collection::vec(0.0..1.0f64, 20..40), at in 0.0..1.0f64,
        ) {
            let of = |x: f64| 0.3 + 2.0 * x - 1.5 * x * x;
            let y: Vec<f64> = x.iter().map(|x| of(*x)).collect();
            let found = Points::new(&x, &y).loess(at, 0.75, 2).unwrap();
            prop_assert!((found - of(at)).abs() < 1e-6, "{found} {}", of(at));
        }
    }
}
