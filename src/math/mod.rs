//! The numerics that several operations share: elementary functions, random streams, sums, trees,
//! and the fits that learners and selectors both make.
//!
//! Every sum runs in index order; nothing here is parallel.

mod draws;
mod elementary;
mod logistic;
mod matrix;
mod smo;
mod sparse;
mod stream;
pub mod trees;
mod unsolved;

pub use draws::Draws;
pub use elementary::{
    cos, erfc, exp, ln, ln_1p, log2, pow, sigmoid, sin, softplus, sqrt, tanh,
};
pub use logistic::{Linear, LogisticLoss};
pub use matrix::{Matrix, dot, squared_distance, wide_dot};
pub use smo::{Separator, separate};
pub use sparse::{Pull, SparseLeastSquares};
pub use stream::Stream;
pub use unsolved::Unsolved;

/// The arithmetic mean; `None` when there is nothing to average.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The sample variance with the divisor n − 1, in two passes; `None` below two values.
pub fn variance(values: &[f64]) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    let mean = mean(values)?;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    Some(squares / (values.len() - 1) as f64)
}

/// The median, the mean of the two middle values for an even count; `None` when empty.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        n if n % 2 == 1 => Some(sorted[middle]),
        _ => Some(sorted[middle - 1] / 2.0 + sorted[middle] / 2.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_samples_have_the_textbook_moments() {
        assert_eq!(mean(&[]), None);
        assert_eq!(variance(&[1.0]), None);
        assert_eq!(mean(&[1.0, 2.0, 6.0]), Some(3.0));
        assert_eq!(variance(&[1.0, 2.0, 6.0]), Some(7.0));
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), Some(2.5));
        assert_eq!(median(&[f64::MAX, f64::MAX]), Some(f64::MAX));
    }
}
