//! From decision values to probabilities.

use crate::data::Link;
use crate::math::{
    dealt, folds_of_both, ln, mean, sigmoid, sigmoid_each, softplus, sqrt, variance,
};

/// Platt's map: sigmoid(a + b·v), by maximum likelihood against smoothed targets.
///
/// Shapes: one value per row, with its class. Targets are (N₊ + 1)/(N₊ + 2) for the positive class
/// and 1/(N₋ + 2) for the other, so the map exists also where the classes are wholly apart. A
/// falling map would turn the ranking around: then, and where all values are equal, b is 0 and a
/// the logit of the mean target. `None` when a class is missing or a value is not finite.
///
/// Source: platt1999; lin2007, algorithm 1 (Newton's method with step halving).
pub fn platt(truth: &[bool], values: &[f64]) -> Option<Link> {
    let positive = truth.iter().filter(|class| **class).count() as f64;
    let negative = truth.len() as f64 - positive;
    if positive == 0.0 || negative == 0.0 || values.iter().any(|v| !v.is_finite()) {
        return None;
    }
    let (high, low) = ((positive + 1.0) / (positive + 2.0), 1.0 / (negative + 2.0));
    let targets: Vec<f64> =
        truth.iter().map(|&class| if class { high } else { low }).collect();
    // Standardised values keep Newton's steps of one size at any scale.
    let centre = mean(values)?;
    let spread = sqrt(variance(values).unwrap_or(0.0));
    let flat = || {
        let share = mean(&targets)?;
        Some(Link { intercept: ln(share / (1.0 - share)), slope: 0.0 })
    };
    if spread <= 0.0 || !spread.is_finite() {
        return flat();
    }
    let x: Vec<f64> = values.iter().map(|value| (value - centre) / spread).collect();
    let (a, b) = newton(&x, &targets)?;
    if b <= 0.0 {
        return flat();
    }
    Some(Link { intercept: a - b * centre / spread, slope: b / spread })
}

/// The probability that a link gives to a decision value.
pub fn linked(link: Link, value: f64) -> f64 {
    sigmoid(link.intercept + link.slope * value)
}

/// Parts in which the map of rows that stand alone is learned.
const PARTS: usize = 5;

/// Probabilities of rows of which nothing else is known: each by Platt's map from the rows of other
/// parts, so that no row is judged by a map that has seen it or another row of its group.
///
/// Shapes: class, value and group by row. Groups are dealt into five parts, fewer where a class has
/// fewer groups, both classes in each part; there is no chance in it. `None` when a class has fewer
/// than two groups or a value is not finite.
///
/// Source: platt1999 (cross-validation, so that the sigmoid is not learned on the rows it judges).
pub fn platt_apart(truth: &[bool], values: &[f64], groups: &[u32]) -> Option<Vec<f64>> {
    let parts = folds_of_both(groups, truth, PARTS);
    if parts < 2 {
        return None;
    }
    let part_of = dealt(groups, truth, parts)?;
    let mut links = Vec::with_capacity(parts);
    for part in 0..parts {
        let others = || part_of.iter().enumerate().filter(|(_, of)| **of != part);
        let known: Vec<bool> = others().map(|(row, _)| truth[row]).collect();
        let seen: Vec<f64> = others().map(|(row, _)| values[row]).collect();
        links.push(platt(&known, &seen)?);
    }
    let said =
        values.iter().zip(&part_of).map(|(value, part)| linked(links[*part], *value));
    Some(said.collect())
}

