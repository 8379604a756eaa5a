//! Gradient boosting of the logistic loss: trees that each follow the slope left by those before.
//!
//! Slopes are summed as whole multiples of a small unit, which each tree sets by what it has to sum.
//! Such sums are exact, so they do not depend on the order of rows, and the sums of one child may be had
//! by subtraction.

use std::array::from_fn;

use super::codes::{Codes, between};
use super::flat::Trees;
use super::ordered::{GoesOn, MOST_ROWS, Orders, Pair, Place, ROOM, counted};
use super::samples::Samples;
use crate::math::{Draws, ln, sigmoid_each, softplus};

/// Which leaf is split next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The one that gains most.
    BestFirst,
    /// The one nearest to the root.
    ByLevel,
}

/// How trees are grown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Boosting {
    pub learning_rate: f64,
    pub order: Order,
    /// The most leaves of a tree.
    pub leaves: usize,
    /// The longest path from the root to a leaf, in splits.
    pub depth: u32,
    /// Added to the curvature of every leaf.
    pub l2: f64,
    /// The fewest rows and the least sum of curvatures of a leaf.
    pub min_rows: u32,
    pub min_curvature: f64,
    /// Shares of the rows and of the columns that each tree is grown on.
    pub rows: f64,
    pub columns: f64,
    /// The most groups that the values of a column are put into.
    pub bins: usize,
}

/// How long to go on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Training<'a> {
    pub rounds: usize,
    /// Which rows trees are grown on; the loss of the others is watched.
    pub fits: &'a [bool],
    /// The rounds without a lower loss after which it ends; `None`: all rounds are run.
    pub patience: Option<usize>,
    /// How much a row of the negative and of the positive class counts; over all rows no more than
    /// their number.
    pub weights: [f64; 2],
}

/// What was learned, round by round.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Run {
    /// The log odds before the first round.
    pub start: f64,
    /// A tree a round.
    pub trees: Trees,
    /// What each split gained, with its round and column.
    pub gains: Vec<(u32, u32, f64)>,
    /// The mean loss of the watched rows after each round; empty when there are none.
    pub losses: Vec<f64>,
}

/// Above so many rows a leaf keeps its sums, so that those of its larger child are had by
/// subtraction; below, counting its rows costs less than going through all of its bins.
const KEEPS_SUMS: usize = 1024;

/// A gain below this part of the score of the leaf is rounding, not a gain.
const ROUNDING: f64 = 1e-12;

/// How much of what a cut must gain it is asked for before it is looked at closely: what is missing
/// is more than products of 24 digits are wrong by, and leaves room for [`SLACK`].
const NEARLY: f64 = 1.0 - 1.0 / 512.0;

/// Added to a squared distance of 24 digits. Sums reach 2³¹ units, so a distance is wrong by e = 2⁹ at
/// most, and (d + e)² is below (1 + 1/1024)·d² + 1025·e².
const SLACK: f32 = (1u64 << 29) as f32;

/// Sums over rows: the slope; the curvature, with the number of rows in its lowest bits.
pub type Sums = [i64; 2];

fn plus(a: Sums, b: Sums) -> Sums {
    [a[0] + b[0], a[1] + b[1]]
}

fn minus(a: Sums, b: Sums) -> Sums {
    [a[0] - b[0], a[1] - b[1]]
}

/// The units in which the slopes and curvatures of one tree are counted: powers of 2, as small as
/// their sums have room for.
#[derive(Debug, Clone, Copy)]
struct Units {
    /// Of the number of rows.
    bits: u32,
    slope: f64,
    curvature: f64,
}

impl Units {
    /// For rows whose slopes and curvatures have these sums, signs left out.
    fn new(n: usize, slopes: f64, curvatures: f64) -> Self {
        let bits = usize::BITS - n.leading_zeros();
        let [slope, curvature] = match n {
            ..=MOST_ROWS => [ROOM; 2],
            _ => [50, 50.min(62 - bits as i32)],
        };
        Self { bits, slope: unit(slopes, slope), curvature: unit(curvatures, curvature) }
    }

    fn of_row(&self, slope: f64, curvature: f64) -> Sums {
        [
            nearest(slope * self.slope),
            nearest(curvature * self.curvature) << self.bits | 1,
        ]
    }

    /// Slope and curvature as floating-point numbers.
    fn parts(&self, sums: Sums) -> [f64; 2] {
        [sums[0] as f64, self.curvature(sums)]
    }

    fn rows(&self, sums: Sums) -> u32 {
        (sums[1] & ((1 << self.bits) - 1)) as u32
    }

    /// In units.
    fn curvature(&self, sums: Sums) -> f64 {
        (sums[1] >> self.bits) as f64
    }
}

/// The power of 2 that brings a sum to between half of 2^`room` and all of it; at most 2⁶⁰.
fn unit(sum: f64, room: i32) -> f64 {
    let exponent = (sum.to_bits() >> 52) as i32 - 1022;
    let power = (room - exponent).min(60);
    f64::from_bits(((power + 1023) as u64) << 52)
}

