//! What the filters share: columns in order of merit, and what a filter asks of its rows.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::data::FrameColumn;
use crate::math::{ABREAST, abreast, sums_abreast};
use crate::operation::prelude::*;

/// Positions of columns, best first. Filters keep the first k of them, in table order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ranking(pub(super) Vec<u32>);

impl Ranking {
    /// All columns by their scores, the highest first and equal ones in table order.
    pub fn of_scores(scores: &[f64]) -> Self {
        Self::sorted(scores, |a, b| b.total_cmp(a))
    }

    /// All columns in the order of what is known of them, equal ones in table order.
    pub fn sorted<T>(known: &[T], order: impl Fn(&T, &T) -> Ordering) -> Self {
        let mut ranking: Vec<u32> = (0..known.len() as u32).collect();
        // Stable, so equal columns stay in table order.
        ranking.sort_by(|&a, &b| order(&known[a as usize], &known[b as usize]));
        Self(ranking)
    }

    /// Keeps the first `k` columns, in table order.
    pub fn keep(&self, k: usize, rows: &mut Rows) {
        let mut kept: Vec<usize> =
            self.0.iter().take(k).map(|&column| column as usize).collect();
        kept.sort_unstable();
        rows.keep(&kept);
    }
}

/// A two-sided p-value and the size of the statistic behind it.
///
/// Far out all p-values are 0; there the statistic goes on telling columns apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Evidence {
    pub p: f64,
    pub size: f64,
}

impl Evidence {
    /// Of a column that cannot differ between the classes.
    pub const NONE: Self = Self { p: 1.0, size: -1.0 };

    /// The stronger evidence first.
    pub fn order(&self, other: &Self) -> Ordering {
        self.p.total_cmp(&other.p).then(other.size.total_cmp(&self.size))
    }
}

/// The columns of rows that a filter can compare between the classes: both classes are there, each
/// with at least `least` rows, and every value is a finite number.
pub(super) fn comparable(
    train: &Train,
    least: usize,
) -> Result<&[Arc<FrameColumn>], Failure> {
    let positive = train.outcome().iter().filter(|positive| **positive).count();
    let fewest = positive.min(train.outcome().len() - positive);
    if fewest == 0 {
        return Err(Failure::OneClass);
    }
    if fewest < least {
        return Err(Failure::TooFewOfAClass { needed: least, found: fewest });
    }
    if let Some(column) = train.rows().missing() {
        return Err(Failure::Missing(column.to_string()));
    }
    let columns = train.rows().columns();
    let infinite = |column: &FrameColumn| {
        column.values.iter().filter(|value| value.is_infinite()).count()
    };
    match columns.iter().find(|column| infinite(column) > 0) {
        Some(column) => Err(Failure::NotFinite(format!("a value of `{}`", column.name))),
        None => Ok(columns),
    }
}

/// Whether all values are the same.
pub(super) fn constant(values: &[f64]) -> bool {
    values.iter().all(|value| *value == values[0])
}

/// The one-way F statistic between the classes of each column; −1 for a constant column, +∞ when the
/// classes are perfectly apart.
pub(super) fn f_statistics(columns: &[Arc<FrameColumn>], outcome: &[bool]) -> Vec<f64> {
    let n = outcome.len() as f64;
    let mut all = Vec::with_capacity(columns.len());
    for here in columns.chunks(ABREAST) {
        let values: Vec<&[f64]> = here.iter().map(|c| c.values.as_slice()).collect();
        let values = abreast(&values);
        // Sums of deviations from the grand mean: subtracting it first loses the fewest digits.
        let grand = sums_abreast(values, |_, value| value).map(|sum| sum / n);
        let found = f_of(values, |at, value| value - grand[at], outcome);
        for (values, f) in values.into_iter().zip(found).take(here.len()) {
            all.push(match f {
                _ if constant(values) => -1.0,
                f if f.is_nan() => far_out(values, outcome),
                f => f,
            });
        }
    }
    all
}

/// F of a column whose squared deviations are too large or too small for a number.
fn far_out(values: &[f64], outcome: &[bool]) -> f64 {
    let n = values.len() as f64;
    // Squares of very large and very small numbers are 0 or infinite; these are 1 at most.
    let half = values.iter().map(|value| value / 2.0 / n).sum::<f64>();
    let deviations = values.iter().map(|value| value / 2.0 - half);
    let largest = deviations.clone().fold(0.0, |a: f64, b| a.max(b.abs()));
    let deviations: Vec<f64> = deviations.map(|deviation| deviation / largest).collect();
    f_of([&deviations; ABREAST], |_, deviation| deviation, outcome)[0]
}

