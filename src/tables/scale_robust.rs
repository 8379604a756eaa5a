//! Columns with median 0 and interquartile range 1 in the training rows.

use crate::math::quantile_of_sorted;
use crate::operation::prelude::*;

/// Scales each column by median and interquartile range of the training rows.
///
/// Like `scale_zscore`, where a few extreme values would set mean and spread.
///
/// # Computation
/// z = (x − m) / (q₃ − q₁) with the median m and the quartiles of the known training values; a
/// quantile between two values is interpolated linearly (type 7 of Hyndman and Fan). A column whose
/// quartiles are equal is only shifted: (x − m). Missing values stay missing.
///
/// # State
/// Median and interquartile range of each column; with a range of 0 its values are only shifted.
///
/// # Differences
/// scikit-learn's `RobustScaler` is the same, but takes a range below 2.2e-15 for 0.
///
/// # Limits
/// A column in which more than half of the values agree keeps its own scale.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ScaleRobust {}

/// Median and interquartile range per column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Quartiles(Vec<(f64, f64)>);

impl Operation for ScaleRobust {
    const ABOUT: About = About {
        name: "scale_robust",
        title: "Scaling by median and quartiles",
        version: 1,
        sources: &["hyndman1996", "pedregosa2011"],
        example: "scale_robust",
    };
}

impl TableStep for ScaleRobust {
    type State = Quartiles;

    const GAPS: Gaps = Gaps::Kept;

    fn fit(&self, train: &Train) -> Result<Quartiles, Failure> {
        let quartiles = train.rows().columns().iter().map(|column| {
            let mut known: Vec<f64> =
                column.values.iter().copied().filter(|value| !value.is_nan()).collect();
            known.sort_by(f64::total_cmp);
            let at = |share| {
                quantile_of_sorted(&known, share)
                    .ok_or_else(|| Failure::AllMissing(column.name.to_string()))
            };
            let (median, range) = (at(0.5)?, at(0.75)? - at(0.25)?);
            match median.is_finite() && range.is_finite() {
                true => Ok((median, range)),
                false => {
                    Err(Failure::NotFinite(format!("the quartiles of `{}`", column.name)))
                }
            }
        });
        Ok(Quartiles(quartiles.collect::<Result<_, Failure>>()?))
    }

    fn apply(&self, quartiles: &Quartiles, rows: &mut Rows) -> Result<(), Failure> {
        for ((_, values), (median, range)) in rows.columns_mut().zip(&quartiles.0) {
            let range = if *range == 0.0 { 1.0 } else { *range };
            for value in values.iter_mut().filter(|value| !value.is_nan()) {
                // A value far beyond training at a tiny range must not become infinite.
                *value = ((*value - median) / range).clamp(f64::MIN, f64::MAX);
            }
        }
        Ok(())
    }

    fn formulas(&self, quartiles: &Quartiles, _columns: &Rows) -> Option<Vec<Formula>> {
        let scaled = quartiles.0.iter().enumerate();
        let scaled = scaled.map(|(from, (median, range))| {
            let spread = if *range == 0.0 { 1.0 } else { *range };
            Formula { from, change: Change::Scaled { centre: *median, spread } }
        });
        Some(scaled.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use super::*;
    use crate::data::{Frame, FrameColumn};

    #[test]
    fn quartiles_are_those_of_scikit_learn() {
        for (name, fixture) in Fixture::all() {
            println!("{name}");
            let columns = fixture
                .columns
                .iter()
                .map(|values| FrameColumn { name: "".into(), values: values.clone() });
            let n = fixture.outcome.len();
            let rows = Rows::new(columns.collect(), n);
            let frame = Frame { rows, failed: vec![None; n] };
            let split = Split { train: (0..n as u32).collect(), held_out: vec![] };
            let train = split.train(&frame, &vec![Some(true); n], &vec![0; n]);
            let found = ScaleRobust {}.fit(&train).unwrap().0;
            let (medians, ranges): (Vec<f64>, Vec<f64>) = found.into_iter().unzip();
            // There a range of 0 is written as the 1 that it is divided by.
            let ranges = ranges.iter().map(|r| if *r == 0.0 { 1.0 } else { *r });
            fixture.compare("median", &medians, 1e-14);
            fixture.compare("iqr", &ranges.collect::<Vec<f64>>(), 1e-14);
        }
    }

    #[test]
    fn training_quartiles_serve_all_rows() {
        let column = |name: &str, values: &[f64]| FrameColumn {
            name: name.into(),
            values: values.to_vec(),
        };
        let columns = vec![
            column("x", &[1.0, 3.0, 7.0, f64::NAN, 9.0]),
            column("half", &[2.0, 2.0, 2.0, 5.0, 4.0]),
        ];
        let frame = Frame { rows: Rows::new(columns, 5), failed: vec![None; 5] };
        let split = Split { train: vec![0, 1, 2, 3], held_out: vec![4] };
        let train = split.train(&frame, &[Some(true); 5], &[0; 5]);
        let quartiles = ScaleRobust {}.fit(&train).unwrap();
        // numpy 2.4.6: percentile([1, 3, 7], [25, 50, 75]) = [2, 3, 5]; of the other [2, 2, 2.75].
        assert_eq!(quartiles.0, [(3.0, 3.0), (2.0, 0.75)]);
        let (_, mut held_out) = split.held_out(&frame);
        ScaleRobust {}.apply(&quartiles, &mut held_out).unwrap();
        assert_eq!(held_out.row(0), [2.0, 2.0 / 0.75]);
    }
}
