//! The numerics that several operations share: elementary functions, random streams, sums, trees,
//! and the fits that learners and selectors both make.
//!
//! Every sum runs in index order; nothing here is parallel.

mod abreast;
mod correlation;
mod dealt;
mod decimal;
mod draws;
mod elementary;
mod logistic;
mod matrix;
mod minimum;
pub mod rough;
mod smo;
mod sparse;
mod stream;
pub mod trees;
mod unsolved;
pub(crate) mod wider;
mod yeo_johnson;

pub use abreast::{ABREAST, abreast, sums_abreast};
pub use correlation::{Units, mid_ranks, unit};
pub use dealt::{dealt, folds_of_both};
pub use decimal::decimal;
pub use draws::Draws;
pub use elementary::{
    cos, erfc, exp, exp_each, expm1, ln, ln_1p, log2, pow, sigmoid, sigmoid_each, sin,
    softplus, sqrt, tanh,
};
pub use logistic::{Linear, LogisticLoss};
pub use matrix::{Matrix, RowSpace, dot, squared_distance, wide_dot};
pub use minimum::minimum;
pub use rough::Rough;
pub use smo::{Separator, separate};
pub use sparse::{Pull, SparseLeastSquares};
pub use stream::Stream;
pub use unsolved::Unsolved;
pub use yeo_johnson::{yeo_johnson, yeo_johnson_of};

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
    median_of(&mut values.to_vec())
}

/// The same of values whose order may change.
pub fn median_of(values: &mut [f64]) -> Option<f64> {
    let (middle, even) = (values.len() / 2, values.len().is_multiple_of(2));
    if values.is_empty() {
        return None;
    }
    // Sorting all of them would take several times as long.
    let (below, middle, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    if !even {
        return Some(*middle);
    }
    let before = below.iter().max_by(|a, b| a.total_cmp(b))?;
    Some(before / 2.0 + *middle / 2.0)
}

/// The value below which a share of sorted values lies, between two of them by linear interpolation
/// (type 7 of Hyndman and Fan 1996); `None` when empty.
pub fn quantile_of_sorted(sorted: &[f64], share: f64) -> Option<f64> {
    let place = share * (sorted.len().checked_sub(1)? as f64);
    let below = place as usize;
    let above = (below + 1).min(sorted.len() - 1);
    let part = place - below as f64;
    Some(sorted[below] + (sorted[above] - sorted[below]) * part)
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

    #[test]
    fn quantiles_are_those_of_numpy() {
        let sorted = [1.0, 2.0, 4.0, 8.0];
        let at = |share| quantile_of_sorted(&sorted, share).unwrap();
        assert_eq!([0.0, 0.25, 0.5, 0.75, 1.0].map(at), [1.0, 1.75, 3.0, 5.0, 8.0]);
        assert_eq!(quantile_of_sorted(&[], 0.5), None);
        assert_eq!(quantile_of_sorted(&[f64::MAX; 3], 0.3), Some(f64::MAX));
    }
}
