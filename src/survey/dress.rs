//! From what a file holds to a table that a study means: files stacked, cells understood, ids cut,
//! samples chosen, repeated rows taken once.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::data::{Table, TextColumn};
use crate::diagnostics::{Code, Diagnostic, Place};
use crate::spec::{Cells, Keyed, Part, Sample, Several};

use super::sources::no_column;

/// What was noticed on the way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notes {
    /// Rows that stood twice with all their cells.
    pub collapsed: usize,
    /// Rows without an id that were left out.
    pub nameless: usize,
    /// Rows of samples that do not count.
    pub other_samples: usize,
    /// Columns that hold words, with the first row that does and what it says.
    pub words: BTreeMap<String, (usize, String)>,
    /// Ids that stand on several rows which differ, and some of the columns in which they do.
    pub differing: Option<(usize, Vec<String>)>,
}

type Fault = Box<Diagnostic>;

/// The table that is meant. `tables` are the files in written order, `shown` their names.
pub fn dress(
    tables: Vec<Table>,
    shown: &[String],
    keyed: &Keyed,
    is_maf: bool,
) -> Result<(Table, Notes), Fault> {
    let name = shown.first().map_or("", String::as_str);
    let mut columns = stacked(tables, shown, keyed)?;
    for cells in &keyed.cells {
        find(&columns, &cells.column, name)?;
    }
    for column in &mut columns {
        let cells = keyed.cells.iter().find(|cells| cells.column.name == column.name);
        if let Some(understood) = understood(column, &keyed.missing, cells, name)? {
            *column = understood;
        }
    }
    let mut notes = Notes::default();
    if keyed.leaves_out_nameless {
        columns = with_name(columns, keyed, name, &mut notes)?;
    }
    let ids = ids(&columns, keyed, name)?;
    let implied;
    let sample = match &keyed.sample {
        Some(sample) => Some(sample),
        // Ids cut from barcodes: several barcodes are several samples.
        None if is_maf && keyed.part != Part::Whole => {
            implied = Sample {
                column: keyed.columns[0].clone(),
                part: Part::Whole,
                keep: Vec::new(),
                several: Several::Refuse,
            };
            Some(&implied)
        }
        None => None,
    };
    let rows = match sample {
        Some(sample) => sampled(&columns, &ids, sample, keyed, name)?,
        None => (0..ids.len()).collect(),
    };
    notes.other_samples = ids.len() - rows.len();
    let cells = rows.iter().map(|&row| ids[row].as_str());
    let ids = TextColumn::new(&keyed.columns[0].name, cells);
    let mut table = Table::sorted(ids, taken(columns, &rows));
    if !is_maf {
        table = once(table, &mut notes);
    }
    let words = table.columns().iter().filter_map(|column| column.numbers().err());
    notes.words = words.map(|wrong| (wrong.column, (wrong.row, wrong.found))).collect();
    Ok((table, notes))
}

fn find<'c>(
    columns: &'c [TextColumn],
    wanted: &crate::spec::Named,
    name: &str,
) -> Result<&'c TextColumn, Fault> {
    let found = columns.iter().find(|column| column.name == wanted.name);
    found.ok_or_else(|| {
        let known: Vec<&str> = columns.iter().map(|c| c.name.as_str()).collect();
        let place = Place::Study(wanted.span);
        Box::new(no_column(place, &wanted.name, name, known.into_iter()))
    })
}

/// The columns of all files, one under the other.
fn stacked(
    tables: Vec<Table>,
    shown: &[String],
    keyed: &Keyed,
) -> Result<Vec<TextColumn>, Fault> {
    let mut tables = tables.into_iter().map(|table| table.into_columns().1);
    let mut whole = tables.next().unwrap_or_default();
    for (table, shown) in tables.zip(shown.iter().skip(1)) {
        let names = |columns: &[TextColumn]| -> BTreeSet<String> {
            columns.iter().map(|column| column.name.clone()).collect()
        };
        let (first, other) = (names(&whole), names(&table));
        if first != other {
            let apart: Vec<&String> =
                first.symmetric_difference(&other).take(5).collect();
            let listed: Vec<String> =
                apart.iter().map(|name| format!("`{name}`")).collect();
            let fault = Diagnostic::error(
                Code::TABLE,
                Place::Study(keyed.columns[0].span),
                format!("{shown} has other columns than the file before it"),
            );
            let hint = format!("only one of them has {}", listed.join(", "));
            return Err(Box::new(fault.hint(hint)));
        }
        for column in &mut whole {
            let more = table.iter().find(|other| other.name == column.name);
            let more = more.into_iter().flat_map(TextColumn::cells);
            *column = TextColumn::new(&column.name, column.cells().chain(more));
        }
    }
    Ok(whole)
}

