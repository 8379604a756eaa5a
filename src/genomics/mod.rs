//! Genomics: how mutation files are read, and what is derived from them.

mod mutation;
mod read;

use crate::operation::{Entry, derivation, reader};

/// In reading order.
pub fn operations() -> Vec<Entry> {
    vec![reader::<read::maf::Maf>(), derivation::<mutation::Mutation>()]
}
