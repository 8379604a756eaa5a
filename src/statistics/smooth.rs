//! Loess: a smooth curve through noisy points, by local polynomials.

use super::probabilities::checked;
use crate::math::{Matrix, sqrt};
use crate::operation::{Again, Drawn, Failure, Metric, Scored, on_copies};

/// Points up to this number are all fitted; above, this many places with straight lines between.
const DIRECT: usize = 500;
const PLACES: usize = 200;
/// Below this many points there is no curve.
const LEAST: usize = 10;
/// Powers of a place whose sums a fit needs.
const MOMENTS: usize = 2 * DEGREE + 1;

/// Points in order of `x`.
#[derive(Debug, Clone, PartialEq)]
pub struct Points {
    x: Vec<f64>,
    y: Vec<f64>,
}

impl Points {
    pub fn new(x: &[f64], y: &[f64]) -> Self {
        let order = order(x, y);
        let take = |values: &[f64]| order.iter().map(|&at| values[at]).collect();
        Self { x: take(x), y: take(y) }
    }

    /// The smallest and the largest `x`.
    pub fn range(&self) -> Option<(f64, f64)> {
        Some((*self.x.first()?, *self.x.last()?))
    }

    /// The curve at `at`: a polynomial of `degree` fitted by least squares to the share `span` of
    /// the points that lies nearest, weighed by (1 − (d/h)³)³, h the distance of the farthest.
    /// `degree` is [`DEGREE`] at most.
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
        let (mut moments, mut right) = ([0.0; MOMENTS], [0.0; DEGREE + 1]);
        for (x, y) in nearest.iter().zip(&self.y[first..first + q]) {
            let u = (x - at) / h;
            let cube = 1.0 - (u * u * u).abs();
            let weight = cube * cube * cube;
            if weight > 0.0 {
                let mut power = weight;
                for (k, moment) in moments.iter_mut().enumerate() {
                    *moment += power;
                    if k < right.len() {
                        right[k] += power * y;
                    }
                    power *= u;
                }
            }
        }
        (0..=degree).rev().find_map(|degree| local(&moments, &right, degree))
    }
}

/// Rows in order of `x`. By `y` too, so that the order of rows does not reach a sum.
fn order(x: &[f64], y: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..x.len()).collect();
    order.sort_by(|&a, &b| x[a].total_cmp(&x[b]).then(y[a].total_cmp(&y[b])));
    order
}

/// The intercept of a weighted polynomial by the moments of its places, and of its values with them;
/// `None` where its normal equations are singular.
fn local(
    moments: &[f64; MOMENTS],
    right: &[f64; DEGREE + 1],
    degree: usize,
) -> Option<f64> {
    let p = degree + 1;
    let mut right = *right;
    // Scaled to a unit diagonal, so that what is singular shows in the pivots.
    let mut scale = [1.0; DEGREE + 1];
    scale[..p]
        .iter_mut()
        .enumerate()
        .for_each(|(i, scale)| *scale = sqrt(moments[2 * i]));
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
    let solved = Matrix { n: p, p, values }.solve(&right[..p])?;
    Some(solved[0] / scale[0])
}

/// The smallest squared pivot of Cholesky's factorisation of a matrix with a unit diagonal.
fn smallest_pivot(values: &[f64], p: usize) -> f64 {
    let mut l = [0.0; (DEGREE + 1) * (DEGREE + 1)];
    l[..p * p].copy_from_slice(values);
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
    errors.ok_or(FEW)
}

const FEW: Failure = Failure::Undefined("too few predictions for a curve");

/// A metric of the distances of [`distances`], on rows that are drawn.
pub fn again_of_distances<'a, T: Metric>(
    metric: &'a T,
    scored: Scored<'a>,
    of: fn(&[f64]) -> f64,
) -> Again<'a> {
    if checked(scored).is_err() {
        return on_copies(metric, scored);
    }
    let mut calibrated = Calibrated::new(scored.truth, scored.scores);
    Box::new(move |drawn| calibrated.errors(drawn).map(|errors| of(&errors)).ok_or(FEW))
}

/// |p − curve(p)| for each row. `None` below 10 rows and for equal predictions.
///
/// Source: austin2019.
pub fn calibration_errors(truth: &[bool], probabilities: &[f64]) -> Option<Vec<f64>> {
    if truth.len() != probabilities.len() {
        return None;
    }
    Calibrated::new(truth, probabilities).errors(&Drawn::each(truth.len()))
}

/// Rows of which a calibration curve is drawn, of all or of some that are drawn.
pub struct Calibrated<'a> {
    probabilities: &'a [f64],
    y: Vec<f64>,
    /// Rows from the lowest probability up.
    order: Vec<usize>,
    /// By row; those of rows that were not drawn are old.
    errors: Vec<f64>,
}

impl<'a> Calibrated<'a> {
    /// Shapes: one probability per row, with its class.
    pub fn new(truth: &[bool], probabilities: &'a [f64]) -> Self {
        let y: Vec<f64> = truth.iter().map(|class| f64::from(u8::from(*class))).collect();
        let order = order(probabilities, &y);
        Self { probabilities, y, order, errors: vec![0.0; truth.len()] }
    }

    /// The points that a calibration curve is drawn through, if they are enough for one.
    pub fn points(&self, drawn: &Drawn) -> Option<Points> {
        let n = drawn.rows.len();
        if n < LEAST {
            return None;
        }
        let (mut x, mut y) = (Vec::with_capacity(n), Vec::with_capacity(n));
        for &row in &self.order {
            for _ in 0..drawn.counts[row] {
                x.push(self.probabilities[row]);
                y.push(self.y[row]);
            }
        }
        let points = Points { x, y };
        let (low, high) = points.range()?;
        (low < high).then_some(points)
    }

    /// The distance of each drawn row from the curve of all of them.
    fn errors(&mut self, drawn: &Drawn) -> Option<Vec<f64>> {
        let points = self.points(drawn)?;
        let curve = |p: f64| points.loess(p, SPAN, DEGREE);
        let mut places = Vec::new();
        if drawn.rows.len() > DIRECT {
            for place in 0..PLACES {
                let x = quantile_of_sorted(&points.x, place as f64 / (PLACES - 1) as f64);
                if places.last().is_none_or(|(last, _)| x > *last) {
                    places.push((x, curve(x)?));
                }
            }
        }
        for row in drawn.once() {
            let p = self.probabilities[row];
            let height = if places.is_empty() { curve(p)? } else { between(&places, p) };
            self.errors[row] = (p - height).abs();
        }
        Some(drawn.of(&self.errors).collect())
    }
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
    let place = share * (values.len() - 1) as f64;
    let below = place.floor() as usize;
    // Sorting all of them would take several times as long.
    let mut values = values.to_vec();
    let (_, low, after) = values.select_nth_unstable_by(below, f64::total_cmp);
    let low = *low;
    let high = after.iter().copied().min_by(f64::total_cmp).unwrap_or(low);
    low + (high - low) * (place - below as f64)
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
        let points = Calibrated::new(&truth, &p);
        let points = points.points(&Drawn::each(600)).unwrap();
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
