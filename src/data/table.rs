//! A table as it was read: text cells under named columns, rows in canonical order.

use serde::{Deserialize, Serialize};

/// The cells of one column, stored end to end. An empty cell is a missing one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextColumn {
    pub name: String,
    text: String,
    ends: Vec<u32>,
}

/// A cell that was to be a number and is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column `{column}`, row {row}: not a number")]
pub struct NotNumeric {
    pub column: String,
    /// The row's position in the table, from 0.
    pub row: usize,
    pub found: String,
}

impl TextColumn {
    pub fn new<'a>(name: &str, cells: impl IntoIterator<Item = &'a str>) -> Self {
        let mut column =
            Self { name: name.to_string(), text: String::new(), ends: Vec::new() };
        for cell in cells {
            column.text.push_str(cell);
            column.ends.push(column.text.len() as u32);
        }
        column
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The cell in `row`; empty when it is missing.
    pub fn cell(&self, row: usize) -> &str {
        let start = if row == 0 { 0 } else { self.ends[row - 1] as usize };
        &self.text[start..self.ends[row] as usize]
    }

    pub fn cells(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|row| self.cell(row))
    }

    /// The column as numbers, NaN where a cell is empty. Infinities are not numbers.
    pub fn numbers(&self) -> Result<Vec<f64>, NotNumeric> {
        self.cells()
            .enumerate()
            .map(|(row, cell)| match cell {
                "" => Ok(f64::NAN),
                cell => cell
                    .parse()
                    .ok()
                    .filter(|number: &f64| number.is_finite())
                    .ok_or_else(|| NotNumeric {
                        column: self.name.clone(),
                        row,
                        found: cell.to_string(),
                    }),
            })
            .collect()
    }
}

/// Named columns of equal length, rows sorted by id and then by everything else, so that
/// the order of lines in the file is no content. The order of columns is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Table {
    columns: Vec<TextColumn>,
    n_rows: usize,
}

impl Table {
    /// Sorts the rows by `id` (a column's name, if there is one) and then by all cells.
    ///
    /// Columns must have equal length.
    pub fn sorted(columns: Vec<TextColumn>, id: Option<&str>) -> Self {
        let n_rows = columns.first().map_or(0, TextColumn::len);
        assert!(columns.iter().all(|c| c.len() == n_rows), "columns of unequal length");
        let id = id.and_then(|id| columns.iter().find(|column| column.name == id));
        let mut order: Vec<usize> = (0..n_rows).collect();
        order.sort_by(|&a, &b| {
            let by_id =
                id.map_or(std::cmp::Ordering::Equal, |id| id.cell(a).cmp(id.cell(b)));
            by_id.then_with(|| {
                columns
                    .iter()
                    .map(|column| column.cell(a).cmp(column.cell(b)))
                    .find(|order| order.is_ne())
                    .unwrap_or(std::cmp::Ordering::Equal)
            })
        });
        let sort = |column: &TextColumn| {
            TextColumn::new(&column.name, order.iter().map(|&row| column.cell(row)))
        };
        Self { columns: columns.iter().map(sort).collect(), n_rows }
    }

    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    pub fn columns(&self) -> &[TextColumn] {
        &self.columns
    }

    pub fn column(&self, name: &str) -> Option<&TextColumn> {
        self.columns.iter().find(|column| column.name == name)
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[[&str; 2]]) -> Table {
        let column =
            |i: usize, name| TextColumn::new(name, rows.iter().map(|row| row[i]));
        Table::sorted(vec![column(0, "id"), column(1, "x")], Some("id"))
    }

    #[test]
    fn the_order_of_lines_is_no_content() {
        let forward = table(&[["b", "2"], ["a", "1"], ["a", "0"]]);
        assert_eq!(forward, table(&[["a", "0"], ["a", "1"], ["b", "2"]]));
        assert_eq!(
            forward.column("x").unwrap().cells().collect::<Vec<_>>(),
            ["0", "1", "2"]
        );
    }

    #[test]
    fn numbers_are_finite_or_missing() {
        let column = TextColumn::new("x", ["1.5", "", "-2e3"]);
        let numbers = column.numbers().unwrap();
        assert_eq!(numbers[0], 1.5);
        assert!(numbers[1].is_nan());
        assert_eq!(numbers[2], -2000.0);
        for text in ["abc", "inf", "NaN", "1,5"] {
            let wrong = TextColumn::new("x", ["1", text]).numbers().unwrap_err();
            assert_eq!((wrong.row, wrong.found.as_str()), (1, text));
        }
    }
}
