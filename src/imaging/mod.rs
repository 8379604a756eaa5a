//! Images: how volumes and masks are read.

mod read;

use crate::operation::{Entry, reader};

/// In reading order.
pub fn operations() -> Vec<Entry> {
    vec![reader::<read::nifti::Nifti>()]
}
