//! The rows of a tree in order of every column's values: leaves of few rows are searched without counting.
//!
//! Sums of slopes and curvatures are whole numbers below 2³¹ here; what is found is what counting
//! finds, to the bit.

use std::ops::Range;

use super::boost::{Judge, Sums};
use super::codes::Codes;
use super::samples::Samples;
use crate::math::wider::wider;

/// With more rows than these columns are counted instead.
pub const MOST_ROWS: usize = 1024;

/// The binary digits of the sum of all slopes, and of that of all curvatures: rounding each row may
/// add half a unit, and both then still fit into half a word.
pub const ROOM: i32 = 30;

/// Cuts that are compared at once before any of them is divided.
const AT_ONCE: usize = 8;

/// Columns that are summed before they are judged: a sum is read long after it was written.
const AHEAD: usize = 4;

/// As many as the number of a row can tell apart, so that no number has to be compared with a length.
const ROWS: usize = 1 << 16;

/// The rows of a tree, those of each leaf together, once for every column in order of its values.
pub struct Orders {
    n: usize,
    /// All rows by column. Shape: p × n.
    all: Vec<u16>,
    /// Those of the tree, twice: parting a leaf writes its rows to the other place. Shape: p × n, of
    /// which each column uses as many as there are rows.
    own: [Vec<u16>; 2],
    /// By row: what it adds to sums.
    adds: Box<[Pair; ROWS]>,
    /// By row: whether it is in the tree, and then whether it goes left.
    marked: Box<[bool; ROWS]>,
    /// Sums up to each row of a leaf, in the orders of some columns. Shape: AHEAD × n.
    sums: Vec<Pair>,
}

/// Slope and curvature of some rows, in units: the upper and the lower half of a word. Curvatures and
/// their sums are not negative, so pairs are added at once.
#[derive(Debug, Clone, Copy, Default)]
pub struct Pair(u64);

impl Pair {
    pub fn new(slope: i64, curvature: i64) -> Self {
        Self((slope as u64) << 32 | curvature as u64)
    }

    fn plus(self, other: Self) -> Self {
        Self(self.0.wrapping_add(other.0))
    }

    pub fn slope(self) -> i32 {
        (self.0 >> 32) as i32
    }

    pub fn curvature(self) -> i32 {
        self.0 as i32
    }

    /// As floating-point numbers, which they are exactly.
    pub fn parts(self) -> [f64; 2] {
        [f64::from(self.slope()), f64::from(self.curvature())]
    }
}

