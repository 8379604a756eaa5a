//! The columns that a linear model gives up last.

use super::ranking::Ranking;
use crate::math::{LogisticLoss, Matrix, Unsolved, separate};
use crate::operation::prelude::*;

/// Keeps the k columns that are left last when a linear model drops its smallest coefficients.
///
/// Judges columns together, as the model uses them. Place `scale_zscore` before it: coefficients
/// compare columns only when these have the same spread.
///
/// # Computation
/// A model is fitted on all columns; the `step` columns with the smallest |w| leave; and so on until
/// none is left. The order in which columns left is the ranking; those that left together stand by
/// their |w|, of equal ones the later column leaves first. So one ranking holds the choice for every
/// k. The kept columns stay in table order.
///
/// `svm_linear` is the support vector machine of Guyon et al. (2002), `logistic` the regression with
/// an `l2` penalty, each with weight `c` of the loss, as the learners of these names.
///
/// # Differences
/// With a whole `step` it keeps what scikit-learn's `RFE` keeps, at every k. Its fractional step is a
/// share of all columns, here one of the columns that remain.
///
/// # Limits
/// Missing values are refused. Many models are fitted: with 2000 columns some 60 at `step: 0.1`,
/// and 2000 at `step: 1`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Rfe {
    /// Number of columns to keep.
    #[schemars(range(min = 1, max = 100_000), extend("x-tunable" = true))]
    pub k: usize,
    /// Columns that leave at a time: a whole number, or a share of those that remain.
    #[schemars(range(min = 0.001, max = 100_000.0))]
    pub step: f64,
    /// The model whose coefficients decide.
    pub model: Judge,
    /// Weight of the loss in the model.
    #[schemars(range(min = 1e-9, max = 1e9), extend("x-tunable" = true))]
    pub c: f64,
}

/// The model whose coefficients decide.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Judge {
    /// Linear support vector machine.
    #[default]
    SvmLinear,
    /// Logistic regression with an `l2` penalty.
    Logistic,
}

impl Default for Rfe {
    fn default() -> Self {
        Self { k: 16, step: 0.1, model: Judge::SvmLinear, c: 1.0 }
    }
}

impl Operation for Rfe {
    const ABOUT: About = About {
        name: "rfe",
        title: "Recursive feature elimination",
        // 1: first release. 2: `logistic` has a fit where columns repeat each other.
        version: 2,
        sources: &["guyon2002"],
        example: "rfe: { k: 8, step: 0.2 }",
    };
}

/// Steps that a fit may take.
const NEWTON_STEPS: usize = 100;
const PAIRS: usize = 1_000_000;

impl TableStep for Rfe {
    type State = Ranking;

    const PICKS: bool = true;

    const READS_OUTCOME: bool = true;

    fn check(&self, problems: &mut Problems) {
        if self.step > 1.0 && self.step.fract() != 0.0 {
            let message =
                format!("`step` of `rfe` is neither whole nor a share: {}", self.step);
            problems
                .error(message)
                .parameter("step")
                .hint("a share lies below 1; from 1 on it is a number of columns");
        }
    }

    fn fit(&self, train: &Train) -> Result<Ranking, Failure> {
        let positive = train.outcome().iter().filter(|positive| **positive).count();
        if positive == 0 || positive == train.outcome().len() {
            return Err(Failure::OneClass);
        }
        if let Some(column) = train.rows().missing() {
            return Err(Failure::Missing(column.to_string()));
        }
        let mut products = Products::default();
        let mut left: Vec<u32> = (0..train.rows().p() as u32).collect();
        let mut ranking = Vec::with_capacity(left.len());
        while !left.is_empty() {
            let sizes = match self.model {
                _ if left.len() == 1 => vec![1.0],
                Judge::SvmLinear => self.plane(train, &left, &mut products)?,
                Judge::Logistic => self.regression(train, &left)?,
            };
            if !sizes.iter().all(|size| size.is_finite()) {
                return Err(Failure::NotFinite("a coefficient".to_string()));
            }
            // Smallest first; of equal ones the later column.
            let mut order: Vec<usize> = (0..left.len()).collect();
            order.sort_by(|&a, &b| sizes[a].total_cmp(&sizes[b]).then(b.cmp(&a)));
            order.truncate(self.leaving(left.len()));
            ranking.extend(order.iter().map(|&at| left[at]));
            order.sort_unstable();
            let mut at = 0;
            left.retain(|_| {
                at += 1;
                order.binary_search(&(at - 1)).is_err()
            });
        }
        ranking.reverse();
        Ok(Ranking(ranking))
    }

    fn apply(&self, ranking: &Ranking, rows: &mut Rows) -> Result<(), Failure> {
        ranking.keep(self.k, rows);
        Ok(())
    }

    fn keeps(&self) -> Option<usize> {
        Some(self.k)
    }

    fn as_fitted(&self) -> Self {
        Self { k: Self::default().k, ..self.clone() }
    }
}

impl Rfe {
    fn leaving(&self, left: usize) -> usize {
        let number = if self.step < 1.0 { self.step * left as f64 } else { self.step };
        (number.floor() as usize).clamp(1, left)
    }

