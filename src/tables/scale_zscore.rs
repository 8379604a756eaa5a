//! Columns with mean 0 and standard deviation 1 in the training rows.

use crate::math::{mean, sqrt};
use crate::operation::prelude::*;

/// Standardises each column by mean and standard deviation of the training rows.
///
/// Place it before learners whose penalty or distance compares columns.
///
/// # Computation
/// z = (x − x̄) / s with s² = Σ(x − x̄)² / n, as in scikit-learn's `StandardScaler`. A column that
/// is constant in the training rows becomes 0. Missing values stay missing.
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
        version: 1,
        sources: &["pedregosa2011"],
        example: "scale_zscore",
    };
}

impl TableStep for ScaleZscore {
    type State = Moments;

    fn fit(&self, train: &Train) -> Result<Moments, Failure> {
        let moments = train.rows().columns().iter().map(|column| {
            let known: Vec<f64> =
                column.values.iter().copied().filter(|value| !value.is_nan()).collect();
            let mean = mean(&known)
                .ok_or_else(|| Failure::AllMissing(column.name.to_string()))?;
            let squares: f64 =
                known.iter().map(|value| (value - mean) * (value - mean)).sum();
            let sd = sqrt(squares / known.len() as f64);
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
                *value = if *sd == 0.0 { 0.0 } else { (*value - mean) / sd };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Frame, FrameColumn};

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
