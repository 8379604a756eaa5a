//! Loess: a smooth curve through noisy points, by local polynomials.

use super::probabilities::checked;
use crate::operation::{Again, Failure, Metric, Scored, on_copies};

/// Points up to this number are all fitted; above, this many places with straight lines between.
const DIRECT: usize = 500;
const PLACES: usize = 200;
/// Below this many points there is no curve.
const LEAST: usize = 10;
/// Powers of a place whose sums a fit needs.
const MOMENTS: usize = 2 * DEGREE + 1;

/// Points in order of `x`, each as often as it counts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Points {
    x: Vec<f64>,
    y: Vec<f64>,
    count: Vec<f64>,
    /// Of each point the place of its first copy among all copies.
    start: Vec<u32>,
    /// Of each copy its point.
    of_copy: Vec<u32>,
}

impl Points {
    fn clear(&mut self) {
        self.x.clear();
        self.y.clear();
        self.count.clear();
        self.start.clear();
        self.of_copy.clear();
    }

    /// Adds a point behind the others.
    fn push(&mut self, x: f64, y: f64, count: u32) {
        let point = self.x.len() as u32;
        self.x.push(x);
        self.y.push(y);
        self.count.push(f64::from(count));
        self.start.push(self.of_copy.len() as u32);
        self.of_copy.extend(std::iter::repeat_n(point, count as usize));
    }

    /// The smallest and the largest `x`.
    pub fn range(&self) -> Option<(f64, f64)> {
        Some((*self.x.first()?, *self.x.last()?))
    }

    /// The `x` of a copy.
    fn x_at(&self, copy: usize) -> f64 {
        self.x[self.of_copy[copy] as usize]
    }

    /// The curve at each of these places, which rise: a polynomial of `degree` fitted by least squares to
    /// the share `span` of the points that lies nearest, weighed by (1 − (d/h)³)³, h the distance of the
    /// farthest. `degree` is [`DEGREE`] at most.
    ///
    /// Where the points have too few values of `x` for the degree, a lower one is fitted.
    ///
    /// Source: cleveland1988, section 2, fitted directly and without robustness iterations.
    pub fn loess(
        &self,
        places: impl IntoIterator<Item = f64>,
        span: f64,
        degree: usize,
    ) -> impl Iterator<Item = Option<f64>> {
        let n = self.of_copy.len();
        let q = ((n as f64 * span + 1e-5) as usize).min(n);
        // The q nearest are neighbours in order: slide their window to where it is narrowest, and on from
        // there for the next place.
        let mut first = 0;
        places.into_iter().map(move |at| {
            if q == 0 {
                return None;
            }
            while first + q < n && self.x_at(first + q) - at < at - self.x_at(first) {
                first += 1;
            }
            self.local(at, (first, first + q), degree)
        })
    }

    /// The curve at `at` by the copies from one to before another.
    fn local(&self, at: f64, (from, to): (usize, usize), degree: usize) -> Option<f64> {
        let (left, right) = (self.of_copy[from] as usize, self.of_copy[to - 1] as usize);
        let h = (at - self.x[left]).max(self.x[right] - at);
        // Some copies of a point may be nearer than others by their place alone.
        let beyond = [
            (left, (from - self.start[left] as usize) as f64),
            (right, self.start[right] as f64 + self.count[right] - to as f64),
        ];
        let points = left..right + 1;
        if h <= 0.0 {
            let (y, count) = (&self.y[points.clone()], &self.count[points]);
            let sum = y.iter().zip(count).map(|(y, count)| y * count).sum::<f64>();
            let outside = beyond.map(|(at, count)| self.y[at] * count);
            return Some((sum - outside[0] - outside[1]) / (to - from) as f64);
        }
        let mut sums = Local::default();
        let per_h = 1.0 / h;
        let (x, last_x) = self.x[points.clone()].as_chunks::<AT_ONCE>();
        let (y, last_y) = self.y[points.clone()].as_chunks::<AT_ONCE>();
        let (count, last_count) = self.count[points].as_chunks::<AT_ONCE>();
        for ((x, y), count) in x.iter().zip(y).zip(count) {
            sums.add(x.map(|x| (x - at) * per_h), y, count);
        }
        let alone = last_x.iter().zip(last_y).zip(last_count);
        let alone = alone.map(|((x, y), count)| (*x, *y, *count));
        let taken = beyond.map(|(at, count)| (self.x[at], self.y[at], -count));
        for (x, y, count) in alone.chain(taken) {
            if count != 0.0 {
                sums.add([(x - at) * per_h, 0.0], &[y, 0.0], &[count, 0.0]);
            }
        }
        let (moments, right) = sums.all();
        (0..=degree).rev().find_map(|degree| local(&moments, &right, degree))
    }
}

/// Points that are computed at once.
const AT_ONCE: usize = 2;

/// Weighed moments of the places of points, and of their heights with them.
#[derive(Default)]
struct Local {
    moments: [[f64; AT_ONCE]; MOMENTS],
    heights: [[f64; AT_ONCE]; DEGREE + 1],
}

