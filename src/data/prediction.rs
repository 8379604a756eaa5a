//! Scores on held-out rows, what is chosen by them, and what is measured on them.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Interval;

/// One candidate's scores on the held-out rows of one split, or why it has none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CandidateScores {
    /// What the learner says of each held-out row, probabilities or decision values; of the null model
    /// probabilities.
    pub scores: Result<Vec<f64>, NoScore>,
    /// Whether the null model said it, since the selector kept no column.
    pub null: bool,
}

/// Why a candidate has no score on one split. Its bytes are those of its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoScore {
    /// Others did better on this many inner splits before, and it was not fitted.
    LeftOut { after: usize },
    /// The failure's words.
    Failed(String),
}

impl NoScore {
    /// The reason of which these are the words. No failure reads like a race that was lost: its
    /// words begin with the operation that failed.
    fn of_words(words: String) -> Self {
        let mut numbers = words.split(' ').filter_map(|word| word.parse().ok());
        match numbers.next().map(|after| Self::LeftOut { after }) {
            Some(left_out) if left_out.to_string() == words => left_out,
            _ => Self::Failed(words),
        }
    }
}

impl fmt::Display for NoScore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LeftOut { after: 1 } => f.write_str("left out after 1 inner split"),
            Self::LeftOut { after } => write!(f, "left out after {after} inner splits"),
            Self::Failed(why) => f.write_str(why),
        }
    }
}

impl Serialize for NoScore {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_string())
    }
}

impl<'de> Deserialize<'de> for NoScore {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::of_words(String::deserialize(deserializer)?))
    }
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
            // As of one that was never fitted, to the last byte.
            *candidate =
                CandidateScores { scores: Err(survivors.left_out()), null: false };
        }
        self
    }
}

impl Survivors {
    /// Why a candidate that does not go on has no score.
    pub fn left_out(&self) -> NoScore {
        NoScore::LeftOut { after: self.after }
    }
}

/// What a tuner is given for one candidate: the metric on each inner split, or why not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoldScores {
    pub folds: Vec<Result<f64, NoScore>>,
}

/// All that a choice of one candidate asks of it, on the inner splits of one training set: what it has by
/// itself, whatever else there is to choose from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// By metric that candidates are chosen by: the score on each inner split, or why the first of those
    /// without has none.
    pub scores: Vec<Result<Vec<f64>, NoScore>>,
    /// By inner split: how much lower its log loss is than that of the prevalence. Nothing where that is not
    /// asked, or where a split has no probabilities.
    pub gains: Option<Vec<f64>>,
    /// Its map from decision values to probabilities; none where it gives these itself.
    pub link: Result<Option<Link>, String>,
}

/// What a tuner chose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// Position in the list of candidates: of the members the one with the largest weight.
    pub candidate: Option<usize>,
    /// Whose probabilities are averaged. One alone unless an ensemble was asked for; none where no
    /// candidate has a score and the choice falls back.
    pub members: Vec<Member>,
    /// Inner mean of the metric, for each candidate that has one.
    pub inner: Vec<Option<f64>>,
    /// Why a candidate has none.
    pub unscored: Vec<Option<Unscored>>,
    /// Whether the choice did no better than the prevalence, or no candidate has a score: then the
    /// prevalence is predicted for everybody.
    pub falls_back: bool,
}

impl Choice {
    /// One candidate.
    pub fn of(candidate: usize, inner: Vec<Option<f64>>) -> Self {
        let members = vec![Member { candidate, weight: 1.0 }];
        let candidate = Some(candidate);
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
    /// Where a `decide` node has put one to them: learned on the inner out-of-fold predictions of the
    /// training rows.
    pub threshold: Option<f64>,
    /// The candidate that made them, if any did.
    pub candidate: Option<usize>,
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

/// The AUROC of sites that were held out one at a time, pooled and in each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SitesEstimate {
    pub pooled: Estimate,
    /// In the order of the splits that have predictions.
    pub sites: Vec<SiteEstimate>,
    /// How much sites differ, where they were pooled.
    pub between: Option<Heterogeneity>,
}

/// How much true values differ between sites, on the logit scale of the AUROC.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Heterogeneity {
    /// Sites that were pooled.
    pub n_sites: usize,
    /// The variance of true values between sites, by restricted maximum likelihood.
    pub tau_squared: f64,
    /// The share of the variation between sites that is not sampling error, from Cochran's Q.
    pub i_squared: f64,
}

/// The AUROC of one site as it goes into the pooled one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SiteEstimate {
    /// None of a site with one class.
    pub auroc: Option<f64>,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
    pub pooled: bool,
    /// How the interval was made, or why there is none.
    pub method: String,
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

/// The AUROC and further metrics in one group of rows.
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
    /// The group of the same column that this one is compared with; none of that group itself.
    pub against: Option<String>,
    /// The estimate less that of the group it is compared with.
    pub difference: Option<GroupDifference>,
    /// Further metrics of the group.
    pub measures: Vec<GroupMeasure>,
}

/// A metric in one group less the same in another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupDifference {
    pub estimate: f64,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
    /// Whether no patient has rows in both groups: then the interval follows from those of the two.
    pub apart: bool,
    /// How the interval was made, or why there is none.
    pub note: String,
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
    /// The estimate less that of the group it is compared with.
    #[serde(default)]
    pub difference: Option<GroupDifference>,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_has_the_bytes_of_its_words_and_comes_back_as_its_kind() {
        let failed = |words: &str| NoScore::Failed(words.to_string());
        let cases = [
            (NoScore::LeftOut { after: 1 }, "left out after 1 inner split"),
            (NoScore::LeftOut { after: 12 }, "left out after 12 inner splits"),
            (failed("lasso: 1 class"), "lasso: 1 class"),
            (failed("left out after 2 inner split"), "left out after 2 inner split"),
            (failed("left out after 02 inner splits"), "left out after 02 inner splits"),
            (failed(""), ""),
        ];
        for (reason, words) in cases {
            let scores = CandidateScores { scores: Err(reason), null: false };
            let bytes = postcard::to_stdvec(&scores).unwrap();
            let of_words: (Result<Vec<f64>, &str>, bool) = (Err(words), false);
            assert_eq!(bytes, postcard::to_stdvec(&of_words).unwrap(), "{words}");
            assert_eq!(postcard::from_bytes::<CandidateScores>(&bytes).unwrap(), scores);
        }
    }

    #[test]
    fn what_is_taken_of_all_scores_has_the_bytes_of_what_is_scored_alone() {
        let scored = |null| CandidateScores { scores: Ok(vec![0.5, 0.5]), null };
        let all = vec![scored(true), scored(true), scored(false), scored(false)];
        let survivors =
            Survivors { go_on: vec![true, true, false, true, false], after: 1 };
        let left = CandidateScores { scores: Err(survivors.left_out()), null: false };
        let alone = vec![scored(true), left.clone(), scored(false), left];
        let found =
            ScoredSplit { rows: vec![3, 4], candidates: all }.raced(&survivors, 1);
        assert_eq!(found.candidates, alone);
    }
}
