//! Columns with too many missing values, left out.

use crate::operation::prelude::*;

/// Drops columns in which too many training values are missing.
///
/// Place it before an imputing step, which would fill such a column from few patients.
///
/// # Computation
/// A column's share is the number of its missing training values over the number of training rows.
/// It is dropped when its share exceeds the parameter; a share equal to it is kept. The kept
/// columns stay in table order; missing values in them stay missing.
///
/// # State
/// The share of missing training values of each column, from which `share` says what stays.
///
/// # Limits
/// Where values are missing for a reason that has to do with the outcome, the dropped column knew
/// something. With `share: 1` every column stays. It may leave no column at all.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DropMissing {
    /// Largest share of missing training values that a kept column has.
    #[schemars(range(min = 0.0, max = 1.0), extend("x-tunable" = true))]
    pub share: f64,
}

impl Default for DropMissing {
    fn default() -> Self {
        Self { share: 0.2 }
    }
}

impl Operation for DropMissing {
    const ABOUT: About = About {
        name: "drop_missing",
        title: "Without columns of missing values",
        version: 1,
        sources: &["little2019"],
        example: "drop_missing: { share: 0.1 }",
    };
}

impl TableStep for DropMissing {
    /// The share of missing training values per column.
    type State = Vec<f64>;

    const PICKS: bool = true;

    const READS_VALUES: bool = false;

    const GAPS: Gaps = Gaps::Kept;

    fn fit(&self, train: &Train) -> Result<Vec<f64>, Failure> {
        // Without rows nothing is missing.
        let n = train.rows().n().max(1) as f64;
        let columns = train.rows().columns().iter();
        let missing = columns
            .map(|column| column.values.iter().filter(|value| value.is_nan()).count());
        Ok(missing.map(|missing| missing as f64 / n).collect())
    }

    fn apply(&self, shares: &Vec<f64>, rows: &mut Rows) -> Result<(), Failure> {
        let kept: Vec<usize> =
            (0..shares.len()).filter(|&column| shares[column] <= self.share).collect();
        rows.keep(&kept);
        Ok(())
    }

    fn as_fitted(&self) -> Self {
        Self::default()
    }
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

    fn kept(share: f64, shares: &Vec<f64>, rows: &Rows) -> Vec<String> {
        let mut rows = rows.clone();
        DropMissing { share }.apply(shares, &mut rows).unwrap();
        rows.columns().iter().map(|column| column.name.to_string()).collect()
    }

    #[test]
    fn shares_are_those_of_pandas_and_one_state_serves_the_grid() {
        // pandas 3.1.1: DataFrame.isna().mean() is [0.2, 0.0, 0.6, 1.0].
        let columns = [
            vec![1.0, NAN, 1.0, 2.0, 3.0],
            vec![0.0; 5],
            vec![NAN, 3.0, NAN, NAN, 1.0],
            vec![NAN; 5],
        ];
        let train = train(&columns, (0..5).collect());
        let shares = DropMissing::default().fit(&train).unwrap();
        assert_eq!(shares, [0.2, 0.0, 0.6, 1.0]);
        for (share, names) in [
            (0.0, vec!["c1"]),
            (0.19, vec!["c1"]),
            (0.2, vec!["c0", "c1"]),
            (0.6, vec!["c0", "c1", "c2"]),
            (1.0, vec!["c0", "c1", "c2", "c3"]),
        ] {
            assert_eq!(DropMissing { share }.fit(&train), Ok(shares.clone()));
            assert_eq!(kept(share, &shares, train.rows()), names, "{share}");
        }
        assert_eq!(DropMissing { share: 0.7 }.as_fitted().share, 0.2);
    }

    #[test]
    fn held_out_rows_decide_nothing() {
        let values = vec![1.0, 2.0, NAN];
        let column = FrameColumn { name: "x".into(), values };
        let frame = Frame { rows: Rows::new(vec![column], 3), failed: vec![None; 3] };
        let split = Split { train: vec![0, 1], held_out: vec![2] };
        let train = split.train(&frame, &[Some(true); 3], &[0; 3]);
        let shares = DropMissing::default().fit(&train).unwrap();
        let (_, held_out) = split.held_out(&frame);
        assert_eq!(kept(0.0, &shares, &held_out), ["x"]);
    }

    proptest! {
        #[test]
        fn a_larger_share_keeps_more_whatever_the_order_of_rows(
            (columns, order) in (0usize..6, 0usize..9).prop_flat_map(|(p, n)| {
                let column = prop::collection::vec(prop_oneof![Just(NAN), any::<f64>()], n);
                let order = Just((0..n as u32).collect::<Vec<u32>>()).prop_shuffle();
                (prop::collection::vec(column, p), order)
            }),
            a in 0.0..=1.0,
            b in 0.0..=1.0,
        ) {
            let ordered = train(&columns, (0..order.len() as u32).collect());
            let shares = DropMissing::default().fit(&ordered).unwrap();
            prop_assert_eq!(
                &shares,
                &DropMissing::default().fit(&train(&columns, order)).unwrap()
            );
            let (less, more) = (f64::min(a, b), f64::max(a, b));
            let (less, more) =
                (kept(less, &shares, ordered.rows()), kept(more, &shares, ordered.rows()));
            // Names are `c0` to `c5`, so their order is that of the table.
            prop_assert!(more.is_sorted());
            prop_assert!(less.iter().all(|name| more.contains(name)));
            prop_assert_eq!(kept(1.0, &shares, ordered.rows()).len(), columns.len());
        }
    }
}
