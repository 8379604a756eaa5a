//! Logistic regression with a ridge penalty.

use super::usable::{predictable, usable};
use crate::math::{Matrix, dot, sigmoid, softplus};
use crate::operation::prelude::*;

/// Penalised logistic regression.
///
/// The workhorse of prediction models: few assumptions, readable coefficients. Place
/// `scale_zscore` before it: the penalty compares columns.
///
/// # Computation
/// Minimises ½‖w‖² + C·Σ ln(1 + exp(−yᵢ(w·xᵢ + b))) with y = ±1 and an unpenalised intercept b,
/// as scikit-learn's `LogisticRegression(C)` does, by Newton's method with step halving. With
/// more columns than rows the same problem is solved in the space of the rows, w = Xᵀα, where it
/// has n unknowns (le Cessie and van Houwelingen 1992).
///
/// # Limits
/// Binary outcomes; no class weights.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Logistic {
    /// The kind of penalty.
    pub penalty: Penalty,
    /// Inverse strength of the penalty.
    #[schemars(range(min = 1e-9, max = 1e9), extend("x-tunable" = true))]
    pub c: f64,
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
    /// Sum of squared coefficients.
    #[default]
    L2,
}

impl Default for Logistic {
    fn default() -> Self {
        Self { penalty: Penalty::L2, c: 1.0, iterations: 100 }
    }
}

/// What was learned: coefficients of the columns, and the intercept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Coefficients {
    weights: Vec<f64>,
    intercept: f64,
}

impl Coefficients {
    fn are_finite(&self) -> bool {
        self.intercept.is_finite() && self.weights.iter().all(|weight| weight.is_finite())
    }
}

impl Operation for Logistic {
    const ABOUT: About = About {
        name: "logistic",
        title: "Logistic regression",
        version: 1,
        sources: &["hoerl1970", "lecessie1992"],
        example: "logistic: { penalty: l2, c: 1.0 }",
    };
}

impl Learner for Logistic {
    type Model = Coefficients;

