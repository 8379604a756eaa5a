//! A fitted learner as a formula, so that others than its own code can compute or explain it.

use crate::math::trees::Trees;

/// What a fitted learner computes of the columns that reach it.
#[derive(Debug, Clone, PartialEq)]
pub enum Form {
    /// No formula of a kind that is known here.
    Opaque,
    /// The same probability for every row.
    Constant(f64),
    /// w·x + b.
    Linear { weights: Vec<f64>, intercept: f64, then: Then },
    /// Σ wᵢ exp(−γ‖xᵢ − x‖²) + b. Shape: `rows` m × p, `weights` m.
    Kernel { rows: Vec<Vec<f64>>, weights: Vec<f64>, intercept: f64, gamma: f64 },
    /// `start` and what every tree says: the sum, or the mean.
    Trees { trees: Trees, columns: usize, start: f64, mean: bool, then: Then },
}

/// What is done with the value of a formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Nothing.
    Nothing,
    /// 1 / (1 + e⁻ᵛ).
    Sigmoid,
}
