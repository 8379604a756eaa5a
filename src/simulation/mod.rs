//! Cohorts that never were: generators whose truth is known.

mod nifti_bytes;
mod simulate;

use crate::operation::{Entry, generator};

/// In reading order.
pub fn operations() -> Vec<Entry> {
    vec![generator::<simulate::Simulate>()]
}
