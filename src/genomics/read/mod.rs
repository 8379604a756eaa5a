//! Readers of genomic files.

pub mod maf;
