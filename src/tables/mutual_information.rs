//! The columns that share most information with the classes.

use super::ranking::{Ranking, comparable, constant};
use crate::math::ln;
use crate::operation::prelude::*;

/// Keeps the k columns with the highest mutual information with the outcome.
///
/// Sees differences of any shape between the classes, also where their means are equal; with few
/// rows it sees them where there are none.
///
/// # Computation
/// The range of a column is cut into b = ⌈2 n^⅓⌉ bins of equal width; the last holds the largest
/// value. I = Σ p(x, y) ln(p(x, y) / (p(x) p(y))) over bins and classes, with shares of the n training
/// rows for probabilities, in nats. Columns are ranked by I, equal ones in table order; constant
/// columns come last. The kept columns stay in table order. All columns are kept when there are fewer
/// than k.
///
/// # Limits
/// The plug-in estimate is too high by about (b − 1) / 2n, alike for all columns. Bins follow the
/// range, so one outlier empties most of them: `transform_yeo_johnson` before it helps.
///
/// # Differences
/// scikit-learn's `mutual_info_classif` estimates from nearest neighbours and adds random noise.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MutualInformation {
    /// Number of columns to keep.
    #[schemars(range(min = 1, max = 100_000), extend("x-tunable" = true))]
    pub k: usize,
}

impl Default for MutualInformation {
    fn default() -> Self {
        Self { k: 16 }
    }
}

impl Operation for MutualInformation {
    const ABOUT: About = About {
        name: "mutual_information",
        title: "Selection by mutual information",
        version: 1,
        sources: &["shannon1948"],
        example: "mutual_information: { k: 8 }",
    };
}

impl TableStep for MutualInformation {
    type State = Ranking;

    const PICKS: bool = true;

    const READS_OUTCOME: bool = true;

    fn fit(&self, train: &Train) -> Result<Ranking, Failure> {
        let columns = comparable(train, 1)?.iter();
        let shared: Vec<f64> =
            columns.map(|column| information(&column.values, train.outcome())).collect();
        Ok(Ranking::of_scores(&shared))
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

/// Mutual information in nats; −1 for a constant column.
fn information(values: &[f64], outcome: &[bool]) -> f64 {
    if constant(values) {
        return -1.0;
    }
    let bins = bins(values.len());
    let least = values.iter().fold(f64::INFINITY, |a, b| a.min(*b));
    let largest = values.iter().fold(f64::NEG_INFINITY, |a, b| a.max(*b));
    // Halves, so that the range of the largest numbers is one.
    let range = largest / 2.0 - least / 2.0;
    let mut counts = vec![[0usize; 2]; bins];
    for (value, positive) in values.iter().zip(outcome) {
        let share = ((value / 2.0 - least / 2.0) / range).min(1.0);
        let bin = ((share * bins as f64) as usize).min(bins - 1);
        counts[bin][usize::from(*positive)] += 1;
    }
    let n = values.len() as f64;
    let positive = outcome.iter().filter(|positive| **positive).count() as f64;
    let classes = [n - positive, positive];
    let mut shared = 0.0;
    for bin in &counts {
        let in_bin = (bin[0] + bin[1]) as f64;
        for (count, class) in bin.iter().zip(classes) {
            let count = *count as f64;
            if count > 0.0 {
                shared += count / n * ln(count * n / (in_bin * class));
            }
        }
    }
    shared
}

/// ⌈2 n^⅓⌉, without rounding: the least b with b³ ≥ 8n.
fn bins(n: usize) -> usize {
    (1..).find(|bins: &usize| bins.pow(3) >= 8 * n).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use super::*;

    #[test]
    fn information_is_that_of_scikit_learn() {
        for (name, fixture) in Fixture::all() {
            println!("{name}");
            let found =
                |column: &Vec<f64>| information(column, &fixture.outcome).max(0.0);
            let found: Vec<f64> = fixture.columns.iter().map(found).collect();
            fixture.compare("information", &found, 1e-12);
        }
    }

    #[test]
    fn bins_are_whole_where_the_root_is() {
        assert_eq!([1, 8, 9, 27, 64, 101, 1000].map(bins), [2, 4, 5, 6, 8, 10, 20]);
    }

    #[test]
    fn perfect_and_no_information() {
        let outcome = [false, false, true, true];
        let perfect = information(&[0.0, 0.1, 1.0, 0.9], &outcome);
        assert!((perfect - ln(2.0)).abs() < 1e-15, "{perfect}");
        assert_eq!(information(&[0.0, 1.0, 0.0, 1.0], &outcome), 0.0);
        assert_eq!(information(&[5.0; 4], &outcome), -1.0);
        let huge = information(&[-1e308, -1e308, 1e308, 1e308], &outcome);
        assert!((huge - ln(2.0)).abs() < 1e-15, "{huge}");
    }
}
