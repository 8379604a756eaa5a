//! Columns in which near rows of the other class differ more than near rows of the same.

use super::ranking::{Ranking, comparable, constant};
use crate::math::Matrix;
use crate::operation::prelude::*;

/// Keeps the k columns with the highest ReliefF weight.
///
/// Unlike univariate filters it sees columns that matter only together with others. Place
/// `drop_correlated` before it: copies of a column dominate the distances.
///
/// # Computation
/// diff(x, y) = |x − y| / (largest − smallest training value) in each column. The distance of two rows
/// is the sum of diff over the columns. For every row, its `neighbours` nearest rows of the same class
/// (hits) and of the other class (misses) are found, without itself. The weight of a column is the
/// mean over rows of its mean diff to the misses less its mean diff to the hits, in [−1, 1]. A class
/// with fewer rows gives those that it has. With two classes the weight of the misses by their prior
/// (Kononenko 1994) is 1. Rows as far as the last neighbour share the places that are left, so the
/// order of rows does not matter. Columns are ranked by weight, equal ones in table order; constant
/// columns come last. The kept columns stay in table order. All columns are kept when there are fewer
/// than k.
///
/// # Limits
/// Distances over thousands of columns are nearly alike, and most of what they sum is noise.
///
/// # Differences
/// scikit-rebate's `ReliefF` gives the same weights, but breaks ties between rows by a sort that is
/// not stable, takes columns of up to ten different values for categories, and counts a row as its
/// own hit where its class has too few others. CORElearn weighs neighbours by rank unless told
/// otherwise.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Relieff {
    /// Number of columns to keep.
    #[schemars(range(min = 1, max = 100_000), extend("x-tunable" = true))]
    pub k: usize,
    /// Number of nearest hits and of nearest misses.
    #[schemars(range(min = 1, max = 1000), extend("x-tunable" = true))]
    pub neighbours: usize,
}

impl Default for Relieff {
    fn default() -> Self {
        Self { k: 16, neighbours: 10 }
    }
}

impl Operation for Relieff {
    const ABOUT: About = About {
        name: "relieff",
        title: "Selection by ReliefF",
        version: 1,
        sources: &["kononenko1994", "robnik2003"],
        example: "relieff: { k: 8 }",
    };
}

impl TableStep for Relieff {
    type State = Ranking;

    const PICKS: bool = true;

    const READS_OUTCOME: bool = true;

    fn fit(&self, train: &Train) -> Result<Ranking, Failure> {
        let columns = comparable(train, 1)?;
        let mut scaled = Vec::with_capacity(columns.len());
        for column in columns {
            let unit = in_range(&column.values).ok_or_else(|| {
                Failure::NotFinite(format!("the range of `{}`", column.name))
            })?;
            scaled.push(unit);
        }
        let table =
            Matrix::of_columns(train.outcome().len(), scaled.iter().map(Vec::as_slice));
        let mut weights = weights(&table, train.outcome(), self.neighbours);
        for (weight, column) in weights.iter_mut().zip(columns) {
            if constant(&column.values) {
                *weight = f64::NEG_INFINITY;
            }
        }
        Ok(Ranking::of_scores(&weights))
    }

    fn apply(&self, ranking: &Ranking, rows: &mut Rows) -> Result<(), Failure> {
        ranking.keep(self.k, rows);
        Ok(())
    }

    fn keeps(&self) -> Option<usize> {
        Some(self.k)
    }

    fn as_fitted(&self) -> Self {
        Self { k: Self::default().k, ..*self }
    }
}

/// Values as shares of their range; 0 when constant, `None` when the range is not finite.
fn in_range(values: &[f64]) -> Option<Vec<f64>> {
    let least = values.iter().fold(f64::INFINITY, |a, b| a.min(*b));
    let range = values.iter().fold(f64::NEG_INFINITY, |a, b| a.max(*b)) - least;
    let share = |value: &f64| match range > 0.0 {
        true => (value - least) / range,
        false => 0.0,
    };
    range.is_finite().then(|| values.iter().map(share).collect())
}

