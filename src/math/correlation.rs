//! What correlations are made of: columns of unit length, and ranks.

use super::{mean, sqrt};

/// Deviations from the mean, scaled to unit length: r is their dot product. All 0 for a constant
/// column; `None` when a deviation is not finite.
pub fn unit(values: &[f64]) -> Option<Vec<f64>> {
    if values.iter().all(|value| *value == values[0]) {
        return Some(vec![0.0; values.len()]);
    }
    let mut deviations = values.to_vec();
    // Twice: far from 0, what rounding takes from the first mean is not small beside the spread.
    for _ in 0..2 {
        let mean = mean(&deviations)?;
        deviations.iter_mut().for_each(|value| *value -= mean);
    }
    if deviations.iter().any(|deviation| !deviation.is_finite()) {
        return None;
    }
    // Squares of very large and very small numbers are 0 or infinite; these are 1 at most.
    let largest = deviations.iter().fold(0.0, |a: f64, b| a.max(b.abs()));
    deviations.iter_mut().for_each(|value| *value /= largest);
    let length = sqrt(deviations.iter().map(|value| value * value).sum());
    deviations.iter_mut().for_each(|value| *value /= length);
    Some(deviations)
}

/// Ranks from 1, where equal values share the middle of theirs.
pub fn mid_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for tied in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let middle = before as f64 + (tied.len() + 1) as f64 / 2.0;
        tied.iter().for_each(|&row| ranks[row] = middle);
        before += tied.len();
    }
    ranks
}
