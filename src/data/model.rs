//! A frozen model as a file: everything that is needed to apply it, and nothing about a patient's
//! name.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{Familiar, Link};

/// A frozen model with its preparation. Numbers are written so that they are read back as they were.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Version of this layout.
    pub restudy_model: u32,
    /// The program that froze it.
    pub engine: String,
    /// Outcome and model, as in the report: `idh1.fused`.
    pub name: String,
    pub study: ModelStudy,
    pub outcome: ModelOutcome,
    pub development: ModelRows,
    /// Predictors in the order in which the preparation reads them.
    pub columns: Vec<ModelColumn>,
    /// Columns that steps read beside the predictors, such as the site.
    pub beside: Vec<String>,
    /// Whose probabilities are averaged; the largest weight first.
    pub members: Vec<ModelMember>,
    /// The prevalence, where no candidate did better on inner folds: it is predicted for everybody.
    pub falls_back: Option<f64>,
    pub threshold: Option<ModelThreshold>,
    /// Intercept and slope, on the logit scale, of the calibration that inner out-of-fold predictions
    /// ask for. It describes; probabilities are given without it.
    pub calibration: Option<(f64, f64)>,
    /// Of all else that stands here: a file of which a part was changed or lost is refused.
    pub digest: String,
}

/// The study that it comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelStudy {
    pub title: String,
    /// Digest of everything in the study that can change a result.
    pub digest: String,
    pub seed: u64,
    /// Whether it was developed on patients that a generator made up.
    pub simulated: bool,
}

/// What it predicts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelOutcome {
    pub name: String,
    pub label: String,
}

/// The rows that it was fitted on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelRows {
    pub cohort: String,
    pub n: usize,
    pub n_positive: usize,
}

/// A predictor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelColumn {
    /// Block and column: `clinical.age`.
    pub name: String,
    /// Its name in a table: `age`, or the whole name where two blocks have an `age`.
    pub column: String,
    pub unit: Option<String>,
    /// Whether any member's prediction depends on it.
    pub needed: bool,
    /// The least and the greatest value among development rows; none for categories.
    pub range: Option<(f64, f64)>,
    /// The median among development rows; none for categories.
    pub median: Option<f64>,
    /// Development rows in which it was missing.
    pub missing: usize,
    /// Its categories, where it has such.
    pub categories: Option<Vec<String>>,
}

/// A fitted candidate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelMember {
    /// Weights add up to 1.
    pub weight: f64,
    /// Steps in order.
    pub prepare: Vec<ModelStep>,
    /// The selector's steps, after those.
    pub select: Vec<ModelStep>,
    /// The columns that reach the learner.
    pub selected: Vec<String>,
    pub learner: ModelLearner,
    /// From decision values to probabilities, where the learner gives the former.
    pub link: Option<Link>,
    /// What development rows look like in the selected columns.
    pub familiar: Option<Familiar>,
}

/// A fitted step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelStep {
    pub operation: String,
    pub version: u32,
    pub parameters: Json,
    /// The blocks on whose columns it acts; all of them when there is none.
    pub blocks: Option<Vec<String>>,
    /// What was learned.
    pub state: Json,
}

/// A fitted learner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelLearner {
    pub operation: String,
    pub version: u32,
    pub parameters: Json,
    /// What was learned.
    pub state: Json,
}

/// The probability at and above which a prediction is positive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelThreshold {
    pub value: f64,
    /// How it was found, in words.
    pub rule: String,
}
