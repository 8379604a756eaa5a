//! A figure: heading, picture, method, and the numbers behind it.

use std::borrow::Cow;
use std::iter;

use serde::Serialize;
use serde_json::json;

use super::shown::{counts_apart, fill, without_tags};
use super::svg::standalone;
use crate::operation::{Failure, Fragment};

/// A figure as its section describes it.
pub struct Figure<'a> {
    /// As in anchors and file names.
    pub id: &'a str,
    /// The finding. HTML made by this program.
    pub heading: String,
    /// What is drawn.
    pub sub: String,
    /// Pictures with what stands around them. HTML made by this program.
    pub body: String,
    /// The pictures alone, for files.
    pub pictures: Vec<String>,
    /// How the numbers were made.
    pub method: String,
    pub table: DataTable,
}

/// The numbers that a figure draws.
#[derive(Serialize)]
pub struct DataTable {
    pub head: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

/// A cell of a file for spreadsheets, which compute what begins like a formula: behind a quote it is text.
pub fn guarded(cell: &str) -> Cow<'_, str> {
    let begins = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    match begins && cell.parse::<f64>().is_err() {
        true => Cow::Owned(format!("'{cell}")),
        false => Cow::Borrowed(cell),
    }
}

impl DataTable {
    /// As it stands on the page: what a cell says in words is written as all words are.
    fn on_page(&self) -> Self {
        let row = |row: &Vec<String>| row.iter().map(|cell| counts_apart(cell)).collect();
        Self { head: self.head.clone(), rows: self.rows.iter().map(row).collect() }
    }

    /// As a file; simulated data say so in every row.
    pub fn csv(&self, simulated: bool) -> String {
        // Other programs read numbers with a hyphen for a minus sign.
        let number = |cell: &str| {
            let rest = cell.strip_prefix('−')?;
            rest.parse::<f64>().is_ok().then(|| format!("-{rest}"))
        };
        let guarded = |cell: &str| match guarded(cell) {
            Cow::Owned(guarded) => Some(guarded),
            Cow::Borrowed(cell) => number(cell),
        };
        let quoted = |cell: &str| {
            let guarded = guarded(cell);
            let text = guarded.as_deref().unwrap_or(cell);
            match text.contains(['"', ',', '\n', '\r']) {
                true => Some(format!("\"{}\"", text.replace('"', "\"\""))),
                false => guarded,
            }
        };
        let lines = || iter::once(&self.head).chain(&self.rows);
        let size = lines().flatten().map(|cell| cell.len() + 4).sum();
        let mut text = String::with_capacity(size);
        for (at, cells) in lines().enumerate() {
            for (place, cell) in cells.iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                text.push_str(quoted(cell).as_deref().unwrap_or(cell));
            }
            if simulated {
                text.push_str(if at == 0 { ",simulated" } else { ",yes" });
            }
            text.push('\n');
        }
        text
    }
}

impl Figure<'_> {
    /// The figure as HTML; its pictures and its table go to the fragment's files.
    pub fn into_html(
        self,
        simulated: bool,
        fragment: &mut Fragment,
    ) -> Result<String, Failure> {
        let mut body = self.body;
        for (position, picture) in self.pictures.iter().enumerate() {
            let number =
                if position == 0 { String::new() } else { format!("-{}", position + 1) };
            let name = format!("{}{number}.svg", self.id);
            // On a page that is too large the file stands for the picture.
            if let Some(at) = body.find(picture.as_str())
                && let Some((element, rest)) = picture.split_once(' ')
            {
                let marked = format!("{element} data-file=\"figures/{name}\" {rest}");
                body.replace_range(at..at + picture.len(), &marked);
            }
            fragment.figures.push((name, standalone(picture)));
        }
        fragment.tables.push((format!("{}.csv", self.id), self.table.csv(simulated)));
        fill(
            "figure.html",
            json!({
                "simulated": simulated,
                "figure": {
                    "id": self.id,
                    "heading": self.heading,
                    "plain_heading": without_tags(&self.heading),
                    "sub": self.sub,
                    "body": body,
                    "drawn": !self.pictures.is_empty(),
                    "method": counts_apart(&self.method),
                    "table": self.table.on_page(),
                },
            }),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::DataTable;

    #[test]
    fn a_file_has_numbers_that_other_programs_read() {
        let cells = ["−0.25", "−1 patient", "a \"b\", c"].map(String::from);
        let table = DataTable { head: vec!["x".to_string()], rows: vec![cells.to_vec()] };
        assert_eq!(table.csv(false), "x\n-0.25,−1 patient,\"a \"\"b\"\", c\"\n");
        assert_eq!(table.csv(true).lines().next(), Some("x,simulated"));
        let cells = ["=cmd|' /C calc'!A0", "-1+2, \"x\"", "-0.5", "+1e3", "@a"];
        let rows = vec![cells.map(String::from).to_vec()];
        let table = DataTable { head: vec!["=x".to_string()], rows };
        let text = "'=x\n'=cmd|' /C calc'!A0,\"'-1+2, \"\"x\"\"\",-0.5,+1e3,'@a\n";
        assert_eq!(table.csv(false), text);
    }
}