/// The nearest whole number, of two the even one, up to 2⁵⁰.
fn nearest(x: f64) -> i64 {
    const WHOLE: f64 = (3u64 << 51) as f64;
    ((x + WHOLE) - WHOLE) as i64
}

/// A leaf that may yet be split.
#[derive(Debug, Clone, Copy)]
struct Leaf {
    node: usize,
    start: usize,
    end: usize,
    depth: u32,
    sums: Sums,
    best: Option<Best>,
    /// Where its sums are kept.
    kept: Option<usize>,
    /// The column in whose order its rows stand together, where rows are ordered.
    order: u32,
    /// In which of the two copies.
    side: usize,
}

impl Leaf {
    fn place(&self) -> Place {
        Place { side: self.side, start: self.start, end: self.end }
    }
}

/// The best split of a leaf.
#[derive(Debug, Clone, Copy)]
struct Best {
    gain: f64,
    column: u32,
    code: u16,
    left: Sums,
}

/// A node while its tree grows.
#[derive(Debug, Clone, Copy)]
enum Made {
    Leaf(f64),
    Split { column: u32, cut: f64, left: usize, right: usize },
}

/// A share of the items, at least one, in their order.
fn sample(items: &[u32], share: f64, mut draws: Draws, taken: &mut Vec<u32>) {
    let n = items.len();
    let size = ((n as f64 * share).round() as usize).clamp(1, n);
    taken.clear();
    taken.extend_from_slice(items);
    for i in 0..size {
        let other = i + draws.below((n - i) as u32) as usize;
        taken.swap(i, other);
    }
    taken.truncate(size);
    taken.sort_unstable();
}

/// What the tree before split this node by, else the first column.
fn likely(split_before: &[u32], node: usize, columns: &[u32]) -> u32 {
    let known = split_before.get(node).copied();
    known.filter(|column| columns.binary_search(column).is_ok()).unwrap_or(columns[0])
}

/// How the best split of a leaf is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Search {
    /// By counting the rows of each bin; leaves with so many rows keep their sums.
    Counts { keeps_from: usize },
    /// By going through the rows in order of each column.
    Orders,
}

impl Search {
    fn of(n: usize) -> Self {
        match n {
            ..=MOST_ROWS => Self::Orders,
            _ => Self::Counts { keeps_from: KEEPS_SUMS },
        }
    }
}

/// Boosts on the same rows with one setting after the other: columns are coded and ordered once, and
/// all trees grow in the same memory.
pub struct Booster<'a> {
    samples: &'a Samples<'a>,
    setting: Boosting,
    /// Of a row by its class.
    weights: [f64; 2],
    /// The rows from which on a leaf keeps its sums.
    keeps_from: usize,
    codes: Codes,
    /// Where rows are ordered, not counted.
    orders: Option<Orders>,
    units: Units,
    /// Of kept sums: where each column begins, and how many there are.
    offsets: Vec<usize>,
    kept: Vec<Vec<Sums>>,
    free: Vec<usize>,
    /// The rows of the tree, those of each leaf together, and what each adds to sums.
    rows: Vec<u32>,
    adds: Vec<Sums>,
    /// Probability, slope and curvature of each of them.
    chances: Vec<f64>,
    slopes: Vec<[f64; 2]>,
    /// By node: the column that the newest tree to split it did so by.
    split_before: Vec<u32>,
    spare_rows: Vec<u32>,
    spare_adds: Vec<Sums>,
    bins: Bins,
    leaves: Vec<Leaf>,
    made: Vec<Made>,
    gains: Vec<(u32, f64)>,
}

/// The sums of one column by code, all 0 between two columns, and which are not 0.
struct Bins {
    sums: Vec<Sums>,
    filled: Vec<u64>,
}

impl<'a> Booster<'a> {
    /// For this setting and others with as many bins.
    pub fn new(samples: &'a Samples<'a>, setting: Boosting) -> Self {
        Self::that_searches(Search::of(samples.n()), samples, setting)
    }

    fn that_searches(
        search: Search,
        samples: &'a Samples<'a>,
        setting: Boosting,
    ) -> Self {
        let n = samples.n();
        let codes = Codes::new(samples.columns(), n, setting.bins);
        let levels = codes.most_levels();
        let keeps_from = match search {
            Search::Counts { keeps_from } => keeps_from,
            Search::Orders => usize::MAX,
        };
        let mut offsets = vec![0];
        for j in 0..codes.p() {
            offsets.push(offsets[j] + codes.levels(j));
        }
        Self {
            samples,
            setting,
            weights: [1.0; 2],
            keeps_from,
            orders: (search == Search::Orders).then(|| Orders::new(&codes, samples)),
            codes,
            units: Units::new(n, 1.0, 1.0),
            offsets,
            kept: Vec::new(),
            free: Vec::new(),
            rows: Vec::with_capacity(n),
            adds: Vec::with_capacity(n),
            chances: Vec::with_capacity(n),
            slopes: Vec::with_capacity(n),
            split_before: Vec::new(),
            spare_rows: vec![0; n],
            spare_adds: vec![[0; 2]; n],
            bins: Bins {
                sums: vec![[0; 2]; levels],
                filled: vec![0; levels.div_ceil(64)],
            },
            leaves: Vec::new(),
            made: Vec::new(),
            gains: Vec::new(),
        }
    }