/// F of each column from its deviations from the grand mean; not a number where their squares are out of
/// range.
fn f_of(
    columns: [&[f64]; ABREAST],
    deviation: impl Fn(usize, f64) -> f64,
    outcome: &[bool],
) -> [f64; ABREAST] {
    let columns = columns.map(|column| &column[..outcome.len()]);
    let mut sums = [[0.0; ABREAST]; 2];
    let mut totals = [0.0; ABREAST];
    for (row, positive) in outcome.iter().enumerate() {
        let sums = &mut sums[usize::from(*positive)];
        for at in 0..ABREAST {
            let deviation = deviation(at, columns[at][row]);
            sums[at] += deviation;
            totals[at] += deviation * deviation;
        }
    }
    let n = outcome.len() as f64;
    let positive = outcome.iter().filter(|positive| **positive).count() as f64;
    std::array::from_fn(|at| {
        let total = totals[at];
        if !(total.is_finite() && total >= f64::MIN_POSITIVE / f64::EPSILON) {
            return f64::NAN;
        }
        let of_classes = [(sums[0][at], n - positive), (sums[1][at], positive)];
        let between: f64 = of_classes.iter().map(|(sum, n)| sum * sum / n).sum();
        let within = (total - between).max(0.0);
        match within == 0.0 {
            true => f64::INFINITY,
            false => between / (within / (n - 2.0)),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::Stream;

    fn f_statistic(values: &[f64], outcome: &[bool]) -> f64 {
        let column = FrameColumn { name: "c".into(), values: values.to_vec() };
        f_statistics(&[Arc::new(column)], outcome)[0]
    }

    #[test]
    fn columns_beside_each_other_have_the_f_of_one_alone() {
        let mut stream = Stream::new(1, &["f"]);
        let outcome: Vec<bool> = (0..23).map(|_| stream.below(3) == 0).collect();
        let mut columns = Vec::new();
        for at in 0..21 {
            let scale = [1.0, 1e-200, 1e200, 0.0, 3e307][at % 5];
            let values = outcome.iter().map(|_| scale * stream.normal());
            let values: Vec<f64> = match at {
                4 => outcome
                    .iter()
                    .map(|positive| f64::from(u8::from(*positive)))
                    .collect(),
                _ => values.collect(),
            };
            columns.push(Arc::new(FrameColumn { name: "c".into(), values }));
        }
        let all = f_statistics(&columns, &outcome);
        assert_eq!((all.len(), all[3]), (21, -1.0));
        // Perfectly apart, but for rounding.
        assert!(all[4] > 1e9);
        for (column, f) in columns.iter().zip(&all) {
            assert_eq!(f.to_bits(), f_statistic(&column.values, &outcome).to_bits());
        }
        assert!(f_statistics(&[], &outcome).is_empty());
    }

    #[test]
    fn f_is_that_of_scikit_learn() {
        // scikit-learn 1.9.1: f_classif([[1],[2],[3],[5],[4]], [0,0,0,1,1]) = 12.25 / 1 · …
        let value =
            f_statistic(&[1.0, 2.0, 3.0, 5.0, 4.0], &[false, false, false, true, true]);
        // Between: 3·(2−3)² + 2·(4.5−3)² = 7.5; within: 2.5; F = 7.5 / (2.5 / 3) = 9.
        assert!((value - 9.0).abs() < 1e-12, "{value}");
    }

    #[test]
    fn the_scale_does_not_matter_to_f() {
        let values = [1.0, 2.0, 3.0, 5.0, 4.0];
        let outcome = [false, false, false, true, true];
        for scale in [1e-300, 1e-160, 1e-12, 1e12, 1e160, 3e307] {
            let f = f_statistic(&values.map(|value| value * scale), &outcome);
            assert!((f - 9.0).abs() < 1e-10, "{scale}: {f}");
        }
    }

    #[test]
    fn evidence_goes_on_where_p_ends() {
        let evidence = |p, size| Evidence { p, size };
        let known = [
            Evidence::NONE,
            evidence(0.0, 50.0),
            evidence(0.5, 1.0),
            evidence(0.0, 60.0),
            evidence(0.5, 1.0),
            evidence(1.0, 0.0),
        ];
        let ranking = Ranking::sorted(&known, Evidence::order);
        assert_eq!(ranking.0, [3, 1, 2, 4, 5, 0]);
    }
}
