//! Columns that hold one value only, left out.

use crate::math::sqrt;
use crate::operation::prelude::*;

/// How many roundings of the mean a spread may be of.
const ROUNDING: f64 = 10.0;

/// Values that are further apart than this share of the largest have a standard deviation beyond rounding,
/// however many they are.
const FAR_APART: f64 = 1e-6;

/// Drops columns that hold one value only in the training rows.
///
/// They tell no patient from another, and some learners and statistics divide by their spread.
///
/// # Computation
/// A column is kept when its known training values differ by more than rounding: when their standard
/// deviation (divisor n) is above 10 ε |mean|, with ε = 2⁻⁵² and the mean their own.
/// Missing values are ignored, so a column with one training value or none is dropped. The kept
/// columns stay in table order; missing values in them stay missing.
///
/// # State
/// The positions of the columns that stay, from 0.
///
/// # Limits
/// A column in which all but one row agree is kept. It may leave no column at all.
///
/// # Differences
/// scikit-learn's `VarianceThreshold` with its default threshold of 0 drops columns of one value only,
/// and fails where it would keep none. What differs by rounding would be blown up by `scale_zscore`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DropConstant {}

impl Operation for DropConstant {
    const ABOUT: About = About {
        name: "drop_constant",
        title: "Without constant columns",
        // 2: columns whose values differ by rounding only are dropped too. 3: also with many rows.
        version: 3,
        sources: &["kuhn2013"],
        example: "drop_constant",
    };
}

impl TableStep for DropConstant {
    /// Positions of the kept columns, in table order.
    type State = Vec<u32>;

    const PICKS: bool = true;

    const GAPS: Gaps = Gaps::Kept;

    fn fit(&self, train: &Train) -> Result<Vec<u32>, Failure> {
        let columns = train.rows().columns().iter().zip(0..);
        Ok(columns
            .filter(|(column, _)| varies(&column.values))
            .map(|(_, position)| position)
            .collect())
    }

    fn apply(&self, kept: &Vec<u32>, rows: &mut Rows) -> Result<(), Failure> {
        let kept: Vec<usize> = kept.iter().map(|&column| column as usize).collect();
        rows.keep(&kept);
        Ok(())
    }
}

