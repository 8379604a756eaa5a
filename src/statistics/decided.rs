//! The four cells of a table of decisions against classes.

use crate::operation::{Failure, Scored};

/// How many rows are decided how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Decided {
    /// Positive, called positive.
    pub hits: usize,
    /// Positive, called negative.
    pub misses: usize,
    /// Negative, called positive.
    pub alarms: usize,
    /// Negative, called negative.
    pub passes: usize,
}

impl Decided {
    /// Fails when no threshold was declared.
    pub fn count(scored: Scored<'_>) -> Result<Self, Failure> {
        if scored.decisions.len() != scored.truth.len() {
            return Err(Failure::Undefined("no threshold was declared"));
        }
        let mut cells = Self::default();
        for (positive, called) in scored.truth.iter().zip(scored.decisions) {
            match (positive, called) {
                (true, true) => cells.hits += 1,
                (true, false) => cells.misses += 1,
                (false, true) => cells.alarms += 1,
                (false, false) => cells.passes += 1,
            }
        }
        Ok(cells)
    }
}
