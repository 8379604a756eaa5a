//! Small dense matrices, with sums in a fixed order.

use super::sqrt;

/// Row-major numbers. Shape: n × p.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    pub n: usize,
    pub p: usize,
    pub values: Vec<f64>,
}

impl Matrix {
    /// The matrix with these columns, each of length `n`.
    pub fn of_columns<'a>(n: usize, columns: impl Iterator<Item = &'a [f64]>) -> Self {
        let columns: Vec<&[f64]> = columns.collect();
        let p = columns.len();
        let mut values = vec![0.0; n * p];
        for (j, column) in columns.into_iter().enumerate() {
            for (i, value) in column.iter().enumerate() {
                values[i * p + j] = *value;
            }
        }
        Self { n, p, values }
    }

    pub fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.p..(i + 1) * self.p]
    }

    /// XXᵀ. Shape: n × n.
    pub fn gram(&self) -> Self {
        let n = self.n;
        let mut values = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..=i {
                let product = dot(self.row(i), self.row(j));
                values[i * n + j] = product;
                values[j * n + i] = product;
            }
        }
        Self { n, p: n, values }
    }

    /// ‖xᵢ − xⱼ‖² between all rows, from their differences: products of rows would lose digits
    /// where rows are close. Shape: n × n.
    pub fn squared_distances(&self) -> Self {
        let n = self.n;
        let mut values = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..i {
                let square = squared_distance(self.row(i), self.row(j));
                values[i * n + j] = square;
                values[j * n + i] = square;
            }
        }
        Self { n, p: n, values }
    }

    /// Takes the mean off every column; gives the means. A constant column becomes exactly zero.
    pub fn centre(&mut self) -> Vec<f64> {
        let (n, p) = (self.n, self.p);
        let mean = |j: usize| {
            let values = || (0..n).map(|i| self.values[i * p + j]);
            let first = values().next().unwrap_or(0.0);
            match values().all(|value| value == first) {
                true => first,
                false => values().sum::<f64>() / n as f64,
            }
        };
        let means: Vec<f64> = (0..p).map(mean).collect();
        for row in self.values.chunks_exact_mut(p.max(1)) {
            row.iter_mut().zip(&means).for_each(|(value, mean)| *value -= mean);
        }
        means
    }

    /// X = LQ with rows of Q that stand at right angles to each other and have length 1, by Gram and
    /// Schmidt's method, row after row. `None` where a length is no finite number.
    ///
    /// Not from XXᵀ, as the squares of a column of large values leave no digit to one of small values.
    pub fn row_space(&self) -> Option<RowSpace> {
        let mut basis: Vec<Vec<f64>> = Vec::new();
        let mut factor: Vec<Vec<f64>> = Vec::with_capacity(self.n);
        for i in 0..self.n {
            let mut rest = self.row(i).to_vec();
            let whole = sqrt(dot(&rest, &rest));
            if !whole.is_finite() {
                return None;
            }
            let mut shares = vec![0.0; basis.len()];
            // What rounding leaves in the rest of directions that were taken out is gone after a second time.
            for _ in 0..2 {
                for (share, direction) in shares.iter_mut().zip(&basis) {
                    let here = dot(&rest, direction);
                    *share += here;
                    rest.iter_mut()
                        .zip(direction)
                        .for_each(|(rest, d)| *rest -= here * d);
                }
            }
            let length = sqrt(dot(&rest, &rest));
            if length > NO_DIRECTION * whole {
                rest.iter_mut().for_each(|value| *value /= length);
                shares.push(length);
                basis.push(rest);
            }
            factor.push(shares);
        }
        let rank = basis.len();
        factor.iter_mut().for_each(|shares| shares.resize(rank, 0.0));
        Some(RowSpace {
            factor: Self { n: self.n, p: rank, values: factor.concat() },
            basis: Self { n: rank, p: self.p, values: basis.concat() },
        })
    }

    /// Xᵀa. Shape: p.
    pub fn transposed_times(&self, alpha: &[f64]) -> Vec<f64> {
        let mut product = vec![0.0; self.p];
        for (i, a) in alpha.iter().enumerate() {
            for (sum, value) in product.iter_mut().zip(self.row(i)) {
                *sum += a * value;
            }
        }
        product
    }

    /// Solves a positive definite system by Cholesky's factorisation of its lower half.
    ///
    /// A pivot lost to rounding, as of equal rows in the Gram matrix, is set to a trace of the
    /// diagonal, which leaves the products Xw unchanged. `None` when the diagonal is not finite.
    pub fn solve(mut self, b: &[f64]) -> Option<Vec<f64>> {
        let a = &mut self;
        let n = a.n;
        let largest = (0..n).map(|i| a.values[i * n + i]).fold(0.0f64, f64::max);
        if !largest.is_finite() {
            return None;
        }
        let least = largest * 1e-13 + f64::MIN_POSITIVE;
        for j in 0..n {
            for i in j..n {
                let (upper, lower) = a.values.split_at(i * n);
                let row_j = if i == j { &lower[..j] } else { &upper[j * n..j * n + j] };
                let sum = lower[j] - dot(&lower[..j], row_j);
                a.values[i * n + j] = match i == j {
                    true => sqrt(sum.max(least)),
                    false => sum / a.values[j * n + j],
                };
            }
        }
        let mut x = b.to_vec();
        for i in 0..n {
            let sum = dot(&a.values[i * n..i * n + i], &x[..i]);
            x[i] = (x[i] - sum) / a.values[i * n + i];
        }
        for i in (0..n).rev() {
            let mut sum = 0.0;
            for (j, value) in x.iter().enumerate().skip(i + 1) {
                sum += a.values[j * n + i] * value;
            }
            x[i] = (x[i] - sum) / a.values[i * n + i];
        }
        Some(x)
    }

    /// Solves a positive definite system given its lower half; `None` when rounding cannot tell it
    /// from a singular one, whatever the units of its rows.
    pub fn solve_definite(mut self, b: &[f64]) -> Option<Vec<f64>> {
        self.factorise().ok()?;
        let mut x = b.to_vec();
        self.solve_factorised(&mut x);
        Some(x)
    }

    /// Solves LLᵀx = b with a factor; `x` holds b before.
    pub fn solve_factorised(&self, x: &mut [f64]) {
        for i in 0..x.len() {
            let row = &self.row(i)[..=i];
            x[i] = (x[i] - wide_dot(&row[..i], &x[..i])) / row[i];
        }
        self.solve_transposed(x);
    }

    /// Replaces the lower half of a positive definite matrix by Cholesky's factor L.
    ///
    /// Fails with the first row whose pivot is lost to rounding: it is a combination of the rows
    /// before, and of L only its part left of the diagonal is there.
    pub fn factorise(&mut self) -> Result<(), usize> {
        let n = self.n;
        for i in 0..n {
            let (above, below) = self.values.split_at_mut(i * n);
            let row = &mut below[..n];
            for j in 0..i {
                let of_j = &above[j * n..=j * n + j];
                row[j] = (row[j] - wide_dot(&row[..j], &of_j[..j])) / of_j[j];
            }
            let pivot = row[i] - wide_dot(&row[..i], &row[..i]);
            // Written so that NaN is refused too.
            if !(pivot > LOST * row[i] && pivot.is_finite()) {
                return Err(i);
            }
            row[i] = sqrt(pivot);
        }
        Ok(())
    }

    /// Solves Lᵀx = b with the first rows of a factor, as many as `x` has, which holds b before.
    pub fn solve_transposed(&self, x: &mut [f64]) {
        for i in (0..x.len()).rev() {
            let row = self.row(i);
            x[i] /= row[i];
            let (before, solved) = x.split_at_mut(i);
            for (x, value) in before.iter_mut().zip(row) {
                *x -= value * solved[0];
            }
        }
    }
}