/// A column with its codes for "not known" empty and its spellings mapped; none where it has neither.
fn understood(
    column: &TextColumn,
    missing: &[String],
    cells: Option<&Cells>,
    name: &str,
) -> Result<Option<TextColumn>, Fault> {
    let own: &[String] = cells.map_or(&[], |cells| &cells.missing);
    let is_missing = |cell: &str| missing.iter().chain(own).any(|code| code == cell);
    let Some(cells) = cells.filter(|cells| !cells.map.is_empty()) else {
        if missing.is_empty() && own.is_empty() {
            return Ok(None);
        }
        let known = column.cells().map(|cell| if is_missing(cell) { "" } else { cell });
        return Ok(Some(TextColumn::new(&column.name, known)));
    };
    let meaning: BTreeMap<&str, &str> = cells
        .map
        .iter()
        .flat_map(|(value, spellings)| {
            spellings.iter().map(move |spelling| (spelling.as_str(), value.as_str()))
        })
        .collect();
    let mut unmapped: BTreeMap<&str, usize> = BTreeMap::new();
    let mut mapped = Vec::with_capacity(column.len());
    for cell in column.cells() {
        mapped.push(match meaning.get(cell) {
            _ if cell.is_empty() || is_missing(cell) => "",
            Some(value) => value,
            None => match cells.otherwise.as_deref() {
                Some("missing") => "",
                Some(other) => other,
                None => {
                    *unmapped.entry(cell).or_insert(0) += 1;
                    ""
                }
            },
        });
    }
    if unmapped.is_empty() {
        return Ok(Some(TextColumn::new(&column.name, mapped)));
    }
    let listed: Vec<String> =
        unmapped.iter().take(20).map(|(cell, n)| format!("`{cell}` ({n})")).collect();
    let fault = Diagnostic::error(
        Code::UNMAPPED,
        Place::Study(cells.column.span),
        format!(
            "column `{}` of {name} holds {} values that `map` does not name",
            column.name,
            unmapped.len()
        ),
    );
    let fault = fault.hint(format!("they are: {}", listed.join(", ")));
    Err(Box::new(fault.hint("map each, or say what the others mean: `else: missing`")))
}

/// The rows whose ids have no empty part.
fn with_name(
    columns: Vec<TextColumn>,
    keyed: &Keyed,
    name: &str,
    notes: &mut Notes,
) -> Result<Vec<TextColumn>, Fault> {
    let n_rows = columns.first().map_or(0, TextColumn::len);
    let mut rows: Vec<usize> = (0..n_rows).collect();
    for column in &keyed.columns {
        let column = find(&columns, column, name)?;
        rows.retain(|&row| !column.cell(row).is_empty());
    }
    notes.nameless = n_rows - rows.len();
    Ok(taken(columns, &rows))
}

/// These rows, ascending.
fn taken(columns: Vec<TextColumn>, rows: &[usize]) -> Vec<TextColumn> {
    match columns.first().is_none_or(|column| column.len() == rows.len()) {
        true => columns,
        false => columns.into_iter().map(|column| column.take(rows)).collect(),
    }
}

fn ids(columns: &[TextColumn], keyed: &Keyed, name: &str) -> Result<Vec<String>, Fault> {
    let mut parts = Vec::new();
    for column in &keyed.columns {
        parts.push(find(columns, column, name)?);
    }
    let n_rows = columns.first().map_or(0, TextColumn::len);
    let mut ids = Vec::with_capacity(n_rows);
    let mut without = 0;
    for row in 0..n_rows {
        let cells: Vec<&str> = parts.iter().map(|part| part.cell(row)).collect();
        let whole = cells.join(&keyed.separator);
        match keyed.part.of(&whole) {
            Some(id) => ids.push(id.to_string()),
            None => without += 1,
        }
    }
    if without == 0 {
        return Ok(ids);
    }
    let fault = Diagnostic::error(
        Code::NO_PART,
        Place::Study(keyed.columns[0].span),
        format!(
            "{without} of {n_rows} rows of {name} have no such part in `{}`",
            keyed.columns[0].name
        ),
    );
    Err(Box::new(fault.hint(
        "the pattern begins at the first character: `?` is one character, `*` any text",
    )))
}

