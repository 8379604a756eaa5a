//! The rows of a tree in order of every column's values: leaves of few rows are searched without counting.
//!
//! Sums of slopes and curvatures are whole numbers below 2⁵³ here, so sums of floating-point
//! numbers are exact and what is found is what counting finds, to the bit.

use super::boost::{Judge, Sums};
use super::codes::Codes;
use super::samples::Samples;

/// With more rows than these, or with numbers too large to be exact, columns are counted instead.
pub const MOST_ROWS: usize = 1024;

/// Cuts that are compared at once before any of them is divided.
const AT_ONCE: usize = 8;

/// The rows of a tree, those of each leaf together, once for every column in order of its values.
pub struct Orders {
    n: usize,
    /// All rows by column. Shape: p × n.
    all: Vec<u16>,
    /// Those of the tree. Shape: p × n, of which each column uses as many as there are rows.
    own: Vec<u16>,
    /// By row: slope and curvature, in units.
    adds: Vec<[f64; 2]>,
    /// By row: whether it is in the tree, and then whether it goes left.
    marked: Vec<bool>,
    spare: Vec<u16>,
    /// Sums up to each row of a leaf.
    slopes: Vec<f64>,
    curvatures: Vec<f64>,
}

impl Orders {
    /// Rows of one code stand in order of their values: cuts lie half-way between the outermost of
    /// two neighbouring codes.
    pub fn new(codes: &Codes, samples: &Samples) -> Self {
        let n = codes.n();
        let mut all = Vec::with_capacity(n * codes.p());
        for j in 0..codes.p() {
            let (column, values) = (codes.column(j), samples.column(j));
            let mut rows: Vec<u16> = (0..n as u16).collect();
            rows.sort_by(|&a, &b| {
                let (a, b) = (a as usize, b as usize);
                column[a].cmp(&column[b]).then(values[a].total_cmp(&values[b]))
            });
            all.extend(rows);
        }
        Self {
            n,
            own: all.clone(),
            all,
            adds: vec![[0.0; 2]; n],
            marked: vec![false; n],
            spare: vec![0; n],
            slopes: vec![0.0; n],
            curvatures: vec![0.0; n],
        }
    }

    /// Begins a tree on some rows, each with what it adds to sums, and some columns.
    pub fn begin(
        &mut self,
        rows: &[u32],
        columns: &[u32],
        mut add: impl FnMut(u32) -> [f64; 2],
    ) {
        self.marked.fill(false);
        for &row in rows {
            self.marked[row as usize] = true;
            self.adds[row as usize] = add(row);
        }
        for &column in columns {
            let of_column = column as usize * self.n..(column as usize + 1) * self.n;
            let all = &self.all[of_column.clone()];
            let own = &mut self.own[of_column];
            if rows.len() == self.n {
                own.copy_from_slice(all);
                continue;
            }
            let kept = all.iter().filter(|row| self.marked[**row as usize]);
            own.iter_mut().zip(kept).for_each(|(to, row)| *to = *row);
        }
    }

    /// The rows of a leaf in order of a column.
    pub fn rows(&self, column: u32, start: usize, end: usize) -> &[u16] {
        let first = column as usize * self.n;
        &self.own[first + start..first + end]
    }

    /// Hands the cuts of a leaf by one column to the judge, in ascending order.
    pub fn search(
        &mut self,
        column: u32,
        codes: &[u16],
        (start, end): (usize, usize),
        judge: &mut Judge,
    ) {
        let first = column as usize * self.n;
        let rows = &self.own[first + start..first + end];
        let n = rows.len();
        let least = judge.min_rows as usize;
        if n < 2 * least {
            return;
        }
        let (mut slope, mut curvature) = (0.0, 0.0);
        let slopes = &mut self.slopes[..n];
        let curvatures = &mut self.curvatures[..n];
        for ((row, to_slope), to_curvature) in
            rows.iter().zip(&mut *slopes).zip(&mut *curvatures)
        {
            let add = self.adds[*row as usize];
            slope += add[0];
            curvature += add[1];
            *to_slope = slope;
            *to_curvature = curvature;
        }
        // A cut behind position i: curvatures only grow, so those that are large enough on both
        // sides stand together.
        let (mut from, mut to) = (least - 1, n - least);
        let right = |at: usize| curvature - curvatures[at];
        while from < to && curvatures[from] < judge.min_curvature {
            from += 1;
        }
        while from < to && right(to - 1) < judge.min_curvature {
            to -= 1;
        }
        let all = [slope, curvature];
        while from < to {
            let next = (from + AT_ONCE).min(to);
            if judge.may_beat(all, &slopes[from..next], &curvatures[from..next]) {
                for at in from..next {
                    let left = [slopes[at], curvatures[at]];
                    let score = judge.of_parts(all, left);
                    let code = codes[rows[at] as usize];
                    if score > judge.highest && code != codes[rows[at + 1] as usize] {
                        judge.take_parts(score, column, code, left, at + 1);
                    }
                }
            }
            from = next;
        }
    }

    /// Parts the rows of a leaf: of `by` the first ones up to `middle` go left. The other columns
    /// follow unless no later split asks for them. Gives the last row on the left by that column
    /// and the first on the right.
    pub fn part(
        &mut self,
        by: u32,
        columns: &[u32],
        (start, middle, end): (usize, usize, usize),
        follows: bool,
    ) -> (usize, usize) {
        let first = by as usize * self.n;
        let order = &self.own[first..first + self.n];
        let sides = (order[middle - 1] as usize, order[middle] as usize);
        if !follows {
            return sides;
        }
        for at in start..end {
            self.marked[order[at] as usize] = at < middle;
        }
        for &column in columns.iter().filter(|column| **column != by) {
            let first = column as usize * self.n;
            let rows = &mut self.own[first + start..first + end];
            let (mut to, mut aside) = (0, 0);
            for at in 0..rows.len() {
                let row = rows[at];
                let goes_left = self.marked[row as usize];
                rows[to] = row;
                self.spare[aside] = row;
                to += usize::from(goes_left);
                aside += usize::from(!goes_left);
            }
            rows[to..].copy_from_slice(&self.spare[..aside]);
        }
        sides
    }
}

/// What sums are when they are counted: [`Sums`] of parts that are exact.
pub fn counted(parts: [f64; 2], rows: usize, bits: u32) -> Sums {
    [parts[0] as i64, (parts[1] as i64) << bits | rows as i64]
}
