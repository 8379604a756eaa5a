//! What a report says of the model that is handed over: how it computes, what it looks at.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Count;

/// The full model of one outcome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FullModelFacts {
    /// Outcome and model: `idh1.fused`.
    pub name: String,
    pub outcome: String,
    pub label: String,
    pub cohort: String,
    /// Why there is none; then nothing below is there.
    pub missing: Option<String>,
    /// Digest of everything that was frozen.
    pub digest: String,
    /// Its file beside the report.
    pub file: String,
    /// The same for other programs, or why there is none.
    pub onnx: Result<String, String>,
    pub n: Count,
    pub n_positive: Count,
    /// The prevalence, where it is predicted for everybody.
    pub falls_back: Option<f64>,
    pub threshold: Option<f64>,
    pub threshold_rule: Option<String>,
    /// Intercept and slope of the calibration map, on the logit scale.
    pub calibration: Option<(f64, f64)>,
    /// The predictors that it needs.
    pub columns: Vec<NeededColumn>,
    /// Its parts: one, unless probabilities are averaged.
    pub members: Vec<MemberFacts>,
    pub importance: Option<ImportanceFacts>,
    /// Exact Shapley values; none for averages and for learners without an exact formula.
    pub explained: Option<Explained>,
    /// Why there are none.
    #[serde(default)]
    pub unexplained: Option<String>,
}

/// A predictor of a full model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NeededColumn {
    pub name: String,
    pub unit: Option<String>,
    pub lowest: Option<f64>,
    pub highest: Option<f64>,
    pub median: Option<f64>,
    pub missing: Count,
    /// Whether the preparation has a value in place of a missing one; else a subject that lacks it
    /// is refused.
    #[serde(default)]
    pub filled: bool,
    pub categories: Option<Vec<String>>,
}

/// A fitted candidate of a full model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MemberFacts {
    pub weight: f64,
    pub selector: String,
    /// Grid point of the selector in words, such as `k = 16`.
    #[serde(default)]
    pub selector_settings: String,
    /// Grid point of the preparation in words.
    #[serde(default)]
    pub preparation: String,
    pub learner: String,
    /// What the author changed of the learner, and its grid point.
    pub settings: String,
    /// Columns that reach the learner.
    pub n_selected: usize,
    /// Those of them on which what it says depends: a coefficient may be 0, and trees may never ask for a
    /// column. None where that is not known.
    #[serde(default)]
    pub n_used: Option<usize>,
    /// The equation of a linear learner, or why there is none.
    pub equation: Result<Equation, String>,
    /// Distance beyond which a subject is called novel.
    pub novelty_limit: Option<f64>,
}

/// log odds = intercept + Σ coefficient × transformed predictor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Equation {
    pub intercept: f64,
    /// 95 % limits of the intercept, if resamples were fitted.
    pub intercept_limits: Option<(f64, f64)>,
    pub terms: Vec<Term>,
    /// Resamples of patients that the limits are taken from.
    pub resamples: Option<usize>,
    /// Where the learner gives decision values and the map to log odds is part of the coefficients.
    pub linked: bool,
    pub example: WorkedExample,
}

/// A term of an equation, on the scale in which the predictor is measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Term {
    pub predictor: String,
    pub unit: Option<String>,
    pub transform: Transform,
    pub coefficient: f64,
    /// 95 % limits of the coefficient, if resamples were fitted.
    pub limits: Option<(f64, f64)>,
    /// What stands for a missing value.
    pub missing_is: Option<f64>,
    /// The least and the greatest value among development rows.
    pub lowest: Option<f64>,
    pub highest: Option<f64>,
}

/// What a coefficient is multiplied with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Transform {
    /// The value.
    Value,
    /// (ψ(slope · value + intercept; λ) − centre) / scale with ψ of Yeo and Johnson. Where ψ hardly
    /// differs between values, a coefficient of ψ alone would be of no use.
    YeoJohnson {
        slope: f64,
        intercept: f64,
        lambda: f64,
        #[serde(default)]
        centre: f64,
        #[serde(default = "one")]
        scale: f64,
    },
    /// 1 for this category, else 0.
    Is { category: String },
    /// 1 where it is missing, else 0.
    IsMissing,
}

fn one() -> f64 {
    1.0
}

/// A made-up subject at the development medians, and of categories with the first, worked through.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WorkedExample {
    /// By term: the value of its predictor; none for categories.
    pub values: Vec<Option<f64>>,
    /// By term: the category of its predictor.
    pub categories: Vec<Option<String>>,
    /// By term: coefficient × transformed value.
    pub contributions: Vec<f64>,
    pub log_odds: f64,
    pub probability: f64,
}

/// How much worse held-out rows of an outer fold are predicted by one metric when a predictor is shuffled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Importance {
    pub metric: String,
    /// Or why the metric cannot judge these rows.
    pub fold: Result<FoldImportance, String>,
}

/// How much worse held-out rows are predicted when a predictor is shuffled, in one outer fold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoldImportance {
    /// The metric on the rows as they are.
    pub whole: f64,
    /// By predictor that the fold's choice looks at: how much worse the metric is, as a mean over
    /// shuffles.
    pub worse: Vec<(String, f64)>,
    /// Shuffles of each predictor.
    pub times: usize,
}

/// Permutation importance over the outer folds of the first repeat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ImportanceFacts {
    pub metric: String,
    pub folds: usize,
    pub times: usize,
    /// The most important first.
    pub predictors: Vec<PredictorImportance>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PredictorImportance {
    pub name: String,
    /// Mean over folds; a fold whose choice does not look at the predictor counts as 0.
    pub mean: f64,
    /// The least and the greatest of a fold: a spread, no confidence interval.
    pub lowest: f64,
    pub highest: f64,
    /// Folds whose choice looks at it.
    pub used: usize,
}

/// Exact Shapley values of a frozen model for the rows that it was developed on. Apparent: it says what
/// the model looks at, not how well it predicts; no metric takes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Explained {
    /// What the values add up to: log odds, decision value or probability.
    pub scale: String,
    pub method: String,
    /// What they add up to before any predictor is known.
    pub base: f64,
    pub rows: usize,
    /// The largest first.
    pub predictors: Vec<PredictorShap>,
    /// Of a linear model with an equation.
    pub coefficients: Option<CoefficientLimits>,
}

/// How far the coefficients of an equation vary when patients are drawn anew and only the learner is
/// fitted again: percentiles at 95 %.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CoefficientLimits {
    /// The resamples that could be fitted.
    pub resamples: usize,
    pub intercept: (f64, f64),
    /// In the order of the terms.
    pub terms: Vec<(f64, f64)>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PredictorShap {
    pub name: String,
    /// Mean absolute value over rows.
    pub mean_absolute: f64,
    /// Correlation of value and predictor: its sign says which way. None for categories and constants.
    pub correlation: Option<f64>,
}