/// The rows whose samples count.
fn sampled(
    columns: &[TextColumn],
    ids: &[String],
    sample: &Sample,
    keyed: &Keyed,
    name: &str,
) -> Result<Vec<usize>, Fault> {
    let column = find(columns, &sample.column, name)?;
    let of_kind = |cell: &str| {
        let kind = sample.part.of(cell).unwrap_or("");
        sample.keep.is_empty() || sample.keep.iter().any(|kept| kept == kind)
    };
    let rows: Vec<usize> =
        (0..ids.len()).filter(|&row| of_kind(column.cell(row))).collect();
    let mut samples: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for &row in &rows {
        samples.entry(&ids[row]).or_default().insert(column.cell(row));
    }
    let several = samples.values().filter(|samples| samples.len() > 1).count();
    match sample.several {
        Several::Any => Ok(rows),
        _ if several == 0 => Ok(rows),
        Several::First => {
            let first = |row: &usize| {
                let of_id = &samples[ids[*row].as_str()];
                of_id.first().is_some_and(|first| *first == column.cell(*row))
            };
            Ok(rows.into_iter().filter(first).collect())
        }
        Several::Refuse => {
            let fault = Diagnostic::error(
                Code::SEVERAL_SAMPLES,
                Place::Study(sample.column.span),
                format!("{several} patients of {name} have several samples"),
            );
            let example = match keyed.sample.is_some() {
                true => {
                    "say which count: `several: first` or `several: any`, or keep one type"
                }
                false => {
                    "say which count: `sample: { column: …, at: [14, 15], keep: [\"01\"] }` keeps \
                     primary tumours of TCGA barcodes"
                }
            };
            Err(Box::new(fault.hint(example)))
        }
    }
}