/// The weight of each column.
fn weights(table: &Matrix, outcome: &[bool], neighbours: usize) -> Vec<f64> {
    let n = table.n;
    let mut distances = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..i {
            let pairs = table.row(i).iter().zip(table.row(j));
            let distance = pairs.map(|(a, b)| (a - b).abs()).sum();
            distances[i * n + j] = distance;
            distances[j * n + i] = distance;
        }
    }
    let mut weights = vec![0.0; table.p];
    for row in 0..n {
        for (same, sign) in [(true, -1.0), (false, 1.0)] {
            let of_class = (0..n)
                .filter(|&other| other != row && (outcome[other] == outcome[row]) == same)
                .map(|other| (distances[row * n + other], other));
            for (other, share) in nearest(of_class.collect(), neighbours) {
                let share = sign * share / n as f64;
                let pairs = table.row(row).iter().zip(table.row(other));
                for (weight, (a, b)) in weights.iter_mut().zip(pairs) {
                    *weight += share * (a - b).abs();
                }
            }
        }
    }
    weights
}

/// The nearest rows, each with its share of them.
fn nearest(mut rows: Vec<(f64, usize)>, neighbours: usize) -> Vec<(usize, f64)> {
    let places = neighbours.min(rows.len());
    if places == 0 {
        return Vec::new();
    }
    rows.sort_by(|(a, i), (b, j)| a.total_cmp(b).then(i.cmp(j)));
    let last = rows[places - 1].0;
    let nearer = rows.iter().take_while(|(distance, _)| *distance < last).count();
    let as_far = rows.iter().filter(|(distance, _)| *distance == last).count();
    let left = (places - nearer) as f64 / as_far as f64;
    let share = |(position, (_, row)): (usize, &(f64, usize))| {
        (*row, if position < nearer { 1.0 } else { left } / places as f64)
    };
    rows.iter().take(nearer + as_far).enumerate().map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use super::*;

    #[test]
    fn weights_are_those_of_scikit_rebate() {
        for (name, fixture) in Fixture::all() {
            println!("{name}");
            let scaled: Vec<Vec<f64>> =
                fixture.columns.iter().map(|column| in_range(column).unwrap()).collect();
            let n = fixture.outcome.len();
            let table = Matrix::of_columns(n, scaled.iter().map(Vec::as_slice));
            for neighbours in [3, 5] {
                let found = weights(&table, &fixture.outcome, neighbours);
                fixture.compare(&format!("relieff_{neighbours}"), &found, 1e-11);
            }
        }
    }

    #[test]
    fn rows_as_far_share_the_places_left() {
        let rows = vec![(2.0, 4), (1.0, 3), (2.0, 0), (3.0, 9), (2.0, 1)];
        let third = 1.0 / 3.0;
        assert_eq!(
            nearest(rows.clone(), 3),
            [
                (3, third),
                (0, 2.0 / 3.0 / 3.0),
                (1, 2.0 / 3.0 / 3.0),
                (4, 2.0 / 3.0 / 3.0)
            ]
        );
        assert_eq!(nearest(rows, 50).len(), 5);
        assert!(nearest(Vec::new(), 5).is_empty());
    }

    #[test]
    fn weights_are_by_hand_those_of_a_line() {
        // Rows at 0, 1 (negative) and 3, 4 (positive), one neighbour: hits at 1, misses at 3, 2, 2, 3.
        let column = in_range(&[0.0, 1.0, 3.0, 4.0]).unwrap();
        let noise = in_range(&[5.0; 4]).unwrap();
        let table = Matrix::of_columns(4, [&column[..], &noise[..]].into_iter());
        let found = weights(&table, &[false, false, true, true], 1);
        assert_eq!(found, [(3.0 + 2.0 + 2.0 + 3.0) / 16.0 - 0.25, 0.0]);
    }

    #[test]
    fn a_class_of_one_row_has_no_hits() {
        let column = in_range(&[0.0, 1.0, 3.0]).unwrap();
        let table = Matrix::of_columns(3, [&column[..]].into_iter());
        let found = weights(&table, &[true, false, false], 10);
        // Misses: (1/3 + 1)/2, 1/3, 1; hits: none, 2/3, 2/3.
        let expected = (2.0 / 3.0 + 1.0 / 3.0 + 1.0 - 4.0 / 3.0) / 3.0;
        assert!((found[0] - expected).abs() < 1e-15, "{found:?}");
    }
}
