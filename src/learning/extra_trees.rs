//! Trees whose cut-points are drawn, not searched.

use super::class_weight::ClassWeight;
use super::forest::{Forest, Wanted, fit_all};
use crate::math::trees::{Cuts, Features, Growth, Impurity, Redraw};
use crate::operation::prelude::*;

/// Extremely randomised trees.
///
/// Smoother and faster than a random forest, and often as good; the cut-points are left to chance.
/// It needs no scaling.
///
/// # Computation
/// A node draws columns without replacement and for each one number, uniform between the least
/// and the greatest value in the node; it takes the cut with the largest weighted decrease of
/// impurity, of equal ones the first drawn. A node without a column that varies draws on until
/// one does. Trees are grown on all rows unless `bootstrap` is set. All else is as in
/// `random_forest`: probabilities, importance, the one forest for a grid over `depth` and `trees`.
///
/// # Differences
/// Geurts et al. split until fewer than two rows remain; `min_leaf` can stop earlier. Values are
/// compared in double precision; scikit-learn rounds them to single precision first.
///
/// # Limits
/// A skewed column is mostly cut in its tail, where few rows lie.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ExtraTrees {
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

impl Default for ExtraTrees {
    fn default() -> Self {
        Self {
            trees: 500,
            depth: None,
            min_leaf: 1,
            features: Features::Sqrt,
            bootstrap: false,
            criterion: Impurity::Gini,
            class_weight: ClassWeight::None,
        }
    }
}

impl ExtraTrees {
    fn wanted(&self, train: &Train) -> Wanted {
        let growth = Growth {
            impurity: self.criterion,
            cuts: Cuts::Random,
            tried: self.features.of(train.rows().p()),
            min_leaf: self.min_leaf,
            depth: self.depth.unwrap_or(u32::MAX),
            weights: self.class_weight.whole(train.outcome()),
        };
        let redraw = if self.bootstrap { Redraw::Bootstrap } else { Redraw::Never };
        Wanted { trees: self.trees, redraw, growth }
    }
}

impl Operation for ExtraTrees {
    const ABOUT: About = About {
        name: "extra_trees",
        title: "Extremely randomised trees",
        // 2: with class weights, cuts that are equal are equal to the last bit too, so that the first wins.
        version: 2,
        sources: &["geurts2006", "pedregosa2011"],
        example: "extra_trees: { trees: 300, min_leaf: 2 }",
    };

    const RANDOM: bool = true;
}

impl Learner for ExtraTrees {
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
