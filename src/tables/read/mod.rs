//! Readers of tables.

pub mod csv;
