//! The map that makes predicted probabilities calibrated.

use crate::math::{exp_each, ln, sigmoid_each};
use crate::operation::Drawn;

/// Probabilities are moved this far from 0 and 1 before their logit is taken.
const EDGE: f64 = 1e-6;

/// Intercept a and slope b of logit(p') = a + b·logit(p), by maximum likelihood.
///
/// Shapes: one probability in [0, 1] per row, with its class. `None` when one class is missing,
/// all probabilities are equal, or the classes are perfectly apart.
///
/// Source: cox1958.
pub fn recalibration(truth: &[bool], probabilities: &[f64]) -> Option<(f64, f64)> {
    let logits: Vec<f64> = probabilities
        .iter()
        .map(|p| {
            let p = p.clamp(EDGE, 1.0 - EDGE);
            ln(p / (1.0 - p))
        })
        .collect();
    line(truth, &logits)
}

/// Intercept and slope of a logistic regression of class on one column, by Newton's steps.
///
/// Shapes: one value per row, with its class. `None` when one class is missing, all values are
/// equal, or the classes are perfectly apart.
pub fn line(truth: &[bool], x: &[f64]) -> Option<(f64, f64)> {
    if truth.len() != x.len() {
        return None;
    }
    Line::new(truth, x.to_vec()).of(&Drawn::each(truth.len()))
}

/// Rows to which a line is fitted, all of them or some that are drawn.
pub struct Line<'a> {
    truth: &'a [bool],
    x: Vec<f64>,
    /// By row: what it adds at [`CALIBRATED`], where every fit begins.
    first: Vec<Added>,
    /// The same at another step, of the rows that were drawn.
    here: Vec<Added>,
    /// The rows that were drawn, each once: those drawn twice add the same twice.
    once: Vec<usize>,
    /// Of each of these the power of e in its probability.
    powers: Vec<f64>,
}

/// Of perfect calibration: intercept and slope.
const CALIBRATED: (f64, f64) = (0.0, 1.0);

/// What a row adds to the gradient of the log likelihood by intercept and slope, and to its negative
/// Hessian.
type Added = [f64; 5];

/// From e to the power of −(a + b·x).
fn added(class: bool, x: f64, power: f64) -> Added {
    let p = 1.0 / (1.0 + power);
    let residual = f64::from(u8::from(class)) - p;
    let weight = p * (1.0 - p);
    [residual, residual * x, weight, weight * x, weight * x * x]
}

impl<'a> Line<'a> {
    /// Shapes: one value per row, with its class.
    pub fn new(truth: &'a [bool], x: Vec<f64>) -> Self {
        let mut line = Self {
            truth,
            first: Vec::new(),
            here: vec![[0.0; 5]; x.len()],
            once: (0..x.len()).collect(),
            powers: Vec::with_capacity(x.len()),
            x,
        };
        line.look_at(CALIBRATED);
        line.first = line.here.clone();
        line
    }

    /// Intercept and slope of the drawn rows, as of [`line`].
    pub fn of(&mut self, drawn: &Drawn) -> Option<(f64, f64)> {
        let (_, level) = events(self.truth, drawn)?;
        self.once.clear();
        self.once.extend(drawn.once());
        // From perfect calibration first; where Newton's steps run away from there, from the prevalence.
        self.newton(drawn, CALIBRATED).or_else(|| self.newton(drawn, (level, 0.0)))
    }

    /// What each of the drawn rows adds at this intercept and slope.
    fn look_at(&mut self, (a, b): (f64, f64)) {
        self.powers.clear();
        self.powers.extend(self.once.iter().map(|row| -(a + b * self.x[*row])));
        exp_each(&mut self.powers);
        for (row, power) in self.once.iter().zip(&self.powers) {
            self.here[*row] = added(self.truth[*row], self.x[*row], *power);
        }
    }

    fn sums(&mut self, drawn: &Drawn, at: (f64, f64)) -> Added {
        let by_row = match at == CALIBRATED {
            true => &self.first,
            false => {
                self.look_at(at);
                &self.here
            }
        };
        let mut sums = [0.0; 5];
        for row in &drawn.rows {
            let added = &by_row[*row as usize];
            sums.iter_mut().zip(added).for_each(|(sum, value)| *sum += value);
        }
        sums
    }

    fn newton(&mut self, drawn: &Drawn, from: (f64, f64)) -> Option<(f64, f64)> {
        let (mut a, mut b) = from;
        for _ in 0..100 {
            let [ga, gb, haa, hab, hbb] = self.sums(drawn, (a, b));
            let determinant = haa * hbb - hab * hab;
            if determinant <= 1e-12 * haa * hbb || !determinant.is_finite() {
                return None;
            }
            let da = (hbb * ga - hab * gb) / determinant;
            let db = (haa * gb - hab * ga) / determinant;
            a += da;
            b += db;
            if !(a.is_finite() && b.is_finite()) || b.abs() > 1e4 {
                return None;
            }
            if da.abs() + db.abs() < 1e-10 {
                return Some((a, b));
            }
        }
        None
    }
}

