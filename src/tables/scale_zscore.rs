//! Columns with mean 0 and standard deviation 1 in the training rows.

use crate::math::{mean, sqrt};
use crate::operation::prelude::*;

/// Standardises each column by mean and standard deviation of the training rows.
///
/// Place it before learners whose penalty or distance compares columns.
///
/// # Computation
/// z = (x − x̄) / s with s² = Σ(x − x̄)² / n, as in scikit-learn's `StandardScaler`. A column that
/// is constant in the training rows becomes 0. Missing values stay missing. The size of the numbers does
/// not matter: a column times 1e-200 or 1e200 has the same z, and a z too large for a number becomes the
/// largest one.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ScaleZscore {}

/// Mean and standard deviation per column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Moments(Vec<(f64, f64)>);

impl Operation for ScaleZscore {
    const ABOUT: About = About {
        name: "scale_zscore",
        title: "Standardisation to z-scores",
        // 1: first release. 2: columns whose squared deviations are too small or too large for a number
        // are scaled too.
        version: 2,
        sources: &["pedregosa2011"],
        example: "scale_zscore",
    };
}

impl TableStep for ScaleZscore {
    type State = Moments;

    const GAPS: Gaps = Gaps::Kept;

    fn fit(&self, train: &Train) -> Result<Moments, Failure> {
        let moments = train.rows().columns().iter().map(|column| {
            let known: Vec<f64> =
                column.values.iter().copied().filter(|value| !value.is_nan()).collect();
            let mean = mean(&known)
                .ok_or_else(|| Failure::AllMissing(column.name.to_string()))?;
            let sd = spread(&known, mean);
            // Rounding leaves a trace of spread in a constant column.
            let constant = known.iter().all(|value| *value == known[0]);
            if !mean.is_finite() || !sd.is_finite() {
                return Err(Failure::NotFinite(format!(
                    "the spread of `{}`",
                    column.name
                )));
            }
            Ok((mean, if constant { 0.0 } else { sd }))
        });
        Ok(Moments(moments.collect::<Result<_, Failure>>()?))
    }

    fn apply(&self, moments: &Moments, rows: &mut Rows) -> Result<(), Failure> {
        for ((_, values), (mean, sd)) in rows.columns_mut().zip(&moments.0) {
            for value in values.iter_mut().filter(|value| !value.is_nan()) {
                // A value far beyond training at a tiny spread must not become infinite.
                let z = ((*value - mean) / sd).clamp(f64::MIN, f64::MAX);
                *value = if *sd == 0.0 { 0.0 } else { z };
            }
        }
        Ok(())
    }

    fn formulas(&self, moments: &Moments, _columns: &Rows) -> Option<Vec<Formula>> {
        let scaled = moments.0.iter().enumerate();
        let scaled = scaled.map(|(from, (centre, spread))| Formula {
            from,
            change: Change::Scaled { centre: *centre, spread: *spread },
        });
        Some(scaled.collect())
    }
}

/// The standard deviation about the mean.
fn spread(values: &[f64], mean: f64) -> f64 {
    let n = values.len() as f64;
    let deviations = values.iter().map(|value| value - mean);
    let squares: f64 = deviations.clone().map(|deviation| deviation * deviation).sum();
    if squares.is_finite() && squares >= f64::MIN_POSITIVE / f64::EPSILON {
        return sqrt(squares / n);
    }
    // Squares of very large and very small numbers are 0 or infinite; these are 1 at most.
    let largest = deviations.clone().fold(0.0, |a: f64, b| a.max(b.abs()));
    if largest == 0.0 {
        return 0.0;
    }
    let shares: f64 = deviations.map(|d| (d / largest) * (d / largest)).sum();
    largest * sqrt(shares / n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Frame, FrameColumn};

    #[test]
    fn the_size_of_the_numbers_does_not_matter() {
        let values = [1.0, 3.0, 7.0, 2.0, 9.0];
        let scaled = |scale: f64| {
            let values = values.iter().map(|value| value * scale).collect();
            let column = FrameColumn { name: "x".into(), values };
            let frame = Frame { rows: Rows::new(vec![column], 5), failed: vec![None; 5] };
            let split = Split { train: vec![0, 1, 2, 3], held_out: vec![4] };
            let train = split.train(&frame, &[Some(true); 5], &[0; 5]);
            let moments = ScaleZscore {}.fit(&train).unwrap();
            let mut rows = train.rows().clone();
            ScaleZscore {}.apply(&moments, &mut rows).unwrap();
            let (_, mut held_out) = split.held_out(&frame);
            ScaleZscore {}.apply(&moments, &mut held_out).unwrap();
            [&rows.columns()[0].values[..], &held_out.columns()[0].values].concat()
        };
        let known = scaled(1.0);
        for scale in [1e-300, 1e-200, 1e-160, 1e-12, 1e12, 1e200, 1e300] {
            for (found, known) in scaled(scale).iter().zip(&known) {
                assert!((found - known).abs() < 1e-12, "{scale}: {found}, not {known}");
            }
        }
    }

    #[test]
    fn what_is_far_beyond_training_stays_a_number() {
        let values = vec![1e-200, 3e-200, 1e200, -1e200];
        let column = FrameColumn { name: "x".into(), values };
        let frame = Frame { rows: Rows::new(vec![column], 4), failed: vec![None; 4] };
        let split = Split { train: vec![0, 1], held_out: vec![2, 3] };
        let train = split.train(&frame, &[Some(true); 4], &[0; 4]);
        let moments = ScaleZscore {}.fit(&train).unwrap();
        let (_, mut held_out) = split.held_out(&frame);
        ScaleZscore {}.apply(&moments, &mut held_out).unwrap();
        assert_eq!(held_out.columns()[0].values, [f64::MAX, f64::MIN]);
    }

    #[test]
    fn training_moments_serve_all_rows() {
        let column = |name: &str, values: &[f64]| FrameColumn {
            name: name.into(),
            values: values.to_vec(),
        };
        let columns =
            vec![column("x", &[1.0, 3.0, 7.0]), column("constant", &[0.1, 0.1, 5.0])];
        let frame = Frame { rows: Rows::new(columns, 3), failed: vec![None; 3] };
        let split = Split { train: vec![0, 1], held_out: vec![2] };
        let train = split.train(&frame, &[Some(true); 3], &[0; 3]);
        let moments = ScaleZscore {}.fit(&train).unwrap();
        let (_, mut held_out) = split.held_out(&frame);
        ScaleZscore {}.apply(&moments, &mut held_out).unwrap();
        assert_eq!(held_out.row(0), [5.0, 0.0]);
    }
}