/// Rows that are the same in every cell taken once; ids whose rows differ are counted.
fn once(table: Table, notes: &mut Notes) -> Table {
    let ids = table.ids();
    let same = |a: usize, b: usize| {
        table.columns().iter().all(|column| column.cell(a) == column.cell(b))
    };
    let mut kept = Vec::with_capacity(table.n_rows());
    let (mut doubled, mut columns) = (BTreeSet::new(), BTreeSet::new());
    for row in 0..table.n_rows() {
        let before =
            kept.last().copied().filter(|&last: &usize| ids.cell(last) == ids.cell(row));
        match before {
            Some(last) if same(last, row) => notes.collapsed += 1,
            Some(last) => {
                doubled.insert(ids.cell(row));
                let apart = table
                    .columns()
                    .iter()
                    .filter(|column| column.cell(last) != column.cell(row));
                columns.extend(apart.map(|column| column.name.clone()));
                kept.push(row);
            }
            None => kept.push(row),
        }
    }
    if !doubled.is_empty() {
        let columns = columns.into_iter().take(5).collect();
        notes.differing = Some((doubled.len(), columns));
    }
    match kept.len() == table.n_rows() {
        true => table,
        false => table.take(&kept),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostics::Span;
    use crate::spec::Named;

    fn named(name: &str) -> Named {
        Named { name: name.to_string(), span: Span::default() }
    }

    fn table(rows: &[[&str; 3]]) -> Table {
        let column =
            |i: usize, name| TextColumn::new(name, rows.iter().map(|row| row[i]));
        let columns = vec![column(0, "id"), column(1, "x"), column(2, "y")];
        Table::keyed(columns, &["id"], "-").unwrap()
    }

    fn keyed() -> Keyed {
        Keyed {
            columns: vec![named("id")],
            separator: "-".to_string(),
            part: Part::Whole,
            leaves_out_nameless: false,
            sample: None,
            missing: Vec::new(),
            cells: Vec::new(),
        }
    }

    fn shown() -> Vec<String> {
        vec!["a.csv".to_string(), "b.csv".to_string()]
    }

    #[test]
    fn files_are_stacked_and_repeated_rows_taken_once() {
        let (a, b) =
            (table(&[["1", "p", "q"]]), table(&[["0", "r", "s"], ["1", "p", "q"]]));
        let (whole, notes) = dress(vec![a, b], &shown(), &keyed(), false).unwrap();
        assert_eq!((whole.n_rows(), notes.collapsed), (2, 1));
        assert_eq!(whole.column("x").unwrap().cells().collect::<Vec<_>>(), ["r", "p"]);
        let differing = table(&[["1", "p", "q"], ["1", "p", "z"]]);
        let (_, notes) = dress(vec![differing], &shown(), &keyed(), false).unwrap();
        assert_eq!(notes.differing, Some((1, vec!["y".to_string()])));
        let other =
            Table::keyed(vec![TextColumn::new("id", ["1"])], &["id"], "-").unwrap();
        let fault = dress(vec![whole, other], &shown(), &keyed(), false).unwrap_err();
        assert!(fault.message.contains("b.csv has other columns"));
    }

    #[test]
    fn rows_without_an_id_are_left_out_and_counted_when_that_is_said() {
        let columns = vec![TextColumn::new("id", ["b", "", "a"])];
        let rows = Table::keyed(columns, &[], "-").unwrap();
        let with = Keyed { leaves_out_nameless: true, ..keyed() };
        let (found, notes) = dress(vec![rows], &shown(), &with, false).unwrap();
        assert_eq!(found.ids().cells().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(notes.nameless, 1);
    }

    #[test]
    fn cells_mean_what_was_declared_and_the_rest_is_listed() {
        let rows =
            table(&[["1", "wildtype", "-9"], ["2", "IDH1 p.R132H", "3"], ["3", "", "4"]]);
        let map = vec![
            ("WT".to_string(), vec!["wildtype".to_string()]),
            ("Mutant".to_string(), vec!["IDH1 p.R132H".to_string()]),
        ];
        let cells = Cells {
            column: named("x"),
            unit: None,
            missing: Vec::new(),
            map,
            otherwise: None,
        };
        let with =
            Keyed { missing: vec!["-9".into()], cells: vec![cells.clone()], ..keyed() };
        let (found, _) = dress(vec![rows.clone()], &shown(), &with, false).unwrap();
        let cells_of = |name| found.column(name).unwrap().cells().collect::<Vec<_>>();
        assert_eq!(cells_of("x"), ["WT", "Mutant", ""]);
        assert_eq!(cells_of("y"), ["", "3", "4"]);
        let few = Cells { map: cells.map[..1].to_vec(), ..cells.clone() };
        let with = Keyed { cells: vec![few.clone()], ..keyed() };
        let fault = dress(vec![rows.clone()], &shown(), &with, false).unwrap_err();
        assert!(fault.hints[0].contains("`IDH1 p.R132H` (1)"), "{fault:?}");
        let rest = Cells { otherwise: Some("missing".into()), ..few };
        let with = Keyed { cells: vec![rest], ..keyed() };
        assert!(dress(vec![rows.clone()], &shown(), &with, false).is_ok());
        let unknown = Cells { column: named("z"), ..cells };
        let with = Keyed { cells: vec![unknown], ..keyed() };
        assert!(dress(vec![rows], &shown(), &with, false).is_err());
    }

    #[test]
    fn several_samples_of_a_patient_are_refused_unless_chosen() {
        let rows = table(&[
            ["T-1-01A", "p", ""],
            ["T-1-02A", "q", ""],
            ["T-2-02A", "r", ""],
            ["T-3-01A", "s", ""],
        ]);
        let part = Part::Start { pattern: "T-?".to_string(), span: Span::default() };
        let cut = Keyed { part, ..keyed() };
        let fault = dress(vec![rows.clone()], &shown(), &cut, true).unwrap_err();
        assert!(
            fault.message.starts_with("1 patients of a.csv have several"),
            "{fault:?}"
        );
        let chosen = |keep: &[&str], several| {
            let sample = Sample {
                column: named("id"),
                part: Part::At { first: 5, last: 6 },
                keep: keep.iter().map(|kept| (*kept).to_string()).collect(),
                several,
            };
            let with = Keyed { sample: Some(sample), ..cut.clone() };
            let (table, notes) =
                dress(vec![rows.clone()], &shown(), &with, true).unwrap();
            let cells = table.column("x").unwrap().cells().collect::<Vec<_>>().concat();
            (cells, notes.other_samples)
        };
        assert_eq!(chosen(&["01"], Several::Refuse), ("ps".to_string(), 2));
        assert_eq!(chosen(&[], Several::First), ("prs".to_string(), 1));
        assert_eq!(chosen(&[], Several::Any), ("pqrs".to_string(), 0));
        let wrong = Part::Start { pattern: "X".to_string(), span: Span::default() };
        let with = Keyed { part: wrong, ..keyed() };
        let fault = dress(vec![rows.clone()], &shown(), &with, false).unwrap_err();
        assert_eq!(fault.code, Code::NO_PART);
    }
}
