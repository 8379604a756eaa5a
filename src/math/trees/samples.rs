//! The rows that trees are grown on, in an order that does not depend on how they were handed.

use std::borrow::Cow;

/// Columns and classes of the training rows.
#[derive(Debug, Clone)]
pub struct Samples<'a> {
    columns: Vec<Cow<'a, [f64]>>,
    positive: Vec<bool>,
    groups: Vec<u32>,
}

impl<'a> Samples<'a> {
    /// Rows in the order of their groups (subjects); within one, of their values.
    ///
    /// Random draws name rows by position: without a settled order, handing the same rows in
    /// another order would give other trees.
    pub fn new(columns: Vec<&'a [f64]>, positive: &[bool], groups: &[u32]) -> Self {
        let n = positive.len();
        if groups.windows(2).all(|pair| pair[0] < pair[1]) {
            let columns = columns.into_iter().map(Cow::Borrowed).collect();
            return Self {
                columns,
                positive: positive.to_vec(),
                groups: groups.to_vec(),
            };
        }
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|&a, &b| {
            let mut by_value = columns.iter().map(|c| c[a].total_cmp(&c[b]));
            (groups[a].cmp(&groups[b]))
                .then_with(|| {
                    by_value.find(|of| of.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
                })
                .then_with(|| positive[a].cmp(&positive[b]))
        });
        let taken = |column: &[f64]| order.iter().map(|&row| column[row]).collect();
        Self {
            columns: columns.into_iter().map(|c| Cow::Owned(taken(c))).collect(),
            positive: order.iter().map(|&row| positive[row]).collect(),
            groups: order.iter().map(|&row| groups[row]).collect(),
        }
    }

    /// Number of rows.
    pub fn n(&self) -> usize {
        self.positive.len()
    }

    /// Number of columns.
    pub fn p(&self) -> usize {
        self.columns.len()
    }

    pub fn column(&self, j: usize) -> &[f64] {
        &self.columns[j]
    }

    pub fn columns(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        self.columns.iter().map(|column| &column[..])
    }

    /// The class of each row.
    pub fn positive(&self) -> &[bool] {
        &self.positive
    }

    /// The group (subject) of each row.
    pub fn groups(&self) -> &[u32] {
        &self.groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_in_which_rows_are_handed_makes_no_difference() {
        let (a, b) = ([1.0, 2.0, 3.0, 2.0], [5.0, 6.0, 7.0, 4.0]);
        let first =
            Samples::new(vec![&a, &b], &[true, false, true, false], &[3, 1, 2, 1]);
        assert_eq!(first.column(0), [2.0, 2.0, 3.0, 1.0]);
        assert_eq!(first.column(1), [4.0, 6.0, 7.0, 5.0]);
        assert_eq!(first.positive(), [false, false, true, true]);
        assert_eq!(first.groups(), [1, 1, 2, 3]);
        let (a, b) = ([3.0, 2.0, 2.0, 1.0], [7.0, 4.0, 6.0, 5.0]);
        let second =
            Samples::new(vec![&a, &b], &[true, false, false, true], &[2, 1, 1, 3]);
        assert_eq!(first.columns, second.columns);
        let settled = Samples::new(vec![&a], &[true; 4], &[1, 2, 5, 9]);
        assert!(matches!(settled.columns[0], Cow::Borrowed(_)));
    }
}
