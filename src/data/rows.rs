//! Numbers in rows and columns, and the one way to come by training rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Split;
use crate::digest::Digest;

/// One named column of numbers; NaN is missing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FrameColumn {
    pub name: Arc<str>,
    pub values: Vec<f64>,
}

/// Samples × features, column-major. Shape: n × the number of columns.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Rows {
    /// Shared with the tables that they were taken from until a step changes their values.
    columns: Vec<Arc<FrameColumn>>,
    n: usize,
    /// Categories of columns that hold such: their values are positions in this list.
    categories: BTreeMap<String, Vec<String>>,
    /// Cells of the cohort's columns that a step asked for, such as the site of each sample. Put
    /// there when rows are used; no part of the value that is stored.
    #[serde(skip)]
    beside: BTreeMap<String, Vec<Option<String>>>,
}

impl Rows {
    /// Columns must all have length `n`.
    pub fn new(columns: Vec<FrameColumn>, n: usize) -> Self {
        assert!(columns.iter().all(|c| c.values.len() == n), "columns of unequal length");
        let columns = columns.into_iter().map(Arc::new).collect();
        Self { columns, n, ..Self::default() }
    }

    /// The same where some columns hold categories: values are positions among them.
    pub fn with_categories(mut self, categories: BTreeMap<String, Vec<String>>) -> Self {
        self.categories = categories;
        self
    }

    /// The same with cells of other columns beside the samples, a cell per sample.
    pub fn with_beside(mut self, beside: BTreeMap<String, Vec<Option<String>>>) -> Self {
        assert!(beside.values().all(|c| c.len() == self.n), "columns of unequal length");
        self.beside = beside;
        self
    }

    /// The cells of a column that stands beside the predictors; `None` when nobody asked for it.
    pub fn beside(&self, column: &str) -> Option<&[Option<String>]> {
        self.beside.get(column).map(Vec::as_slice)
    }

    /// The categories of a column; `None` when it holds numbers.
    pub fn categories(&self, column: &str) -> Option<&[String]> {
        self.categories.get(column).map(Vec::as_slice)
    }

    /// The first column that holds categories, if any.
    pub fn categorical(&self) -> Option<&str> {
        let mut names = self.columns.iter().map(|column| &*column.name);
        names.find(|name| self.categories.contains_key(*name))
    }

    /// Takes the columns out for which `wanted` holds, and says where the first one stood.
    pub fn take_out(&mut self, wanted: impl Fn(&str) -> bool) -> (Self, usize) {
        let mut part = Self { n: self.n, beside: self.beside.clone(), ..Self::default() };
        let mut rest = Vec::new();
        let mut place = None;
        for column in std::mem::take(&mut self.columns) {
            if wanted(&column.name) {
                place.get_or_insert(rest.len());
                if let Some(categories) = self.categories.remove(&*column.name) {
                    part.categories.insert(column.name.to_string(), categories);
                }
                part.columns.push(column);
            } else {
                rest.push(column);
            }
        }
        self.columns = rest;
        (part, place.unwrap_or(0))
    }

    /// Puts columns in at a place.
    pub fn put_in(&mut self, part: Self, place: usize) {
        assert_eq!(part.n, self.n, "a step keeps every row");
        let after = self.columns.split_off(place.min(self.columns.len()));
        self.columns.extend(part.columns);
        self.columns.extend(after);
        self.categories.extend(part.categories);
    }

    /// Replaces all columns.
    pub fn set_columns(&mut self, columns: Vec<Arc<FrameColumn>>) {
        assert!(
            columns.iter().all(|c| c.values.len() == self.n),
            "columns of unequal length"
        );
        self.categories.clear();
        self.columns = columns;
    }

    /// Number of samples.
    pub fn n(&self) -> usize {
        self.n
    }

    /// Number of columns.
    pub fn p(&self) -> usize {
        self.columns.len()
    }

    pub fn columns(&self) -> &[Arc<FrameColumn>] {
        &self.columns
    }

    /// The values of the column at a position, its own from now on.
    pub fn values_mut(&mut self, at: usize) -> &mut [f64] {
        &mut Arc::make_mut(&mut self.columns[at]).values
    }

    /// Steps change values in place; they cannot change the number of samples.
    pub fn columns_mut(&mut self) -> impl Iterator<Item = (&str, &mut [f64])> {
        self.columns.iter_mut().map(|column| {
            let FrameColumn { name, values } = Arc::make_mut(column);
            (&**name, values.as_mut_slice())
        })
    }

