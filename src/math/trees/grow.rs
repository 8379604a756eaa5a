//! One classification tree, grown from the root down on counted codes.
//!
//! A node draws from the branch of the random numbers that its path names, so what lies below a
//! depth, or in another tree, moves no split: a shallow tree is the top of the deep one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::codes::{Codes, between};
use super::samples::Samples;
use crate::math::{Draws, ln};

/// How the impurity of a node is measured.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Impurity {
    /// 1 − Σ p².
    #[default]
    Gini,
    /// −Σ p ln p.
    Entropy,
}

/// Where a column may be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cuts {
    /// Between any two neighbouring values; the best one is taken.
    All,
    /// At one number drawn between the least and the greatest value of the node.
    Random,
}

/// How trees are grown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Growth {
    pub impurity: Impurity,
    pub cuts: Cuts,
    /// How many columns a node looks at; all of them are looked at in table order.
    pub tried: usize,
    /// The fewest rows of a leaf, each counted as often as it was drawn.
    pub min_leaf: u32,
    /// The longest path from the root to a leaf, in splits.
    pub depth: u32,
    /// How much a row of the negative and of the positive class weighs: whole numbers, so that sums
    /// are exact.
    pub weights: [f64; 2],
}

/// A node; the left child of a split is the next node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Node {
    /// `None` at a leaf.
    pub split: Option<SplitAt>,
    /// The weighted share of positive rows.
    pub share: f64,
    pub depth: u32,
}

/// The question of a node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SplitAt {
    pub column: u32,
    /// Rows with values up to this go left.
    pub cut: f64,
    /// The position of the right child.
    pub right: u32,
    /// Weight of the node × impurity, less that of both children.
    pub decrease: f64,
}

/// Grows trees on the same samples, one after the other, in the same memory.
pub struct Grower<'a> {
    samples: &'a Samples<'a>,
    codes: Option<Codes>,
    growth: Growth,
    /// The rows of the tree, those of each node together, and what each counts: how often it was
    /// drawn, and the same again in the upper half if it is positive.
    rows: Vec<u32>,
    counts: Vec<u64>,
    spare_rows: Vec<u32>,
    spare_counts: Vec<u64>,
    /// The rows and counts of each code, all 0 between two columns, and which are not 0.
    bins: Vec<u64>,
    filled: Vec<u64>,
    in_node: Vec<u16>,
    /// k ln k for every count of rows; empty where it is not needed or rows have weights.
    times_ln: Vec<f64>,
    columns: Vec<u32>,
    swaps: Vec<u32>,
    open: Vec<Open>,
    nodes: Vec<Node>,
}

/// A node that is still to be made.
struct Open {
    start: usize,
    end: usize,
    depth: u32,
    total: u64,
    draws: Draws,
    /// Of which node it is the right child.
    right_of: Option<usize>,
}

/// The best split of a node so far.
#[derive(Clone, Copy)]
struct Best {
    score: f64,
    column: u32,
    /// The greatest code, or the number, that goes left.
    code: u16,
    cut: f64,
}

/// Rows and positive rows of a packed count.
fn unpacked(count: u64) -> (u32, u32) {
    (count as u32, (count >> 32) as u32)
}

impl<'a> Grower<'a> {
    pub fn new(samples: &'a Samples<'a>, growth: Growth) -> Self {
        let n = samples.n();
        let codes = (growth.cuts == Cuts::All)
            .then(|| Codes::new(samples.columns(), n, super::codes::MOST_CODES));
        let levels = codes.as_ref().map_or(0, Codes::most_levels);
        Self {
            samples,
            codes,
            growth,
            rows: Vec::with_capacity(n),
            counts: Vec::with_capacity(n),
            spare_rows: vec![0; n],
            spare_counts: vec![0; n],
            bins: vec![0; levels],
            filled: vec![0; levels.div_ceil(64)],
            in_node: vec![0; n],
            times_ln: match growth.impurity {
                Impurity::Entropy if growth.weights == [1.0; 2] => {
                    (0..=n as u32).map(|count| times_ln(f64::from(count))).collect()
                }
                _ => Vec::new(),
            },
            columns: (0..samples.p() as u32).collect(),
            swaps: Vec::with_capacity(growth.tried.min(samples.p())),
            open: Vec::new(),
            nodes: Vec::new(),
        }
    }

