//! The classes of the nearest training rows.

use smartcore::algorithm::neighbour::KNNAlgorithmName;
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::neighbors::knn_classifier::{KNNClassifier, KNNClassifierParameters};

use super::class_weight::ClassWeight;
use super::usable::{predictable, usable};
use crate::operation::prelude::*;

/// Share of positives among the k nearest training rows.
///
/// Place `scale_zscore` before it: distances compare columns.
///
/// # Computation
/// Euclidean distance, all neighbours weigh the same; the search is smartcore's, over all rows. With
/// `class_weight: balanced` a neighbour counts n / (2 n_class), n over the training rows.
///
/// # Limits
/// Without class weights probabilities are multiples of 1/k. Which of several rows at the same distance counts as
/// nearer is decided by their order, which is that of the ids.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Knn {
    /// Number of neighbours.
    #[schemars(range(min = 1, max = 1000), extend("x-tunable" = true))]
    pub k: usize,
    /// How much neighbours of each class count.
    pub class_weight: ClassWeight,
}

impl Default for Knn {
    fn default() -> Self {
        Self { k: 5, class_weight: ClassWeight::None }
    }
}

/// The training rows themselves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Neighbours {
    rows: Vec<Vec<f64>>,
    positive: Vec<bool>,
}

impl Operation for Knn {
    const ABOUT: About = About {
        name: "knn",
        title: "Nearest neighbours",
        version: 1,
        sources: &["cover1967"],
        example: "knn: { k: 5 }",
    };
}

impl Learner for Knn {
    type Model = Neighbours;

    fn fit(&self, train: &Train, _stream: &mut Stream) -> Result<Neighbours, Failure> {
        usable(train)?;
        self.needs().into_iter().try_for_each(|need| need.check(train))?;
        let rows = (0..train.rows().n()).map(|row| train.rows().row(row)).collect();
        Ok(Neighbours { rows, positive: train.outcome().to_vec() })
    }

    fn needs(&self) -> Vec<Need> {
        vec![Need { of: Counted::Rows, least: self.k, parameter: Some("k") }]
    }

    fn resolution(&self) -> Option<f64> {
        Some(1.0 / self.k as f64)
    }

    fn predict(&self, model: &Neighbours, rows: &Rows) -> Result<Vec<f64>, Failure> {
        predictable(rows, model.rows.first().map_or(0, Vec::len))?;
        if rows.n() == 0 {
            return Ok(Vec::new());
        }
        let library =
            |error: smartcore::error::Failed| Failure::Library(error.to_string());
        let matrix =
            |rows: &Vec<Vec<f64>>| DenseMatrix::from_2d_vec(rows).map_err(library);
        let training = matrix(&model.rows)?;
        let classes: Vec<u32> =
            model.positive.iter().map(|class| u32::from(*class)).collect();
        let parameters = KNNClassifierParameters::default()
            .with_k(self.k)
            .with_algorithm(KNNAlgorithmName::LinearSearch);
        let knn = KNNClassifier::fit(&training, &classes, parameters).map_err(library)?;
        let asked: Vec<Vec<f64>> = (0..rows.n()).map(|row| rows.row(row)).collect();
        let shares = knn.predict_proba(&matrix(&asked)?).map_err(library)?;
        let priors = self.class_weight.priors(&model.positive);
        let prevalence = ClassWeight::None.priors(&model.positive);
        let counts = [0, 1].map(|class| priors[class] / prevalence[class]);
        // Classes are in ascending order, and training rows hold both.
        let share = |share: Vec<f64>| {
            let share = share[1].clamp(0.0, 1.0);
            match self.class_weight {
                ClassWeight::None => share,
                ClassWeight::Balanced => {
                    let (positive, negative) =
                        (share * counts[1], (1.0 - share) * counts[0]);
                    positive / (positive + negative)
                }
            }
        };
        Ok(shares.into_iter().map(share).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Frame, FrameColumn};

    #[test]
    fn neighbours_are_counted() {
        let values = vec![0.0, 1.0, 10.0, 11.0, 0.4, 10.6, 5.4];
        let n = values.len();
        let column = FrameColumn { name: "x".into(), values };
        let frame = Frame { rows: Rows::new(vec![column], n), failed: vec![None; n] };
        let split = Split { train: vec![0, 1, 2, 3], held_out: vec![4, 5, 6] };
        let outcome =
            [Some(false), Some(false), Some(true), Some(true), None, None, None];
        let train = split.train(&frame, &outcome, &[0; 7]);
        let (_, held_out) = split.held_out(&frame);
        let predict = |k| {
            let knn = Knn { k, ..Knn::default() };
            let model = knn.fit(&train, &mut Stream::new(1, &[])).unwrap();
            knn.predict(&model, &held_out).unwrap()
        };
        assert_eq!(predict(1), [0.0, 1.0, 0.0]);
        let thirds = predict(3);
        assert!(
            (thirds[0] - 1.0 / 3.0).abs() < 1e-12
                && (thirds[1] - 2.0 / 3.0).abs() < 1e-12
        );
        assert_eq!(predict(4), [0.5, 0.5, 0.5]);
        let failure = Knn::default().fit(&train, &mut Stream::new(1, &[]));
        assert_eq!(failure, Err(Failure::TooFew { needed: 5, found: 4 }));
    }

    #[test]
    fn balanced_neighbours_count_by_class() {
        let values = vec![0.0, 1.0, 2.0, 3.0, 1.5];
        let column = FrameColumn { name: "x".into(), values };
        let frame = Frame { rows: Rows::new(vec![column], 5), failed: vec![None; 5] };
        let split = Split { train: vec![0, 1, 2, 3], held_out: vec![4] };
        let outcome = [Some(false), Some(false), Some(false), Some(true), None];
        let train = split.train(&frame, &outcome, &[0; 5]);
        let (_, held_out) = split.held_out(&frame);
        let knn = Knn { k: 4, class_weight: ClassWeight::Balanced };
        let model = knn.fit(&train, &mut Stream::new(1, &[])).unwrap();
        // One neighbour that counts 2 against three that count 2/3.
        let found = knn.predict(&model, &held_out).unwrap();
        assert!((found[0] - 0.5).abs() < 1e-12, "{found:?}");
    }
}
