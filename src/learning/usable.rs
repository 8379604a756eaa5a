//! What every learner asks of its rows.

use crate::math::Matrix;
use crate::operation::prelude::*;

/// Rows as a matrix, a row for each sample.
pub(super) fn matrix(rows: &Rows) -> Matrix {
    Matrix::of_columns(rows.n(), rows.columns().iter().map(|column| &column.values[..]))
}

/// The class of each row as a number: 1, or `negative`.
pub(super) fn classes(train: &Train, negative: f64) -> Vec<f64> {
    let outcome = train.outcome().iter();
    outcome.map(|positive| if *positive { 1.0 } else { negative }).collect()
}

/// Whether a learner can be fitted on these rows at all: both classes, no missing values.
pub(super) fn usable(train: &Train) -> Result<(), Failure> {
    let positive = train.outcome().iter().filter(|positive| **positive).count();
    if positive == 0 || positive == train.outcome().len() {
        return Err(Failure::OneClass);
    }
    if train.rows().p() == 0 {
        return Err(Failure::NoColumns);
    }
    complete(train.rows())
}

/// Whether these rows have the columns that the model knows, without missing values.
pub(super) fn predictable(rows: &Rows, p: usize) -> Result<(), Failure> {
    if rows.p() != p {
        let message = format!("{} columns where the model knows {p}", rows.p());
        return Err(Failure::Library(message));
    }
    complete(rows)
}

fn complete(rows: &Rows) -> Result<(), Failure> {
    if let Some(column) = rows.missing() {
        return Err(Failure::Missing(column.to_string()));
    }
    let infinite =
        rows.columns().iter().find(|c| c.values.iter().any(|v| v.is_infinite()));
    match infinite {
        Some(column) => Err(Failure::NotFinite(format!("a value of `{}`", column.name))),
        None => Ok(()),
    }
}
