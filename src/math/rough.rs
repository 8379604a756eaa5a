//! Columns of unit length in 16 bits: most products are so far from a limit that few digits tell it.

use super::sqrt;

/// What the processor does at once.
pub const LANES: usize = 8;

/// Numbers of as many columns.
pub type Lanes = [i16; LANES];

/// As many of these as the processor keeps sums for without putting them aside.
pub const GROUPS: usize = 4;

/// Columns of which the sums are made together.
pub const TILE: usize = GROUPS * LANES;

/// The 1 of numbers in 16 bits, and that of products of two, of which the upper 16 bits are summed.
pub const ONE: f64 = 32766.0;
pub const ONE_OF_PRODUCTS: f64 = ONE * ONE / 65536.0;

/// The upper 16 bits of each product. Written so, it is one instruction, and so are [`sums`]; a call would
/// take longer than what it does.
#[inline]
pub fn products(a: &Lanes, b: &Lanes) -> Lanes {
    std::array::from_fn(|lane| ((i32::from(a[lane]) * i32::from(b[lane])) >> 16) as i16)
}

#[inline]
pub fn sums(a: &Lanes, b: &Lanes) -> Lanes {
    std::array::from_fn(|lane| a[lane].wrapping_add(b[lane]))
}

/// By how many of its last digits a sum of so many products may be wrong, once it began in the middle:
/// half of one for each product, what rounding two factors adds up to (by Cauchy and Schwarz the numbers
/// of a column of unit length have at most the sum √n), and one for all that is smaller.
pub fn digits_lost(n: usize) -> f64 {
    n as f64 / 2.0 + sqrt(n as f64) + 1.0
}

/// With more rows the sums might leave their 16 bits.
const MOST_ROWS: usize = 16_384;

/// Columns of unit length, each number rounded towards 0.
#[derive(Debug, Clone)]
pub struct Rough {
    n: usize,
    p: usize,
    /// Columns that stand next to each other, row by row; the last are followed by zeros. None where
    /// there are too many rows.
    rows: Vec<[Lanes; GROUPS]>,
}

impl Rough {
    /// Columns of `n` numbers, each with what it is multiplied by to have unit length.
    pub fn of(n: usize, columns: &[(&[f64], f64)]) -> Self {
        let p = columns.len();
        let told = if n > MOST_ROWS { 0 } else { p.div_ceil(TILE) };
        let mut rows = vec![[[0; LANES]; GROUPS]; n * told];
        for (tile, columns) in rows.chunks_mut(n.max(1)).zip(columns.chunks(TILE)) {
            for (place, (column, scale)) in columns.iter().enumerate() {
                let (group, lane, scale) = (place / LANES, place % LANES, scale * ONE);
                for (row, value) in tile.iter_mut().zip(*column) {
                    row[group][lane] = (value * scale) as i16;
                }
            }
        }
        Self { n, p, rows }
    }

    /// The sizes of the products of all columns with another one, multiplied by `scale` to have unit
    /// length. Each is within [`Rough::error`] of the one with all digits.
    pub fn sizes(&self, other: &[f64], scale: f64) -> Vec<f64> {
        let spread = |value: &f64| [(value * (scale * ONE)) as i16; LANES];
        let other: Vec<Lanes> = other.iter().map(spread).collect();
        let mut sizes = Vec::with_capacity(self.p.next_multiple_of(TILE));
        for tile in self.rows.chunks_exact(self.n.max(1)) {
            for sums in sums_of(&other, tile).as_flattened() {
                sizes.push(f64::from(sums.unsigned_abs()) * (1.0 / ONE_OF_PRODUCTS));
            }
        }
        sizes.resize(self.p, 0.0);
        sizes
    }

    /// No size is further away from the one with all digits.
    pub fn error(&self) -> f64 {
        match self.n > MOST_ROWS {
            // Nothing is told.
            true => 2.0,
            false => (digits_lost(self.n) + 1.0) / ONE_OF_PRODUCTS,
        }
    }
}

/// The sums of products of a column, each value for all lanes, with those of a tile.
fn sums_of(column: &[Lanes], tile: &[[Lanes; GROUPS]]) -> [Lanes; GROUPS] {
    // Products are rounded down: half of what that takes is given back at once.
    let mut all = [[(tile.len() / 2) as i16; LANES]; GROUPS];
    for (value, row) in column.iter().zip(tile) {
        for (sum, other) in all.iter_mut().zip(row) {
            *sum = sums(sum, &products(value, other));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::{Stream, Units, dot};

    #[test]
    fn sizes_are_within_their_error() {
        let mut stream = Stream::new(1, &["rough"]);
        for n in [1, 2, 7, 73, 1000, MOST_ROWS, MOST_ROWS + 1] {
            let column = |at: usize| -> Vec<f64> {
                let peak =
                    |row: usize| if at.is_multiple_of(3) && row == 0 { 1e6 } else { 1.0 };
                (0..n).map(|row| stream.normal() * peak(row)).collect()
            };
            let mut columns: Vec<Vec<f64>> = (0..TILE + 3).map(column).collect();
            columns[1] = columns[2].iter().map(|value| -value).collect();
            let slices: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
            let units = Units::of(&slices).unwrap();
            let scaled: Vec<Vec<f64>> =
                units.columns().map(|u| u.iter().map(|v| v * 7.0).collect()).collect();
            let scaled: Vec<(&[f64], f64)> =
                scaled.iter().map(|column| (column.as_slice(), 1.0 / 7.0)).collect();
            let rough = Rough::of(n, &scaled);
            for unit in units.columns().take(5) {
                let sizes = rough.sizes(unit, 1.0);
                assert_eq!(sizes.len(), units.p());
                for (size, other) in sizes.iter().zip(units.columns()) {
                    assert!((size - dot(unit, other).abs()).abs() < rough.error());
                }
            }
        }
        assert_eq!(Rough::of(0, &[(&[][..], 1.0); 2]).sizes(&[], 1.0), [0.0; 2]);
        assert!(Rough::of(5, &[]).sizes(&[1.0; 5], 1.0).is_empty());
    }
}
