//! What is missing in a cohort: by variable, which variables go together, and how it goes with the outcome.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Count, Share};

/// Missing values among the rows of one cohort: all that its rules keep, also those that leave later as
/// their outcome is unknown or as they could not be measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MissingnessFacts {
    pub cohort: String,
    /// The first outcome that is asked of the cohort, if any: positive and negative are its classes.
    pub outcome: Option<String>,
    pub rows: Count,
    /// Rows of either class; those of unknown outcome are in neither.
    pub positive: Count,
    pub negative: Count,
    /// Variables that were looked at: predictors, and columns of sites, strata and subgroups.
    pub variables: usize,
    /// Rows that have a value of each of them.
    pub complete: Count,
    /// Variables with a gap; those that are missing in the same rows are one.
    pub gaps: Vec<GapFacts>,
    /// What is missing together, and in how many rows.
    pub patterns: Vec<PatternFacts>,
    /// Rows with a gap and another pattern, and how many patterns these have, if that may be told.
    pub others: Count,
    pub other_patterns: Option<usize>,
}

/// Variables that are missing in the same rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GapFacts {
    pub columns: Vec<GapColumn>,
    /// Rows without a value: of all, and of either class.
    pub all: Share,
    pub positive: Share,
    pub negative: Share,
    /// Positive less negative; none where a class is empty.
    pub difference: Option<ShareDifference>,
}

/// A variable as Table 1 and the table of predictors name it.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub struct GapColumn {
    pub block: String,
    pub variable: String,
}

/// The difference of two shares with Newcombe's 95 % interval. Units: percentage points.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ShareDifference {
    pub estimate: f64,
    pub lower: f64,
    pub upper: f64,
}

/// Rows that lack the same variables and no other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PatternFacts {
    /// Positions among the gaps, ascending.
    pub gaps: Vec<usize>,
    pub n: Count,
}
