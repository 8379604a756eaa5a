//! The columns that enter an elastic-net path first.

use super::entry::{Path, Stop};
use super::ranking::Ranking;
use crate::operation::prelude::*;

/// Keeps the k columns that enter an elastic-net path first.
///
/// Where the lasso takes one of several columns that say the same, the elastic net takes them
/// together: steadier from fold to fold, and more redundant. Place `scale_zscore` before it: the
/// penalty compares columns.
///
/// # Computation
/// As `lasso`, with the penalty λ(mix·‖w‖₁ + (1 − mix)·½‖w‖²); the path begins at the least λ that keeps
/// all coefficients zero, max|Xᵀy| / (n·mix).
///
/// # Differences
/// scikit-learn's `enet_path(l1_ratio=mix)` gives the same path, but stops each fit at a duality
/// gap of 10⁻⁴.
///
/// # Limits
/// Missing values are refused. The class is fitted by least squares, not by the logistic loss.
/// `min` and `1se` may keep no column: the null model follows, as after `lasso`. Exact copies of a column
/// enter together, and where `k` divides them rounding decides: `drop_correlated` before it keeps the
/// first.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ElasticNet {
    /// Largest number of columns to keep.
    #[schemars(range(min = 1, max = 100_000), extend("x-tunable" = true))]
    pub k: usize,
    /// Share of the absolute coefficients in the penalty.
    #[schemars(range(min = 0.01, max = 1.0), extend("x-tunable" = true))]
    pub mix: f64,
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

impl Default for ElasticNet {
    fn default() -> Self {
        Self { k: 16, mix: 0.5, lambda: Stop::Path, points: 50, reach: 0.05, folds: 10 }
    }
}

impl Operation for ElasticNet {
    const ABOUT: About = About {
        name: "elastic_net",
        title: "Selection by the elastic net",
        // 1: first release. 2: columns of any size, in units of the largest value.
        version: 2,
        sources: &["zou2005", "lee2007", "friedman2010"],
        example: "elastic_net: { k: 8, mix: 0.5 }",
    };
}

impl TableStep for ElasticNet {
    type State = Ranking;

    const PICKS: bool = true;

    const READS_OUTCOME: bool = true;

    fn fit(&self, train: &Train) -> Result<Ranking, Failure> {
        let path = Path { mix: self.mix, points: self.points, reach: self.reach };
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