    /// Grows a tree on rows that are counted so many times each, in all at most as often as there
    /// are rows.
    pub fn grow(&mut self, times: &[u32], draws: Draws) -> &[Node] {
        self.rows.clear();
        self.counts.clear();
        for (row, (times, positive)) in
            times.iter().zip(self.samples.positive()).enumerate()
        {
            if *times > 0 {
                let times = u64::from(*times);
                self.rows.push(row as u32);
                self.counts.push(if *positive { times << 32 | times } else { times });
            }
        }
        self.nodes.clear();
        let (start, end) = (0, self.rows.len());
        let total = self.counts.iter().sum();
        let root = Open { start, end, depth: 0, total, draws, right_of: None };
        self.open.push(root);
        while let Some(open) = self.open.pop() {
            self.node(&open);
        }
        &self.nodes
    }

    fn node(&mut self, open: &Open) {
        let here = self.nodes.len();
        if let Some(parent) = open.right_of
            && let Some(split) = &mut self.nodes[parent].split
        {
            split.right = here as u32;
        }
        let (n, positive) = unpacked(open.total);
        let [of_negative, of_positive] = self.growth.weights;
        let weight = of_positive * f64::from(positive);
        let all = of_negative * f64::from(n - positive) + weight;
        self.nodes.push(Node { split: None, share: weight / all, depth: open.depth });
        let is_leaf = positive == 0
            || positive == n
            || open.depth >= self.growth.depth
            || n < 2 * self.growth.min_leaf;
        if is_leaf {
            return;
        }
        let Some(best) = self.best(open, (all, weight)) else { return };
        let (middle, left, cut) = self.part(open, &best);
        let decrease = match self.growth.impurity {
            Impurity::Gini => 2.0 * best.score / all,
            Impurity::Entropy => (best.score - purity(all, weight)).max(0.0),
        };
        self.nodes[here].split =
            Some(SplitAt { column: best.column, cut, right: 0, decrease });
        let (depth, total) = (open.depth + 1, open.total);
        self.open.push(Open {
            start: middle,
            end: open.end,
            depth,
            total: total - left,
            draws: open.draws.branch(1),
            right_of: Some(here),
        });
        self.open.push(Open {
            start: open.start,
            end: middle,
            depth,
            total: left,
            draws: open.draws.branch(0),
            right_of: None,
        });
    }

    /// The best split among the columns that the node looks at.
    ///
    /// Columns without two values in the node are looked at in vain; the search goes on until one
    /// that has them is found, as in scikit-learn. Of equal splits the first column looked at
    /// wins, then the lowest cut.
    fn best(&mut self, open: &Open, node: (f64, f64)) -> Option<Best> {
        let mut draws = open.draws;
        let mut best: Option<Best> = None;
        let mut found = 0;
        let p = self.columns.len();
        let in_order = self.growth.tried >= p;
        self.swaps.clear();
        for position in 0..p {
            if !in_order {
                if position >= self.growth.tried && found > 0 {
                    break;
                }
                let swap = position as u32 + draws.below((p - position) as u32);
                self.columns.swap(position, swap as usize);
                self.swaps.push(swap);
            }
            let column = self.columns[position];
            let varies = match self.growth.cuts {
                Cuts::All => self.counted(open, column, node, &mut best),
                Cuts::Random => self.drawn(open, column, node, &mut draws, &mut best),
            };
            found += usize::from(varies);
        }
        // Every node draws from the same order, whatever was drawn before it.
        for (position, swap) in self.swaps.iter().enumerate().rev() {
            self.columns.swap(position, *swap as usize);
        }
        best
    }

