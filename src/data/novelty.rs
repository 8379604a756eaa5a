//! How far a row lies from those that a model was developed on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What development rows look like in the columns that reach a learner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Familiar {
    /// Mean and standard deviation of each column; a standard deviation of 0 leaves it out.
    pub columns: Vec<(f64, f64)>,
    /// Directions of most variance of the standardised columns, of length 1, the largest first.
    pub directions: Vec<Vec<f64>>,
    /// The variance along each of them.
    pub variances: Vec<f64>,
    /// The mean variance along what is perpendicular to all of them.
    pub rest: f64,
    /// The distance that 99 of 100 development rows stay below when others say what is familiar.
    pub limit: f64,
    /// How far outside of the range of a needed predictor, in widths of that range, 99 of 100 development
    /// rows stay at most when others give the ranges.
    pub reach: f64,
}