impl Local {
    /// Points by their distance as a share of the farthest, height and count.
    #[inline(always)]
    fn add(&mut self, u: [f64; AT_ONCE], y: &[f64; AT_ONCE], count: &[f64; AT_ONCE]) {
        for lane in 0..AT_ONCE {
            let u = u[lane];
            let square = u * u;
            // The farthest has none, whatever rounding says.
            let cube = (1.0 - square * u.abs()).max(0.0);
            let weight = cube * cube * cube * count[lane];
            let first = weight * u;
            let (second, third) = (weight * square, first * square);
            self.moments[0][lane] += weight;
            self.moments[1][lane] += first;
            self.moments[2][lane] += second;
            self.moments[3][lane] += third;
            self.moments[4][lane] += second * square;
            self.heights[0][lane] += weight * y[lane];
            self.heights[1][lane] += first * y[lane];
            self.heights[2][lane] += second * y[lane];
        }
    }

    fn all(&self) -> ([f64; MOMENTS], [f64; DEGREE + 1]) {
        (
            self.moments.map(|[one, two]| one + two),
            self.heights.map(|[one, two]| one + two),
        )
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
    const P: usize = DEGREE + 1;
    let p = degree + 1;
    // Without roots: what is left of each diagonal value, and the unit triangle.
    let (mut left, mut l) = ([0.0; P], [[0.0; P]; P]);
    let mut solved = *right;
    for j in 0..p {
        let diagonal = moments[2 * j];
        left[j] = diagonal;
        for k in 0..j {
            left[j] -= l[j][k] * l[j][k] * left[k];
        }
        // As a share of the diagonal value, so that what is singular shows on any scale.
        let singular = left[j] < 1e-10 * diagonal;
        if diagonal <= 0.0 || singular || left[j].is_nan() {
            return None;
        }
        for i in j + 1..p {
            let mut sum = moments[i + j];
            for k in 0..j {
                sum -= l[i][k] * l[j][k] * left[k];
            }
            l[i][j] = sum / left[j];
        }
        for k in 0..j {
            solved[j] -= l[j][k] * solved[k];
        }
    }
    for j in (0..p).rev() {
        solved[j] /= left[j];
        for k in j + 1..p {
            solved[j] -= l[k][j] * solved[k];
        }
    }
    Some(solved[0])
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
    Box::new(move |counts| calibrated.errors(counts).map(|errors| of(&errors)).ok_or(FEW))
}

/// |p − curve(p)| for each row, from the lowest p up. `None` below 10 rows and for equal predictions.
///
/// Source: austin2019.
pub fn calibration_errors(truth: &[bool], probabilities: &[f64]) -> Option<Vec<f64>> {
    if truth.len() != probabilities.len() {
        return None;
    }
    Calibrated::new(truth, probabilities).errors(&vec![1; truth.len()])
}

/// Rows of which a calibration curve is drawn, of all or of some that are drawn.
pub struct Calibrated {
    /// Rows from the lowest probability up, with probability and class.
    order: Vec<(u32, f64, f64)>,
    points: Points,
}

impl Calibrated {
    /// Shapes: one probability per row, with its class.
    pub fn new(truth: &[bool], probabilities: &[f64]) -> Self {
        let y: Vec<f64> = truth.iter().map(|class| f64::from(u8::from(*class))).collect();
        let order = order(probabilities, &y);
        let row = |at: usize| (at as u32, probabilities[at], y[at]);
        let order = order.into_iter().map(row).collect();
        Self { order, points: Points::default() }
    }

    /// The points that a calibration curve is drawn through, if they are enough for one.
    ///
    /// Shapes: how often each row was drawn.
    pub fn points(&mut self, counts: &[u32]) -> Option<&Points> {
        let points = &mut self.points;
        points.clear();
        for &(row, p, y) in &self.order {
            let count = counts[row as usize];
            if count > 0 {
                points.push(p, y, count);
            }
        }
        let (low, high) = points.range()?;
        (points.of_copy.len() >= LEAST && low < high).then_some(points)
    }

