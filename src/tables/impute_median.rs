//! Missing values become the median of the training rows.

use crate::math::median;
use crate::operation::prelude::*;

/// Replaces missing values by the median of the training rows.
///
/// Simple and robust; enough where few values are missing at random.
///
/// # Computation
/// Per column, the median of its known training values; the mean of the two middle ones for an
/// even count.
///
/// # Limits
/// Shrinks variance and ignores why a value is missing. A column without any training value fails.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ImputeMedian {}

impl Operation for ImputeMedian {
    const ABOUT: About = About {
        name: "impute_median",
        title: "Median imputation",
        version: 1,
        sources: &["little2019"],
        example: "impute_median",
    };
}

impl TableStep for ImputeMedian {
    /// A median per column.
    type State = Vec<f64>;

    fn fit(&self, train: &Train) -> Result<Vec<f64>, Failure> {
        let columns = train.rows().columns().iter();
        columns
            .map(|column| {
                let known: Vec<f64> = column
                    .values
                    .iter()
                    .copied()
                    .filter(|value| !value.is_nan())
                    .collect();
                median(&known).ok_or_else(|| Failure::AllMissing(column.name.clone()))
            })
            .collect()
    }

    fn apply(&self, medians: &Vec<f64>, rows: &mut Rows) {
        for ((_, values), median) in rows.columns_mut().zip(medians) {
            for value in values.iter_mut().filter(|value| value.is_nan()) {
                *value = *median;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Frame, FrameColumn};

    #[test]
    fn medians_are_those_of_the_training_rows() {
        let values = vec![1.0, f64::NAN, 2.0, 100.0, f64::NAN];
        let column = FrameColumn { name: "x".to_string(), values };
        let frame = Frame { rows: Rows::new(vec![column], 5), failed: vec![None; 5] };
        let split = Split { train: vec![0, 1, 2], held_out: vec![3, 4] };
        let train = split.train(&frame, &[Some(true); 5], &[0; 5]);
        let medians = ImputeMedian {}.fit(&train).unwrap();
        let (_, mut held_out) = split.held_out(&frame);
        ImputeMedian {}.apply(&medians, &mut held_out);
        assert_eq!(held_out.columns()[0].values, [100.0, 1.5]);
        let nothing = Split { train: vec![1], held_out: vec![] };
        let train = nothing.train(&frame, &[Some(true); 5], &[0; 5]);
        assert_eq!(
            ImputeMedian {}.fit(&train),
            Err(Failure::AllMissing("x".to_string()))
        );
    }
}
