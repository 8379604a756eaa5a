//! What is known of an outcome: a call per subject, and what a derivation is given to make it.

use serde::{Deserialize, Serialize};

use super::Table;

/// What is known of one subject. Unknown is never the same as negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Call {
    Negative,
    Positive,
    Unknown,
}

impl Call {
    /// The class, if it is known.
    pub fn class(self) -> Option<bool> {
        match self {
            Self::Negative => Some(false),
            Self::Positive => Some(true),
            Self::Unknown => None,
        }
    }
}

/// A call per subject, in the order in which the subjects were asked for.
pub type Calls = Vec<Call>;

/// What a derivation reads: a source's rows, each with the subject it belongs to.
#[derive(Debug, Clone, Copy)]
pub struct Assay<'a> {
    pub table: &'a Table,
    /// The subject of each row of the table.
    pub ids: &'a [String],
    /// Who was looked at, sorted; `None` when the source has a row for everybody it knows.
    pub assayed: Option<&'a [String]>,
}
