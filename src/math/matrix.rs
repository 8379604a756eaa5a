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
}

/// The sum of products, in order.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