    /// Tries every cut of a column; says whether there is any.
    fn counted(
        &mut self,
        open: &Open,
        column: u32,
        node: (f64, f64),
        best: &mut Option<Best>,
    ) -> bool {
        let codes = self.codes.as_ref().expect("codes are made for exhaustive cuts");
        let of_column = codes.column(column as usize);
        let rows = &self.rows[open.start..open.end];
        let counts = &self.counts[open.start..open.end];
        let in_node = &mut self.in_node[..rows.len()];
        let (mut least, mut most) = (u16::MAX, 0);
        for (code, row) in in_node.iter_mut().zip(rows) {
            *code = of_column[*row as usize];
            least = least.min(*code);
            most = most.max(*code);
        }
        if least == most {
            return false;
        }
        for (code, count) in in_node.iter().zip(counts) {
            let code = *code as usize;
            self.bins[code] += count;
            self.filled[code / 64] |= 1 << (code % 64);
        }
        let words = least as usize / 64..=most as usize / 64;
        let mut counter = Counter {
            bins: &mut self.bins,
            filled: &mut self.filled,
            words,
            total: open.total,
            min_leaf: self.growth.min_leaf,
            column,
        };
        let (all, positive) = node;
        let [w0, w1] = self.growth.weights;
        let weighted = |n: u32, pos: u32| {
            let pos_weight = w1 * f64::from(pos);
            (w0 * f64::from(n - pos) + pos_weight, pos_weight)
        };
        match self.growth.impurity {
            Impurity::Gini => counter.scan(best, |n, pos| {
                let (left, left_positive) = weighted(n, pos);
                gini_gain(all, positive, left, left_positive)
            }),
            Impurity::Entropy if !self.times_ln.is_empty() => {
                let of = |count: u32| self.times_ln[count as usize];
                let part = |n, pos| of(pos) + of(n - pos) - of(n);
                let (n_all, pos_all) = unpacked(open.total);
                counter
                    .scan(best, |n, pos| part(n, pos) + part(n_all - n, pos_all - pos));
            }
            Impurity::Entropy => counter.scan(best, |n, pos| {
                let (left, left_positive) = weighted(n, pos);
                purity(left, left_positive) + purity(all - left, positive - left_positive)
            }),
        }
        true
    }

    /// Tries one drawn cut of a column; says whether there is any.
    fn drawn(
        &mut self,
        open: &Open,
        column: u32,
        node: (f64, f64),
        draws: &mut Draws,
        best: &mut Option<Best>,
    ) -> bool {
        let values = self.samples.column(column as usize);
        let rows = &self.rows[open.start..open.end];
        let counts = &self.counts[open.start..open.end];
        let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
        for row in rows {
            let value = values[*row as usize];
            least = least.min(value);
            most = most.max(value);
        }
        if least == most {
            return false;
        }
        // Halves first: the distance between two finite numbers may be infinite.
        let share = draws.uniform();
        let cut = 2.0 * (least / 2.0 + share * (most / 2.0 - least / 2.0));
        let cut = if cut < most { cut.max(least) } else { least };
        let mut left = 0u64;
        for (row, count) in rows.iter().zip(counts) {
            left += if values[*row as usize] <= cut { *count } else { 0 };
        }
        let ((n, pos), (total, _)) = (unpacked(left), unpacked(open.total));
        if n < self.growth.min_leaf || total - n < self.growth.min_leaf {
            return true;
        }
        let [w0, w1] = self.growth.weights;
        let left_positive = w1 * f64::from(pos);
        let left = w0 * f64::from(n - pos) + left_positive;
        let (all, positive) = node;
        let score = match self.growth.impurity {
            Impurity::Gini => gini_gain(all, positive, left, left_positive),
            Impurity::Entropy => {
                purity(left, left_positive) + purity(all - left, positive - left_positive)
            }
        };
        if best.is_none_or(|best| score > best.score) {
            *best = Some(Best { score, column, code: 0, cut });
        }
        true
    }

