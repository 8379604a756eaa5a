//! Many trees on redrawn rows, what they say of the rows that they have not seen, and which
//! columns they use.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::flat::Trees;
use super::grow::{Grower, Growth, Node};
use super::samples::Samples;
use crate::math::{Draws, log2, sqrt};

/// How many columns a node looks at.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Features {
    /// The square root of their number, rounded down.
    #[default]
    Sqrt,
    /// The binary logarithm of their number, rounded down.
    Log2,
    /// This share of them, rounded down.
    Fraction(#[schemars(range(min = 0.0, max = 1.0))] f64),
    /// All of them.
    All,
}

impl Features {
    /// Of `p` columns, at least one.
    pub fn of(self, p: usize) -> usize {
        let all = p as f64;
        let tried = match self {
            Self::Sqrt => sqrt(all),
            Self::Log2 => log2(all),
            Self::Fraction(share) => share * all,
            Self::All => all,
        };
        (tried as usize).clamp(1, p.max(1))
    }
}

/// Which rows a tree is grown on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redraw {
    /// As many as there are, drawn with replacement.
    Bootstrap,
    /// All of them, once.
    Never,
}

/// Grows `trees` trees and hands each over with how often every row was drawn for it.
///
/// Tree t draws from branch t of `draws`, so that more trees leave the first ones as they are.
pub fn grow_forest(
    samples: &Samples,
    growth: Growth,
    redraw: Redraw,
    trees: usize,
    draws: Draws,
    mut each: impl FnMut(usize, &[Node], &[u32]),
) {
    let n = samples.n();
    let mut grower = Grower::new(samples, growth);
    let mut times = vec![1u32; n];
    for tree in 0..trees {
        let own = draws.branch(tree as u64);
        if redraw == Redraw::Bootstrap {
            times.fill(0);
            let mut rows = own.branch(0);
            (0..n).for_each(|_| times[rows.below(n as u32) as usize] += 1);
        }
        let nodes = grower.grow(&times, own.branch(1));
        each(tree, nodes, &times);
    }
}

/// The tree cut off below a depth: what growing it to that depth gives.
#[derive(Debug, Clone, Copy)]
pub struct Top<'a> {
    pub nodes: &'a [Node],
    pub depth: u32,
}

impl Top<'_> {
    /// Whether rows go further down from this node.
    fn asks(&self, node: &Node) -> bool {
        node.split.is_some() && node.depth < self.depth
    }

    /// What the tree says of a row, given by its value in each column.
    fn share(&self, value: impl Fn(u32) -> f64) -> f64 {
        let mut at = 0;
        loop {
            let node = &self.nodes[at];
            match &node.split {
                Some(split) if node.depth < self.depth => {
                    let goes_left = value(split.column) <= split.cut;
                    at = if goes_left { at + 1 } else { split.right as usize };
                }
                _ => return node.share,
            }
        }
    }

    /// Adds the tree to those that are kept.
    pub fn add_to(&self, trees: &mut Trees) {
        trees.begin();
        // Splits whose right child is still to come, deepest last.
        let mut waiting: Vec<usize> = Vec::new();
        let mut was_leaf = false;
        for node in self.nodes.iter().filter(|node| node.depth <= self.depth) {
            // After a leaf comes the right child of the deepest split that waits for it.
            if was_leaf && let Some(of) = waiting.pop() {
                trees.right(of);
            }
            was_leaf = !self.asks(node);
            match &node.split {
                Some(split) if !was_leaf => {
                    waiting.push(trees.split(split.column, split.cut));
                }
                _ => trees.leaf(node.share),
            }
        }
    }

    /// Adds the decrease of impurity by each column, as shares of the whole decrease of the tree.
    pub fn add_decreases(&self, importance: &mut [f64]) {
        let asking = || self.nodes.iter().filter(|node| self.asks(node));
        let splits = || asking().filter_map(|node| node.split.as_ref());
        let total: f64 = splits().map(|split| split.decrease).sum();
        if total > 0.0 {
            for split in splits() {
                importance[split.column as usize] += split.decrease / total;
            }
        }
    }

    /// The columns that the tree asks for, ascending.
    fn columns(&self) -> Vec<u32> {
        let asking = self.nodes.iter().filter(|node| self.asks(node));
        let splits = asking.filter_map(|node| node.split.as_ref());
        let mut columns: Vec<u32> = splits.map(|split| split.column).collect();
        columns.sort_unstable();
        columns.dedup();
        columns
    }
}

/// Shares of a whole; unchanged when all are 0.
pub fn normalised(mut importance: Vec<f64>) -> Vec<f64> {
    let total: f64 = importance.iter().sum();
    if total > 0.0 {
        importance.iter_mut().for_each(|value| *value /= total);
    }
    importance
}

/// What trees say of the rows that they were not grown on.
#[derive(Debug, Clone)]
pub struct Unseen {
    sums: Vec<f64>,
    trees: Vec<u32>,
}

impl Unseen {
    pub fn new(n: usize) -> Self {
        Self { sums: vec![0.0; n], trees: vec![0; n] }
    }

    pub fn add(&mut self, top: Top, samples: &Samples, times: &[u32]) {
        for (row, _) in times.iter().enumerate().filter(|(_, times)| **times == 0) {
            self.sums[row] += top.share(|column| samples.column(column as usize)[row]);
            self.trees[row] += 1;
        }
    }

    /// The mean share of each row that some tree has not seen, and its class.
    pub fn shares<'a>(
        &'a self,
        samples: &'a Samples,
    ) -> impl Iterator<Item = (f64, bool)> + 'a {
        let rows = self.sums.iter().zip(&self.trees).zip(samples.positive());
        let seen = rows.filter(|((_, trees), _)| **trees > 0);
        seen.map(|((sum, trees), positive)| (sum / f64::from(*trees), *positive))
    }
}

/// Adds, for each column, how many of the unseen rows the tree no longer gets right once the
/// values of that column are shuffled among them, as a share of these rows.
///
/// A leaf of equal parts is half right. Columns that the tree does not ask for change nothing.
pub fn add_permuted(
    top: Top,
    samples: &Samples,
    times: &[u32],
    draws: Draws,
    importance: &mut [f64],
) {
    let unseen: Vec<u32> =
        (0..samples.n() as u32).filter(|row| times[*row as usize] == 0).collect();
    if unseen.is_empty() {
        return;
    }
    let right = |row: u32, share: f64| match share == 0.5 {
        true => 0.5,
        false => f64::from(u8::from((share > 0.5) == samples.positive()[row as usize])),
    };
    let value = |column: u32, row: u32| samples.column(column as usize)[row as usize];
    let before: f64 = (unseen.iter())
        .map(|&row| right(row, top.share(|column| value(column, row))))
        .sum();
    let mut shuffled = unseen.clone();
    for changed in top.columns() {
        shuffled.copy_from_slice(&unseen);
        draws.branch(u64::from(changed)).shuffle(&mut shuffled);
        let after: f64 = unseen
            .iter()
            .zip(&shuffled)
            .map(|(&row, &other)| {
                let of = |column| if column == changed { other } else { row };
                right(row, top.share(|column| value(column, of(column))))
            })
            .sum();
        importance[changed as usize] += (before - after) / unseen.len() as f64;
    }
}
