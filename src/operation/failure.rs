//! Why something could not be computed, by name.

use crate::math::Unsolved;

/// A failure of the data, never of the program. Reads after "failed to …".
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Failure {
    #[error("column `{0}` has no value in the training rows")]
    AllMissing(String),
    #[error("column `{0}` has missing values; an imputing step must come first")]
    Missing(String),
    #[error("column `{0}` holds categories; `encode_onehot` must come first")]
    Categories(String),
    #[error("the rows hold one class only")]
    OneClass,
    #[error("{needed} rows are needed and there are {found}")]
    TooFew { needed: usize, found: usize },
    /// Fewer patients of a class than folds: of all, or of those who are left where something is
    /// held out.
    #[error("{needed} rows are needed and there are {found}")]
    TooFewForFolds {
        needed: usize,
        found: usize,
        positive: bool,
        held_out: Option<String>,
    },
    /// Fewer sites or folds in a column than a scheme needs.
    #[error("{needed} rows are needed and there are {found}")]
    TooFewParts { column: String, needed: usize, found: usize },
    #[error("{needed} rows of each class are needed and one class has {found}")]
    TooFewOfAClass { needed: usize, found: usize },
    #[error("{needed} columns that vary are needed and there are {found}")]
    TooFewColumns { needed: usize, found: usize },
    #[error("column `{column}`: {why}")]
    Beside { column: String, why: String },
    #[error("there are no columns")]
    NoColumns,
    #[error("the region of interest is empty")]
    EmptyRegion,
    #[error("image and mask lie on different grids: {0}")]
    Geometry(String),
    #[error("the file is cut short: {expected} bytes are promised and {found} are there")]
    Truncated { expected: usize, found: usize },
    #[error("the file cannot be read: {0}")]
    Unreadable(String),
    /// Its bytes are not those that somebody wrote.
    #[error("the file cannot be read: {0}")]
    Damaged(String),
    #[error("line {line}: {message}")]
    Line { line: usize, message: String },
    #[error("there is no column `{column}`")]
    NoColumn { column: String, known: Vec<String> },
    #[error("column `{column}` holds {found}, which was not declared")]
    Undeclared { column: String, found: String },
    #[error("nobody says who was assayed")]
    NotAssayed,
    #[error("the fit did not converge in {0} iterations")]
    NotConverged(usize),
    #[error(
        "some columns are combinations of others; a penalty or fewer columns would tell them apart"
    )]
    Dependent,
    #[error("the classes are separable, so there is no fit without a penalty")]
    Separable,
    #[error("a value is not finite: {0}")]
    NotFinite(String),
    #[error("it is not defined here: {0}")]
    Undefined(&'static str),
    #[error("a library failed: {0}")]
    Library(String),
}

impl Failure {
    /// What to do about a file whose bytes are not those that somebody wrote.
    pub fn remedy(&self) -> Option<&'static str> {
        matches!(self, Self::Damaged(_) | Self::Truncated { .. }).then_some(
            "get the file again from where it comes from: a copy or a download that broke off looks \
             like this",
        )
    }
}

impl From<Unsolved> for Failure {
    fn from(unsolved: Unsolved) -> Self {
        match unsolved {
            Unsolved::NotConverged(steps) => Self::NotConverged(steps),
            Unsolved::NotFinite => Self::NotFinite("an intermediate result".to_string()),
            Unsolved::Dependent => Self::Dependent,
            Unsolved::Separable => Self::Separable,
        }
    }
}