    /// Puts the rows that go left first, in order; gives where the right ones begin, what the left
    /// ones count, and the cut.
    fn part(&mut self, open: &Open, best: &Best) -> (usize, u64, f64) {
        let values = self.samples.column(best.column as usize);
        let codes = self.codes.as_ref().map(|codes| codes.column(best.column as usize));
        let (mut to, mut aside, mut left) = (open.start, 0, 0u64);
        let (mut below, mut above) = (f64::NEG_INFINITY, f64::INFINITY);
        for at in open.start..open.end {
            let (row, count) = (self.rows[at], self.counts[at]);
            let value = values[row as usize];
            let goes_left = match codes {
                Some(codes) => codes[row as usize] <= best.code,
                None => value <= best.cut,
            };
            // Both are written and one is kept: no branch to mispredict.
            self.rows[to] = row;
            self.counts[to] = count;
            self.spare_rows[aside] = row;
            self.spare_counts[aside] = count;
            to += usize::from(goes_left);
            aside += usize::from(!goes_left);
            left += if goes_left { count } else { 0 };
            below = if goes_left { below.max(value) } else { below };
            above = if goes_left { above } else { above.min(value) };
        }
        self.rows[to..open.end].copy_from_slice(&self.spare_rows[..aside]);
        self.counts[to..open.end].copy_from_slice(&self.spare_counts[..aside]);
        let cut = match codes {
            Some(_) => between(below, above),
            None => best.cut,
        };
        (to, left, cut)
    }
}

/// The filled bins of a column.
struct Counter<'b> {
    bins: &'b mut [u64],
    filled: &'b mut [u64],
    words: std::ops::RangeInclusive<usize>,
    total: u64,
    min_leaf: u32,
    column: u32,
}

impl Counter<'_> {
    /// Goes through the filled bins in ascending order, empties them, and scores every cut.
    fn scan(&mut self, best: &mut Option<Best>, score: impl Fn(u32, u32) -> f64) {
        let (all, _) = unpacked(self.total);
        let mut highest = best.map_or(f64::NEG_INFINITY, |best| best.score);
        let mut code_of_highest = None;
        let mut left = 0u64;
        let mut last = 0u16;
        for word in self.words.clone() {
            let mut bits = std::mem::take(&mut self.filled[word]);
            while bits != 0 {
                let code = word * 64 + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                let (n, positive) = unpacked(left);
                if n >= self.min_leaf.max(1) && all - n >= self.min_leaf {
                    let score = score(n, positive);
                    if score > highest {
                        highest = score;
                        code_of_highest = Some(last);
                    }
                }
                left += std::mem::take(&mut self.bins[code]);
                last = code as u16;
            }
        }
        if let Some(code) = code_of_highest {
            let (score, column) = (highest, self.column);
            *best = Some(Best { score, column, code, cut: 0.0 });
        }
    }
}

/// Half the weighted decrease of the Gini impurity, times the weight of the node:
/// (l₁n − n₁l)² / (l·r). With whole numbers up to 19,000 rows every part is exact, so that equal
/// splits have equal scores.
fn gini_gain(all: f64, positive: f64, left: f64, left_positive: f64) -> f64 {
    let difference = left_positive * all - positive * left;
    difference * difference / (left * (all - left))
}

/// −(weight × entropy) of a node.
fn purity(all: f64, positive: f64) -> f64 {
    times_ln(positive) + times_ln(all - positive) - times_ln(all)
}

