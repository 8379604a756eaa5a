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
    /// Sums up to each row of a leaf, in the orders of two columns. Shape: 2 × n.
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
            slopes: vec![0.0; 2 * n],
            curvatures: vec![0.0; 2 * n],
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

    /// Hands the cuts of a leaf to the judge, column by column and in ascending order.
    pub fn search(
        &mut self,
        columns: &[u32],
        codes: &Codes,
        (start, end): (usize, usize),
        judge: &mut Judge,
    ) {
        if end - start < 2 * judge.min_rows as usize {
            return;
        }
        // Two columns at a time: each sum waits for the one before it.
        let (pairs, last) = columns.as_chunks::<2>();
        for pair in pairs {
            self.add_up(*pair, (start, end));
            for (which, column) in pair.iter().enumerate() {
                self.judge(which, *column, codes, (start, end), judge);
            }
        }
        if let [column] = last {
            self.add_up([*column, *column], (start, end));
            self.judge(0, *column, codes, (start, end), judge);
        }
    }

    /// The sums up to each row of a leaf in the orders of two columns.
    fn add_up(&mut self, columns: [u32; 2], (start, end): (usize, usize)) {
        let [one, other] = columns.map(|column| {
            let first = column as usize * self.n;
            &self.own[first + start..first + end]
        });
        let n = end - start;
        let (slopes, other_slopes) = self.slopes.split_at_mut(self.n);
        let (curvatures, other_curvatures) = self.curvatures.split_at_mut(self.n);
        let to_one = slopes[..n].iter_mut().zip(&mut curvatures[..n]);
        let to_other = other_slopes[..n].iter_mut().zip(&mut other_curvatures[..n]);
        let mut sums = [[0.0; 2]; 2];
        let rows = one.iter().zip(other).zip(to_one.zip(to_other));
        for ((row, other_row), (to_one, to_other)) in rows {
            let adds = [self.adds[*row as usize], self.adds[*other_row as usize]];
            for (sums, adds) in sums.iter_mut().zip(adds) {
                sums[0] += adds[0];
                sums[1] += adds[1];
            }
            (*to_one.0, *to_one.1) = (sums[0][0], sums[0][1]);
            (*to_other.0, *to_other.1) = (sums[1][0], sums[1][1]);
        }
    }

    /// Hands the cuts of a leaf by one column to the judge, by the sums that stand there.
    fn judge(
        &self,
        which: usize,
        column: u32,
        codes: &Codes,
        (start, end): (usize, usize),
        judge: &mut Judge,
    ) {
        let n = end - start;
        let first = column as usize * self.n;
        let rows = &self.own[first + start..first + end];
        let slopes = &self.slopes[which * self.n..][..n];
        let curvatures = &self.curvatures[which * self.n..][..n];
        let [slope, curvature] = [slopes[n - 1], curvatures[n - 1]];
        let least = judge.min_rows as usize;
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
        if !judge.may_beat(all, &slopes[from..to], &curvatures[from..to]) {
            return;
        }
        let codes = codes.column(column as usize);
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

    /// Parts the rows of a leaf: of `by` the first ones up to `middle` go left. Of the other columns
    /// those sides follow that a later split asks for. Gives the last row on the left by that
    /// column and the first on the right.
    pub fn part(
        &mut self,
        by: u32,
        columns: &[u32],
        (start, middle, end): (usize, usize, usize),
        (left_follows, right_follows): (bool, bool),
    ) -> (usize, usize) {
        let first = by as usize * self.n;
        let order = &self.own[first..first + self.n];
        let sides = (order[middle - 1] as usize, order[middle] as usize);
        if !left_follows && !right_follows {
            return sides;
        }
        for at in start..end {
            self.marked[order[at] as usize] = at < middle;
        }
        for &column in columns.iter().filter(|column| **column != by) {
            let first = column as usize * self.n;
            let rows = &mut self.own[first + start..first + end];
            let marked = &self.marked;
            match (left_follows, right_follows) {
                (true, true) => both_sides(rows, &mut self.spare, marked),
                (true, false) => left_side(rows, marked),
                (false, _) => right_side(rows, marked),
            }
        }
        sides
    }
}

/// Puts the marked rows first and the others behind them, all in their order.
fn both_sides(rows: &mut [u16], spare: &mut [u16], marked: &[bool]) {
    let (mut to, mut aside) = (0, 0);
    for at in 0..rows.len() {
        let row = rows[at];
        let goes_left = marked[row as usize];
        rows[to] = row;
        spare[aside] = row;
        to += usize::from(goes_left);
        aside += usize::from(!goes_left);
    }
    rows[to..].copy_from_slice(&spare[..aside]);
}

/// Puts the marked rows first, in their order; what is behind them has no meaning.
fn left_side(rows: &mut [u16], marked: &[bool]) {
    let mut to = 0;
    for at in 0..rows.len() {
        let row = rows[at];
        rows[to] = row;
        to += usize::from(marked[row as usize]);
    }
}

/// Puts the rows that are not marked last, in their order; what is before them has no meaning.
fn right_side(rows: &mut [u16], marked: &[bool]) {
    let mut from = rows.len();
    for at in (0..rows.len()).rev() {
        let row = rows[at];
        rows[from - 1] = row;
        from -= usize::from(!marked[row as usize]);
    }
}

/// What sums are when they are counted: [`Sums`] of parts that are exact.
pub fn counted(parts: [f64; 2], rows: usize, bits: u32) -> Sums {
    [parts[0] as i64, (parts[1] as i64) << bits | rows as i64]
}
