//! Logistic regression.

use super::class_weight::ClassWeight;
use super::usable::{classes, matrix, predictable, usable};
use crate::math::{LogisticLoss, Pull, sigmoid};
use crate::operation::prelude::*;

/// Logistic regression, penalised or not.
///
/// The workhorse of prediction models: few assumptions, readable coefficients. Place
/// `scale_zscore` before it: the penalty compares columns.
///
/// # Computation
/// Minimises r(w) + C·Σ sᵢ ln(1 + exp(−yᵢ(w·xᵢ + b))) with y = ±1 and an unpenalised intercept b,
/// as scikit-learn's `LogisticRegression(C)` does. r is 0 (`none`, with C = 1), ‖w‖₁ (`l1`),
/// ½‖w‖² (`l2`) or mix·‖w‖₁ + (1 − mix)·½‖w‖² (`elastic_net`); s is 1, or the class weight.
///
/// `none` and `l2` by Newton's method with step halving. With more columns than rows the `l2`
/// problem is solved in the space of the rows, X = LQ and w = Qᵀβ, where it has as many unknowns as the
/// rank of X (le Cessie and van Houwelingen 1992). Columns are centred first, which moves the intercept
/// alone. `l1` and `elastic_net` by Newton steps on a quadratic model of the loss, each solved exactly by
/// feature-sign search (Lee et al. 2007) with coordinate descent, as glmnet's outer loop does (Friedman
/// et al. 2010); coefficients that are zero are exactly zero. All end when the objective can fall by less
/// than 10⁻¹⁴ of itself.
///
/// # Differences
/// scikit-learn's `liblinear` penalises the intercept. glmnet's λ is 1/(nC), and it standardises
/// columns itself.
///
/// # Limits
/// Binary outcomes. Without a penalty the fit fails when columns depend on each other or when the
/// classes are separable, as no maximum of the likelihood exists then. Class weights spoil the
/// calibration of probabilities.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Logistic {
    /// The kind of penalty.
    pub penalty: Penalty,
    /// Inverse strength of the penalty.
    #[schemars(range(min = 1e-9, max = 1e9), extend("x-tunable" = true))]
    pub c: f64,
    /// Share of the absolute coefficients in the penalty `elastic_net`: 1 is `l1`, 0 is `l2`.
    #[schemars(range(min = 0.0, max = 1.0), extend("x-tunable" = true))]
    pub mix: f64,
    /// How much the rows of each class count.
    pub class_weight: ClassWeight,
    /// Newton steps before giving up.
    #[schemars(range(min = 1, max = 10_000))]
    pub iterations: usize,
}

/// The kind of penalty.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Penalty {
    /// None: maximum likelihood.
    None,
    /// Sum of absolute coefficients: some are zero.
    L1,
    /// Sum of squared coefficients.
    #[default]
    L2,
    /// Both, mixed.
    ElasticNet,
}

impl Default for Logistic {
    fn default() -> Self {
        Self {
            penalty: Penalty::L2,
            c: 1.0,
            mix: 0.5,
            class_weight: ClassWeight::None,
            iterations: 100,
        }
    }
}

/// What was learned: coefficients of the columns, and the intercept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Coefficients {
    weights: Vec<f64>,
    intercept: f64,
}

impl Operation for Logistic {
    const ABOUT: About = About {
        name: "logistic",
        title: "Logistic regression",
        // 1: first release. 2: copies of columns, columns far from zero and those of very unlike units
        // have a fit; digits beyond the tenth moved.
        version: 2,
        sources: &[
            "hoerl1970",
            "lecessie1992",
            "tibshirani1996",
            "zou2005",
            "friedman2010",
            "lee2007",
        ],
        example: "logistic: { penalty: l2, c: 1.0 }",
    };
}

impl Learner for Logistic {
    type Model = Coefficients;

    fn fit(&self, train: &Train, stream: &mut Stream) -> Result<Coefficients, Failure> {
        let streams = std::slice::from_mut(stream);
        let mut fitted = Self::fit_all(&[self], train, streams);
        fitted.pop().expect("one setting has one fit")
    }

    fn predict(&self, model: &Coefficients, rows: &Rows) -> Result<Vec<f64>, Failure> {
        predictable(rows, model.weights.len())?;
        let mut scores = vec![model.intercept; rows.n()];
        for (column, weight) in rows.columns().iter().zip(&model.weights) {
            for (score, value) in scores.iter_mut().zip(&column.values) {
                *score += weight * value;
            }
        }
        Ok(scores.into_iter().map(sigmoid).collect())
    }

    fn form(&self, model: &Coefficients) -> Form {
        Form::Linear {
            weights: model.weights.clone(),
            intercept: model.intercept,
            then: Then::Sigmoid,
        }
    }

    fn as_applied(&self) -> Self {
        let default = Self::default();
        let (c, mix) = match self.penalty {
            Penalty::None => (default.c, default.mix),
            Penalty::L1 | Penalty::L2 => (self.c, default.mix),
            Penalty::ElasticNet => (self.c, self.mix),
        };
        Self { c, mix, ..self.clone() }
    }