    /// The distance of each drawn row from the curve of all of them.
    fn errors(&mut self, counts: &[u32]) -> Option<Vec<f64>> {
        let points = self.points(counts)?;
        let n = points.of_copy.len();
        let mut heights: Vec<f64> = Vec::with_capacity(points.x.len());
        if n > DIRECT {
            let mut places: Vec<f64> = Vec::with_capacity(PLACES);
            for place in 0..PLACES {
                let x = points.quantile(place as f64 / (PLACES - 1) as f64);
                if places.last().is_none_or(|last| x > *last) {
                    places.push(x);
                }
            }
            let curve = points.loess(places.iter().copied(), SPAN, DEGREE);
            let curve: Option<Vec<f64>> = curve.collect();
            let places: Vec<(f64, f64)> = places.into_iter().zip(curve?).collect();
            heights.extend(points.x.iter().map(|p| between(&places, *p)));
        } else {
            let mut last = (f64::NAN, 0.0);
            let mut apart = points.x.clone();
            apart.dedup();
            let mut curve = points.loess(apart, SPAN, DEGREE);
            for p in &points.x {
                if *p != last.0 {
                    last = (*p, curve.next()??);
                }
                heights.push(last.1);
            }
        }
        let mut errors = Vec::with_capacity(n);
        for ((p, height), count) in points.x.iter().zip(&heights).zip(&points.count) {
            errors.extend(std::iter::repeat_n((p - height).abs(), *count as usize));
        }
        Some(errors)
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
    quantile_of(&mut values.to_vec(), share)
}

/// The same, of values that may be put in another order.
pub fn quantile_of(values: &mut [f64], share: f64) -> f64 {
    let place = share * (values.len() - 1) as f64;
    let below = place.floor() as usize;
    // Sorting all of them would take several times as long.
    let (_, low, after) = values.select_nth_unstable_by(below, f64::total_cmp);
    let low = *low;
    let high = after.iter().copied().min_by(f64::total_cmp).unwrap_or(low);
    low + (high - low) * (place - below as f64)
}

impl Points {
    /// The quantile of `x` over all copies, as [`quantile`] has it.
    fn quantile(&self, share: f64) -> f64 {
        let place = share * (self.of_copy.len() - 1) as f64;
        let below = place.floor() as usize;
        let above = (below + 1).min(self.of_copy.len() - 1);
        let (low, high) = (self.x_at(below), self.x_at(above));
        low + (high - low) * (place - below as f64)
    }
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

    fn heights(x: &[f64], y: &[f64], places: &[f64]) -> Vec<f64> {
        let mut points = Points::default();
        order(x, y).into_iter().for_each(|row| points.push(x[row], y[row], 1));
        let found = points.loess(places.iter().copied(), 0.75, 2);
        found.map(Option::unwrap).collect()
    }

    #[test]
    fn few_values_of_x_are_fitted_with_less() {
        let x: Vec<f64> = (0..12).map(|row| f64::from(row % 2)).collect();
        let y: Vec<f64> = (0..12).map(|row| f64::from(row % 2) + 1.0).collect();
        let found = heights(&x, &y, &[0.0, 1.0]);
        assert!((found[0] - 1.0).abs() < 1e-9 && (found[1] - 2.0).abs() < 1e-9);
    }

    #[test]
    fn more_rows_than_are_fitted_one_by_one_give_nearly_the_same() {
        let p: Vec<f64> = (0..600).map(|row| f64::from(row) / 599.0).collect();
        let truth: Vec<bool> = (0..600).map(|row| (row * 7919) % 600 < row).collect();
        let quick = calibration_errors(&truth, &p).unwrap();
        let mut rows = Calibrated::new(&truth, &p);
        let points = rows.points(&[1; 600]).unwrap();
        let direct = points.loess(p.iter().copied(), SPAN, DEGREE);
        let direct = direct.zip(&p).map(|(height, p)| (p - height.unwrap()).abs());
        assert!(quick.iter().zip(direct).all(|(a, b)| (a - b).abs() < 1e-4));
    }

    proptest! {
        #[test]
        fn a_polynomial_of_its_degree_is_met(
            x in prop::collection::vec(0.0..1.0f64, 20..40), at in 0.0..1.0f64,
        ) {
            let of = |x: f64| 0.3 + 2.0 * x - 1.5 * x * x;
            let y: Vec<f64> = x.iter().map(|x| of(*x)).collect();
            let found = heights(&x, &y, &[at])[0];
            prop_assert!((found - of(at)).abs() < 1e-6, "{found} {}", of(at));
        }

        #[test]
        fn points_that_count_several_times_are_as_many_points(
            rows in prop::collection::vec((0u8..12, any::<bool>(), 0u32..4), 20..60),
        ) {
            // The window by its definition: of all copies in order the q that lie nearest.
            let x: Vec<f64> = rows.iter().map(|row| f64::from(row.0) / 12.0).collect();
            let y: Vec<f64> = rows.iter().map(|row| f64::from(u8::from(row.1))).collect();
            let (mut points, mut copies) = (Points::default(), Points::default());
            for row in order(&x, &y) {
                if rows[row].2 > 0 {
                    points.push(x[row], y[row], rows[row].2);
                }
                (0..rows[row].2).for_each(|_| copies.push(x[row], y[row], 1));
            }
            let places = || (0..=20).map(|place| f64::from(place) / 20.0);
            for (one, other) in points.loess(places(), 0.75, 2).zip(copies.loess(places(), 0.75, 2)) {
                prop_assert_eq!(one.is_some(), other.is_some());
                if let Some((one, other)) = one.zip(other) {
                    prop_assert!((one - other).abs() < 1e-6, "{} {}", one, other);
                }
            }
        }
    }
}
