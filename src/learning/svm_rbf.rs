//! Support vector machine with a curved border between the classes.

use super::class_weight::ClassWeight;
use super::usable::{classes, matrix, predictable, usable};
use crate::math::{Matrix, exp, exp_each, separate, squared_distance};
use crate::operation::prelude::*;

/// Support vector machine with a radial basis function: a border as curved as the data ask for.
///
/// Finds relations that are no sum of columns, at the price of coefficients that nobody can read.
/// Place `scale_zscore` before it: distances compare columns.
///
/// # Computation
/// The kernel is exp(−γ‖x − z‖²). The dual of ½‖w‖² + C·Σ sᵢ max(0, 1 − yᵢf(xᵢ)) with an unpenalised
/// intercept is solved by sequential minimal optimisation, pairs chosen with second-order
/// information (Fan et al. 2005), until no condition of the optimum is violated by more than 10⁻⁹;
/// after a million pairs 10⁻³ is taken, which single columns may need. s is 1, or the class weight. `gamma: scale` is 1 / (p·var(X)), the variance over all values of
/// the training rows; 1 where they are all the same. It gives f(x); probabilities are made of
/// inner out-of-fold values by Platt's map, which says the same of every row where it would fall, so
/// that no ranking is turned around.
///
/// # Differences
/// The problem is that of libsvm and scikit-learn's `SVC`, which stop at 10⁻³, and whose own
/// probabilities come from a random cross-validation.
///
/// # Limits
/// Binary outcomes. Memory grows with the square of the number of rows. With a large γ every row is
/// far from every other, and predictions fall back to the intercept.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SvmRbf {
    /// Weight of rows on the wrong side of their margin.
    #[schemars(range(min = 1e-9, max = 1e9), extend("x-tunable" = true))]
    pub c: f64,
    /// How fast the influence of a training row falls with distance: a number, or `scale`.
    #[schemars(extend("x-tunable" = true))]
    pub gamma: Gamma,
    /// How much the rows of each class count.
    pub class_weight: ClassWeight,
    /// Pairs of rows that are looked at before giving up.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub iterations: usize,
}

/// How fast the influence of a training row falls with distance.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Gamma {
    /// In units of 1 / distance².
    Number(#[schemars(range(min = 1e-12, max = 1e12))] f64),
    /// From the training rows.
    Learned(Learned),
}

/// What is learned from the training rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Learned {
    /// 1 / (number of columns × variance of all values).
    Scale,
}

impl Default for SvmRbf {
    fn default() -> Self {
        Self {
            c: 1.0,
            gamma: Gamma::Learned(Learned::Scale),
            class_weight: ClassWeight::None,
            iterations: 1_000_000,
        }
    }
}

/// The training rows that matter, and how much.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Support {
    rows: Vec<Vec<f64>>,
    weights: Vec<f64>,
    intercept: f64,
    gamma: f64,
    columns: usize,
}

impl Operation for SvmRbf {
    const ABOUT: About = About {
        name: "svm_rbf",
        title: "Support vector machine with a radial basis function",
        version: 2,
        sources: &["cortes1995", "fan2005", "chang2011"],
        example: "svm_rbf: { c: 1.0, gamma: 0.05 }",
    };
}

impl Learner for SvmRbf {
    type Model = Support;

    const OUTPUT: Output = Output::DecisionValue;

    fn fit(&self, train: &Train, stream: &mut Stream) -> Result<Support, Failure> {
        let streams = std::slice::from_mut(stream);
        let mut fitted = Self::fit_all(&[self], train, streams);
        fitted.pop().expect("one setting has one fit")
    }

    fn predict(&self, model: &Support, rows: &Rows) -> Result<Vec<f64>, Failure> {
        predictable(rows, model.columns)?;
        let value = |row: usize| {
            let row = rows.row(row);
            let known = model.rows.iter().zip(&model.weights);
            let pull = |(known, weight): (&Vec<f64>, &f64)| {
                weight * exp(-model.gamma * squared_distance(known, &row))
            };
            known.map(pull).sum::<f64>() + model.intercept
        };
        Ok((0..rows.n()).map(value).collect())
    }