    /// Boosts `rounds` trees. Round r draws from branch r of `draws`, so more rounds leave the first
    /// ones as they are, and what was boosted before leaves no trace.
    ///
    /// # Panics
    /// If the setting asks for other bins than that of [`Booster::new`].
    pub fn boost(&mut self, setting: Boosting, training: Training, draws: Draws) -> Run {
        assert_eq!(setting.bins, self.setting.bins, "columns are coded already");
        self.setting = setting;
        self.made.clear();
        self.split_before.clear();
        let samples = self.samples;
        let n = samples.n();
        let positive = samples.positive();
        let fitted: Vec<u32> =
            (0..n as u32).filter(|row| training.fits[*row as usize]).collect();
        let watched: Vec<usize> = (0..n).filter(|row| !training.fits[*row]).collect();
        let n_positive = fitted.iter().filter(|row| positive[**row as usize]).count();
        let [of_negative, of_positive] = training.weights;
        self.weights = training.weights;
        let n_negative = fitted.len() - n_positive;
        let start =
            ln(of_positive * n_positive as f64 / (of_negative * n_negative as f64));
        let mut run = Run { start, ..Run::default() };
        let mut scores = vec![start; n];
        let mut columns: Vec<u32> = (0..samples.p() as u32).collect();
        let all_columns = columns.clone();
        let mut rows = fitted.clone();
        let mut least: Option<(f64, usize)> = None;
        for round in 0..training.rounds {
            let own = draws.branch(round as u64);
            if setting.rows < 1.0 {
                sample(&fitted, setting.rows, own.branch(0), &mut rows);
            }
            if setting.columns < 1.0 {
                sample(&all_columns, setting.columns, own.branch(1), &mut columns);
            }
            self.tree(&rows, &columns, &scores);
            let grew = matches!(self.made[0], Made::Split { .. });
            if !grew && setting.rows >= 1.0 && setting.columns >= 1.0 {
                break; // No later round would find anything else.
            }
            self.keep(&mut run, round as u32);
            if grew {
                self.add_to(&mut scores, rows.len() < n);
            }
            if watched.is_empty() {
                continue;
            }
            let loss = |row: &usize| match positive[*row] {
                true => of_positive * (softplus(scores[*row]) - scores[*row]),
                false => of_negative * softplus(scores[*row]),
            };
            let loss = watched.iter().map(loss).sum::<f64>() / watched.len() as f64;
            run.losses.push(loss);
            if least.is_none_or(|(known, _)| loss < known) {
                least = Some((loss, round));
            }
            let since = least.map_or(0, |(_, best)| round - best);
            if training.patience.is_some_and(|patience| since >= patience) {
                break;
            }
        }
        run
    }

    /// Grows a tree on some rows and columns, down the slope at these scores.
    fn tree(&mut self, rows: &[u32], columns: &[u32], scores: &[f64]) {
        self.rows.clear();
        self.rows.extend_from_slice(rows);
        self.adds.clear();
        let positive = self.samples.positive();
        self.chances.clear();
        self.chances.extend(rows.iter().map(|row| scores[*row as usize]));
        sigmoid_each(&mut self.chances);
        let slope = |(row, chance): (&u32, &f64)| {
            let row = *row as usize;
            let weight = self.weights[usize::from(positive[row])];
            let slope = chance - f64::from(u8::from(positive[row]));
            [weight * slope, weight * (chance * (1.0 - chance))]
        };
        self.slopes.clear();
        self.slopes.extend(rows.iter().zip(&self.chances).map(slope));
        let add = |[slopes, curvatures]: [f64; 2], [slope, curvature]: &[f64; 2]| {
            [slopes + slope.abs(), curvatures + curvature]
        };
        let [slopes, curvatures] = self.slopes.iter().fold([0.0; 2], add);
        let units = Units::new(self.samples.n(), slopes, curvatures);
        self.units = units;
        self.adds.extend(self.slopes.iter().map(|[s, c]| units.of_row(*s, *c)));
        if let Some(orders) = &mut self.orders {
            let mut adds = self.adds.iter();
            let next = |_| {
                let add = *adds.next().expect("one for each row");
                Pair::new(add[0], add[1] >> units.bits)
            };
            orders.begin(rows, columns, next);
        }
        self.free = (0..self.kept.len()).collect();
        self.split_before.resize(self.split_before.len().max(self.made.len()), 0);
        for (before, made) in self.split_before.iter_mut().zip(&self.made) {
            if let Made::Split { column, .. } = made {
                *before = *column;
            }
        }
        self.made.clear();
        self.leaves.clear();
        self.gains.clear();
        let sums = self.adds.iter().fold([0; 2], |sums, add| plus(sums, *add));
        let mut root = Leaf {
            node: 0,
            start: 0,
            end: rows.len(),
            depth: 0,
            sums,
            best: None,
            kept: None,
            order: columns[0],
            side: 0,
        };
        self.made.push(Made::Leaf(0.0));
        self.search_root(&mut root, columns);
        self.leaves.push(root);
        while self.leaves.len() < self.setting.leaves
            && let Some(at) = self.next()
        {
            self.split(at, columns);
        }
        if self.leaves.len() > 1 {
            for leaf in &self.leaves {
                self.made[leaf.node] = Made::Leaf(self.value(leaf.sums));
            }
        }
    }

