//! stub
mod page;
use crate::operation::Entry;
pub use page::{Page, render};

pub fn operations() -> Vec<Entry> {
    Vec::new()
}
