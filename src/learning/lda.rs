//! Linear discriminant analysis.

use super::class_weight::ClassWeight;
use super::usable::{classes, matrix, predictable, usable};
use crate::math::{Matrix, dot, ln, sigmoid, sqrt};
use crate::operation::prelude::*;

/// Linear discriminant analysis, with the covariance shrunk or as it is.
///
/// One plane between two normal distributions of equal shape. With the shrinkage of Ledoit and
/// Wolf it needs no tuning, also with more columns than rows.
///
/// # Computation
/// w = Σ⁻¹(m₁ − m₀), b = −½(m₁ + m₀)·w + ln(π₁/π₀), probability 1 / (1 + exp(−(w·x + b))), where m are
/// the means of the classes, π_c = n_c/n their priors (½ with `class_weight: balanced`) and
/// Σ = Σ_c π_c·S_c joins their covariances S_c (divisor n_c), each shrunk before. `ledoit_wolf`: columns of the class are standardised, the covariance becomes
/// (1 − δ)S + δμI with μ = tr(S)/p and their δ, and standardisation is taken back. A number is δ itself,
/// without standardising. `none`: δ = 0. With more columns than rows the system is solved in the
/// space of the rows by Woodbury's identity.
///
/// # Differences
/// The same as scikit-learn's `LinearDiscriminantAnalysis(solver='lsqr')`. Its default solver `svd`
/// and MASS's `lda` divide by n − 2: the same direction, probabilities nearer to ½.
///
/// # Limits
/// Binary outcomes. Without shrinkage it fails when columns depend on each other.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Lda {
    /// How far covariances are drawn to a multiple of the identity: `none`, `ledoit_wolf` or a share.
    #[schemars(extend("x-tunable" = true))]
    pub shrinkage: Shrinkage,
    /// How much the rows of each class count: with `balanced` their priors are equal.
    pub class_weight: ClassWeight,
}

/// How far covariances are drawn to a multiple of the identity.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Shrinkage {
    /// The share δ of the identity.
    Share(#[schemars(range(min = 0.0, max = 1.0))] f64),
    /// By a rule.
    Rule(Rule),
}

/// How the shrinkage is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// No shrinkage.
    None,
    /// The share with the least expected error, from the data.
    LedoitWolf,
}

impl Default for Lda {
    fn default() -> Self {
        Self {
            shrinkage: Shrinkage::Rule(Rule::LedoitWolf),
            class_weight: ClassWeight::None,
        }
    }
}

/// Coefficients of the columns, and the intercept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Discriminant {
    weights: Vec<f64>,
    intercept: f64,
}

impl Operation for Lda {
    const ABOUT: About = About {
        name: "lda",
        title: "Linear discriminant analysis",
        version: 1,
        sources: &["fisher1936", "ledoit2004"],
        example: "lda: { shrinkage: ledoit_wolf }",
    };
}

impl Learner for Lda {
    type Model = Discriminant;

    fn fit(&self, train: &Train, _stream: &mut Stream) -> Result<Discriminant, Failure> {
        usable(train)?;
        let x = matrix(train.rows());
        let y = classes(train, 0.0);
        let [negative, positive] = [0.0, 1.0].map(|class| Class::of(&x, &y, class));
        // Without weights the quotient of the counts is taken as it is, to the last digit.
        let (priors, odds) = match self.class_weight {
            ClassWeight::None => {
                let share = |class: &Class| class.n() / x.n as f64;
                let odds = ln(positive.n() / negative.n());
                ([share(&negative), share(&positive)], odds)
            }
            weight @ ClassWeight::Balanced => (weight.priors(train.outcome()), 0.0),
        };
        let parts = [(&negative, priors[0]), (&positive, priors[1])];
        let within = Within::of(&parts, x.n, self.shrinkage);
        let apart: Vec<f64> =
            positive.mean.iter().zip(&negative.mean).map(|(a, b)| a - b).collect();
        let weights = within.solve(&apart)?;
        let sum: Vec<f64> =
            positive.mean.iter().zip(&negative.mean).map(|(a, b)| a + b).collect();
        let intercept = odds - dot(&sum, &weights) / 2.0;
        let finite = weights.iter().chain([&intercept]).all(|value| value.is_finite());
        match finite {
            true => Ok(Discriminant { weights, intercept }),
            false => Err(Failure::NotFinite("a coefficient".to_string())),
        }
    }