    /// The leaf to split next; of equal ones the one made first.
    fn next(&self) -> Option<usize> {
        let mut next: Option<(usize, f64)> = None;
        for (at, leaf) in self.leaves.iter().enumerate() {
            let Some(best) = leaf.best else { continue };
            let rank = match self.setting.order {
                Order::BestFirst => best.gain,
                Order::ByLevel => -f64::from(leaf.depth),
            };
            let made_first = |known: usize| self.leaves[known].node < leaf.node;
            if next.is_none_or(|(known, most)| {
                rank > most || (rank == most && !made_first(known))
            }) {
                next = Some((at, rank));
            }
        }
        next.map(|(at, _)| at)
    }

    fn value(&self, sums: Sums) -> f64 {
        let slope = sums[0] as f64 / self.units.slope;
        let curvature = self.units.curvature(sums) / self.units.curvature;
        -self.setting.learning_rate * (slope / (curvature + self.setting.l2))
    }

    fn may_split(&self, leaf: &Leaf) -> bool {
        let rows = (leaf.end - leaf.start) as u64;
        leaf.depth < self.setting.depth && rows >= 2 * u64::from(self.setting.min_rows)
    }

    fn slot(&mut self) -> usize {
        self.free.pop().unwrap_or_else(|| {
            let total = self.offsets[self.codes.p()];
            self.kept.push(vec![[0; 2]; total]);
            self.kept.len() - 1
        })
    }

    fn search_root(&mut self, root: &mut Leaf, columns: &[u32]) {
        if !self.may_split(root) {
            return;
        }
        if let Some(orders) = &mut self.orders {
            let mut judge = judge(self.setting, self.units, root.sums);
            let first = likely(&self.split_before, 0, columns);
            orders.search(columns, first, &self.codes, root.place(), &mut judge);
            root.best = judge.best;
            return;
        }
        let keeps = root.end - root.start >= self.keeps_from;
        root.kept = keeps.then(|| self.slot());
        let mut judge = judge(self.setting, self.units, root.sums);
        for &column in columns {
            let j = column as usize;
            self.bins.count(self.codes.column(j), &self.rows, &self.adds);
            if let Some(slot) = root.kept {
                let of_column = self.offsets[j]..self.offsets[j + 1];
                self.kept[slot][of_column.clone()]
                    .copy_from_slice(&self.bins.sums[..of_column.len()]);
            }
            self.bins.scan(column, &mut judge);
        }
        root.best = judge.best;
    }

    /// Makes two leaves of one and looks for their best splits, column by column.
    fn split(&mut self, at: usize, columns: &[u32]) {
        let parent = self.leaves[at];
        let Some(best) = parent.best else { return };
        let is_last = self.leaves.len() + 1 == self.setting.leaves;
        let (middle, cut, side) = self.part(&parent, &best, columns, is_last);
        let node = self.made.len();
        let depth = parent.depth + 1;
        let child = |node, start, end, sums| Leaf {
            node,
            start,
            end,
            depth,
            sums,
            best: None,
            kept: None,
            order: best.column,
            side,
        };
        let left = child(node, parent.start, middle, best.left);
        let right = child(node + 1, middle, parent.end, minus(parent.sums, best.left));
        self.made[parent.node] =
            Made::Split { column: best.column, cut, left: node, right: node + 1 };
        self.made.extend([Made::Leaf(0.0); 2]);
        let scale = self.units.curvature / (self.units.slope * self.units.slope);
        self.gains.push((best.column, best.gain * scale));
        let left_is_small = middle - parent.start <= parent.end - middle;
        let (mut small, mut large) =
            if left_is_small { (left, right) } else { (right, left) };
        if !is_last {
            self.search(&parent, &mut small, &mut large, columns);
        } else if let Some(slot) = parent.kept {
            self.free.push(slot);
        }
        let (left, right) = if left_is_small { (small, large) } else { (large, small) };
        self.leaves[at] = left;
        self.leaves.push(right);
    }

