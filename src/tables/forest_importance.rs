//! The columns that a random forest uses most.

use crate::math::Draws;
use crate::math::trees::{
    Cuts, Features, Growth, Impurity, Redraw, Samples, Top, add_permuted, grow_forest,
    normalised,
};
use crate::operation::prelude::*;

/// Keeps the k columns that matter most to a random forest.
///
/// It sees interactions that a univariate filter misses; correlated columns share their
/// importance, so place `drop_correlated` before it.
///
/// # Computation
/// A forest is grown as by `random_forest`, with gini impurity. `impurity`: the weighted decrease
/// of impurity at the splits of a column, as a share of that of the tree, averaged over the trees.
/// `permutation`: among the rows that a tree did not draw, the share that it gets right, less that
/// after the values of the column are shuffled among them; averaged over all trees, not scaled by
/// its spread (a leaf of equal parts is half right). Columns are ranked by it, equal ones in table
/// order; the kept columns stay in table order. All are kept when there are fewer than k.
///
/// # Differences
/// Steps have no random stream of their own: the forest draws from one named by `seed`, the same
/// in every split. `permutation` is Breiman's, as in ranger, not scikit-learn's
/// `permutation_importance`, which shuffles rows that it is handed and judges the whole forest.
///
/// # Limits
/// `impurity` favours columns with many distinct values even where none matters (Strobl et al.
/// 2007); `permutation` does not, and is noisier with few trees.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ForestImportance {
    /// Number of columns to keep.
    #[schemars(range(min = 1, max = 100_000), extend("x-tunable" = true))]
    pub k: usize,
    /// How importance is measured.
    #[schemars(extend("x-tunable" = true))]
    pub measure: Measure,
    /// Number of trees.
    #[schemars(range(min = 1, max = 100_000), extend("x-tunable" = true))]
    pub trees: usize,
    /// Longest path from the root to a leaf, in splits; null: no limit.
    #[schemars(range(min = 1, max = 1000), extend("x-tunable" = true))]
    pub depth: Option<u32>,
    /// Fewest rows of a leaf, each counted as often as it was drawn.
    #[schemars(range(min = 1, max = 100_000), extend("x-tunable" = true))]
    pub min_leaf: u32,
    /// How many columns a node looks at.
    #[schemars(extend("x-tunable" = true))]
    pub features: Features,
    /// Names the random numbers of the forest.
    #[schemars(range(max = 4_294_967_295_u32))]
    pub seed: u32,
}

/// How importance is measured.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// By how much cuts at the column purify.
    Impurity,
    /// By how much worse rows out of the bag are told apart once the column is shuffled.
    #[default]
    Permutation,
}

impl Default for ForestImportance {
    fn default() -> Self {
        Self {
            k: 16,
            measure: Measure::Permutation,
            trees: 500,
            depth: None,
            min_leaf: 1,
            features: Features::Sqrt,
            seed: 1,
        }
    }
}

/// The importance of each column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Importance {
    /// By how much cuts at it purify: costs nothing beside the forest.
    impurity: Vec<f64>,
    /// By how much worse rows out of the bag are told apart once it is shuffled; only where that is
    /// asked for, as it takes longer than the forest.
    permutation: Option<Vec<f64>>,
}

impl Operation for ForestImportance {
    const ABOUT: About = About {
        name: "forest_importance",
        title: "Selection by a random forest",
        // 2: the state of `permutation` has the impurity too: one forest serves both measures.
        version: 2,
        sources: &["breiman2001", "strobl2007"],
        example: "forest_importance: { k: 8, trees: 200 }",
    };
}

impl TableStep for ForestImportance {
    type State = Importance;

    const PICKS: bool = true;

    const READS_OUTCOME: bool = true;

    fn fit(&self, train: &Train) -> Result<Importance, Failure> {
        let (rows, outcome) = (train.rows(), train.outcome());
        let positive = outcome.iter().filter(|positive| **positive).count();
        if positive == 0 || positive == outcome.len() {
            return Err(Failure::OneClass);
        }
        if let Some(column) = rows.missing() {
            return Err(Failure::Missing(column.to_string()));
        }
        let mut columns = rows.columns().iter();
        if let Some(column) = columns.find(|c| c.values.iter().any(|v| v.is_infinite())) {
            return Err(Failure::NotFinite(format!("a value of `{}`", column.name)));
        }
        let columns = rows.columns().iter().map(|column| &column.values[..]).collect();
        let samples = Samples::new(columns, outcome, train.groups());
        Ok(self.importance(&samples))
    }

    fn apply(&self, importance: &Importance, rows: &mut Rows) -> Result<(), Failure> {
        let measured = match self.measure {
            Measure::Impurity => &importance.impurity,
            Measure::Permutation => importance.permutation.as_ref().ok_or_else(|| {
                Failure::Library(
                    "a state without the measure that is asked for".to_string(),
                )
            })?,
        };
        let mut ranking: Vec<usize> = (0..measured.len()).collect();
        // Stable, so equal columns stay in table order.
        ranking.sort_by(|&a, &b| measured[b].total_cmp(&measured[a]));
        ranking.truncate(self.k);
        ranking.sort_unstable();
        rows.keep(&ranking);
        Ok(())
    }

    fn keeps(&self) -> Option<usize> {
        Some(self.k)
    }

    fn as_fitted(&self) -> Self {
        Self { k: Self::default().k, ..self.clone() }
    }

    fn served_by(&self) -> Option<Self> {
        match self.measure {
            Measure::Impurity => {
                Some(Self { measure: Measure::Permutation, ..self.clone() })
            }
            Measure::Permutation => None,
        }
    }
}

impl ForestImportance {
    fn importance(&self, samples: &Samples) -> Importance {
        let p = samples.p();
        let mut impurity = vec![0.0; p];
        let mut permutation =
            (self.measure == Measure::Permutation).then(|| vec![0.0; p]);
        if p == 0 {
            return Importance { impurity, permutation };
        }
        let growth = Growth {
            impurity: Impurity::Gini,
            cuts: Cuts::All,
            tried: self.features.of(p),
            min_leaf: self.min_leaf,
            depth: self.depth.unwrap_or(u32::MAX),
            weights: [1.0; 2],
        };
        let mut stream = Stream::new(u64::from(self.seed), &["forest_importance"]);
        let draws = Draws::from_stream(&mut stream);
        let (grown, shuffled) = (draws.branch(0), draws.branch(1));
        let redraw = Redraw::Bootstrap;
        grow_forest(samples, growth, redraw, self.trees, grown, |tree, nodes, times| {
            let top = Top { nodes, depth: growth.depth };
            top.add_decreases(&mut impurity);
            if let Some(permutation) = &mut permutation {
                add_permuted(
                    top,
                    samples,
                    times,
                    shuffled.branch(tree as u64),
                    permutation,
                );
            }
        });
        for sum in permutation.iter_mut().flatten() {
            *sum /= self.trees as f64;
        }
        Importance { impurity: normalised(impurity), permutation }
    }
}
