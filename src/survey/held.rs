//! A table of a source as the store holds it, decoded only when somebody looks into it.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::data::{Table, TextColumn, Value};
use crate::digest::Digest;

/// What is known of a table without decoding it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    n_rows: usize,
    ids: Digest,
    /// Names with digests of the cells, in table order.
    columns: Vec<(String, Digest)>,
}

impl Head {
    /// What is known of a table that was just read.
    pub fn of(table: &Table) -> Self {
        let mut bytes = Vec::new();
        let mut cells = |column| cells(column, &mut bytes);
        let ids = cells(table.ids());
        let columns = table.columns().iter();
        let columns =
            columns.map(|column| (column.name.clone(), cells(column))).collect();
        Self { n_rows: table.n_rows(), ids, columns }
    }
}

/// What the cells of a column are, whatever it is called. `bytes` is room to write in.
fn cells(column: &TextColumn, bytes: &mut Vec<u8>) -> Digest {
    bytes.clear();
    for cell in column.cells() {
        bytes.extend((cell.len() as u64).to_le_bytes());
        bytes.extend(cell.as_bytes());
    }
    Digest::of(bytes)
}

/// A table in its canonical bytes. Reading it costs a study only what it looks at: most studies
/// want ids and a few columns of most of their tables.
#[derive(Debug)]
pub struct HeldTable {
    /// Encoded by this program and verified when they were read; empty where the table was not decoded
    /// from them.
    bytes: Vec<u8>,
    head: Head,
    ids: TextColumn,
    table: OnceLock<Table>,
}

impl HeldTable {
    /// Of verified bytes of a [`Value::Table`]; none when they are of another version.
    pub fn new(bytes: Vec<u8>, head: Head) -> Option<Self> {
        let ids = Value::table_ids(&bytes).ok()?;
        Some(Self { bytes, head, ids, table: OnceLock::new() })
    }

    /// A table that was just read.
    pub fn of(table: Table, head: Head) -> Self {
        let ids = table.ids().clone();
        Self { bytes: Vec::new(), head, ids, table: OnceLock::from(table) }
    }

    /// Known without decoding it, as are its other measures and its names.
    pub fn n_rows(&self) -> usize {
        self.head.n_rows
    }

    pub fn n_columns(&self) -> usize {
        self.head.columns.len()
    }

    /// The id of each row, ascending.
    pub fn ids(&self) -> &TextColumn {
        &self.ids
    }

    /// The names of its columns, in table order.
    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.head.columns.iter().map(|(name, _)| name.as_str())
    }

    /// Names, each with digests of the ids of the rows and of the cells: equal where two tables hold
    /// the same.
    pub fn columns(&self) -> impl Iterator<Item = (&str, [Digest; 2])> {
        let columns = self.head.columns.iter();
        columns.map(|(name, cells)| (name.as_str(), [self.head.ids, *cells]))
    }

    /// What the cells of a column are that holds no value on any row; none without rows.
    pub fn valueless(&self) -> Option<Digest> {
        let n = self.head.n_rows;
        let empty = TextColumn::new("", std::iter::repeat_n("", n));
        (n > 0).then(|| cells(&empty, &mut Vec::new()))
    }

    /// Of all that the table holds.
    pub fn digest(&self) -> Digest {
        let head =
            postcard::to_stdvec(&self.head).expect("plain data always has an encoding");
        Digest::derive("restudy held table v1", &head)
    }

    /// The cells of a column.
    pub fn column(&self, name: &str) -> Option<&TextColumn> {
        let known = self.head.columns.iter().any(|(known, _)| known == name);
        known.then(|| self.table().column(name))?
    }

    /// All of it.
    pub fn table(&self) -> &Table {
        self.table.get_or_init(|| match Value::from_bytes(&self.bytes) {
            Ok(Value::Table(table)) => table,
            _ => unreachable!("the bytes of a table were verified when they were read"),
        })
    }
}
