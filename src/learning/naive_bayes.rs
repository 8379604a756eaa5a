//! Gaussian naive Bayes: each column by itself, each class a normal distribution.

use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::naive_bayes::gaussian::{GaussianNB, GaussianNBParameters};

use super::class_weight::ClassWeight;
use super::usable::{predictable, usable};
use crate::math::{ln, sigmoid};
use crate::operation::prelude::*;

/// Gaussian naive Bayes.
///
/// A fast baseline that takes columns for independent within a class.
///
/// # Computation
/// Means and variances (divisor n) per class and column are smartcore's, on columns centred by
/// their training mean. 10⁻⁹ times the largest column variance is added to every variance, as in
/// scikit-learn. The probability is the posterior under the training prevalence; with
/// `class_weight: balanced` under a prevalence of ½.
///
/// # Limits
/// Correlated columns make its probabilities too extreme.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NaiveBayes {
    /// How much the rows of each class count: with `balanced` their priors are equal.
    pub class_weight: ClassWeight,
}

/// Per class (negative, positive): prior, means and variances of centred columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Classes {
    centre: Vec<f64>,
    priors: Vec<f64>,
    means: Vec<Vec<f64>>,
    variances: Vec<Vec<f64>>,
}

impl Operation for NaiveBayes {
    const ABOUT: About = About {
        name: "naive_bayes",
        title: "Gaussian naive Bayes",
        version: 1,
        sources: &["hand2001", "pedregosa2011"],
        example: "naive_bayes",
    };
}

impl Learner for NaiveBayes {
    type Model = Classes;

    fn fit(&self, train: &Train, _stream: &mut Stream) -> Result<Classes, Failure> {
        usable(train)?;
        let rows = train.rows();
        let mut centre = Vec::new();
        let mut largest = 0.0f64;
        for column in rows.columns() {
            let mean = column.values.iter().sum::<f64>() / rows.n() as f64;
            let squares: f64 =
                column.values.iter().map(|v| (v - mean) * (v - mean)).sum();
            largest = largest.max(squares / rows.n() as f64);
            centre.push(mean);
        }
        if largest == 0.0 || !largest.is_finite() {
            return Err(Failure::NotFinite(
                "the variance of constant columns".to_string(),
            ));
        }
        let library =
            |error: smartcore::error::Failed| Failure::Library(error.to_string());
        let centred: Vec<Vec<f64>> = (0..rows.n())
            .map(|row| rows.row(row).iter().zip(&centre).map(|(v, c)| v - c).collect())
            .collect();
        let matrix = DenseMatrix::from_2d_vec(&centred).map_err(library)?;
        let classes: Vec<u32> =
            train.outcome().iter().map(|class| u32::from(*class)).collect();
        let fitted = GaussianNB::fit(&matrix, &classes, GaussianNBParameters::default())
            .map_err(library)?;
        let smooth = |variances: &Vec<f64>| {
            // One pass over squares can leave a variance a hair below 0.
            variances.iter().map(|variance| variance.max(0.0) + 1e-9 * largest).collect()
        };
        Ok(Classes {
            centre,
            priors: match self.class_weight {
                ClassWeight::None => fitted.class_priors().clone(),
                ClassWeight::Balanced => {
                    self.class_weight.priors(train.outcome()).to_vec()
                }
            },
            means: fitted.theta().clone(),
            variances: fitted.var().iter().map(smooth).collect(),
        })
    }

    fn predict(&self, model: &Classes, rows: &Rows) -> Result<Vec<f64>, Failure> {
        predictable(rows, model.centre.len())?;
        let log_joint = |class: usize, row: &[f64]| {
            let mut sum = ln(model.priors[class]);
            for (column, value) in row.iter().enumerate() {
                let variance = model.variances[class][column];
                let deviation = value - model.centre[column] - model.means[class][column];
                sum -= (ln(variance) + deviation * deviation / variance) / 2.0;
            }
            sum
        };
        let probability = |row: usize| {
            let row = rows.row(row);
            sigmoid(log_joint(1, &row) - log_joint(0, &row))
        };
        Ok((0..rows.n()).map(probability).collect())
    }
}