    fn search(
        &mut self,
        parent: &Leaf,
        small: &mut Leaf,
        large: &mut Leaf,
        columns: &[u32],
    ) {
        let (small_may, large_may) = (self.may_split(small), self.may_split(large));
        if let Some(orders) = &mut self.orders {
            for (leaf, may) in [(small, small_may), (large, large_may)] {
                if !may {
                    continue;
                }
                let mut judge = judge(self.setting, self.units, leaf.sums);
                let first = likely(&self.split_before, leaf.node, columns);
                orders.search(columns, first, &self.codes, leaf.place(), &mut judge);
                leaf.best = judge.best;
            }
            return;
        }
        let keeps_from = self.keeps_from;
        let keeps = |leaf: &Leaf| leaf.end - leaf.start >= keeps_from;
        // The parent's sums become those of its larger child.
        let subtracts = parent.kept.is_some() && large_may && keeps(large);
        let stores = small_may && keeps(small);
        small.kept = stores.then(|| self.slot());
        large.kept = parent.kept.filter(|_| subtracts);
        let judge = |leaf: &Leaf| judge(self.setting, self.units, leaf.sums);
        let mut judges = (judge(small), judge(large));
        for &column in columns {
            let j = column as usize;
            let codes = self.codes.column(j);
            let of_column = self.offsets[j]..self.offsets[j + 1];
            if small_may || subtracts {
                let of_small = small.start..small.end;
                let (rows, adds) =
                    (&self.rows[of_small.clone()], &self.adds[of_small.clone()]);
                self.bins.count(codes, rows, adds);
                if let Some(slot) = small.kept {
                    self.kept[slot][of_column.clone()]
                        .copy_from_slice(&self.bins.sums[..of_column.len()]);
                }
                if let Some(slot) = large.kept {
                    let kept = &mut self.kept[slot][of_column.clone()];
                    for (sums, less) in kept.iter_mut().zip(&self.bins.sums) {
                        *sums = minus(*sums, *less);
                    }
                }
                match small_may {
                    true => self.bins.scan(column, &mut judges.0),
                    false => self.bins.clear(),
                }
            }
            match large.kept {
                Some(slot) => {
                    judges.1.scan(column, &self.kept[slot][of_column]);
                }
                None if large_may => {
                    let of_large = large.start..large.end;
                    let (rows, adds) =
                        (&self.rows[of_large.clone()], &self.adds[of_large.clone()]);
                    self.bins.count(codes, rows, adds);
                    self.bins.scan(column, &mut judges.1);
                }
                None => {}
            }
        }
        small.best = judges.0.best.filter(|_| small_may);
        large.best = judges.1.best.filter(|_| large_may);
        if let Some(slot) = parent.kept.filter(|_| !subtracts) {
            self.free.push(slot);
        }
    }

    /// Puts the rows that go left first, in order; gives where the right ones begin, the cut, and in
    /// which copy the rows of both sides stand.
    fn part(
        &mut self,
        leaf: &Leaf,
        best: &Best,
        columns: &[u32],
        is_last: bool,
    ) -> (usize, f64, usize) {
        let values = self.samples.column(best.column as usize);
        if let Some(orders) = &mut self.orders {
            let middle = leaf.start + self.units.rows(best.left) as usize;
            let order = orders.rows(best.column, leaf.place());
            let at = middle - leaf.start;
            let (below, above) = (order[at - 1] as usize, order[at] as usize);
            // Sides that are not split again need their rows in one order only.
            let splits = |rows: usize| {
                rows as u64 >= 2 * u64::from(self.setting.min_rows)
                    && leaf.depth + 1 < self.setting.depth
                    && !is_last
            };
            let goes_on = match (splits(middle - leaf.start), splits(leaf.end - middle)) {
                (true, true) => Some(GoesOn::Both),
                (true, false) => Some(GoesOn::Left),
                (false, true) => Some(GoesOn::Right),
                (false, false) => None,
            };
            if let Some(goes_on) = goes_on {
                orders.part(best.column, columns, leaf.place(), middle, goes_on);
            }
            let side = if goes_on.is_some() { 1 - leaf.side } else { leaf.side };
            return (middle, between(values[below], values[above]), side);
        }
        let codes = self.codes.column(best.column as usize);
        let (mut to, mut aside) = (leaf.start, 0);
        let (mut below, mut above) = (f64::NEG_INFINITY, f64::INFINITY);
        for at in leaf.start..leaf.end {
            let (row, add) = (self.rows[at], self.adds[at]);
            let value = values[row as usize];
            let goes_left = codes[row as usize] <= best.code;
            self.rows[to] = row;
            self.adds[to] = add;
            self.spare_rows[aside] = row;
            self.spare_adds[aside] = add;
            to += usize::from(goes_left);
            aside += usize::from(!goes_left);
            below = if goes_left { below.max(value) } else { below };
            above = if goes_left { above } else { above.min(value) };
        }
        self.rows[to..leaf.end].copy_from_slice(&self.spare_rows[..aside]);
        self.adds[to..leaf.end].copy_from_slice(&self.spare_adds[..aside]);
        (to, between(below, above), 0)
    }

