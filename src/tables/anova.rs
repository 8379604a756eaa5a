//! The columns whose class means differ most, by the F statistic.

use crate::operation::prelude::*;

/// Keeps the k columns with the highest one-way F statistic between the classes.
///
/// A fast univariate filter; it sees each column alone, so redundant columns stay together.
///
/// # Computation
/// F = (between-class sum of squares / 1) / (within-class sum of squares / (n − 2)). Columns are
/// ranked by F, equal ones in table order; constant columns come last. The kept columns stay in
/// table order. All columns are kept when there are fewer than k.
///
/// # Differences
/// scikit-learn's `f_classif` gives the same F; its `SelectKBest` keeps the later of two equal
/// columns, this step the earlier.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Anova {
    /// Number of columns to keep.
    #[schemars(range(min = 1, max = 100_000), extend("x-tunable" = true))]
    pub k: usize,
}

impl Default for Anova {
    fn default() -> Self {
        Self { k: 16 }
    }
}

/// Positions of all columns, best first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ranking(Vec<u32>);

impl Operation for Anova {
    const ABOUT: About = About {
        name: "anova",
        title: "Selection by analysis of variance",
        version: 1,
        sources: &["fisher1925"],
        example: "anova: { k: 8 }",
    };
}

impl TableStep for Anova {
    type State = Ranking;

    const READS_OUTCOME: bool = true;

    fn fit(&self, train: &Train) -> Result<Ranking, Failure> {
        let positive = train.outcome().iter().filter(|positive| **positive).count();
        if positive == 0 || positive == train.outcome().len() {
            return Err(Failure::OneClass);
        }
        if let Some(column) = train.rows().missing() {
            return Err(Failure::Missing(column.to_string()));
        }
        let columns = train.rows().columns().iter();
        let f: Vec<f64> =
            columns.map(|column| f(&column.values, train.outcome())).collect();
        let mut ranking: Vec<u32> = (0..f.len() as u32).collect();
        // Stable, so equal columns stay in table order.
        ranking.sort_by(|&a, &b| f[b as usize].total_cmp(&f[a as usize]));
        Ok(Ranking(ranking))
    }

    fn apply(&self, ranking: &Ranking, rows: &mut Rows) {
        let mut kept: Vec<usize> =
            ranking.0.iter().take(self.k).map(|&column| column as usize).collect();
        kept.sort_unstable();
        rows.keep(&kept);
    }

    fn as_fitted(&self) -> Self {
        Self::default()
    }
}

/// The F statistic of one column; −1 for a constant one, +∞ when classes are perfectly apart.
fn f(values: &[f64], outcome: &[bool]) -> f64 {
    if values.iter().all(|value| *value == values[0]) {
        return -1.0;
    }
    let n = values.len() as f64;
    // Sums of deviations from the grand mean: subtracting it first loses the fewest digits.
    let grand = values.iter().sum::<f64>() / n;
    let mut sums = [0.0; 2];
    let mut counts = [0.0; 2];
    let mut total = 0.0;
    for (value, positive) in values.iter().zip(outcome) {
        let deviation = value - grand;
        sums[usize::from(*positive)] += deviation;
        counts[usize::from(*positive)] += 1.0;
        total += deviation * deviation;
    }
    let between: f64 = sums.iter().zip(counts).map(|(sum, n)| sum * sum / n).sum();
    let within = (total - between).max(0.0);
    match within == 0.0 {
        true => f64::INFINITY,
        false => between / (within / (n - 2.0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Frame, FrameColumn};

    fn train(columns: &[&[f64]], outcome: &[bool]) -> Train {
        let n = outcome.len();
        let columns = columns.iter().enumerate();
        let columns = columns.map(|(i, values)| FrameColumn {
            name: format!("c{i}"),
            values: values.to_vec(),
        });
        let frame =
            Frame { rows: Rows::new(columns.collect(), n), failed: vec![None; n] };
        let split = Split { train: (0..n as u32).collect(), held_out: vec![] };
        let outcome: Vec<Option<bool>> =
            outcome.iter().map(|class| Some(*class)).collect();
        split.train(&frame, &outcome, &vec![0; n])
    }

    #[test]
    fn f_is_that_of_scikit_learn() {
        // scikit-learn 1.9.1: f_classif([[1],[2],[3],[5],[4]], [0,0,0,1,1]) = 12.25 / 1 · …
        let value = f(&[1.0, 2.0, 3.0, 5.0, 4.0], &[false, false, false, true, true]);
        // Between: 3·(2−3)² + 2·(4.5−3)² = 7.5; within: 2.5; F = 7.5 / (2.5 / 3) = 9.
        assert!((value - 9.0).abs() < 1e-12, "{value}");
    }

    #[test]
    fn ties_keep_table_order_and_constants_come_last() {
        let outcome = [false, false, true, true];
        let constant: &[f64] = &[1.0; 4];
        let weak: &[f64] = &[0.0, 1.0, 0.5, 1.5];
        let strong: &[f64] = &[0.0, 0.1, 1.0, 1.1];
        let train = train(&[constant, weak, strong, strong], &outcome);
        let ranking = Anova::default().fit(&train).unwrap();
        assert_eq!(ranking.0, [2, 3, 1, 0]);
        let mut rows = train.rows().clone();
        Anova { k: 2 }.apply(&ranking, &mut rows);
        let names: Vec<&str> = rows.columns().iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["c2", "c3"]);
        Anova { k: 50 }.apply(&ranking, &mut train.rows().clone());
    }

    #[test]
    fn one_class_is_refused() {
        let train = train(&[&[1.0, 2.0]], &[true, true]);
        assert_eq!(Anova::default().fit(&train), Err(Failure::OneClass));
    }
}
