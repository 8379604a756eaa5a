//! Why a numeric problem has no answer.

/// Not a fault of the program: the numbers do not determine an answer, or it is out of reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsolved {
    /// So many steps were not enough.
    NotConverged(usize),
    /// A number overflowed on the way.
    NotFinite,
    /// Some columns are combinations of others.
    Dependent,
    /// Some plane has all of one class on one side, so the likelihood has no maximum.
    Separable,
}
