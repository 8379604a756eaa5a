//! Columns as small whole numbers: each value becomes its rank, sorted once for all trees.

/// The codes of a matrix of numbers. Equal values have equal codes, greater values no smaller
/// ones. Shape: n rows × as many columns as there are, column-major.
#[derive(Debug, Clone)]
pub struct Codes {
    n: usize,
    codes: Vec<u16>,
    /// The number of codes of each column.
    levels: Vec<u32>,
}

/// As many codes as fit: more distinct values than these share codes with their neighbours.
pub const MOST_CODES: usize = 1 << 16;

impl Codes {
    /// Codes the columns, each of length `n`, with at most `most` codes.
    ///
    /// A column with more distinct values is cut into groups of about equally many rows.
    pub fn new<'a>(
        columns: impl ExactSizeIterator<Item = &'a [f64]>,
        n: usize,
        most: usize,
    ) -> Self {
        let most = most.clamp(2, MOST_CODES);
        let mut codes = vec![0u16; n * columns.len()];
        let mut levels = Vec::with_capacity(columns.len());
        let mut sorted: Vec<(u64, u32)> = Vec::with_capacity(n);
        for (j, column) in columns.enumerate() {
            sorted.clear();
            let keyed = column.iter().enumerate();
            sorted.extend(keyed.map(|(row, value)| (key(*value), row as u32)));
            sorted.sort_unstable();
            let distinct = 1 + sorted.windows(2).filter(|w| w[0].0 != w[1].0).count();
            let of_column = &mut codes[j * n..(j + 1) * n];
            let (mut code, mut group) = (0u16, 0);
            for (rank, &(value, row)) in sorted.iter().enumerate() {
                if rank > 0 && value != sorted[rank - 1].0 {
                    // With few distinct values every one is a group of its own.
                    let next = if distinct <= most { group + 1 } else { rank * most / n };
                    code += u16::from(next != group);
                    group = next;
                }
                of_column[row as usize] = code;
            }
            levels.push(u32::from(code) + 1);
        }
        Self { n, codes, levels }
    }

    /// Number of rows.
    pub fn n(&self) -> usize {
        self.n
    }

    /// Number of columns.
    pub fn p(&self) -> usize {
        self.levels.len()
    }

    pub fn column(&self, j: usize) -> &[u16] {
        &self.codes[j * self.n..(j + 1) * self.n]
    }

    /// The number of codes of column `j`.
    pub fn levels(&self, j: usize) -> usize {
        self.levels[j] as usize
    }

    /// The largest number of codes of any column.
    pub fn most_levels(&self) -> usize {
        self.levels.iter().copied().max().unwrap_or(0) as usize
    }
}

/// Whole numbers in the order of the numbers; −0 is 0.
fn key(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    bits ^ (((bits as i64) >> 63) as u64 | 1 << 63)
}

/// Half-way between two values, below the greater one even where no number lies between.
pub fn between(low: f64, high: f64) -> f64 {
    let middle = low / 2.0 + high / 2.0;
    if middle < high { middle.max(low) } else { low }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coded(values: &[f64], most: usize) -> (Vec<u16>, usize) {
        let codes = Codes::new([values].into_iter(), values.len(), most);
        (codes.column(0).to_vec(), codes.levels(0))
    }

    #[test]
    fn codes_are_ranks_of_distinct_values() {
        let values = [3.0, -1.0, 0.0, -0.0, 3.0, f64::MIN, 1e-320];
        assert_eq!(coded(&values, 255), (vec![4, 1, 2, 2, 4, 0, 3], 5));
        assert_eq!(coded(&[7.0; 4], 255), (vec![0; 4], 1));
    }

    #[test]
    fn too_many_values_share_codes_evenly() {
        let values: Vec<f64> = (0..1000).map(|i| f64::from(i * 7 % 1000)).collect();
        let (codes, levels) = coded(&values, 10);
        assert_eq!(levels, 10);
        for code in 0..10 {
            assert_eq!(codes.iter().filter(|known| **known == code).count(), 100);
        }
        // Half of the rows are equal: they stay together.
        let heavy: Vec<f64> =
            (0..100).map(|i| if i < 50 { 0.0 } else { f64::from(i) }).collect();
        let (codes, levels) = coded(&heavy, 4);
        assert_eq!(levels, 3);
        assert!(codes[..50].iter().all(|code| *code == 0) && codes[50] > 0);
    }

    #[test]
    fn a_cut_parts_neighbours() {
        for (low, high) in [
            (1.0, 2.0),
            (1.0, 1.0 + f64::EPSILON),
            (0.0, 5e-324),
            (-f64::MAX, f64::MAX),
            (-5e-324, 0.0),
        ] {
            let cut = between(low, high);
            assert!(low <= cut && cut < high, "{low} {cut} {high}");
        }
    }
}
