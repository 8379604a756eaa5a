//! Support vector machine with a plane between the classes.

use super::class_weight::ClassWeight;
use super::usable::{classes, matrix, predictable, usable};
use crate::math::{Matrix, separate};
use crate::operation::prelude::*;

/// Linear support vector machine: the plane with the widest margin between the classes.
///
/// Close to `logistic` with an `l2` penalty, but only the rows near the plane matter. Place
/// `scale_zscore` before it: the margin compares columns.
///
/// # Computation
/// Minimises ½‖w‖² + C·Σ sᵢ max(0, 1 − yᵢ(w·xᵢ + b)) with y = ±1 and an unpenalised intercept; s is 1,
/// or the class weight. The dual is solved in the n × n products of rows by sequential minimal
/// optimisation, pairs chosen with second-order information (Fan et al. 2005), until no condition of
/// the optimum is violated by more than 10⁻⁹; after a million pairs 10⁻³ is taken.
/// It gives w·x + b; probabilities are made of inner out-of-fold values by Platt's map, which says
/// the same of every row where it would fall, so that no ranking is turned around.
///
/// # Differences
/// The problem is that of libsvm and scikit-learn's `SVC(kernel='linear')`, which stop at 10⁻³.
/// `LinearSVC` (liblinear) penalises the intercept and squares the loss.
///
/// # Limits
/// Binary outcomes. Memory grows with the square of the number of rows.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SvmLinear {
    /// Weight of rows on the wrong side of their margin.
    #[schemars(range(min = 1e-9, max = 1e9), extend("x-tunable" = true))]
    pub c: f64,
    /// How much the rows of each class count.
    pub class_weight: ClassWeight,
    /// Pairs of rows that are looked at before giving up.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub iterations: usize,
}

impl Default for SvmLinear {
    fn default() -> Self {
        Self { c: 1.0, class_weight: ClassWeight::None, iterations: 1_000_000 }
    }
}

/// The plane: w·x + b is 0 on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plane {
    weights: Vec<f64>,
    intercept: f64,
}

impl Operation for SvmLinear {
    const ABOUT: About = About {
        name: "svm_linear",
        title: "Linear support vector machine",
        version: 2,
        sources: &["cortes1995", "fan2005", "chang2011"],
        example: "svm_linear: { c: 1.0 }",
    };
}

impl Learner for SvmLinear {
    type Model = Plane;

    const OUTPUT: Output = Output::DecisionValue;

    fn fit(&self, train: &Train, stream: &mut Stream) -> Result<Plane, Failure> {
        let streams = std::slice::from_mut(stream);
        let mut fitted = Self::fit_all(&[self], train, streams);
        fitted.pop().expect("one setting has one fit")
    }

    fn predict(&self, model: &Plane, rows: &Rows) -> Result<Vec<f64>, Failure> {
        predictable(rows, model.weights.len())?;
        let mut values = vec![model.intercept; rows.n()];
        for (column, weight) in rows.columns().iter().zip(&model.weights) {
            for (sum, value) in values.iter_mut().zip(&column.values) {
                *sum += weight * value;
            }
        }
        Ok(values)
    }

    fn form(&self, model: &Plane) -> Form {
        Form::Linear {
            weights: model.weights.clone(),
            intercept: model.intercept,
            then: Then::Nothing,
        }
    }

    /// All settings share the products of rows.
    fn fit_all(
        settings: &[&Self],
        train: &Train,
        _streams: &mut [Stream],
    ) -> Vec<Result<Plane, Failure>> {
        if let Err(failure) = usable(train) {
            return settings.iter().map(|_| Err(failure.clone())).collect();
        }
        let x = matrix(train.rows());
        let gram = x.gram();
        settings.iter().map(|setting| setting.plane(train, &x, &gram)).collect()
    }
}

impl SvmLinear {
    fn plane(&self, train: &Train, x: &Matrix, gram: &Matrix) -> Result<Plane, Failure> {
        let shares = self.class_weight.shares(train.outcome());
        let caps: Vec<f64> = shares.iter().map(|share| self.c * share).collect();
        let found = separate(gram, &classes(train, -1.0), &caps, self.iterations)?;
        let weights = x.transposed_times(&found.weights);
        let intercept = -found.rho;
        let finite = weights.iter().chain([&intercept]).all(|value| value.is_finite());
        match finite {
            true => Ok(Plane { weights, intercept }),
            false => Err(Failure::NotFinite("a coefficient".to_string())),
        }
    }
}
