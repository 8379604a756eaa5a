//! The columns that enter a lasso path first.

use super::entry::{Path, Stop};
use super::ranking::Ranking;
use crate::operation::prelude::*;

/// Keeps the k columns that enter a lasso path first.
///
/// Of columns that say the same, the path takes one: what is kept is less redundant than what
/// `anova` keeps. Place `scale_zscore` before it: the penalty compares columns.
///
/// # Computation
/// Minimises ‖y − Xw‖²/(2n) + λ‖w‖₁ with centred columns and y the class (1 or 0), centred, at
/// `points` values of λ from the least one that keeps all coefficients zero down to `reach` times it,
/// in geometric steps. Columns are ranked by the first λ at which their coefficient is not zero, those
/// of the same λ by the absolute coefficient there, then by table order. The kept columns stay in table
/// order; there are fewer than k when fewer enter. Each minimum is exact (feature-sign search, Lee et
/// al. 2007), so no column enters or stays out by an unfinished iteration.
///
/// `lambda: min` or `1se` keeps only columns whose coefficient is not zero at the λ that
/// cross-validation chooses, again at most k: the least mean squared error, or the largest λ within
/// one standard error of it (folds weigh by their size, as in glmnet). Groups are dealt to `folds` in
/// turn, positives first: no chance is in it.
///
/// # Differences
/// scikit-learn's `lasso_path` gives the same path, but stops each fit at a duality gap of 10⁻⁴,
/// by which a column may enter one step later or earlier. glmnet's default path is longer, and
/// its `cv.glmnet` draws its folds.
///
/// # Limits
/// Missing values are refused. The class is fitted by least squares, not by the logistic loss.
/// `min` and `1se` may keep no column. The model is then the null model, as glmnet's is: whatever the
/// learner, the prevalence of the training rows is predicted for everybody. Such a candidate is scored
/// and can be chosen, and the report says how many fits kept no column. Of exact copies of a column one
/// enters, and rounding decides which: `drop_correlated` before it keeps the first.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Lasso {
    /// Largest number of columns to keep.
    #[schemars(range(min = 1, max = 100_000), extend("x-tunable" = true))]
    pub k: usize,
    /// Where the path stops.
    #[schemars(extend("x-tunable" = true))]
    pub lambda: Stop,
    /// Number of penalties on the path.
    #[schemars(range(min = 2, max = 1000))]
    pub points: usize,
    /// The last penalty as a share of the first.
    #[schemars(range(min = 1e-6, max = 0.99))]
    pub reach: f64,
    /// Number of folds by which `min` and `1se` choose.
    #[schemars(range(min = 2, max = 100))]
    pub folds: usize,
}

impl Default for Lasso {
    fn default() -> Self {
        Self { k: 16, lambda: Stop::Path, points: 50, reach: 0.05, folds: 10 }
    }
}

impl Operation for Lasso {
    const ABOUT: About = About {
        name: "lasso",
        title: "Selection by the lasso",
        // 1: first release. 2: columns of any size, in units of the largest value.
        version: 2,
        sources: &["tibshirani1996", "lee2007", "friedman2010"],
        example: "lasso: { k: 8 }",
    };
}

impl TableStep for Lasso {
    type State = Ranking;

    const PICKS: bool = true;

    const READS_OUTCOME: bool = true;

    fn fit(&self, train: &Train) -> Result<Ranking, Failure> {
        let path = Path { mix: 1.0, points: self.points, reach: self.reach };
        path.ranking(train, self.lambda, self.folds)
    }

    fn apply(&self, ranking: &Ranking, rows: &mut Rows) -> Result<(), Failure> {
        ranking.keep(self.k, rows);
        Ok(())
    }

    fn needs(&self) -> Vec<Need> {
        self.lambda.needs(self.folds)
    }

    fn keeps(&self) -> Option<usize> {
        // A penalty that is chosen leaves columns out, whatever `k` lets in.
        (self.lambda == Stop::Path).then_some(self.k)
    }

    fn most_columns(&self, given: usize, _categorical: usize) -> Option<usize> {
        Some(self.k.min(given))
    }

    fn as_fitted(&self) -> Self {
        Self { k: Self::default().k, ..self.clone() }
    }

    fn as_applied(&self) -> Self {
        let folds = self.lambda.folds(self.folds, Self::default().folds);
        Self { folds, ..self.clone() }
    }
}
