//! `restudy predict`: a frozen model on a table, with nothing but the model at hand.

use std::path::{Path, PathBuf};

use super::Exit;
use super::whole::write_whole;
use crate::catalog::Catalog;
use crate::data::{Table, TextColumn, Value};
use crate::diagnostics::nearest;
use crate::math::decimal;
use crate::operation::{Failure, File, Instance, ReadAs};
use crate::report::guarded;
use crate::run::{Predicted, Ready, Trust, predict};

/// Apply a frozen model to the subjects of a table
///
/// Needs no study, no store and no network. A table that lacks a column, has one that the model does
/// not know, or does not state a unit is refused. A subject with another unit, an unknown category, two
/// rows that differ or no name is refused by itself, with the reason, and so is one that lacks a value
/// for which the model's preparation has none; one that is unlike the development subjects is predicted and
/// flagged.
#[derive(Debug, clap::Args)]
pub struct Predict {
    /// The model: `models/NAME.json` of a run
    pub model: PathBuf,
    /// The table: text with commas, semicolons or tabs, plain or gzip, or Parquet; units stand in its
    /// header, as in `age [years]`, or row by row in a column `age:unit`
    pub table: PathBuf,
    /// Where predictions go; to the standard output by default
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The column that names subjects; the first by default
    #[arg(long, value_name = "COLUMN")]
    pub id: Option<String>,
    /// Pass over columns that the model does not know
    #[arg(long)]
    pub ignore_unknown: bool,
    /// Take units that the table does not state to be the model's
    #[arg(long)]
    pub assume_units: bool,
}

pub fn run(args: &Predict) -> Exit {
    match predicted(args) {
        Ok(all_predicted) => {
            if all_predicted {
                Exit::Fine
            } else {
                Exit::Change
            }
        }
        Err(said) => {
            eprintln!("{said}");
            Exit::Change
        }
    }
}

/// Whether every subject got a prediction; what is wrong comes as lines to be printed.
fn predicted(args: &Predict) -> Result<bool, String> {
    let catalog = Catalog::standard();
    if let Some(output) = &args.output {
        spares_its_inputs(args, output)?;
    }
    let text = String::from_utf8(bytes(&args.model)?).map_err(|_| {
        wrong(&args.model, "it is no text", "give the JSON file of a model")
    })?;
    let ready = Ready::read(&text, &catalog)
        .map_err(|error| wrong(&args.model, &error.to_string(), error.remedy()))?;
    let (table, nameless) = table(args, &catalog)?;
    let trust =
        Trust { unknown_columns: args.ignore_unknown, unstated_units: args.assume_units };
    let named = predict(&ready, &table, trust).map_err(|faults| {
        let lines = faults.iter().map(|fault| {
            let hint = match fault.hint.as_str() {
                "" => String::new(),
                hint => format!("\nhelp: {hint}"),
            };
            format!("error: {}{hint}", fault.message)
        });
        lines.collect::<Vec<_>>().join("\n")
    })?;
    // In the order of ids those without one come first.
    let predictions: Vec<Predicted> = nameless.into_iter().chain(named).collect();
    let csv = csv(&predictions);
    match &args.output {
        None => print!("{csv}"),
        Some(path) => write_whole(path, csv.as_bytes()).map_err(|error| {
            wrong(path, &format!("it cannot be written: {error}"), "choose another place")
        })?,
    }
    let refused = predictions.iter().filter(|p| p.probability.is_none()).count();
    let novel = predictions.iter().filter(|p| p.novel).count();
    let together = match predictions.iter().filter(|p| p.together).count() {
        0 => String::new(),
        n => format!("; {n} judged together with other rows of the table, see `reasons`"),
    };
    let name = &ready.model.name;
    let simulated = match ready.model.study.simulated {
        true => "; it was developed on simulated patients",
        false => "",
    };
    eprintln!(
        "{name}: {} of {} subjects predicted, {refused} refused, {novel} unlike the development \
         subjects{together}{simulated}",
        predictions.len() - refused,
        predictions.len(),
    );
    Ok(refused == 0)
}

/// Fails where the predictions would take the place of what they are made from.
fn spares_its_inputs(args: &Predict, output: &Path) -> Result<(), String> {
    let lies = |path: &Path| path.canonicalize().ok();
    let Some(output) = lies(output) else { return Ok(()) };
    for input in [&args.model, &args.table] {
        if lies(input).is_some_and(|input| input == output) {
            let what = "predictions are made from it, and would take its place";
            return Err(wrong(input, what, "give `--output` another file"));
        }
    }
    Ok(())
}

fn wrong(path: &Path, what: &str, hint: &str) -> String {
    format!("error: {}: {what}\nhelp: {hint}", path.display())
}

fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| {
        wrong(path, &format!("it cannot be read: {error}"), "compare the path")
    })
}

