//! Missing values become the median of the training rows.

use std::sync::Arc;

use crate::data::FrameColumn;
use crate::math::median_of;
use crate::operation::prelude::*;

/// Replaces missing values by the median of the training rows.
///
/// Simple and robust; enough where few values are missing at random.
///
/// # Computation
/// Per column, the median of its known training values; the mean of the two middle ones for an
/// even count. With `indicator`, each column that had missing values in training gets a companion
/// that is 1 where the value was missing and 0 elsewhere.
///
/// # State
/// The median of each column, and whether it had gaps. Companions are called `column missing` and follow
/// all other columns, in their order.
///
/// # Limits
/// Shrinks variance and ignores why a value is missing. A column without any training value fails.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ImputeMedian {
    /// Whether a column of zeros and ones says which values were missing.
    pub indicator: bool,
}

/// What is put in place of missing values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Medians {
    medians: Vec<f64>,
    /// Whether each column had missing values in training.
    gaps: Vec<bool>,
}

impl Operation for ImputeMedian {
    const ABOUT: About = About {
        name: "impute_median",
        title: "Median imputation",
        version: 2,
        sources: &["little2019"],
        example: "impute_median",
    };
}

impl TableStep for ImputeMedian {
    type State = Medians;

    const GAPS: Gaps = Gaps::Filled;

    fn fit(&self, train: &Train) -> Result<Medians, Failure> {
        let columns = train.rows().columns();
        let mut found = Medians { medians: Vec::new(), gaps: Vec::new() };
        // One place for the values of one column after another.
        let mut known = Vec::with_capacity(train.rows().n());
        for column in columns {
            known.clear();
            known.extend(column.values.iter().filter(|value| !value.is_nan()));
            let median = median_of(&mut known);
            let median =
                median.ok_or_else(|| Failure::AllMissing(column.name.to_string()))?;
            found.medians.push(median);
            found.gaps.push(known.len() < column.values.len());
        }
        Ok(found)
    }

    fn most_columns(&self, given: usize, _categorical: usize) -> Option<usize> {
        Some(if self.indicator { 2 * given } else { given })
    }

    fn apply(&self, found: &Medians, rows: &mut Rows) -> Result<(), Failure> {
        let mut indicators = Vec::new();
        for (column, gaps) in rows.columns().iter().zip(&found.gaps) {
            if self.indicator && *gaps {
                let missing = |value: &f64| f64::from(u8::from(value.is_nan()));
                indicators.push(Arc::new(FrameColumn {
                    name: format!("{} missing", column.name).into(),
                    values: column.values.iter().map(missing).collect(),
                }));
            }
        }
        for (at, median) in found.medians.iter().enumerate().take(rows.p()) {
            // Columns without gaps stay shared.
            if rows.columns()[at].values.iter().any(|value| value.is_nan()) {
                let values = rows.values_mut(at).iter_mut();
                values.filter(|value| value.is_nan()).for_each(|value| *value = *median);
            }
        }
        let mut columns = rows.columns().to_vec();
        columns.extend(indicators);
        rows.set_columns(columns);
        Ok(())
    }

    fn formulas(&self, found: &Medians, columns: &Rows) -> Option<Vec<Formula>> {
        let filled = found.medians.iter().enumerate();
        let filled = filled
            .map(|(from, with)| Formula { from, change: Change::Filled { with: *with } });
        let asked = (0..columns.p()).filter(|from| self.indicator && found.gaps[*from]);
        let asked = asked.map(|from| Formula { from, change: Change::IsMissing });
        Some(filled.chain(asked).collect())
    }

    fn as_fitted(&self) -> Self {
        Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Frame;

    #[test]
    fn medians_are_those_of_the_training_rows() {
        let values = vec![1.0, f64::NAN, 2.0, 100.0, f64::NAN];
        let column = FrameColumn { name: "x".into(), values };
        let frame = Frame { rows: Rows::new(vec![column], 5), failed: vec![None; 5] };
        let split = Split { train: vec![0, 1, 2], held_out: vec![3, 4] };
        let train = split.train(&frame, &[Some(true); 5], &[0; 5]);
        let medians = ImputeMedian::default().fit(&train).unwrap();
        let (_, mut held_out) = split.held_out(&frame);
        ImputeMedian::default().apply(&medians, &mut held_out).unwrap();
        assert_eq!(held_out.columns()[0].values, [100.0, 1.5]);
        let with = ImputeMedian { indicator: true };
        let (_, mut held_out) = split.held_out(&frame);
        with.apply(&medians, &mut held_out).unwrap();
        assert_eq!(held_out.columns()[1].values, [0.0, 1.0]);
        assert_eq!(&*held_out.columns()[1].name, "x missing");
        let nothing = Split { train: vec![1], held_out: vec![] };
        let train = nothing.train(&frame, &[Some(true); 5], &[0; 5]);
        assert_eq!(
            ImputeMedian::default().fit(&train),
            Err(Failure::AllMissing("x".to_string()))
        );
    }
}
