//! Columns with mean 0 and standard deviation 1 in the training rows.

use crate::math::{ABREAST, abreast, mean, sqrt, sums_abreast};
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
///
/// # State
/// Mean and standard deviation of each column; with a standard deviation of 0 its values become 0.
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
        let n = train.rows().n() as f64;
        let mut moments = Vec::with_capacity(train.rows().p());
        for here in train.rows().columns().chunks(ABREAST) {
            let values: Vec<&[f64]> = here.iter().map(|c| c.values.as_slice()).collect();
            let values = abreast(&values);
            let means = sums_abreast(values, |_, value| value).map(|sum| sum / n);
            let square =
                |at: usize, value: f64| (value - means[at]) * (value - means[at]);
            let squares = sums_abreast(values, square);
            for (at, column) in here.iter().enumerate() {
                let found = match means[at].is_nan() {
                    // A value is missing, or there is none at all.
                    true => of_known(&column.values),
                    false => Some(moments_of(&column.values, means[at], squares[at])),
                };
                let (mean, sd) =
                    found.ok_or_else(|| Failure::AllMissing(column.name.to_string()))?;
                if !mean.is_finite() || !sd.is_finite() {
                    let what = format!("the spread of `{}`", column.name);
                    return Err(Failure::NotFinite(what));
                }
                moments.push((mean, sd));
            }
        }
        Ok(Moments(moments))
    }

    fn apply(&self, moments: &Moments, rows: &mut Rows) -> Result<(), Failure> {
        for ((_, values), (mean, sd)) in rows.columns_mut().zip(&moments.0) {
            if *sd == 0.0 {
                let known = values.iter_mut().filter(|value| !value.is_nan());
                known.for_each(|value| *value = 0.0);
                continue;
            }
            for value in values {
                // A value far beyond training at a tiny spread must not become infinite. What is missing
                // stays so.
                *value = ((*value - mean) / sd).clamp(f64::MIN, f64::MAX);
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

/// Mean and standard deviation of the known values, if there are any.
fn of_known(values: &[f64]) -> Option<(f64, f64)> {
    let known: Vec<f64> = values.iter().copied().filter(|v| !v.is_nan()).collect();
    let mean = mean(&known)?;
    let squares = known.iter().map(|value| (value - mean) * (value - mean)).sum();
    Some(moments_of(&known, mean, squares))
}

/// The mean, and the standard deviation about it. `squares` is the sum of squared deviations.
fn moments_of(values: &[f64], mean: f64, squares: f64) -> (f64, f64) {
    // Rounding leaves a trace of spread in a constant column.
    let constant = values.iter().all(|value| *value == values[0]);
    (mean, if constant && mean.is_finite() { 0.0 } else { spread(values, mean, squares) })
}

/// The standard deviation about the mean.
fn spread(values: &[f64], mean: f64, squares: f64) -> f64 {
    let n = values.len() as f64;
    if squares.is_finite() && squares >= f64::MIN_POSITIVE / f64::EPSILON {
        return sqrt(squares / n);
    }
    let deviations = values.iter().map(|value| value - mean);
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
    fn columns_beside_each_other_have_the_moments_of_one_alone() {
        let mut stream = Stream::new(1, &["zscore"]);
        let column = |at: usize| {
            let scale = [1.0, 1e-200, 1e200, 0.0][at % 4];
            let mut values: Vec<f64> = (0..9).map(|_| scale * stream.normal()).collect();
            if at.is_multiple_of(3) {
                values[at % 9] = f64::NAN;
            }
            FrameColumn { name: "x".into(), values }
        };
        let columns: Vec<FrameColumn> = (0..19).map(column).collect();
        let fit = |columns: &[FrameColumn]| {
            let rows = Rows::new(columns.to_vec(), 9);
            let frame = Frame { rows, failed: vec![None; 9] };
            let split = Split { train: (0..9).collect(), held_out: vec![] };
            let train = split.train(&frame, &[Some(true); 9], &[0; 9]);
            let moments = ScaleZscore {}.fit(&train).unwrap();
            let mut rows = train.rows().clone();
            ScaleZscore {}.apply(&moments, &mut rows).unwrap();
            (moments.0, rows)
        };
        let (all, scaled) = fit(&columns);
        for (at, column) in columns.iter().enumerate() {
            let (alone, own) = fit(std::slice::from_ref(column));
            assert_eq!(all[at], alone[0], "{at}");
            let known: Vec<f64> =
                column.values.iter().copied().filter(|v| !v.is_nan()).collect();
            assert_eq!(mean(&known), Some(all[at].0), "{at}");
            let (together, own) =
                (&scaled.columns()[at].values, &own.columns()[0].values);
            for (row, value) in column.values.iter().enumerate() {
                assert_eq!(together[row].to_bits(), own[row].to_bits(), "{at}");
                assert_eq!(together[row].is_nan(), value.is_nan(), "{at}");
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
