//! Placeholder.

use crate::operation::Entry;

pub fn operations() -> Vec<Entry> {
    Vec::new()
}