    /// Adds the tree to those that are kept, each node before its children, the left child first.
    fn keep(&self, run: &mut Run, round: u32) {
        run.trees.begin();
        let mut open = vec![(0, None)];
        while let Some((node, right_of)) = open.pop() {
            if let Some(of) = right_of {
                run.trees.right(of);
            }
            match self.made[node] {
                Made::Leaf(value) => run.trees.leaf(value),
                Made::Split { column, cut, left, right } => {
                    let here = run.trees.split(column, cut);
                    open.push((right, Some(here)));
                    open.push((left, None));
                }
            }
        }
        run.gains.extend(self.gains.iter().map(|(column, gain)| (round, *column, *gain)));
    }

    /// Adds what the tree says to the scores of all rows.
    fn add_to(&self, scores: &mut [f64], has_others: bool) {
        let value = |node: usize| match self.made[node] {
            Made::Leaf(value) => value,
            Made::Split { .. } => 0.0,
        };
        if !has_others {
            for leaf in &self.leaves {
                let value = value(leaf.node);
                if let Some(orders) = &self.orders {
                    let rows = orders.rows(leaf.order, leaf.place()).iter();
                    rows.for_each(|row| scores[*row as usize] += value);
                    continue;
                }
                self.rows[leaf.start..leaf.end]
                    .iter()
                    .for_each(|row| scores[*row as usize] += value);
            }
            return;
        }
        // Rows that the tree was not grown on find their leaf by their values.
        for (row, score) in scores.iter_mut().enumerate() {
            let mut node = 0;
            while let Made::Split { column, cut, left, right } = self.made[node] {
                let goes_left = self.samples.column(column as usize)[row] <= cut;
                node = if goes_left { left } else { right };
            }
            *score += value(node);
        }
    }
}

impl Bins {
    /// Adds rows up by their code.
    fn count(&mut self, codes: &[u16], rows: &[u32], adds: &[Sums]) {
        for (row, add) in rows.iter().zip(adds) {
            let code = codes[*row as usize] as usize;
            let sums = &mut self.sums[code];
            *sums = plus(*sums, *add);
            self.filled[code / 64] |= 1 << (code % 64);
        }
    }

    /// Hands the filled bins to the judge in ascending order and empties them.
    fn scan(&mut self, column: u32, judge: &mut Judge) {
        let mut sums = [0; 2];
        let mut last = 0u16;
        let mut highest = judge.highest;
        let mut found: Option<(u16, Sums)> = None;
        for (word, filled) in self.filled.iter_mut().enumerate() {
            let mut bits = std::mem::take(filled);
            while bits != 0 {
                let code = word * 64 + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                if let Some(score) = judge.of_cut(sums)
                    && score > highest
                {
                    highest = score;
                    found = Some((last, sums));
                }
                sums = plus(sums, std::mem::take(&mut self.sums[code]));
                last = code as u16;
            }
        }
        if let Some((code, left)) = found {
            judge.take(highest, column, code, left);
        }
    }

    fn clear(&mut self) {
        for (word, filled) in self.filled.iter_mut().enumerate() {
            let mut bits = std::mem::take(filled);
            while bits != 0 {
                self.sums[word * 64 + bits.trailing_zeros() as usize] = [0; 2];
                bits &= bits - 1;
            }
        }
    }
}

/// What a cut is asked for to beat the best so far, of 24 digits.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked {
    /// Of the squared distance, per product of the curvatures of both sides.
    gain: f32,
    l2: f32,
    /// The curvature of both sides with l2 once; less than it is by more than 24 digits lose.
    rest: f32,
    mean: f32,
}

impl Asked {
    /// Whether any of these cuts may have a score above the highest: to be told without dividing.
    /// It holds for every cut that has one, and for few others.
    ///
    /// With slopes a, b and curvatures l, r of both sides, each with l2, a²/l + b²/r is
    /// (a + b)²/(l + r) + (a − l·(a + b)/(l + r))² · (l + r)/(l·r).
    #[inline(always)]
    pub fn may_be_met<const N: usize>(&self, sums: &[Pair; N]) -> bool {
        let Self { gain, l2, rest, mean } = *self;
        // Step by step over all of them, as the machine computes several at once.
        let slope: [f32; N] = from_fn(|i| sums[i].slope() as f32);
        let curvature: [f32; N] = from_fn(|i| sums[i].curvature() as f32);
        let left = curvature.map(|curvature| curvature + l2);
        let right = curvature.map(|curvature| rest - curvature);
        let distance: [f32; N] = from_fn(|i| slope[i] - mean * left[i]);
        let needed: [f32; N] = from_fn(|i| gain * (left[i] * right[i]));
        let found = distance.map(|distance| distance * distance + SLACK);
        // What is not a number is looked at.
        let short: [bool; N] = from_fn(|i| !(needed[i] >= found[i]));
        short.into_iter().fold(false, |any, short| any | short)
    }
}