    fn form(&self, model: &Support) -> Form {
        Form::Kernel {
            rows: model.rows.clone(),
            weights: model.weights.clone(),
            intercept: model.intercept,
            gamma: model.gamma,
        }
    }

    /// All settings share the distances between rows, and those with the same γ the kernel.
    fn fit_all(
        settings: &[&Self],
        train: &Train,
        _streams: &mut [Stream],
    ) -> Vec<Result<Support, Failure>> {
        if let Err(failure) = usable(train) {
            return settings.iter().map(|_| Err(failure.clone())).collect();
        }
        let x = matrix(train.rows());
        let distances = x.squared_distances();
        let scale = scale(&x.values, x.p);
        let gammas: Vec<f64> = settings
            .iter()
            .map(|setting| match setting.gamma {
                Gamma::Number(gamma) => gamma,
                Gamma::Learned(Learned::Scale) => scale,
            })
            .collect();
        // One kernel at a time is held: settings are taken in the order of first use of their γ.
        let mut fitted: Vec<Option<Result<Support, Failure>>> =
            vec![None; settings.len()];
        for first in 0..settings.len() {
            if fitted[first].is_some() {
                continue;
            }
            let gamma = gammas[first];
            let kernel = kernel(&distances, gamma);
            for (at, setting) in settings.iter().enumerate().skip(first) {
                if gammas[at].to_bits() == gamma.to_bits() {
                    fitted[at] = Some(setting.support(train, &x, &kernel, gamma));
                }
            }
        }
        fitted.into_iter().map(|fit| fit.expect("every γ had its turn")).collect()
    }
}

impl SvmRbf {
    fn support(
        &self,
        train: &Train,
        x: &Matrix,
        kernel: &Matrix,
        gamma: f64,
    ) -> Result<Support, Failure> {
        let shares = self.class_weight.shares(train.outcome());
        let caps: Vec<f64> = shares.iter().map(|share| self.c * share).collect();
        let found = separate(kernel, &classes(train, -1.0), &caps, self.iterations)?;
        if !found.rho.is_finite() {
            return Err(Failure::NotFinite("the intercept".to_string()));
        }
        let matter: Vec<usize> = (0..x.n).filter(|&i| found.weights[i] != 0.0).collect();
        Ok(Support {
            rows: matter.iter().map(|&i| x.row(i).to_vec()).collect(),
            weights: matter.iter().map(|&i| found.weights[i]).collect(),
            intercept: -found.rho,
            gamma,
            columns: x.p,
        })
    }
}

fn kernel(distances: &Matrix, gamma: f64) -> Matrix {
    let n = distances.n;
    let mut values = vec![1.0; n * n];
    for i in 0..n {
        let below = &mut values[i * n..i * n + i];
        for (value, distance) in below.iter_mut().zip(distances.row(i)) {
            *value = -gamma * distance;
        }
        exp_each(below);
        for j in 0..i {
            values[j * n + i] = values[i * n + j];
        }
    }
    Matrix { n, p: n, values }
}

/// 1 / (p·var(X)); 1 when all values are the same.
fn scale(values: &[f64], p: usize) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n;
    match values.iter().all(|value| *value == values[0]) {
        true => 1.0,
        false => 1.0 / (p as f64 * variance),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gamma_is_a_number_or_a_word() {
        let read = |text: &str| serde_json::from_str::<SvmRbf>(text);
        assert_eq!(read("{}").unwrap().gamma, Gamma::Learned(Learned::Scale));
        assert_eq!(read("{\"gamma\": 0.5}").unwrap().gamma, Gamma::Number(0.5));
        let word = read("{\"gamma\": \"scale\"}").unwrap();
        assert_eq!(serde_json::to_value(&word).unwrap()["gamma"], "scale");
        assert!(read("{\"gamma\": \"auto\"}").is_err());
    }

    #[test]
    fn the_scale_is_that_of_all_values() {
        // Variance of 1, 2, 3, 4 with the divisor n: 1.25.
        assert_eq!(scale(&[1.0, 2.0, 3.0, 4.0], 2), 0.4);
        assert_eq!(scale(&[3.0; 4], 2), 1.0);
    }
}
