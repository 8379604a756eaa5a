//! A table as it was read: text cells under named columns, rows in canonical order.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// The cells of one column, stored end to end. An empty cell is a missing one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
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
        let mut column = Self::with_room(name, 0, 0);
        cells.into_iter().for_each(|cell| column.push(cell));
        column
    }

    /// A column without cells, with room for about so many with so much text.
    pub fn with_room(name: &str, cells: usize, text: usize) -> Self {
        let (text, ends) = (String::with_capacity(text), Vec::with_capacity(cells));
        Self { name: name.to_string(), text, ends }
    }

    /// Puts a cell below the others.
    pub fn push(&mut self, cell: &str) {
        self.text.push_str(cell);
        self.ends.push(self.text.len() as u32);
    }

    /// The cells of these rows, in this order.
    pub fn take(&self, rows: &[usize]) -> Self {
        let share = self.text.len() * rows.len() / self.len().max(1);
        let mut taken = Self::with_room(&self.name, rows.len(), share);
        rows.iter().for_each(|&row| taken.push(self.cell(row)));
        taken
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

    /// In an ascending column: the first cell that is not below `cell`.
    fn first_at_least(&self, cell: &str) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.cell(middle) < cell {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        low
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
    ids: TextColumn,
    columns: Vec<TextColumn>,
}

impl Table {
    /// Sorts the rows by id and then by all cells. Columns must be as long as there are ids.
    pub fn sorted(ids: TextColumn, columns: Vec<TextColumn>) -> Self {
        assert!(
            columns.iter().all(|c| c.len() == ids.len()),
            "columns of unequal length"
        );
        let mut order: Vec<usize> = (0..ids.len()).collect();
        order.par_sort_by(|&a, &b| {
            ids.cell(a).cmp(ids.cell(b)).then_with(|| {
                columns
                    .iter()
                    .map(|column| column.cell(a).cmp(column.cell(b)))
                    .find(|order| order.is_ne())
                    .unwrap_or(std::cmp::Ordering::Equal)
            })
        });
        if order.is_sorted() {
            return Self { ids, columns };
        }
        // One after another, so that the space of one serves the next.
        let columns = columns.into_iter().map(|column| column.take(&order)).collect();
        Self { ids: ids.take(&order), columns }
    }

    /// The same where the cells of these columns, joined by `separator`, are the ids. Fails with
    /// the first that is not there.
    pub fn keyed(
        columns: Vec<TextColumn>,
        id: &[&str],
        separator: &str,
    ) -> Result<Self, String> {
        let mut parts = Vec::new();
        for name in id {
            let part = columns.iter().find(|column| column.name == *name);
            parts.push(part.ok_or_else(|| (*name).to_string())?);
        }
        let n_rows = columns.first().map_or(0, TextColumn::len);
        let ids: Vec<String> = (0..n_rows)
            .map(|row| {
                let cells: Vec<&str> = parts.iter().map(|part| part.cell(row)).collect();
                cells.join(separator)
            })
            .collect();
        let ids = TextColumn::new(&id.join(separator), ids.iter().map(String::as_str));
        Ok(Self::sorted(ids, columns))
    }

    /// The rows at these positions, in this order: ascending ones stay sorted.
    pub fn take(&self, rows: &[usize]) -> Self {
        let columns = self.columns.iter().map(|column| column.take(rows)).collect();
        Self { ids: self.ids.take(rows), columns }
    }

    pub fn n_rows(&self) -> usize {
        self.ids.len()
    }

    /// The id of each row, ascending; the same one may stand on several rows.
    pub fn ids(&self) -> &TextColumn {
        &self.ids
    }

    /// The first row of this id.
    pub fn row(&self, id: &str) -> Option<usize> {
        Some(self.ids.first_at_least(id)).filter(|&row| self.has(row, id))
    }

    /// All rows of this id.
    pub fn rows(&self, id: &str) -> impl Iterator<Item = usize> {
        (self.ids.first_at_least(id)..).take_while(move |&row| self.has(row, id))
    }

    fn has(&self, row: usize, id: &str) -> bool {
        row < self.ids.len() && self.ids.cell(row) == id
    }

    pub fn columns(&self) -> &[TextColumn] {
        &self.columns
    }

    pub fn into_columns(self) -> (TextColumn, Vec<TextColumn>) {
        (self.ids, self.columns)
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
        Table::keyed(vec![column(0, "id"), column(1, "x")], &["id"], "-").unwrap()
    }

    #[test]
    fn rows_are_found_by_id_and_ids_may_be_made_of_several_columns() {
        let found = table(&[["b", "2"], ["a", "1"], ["b", "0"]]);
        assert_eq!(
            (found.row("a"), found.row("b"), found.row("c")),
            (Some(0), Some(1), None)
        );
        let columns = found.clone().into_columns().1;
        assert_eq!(Table::keyed(columns.clone(), &["y"], "-"), Err("y".to_string()));
        let both = Table::keyed(columns, &["x", "id"], "/").unwrap();
        assert_eq!(both.ids().cells().collect::<Vec<_>>(), ["0/b", "1/a", "2/b"]);
        assert_eq!(both.take(&[1]).row("1/a"), Some(0));
        let rows = |id| found.rows(id).collect::<Vec<_>>();
        assert_eq!((rows("a"), rows("b"), rows("c")), (vec![0], vec![1, 2], vec![]));
    }

    #[test]
    fn the_ids_of_an_encoded_table_are_read_alone() {
        let found = table(&[["b", "2"], ["a", "1"]]);
        let ids = found.ids().clone();
        let bytes = crate::data::Value::Table(found).to_bytes();
        assert_eq!(crate::data::Value::table_ids(&bytes).unwrap(), ids);
        let other = crate::data::Value::Threshold(None).to_bytes();
        assert!(crate::data::Value::table_ids(&other).is_err());
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