/// Whether known values differ by more than rounding.
fn varies(values: &[f64]) -> bool {
    // Nearly all columns differ by far more than rounding; of them it is soon told.
    let known = || values.iter().copied().filter(|value| !value.is_nan());
    let lower = |a: f64, b: f64| if b < a { b } else { a };
    let higher = |a: f64, b: f64| if b > a { b } else { a };
    let least = known().fold(f64::INFINITY, lower);
    let most = known().fold(f64::NEG_INFINITY, higher);
    if most - least > FAR_APART * higher(most.abs(), least.abs()) {
        return true;
    }
    let known: Vec<f64> = known().collect();
    if known.iter().all(|value| *value == known[0]) {
        return false;
    }
    let n = known.len() as f64;
    // Each divided first, so that the largest numbers have a mean.
    let near = known.iter().map(|value| value / n).sum::<f64>();
    // A sum of many values is wrong by more than the values may differ by; their distances from what
    // is near them all are exact, and so is nearly their mean.
    let mean = near + known.iter().map(|value| (value - near) / n).sum::<f64>();
    if mean == 0.0 || !mean.is_finite() {
        return true;
    }
    // In units of the mean: squares of the smallest numbers would be 0.
    let share = |value: &f64| ((value - mean) / mean) * ((value - mean) / mean);
    let square = known.iter().map(share).sum::<f64>() / n;
    // Not a number is not below the limit either.
    !(sqrt(square) <= ROUNDING * f64::EPSILON)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::data::{Frame, FrameColumn};

    const NAN: f64 = f64::NAN;

    /// Trains on the rows of `columns` in the order of `train`.
    fn train(columns: &[Vec<f64>], train: Vec<u32>) -> Train {
        let n = train.len();
        let columns = columns.iter().enumerate();
        let columns = columns.map(|(i, values)| FrameColumn {
            name: format!("c{i}").into(),
            values: values.clone(),
        });
        let frame =
            Frame { rows: Rows::new(columns.collect(), n), failed: vec![None; n] };
        let split = Split { train, held_out: vec![] };
        split.train(&frame, &vec![Some(true); n], &vec![0; n])
    }

    #[test]
    fn kept_are_those_of_scikit_learn() {
        // scikit-learn 1.9.1: VarianceThreshold().fit(X).get_support() is [F, T, F, F, T].
        let columns = [
            vec![1.0, NAN, 1.0],
            vec![1.0, 2.0, 1.0],
            vec![NAN, 3.0, NAN],
            vec![NAN; 3],
            vec![NAN, 0.1, 0.1 + 1e-9],
        ];
        let kept = DropConstant {}.fit(&train(&columns, vec![0, 1, 2])).unwrap();
        assert_eq!(kept, [1, 4]);
    }

    #[test]
    fn what_differs_by_rounding_alone_is_constant() {
        let next = |value: f64| f64::from_bits(value.to_bits() + 1);
        for unit in [1e-200, 0.1, -3.0, 1e12, 1e300] {
            assert!(!varies(&[unit, next(unit), unit, NAN]), "{unit}");
            assert!(varies(&[unit, unit * (1.0 + 1e-12), unit]), "{unit}");
        }
        // The sum of many values is rounded as often.
        for unit in [0.1, 1.0 / 3.0, -3.7, 1e-200, 1e12] {
            let values: Vec<f64> = (0..5000)
                .map(|row| if row % 3 == 0 { next(unit) } else { unit })
                .collect();
            assert!(!varies(&values), "{unit}");
            let mut one = values.clone();
            one[7] = unit * (1.0 + 1e-11);
            assert!(varies(&one), "{unit}");
        }
        // Far apart, alone among many.
        let mut many = vec![3.0; 100_000];
        many[77] = 3.001;
        assert!(varies(&many));
        // A mean of 0 has no rounding.
        assert!(varies(&[-1e-300, 1e-300]));
        assert!(varies(&[f64::MAX, -f64::MAX / 3.0]));
        assert!(varies(&[f64::INFINITY, 1.0]));
    }

    #[test]
    fn held_out_rows_decide_nothing() {
        let values = vec![0.0, -0.0, 5.0];
        let column = FrameColumn { name: "x".into(), values };
        let frame = Frame { rows: Rows::new(vec![column], 3), failed: vec![None; 3] };
        let split = Split { train: vec![0, 1], held_out: vec![2] };
        let train = split.train(&frame, &[Some(true); 3], &[0; 3]);
        let kept = DropConstant {}.fit(&train).unwrap();
        let (_, mut held_out) = split.held_out(&frame);
        DropConstant {}.apply(&kept, &mut held_out).unwrap();
        assert_eq!((held_out.n(), held_out.p()), (1, 0));
    }

    proptest! {
        #[test]
        fn kept_columns_have_two_values_whatever_the_order_of_rows(
            (columns, order) in (0usize..6, 0usize..6).prop_flat_map(|(p, n)| {
                let value = prop_oneof![Just(NAN), Just(0.0), Just(f64::INFINITY), any::<f64>()];
                let column = prop::collection::vec(value, n);
                let order = Just((0..n as u32).collect::<Vec<u32>>()).prop_shuffle();
                (prop::collection::vec(column, p), order)
            }),
        ) {
            let ordered = train(&columns, (0..order.len() as u32).collect());
            let kept = DropConstant {}.fit(&ordered).unwrap();
            prop_assert!(kept.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert_eq!(&kept, &DropConstant {}.fit(&train(&columns, order)).unwrap());
            for (position, values) in columns.iter().enumerate() {
                let two = varies(values);
                let differ = values.iter().any(|a| values.iter().any(|b| a < b));
                prop_assert!(differ || !two);
                prop_assert_eq!(kept.contains(&(position as u32)), two);
            }
            let mut rows = ordered.rows().clone();
            DropConstant {}.apply(&kept, &mut rows).unwrap();
            prop_assert_eq!((rows.n(), rows.p()), (ordered.rows().n(), kept.len()));
        }
    }
}
