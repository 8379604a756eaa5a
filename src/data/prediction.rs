//! Scores on held-out rows, what is chosen by them, and what is measured on them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Interval;

/// One candidate's scores on the held-out rows of one split, or why it has none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CandidateScores {
    /// Probability of the positive class for each held-out row, or the failure's words.
    pub scores: Result<Vec<f64>, String>,
}

/// What one selector and one learner predict on one split, over their whole grid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoredSplit {
    /// Cohort rows, ascending.
    pub rows: Vec<u32>,
    /// One entry per grid point, in written order.
    pub candidates: Vec<CandidateScores>,
}

/// Which candidates are scored on further inner splits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Survivors {
    /// By candidate.
    pub go_on: Vec<bool>,
    /// Inner splits after which the others were left out.
    pub after: usize,
}

impl ScoredSplit {
    /// The same had only those that go on been scored; `first` is the number of the first candidate.
    pub fn raced(mut self, survivors: &Survivors, first: usize) -> Self {
        let go_on = survivors.go_on.iter().skip(first);
        for (candidate, _) in
            self.candidates.iter_mut().zip(go_on).filter(|(_, goes_on)| !**goes_on)
        {
            candidate.scores = Err(survivors.why());
        }
        self
    }
}

impl Survivors {
    const LEFT_OUT: &str = "left out after";

    /// Why a candidate has no score.
    pub fn why(&self) -> String {
        let splits = if self.after == 1 { "split" } else { "splits" };
        format!("{} {} inner {splits}", Self::LEFT_OUT, self.after)
    }

    /// Whether a reason is that one.
    pub fn is_why(reason: &str) -> bool {
        reason.starts_with(Self::LEFT_OUT)
    }
}

/// What a tuner is given for one candidate: the metric on each inner split, or why not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoldScores {
    pub folds: Vec<Result<f64, String>>,
}

/// What a tuner chose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// Position in the list of candidates: of the members the one with the largest weight.
    pub candidate: usize,
    /// Whose probabilities are averaged. One alone unless an ensemble was asked for.
    pub members: Vec<Member>,
    /// Inner mean of the metric, for each candidate that has one.
    pub inner: Vec<Option<f64>>,
    /// Why a candidate has none.
    pub unscored: Vec<Option<Unscored>>,
    /// Whether the choice did no better than the prevalence, which is then predicted for everybody.
    pub falls_back: bool,
}

impl Choice {
    /// One candidate.
    pub fn of(candidate: usize, inner: Vec<Option<f64>>) -> Self {
        let members = vec![Member { candidate, weight: 1.0 }];
        Self { candidate, members, inner, unscored: Vec::new(), falls_back: false }
    }
}

/// Why a candidate has no inner score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unscored {
    /// Others did better on the first inner splits, and it was scored no further.
    LeftBehind,
    /// The first of its failures.
    Failed(String),
}

/// A candidate's part in a choice.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Member {
    pub candidate: usize,
    /// Positive; the weights of a choice add up to 1.
    pub weight: f64,
}

/// Decision value → probability, sigmoid(intercept + slope · value).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Link {
    pub intercept: f64,
    pub slope: f64,
}

/// Predictions for rows that the model has not seen, one outer split's worth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Predictions {
    /// Cohort rows, ascending.
    pub rows: Vec<u32>,
    pub truth: Vec<bool>,
    /// Probability of the positive class.
    pub scores: Vec<f64>,
    /// What the learner ranks by, where that is no probability.
    pub decision_values: Option<Vec<f64>>,
    /// Learned on the inner out-of-fold predictions of the training rows, if a rule was declared.
    pub threshold: Option<f64>,
    /// The candidate that made them.
    pub candidate: usize,
    /// Whether they are the prevalence, since nothing did better on inner folds.
    pub falls_back: bool,
}

impl Predictions {
    /// What rows are ranked by.
    pub fn ranks(&self) -> &[f64] {
        self.decision_values.as_deref().unwrap_or(&self.scores)
    }
}

/// A measured value with its interval.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Estimate {
    pub estimate: f64,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
    /// How estimate and interval were made, in words.
    pub method: String,
    /// The value in each fold, repeat by repeat, where it is a mean over folds; in each repeat,
    /// where it is pooled within repeats.
    pub folds: Vec<f64>,
    /// Folds in which it could not be computed, and why.
    pub failed_folds: Vec<String>,
    /// Where the value of a further site is expected, if sites were pooled.
    pub prediction: Option<(f64, f64)>,
    /// Standard deviation of the value over held-out folds, where there are several. It says how
    /// much the value varies between folds, not how well it is known: no confidence interval.
    pub sd_folds: Option<f64>,
    /// Further intervals of the same estimate.
    pub other_intervals: Vec<Interval>,
}

/// Two models on the same held-out rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Compared {
    /// The metric of the one expected to be better, less that of the other.
    pub difference: f64,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
    pub p: Option<f64>,
    pub method: String,
}

/// A metric in one group of rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupEstimate {
    pub by: String,
    pub group: String,
    pub n: usize,
    pub n_positive: usize,
    pub estimate: Option<f64>,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
    /// Why there is no estimate, or how it was made.
    pub note: String,
    /// Further metrics of the group.
    pub measures: Vec<GroupMeasure>,
}

/// A further metric in a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupMeasure {
    pub metric: String,
    pub title: String,
    pub estimate: Option<f64>,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
    /// Why there is no estimate, or how it was made.
    pub note: String,
}

/// A point of a curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Point {
    pub x: f64,
    pub y: f64,
}

/// A step curve, such as a ROC pooled within one repeat.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Curve {
    pub points: Vec<Point>,
}

/// How well the batch of held-out rows is told from their columns, by an AUROC of which 0.5 is chance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decoded {
    /// The column that names the batch.
    pub column: String,
    /// Before harmonisation and after; `None` where no batch is on both sides of the split.
    pub before: Option<f64>,
    pub after: Option<f64>,
}
