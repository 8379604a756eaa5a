//! Readers of tables.

pub mod csv;
pub mod parquet;

/// The cell without blanks around it; empty when it says that nothing is known.
fn known(cell: &str) -> &str {
    match cell.trim() {
        "NA" | "N/A" | "NaN" | "nan" | "null" => "",
        cell => cell,
    }
}
