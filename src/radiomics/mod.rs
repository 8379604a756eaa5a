//! Radiomic feature families.

mod first_order;

use crate::operation::{Entry, family};

/// In reading order.
pub fn operations() -> Vec<Entry> {
    vec![family::<first_order::FirstOrder>()]
}
