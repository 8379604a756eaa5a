//! The map that makes predicted probabilities calibrated.

use crate::math::{exp, ln, sigmoid};

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
    let positive = truth.iter().filter(|class| **class).count();
    if positive == 0 || positive == truth.len() || truth.len() != x.len() {
        return None;
    }
    // From perfect calibration first; where Newton's steps run away from there, from the prevalence.
    let share = positive as f64 / truth.len() as f64;
    let level = ln(share / (1.0 - share));
    newton(truth, x, (0.0, 1.0)).or_else(|| newton(truth, x, (level, 0.0)))
}

fn newton(truth: &[bool], x: &[f64], (mut a, mut b): (f64, f64)) -> Option<(f64, f64)> {
    for _ in 0..100 {
        // Newton's step: gradient and negative Hessian of the log likelihood.
        let (mut ga, mut gb, mut haa, mut hab, mut hbb) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for (class, x) in truth.iter().zip(x) {
            let p = 1.0 / (1.0 + exp(-(a + b * x)));
            let residual = f64::from(u8::from(*class)) - p;
            let weight = p * (1.0 - p);
            ga += residual;
            gb += residual * x;
            haa += weight;
            hab += weight * x;
            hbb += weight * x * x;
        }
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

/// Intercept a of logit(P) = a + x with the slope held at 1, by Newton's steps on a function that
/// only rises. `None` when one class is missing.
pub fn offset_intercept(truth: &[bool], x: &[f64]) -> Option<f64> {
    let positive = truth.iter().filter(|class| **class).count();
    if positive == 0 || positive == truth.len() || truth.len() != x.len() {
        return None;
    }
    let excess = |a: f64| {
        let (mut gradient, mut weight) = (positive as f64, 0.0);
        for x in x {
            let p = sigmoid(a + x);
            gradient -= p;
            weight += p * (1.0 - p);
        }
        (gradient, weight)
    };
    // The root lies between those of rows that all had the lowest or the highest value.
    let share = positive as f64 / truth.len() as f64;
    let level = ln(share / (1.0 - share));
    let (least, most) = x
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, m), x| (l.min(*x), m.max(*x)));
    let (mut low, mut high) = (level - most, level - least);
    let mut a = 0.0f64.clamp(low, high);
    for _ in 0..200 {
        let (gradient, weight) = excess(a);
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

#[cfg(test)]
mod tests {
    use super::*;

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