fn newton(x: &[f64], targets: &[f64]) -> Option<(f64, f64)> {
    let loss = |a: f64, b: f64| -> f64 {
        x.iter().zip(targets).map(|(x, t)| softplus(a + b * x) - t * (a + b * x)).sum()
    };
    let (mut a, mut b) = (0.0, 0.0);
    let mut value = loss(a, b);
    let mut chances = vec![0.0; x.len()];
    for _ in 0..100 {
        chances.iter_mut().zip(x).for_each(|(chance, x)| *chance = a + b * x);
        sigmoid_each(&mut chances);
        let (mut ga, mut gb, mut haa, mut hab, mut hbb) = (0.0, 0.0, 1e-12, 0.0, 1e-12);
        for ((x, target), p) in x.iter().zip(targets).zip(&chances) {
            let weight = p * (1.0 - p);
            ga += p - target;
            gb += (p - target) * x;
            haa += weight;
            hab += weight * x;
            hbb += weight * x * x;
        }
        let determinant = haa * hbb - hab * hab;
        let (da, db) =
            ((hbb * ga - hab * gb) / determinant, (haa * gb - hab * ga) / determinant);
        // So near, one more full step is exact to rounding, and the loss can no longer tell.
        if ga * da + gb * db <= 1e-14 * value.abs().max(f64::MIN_POSITIVE) {
            (a, b) = (a - da, b - db);
            break;
        }
        let mut length = 1.0;
        loop {
            let (next_a, next_b) = (a - length * da, b - length * db);
            let next = loss(next_a, next_b);
            if next < value {
                (a, b, value) = (next_a, next_b, next);
                break;
            }
            length /= 2.0;
            if length < 1e-10 {
                return Some((a, b)); // Rounding is all that is left.
            }
        }
    }
    (a.is_finite() && b.is_finite()).then_some((a, b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_map_solves_its_score_equations() {
        let values = [-2.0, -1.5, -0.3, 0.1, 0.4, 1.0, 2.5];
        let truth = [false, false, true, false, true, true, true];
        let link = platt(&truth, &values).unwrap();
        let target = |class: bool| if class { 5.0 / 6.0 } else { 1.0 / 5.0 };
        let residuals: Vec<f64> = values
            .iter()
            .zip(truth)
            .map(|(value, class)| linked(link, *value) - target(class))
            .collect();
        assert!(residuals.iter().sum::<f64>().abs() < 1e-8);
        let with_value: f64 = residuals.iter().zip(values).map(|(r, v)| r * v).sum();
        assert!(with_value.abs() < 1e-8);
    }

    #[test]
    fn scale_does_not_matter_and_wholly_apart_is_no_trouble() {
        let truth = [false, false, true, true];
        let small = platt(&truth, &[-1e-12, -2e-12, 1e-12, 2e-12]).unwrap();
        let large = platt(&truth, &[-1e12, -2e12, 1e12, 2e12]).unwrap();
        assert!((linked(small, 1e-12) - linked(large, 1e12)).abs() < 1e-9);
        assert!(linked(large, 2e12) < 1.0);
    }

    #[test]
    fn no_row_is_judged_by_a_map_that_has_seen_its_group() {
        let values: Vec<f64> = (0..40).map(|i| f64::from(i * 7 % 40) - 20.0).collect();
        let truth: Vec<bool> =
            values.iter().enumerate().map(|(i, v)| *v > 0.0 || i % 4 == 0).collect();
        // Two rows of each patient.
        let groups: Vec<u32> = (0..40).map(|row| row / 2).collect();
        let said = platt_apart(&truth, &values, &groups).unwrap();
        let parts = folds_of_both(&groups, &truth, PARTS);
        assert!(parts > 1);
        let part_of = dealt(&groups, &truth, parts).unwrap();
        for row in 0..40 {
            let others: Vec<usize> =
                (0..40).filter(|other| part_of[*other] != part_of[row]).collect();
            assert!(!others.contains(&(row ^ 1)), "its patient is not seen");
            let known: Vec<bool> = others.iter().map(|other| truth[*other]).collect();
            let seen: Vec<f64> = others.iter().map(|other| values[*other]).collect();
            let link = platt(&known, &seen).unwrap();
            assert_eq!(said[row], linked(link, values[row]));
        }
    }

    #[test]
    fn values_that_tell_nothing_gain_nothing_by_their_own_map() {
        let truth: Vec<bool> = (0..60).map(|i| i % 3 == 0).collect();
        let values: Vec<f64> = (0..60).map(|i| f64::from(i * 37 % 60)).collect();
        let groups: Vec<u32> = (0..60).collect();
        let said = platt_apart(&truth, &values, &groups).unwrap();
        let brier = |p: &[f64]| -> f64 {
            let of = |(p, class): (&f64, &bool)| {
                let miss = p - f64::from(u8::from(*class));
                miss * miss
            };
            p.iter().zip(&truth).map(of).sum::<f64>() / 60.0
        };
        assert!(brier(&said) >= brier(&[1.0 / 3.0; 60]), "{}", brier(&said));
    }

    #[test]
    fn one_patient_of_a_class_gives_no_map() {
        let truth = [true, true, false, false, false];
        let values = [2.0, 1.0, 0.0, -1.0, 3.0];
        assert_eq!(platt_apart(&truth, &values, &[0, 0, 1, 2, 3]), None);
        let said = platt_apart(&truth, &values, &[0, 1, 2, 3, 4]).unwrap();
        assert!(said.iter().all(|p| *p > 0.0 && *p < 1.0), "{said:?}");
        assert_eq!(platt_apart(&truth, &[f64::NAN; 5], &[0, 1, 2, 3, 4]), None);
    }

    #[test]
    fn a_reversed_ranking_gives_one_probability() {
        let link = platt(&[true, true, false], &[-1.0, -2.0, 3.0]).unwrap();
        assert_eq!(link.slope, 0.0);
        let share = (0.75 + 0.75 + 1.0 / 3.0) / 3.0;
        assert!((linked(link, 9.0) - share).abs() < 1e-12);
        assert_eq!(platt(&[true, true], &[0.0, 1.0]), None);
        assert!(platt(&[true, false], &[1.0, 1.0]).is_some());
    }
}