/// The space that the rows of a matrix span: X = LQ.
pub struct RowSpace {
    /// L. Shape: n × rank.
    pub factor: Matrix,
    /// Q. Shape: rank × p.
    pub basis: Matrix,
}

/// What is left of a row below this share of its length says nothing but rounding.
const NO_DIRECTION: f64 = 1e-15;

/// A pivot below this share of its diagonal counts as lost to rounding.
const LOST: f64 = 1e-12;

/// ‖a − b‖², in order.
pub fn squared_distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// The sum of products as four sums over every fourth pair: an order of its own, the same on every
/// machine, that the processor need not wait for.
pub fn wide_dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let (a, b) = (a.chunks_exact(4), b.chunks_exact(4));
    let rest = dot(a.remainder(), b.remainder());
    for (a, b) in a.zip(b) {
        for lane in 0..4 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    (sums[0] + sums[2]) + (sums[1] + sums[3]) + rest
}

/// The sum of products, in order.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definite_systems_are_solved_in_any_units() {
        for scale in [1e-12, 1.0, 1e12] {
            let values = vec![4.0, 0.0, 0.0, 2.0, 5.0, 0.0, 1.0, 3.0, 6.0];
            let values: Vec<f64> = values.iter().map(|value| value * scale).collect();
            let system = Matrix { n: 3, p: 3, values };
            // (4 2 1; 2 5 3; 1 3 6) · (1 2 3) = (11 21 25).
            let right = [11.0 * scale, 21.0 * scale, 25.0 * scale];
            let x = system.solve_definite(&right).unwrap();
            for (x, expected) in x.iter().zip([1.0, 2.0, 3.0]) {
                assert!((x - expected).abs() < 1e-14, "{x}");
            }
        }
        let singular = Matrix { n: 2, p: 2, values: vec![1.0, 0.0, 2.0, 4.0] };
        assert_eq!(singular.solve_definite(&[1.0, 2.0]), None);
        let nan = Matrix { n: 1, p: 1, values: vec![f64::NAN] };
        assert_eq!(nan.solve_definite(&[1.0]), None);
    }

    #[test]
    fn rows_have_as_many_directions_as_their_rank() {
        // Five rows of rank two.
        let values = vec![1.0, 0.0, 2.0, 0.0, 0.0, 3.0, 1.0, 1.0, -2.0, 4.0];
        let x = Matrix { n: 5, p: 2, values };
        let RowSpace { factor, basis } = x.row_space().unwrap();
        assert_eq!((factor.n, factor.p, basis.n, basis.p), (5, 2, 2, 2));
        for (i, row) in x.values.chunks(2).enumerate() {
            let again = basis.transposed_times(factor.row(i));
            assert!(again.iter().zip(row).all(|(a, b)| (a - b).abs() < 1e-14));
        }
        let nothing = Matrix { n: 3, p: 3, values: vec![0.0; 9] }.row_space().unwrap();
        assert_eq!((nothing.factor.p, nothing.basis.n), (0, 0));
        assert_eq!(nothing.basis.transposed_times(&[]), [0.0; 3]);
        for value in [f64::NAN, f64::INFINITY, 1e200] {
            assert!(Matrix { n: 1, p: 1, values: vec![value] }.row_space().is_none());
        }
    }

    #[test]
    fn directions_of_small_values_stay_beside_large_ones() {
        // Rows that differ much in one column, and a little in two others.
        let values = vec![
            1e9, 0.1, 0.0, -3e9, 0.1, 0.3, 2e9, -0.1, 0.1, 7e9, 0.0, 0.0, 5e9, 1.0, 0.0,
        ];
        let RowSpace { factor, basis } =
            Matrix { n: 5, p: 3, values }.row_space().unwrap();
        assert_eq!((factor.p, basis.n), (3, 3));
        for (a, row) in basis.values.chunks(3).enumerate() {
            for b in 0..3 {
                let wanted = f64::from(u8::from(a == b));
                assert!((dot(row, basis.row(b)) - wanted).abs() < 1e-14);
            }
        }
    }

    #[test]
    fn centred_columns_keep_their_digits() {
        let mut x = Matrix {
            n: 3,
            p: 2,
            values: vec![0.1, 1e12, 0.1, 1e12 + 1.0, 0.1, 1e12 + 2.0],
        };
        assert_eq!(x.centre(), [0.1, 1e12 + 1.0]);
        assert_eq!(x.values, [0.0, -1.0, 0.0, 0.0, 0.0, 1.0]);
    }

    #[test]
    fn wide_sums_hold_every_pair_once() {
        let a: Vec<f64> = (1..=11).map(f64::from).collect();
        for n in 0..=11 {
            assert_eq!(wide_dot(&a[..n], &a[..n]), dot(&a[..n], &a[..n]));
        }
    }

    #[test]
    fn distances_of_rows_that_are_close_keep_their_digits() {
        let x = Matrix { n: 2, p: 2, values: vec![1e8, 1.0, 1e8, 1.5] };
        assert_eq!(x.squared_distances().values, [0.0, 0.25, 0.25, 0.0]);
    }
}
