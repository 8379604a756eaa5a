//! What thresholds that reach a share have in common.

use crate::operation::Failure;

/// The scores of one class. Fails when either class is missing.
pub fn of_class(
    truth: &[bool],
    scores: &[f64],
    class: bool,
) -> Result<Vec<f64>, Failure> {
    let positive = truth.iter().filter(|positive| **positive).count();
    if positive == 0 || positive == truth.len() {
        return Err(Failure::OneClass);
    }
    let rows = truth.iter().zip(scores).filter(|(known, _)| **known == class);
    Ok(rows.map(|(_, score)| *score).collect())
}

/// The smallest whole number that is at least this share of `n`.
pub fn needed(share: f64, n: usize) -> usize {
    // A share such as 0.9 of 10 is 9, whatever its last binary digit.
    ((share * n as f64) - 1e-9).ceil().max(0.0) as usize
}