    /// Keeps the columns at these positions, in this order.
    pub fn keep(&mut self, positions: &[usize]) {
        self.columns = positions.iter().map(|&i| self.columns[i].clone()).collect();
        let columns = &self.columns;
        self.categories
            .retain(|name, _| columns.iter().any(|column| *column.name == **name));
    }

    /// The samples at these positions, in this order.
    pub fn take(&self, positions: &[usize]) -> Self {
        let take = |column: &Arc<FrameColumn>| {
            let values = positions.iter().map(|&row| column.values[row]).collect();
            Arc::new(FrameColumn { name: column.name.clone(), values })
        };
        let beside = |(name, cells): (&String, &Vec<Option<String>>)| {
            let taken = positions.iter().map(|&row| cells[row].clone());
            (name.clone(), taken.collect())
        };
        Self {
            columns: self.columns.iter().map(take).collect(),
            n: positions.len(),
            categories: self.categories.clone(),
            beside: self.beside.iter().map(beside).collect(),
        }
    }

    /// One sample across the columns.
    pub fn row(&self, row: usize) -> Vec<f64> {
        self.columns.iter().map(|column| column.values[row]).collect()
    }

    /// The first missing value, if any: learners do not take any.
    pub fn missing(&self) -> Option<&str> {
        // Counted without a look at each: most columns have none, and so it takes a fraction of the time.
        let gaps = |column: &FrameColumn| {
            column.values.iter().filter(|value| value.is_nan()).count()
        };
        let column = self.columns.iter().find(|column| gaps(column) > 0)?;
        Some(&column.name)
    }
}

/// The predictors of a cohort: a row per cohort row, some without values and with a reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Frame {
    pub rows: Rows,
    /// Why a row has no values, for those that have none.
    pub failed: Vec<Option<String>>,
}

/// One subject's features under one family, in the order of its columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Features {
    pub values: Vec<f64>,
}

/// Training rows with their outcomes: what a step or a learner is fitted on.
///
/// Only a [`Split`] makes one, so nothing can be fitted on held-out rows by accident.
#[derive(Debug, Clone)]
pub struct Train {
    rows: Rows,
    outcome: Vec<bool>,
    groups: Vec<u32>,
}

impl Train {
    pub fn rows(&self) -> &Rows {
        &self.rows
    }

    /// The class of each row.
    pub fn outcome(&self) -> &[bool] {
        &self.outcome
    }

    /// The group (subject) of each row.
    pub fn groups(&self) -> &[u32] {
        &self.groups
    }

    /// The same rows with other columns: what the next step of a chain is fitted on.
    pub fn with_rows(&self, rows: Rows) -> Self {
        assert_eq!(rows.n(), self.rows.n(), "a step keeps every row");
        Self { rows, outcome: self.outcome.clone(), groups: self.groups.clone() }
    }

    /// These rows, some of them several times: what a resample is fitted on.
    pub fn take(&self, rows: &[usize]) -> Self {
        Self {
            rows: self.rows.take(rows),
            outcome: rows.iter().map(|&row| self.outcome[row]).collect(),
            groups: rows.iter().map(|&row| self.groups[row]).collect(),
        }
    }
}

impl Split {
    /// The rows of `frame` that this split trains on and that have values.
    ///
    /// `outcome` and `groups` are by cohort row; every row of a split has a known outcome.
    pub fn train(
        &self,
        frame: &Frame,
        outcome: &[Option<bool>],
        groups: &[u32],
    ) -> Train {
        let positions = present(frame, &self.train);
        Train {
            rows: frame.rows.take(&positions),
            outcome: positions
                .iter()
                .map(|&row| outcome[row].expect("splits hold rows with a known outcome"))
                .collect(),
            groups: positions.iter().map(|&row| groups[row]).collect(),
        }
    }

    /// The held-out rows that have values, and their positions in the cohort.
    pub fn held_out(&self, frame: &Frame) -> (Vec<usize>, Rows) {
        let positions = present(frame, &self.held_out);
        let rows = frame.rows.take(&positions);
        (positions, rows)
    }

    /// The name of these two sets of rows, for keys.
    pub fn digest(&self) -> Digest {
        let mut bytes =
            Vec::with_capacity(4 * (self.train.len() + self.held_out.len() + 1));
        bytes.extend((self.train.len() as u32).to_le_bytes());
        for row in self.train.iter().chain(&self.held_out) {
            bytes.extend(row.to_le_bytes());
        }
        Digest::of(&bytes)
    }
}

fn present(frame: &Frame, rows: &[u32]) -> Vec<usize> {
    rows.iter().map(|&r| r as usize).filter(|&r| frame.failed[r].is_none()).collect()
}