/// The subjects of the table, and rows that name none, refused.
fn table(args: &Predict, catalog: &Catalog) -> Result<(Table, Vec<Predicted>), String> {
    let bytes = bytes(&args.table)?;
    let file = || File { name: "table", bytes: &bytes };
    let parquet = bytes.starts_with(b"PAR1");
    let reader = catalog.get(if parquet { "parquet" } else { "csv" });
    let reader = reader.and_then(|entry| (entry.build)((entry.defaults)()).ok());
    let Some(Instance::Reader(reader)) = reader else {
        unreachable!("the program reads tables")
    };
    let id = match (&args.id, parquet) {
        (Some(id), _) => id.clone(),
        // Asked for a column that no table has, the reader says which ones there are.
        (None, false) => match reader.read(file(), ReadAs::Table { id: &[""] }) {
            Err(Failure::NoColumn { known, .. }) => known.into_iter().next(),
            Err(failure) if !bytes.trim_ascii().is_empty() => {
                return Err(unreadable(args, &failure, ""));
            }
            _ => None,
        }
        .ok_or_else(|| {
            wrong(&args.table, "it has no header", "the first line names the columns")
        })?,
        (None, true) => {
            let hint = "name the column of subjects with `--id COLUMN`";
            return Err(wrong(&args.table, "a Parquet file has no first column", hint));
        }
    };
    // A row without an id refuses itself, not the table.
    let read = match reader.read(file(), ReadAs::Table { id: &[] }) {
        Ok(Value::Table(table)) => by_id(&table, &id),
        Ok(_) => unreachable!("a reader of tables gives tables"),
        Err(failure) => Err(failure),
    };
    let (table, nameless) = read.map_err(|failure| unreadable(args, &failure, &id))?;
    if table.n_rows() == 0 && nameless.is_empty() {
        let hint = "give a table with a row for each subject, below its header";
        return Err(wrong(&args.table, "it has no subject", hint));
    }
    Ok((table, nameless))
}

/// The rows of a table by their ids. Spreadsheets leave rows without any cell, which are no subjects; rows
/// that have values and no id come by themselves, with why they are refused.
fn by_id(table: &Table, id: &str) -> Result<(Table, Vec<Predicted>), Failure> {
    let columns = table.columns();
    let Some(ids) = columns.iter().find(|column| column.name == id) else {
        let known = columns.iter().map(|column| column.name.clone()).collect();
        return Err(Failure::NoColumn { column: id.to_string(), known });
    };
    let (named, others): (Vec<usize>, Vec<usize>) =
        (0..table.n_rows()).partition(|row| !ids.cell(*row).is_empty());
    let refused = |row: usize| {
        let first = columns.iter().find(|column| !column.cell(row).is_empty())?;
        let why = format!(
            "`{id}` is empty in a row with `{}` {:?}; name the subject",
            first.name,
            first.cell(row)
        );
        Some(Predicted::refused(String::new(), why))
    };
    let nameless = others.into_iter().filter_map(refused).collect();
    let kept: Vec<TextColumn> =
        columns.iter().map(|column| column.take(&named)).collect();
    let table = Table::keyed(kept, &[id], "-")
        .map_err(|column| Failure::NoColumn { column, known: Vec::new() })?;
    Ok((table, nameless))
}

fn unreadable(args: &Predict, failure: &Failure, id: &str) -> String {
    wrong(&args.table, &failure.to_string(), &remedy(failure, id))
}

/// What to do about a table that cannot be read.
fn remedy(failure: &Failure, id: &str) -> String {
    /// More names are not read.
    const SHOWN: usize = 12;
    const TABLE: &str =
        "a table is text with commas, semicolons or tabs, plain or gzip, or Parquet";
    match failure {
        Failure::NoColumn { column, known } => {
            let known = || known.iter().map(String::as_str);
            let names = known().take(SHOWN).map(|name| format!("`{name}`"));
            let names = names.collect::<Vec<_>>().join(", ");
            match nearest(column, known()) {
                Some(near) => format!("did you mean `--id {near}`?"),
                None if column == id && !names.is_empty() => {
                    format!("say with `--id` which column names the subjects: {names}")
                }
                None => "compare the table's header".to_string(),
            }
        }
        Failure::Line { line: 1, message } if message.starts_with("two columns") => {
            "rename one of them, or leave it out".to_string()
        }
        // No study says here how a table is read.
        Failure::Line { message, .. } if message.starts_with("the text ") => {
            "save the table as UTF-8, or as UTF-16 with its byte order mark".to_string()
        }
        Failure::Line { line, .. } => format!("correct line {line} of the table"),
        other => other.remedy().map_or(TABLE.to_string(), str::to_string),
    }
}

fn csv(predictions: &[Predicted]) -> String {
    let number = |value: Option<f64>| value.map_or(String::new(), decimal);
    let mut text = "id,probability,class,novelty,novel,reasons\n".to_string();
    for predicted in predictions {
        let class = predicted.positive.map_or("", |yes| if yes { "1" } else { "0" });
        let novel = match (predicted.probability, predicted.novel) {
            (None, _) => "",
            (_, true) => "yes",
            (_, false) => "no",
        };
        text.push_str(&format!(
            "{},{},{class},{},{novel},{}\n",
            quoted(&guarded(&predicted.id)),
            number(predicted.probability),
            number(predicted.novelty),
            quoted(&predicted.reasons.join("; ")),
        ));
    }
    text
}

/// A cell of a CSV file, quoted where it must be.
fn quoted(cell: &str) -> String {
    match cell.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell.to_string(),
    }
}