    fn fit(&self, train: &Train, _stream: &mut Stream) -> Result<Coefficients, Failure> {
        usable(train)?;
        let x = matrix(train.rows());
        let y: Vec<f64> =
            train.outcome().iter().map(|class| if *class { 1.0 } else { 0.0 }).collect();
        let coefficients = match x.p <= x.n {
            true => {
                let solution = newton(&x, None, &y, self.c, self.iterations)?;
                Coefficients { weights: solution.0, intercept: solution.1 }
            }
            false => {
                // With w = Xᵀα the products x·w are Kα and ‖w‖² is αᵀKα, with K = XXᵀ.
                let gram = x.gram();
                let (alpha, intercept) =
                    newton(&gram, Some(&gram), &y, self.c, self.iterations)?;
                Coefficients { weights: x.transposed_times(&alpha), intercept }
            }
        };
        match coefficients.are_finite() {
            true => Ok(coefficients),
            false => Err(Failure::NotFinite("a coefficient".to_string())),
        }
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
}

/// Rows as a matrix, a row for each sample.
fn matrix(rows: &Rows) -> Matrix {
    Matrix::of_columns(rows.n(), rows.columns().iter().map(|column| &column.values[..]))
}

fn curvature() -> Failure {
    Failure::NotFinite("the curvature of the loss".to_string())
}

/// Below this Newton decrement, relative to the objective, one more full step is exact to rounding.
const EXACT: f64 = 1e-14;
/// Below this one, an objective that no longer falls has met rounding, not trouble.
const ROUNDING: f64 = 1e-8;

/// Minimises ½ wᵀPw + C·loss(Xw + b) over w and b by Newton's method; P is the identity, or the
/// Gram matrix that `x` then is itself.
fn newton(
    x: &Matrix,
    penalty: Option<&Matrix>,
    y: &[f64],
    c: f64,
    iterations: usize,
) -> Result<(Vec<f64>, f64), Failure> {
    let (n, p) = (x.n, x.p);
    let scores = |w: &[f64]| -> Vec<f64> {
        (0..n).map(|i| dot(x.row(i), &w[..p]) + w[p]).collect()
    };
    let penalised = |w: &[f64]| -> Vec<f64> {
        match penalty {
            None => w[..p].to_vec(),
            Some(gram) => (0..p).map(|i| dot(gram.row(i), &w[..p])).collect(),
        }
    };
    let objective = |w: &[f64], scores: &[f64]| {
        let loss: f64 =
            scores.iter().zip(y).map(|(score, y)| softplus(*score) - y * score).sum();
        dot(&penalised(w), &w[..p]) / 2.0 + c * loss
    };
    let mut w = vec![0.0; p + 1]; // The intercept is last.
    let mut at = scores(&w);
    let mut value = objective(&w, &at);
    for _ in 0..iterations {
        let chances: Vec<f64> = at.iter().map(|score| sigmoid(*score)).collect();
        let mut gradient = penalised(&w);
        gradient.push(0.0);
        for (i, (chance, y)) in chances.iter().zip(y).enumerate() {
            let residual = c * (chance - y);
            for (sum, value) in gradient.iter_mut().zip(x.row(i)) {
                *sum += residual * value;
            }
            gradient[p] += residual;
        }
        let step =
            hessian(x, penalty, &chances, c).solve(&gradient).ok_or_else(curvature)?;
        let moved = |length: f64| -> Vec<f64> {
            w.iter().zip(&step).map(|(w, s)| w - length * s).collect()
        };
        // Half the Newton decrement is how much the objective can still fall.
        let decrement =
            dot(&gradient, &step).max(0.0) / value.abs().max(f64::MIN_POSITIVE);
        if decrement <= EXACT {
            w = moved(1.0);
            let intercept = w[p];
            w.truncate(p);
            return Ok((w, intercept));
        }
        let mut length = 1.0;
        loop {
            let next = moved(length);
            let next_at = scores(&next);
            let next_value = objective(&next, &next_at);
            if next_value < value {
                (w, at, value) = (next, next_at, next_value);
                break;
            }
            length /= 2.0;
            if length < 1e-10 {
                return match decrement <= ROUNDING {
                    true => {
                        let intercept = w[p];
                        w.truncate(p);
                        Ok((w, intercept))
                    }
                    false => Err(Failure::NotConverged(iterations)),
                };
            }
        }
    }
    Err(Failure::NotConverged(iterations))
}

/// P + C·XᵀDX with the intercept's row and column last. Shape: (p + 1) × (p + 1), lower half.
fn hessian(x: &Matrix, penalty: Option<&Matrix>, chances: &[f64], c: f64) -> Matrix {
    let (p, size) = (x.p, x.p + 1);
    let mut values = vec![0.0; size * size];
    for i in 0..p {
        match penalty {
            None => values[i * size + i] = 1.0,
            Some(gram) => values[i * size..i * size + p].copy_from_slice(gram.row(i)),
        }
    }
    for (i, chance) in chances.iter().enumerate() {
        let weight = c * chance * (1.0 - chance);
        let row = x.row(i);
        for j in 0..p {
            let scaled = weight * row[j];
            for (sum, value) in values[j * size..=j * size + j].iter_mut().zip(row) {
                *sum += scaled * value;
            }
        }
        for (sum, value) in values[p * size..p * size + p].iter_mut().zip(row) {
            *sum += weight * value;
        }
        values[p * size + p] += weight;
    }
    Matrix { n: size, p: size, values }
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
            name: format!("c{j}"),
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
    fn both_spaces_give_the_same_model() {
        let (train, rows) = train(24, 24, 2);
        let x = matrix(&rows);
        let y: Vec<f64> =
            train.outcome().iter().map(|c| f64::from(u8::from(*c))).collect();
        let (primal, b) = newton(&x, None, &y, 0.5, 100).unwrap();
        let gram = x.gram();
        let (alpha, dual_b) = newton(&gram, Some(&gram), &y, 0.5, 100).unwrap();
        let dual = x.transposed_times(&alpha);
        assert!((b - dual_b).abs() < 1e-7);
        assert!(primal.iter().zip(&dual).all(|(a, b)| (a - b).abs() < 1e-7));
    }

    #[test]
    fn perfectly_separable_rows_have_a_finite_answer() {
        let column =
            FrameColumn { name: "x".to_string(), values: vec![-1.0, -1.0, 1.0, 1.0] };
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