    /// All settings share the rows as a matrix and, where it is needed, their space. Each
    /// starts from zero: a start at another's solution would leave its trace in the last digits.
    fn fit_all(
        settings: &[&Self],
        train: &Train,
        _streams: &mut [Stream],
    ) -> Vec<Result<Coefficients, Failure>> {
        if let Err(failure) = usable(train) {
            return settings.iter().map(|_| Err(failure.clone())).collect();
        }
        let loss = |weight: ClassWeight| {
            let shares = weight.shares(train.outcome());
            LogisticLoss::new(matrix(train.rows()), classes(train, 0.0), shares)
        };
        let mut losses: Vec<(ClassWeight, LogisticLoss)> = Vec::new();
        let mut fitted = Vec::with_capacity(settings.len());
        for setting in settings {
            let weight = setting.class_weight;
            if !losses.iter().any(|(known, _)| *known == weight) {
                losses.push((weight, loss(weight)));
            }
            let known = losses.iter().find(|(known, _)| *known == weight);
            let (_, loss) = known.expect("it was made above");
            fitted.push(setting.minimum(loss));
        }
        fitted
    }
}

impl Logistic {
    fn minimum(&self, loss: &LogisticLoss) -> Result<Coefficients, Failure> {
        let mix = match self.penalty {
            Penalty::None => 0.0,
            Penalty::L1 => 1.0,
            Penalty::L2 => 0.0,
            Penalty::ElasticNet => self.mix,
        };
        let found = match self.penalty {
            Penalty::None => loss.unpenalised(self.iterations),
            _ if mix == 0.0 => loss.ridge(self.c, self.iterations),
            _ => loss.sparse(Pull { l1: mix, l2: 1.0 - mix }, self.c, self.iterations),
        }?;
        let (weights, intercept) = (found.weights, found.intercept);
        let finite = weights.iter().chain([&intercept]).all(|value| value.is_finite());
        match finite {
            true => Ok(Coefficients { weights, intercept }),
            false => Err(Failure::NotFinite("a coefficient".to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Frame, FrameColumn};
    use crate::math::sqrt;

    fn train(n: usize, p: usize, seed: u64) -> (Train, Rows) {
        let mut stream = Stream::new(seed, &["logistic test"]);
        let outcome: Vec<Option<bool>> = (0..n).map(|i| Some(i % 2 == 0)).collect();
        let columns = (0..p).map(|j| FrameColumn {
            name: format!("c{j}").into(),
            values: (0..n)
                .map(|i| stream.normal() + if i % 2 == 0 && j < 3 { 0.8 } else { 0.0 })
                .collect(),
        });
        let frame =
            Frame { rows: Rows::new(columns.collect(), n), failed: vec![None; n] };
        let split = Split { train: (0..n as u32).collect(), held_out: Vec::new() };
        (split.train(&frame, &outcome, &vec![0; n]), frame.rows)
    }

    fn gradient_norm(model: &Coefficients, train: &Train, c: f64) -> f64 {
        let mut sum = 0.0;
        let scores = Logistic::default().predict(model, train.rows()).unwrap();
        let residual = |i: usize| scores[i] - f64::from(u8::from(train.outcome()[i]));
        for (column, weight) in train.rows().columns().iter().zip(&model.weights) {
            let g: f64 =
                column.values.iter().enumerate().map(|(i, v)| residual(i) * v).sum();
            sum += (weight + c * g) * (weight + c * g);
        }
        let b: f64 = (0..train.rows().n()).map(residual).sum();
        sqrt(sum + c * b * c * b)
    }

    #[test]
    fn the_gradient_vanishes_in_both_spaces() {
        for (n, p) in [(60, 5), (30, 30), (20, 80), (2, 3)] {
            for c in [1e-4, 1.0, 1e4] {
                let (train, _) = train(n, p, 1);
                let logistic = Logistic { c, ..Logistic::default() };
                let model = logistic.fit(&train, &mut Stream::new(1, &[])).unwrap();
                let norm = gradient_norm(&model, &train, c);
                assert!(norm < 1e-5 * c.max(1.0), "n {n}, p {p}, c {c}: {norm}");
            }
        }
    }

    #[test]
    fn perfectly_separable_rows_have_a_finite_answer() {
        let column = FrameColumn { name: "x".into(), values: vec![-1.0, -1.0, 1.0, 1.0] };
        let frame = Frame { rows: Rows::new(vec![column], 4), failed: vec![None; 4] };
        let split = Split { train: vec![0, 1, 2, 3], held_out: vec![] };
        let outcome = [Some(false), Some(false), Some(true), Some(true)];
        let train = split.train(&frame, &outcome, &[0; 4]);
        for c in [1e-9, 1.0, 1e9] {
            let model = Logistic { c, ..Logistic::default() }
                .fit(&train, &mut Stream::new(1, &[]));
            assert!(model.unwrap().weights[0] > 0.0);
        }
    }
}
