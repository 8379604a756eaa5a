//! Smooth curves of discrimination, from which no patient can be read.

use statrs::distribution::{ContinuousCDF, Normal};

use crate::data::{Curve, Point};

/// A ROC curve with two parameters: Φ⁻¹(sensitivity) = a + b · Φ⁻¹(1 − specificity).
///
/// It is the curve of scores that are normal in both classes, on some scale. A step curve gives
/// away the order of patients; two numbers do not.
///
/// Source: hanley1988.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Binormal {
    pub a: f64,
    pub b: f64,
}

/// How finely curves are drawn.
const STEPS: usize = 50;

impl Binormal {
    /// The line through the points of a curve on normal scales, by least squares; where it cannot
    /// be laid, as for a curve along the edge, that of equal spread with the area of the curve.
    /// `None` for a curve without points.
    pub fn of(curve: &Curve) -> Option<Self> {
        let normal = Normal::standard();
        let inside = |value: f64| value > 0.005 && value < 0.995;
        let points: Vec<(f64, f64)> = curve
            .points
            .iter()
            .filter(|point| inside(point.x) && inside(point.y))
            .map(|point| (normal.inverse_cdf(point.x), normal.inverse_cdf(point.y)))
            .collect();
        let n = points.len() as f64;
        let mean_x = points.iter().map(|p| p.0).sum::<f64>() / n;
        let mean_y = points.iter().map(|p| p.1).sum::<f64>() / n;
        let spread: f64 = points.iter().map(|p| (p.0 - mean_x) * (p.0 - mean_x)).sum();
        let with: f64 = points.iter().map(|p| (p.0 - mean_x) * (p.1 - mean_y)).sum();
        let b = with / spread;
        if points.len() >= 3 && spread > 1e-9 && b > 0.05 && b.is_finite() {
            return Some(Self { a: mean_y - b * mean_x, b });
        }
        let area = area(curve)?.clamp(0.001, 0.999);
        Some(Self { a: std::f64::consts::SQRT_2 * normal.inverse_cdf(area), b: 1.0 })
    }

    pub fn sensitivity(&self, false_positives: f64) -> f64 {
        let normal = Normal::standard();
        match false_positives {
            x if x <= 0.0 => 0.0,
            x if x >= 1.0 => 1.0,
            x => normal.cdf(self.a + self.b * normal.inverse_cdf(x)),
        }
    }

    pub fn roc(&self) -> Curve {
        let at = |step: usize| {
            let x = step as f64 / STEPS as f64;
            Point { x, y: self.sensitivity(x) }
        };
        Curve { points: (0..=STEPS).map(at).collect() }
    }

    /// Precision against recall, at the same model's operating points and a prevalence.
    pub fn precision_recall(&self, prevalence: f64) -> Curve {
        let normal = Normal::standard();
        let at = |step: usize| {
            let recall = step as f64 / STEPS as f64;
            let alarms = match recall {
                x if x >= 1.0 => 1.0,
                x => normal.cdf((normal.inverse_cdf(x) - self.a) / self.b),
            };
            let (hits, alarms) = (recall * prevalence, alarms * (1.0 - prevalence));
            Point { x: recall, y: hits / (hits + alarms) }
        };
        let points: Vec<Point> = (1..=STEPS).map(at).collect();
        let first = points.first().map(|point| Point { x: 0.0, y: point.y });
        Curve { points: first.into_iter().chain(points).collect() }
    }
}

fn area(curve: &Curve) -> Option<f64> {
    curve.points.first()?;
    let slice = |pair: &[Point]| (pair[1].x - pair[0].x) * (pair[0].y + pair[1].y) / 2.0;
    Some(curve.points.windows(2).map(slice).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binormal_curve_is_found_again() {
        let of = Binormal { a: 1.2, b: 0.8 };
        let found = Binormal::of(&of.roc()).unwrap();
        assert!((found.a - 1.2).abs() < 1e-6 && (found.b - 0.8).abs() < 1e-6);
    }

    #[test]
    fn curves_rise_and_end_in_their_corners() {
        let curve = |points: &[(f64, f64)]| Curve {
            points: points.iter().map(|&(x, y)| Point { x, y }).collect(),
        };
        let steps = curve(&[(0.0, 0.0), (0.0, 0.5), (0.5, 0.5), (0.5, 1.0), (1.0, 1.0)]);
        let perfect = curve(&[(0.0, 0.0), (0.0, 1.0), (1.0, 1.0)]);
        for of in [steps, perfect] {
            let roc = Binormal::of(&of).unwrap().roc();
            assert_eq!(roc.points[0], Point { x: 0.0, y: 0.0 });
            assert_eq!(roc.points.last(), Some(&Point { x: 1.0, y: 1.0 }));
            assert!(roc.points.windows(2).all(|pair| pair[0].y <= pair[1].y));
            assert!((area(&roc).unwrap() - area(&of).unwrap()).abs() < 0.08);
        }
        assert_eq!(Binormal::of(&curve(&[])), None);
    }

    #[test]
    fn without_discrimination_precision_is_the_prevalence() {
        let flat = Binormal { a: 0.0, b: 1.0 }.precision_recall(0.3);
        assert!(flat.points.iter().all(|point| (point.y - 0.3).abs() < 1e-9));
    }
}