fn times_ln(x: f64) -> f64 {
    if x > 0.0 { x * ln(x) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::Stream;

    const PLAIN: Growth = Growth {
        impurity: Impurity::Gini,
        cuts: Cuts::All,
        tried: usize::MAX,
        min_leaf: 1,
        depth: u32::MAX,
        weights: [1.0; 2],
    };

    /// (column, cut) of each split, or the share of each leaf with no column.
    fn grown(
        columns: &[&[f64]],
        positive: &[bool],
        growth: Growth,
        times: &[u32],
    ) -> Vec<(Option<u32>, f64)> {
        let groups: Vec<u32> = (0..positive.len() as u32).collect();
        let samples = Samples::new(columns.to_vec(), positive, &groups);
        let draws = Draws::from_stream(&mut Stream::new(1, &["grow"]));
        let mut grower = Grower::new(&samples, growth);
        let shown = |node: &Node| match node.split {
            Some(split) => (Some(split.column), split.cut),
            None => (None, node.share),
        };
        grower.grow(times, draws).iter().map(shown).collect()
    }

    #[test]
    fn the_best_cut_lies_between_neighbours_of_the_node() {
        let values: &[f64] = &[1.0, 2.0, 4.0, 8.0];
        let positive = [false, false, true, true];
        let found = grown(&[values], &positive, PLAIN, &[1; 4]);
        assert_eq!(found, [(Some(0), 3.0), (None, 0.0), (None, 1.0)]);
        // The third row was not drawn.
        let found = grown(&[values], &positive, PLAIN, &[1, 2, 0, 1]);
        assert_eq!(found[0], (Some(0), 5.0));
    }

    #[test]
    fn of_equal_cuts_the_first_column_and_the_lowest_value_win() {
        let constant: &[f64] = &[5.0; 4];
        let values: &[f64] = &[1.0, 2.0, 3.0, 4.0];
        let positive = [false, true, true, false];
        for impurity in [Impurity::Gini, Impurity::Entropy] {
            let growth = Growth { impurity, ..PLAIN };
            let found = grown(&[constant, values, values], &positive, growth, &[1; 4]);
            let expected =
                [(Some(1), 1.5), (None, 0.0), (Some(1), 3.5), (None, 1.0), (None, 0.0)];
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_column_and_its_mirror_cut_alike_whatever_the_classes_weigh() {
        // Positive rows stand on one side of the one and on the other side of the other.
        let values: Vec<f64> = (0..67).map(|row| f64::from(row * 29 % 67)).collect();
        let mirror: Vec<f64> = values.iter().map(|value| -value).collect();
        for n in 1..66 {
            let positive: Vec<bool> = values.iter().map(|v| *v < f64::from(n)).collect();
            for impurity in [Impurity::Gini, Impurity::Entropy] {
                let weights = [f64::from(n), f64::from(67 - n)];
                let growth = Growth { impurity, weights, ..PLAIN };
                for columns in [[&values[..], &mirror[..]], [&mirror[..], &values[..]]] {
                    let found = grown(&columns, &positive, growth, &[1; 67]);
                    assert_eq!(found[0].0, Some(0), "{n} {impurity:?}");
                }
            }
        }
    }

    #[test]
    fn a_cut_that_gains_nothing_may_lead_to_one_that_does() {
        let (a, b): (&[f64], &[f64]) = (&[0.0, 0.0, 1.0, 1.0], &[0.0, 1.0, 0.0, 1.0]);
        let exclusive = [false, true, true, false];
        let found = grown(&[a, b], &exclusive, PLAIN, &[1; 4]);
        assert_eq!(found.len(), 7);
        let growth = Growth { depth: 1, ..PLAIN };
        assert_eq!(grown(&[a, b], &exclusive, growth, &[1; 4]).len(), 3);
    }

    #[test]
    fn leaves_keep_their_rows_and_weights() {
        let values: &[f64] = &[1.0, 2.0, 3.0, 4.0, 5.0];
        let positive = [true, false, false, false, false];
        let growth = Growth { min_leaf: 2, ..PLAIN };
        let found = grown(&[values], &positive, growth, &[1; 5]);
        assert_eq!(found[..2], [(Some(0), 2.5), (None, 0.5)]);
        let growth = Growth { min_leaf: 3, weights: [1.0, 4.0], ..PLAIN };
        assert_eq!(grown(&[values], &positive, growth, &[1; 5]), [(None, 0.5)]);
    }

    #[test]
    fn random_cuts_part_every_column_that_varies() {
        let values: &[f64] = &[0.0, f64::MAX, -f64::MAX, 1.0];
        let positive = [false, true, false, true];
        let growth = Growth { cuts: Cuts::Random, tried: 1, ..PLAIN };
        let found = grown(&[&[1.0; 4], values], &positive, growth, &[1; 4]);
        assert!(found.len() >= 3 && found[0].0 == Some(1), "{found:?}");
        let leaves = found.iter().filter(|(column, _)| column.is_none());
        assert!(leaves.clone().all(|(_, share)| *share == 0.0 || *share == 1.0));
    }
}