/// The same value for every number of a row.
fn for_each_row<T: Copy>(value: T) -> Box<[T; ROWS]> {
    let table = vec![value; ROWS].into_boxed_slice();
    table.try_into().unwrap_or_else(|_| unreachable!("it has that length"))
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
            own: [all.clone(), all.clone()],
            all,
            adds: for_each_row(Pair::default()),
            marked: for_each_row(false),
            sums: vec![Pair::default(); AHEAD * n],
        }
    }

    /// Begins a tree on some rows, each with what it adds to sums, and some columns.
    pub fn begin(
        &mut self,
        rows: &[u32],
        columns: &[u32],
        mut add: impl FnMut(u32) -> Pair,
    ) {
        self.marked[..self.n].fill(false);
        for &row in rows {
            self.marked[row as usize] = true;
            self.adds[row as usize] = add(row);
        }
        for &column in columns {
            let of_column = column as usize * self.n..(column as usize + 1) * self.n;
            let all = &self.all[of_column.clone()];
            let own = &mut self.own[0][of_column];
            if rows.len() == self.n {
                own.copy_from_slice(all);
                continue;
            }
            let kept = all.iter().filter(|row| self.marked[**row as usize]);
            own.iter_mut().zip(kept).for_each(|(to, row)| *to = *row);
        }
    }

    /// The rows of a leaf in order of a column.
    pub fn rows(&self, column: u32, place: Place) -> &[u16] {
        let first = column as usize * self.n;
        &self.own[place.side][first + place.start..first + place.end]
    }

    /// Hands the cuts of a leaf to the judge, column by column; those of `first`, by which it may well
    /// be cut, before the others, so that few of these come near.
    pub fn search(
        &mut self,
        columns: &[u32],
        first: u32,
        codes: &Codes,
        place: Place,
        judge: &mut Judge,
    ) {
        let orders = self;
        wider!(
            Orders::search_as_compiled,
            (
                orders: &mut Orders,
                columns: &[u32],
                first: u32,
                codes: &Codes,
                place: Place,
                judge: &mut Judge
            )
        )
    }

    #[inline(always)]
    fn search_as_compiled(
        &mut self,
        columns: &[u32],
        first: u32,
        codes: &Codes,
        place: Place,
        judge: &mut Judge,
    ) {
        if place.end - place.start < 2 * judge.min_rows as usize {
            return;
        }
        self.add_up(&[first], place, judge);
        self.judge(0, first, codes, place, judge);
        for some in columns.chunks(AHEAD) {
            self.add_up(some, place, judge);
            for (which, column) in some.iter().enumerate() {
                if *column != first {
                    self.judge(which, *column, codes, place, judge);
                }
            }
        }
    }

    /// The sums up to each row of a leaf in the orders of some columns, as far as it may be cut.
    #[inline(always)]
    fn add_up(&mut self, columns: &[u32], place: Place, judge: &Judge) {
        let end = place.end - judge.min_rows as usize;
        for (which, column) in columns.iter().enumerate() {
            let first = *column as usize * self.n;
            let rows = &self.own[place.side][first + place.start..first + end];
            let sums = &mut self.sums[which * self.n..][..rows.len()];
            let mut sum = Pair::default();
            let mut add_up = |rows: &[u16], to: &mut [Pair]| {
                for (row, to) in rows.iter().zip(to) {
                    sum = sum.plus(self.adds[*row as usize]);
                    *to = sum;
                }
            };
            let (fours, last) = rows.as_chunks::<4>();
            let (to_fours, to_last) = sums.as_chunks_mut::<4>();
            for (rows, to) in fours.iter().zip(to_fours) {
                add_up(rows, to);
            }
            add_up(last, to_last);
        }
    }

    /// Hands the cuts of a leaf by one column to the judge, by the sums that stand there.
    #[inline(always)]
    fn judge(
        &self,
        which: usize,
        column: u32,
        codes: &Codes,
        place: Place,
        judge: &mut Judge,
    ) {
        let rows = self.rows(column, place);
        let n = rows.len();
        let codes = codes.column(column as usize);
        // A cut behind position i leaves i + 1 rows on the left.
        let least = judge.min_rows as usize;
        let (from, to) = (least - 1, n - least);
        let sums = &self.sums[which * self.n..][..to];
        let cuts = &sums[from..to];
        let look = |places: Range<usize>, judge: &mut Judge| {
            for at in places {
                let code = codes[rows[at] as usize];
                if code != codes[rows[at + 1] as usize] {
                    judge.look(column, code, sums[at], at + 1);
                }
            }
        };
        let (chunks, rest) = cuts.as_chunks::<AT_ONCE>();
        for (number, chunk) in chunks.iter().enumerate() {
            if judge.asked.may_be_met(chunk) {
                let first = from + number * AT_ONCE;
                look(first..first + AT_ONCE, judge);
            }
        }
        // The last ones are compared together with some that were seen already.
        let may_be_met = match cuts.last_chunk::<AT_ONCE>() {
            _ if rest.is_empty() => false,
            Some(last) => judge.asked.may_be_met(last),
            None => true,
        };
        if may_be_met {
            look(to - rest.len()..to, judge);
        }
    }

    /// Parts the rows of a leaf: of `by` the first ones up to `middle` go left. Both sides stand in the
    /// other copy afterwards, one that does not go on in the order of `by` alone.
    pub fn part(
        &mut self,
        by: u32,
        columns: &[u32],
        place: Place,
        middle: usize,
        goes_on: GoesOn,
    ) {
        let orders = self;
        wider!(
            Orders::part_as_compiled,
            (
                orders: &mut Orders,
                by: u32,
                columns: &[u32],
                place: Place,
                middle: usize,
                goes_on: GoesOn
            )
        )
    }

    #[inline(always)]
    fn part_as_compiled(
        &mut self,
        by: u32,
        columns: &[u32],
        place: Place,
        middle: usize,
        goes_on: GoesOn,
    ) {
        use GoesOn::{Both, Left, Right};
        let Place { side, start, end } = place;
        let [one, other] = &mut self.own;
        let (from, to) = if side == 0 { (one, other) } else { (other, one) };
        let first = by as usize * self.n;
        for (at, row) in (start..end).zip(&from[first + start..first + end]) {
            self.marked[*row as usize] = at < middle;
        }
        for &column in columns {
            let first = column as usize * self.n;
            let of_leaf = first + start..first + end;
            let (from, to) = (&from[of_leaf.clone()], &mut to[of_leaf]);
            if column == by {
                to.copy_from_slice(from);
                continue;
            }
            match goes_on {
                Both => {
                    // Where the next row goes, were it the left or the right side.
                    let (mut left, mut right) = (0, middle - start);
                    for row in from {
                        let goes_left = self.marked[*row as usize];
                        to[if goes_left { left } else { right }] = *row;
                        left += usize::from(goes_left);
                        right += usize::from(!goes_left);
                    }
                }
                // Whatever is written where the other side stands is never read.
                Left => {
                    let mut next = 0;
                    for row in from {
                        to[next] = *row;
                        next += usize::from(self.marked[*row as usize]);
                    }
                }
                Right => {
                    let mut next = end - start - 1;
                    for row in from.iter().rev() {
                        to[next] = *row;
                        next -= usize::from(!self.marked[*row as usize]);
                    }
                }
            }
        }
    }
}

/// Which sides of a leaf may be parted again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoesOn {
    Both,
    Left,
    Right,
}

/// Where the rows of a leaf stand.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Which of the two copies.
    pub side: usize,
    pub start: usize,
    pub end: usize,
}

/// What sums are when they are counted.
pub fn counted(pair: Pair, rows: usize, bits: u32) -> Sums {
    [i64::from(pair.slope()), i64::from(pair.curvature()) << bits | rows as i64]
}