    fn predict(&self, model: &Discriminant, rows: &Rows) -> Result<Vec<f64>, Failure> {
        predictable(rows, model.weights.len())?;
        let mut scores = vec![model.intercept; rows.n()];
        for (column, weight) in rows.columns().iter().zip(&model.weights) {
            for (score, value) in scores.iter_mut().zip(&column.values) {
                *score += weight * value;
            }
        }
        Ok(scores.into_iter().map(sigmoid).collect())
    }

    fn form(&self, model: &Discriminant) -> Form {
        Form::Linear {
            weights: model.weights.clone(),
            intercept: model.intercept,
            then: Then::Sigmoid,
        }
    }
}

/// The rows of one class: their mean, and what is left of them.
struct Class {
    mean: Vec<f64>,
    centred: Matrix,
}

impl Class {
    fn of(x: &Matrix, y: &[f64], class: f64) -> Self {
        let members: Vec<usize> = (0..x.n).filter(|&i| y[i] == class).collect();
        let n = members.len();
        let mut mean = vec![0.0; x.p];
        for &i in &members {
            mean.iter_mut().zip(x.row(i)).for_each(|(mean, value)| *mean += value);
        }
        mean.iter_mut().for_each(|mean| *mean /= n as f64);
        let mut values = Vec::with_capacity(n * x.p);
        for &i in &members {
            values.extend(x.row(i).iter().zip(&mean).map(|(value, mean)| value - mean));
        }
        Self { mean, centred: Matrix { n, p: x.p, values } }
    }

    fn n(&self) -> f64 {
        self.centred.n as f64
    }

    /// The standard deviation of each column, 1 where it is constant.
    fn spread(&self) -> Vec<f64> {
        let squares = self.squares();
        let spread = squares.iter().zip(&self.mean).map(|(square, mean)| {
            let sd = sqrt(square / self.n());
            // What rounding leaves of a constant column.
            if sd <= 10.0 * f64::EPSILON * mean.abs() { 1.0 } else { sd }
        });
        spread.collect()
    }

    fn squares(&self) -> Vec<f64> {
        let mut squares = vec![0.0; self.centred.p];
        for row in self.centred.values.chunks_exact(self.centred.p) {
            squares.iter_mut().zip(row).for_each(|(sum, value)| *sum += value * value);
        }
        squares
    }
}

/// The covariance within classes: a diagonal and the products of scaled rows, diag(d) + UᵀU.
struct Within {
    diagonal: Vec<f64>,
    rows: Matrix,
}

impl Within {
    /// Classes with their priors.
    fn of(parts: &[(&Class, f64)], n: usize, shrinkage: Shrinkage) -> Self {
        let p = parts[0].0.centred.p;
        let mut diagonal = vec![0.0; p];
        let mut values = Vec::new();
        for (class, prior) in parts {
            let (spread, standardised) = match shrinkage {
                Shrinkage::Rule(Rule::LedoitWolf) => {
                    let spread = class.spread();
                    let mut standardised = class.centred.clone();
                    for row in standardised.values.chunks_exact_mut(p) {
                        row.iter_mut().zip(&spread).for_each(|(v, sd)| *v /= sd);
                    }
                    (spread, Some(standardised))
                }
                _ => (vec![1.0; p], None),
            };
            let share = match (shrinkage, &standardised) {
                (Shrinkage::Share(share), _) => share,
                (_, Some(standardised)) => ledoit_wolf(standardised),
                (_, None) => 0.0,
            };
            let squares: f64 = match &standardised {
                Some(rows) => dot(&rows.values, &rows.values),
                None => class.squares().iter().sum(),
            };
            let mu = squares / class.n() / p as f64;
            for (d, sd) in diagonal.iter_mut().zip(&spread) {
                *d += prior * share * mu * sd * sd;
            }
            let scale = sqrt(prior * (1.0 - share) / class.n());
            values.extend(class.centred.values.iter().map(|value| scale * value));
        }
        Self { diagonal, rows: Matrix { n, p, values } }
    }

