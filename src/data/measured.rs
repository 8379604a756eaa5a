//! What is drawn of held-out predictions, and how alike the fits were that made them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Curve;

/// A further interval of an estimate, by a method of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Interval {
    pub lower: f64,
    pub upper: f64,
    pub method: String,
}

/// A point of a smooth curve with its 95 % band, pointwise; no band where resamples seldom reach.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Banded {
    pub x: f64,
    pub y: f64,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
}

/// 95 % limits of a curve at one place.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Limits {
    pub x: f64,
    pub lower: f64,
    pub upper: f64,
}

/// A pointwise 95 % band around a curve.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Band {
    /// At the places of the mean curve; none where there is no band.
    pub points: Vec<Limits>,
    /// How it was made and what it leaves out, or why there is none.
    pub method: String,
}

/// Curves of held-out predictions, one per repeat, with their mean and its band.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Curves {
    pub curves: Vec<Curve>,
    /// By curve, for each of its points but the first: the probability from which on rows are called
    /// positive there. Of ROC curves only.
    pub thresholds: Vec<Vec<f64>>,
    pub mean: Curve,
    pub band: Band,
}

/// Predicted probability against the share of events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CalibrationCurve {
    /// The smoother by name, with its settings.
    pub smoother: String,
    /// Predicted probability (x) and smoothed share of events (y, cut at 0 and 1), from the smallest
    /// to the largest prediction that every repeat reaches; nowhere without data.
    pub points: Vec<Banded>,
    /// How predictions are distributed, by class.
    pub distribution: Vec<RiskBin>,
    /// Patients' rows of either class, in one repeat.
    pub events: usize,
    pub non_events: usize,
    /// Whether either is under 100: then curve, intercept and slope are imprecise.
    pub few: bool,
    /// Mean, median and 90th percentile of the distance between prediction and curve; means over
    /// repeats.
    pub ici: Option<f64>,
    pub e50: Option<f64>,
    pub e90: Option<f64>,
    /// How curve and band were made, in words.
    pub method: String,
}

/// Predictions from `lower` to under `upper` (the last: up to 1), as means over repeats.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RiskBin {
    pub lower: f64,
    pub upper: f64,
    pub events: f64,
    pub non_events: f64,
}

/// What decisions are worth over a range of threshold probabilities.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DecisionCurve {
    /// The range that the author declared.
    pub range: (f64, f64),
    pub points: Vec<DecisionPoint>,
    /// Stretches of thresholds at which the model is worth more than treating everybody and than
    /// treating nobody.
    pub useful: Vec<(f64, f64)>,
    pub method: String,
}

/// Net benefit of the decisions at the declared threshold, which is the probability that weighs
/// false positives; each fold has its own.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DecisionAtThreshold {
    pub model: f64,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
    pub treat_all: f64,
}

/// Net benefit in true positives per patient; that of treating nobody is 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DecisionPoint {
    pub threshold: f64,
    pub model: f64,
    /// 95 % band of the model, pointwise.
    pub lower: Option<f64>,
    pub upper: Option<f64>,
    pub treat_all: f64,
}

/// Rows by class and decision, as means over repeats: each fold at its own threshold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Confusion {
    pub true_positive: f64,
    pub false_positive: f64,
    pub false_negative: f64,
    pub true_negative: f64,
    /// Over how many repeats.
    pub repeats: usize,
    /// What these decisions are worth, where the threshold is a probability under 1.
    pub benefit: Option<DecisionAtThreshold>,
}
