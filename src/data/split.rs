//! Who trains and who is held out.

use serde::{Deserialize, Serialize};

/// How many splits a scheme makes; known before any data are read, so the graph's shape is too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    pub repeats: usize,
    pub outer: usize,
    pub inner: usize,
}

/// The rows that a scheme divides, with what it may divide them by.
#[derive(Debug, Clone)]
pub struct Population {
    /// Positions in the cohort of the rows with a known outcome, ascending.
    pub rows: Vec<u32>,
    /// The class of each of them.
    pub outcome: Vec<bool>,
    /// The subject of each of them: a subject may own several rows.
    pub subjects: Vec<u32>,
    /// The columns that the scheme asked for, each with a cell per row; empty is unknown.
    pub columns: Vec<(String, Vec<String>)>,
}

impl Population {
    /// The cells of a column that the scheme asked for.
    pub fn column(&self, name: &str) -> Option<&[String]> {
        let found = self.columns.iter().find(|(known, _)| known == name);
        found.map(|(_, cells)| cells.as_slice())
    }
}

/// Two disjoint sets of cohort rows, each ascending.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    pub train: Vec<u32>,
    pub held_out: Vec<u32>,
}

/// An outer split and the inner splits of its training rows, on which candidates are tuned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OuterSplit {
    pub split: Split,
    pub inner: Vec<Split>,
}

/// All splits of a scheme: `repeats[r][o]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Splits {
    pub repeats: Vec<Vec<OuterSplit>>,
}