    /// |w| of the support vector machine on these columns.
    fn plane(
        &self,
        train: &Train,
        left: &[u32],
        products: &mut Products,
    ) -> Result<Vec<f64>, Unsolved> {
        let n = train.rows().n();
        let class = |positive: &bool| if *positive { 1.0 } else { -1.0 };
        let y: Vec<f64> = train.outcome().iter().map(class).collect();
        let gram = products.of(train, left);
        let found = separate(gram, &y, &vec![self.c; n], PAIRS)?;
        let size = |&column: &u32| {
            let values = &train.rows().columns()[column as usize].values;
            crate::math::dot(values, &found.weights).abs()
        };
        Ok(left.iter().map(size).collect())
    }

    /// |w| of the logistic regression on these columns.
    fn regression(&self, train: &Train, left: &[u32]) -> Result<Vec<f64>, Unsolved> {
        let n = train.rows().n();
        let columns = train.rows().columns();
        let columns = left.iter().map(|&column| &columns[column as usize].values[..]);
        let x = Matrix::of_columns(n, columns);
        let class = |positive: &bool| if *positive { 1.0 } else { 0.0 };
        let y = train.outcome().iter().map(class).collect();
        let found = LogisticLoss::new(x, y, vec![1.0; n]).ridge(self.c, NEWTON_STEPS)?;
        Ok(found.weights.into_iter().map(f64::abs).collect())
    }
}

/// XXᵀ over the columns that are left, from which those that leave are taken off.
#[derive(Default)]
struct Products {
    gram: Option<Matrix>,
    columns: Vec<u32>,
    /// Number of columns when it was last made anew.
    made_of: usize,
}

impl Products {
    fn of(&mut self, train: &Train, left: &[u32]) -> &Matrix {
        let n = train.rows().n();
        // Taking off leaves rounding of the larger sum: at half of the columns it is made anew.
        let anew = self.gram.is_none() || 2 * left.len() <= self.made_of;
        let mut gram = match self.gram.take() {
            Some(gram) if !anew => gram,
            _ => Matrix { n, p: n, values: vec![0.0; n * n] },
        };
        let column = |column: u32| &train.rows().columns()[column as usize].values;
        if anew {
            self.made_of = left.len();
            left.iter().for_each(|&one| add(&mut gram, column(one), 1.0));
        } else {
            let gone = self.columns.iter().filter(|one| left.binary_search(one).is_err());
            gone.for_each(|&one| add(&mut gram, column(one), -1.0));
        }
        self.columns = left.to_vec();
        self.gram.insert(gram)
    }
}

/// Adds ±xxᵀ.
fn add(gram: &mut Matrix, x: &[f64], sign: f64) {
    for (row, a) in gram.values.chunks_exact_mut(x.len()).zip(x) {
        for (sum, b) in row.iter_mut().zip(x) {
            *sum += sign * (a * b);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Frame, FrameColumn};

    fn train(n: usize, p: usize) -> Train {
        let mut stream = Stream::new(3, &["rfe"]);
        let columns = (0..p).map(|j| FrameColumn {
            name: format!("c{j}").into(),
            values: (0..n)
                .map(|i| stream.normal() + if i % 2 == 0 && j == 3 { 3.0 } else { 0.0 })
                .collect(),
        });
        let frame =
            Frame { rows: Rows::new(columns.collect(), n), failed: vec![None; n] };
        let split = Split { train: (0..n as u32).collect(), held_out: vec![] };
        let outcome: Vec<Option<bool>> = (0..n).map(|i| Some(i % 2 == 0)).collect();
        split.train(&frame, &outcome, &vec![0; n])
    }

    #[test]
    fn the_strong_column_is_left_last() {
        let train = train(30, 50);
        for model in [Judge::SvmLinear, Judge::Logistic] {
            for step in [0.001, 0.3, 1.0, 7.0] {
                let rfe = Rfe { model, step, ..Rfe::default() };
                let ranking = rfe.fit(&train).unwrap();
                assert_eq!(ranking.0[0], 3, "{model:?} {step}");
                let mut all = ranking.0;
                all.sort_unstable();
                assert_eq!(all, (0..50).collect::<Vec<u32>>());
            }
        }
    }

    #[test]
    fn a_step_is_whole_or_a_share() {
        let sound = |step: f64| {
            let mut problems = Problems::default();
            TableStep::check(&Rfe { step, ..Rfe::default() }, &mut problems);
            problems.is_empty()
        };
        assert!([0.001, 0.999, 1.0, 7.0, 100_000.0].into_iter().all(sound));
        assert!(!sound(1.5) && !sound(7.25));
    }

    #[test]
    fn products_are_the_same_taken_off_or_made_anew() {
        let train = train(10, 20);
        let mut products = Products::default();
        let all: Vec<u32> = (0..20).collect();
        products.of(&train, &all);
        for left in [&all[3..], &all[5..18], &all[12..15]] {
            let found = products.of(&train, left).clone();
            let anew = Products::default().of(&train, left).clone();
            let pairs = found.values.iter().zip(&anew.values);
            assert!(pairs.into_iter().all(|(a, b)| (a - b).abs() < 1e-12));
        }
    }

    #[test]
    fn equal_columns_leave_from_the_last() {
        let mut train = train(10, 1);
        let column = FrameColumn::clone(&train.rows().columns()[0]);
        let columns = vec![column.clone(), column.clone(), column];
        train = train.with_rows(Rows::new(columns, 10));
        let rfe = Rfe { step: 1.0, ..Rfe::default() };
        assert_eq!(rfe.fit(&train).unwrap().0, [0, 1, 2]);
    }
}
