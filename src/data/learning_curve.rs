//! What the procedure achieves when it learns from fewer patients, and how precisely patients as many as
//! those of the study would judge a model.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compared, Estimate};

/// The primary metric of the whole procedure by the number of patients that it learns from. The rows that
/// judge it are the same at every size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LearningFacts {
    /// Of how many repeats of the scheme the outer splits are used.
    pub repeats: usize,
    /// Outer splits of these repeats.
    pub splits: usize,
    /// Ascending; the last is the analysis itself, with all training patients.
    pub sizes: Vec<LearningSize>,
    /// All training patients less the largest part of them, by pairs of the same outer split.
    pub last_step: Option<Compared>,
}

/// What the procedure achieves with a share of the training patients of each outer split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LearningSize {
    pub fraction: f64,
    /// Mean number of patients to learn from over the outer splits.
    pub n: Option<f64>,
    /// The least and the greatest of them.
    pub lowest: Option<usize>,
    pub highest: Option<usize>,
    /// The primary metric, put together as that of the analysis.
    pub estimate: Option<Estimate>,
    /// Why there is none.
    pub missing: Option<String>,
}

/// How wide an interval is expected to be where a model like this is validated on as many patients, and
/// how many it takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExpectedWidth {
    /// The value for which it is computed, if it depends on one.
    pub assumed: Option<f64>,
    /// Of the 95 % interval with the patients of this study.
    pub width: Option<f64>,
    /// How wide it may be.
    pub target: f64,
    /// With how many patients it is no wider than that.
    pub needed: Option<f64>,
    /// How it was computed, or why not.
    pub note: String,
}
