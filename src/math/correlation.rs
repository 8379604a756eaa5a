//! What correlations are made of: columns of unit length, and ranks.

use super::{ABREAST, sqrt, sums_abreast};

/// Columns of equal length as deviations from their means, scaled to unit length: r of two is their dot
/// product. All 0 for a constant column.
#[derive(Debug, Clone, PartialEq)]
pub struct Units {
    n: usize,
    p: usize,
    /// Column-major.
    values: Vec<f64>,
}

impl Units {
    /// Fails: the position of the first column of which a deviation is not finite.
    pub fn of(columns: &[&[f64]]) -> Result<Self, usize> {
        let n = columns.first().map_or(0, |column| column.len());
        let mut values = vec![0.0; n * columns.len()];
        if n > 0 {
            for (group, (here, into)) in
                columns.chunks(ABREAST).zip(values.chunks_mut(ABREAST * n)).enumerate()
            {
                scaled(here, n, into).map_err(|at| group * ABREAST + at)?;
            }
        }
        Ok(Self { n, p: columns.len(), values })
    }

    /// Number of columns.
    pub fn p(&self) -> usize {
        self.p
    }

    /// Length of a column.
    pub fn n(&self) -> usize {
        self.n
    }

    pub fn column(&self, at: usize) -> &[f64] {
        &self.values[at * self.n..(at + 1) * self.n]
    }

    pub fn columns(&self) -> impl Iterator<Item = &[f64]> {
        (0..self.p).map(|at| self.column(at))
    }
}

/// Writes up to [`ABREAST`] columns of `n` values at unit length, one after another. Fails with the first
/// of which a deviation is not finite.
fn scaled(columns: &[&[f64]], n: usize, into: &mut [f64]) -> Result<(), usize> {
    for (column, into) in columns.iter().zip(into.chunks_exact_mut(n)) {
        into.copy_from_slice(column);
    }
    // Twice: far from 0, what rounding takes from the first mean is not small beside the spread.
    for _ in 0..2 {
        let sums = sums_abreast(side(into, n), |_, value| value);
        for (into, sum) in into.chunks_exact_mut(n).zip(sums) {
            let mean = sum / n as f64;
            into.iter_mut().for_each(|value| *value -= mean);
        }
    }
    for (at, (column, into)) in columns.iter().zip(into.chunks_exact_mut(n)).enumerate() {
        if column.iter().all(|value| *value == column[0]) {
            into.fill(0.0);
            continue;
        }
        if into.iter().any(|deviation| !deviation.is_finite()) {
            return Err(at);
        }
        // Squares of very large and very small numbers are 0 or infinite; these are 1 at most.
        let largest = largest(into);
        into.iter_mut().for_each(|value| *value /= largest);
    }
    let squares = sums_abreast(side(into, n), |_, value| value * value);
    for (into, squares) in into.chunks_exact_mut(n).zip(squares) {
        if squares > 0.0 {
            let length = sqrt(squares);
            into.iter_mut().for_each(|value| *value /= length);
        }
    }
    Ok(())
}

/// The columns that stand one after another.
fn side(columns: &[f64], n: usize) -> [&[f64]; ABREAST] {
    let mut last = &columns[..n];
    let mut columns = columns.chunks_exact(n);
    std::array::from_fn(|_| {
        last = columns.next().unwrap_or(last);
        last
    })
}

/// The largest size of a finite value.
fn largest(values: &[f64]) -> f64 {
    // Which of them are compared with which does not matter: several need not wait for each other.
    let mut largest = [0.0f64; ABREAST];
    for values in values.chunks(ABREAST) {
        for (largest, value) in largest.iter_mut().zip(values) {
            let size = value.abs();
            *largest = if size > *largest { size } else { *largest };
        }
    }
    largest.into_iter().fold(0.0, f64::max)
}

/// The same for one column; `None` when a deviation is not finite.
pub fn unit(values: &[f64]) -> Option<Vec<f64>> {
    Units::of(&[values]).ok().map(|units| units.values)
}

/// Ranks from 1, where equal values share the middle of theirs.
pub fn mid_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for tied in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let middle = before as f64 + (tied.len() + 1) as f64 / 2.0;
        tied.iter().for_each(|&row| ranks[row] = middle);
        before += tied.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::math::mean;

    /// One column by itself, as it is told.
    fn plainly(values: &[f64]) -> Option<Vec<f64>> {
        if values.iter().all(|value| *value == values[0]) {
            return Some(vec![0.0; values.len()]);
        }
        let mut deviations = values.to_vec();
        for _ in 0..2 {
            let mean = mean(&deviations)?;
            deviations.iter_mut().for_each(|value| *value -= mean);
        }
        if deviations.iter().any(|deviation| !deviation.is_finite()) {
            return None;
        }
        let largest = deviations.iter().fold(0.0, |a: f64, b| a.max(b.abs()));
        deviations.iter_mut().for_each(|value| *value /= largest);
        let length = sqrt(deviations.iter().map(|value| value * value).sum());
        deviations.iter_mut().for_each(|value| *value /= length);
        Some(deviations)
    }

    proptest! {
        #[test]
        fn columns_beside_each_other_have_the_bits_of_one_alone(
            columns in (0usize..20, 0usize..20).prop_flat_map(|(n, p)| {
                let few = (0i8..3).prop_map(f64::from);
                let far = (0.0..1.0).prop_map(|value| value + 4e15);
                let size = prop::sample::select(vec![f64::MAX, -f64::MAX, 1e-310, 0.0]);
                let value = prop_oneof![3 => few, 3 => -9.0..9.0, 1 => far, 1 => size];
                prop::collection::vec(prop::collection::vec(value, n), p)
            }),
        ) {
            let slices: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
            let plain: Vec<_> = columns.iter().map(|column| plainly(column)).collect();
            match Units::of(&slices) {
                Err(at) => prop_assert_eq!(Some(at), plain.iter().position(Option::is_none)),
                Ok(units) => {
                    prop_assert_eq!(units.p(), columns.len());
                    for (column, plain) in units.columns().zip(plain) {
                        let bits = |values: &[f64]| -> Vec<u64> {
                            values.iter().map(|value| value.to_bits()).collect()
                        };
                        prop_assert_eq!(bits(column), bits(&plain.unwrap()));
                    }
                }
            }
        }
    }
}