    /// (diag(d) + UᵀU)⁻¹v.
    fn solve(&self, v: &[f64]) -> Result<Vec<f64>, Failure> {
        let (n, p) = (self.rows.n, self.rows.p);
        if p <= n {
            let mut values = vec![0.0; p * p];
            for row in self.rows.values.chunks_exact(p) {
                for (j, scaled) in row.iter().enumerate() {
                    let sums = &mut values[j * p..=j * p + j];
                    sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += scaled * x);
                }
            }
            for (j, d) in self.diagonal.iter().enumerate() {
                values[j * p + j] += d;
            }
            if !values.iter().all(|value| value.is_finite()) {
                return Err(Failure::NotFinite("a covariance".to_string()));
            }
            let system = Matrix { n: p, p, values };
            return system.solve_definite(v).ok_or(Failure::Dependent);
        }
        if !self.diagonal.iter().all(|d| *d > 0.0) {
            return Err(Failure::Dependent);
        }
        // diag(d)⁻¹v − diag(d)⁻¹Uᵀ(I + U diag(d)⁻¹ Uᵀ)⁻¹U diag(d)⁻¹v.
        let scaled = |v: &[f64]| -> Vec<f64> {
            v.iter().zip(&self.diagonal).map(|(v, d)| v / d).collect()
        };
        let first = scaled(v);
        let roots: Vec<f64> = self.diagonal.iter().map(|d| sqrt(*d)).collect();
        let mut whitened = self.rows.clone();
        for row in whitened.values.chunks_exact_mut(p) {
            row.iter_mut().zip(&roots).for_each(|(value, root)| *value /= root);
        }
        let mut system = whitened.gram();
        for i in 0..n {
            system.values[i * n + i] += 1.0;
        }
        let right: Vec<f64> = (0..n).map(|i| dot(self.rows.row(i), &first)).collect();
        let of_rows = system.solve_definite(&right);
        let of_rows = of_rows.ok_or(Failure::NotFinite("a covariance".to_string()))?;
        let second = scaled(&self.rows.transposed_times(&of_rows));
        Ok(first.iter().zip(second).map(|(a, b)| a - b).collect())
    }
}

/// The share δ of Ledoit and Wolf for centred rows, in the products of rows, as tr(S²) is the
/// same for XᵀX and XXᵀ.
fn ledoit_wolf(x: &Matrix) -> f64 {
    let (n, p) = (x.n as f64, x.p as f64);
    let gram = x.gram();
    let squared = dot(&gram.values, &gram.values) / (n * n);
    let trace = (0..x.n).map(|i| gram.row(i)[i]).sum::<f64>() / n;
    let fourth: f64 = (0..x.n).map(|i| gram.row(i)[i] * gram.row(i)[i]).sum();
    let mu = trace / p;
    let spread = (squared - 2.0 * mu * trace + p * mu * mu) / p;
    let error = ((fourth / n - squared) / (p * n)).min(spread);
    if error > 0.0 { (error / spread).min(1.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(n: usize, p: usize) -> Matrix {
        let mut stream = Stream::new(5, &["lda"]);
        Matrix { n, p, values: (0..n * p).map(|_| stream.normal()).collect() }
    }

    #[test]
    fn both_spaces_give_the_same_plane() {
        let x = rows(12, 30);
        let y: Vec<f64> = (0..12).map(|i| f64::from(i % 2)).collect();
        let [a, b] = [0.0, 1.0].map(|class| Class::of(&x, &y, class));
        let rule = Shrinkage::Rule(Rule::LedoitWolf);
        let within = Within::of(&[(&a, 0.5), (&b, 0.5)], 12, rule);
        let v: Vec<f64> = (0..30).map(f64::from).collect();
        let found = within.solve(&v).unwrap();
        for j in 0..30 {
            let of_rows: f64 = (0..12)
                .map(|i| within.rows.row(i)[j] * dot(within.rows.row(i), &found))
                .sum();
            let back = within.diagonal[j] * found[j] + of_rows;
            assert!((back - v[j]).abs() < 1e-9, "{back}");
        }
        let none = Within::of(&[(&a, 0.5), (&b, 0.5)], 12, Shrinkage::Rule(Rule::None));
        assert_eq!(none.solve(&v), Err(Failure::Dependent));
    }

    #[test]
    fn one_column_is_never_shrunk() {
        assert_eq!(ledoit_wolf(&rows(9, 1)), 0.0);
        let share = ledoit_wolf(&rows(9, 50));
        assert!((0.0..=1.0).contains(&share) && share > 0.5, "{share}");
    }
}
