//! Many fitted trees in four flat lists: what is stored, and what predicts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Binary trees, their nodes one after the other; the left child of a split is the next node.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Trees {
    /// The node at which each tree begins.
    roots: Vec<u32>,
    /// Of each node: 0 at a leaf, otherwise one more than the position of the column it asks.
    column: Vec<u32>,
    /// Of each node: the value up to which rows go left; at a leaf what it predicts.
    at: Vec<f64>,
    /// Of each node: how many nodes further the right child lies, the left one being the next; 0 at a leaf.
    right: Vec<u32>,
}

/// What stands at a node of a tree.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum At {
    Leaf(f64),
    /// Rows with values up to the cut go left. Children are positions of nodes.
    Split {
        column: usize,
        cut: f64,
        left: usize,
        right: usize,
    },
}

impl Trees {
    /// Number of trees.
    pub fn len(&self) -> usize {
        self.roots.len()
    }

    pub fn is_empty(&self) -> bool {
        self.roots.is_empty()
    }

    /// Begins a tree; the nodes that follow are its own, each before its children.
    pub fn begin(&mut self) {
        self.roots.push(self.column.len() as u32);
    }

    /// Adds a leaf.
    pub fn leaf(&mut self, value: f64) {
        self.column.push(0);
        self.at.push(value);
        self.right.push(0);
    }

    /// Adds a split and gives its position, for [`Trees::right`].
    pub fn split(&mut self, column: u32, cut: f64) -> usize {
        self.column.push(column + 1);
        self.at.push(cut);
        self.right.push(0);
        self.column.len() - 1
    }

    /// The next node is the right child of this one.
    pub fn right(&mut self, of: usize) {
        self.right[of] = (self.column.len() - of) as u32;
    }

    /// The first `n` trees alone.
    pub fn first(&self, n: usize) -> Self {
        let end = self.roots.get(n).map_or(self.column.len(), |node| *node as usize);
        Self {
            roots: self.roots[..n.min(self.roots.len())].to_vec(),
            column: self.column[..end].to_vec(),
            at: self.at[..end].to_vec(),
            right: self.right[..end].to_vec(),
        }
    }

    /// The nodes at which trees begin.
    pub fn roots(&self) -> impl Iterator<Item = usize> + '_ {
        self.roots.iter().map(|root| *root as usize)
    }

    /// Number of nodes of all trees.
    pub fn n_nodes(&self) -> usize {
        self.column.len()
    }

    /// What stands at a node.
    pub fn node(&self, node: usize) -> At {
        match self.column[node] {
            0 => At::Leaf(self.at[node]),
            column => At::Split {
                column: column as usize - 1,
                cut: self.at[node],
                left: node + 1,
                right: node + self.right[node] as usize,
            },
        }
    }

    /// Adds to each row's sum what every tree predicts for it, in the order of the trees.
    ///
    /// Shape: `rows` n × `p`, row-major; `sums` n.
    pub fn add_to(&self, rows: &[f64], p: usize, sums: &mut [f64]) {
        for root in &self.roots {
            for (row, sum) in rows.chunks_exact(p).zip(sums.iter_mut()) {
                let mut node = *root as usize;
                while self.column[node] != 0 {
                    let goes_left = row[self.column[node] as usize - 1] <= self.at[node];
                    node += if goes_left { 1 } else { self.right[node] as usize };
                }
                *sum += self.at[node];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_find_their_leaves() {
        let mut trees = Trees::default();
        trees.begin();
        let root = trees.split(1, 0.5);
        trees.leaf(1.0);
        trees.right(root);
        let below = trees.split(0, -2.0);
        trees.leaf(2.0);
        trees.right(below);
        trees.leaf(4.0);
        trees.begin();
        trees.leaf(0.25);
        let rows = [9.0, 0.5, -2.0, 0.6, -1.9, 0.6];
        let predicted = |trees: &Trees| {
            let mut sums = [0.0; 3];
            trees.add_to(&rows, 2, &mut sums);
            sums
        };
        assert_eq!(predicted(&trees), [1.25, 2.25, 4.25]);
        assert_eq!(predicted(&trees.first(1)), [1.0, 2.0, 4.0]);
        assert_eq!(trees.first(5), trees);
        assert_eq!((trees.len(), trees.first(0).len()), (2, 0));
    }
}
