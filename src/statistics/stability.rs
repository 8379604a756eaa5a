//! How alike the columns are that several fits chose.

use crate::math::{mean, sqrt};

/// The agreement of several selections, corrected for chance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stability {
    /// 1 when all are alike, near 0 for columns drawn at random.
    pub index: f64,
    pub variance: f64,
}

/// Nogueira's index for `fits` selections among `d` columns.
///
/// Φ = 1 − (1/d Σ s²_f) / (k̄/d · (1 − k̄/d)), with s²_f = M/(M − 1)·p_f(1 − p_f). The variance is
/// 4/M² Σ (Φᵢ − Φ̄)², where
/// Φᵢ = (1/d Σ z_if·p_f − kᵢk̄/d² + Φ/2·(2kᵢk̄/d² − kᵢ/d − k̄/d + 1)) / (k̄/d · (1 − k̄/d)).
///
/// `None` below two fits, and where all columns or none are always chosen.
///
/// Source: nogueira2018, definition 4 and theorem 10.
pub fn stability(fits: &[Vec<usize>], d: usize) -> Option<Stability> {
    let m = fits.len() as f64;
    if fits.len() < 2 || d == 0 {
        return None;
    }
    let columns = d as f64;
    let mut share = vec![0.0; d];
    for fit in fits {
        for &column in fit {
            share[column] += 1.0;
        }
    }
    share.iter_mut().for_each(|p| *p /= m);
    let mean_size: f64 = fits.iter().map(|fit| fit.len() as f64).sum::<f64>() / m;
    let expected = mean_size / columns * (1.0 - mean_size / columns);
    if expected <= 0.0 {
        return None;
    }
    let spread = share.iter().map(|p| p * (1.0 - p)).sum::<f64>() / columns;
    let index = 1.0 - m / (m - 1.0) * spread / expected;
    let of_fit = |fit: &Vec<usize>| {
        let size = fit.len() as f64;
        let shared = fit.iter().map(|&column| share[column]).sum::<f64>() / columns;
        let product = size * mean_size / (columns * columns);
        let sizes = size / columns + mean_size / columns;
        (shared - product + index / 2.0 * (2.0 * product - sizes + 1.0)) / expected
    };
    let parts: Vec<f64> = fits.iter().map(of_fit).collect();
    let centre = mean(&parts)?;
    let squares: f64 = parts.iter().map(|part| (part - centre) * (part - centre)).sum();
    Some(Stability { index, variance: 4.0 / (m * m) * squares })
}

impl Stability {
    /// Normal interval, at most 1. Fits on overlapping rows make it too narrow.
    pub fn interval(&self) -> (f64, f64) {
        let half = 1.959_963_984_540_054 * sqrt(self.variance);
        (self.index - half, (self.index + half).min(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::Stream;

    #[test]
    fn alike_is_one_and_chance_is_none() {
        let alike = stability(&[vec![0, 3], vec![0, 3], vec![0, 3]], 10).unwrap();
        assert_eq!((alike.index, alike.variance), (1.0, 0.0));
        let mut stream = Stream::new(5, &["stability"]);
        let fits: Vec<Vec<usize>> = (0..200)
            .map(|_| {
                let mut columns: Vec<usize> = (0..40).collect();
                stream.shuffle(&mut columns);
                columns[..8].to_vec()
            })
            .collect();
        let chance = stability(&fits, 40).unwrap();
        assert!(chance.index.abs() < 0.01, "{}", chance.index);
        assert_eq!(stability(&[vec![0]], 3), None);
        assert_eq!(stability(&[vec![0, 1], vec![1, 0]], 2), None, "all columns, always");
    }

    #[test]
    fn two_selections_by_hand() {
        // Shares 1, ½, ½, 0: spread 1/8; k̄/d = ½, so Φ = 1 − 2·(1/8)/(1/4) = 0.
        let found = stability(&[vec![0, 1], vec![0, 2]], 4).unwrap();
        assert!(found.index.abs() < 1e-15 && found.variance.abs() < 1e-15);
    }

    #[test]
    fn selections_of_different_size_as_elsewhere() {
        let fits: [&[usize]; 6] =
            [&[0, 1, 2], &[0, 1], &[0, 2, 3, 4], &[0, 1, 2], &[0, 5], &[0, 1, 2, 3, 4]];
        let fits: Vec<Vec<usize>> = fits.iter().map(|fit| fit.to_vec()).collect();
        let found = stability(&fits, 8).unwrap();
        // numpy 2.4, the formulas of theorem 10 written out on the matrix of zeros and ones.
        assert!((found.index - 0.355_353_901_996_370_3).abs() < 1e-12, "{}", found.index);
        assert!(
            (found.variance - 0.011_951_683_142_858_554).abs() < 1e-12,
            "{}",
            found.variance
        );
    }

    /// The variance is that of the index over sets of independent selections of varying size.
    #[test]
    fn the_interval_is_as_wide_as_sets_of_selections_differ() {
        let mut stream = Stream::new(7, &["stability"]);
        let mut sets: Vec<Stability> = Vec::new();
        for _ in 0..400 {
            let mut fits: Vec<Vec<usize>> = Vec::new();
            for _ in 0..40 {
                let often = if stream.below(2) == 0 { 0.3 } else { 0.1 };
                let mut fit = Vec::new();
                for column in 0..30 {
                    let share = if column % 5 == 0 { 2.5 * often } else { often };
                    if stream.uniform() < share {
                        fit.push(column);
                    }
                }
                fits.push(fit);
            }
            sets.extend(stability(&fits, 30));
        }
        let indices: Vec<f64> = sets.iter().map(|of| of.index).collect();
        let variances: Vec<f64> = sets.iter().map(|of| of.variance).collect();
        let over_sets = crate::math::variance(&indices).unwrap();
        let told = mean(&variances).unwrap();
        let ratio = told / over_sets;
        assert!((0.7..1.4).contains(&ratio), "{ratio}");
    }
}
