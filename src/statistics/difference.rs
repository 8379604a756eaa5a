//! How far two groups are apart in a column of categories, in standard deviations.

use crate::math::{Matrix, dot, sqrt};

/// The standardised difference of the shares of categories in two groups.
///
/// d = √((p − q)ᵀ S⁻¹ (p − q)) over all categories but one, with S the mean of the two covariance
/// matrices, whose entries are p_k(1 − p_k) and −p_k p_l. Which category is left out changes
/// nothing. Of two categories it is |p − q| / √((p(1 − p) + q(1 − q)) / 2). It has no sign.
///
/// `None` where a group is empty, or where no category is met in both: then nothing varies in the
/// direction in which they differ.
///
/// Shape: rows of each group by category, categories in the same order. Source: yang2012.
pub fn standardised_difference(first: &[usize], second: &[usize]) -> Option<f64> {
    let (n, m) = (first.iter().sum::<usize>(), second.iter().sum::<usize>());
    let both = first.iter().zip(second).any(|(a, b)| *a > 0 && *b > 0);
    if n == 0 || m == 0 || !both {
        return None;
    }
    let met = first.iter().zip(second).filter(|(a, b)| **a + **b > 0);
    let shares = met.map(|(a, b)| (*a as f64 / n as f64, *b as f64 / m as f64));
    let shares: Vec<(f64, f64)> = shares.skip(1).collect();
    let k = shares.len();
    let mut s = Matrix { n: k, p: k, values: vec![0.0; k * k] };
    for (i, (p, q)) in shares.iter().enumerate() {
        for (j, (of_p, of_q)) in shares.iter().enumerate() {
            s.values[i * k + j] = match i == j {
                true => (p * (1.0 - p) + q * (1.0 - q)) / 2.0,
                false => -(p * of_p + q * of_q) / 2.0,
            };
        }
    }
    let apart: Vec<f64> = shares.iter().map(|(p, q)| p - q).collect();
    let solved = s.solve_definite(&apart)?;
    Some(sqrt(dot(&apart, &solved).max(0.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: Option<f64>, expected: f64) {
        let found = found.unwrap();
        assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
    }

    #[test]
    fn two_categories_are_a_difference_of_proportions() {
        let expected = 0.3 / sqrt((0.8 * 0.2 + 0.5 * 0.5) / 2.0);
        near(standardised_difference(&[80, 20], &[20, 20]), expected);
        near(standardised_difference(&[20, 80], &[20, 20]), expected);
        near(standardised_difference(&[20, 20], &[80, 20]), expected);
    }

    /// p = (0.5, 0.3, 0.2), q = (0.2, 0.3, 0.5), without the first: S = [[0.21, −0.105],
    /// [−0.105, 0.205]] of determinant 0.032025 and difference (0, −0.3), so that
    /// d² = 0.09 · 0.21 / 0.032025.
    #[test]
    fn three_categories_by_hand() {
        let expected = sqrt(0.09 * 0.21 / 0.032_025);
        near(standardised_difference(&[50, 30, 20], &[20, 30, 50]), expected);
        near(standardised_difference(&[30, 20, 0, 50], &[30, 50, 0, 20]), expected);
        near(standardised_difference(&[5, 3, 2], &[5, 3, 2]), 0.0);
    }

    #[test]
    fn groups_without_a_category_in_common_have_none() {
        assert_eq!(standardised_difference(&[3, 0], &[0, 4]), None);
        assert_eq!(standardised_difference(&[3, 0, 0], &[0, 4, 4]), None);
        assert_eq!(standardised_difference(&[3, 1], &[0, 0]), None);
        assert_eq!(standardised_difference(&[], &[]), None);
        near(standardised_difference(&[3], &[8]), 0.0);
        assert!(standardised_difference(&[3, 1, 0], &[0, 4, 4]).is_some());
    }
}