/// Compares the cuts of a leaf. Of equal ones the first column wins, then the lowest cut.
pub struct Judge {
    units: Units,
    l2: f64,
    pub min_rows: u32,
    min_curvature: f64,
    all: Sums,
    /// Their slope and curvature.
    parts: [f64; 2],
    rows: u32,
    of_leaf: f64,
    /// Slope over curvature of both sides together, each with l2, what one unit of their curvature is of
    /// it, and the score of two sides of this slope.
    mean: f64,
    share: f64,
    apart: f64,
    /// The score to beat.
    highest: f64,
    best: Option<Best>,
    pub asked: Asked,
}

/// A judge of the cuts of a leaf with these sums.
fn judge(setting: Boosting, units: Units, sums: Sums) -> Judge {
    let Boosting { l2, min_rows, min_curvature, .. } = setting;
    let mut judge = Judge {
        units,
        l2: l2 * units.curvature,
        min_rows: min_rows.max(1),
        // A sum of 0 would be divided by.
        min_curvature: (min_curvature * units.curvature).max(1.0),
        all: sums,
        parts: units.parts(sums),
        rows: units.rows(sums),
        of_leaf: 0.0,
        mean: 0.0,
        share: 0.0,
        apart: 0.0,
        highest: 0.0,
        best: None,
        asked: Asked::default(),
    };
    judge.of_leaf = judge.score(sums);
    let [slope, curvature] = judge.parts;
    let both = curvature + 2.0 * judge.l2;
    judge.mean = slope / both;
    judge.share = 1.0 / both;
    judge.apart = slope * judge.mean;
    judge.highest = judge.of_leaf * (1.0 + ROUNDING);
    judge.ask();
    judge
}

impl Judge {
    /// Slope² / (curvature + l2), in units.
    fn score(&self, sums: Sums) -> f64 {
        let slope = sums[0] as f64;
        slope * slope / (self.units.curvature(sums) + self.l2)
    }

    /// The score of both sides of a cut; `None` when one of them is too small.
    fn of_cut(&self, left: Sums) -> Option<f64> {
        let rows = self.units.rows(left);
        if rows < self.min_rows || self.rows - rows < self.min_rows {
            return None;
        }
        let right = minus(self.all, left);
        let (of_left, of_right) =
            (self.units.curvature(left), self.units.curvature(right));
        if of_left < self.min_curvature || of_right < self.min_curvature {
            return None;
        }
        let (a, b) = (left[0] as f64, right[0] as f64);
        Some(a * a / (of_left + self.l2) + b * b / (of_right + self.l2))
    }

    /// What a cut is asked for from now on.
    fn ask(&mut self) {
        let all = self.units.curvature(self.all) + self.l2;
        let gain = (self.highest - self.apart).max(0.0) * NEARLY * self.share;
        self.asked = Asked {
            gain: gain as f32,
            l2: self.l2 as f32,
            rest: (all * (1.0 - 0.5f64.powi(22))) as f32,
            mean: self.mean as f32,
        };
    }

    /// Looks at one cut of a column whose rows are ordered. Columns may come in any order.
    #[inline(always)]
    pub fn look(&mut self, column: u32, code: u16, left: Pair, rows: usize) {
        let ([a, of_left], [both, curvature]) = (left.parts(), self.parts);
        let (b, of_right) = (both - a, curvature - of_left);
        if of_left < self.min_curvature || of_right < self.min_curvature {
            return;
        }
        let score = a * a / (of_left + self.l2) + b * b / (of_right + self.l2);
        let first_of_equals =
            score == self.highest && self.best.is_some_and(|best| column < best.column);
        if score > self.highest || first_of_equals {
            self.take(score, column, code, counted(left, rows, self.units.bits));
        }
    }

    /// Goes through all bins of a column, the empty ones too.
    fn scan(&mut self, column: u32, bins: &[Sums]) {
        let mut sums = [0; 2];
        let mut last = 0u16;
        for (code, bin) in bins.iter().enumerate().filter(|(_, bin)| bin[1] != 0) {
            if let Some(score) = self.of_cut(sums)
                && score > self.highest
            {
                self.take(score, column, last, sums);
            }
            sums = plus(sums, *bin);
            last = code as u16;
        }
    }