/// How many of the drawn rows are positive, and their log odds. `None` when one class is missing.
fn events(truth: &[bool], drawn: &Drawn) -> Option<(usize, f64)> {
    let n = drawn.rows.len();
    let positive = drawn.of(truth).filter(|class| *class).count();
    let share = positive as f64 / n as f64;
    (positive > 0 && positive < n).then(|| (positive, ln(share / (1.0 - share))))
}

/// Rows to which an intercept is fitted, all of them or some that are drawn.
pub struct Offset<'a> {
    truth: &'a [bool],
    x: Vec<f64>,
    /// By row: probability and its variance at an intercept of 0, where most fits begin.
    first: Vec<[f64; 2]>,
    /// The same at another intercept, of the rows that were drawn.
    here: Vec<[f64; 2]>,
    /// The rows that were drawn, each once.
    once: Vec<usize>,
    /// Of each of these its probability.
    chances: Vec<f64>,
}

impl<'a> Offset<'a> {
    /// Shapes: one value per row, with its class.
    pub fn new(truth: &'a [bool], x: Vec<f64>) -> Self {
        let mut offset = Self {
            truth,
            first: Vec::new(),
            here: vec![[0.0; 2]; x.len()],
            once: (0..x.len()).collect(),
            chances: Vec::with_capacity(x.len()),
            x,
        };
        offset.look_at(0.0);
        offset.first = offset.here.clone();
        offset
    }

    /// Probability of each of the drawn rows at this intercept, and its variance.
    fn look_at(&mut self, a: f64) {
        self.chances.clear();
        self.chances.extend(self.once.iter().map(|row| a + self.x[*row]));
        sigmoid_each(&mut self.chances);
        for (row, p) in self.once.iter().zip(&self.chances) {
            self.here[*row] = [*p, p * (1.0 - p)];
        }
    }

    /// By how many events the drawn rows have more than expected at intercept `a`, and how fast that
    /// falls.
    fn excess(&mut self, drawn: &Drawn, positive: usize, a: f64) -> (f64, f64) {
        let by_row = match a == 0.0 {
            true => &self.first,
            false => {
                self.look_at(a);
                &self.here
            }
        };
        let (mut gradient, mut weight) = (positive as f64, 0.0);
        for row in &drawn.rows {
            let [p, variance] = by_row[*row as usize];
            gradient -= p;
            weight += variance;
        }
        (gradient, weight)
    }

    /// Intercept a of logit(P) = a + x with the slope held at 1, by Newton's steps on a function that
    /// only rises. `None` when one class is missing.
    pub fn of(&mut self, drawn: &Drawn) -> Option<f64> {
        let (positive, level) = events(self.truth, drawn)?;
        self.once.clear();
        self.once.extend(drawn.once());
        // The root lies between those of rows that all had the lowest or the highest value.
        let (least, most) = drawn
            .of(&self.x)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, m), x| (l.min(x), m.max(x)));
        let (mut low, mut high) = (level - most, level - least);
        let mut a = 0.0f64.clamp(low, high);
        for _ in 0..200 {
            let (gradient, weight) = self.excess(drawn, positive, a);
            if gradient > 0.0 {
                low = a;
            } else {
                high = a;
            }
            let newton = a + gradient / weight;
            // A step that leaves the bracket, as where all weights vanish, is a halving instead.
            let next =
                if newton > low && newton < high { newton } else { (low + high) / 2.0 };
            if (next - a).abs() <= 1e-13 * (1.0 + a.abs()) {
                return Some(next);
            }
            a = next;
        }
        Some(a)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::exp;

    #[test]
    fn the_map_solves_its_score_equations() {
        let p = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95];
        let truth = [false, false, true, false, false, true, false, true, true, true];
        let (a, b) = recalibration(&truth, &p).unwrap();
        let mapped = |p: f64| 1.0 / (1.0 + exp(-(a + b * ln(p / (1.0 - p)))));
        let sum: f64 = p.iter().map(|p| mapped(*p)).sum();
        assert!((sum - 5.0).abs() < 1e-9, "the mean is right");
        let residual = |(p, class): (&f64, &bool)| {
            (f64::from(u8::from(*class)) - mapped(*p)) * ln(p / (1.0 - p))
        };
        let slope: f64 = p.iter().zip(&truth).map(residual).sum();
        assert!(slope.abs() < 1e-8);
        // Far from calibrated, so that a first step from there leads nowhere.
        let wild: Vec<f64> =
            (0..60).map(|row| f64::from(row * 37 % 61 + 1) / 62.0).collect();
        let thirds: Vec<bool> = (0..60).map(|row| row % 3 == 0).collect();
        let reversed: Vec<f64> = wild.iter().map(|p| p.powi(9)).collect();
        for scores in [&wild, &reversed] {
            let (_, b) = recalibration(&thirds, scores).unwrap();
            assert!(b.abs() < 0.5, "{b}");
        }
        assert_eq!(recalibration(&[true, true], &[0.1, 0.2]), None);
        assert_eq!(recalibration(&[true, false], &[0.3, 0.3]), None);
        assert_eq!(recalibration(&[true, false], &[0.9, 0.1]), None, "perfectly apart");
    }
}
