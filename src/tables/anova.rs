//! The columns whose class means differ most, by the F statistic.

use super::ranking::{Ranking, comparable, f_statistics};
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

    const PICKS: bool = true;

    const READS_OUTCOME: bool = true;

    fn fit(&self, train: &Train) -> Result<Ranking, Failure> {
        let columns = comparable(train, 1)?;
        Ok(Ranking::of_scores(&f_statistics(columns, train.outcome())))
    }

    fn apply(&self, ranking: &Ranking, rows: &mut Rows) -> Result<(), Failure> {
        ranking.keep(self.k, rows);
        Ok(())
    }

    fn keeps(&self) -> Option<usize> {
        Some(self.k)
    }

    fn as_fitted(&self) -> Self {
        Self::default()
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
            name: format!("c{i}").into(),
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
    fn ties_keep_table_order_and_constants_come_last() {
        let outcome = [false, false, true, true];
        let constant: &[f64] = &[1.0; 4];
        let weak: &[f64] = &[0.0, 1.0, 0.5, 1.5];
        let strong: &[f64] = &[0.0, 0.1, 1.0, 1.1];
        let train = train(&[constant, weak, strong, strong], &outcome);
        let ranking = Anova::default().fit(&train).unwrap();
        assert_eq!(ranking.0, [2, 3, 1, 0]);
        let mut rows = train.rows().clone();
        Anova { k: 2 }.apply(&ranking, &mut rows).unwrap();
        let names: Vec<&str> = rows.columns().iter().map(|c| &*c.name).collect();
        assert_eq!(names, ["c2", "c3"]);
        Anova { k: 50 }.apply(&ranking, &mut train.rows().clone()).unwrap();
    }

    #[test]
    fn one_class_is_refused() {
        let train = train(&[&[1.0, 2.0]], &[true, true]);
        assert_eq!(Anova::default().fit(&train), Err(Failure::OneClass));
    }
}