    fn take(&mut self, score: f64, column: u32, code: u16, left: Sums) {
        self.highest = score;
        self.best = Some(Best { gain: score - self.of_leaf, column, code, left });
        self.ask();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::Stream;

    const PLAIN: Boosting = Boosting {
        learning_rate: 0.1,
        order: Order::BestFirst,
        leaves: 15,
        depth: u32::MAX,
        l2: 0.5,
        min_rows: 3,
        min_curvature: 1e-3,
        rows: 1.0,
        columns: 1.0,
        bins: 255,
    };

    /// Columns, outcomes, and which rows are fitted.
    fn simulated(n: usize) -> (Vec<Vec<f64>>, Vec<bool>, Vec<bool>) {
        let mut stream = Stream::new(1, &["boost"]);
        let columns: Vec<Vec<f64>> =
            (0..4).map(|_| (0..n).map(|_| stream.normal()).collect()).collect();
        let positive = (0..n)
            .map(|i| columns[0][i] * columns[1][i] + 0.5 * stream.normal() > 0.0)
            .collect();
        (columns, positive, (0..n).map(|row| row % 5 != 0).collect())
    }

    fn boosted(n: usize, setting: Boosting, rounds: usize, search: Search) -> Run {
        let (columns, positive, fits) = simulated(n);
        let groups: Vec<u32> = (0..n as u32).collect();
        let slices = columns.iter().map(Vec::as_slice).collect();
        let samples = Samples::new(slices, &positive, &groups);
        let weights = [1.0; 2];
        let training = Training { rounds, fits: &fits, patience: None, weights };
        let draws = Draws::from_stream(&mut Stream::new(1, &["draws"]));
        let mut booster = Booster::that_searches(search, &samples, setting);
        booster.boost(setting, training, draws)
    }

    #[test]
    fn what_was_boosted_before_leaves_no_trace() {
        let settings = [
            PLAIN,
            Boosting { rows: 0.7, columns: 0.5, leaves: 4, ..PLAIN },
            Boosting { order: Order::ByLevel, depth: 4, ..PLAIN },
            Boosting { learning_rate: 1.0, min_rows: 1, ..PLAIN },
        ];
        for n in [150, 3 * KEEPS_SUMS] {
            let (columns, positive, fits) = simulated(n);
            let groups: Vec<u32> = (0..n as u32).collect();
            let slices = columns.iter().map(Vec::as_slice).collect();
            let samples = Samples::new(slices, &positive, &groups);
            let weights = [1.0; 2];
            let training = Training { rounds: 10, fits: &fits, patience: None, weights };
            let draws = Draws::from_stream(&mut Stream::new(1, &["draws"]));
            let mut same = Booster::new(&samples, PLAIN);
            for setting in settings.into_iter().chain(settings) {
                let fresh =
                    Booster::new(&samples, setting).boost(setting, training, draws);
                assert_eq!(
                    same.boost(setting, training, draws),
                    fresh,
                    "{n}, {setting:?}"
                );
            }
        }
    }

    #[test]
    fn sums_by_subtraction_and_in_order_are_sums_by_counting_to_the_bit() {
        let sampled = Boosting { rows: 0.7, columns: 0.5, ..PLAIN };
        let by_level = Boosting { order: Order::ByLevel, depth: 4, ..PLAIN };
        for setting in [PLAIN, sampled, by_level, Boosting { bins: 16, ..PLAIN }] {
            let counts = |keeps_from| Search::Counts { keeps_from };
            let counted = boosted(700, setting, 20, counts(usize::MAX));
            assert_eq!(counted.trees.len(), 20);
            for keeps_from in [0, 30, 200] {
                assert_eq!(boosted(700, setting, 20, counts(keeps_from)), counted);
            }
            assert_eq!(boosted(700, setting, 20, Search::Orders), counted);
        }
    }

    #[test]
    fn what_is_told_by_few_digits_leaves_no_cut_out() {
        let counts = Search::Counts { keeps_from: usize::MAX };
        // Many rounds at full rate end in slopes and curvatures of next to nothing.
        let settings = [
            Boosting { learning_rate: 1.0, min_curvature: 0.0, ..PLAIN },
            Boosting { l2: 0.0, min_rows: 1, ..PLAIN },
            Boosting { l2: 1e9, learning_rate: 1.0, ..PLAIN },
            Boosting { l2: 1e-9, min_curvature: 0.2, bins: 4, ..PLAIN },
        ];
        for setting in settings {
            for n in [5, 12, 33, 150, MOST_ROWS] {
                let counted = boosted(n, setting, 60, counts);
                assert_eq!(boosted(n, setting, 60, Search::Orders), counted, "{n}");
            }
        }
    }

    #[test]
    fn the_loss_of_watched_rows_falls() {
        let run = boosted(700, PLAIN, 30, Search::of(700));
        assert_eq!(run.losses.len(), 30);
        assert!(run.losses[29] < run.losses[0] - 0.05, "{:?}", run.losses);
        let gained = run.gains.iter().filter(|(_, column, _)| *column < 2);
        let gained: f64 = gained.map(|(_, _, gain)| gain).sum();
        let all: f64 = run.gains.iter().map(|(_, _, gain)| gain).sum();
        assert!(gained > 0.6 * all, "{gained} of {all}");
    }

    #[test]
    fn limits_of_leaves_and_depth_hold() {
        let leaves = |setting: Boosting| {
            let run = boosted(200, setting, 1, Search::of(200));
            run.gains.len() + 1
        };
        assert_eq!(leaves(PLAIN), 15);
        assert!(leaves(Boosting { depth: 2, ..PLAIN }) <= 4);
        assert_eq!(leaves(Boosting { min_rows: 81, ..PLAIN }), 1);
        assert_eq!(leaves(Boosting { min_curvature: 1e3, ..PLAIN }), 1);
    }
}
