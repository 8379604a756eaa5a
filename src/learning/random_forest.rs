//! Trees on bootstrap samples, each node looking at a few columns.

use super::class_weight::ClassWeight;
use super::forest::{Forest, Wanted, fit_all};
use crate::math::trees::{Cuts, Features, Growth, Impurity, Redraw};
use crate::operation::prelude::*;

/// Random forest.
///
/// A strong default for tables with many weak, correlated or skewed columns: it needs no scaling,
/// sees interactions and hardly any tuning. Its probabilities are drawn to the middle; calibrate
/// them before they are read as risks.
///
/// # Computation
/// Every tree is grown on n rows drawn with replacement. A node draws columns without replacement
/// and takes the best cut of them, half-way between two neighbouring values: the one with the
/// largest weighted decrease of impurity (gini: 2p(1 − p); entropy: −p ln p − (1 − p) ln(1 − p)).
/// A node without a column that varies draws on until one does. Of equal cuts the first column
/// drawn wins (in table order when all columns are looked at), then the lowest value. Nodes are
/// split until they are pure, `depth` is reached or no leaf would keep `min_leaf` rows. The
/// probability is the mean over the trees of the weighted share of positives in the leaf.
///
/// The model holds how well rows are predicted by the trees that did not draw them (accuracy and
/// Brier score), and of each column its share of the decrease of impurity, per tree and averaged.
///
/// Random numbers are named by tree and node, so a shallow forest is the top of a deep one and
/// fewer trees are the first of more: a grid over `depth` and `trees` grows one forest.
///
/// # Differences
/// Where scikit-learn's `min_samples_leaf` counts a row once however often it was drawn,
/// `min_leaf` counts draws, as ranger does. Values are compared in double precision; scikit-learn
/// rounds them to single precision first. With `class_weight` every row is drawn as often and weighs
/// more or less; scikit-learn 1.9 draws rows by their weight instead, and fits give somewhat other
/// probabilities.
///
/// # Limits
/// The decrease of impurity favours columns with many distinct values. Columns with more than
/// 65,536 distinct values are cut between groups of neighbouring values.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RandomForest {
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
    /// Whether every tree is grown on rows drawn with replacement, or on all of them.
    pub bootstrap: bool,
    /// The impurity that cuts decrease.
    #[schemars(extend("x-tunable" = true))]
    pub criterion: Impurity,
    /// How much the rows of each class count.
    #[schemars(extend("x-tunable" = true))]
    pub class_weight: ClassWeight,
}

impl Default for RandomForest {
    fn default() -> Self {
        Self {
            trees: 500,
            depth: None,
            min_leaf: 1,
            features: Features::Sqrt,
            bootstrap: true,
            criterion: Impurity::Gini,
            class_weight: ClassWeight::None,
        }
    }
}

impl RandomForest {
    fn wanted(&self, train: &Train) -> Wanted {
        let growth = Growth {
            impurity: self.criterion,
            cuts: Cuts::All,
            tried: self.features.of(train.rows().p()),
            min_leaf: self.min_leaf,
            depth: self.depth.unwrap_or(u32::MAX),
            weights: self.class_weight.whole(train.outcome()),
        };
        let redraw = if self.bootstrap { Redraw::Bootstrap } else { Redraw::Never };
        Wanted { trees: self.trees, redraw, growth }
    }
}

impl Operation for RandomForest {
    const ABOUT: About = About {
        name: "random_forest",
        title: "Random forest",
        // 2: with class weights, cuts that are equal are equal to the last bit too, so that the first wins.
        version: 2,
        sources: &["breiman2001", "pedregosa2011"],
        example: "random_forest: { trees: 300, depth: 3 }",
    };

    const RANDOM: bool = true;
}

impl Learner for RandomForest {
    type Model = Forest;

    fn fit(&self, train: &Train, stream: &mut Stream) -> Result<Forest, Failure> {
        let mut fitted =
            fit_all(&[self.wanted(train)], train, std::slice::from_mut(stream));
        fitted.pop().expect("one forest was asked for")
    }

    fn predict(&self, model: &Forest, rows: &Rows) -> Result<Vec<f64>, Failure> {
        model.predict(rows)
    }

    fn form(&self, model: &Forest) -> Form {
        model.form()
    }

    /// One vote; shares of leaves that are not pure lie between two.
    fn resolution(&self) -> Option<f64> {
        Some(1.0 / self.trees as f64)
    }

    fn as_seeded(&self) -> Self {
        let Self { trees, depth, .. } = Self::default();
        Self { trees, depth, ..self.clone() }
    }

    fn fit_all(
        settings: &[&Self],
        train: &Train,
        streams: &mut [Stream],
    ) -> Vec<Result<Forest, Failure>> {
        let wanted: Vec<Wanted> = settings.iter().map(|of| of.wanted(train)).collect();
        fit_all(&wanted, train, streams)
    }
}
