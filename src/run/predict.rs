//! A model of a file on a table: a probability for each subject, or why there is none.
//!
//! Knows no study. What a table lacks as a whole refuses it; what a subject lacks refuses the subject.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::models::Ready;
use crate::data::{FrameColumn, ModelColumn, Rows, Table, TextColumn};
use crate::diagnostics::nearest;
use crate::math::decimal;
use crate::operation::Instance;
use crate::statistics::beyond;

/// What the table's reader says of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Trust {
    /// Columns that the model does not know are passed over.
    pub unknown_columns: bool,
    /// Units that the table does not state are the model's.
    pub unstated_units: bool,
}

/// What is wrong with a table as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableFault {
    pub message: String,
    pub hint: String,
}

/// What a model says of one subject.
#[derive(Debug, Clone, PartialEq)]
pub struct Predicted {
    pub id: String,
    /// `None` when the subject is refused: `reasons` say why.
    pub probability: Option<f64>,
    /// Whether the probability reaches the threshold, if the model has one.
    pub positive: Option<bool>,
    /// Distance from the development rows in parts of the limit: above 1 is novel.
    pub novelty: Option<f64>,
    /// Whether a predicted subject is unlike the development rows: by distance, by a value out of
    /// range, or by lacking one that none of them lacked.
    pub novel: bool,
    /// Whether other rows of the table had a part in its probability.
    pub together: bool,
    pub reasons: Vec<String>,
}

impl Predicted {
    /// A subject of whom nothing is said, and why.
    pub fn refused(id: String, why: String) -> Self {
        Self { reasons: vec![why], ..Self::unsaid(id) }
    }

    fn unsaid(id: String) -> Self {
        Self {
            id,
            probability: None,
            positive: None,
            novelty: None,
            novel: false,
            together: false,
            reasons: Vec::new(),
        }
    }
}

/// A predictor's place in the table.
struct Source<'a> {
    column: &'a ModelColumn,
    cells: Option<&'a TextColumn>,
    /// The unit of all rows, and that of each.
    unit: Option<&'a str>,
    units: Option<&'a TextColumn>,
    /// Whether a unit that a row does not state is the model's.
    unstated_units: bool,
    /// How far outside of its development range a value may be, in widths of that range, before its
    /// subject is unlike the others.
    reach: f64,
}

/// The predictions for the rows of a table, in its order.
///
/// # Errors
/// Everything that is wrong with the table as a whole.
pub fn predict(
    ready: &Ready,
    table: &Table,
    trust: Trust,
) -> Result<Vec<Predicted>, Vec<TableFault>> {
    let (sources, beside) = matched(ready, table, trust)?;
    let n = table.n_rows();
    let mut predicted: Vec<Predicted> =
        (0..n).map(|row| Predicted::unsaid(table.ids().cell(row).to_string())).collect();
    let mut columns: Vec<FrameColumn> = Vec::with_capacity(sources.len());
    let mut good = vec![true; n];
    for (row, why) in told_differently(table, &sources, &beside) {
        good[row] = false;
        predicted[row].reasons.push(why);
    }
    for source in &sources {
        let mut values = vec![f64::NAN; n];
        for (row, value) in values.iter_mut().enumerate() {
            match source.value(row) {
                Ok((found, note)) => {
                    *value = found;
                    predicted[row].novel |= source.is_unlike(found);
                    predicted[row].reasons.extend(note);
                }
                Err(why) => {
                    good[row] = false;
                    predicted[row].reasons.push(why);
                }
            }
        }
        columns.push(FrameColumn { name: source.column.name.as_str().into(), values });
    }
    // Beside each other values may be missing as they were in development, and none be left.
    let known = |row: usize| {
        let mut needed = sources.iter().zip(&columns).filter(|(of, _)| of.column.needed);
        needed.any(|(_, column)| !column.values[row].is_nan())
    };
    let needs_any = sources.iter().any(|source| source.column.needed);
    for row in (0..n).filter(|row| needs_any && good[*row] && !known(*row)) {
        predicted[row].novel = true;
        predicted[row].reasons.push(
            "none of its predictors is known, so that the probability says nothing of it"
                .to_string(),
        );
    }
    let categories = sources.iter().filter_map(|source| {
        Some((source.column.name.clone(), source.column.categories.clone()?))
    });
    for (name, cells) in &beside {
        for row in (0..n).filter(|row| cells.cell(*row).is_empty()) {
            good[row] = false;
            predicted[row].reasons.push(format!("`{name}` is missing"));
        }
    }
    let beside = beside.into_iter().map(|(name, cells)| {
        let cell = |row: usize| Some(cells.cell(row)).filter(|cell| !cell.is_empty());
        (name, (0..n).map(|row| cell(row).map(str::to_string)).collect())
    });
    let rows = Rows::new(columns, n)
        .with_categories(categories.collect())
        .with_beside(beside.collect());
    let good: Vec<usize> = (0..n).filter(|row| good[*row]).collect();
    for company in companies(ready, &rows, good) {
        company.say(ready, &rows, &mut predicted);
    }
    let said = |of: &Predicted| of.probability.is_some();
    for (batch, known) in batches(ready) {
        let cells = rows.beside(&batch).unwrap_or_default();
        let is_new = |row: usize| {
            let cell = cells.get(row).and_then(|cell| cell.as_deref());
            cell.is_some_and(|cell| !known.iter().any(|known| known == cell))
        };
        let new = predicted.iter_mut().enumerate().filter(|(row, _)| is_new(*row));
        for (_, of) in new.filter(|(_, of)| said(of) && !of.together) {
            of.reasons.push(format!(
                "`{batch}` is none that the model was developed on ({}): it is harmonised as its study \
                 says of others",
                known.join(", ")
            ));
        }
    }
    for refused in predicted.iter_mut().filter(|of| !said(of)) {
        refused.novel = false;
    }
    Ok(predicted)
}

/// Rows of one subject that are not the same in what the model reads: nobody knows which of them is
/// the subject. Rows of a table lie in the order of ids.
fn told_differently(
    table: &Table,
    sources: &[Source<'_>],
    beside: &BTreeMap<String, &TextColumn>,
) -> Vec<(usize, String)> {
    let read = sources.iter().filter(|source| source.column.needed);
    let read = read.flat_map(|source| {
        let name = source.column.column.as_str();
        [source.cells, source.units].into_iter().flatten().map(move |of| (name, of))
    });
    let read: Vec<(&str, &TextColumn)> =
        read.chain(beside.iter().map(|(name, of)| (name.as_str(), *of))).collect();
    let rows: Vec<usize> = (0..table.n_rows()).collect();
    let same_id = |a: &usize, b: &usize| table.ids().cell(*a) == table.ids().cell(*b);
    let mut refused = Vec::new();
    for of_subject in rows.chunk_by(same_id) {
        let differs = |(name, cells): &(&str, &TextColumn)| {
            let first = cells.cell(of_subject[0]);
            of_subject
                .iter()
                .any(|row| cells.cell(*row) != first)
                .then(|| (*name).to_string())
        };
        let Some(name) = read.iter().find_map(differs) else { continue };
        let why = format!(
            "{} rows have this id and differ in `{name}`; leave one row for each subject",
            of_subject.len()
        );
        refused.extend(of_subject.iter().map(|row| (*row, why.clone())));
    }
    refused
}

/// Rows that are judged in one go.
enum Company {
    /// Each by itself: what the others are changes nothing.
    Apart(Vec<usize>),
    /// By a step that may look at all of them: those of one batch, or of all where steps name
    /// several columns of batches.
    Batch { named: String, rows: Vec<usize> },
}

/// The rows as they are judged: batch by batch where a step looks at the rows of a batch together.
fn companies(ready: &Ready, rows: &Rows, good: Vec<usize>) -> Vec<Company> {
    let parts = ready.parts();
    let steps =
        parts.iter().flat_map(|part| part.prepare.steps.iter().chain(&part.select.steps));
    let columns = steps.filter_map(|step| match &step.instance {
        Instance::TableStep(step) if step.transductive() => {
            Some(step.harmonises().map(|of| of.batch))
        }
        _ => None,
    });
    let columns: BTreeSet<Option<&str>> = columns.collect();
    let mut columns = columns.into_iter();
    match (columns.next(), columns.next()) {
        (None, _) => vec![Company::Apart(good)],
        (Some(Some(column)), None) => {
            let cells = rows.beside(column).unwrap_or_default();
            let mut batches: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
            for row in good {
                let batch = cells.get(row).and_then(|cell| cell.as_deref());
                batches.entry(batch.unwrap_or_default()).or_default().push(row);
            }
            let batch = |(batch, rows): (&str, Vec<usize>)| Company::Batch {
                named: format!("of `{column}` {batch}"),
                rows,
            };
            batches.into_iter().map(batch).collect()
        }
        _ => vec![Company::Batch { named: "of the table".to_string(), rows: good }],
    }
}

impl Company {
    /// Fills in what the model says of these rows.
    fn say(&self, ready: &Ready, rows: &Rows, predicted: &mut [Predicted]) {
        let (Self::Apart(of) | Self::Batch { rows: of, .. }) = self;
        if of.is_empty() {
            return;
        }
        let why = match both(ready, &rows.take(of)) {
            Ok(said) => {
                fill_all(ready, of, &said, predicted);
                // Rows of a batch that the model was fitted with need no company.
                let needs = |row: &usize| both(ready, &rows.take(&[*row])).is_err();
                if let Self::Batch { named, .. } = self
                    && of.iter().any(needs)
                {
                    for &row in of {
                        predicted[row].together = true;
                        predicted[row].reasons.push(format!(
                            "judged together with all {} rows {named}; among other rows the \
                             probability is another",
                            of.len()
                        ));
                    }
                }
                return;
            }
            Err(why) => why,
        };
        // One row's failure must not refuse the others.
        let alone: Vec<_> =
            of.iter().map(|row| both(ready, &rows.take(&[*row]))).collect();
        let none = matches!(self, Self::Batch { .. }) && alone.iter().all(Result::is_err);
        for (&row, said) in of.iter().zip(alone) {
            match said {
                Ok(said) => fill_all(ready, &[row], &said, predicted),
                Err(of_row) => {
                    // Of rows that cannot stand alone, why they cannot stand together.
                    let why = if none { why.clone() } else { of_row };
                    let row_alone = rows.take(&[row]);
                    let told = not_met(ready, &row_alone);
                    let told =
                        told.or_else(|| unfilled(ready, &row_alone).filter(|_| !none));
                    predicted[row].reasons.push(told.unwrap_or(why));
                }
            }
        }
    }
}

type Both = (Vec<f64>, Option<Vec<f64>>);

fn both(ready: &Ready, rows: &Rows) -> Result<Both, String> {
    Ok((ready.probabilities(rows)?, ready.novelty(rows)?))
}

/// Why a row is refused whose missing values the preparation leaves missing.
fn unfilled(ready: &Ready, row: &Rows) -> Option<String> {
    let parts = ready.parts();
    let mut prepared = parts.iter().filter_map(|part| part.prepared(row).ok());
    prepared.any(|prepared| prepared.missing().is_some()).then(|| {
        "the model's preparation has no value in place of one that is missing".to_string()
    })
}

/// Columns of batches by which the preparation harmonises, with the batches that it was fitted on.
fn batches(ready: &Ready) -> BTreeMap<String, Vec<String>> {
    let parts = ready.parts();
    let steps = parts.iter().flat_map(|part| {
        let prepared = part.prepare.steps.iter().zip(&part.of.prepare);
        prepared.chain(part.select.steps.iter().zip(&part.of.select))
    });
    let known = steps.filter_map(|(step, state)| {
        let Instance::TableStep(step) = &step.instance else { return None };
        Some((step.harmonises()?.batch.to_string(), step.batches(state).ok()?))
    });
    known.filter(|(column, _)| ready.model.beside.contains(column)).collect()
}

/// Why a row is refused whose batch the preparation has not met, for whoever has the model alone: which
/// it knows, what it does with others, and what helps.
fn not_met(ready: &Ready, row: &Rows) -> Option<String> {
    let parts = ready.parts();
    let steps = parts.iter().flat_map(|part| {
        let prepared = part.prepare.steps.iter().zip(&part.of.prepare);
        prepared.chain(part.select.steps.iter().zip(&part.of.select))
    });
    steps.into_iter().find_map(|(step, state)| {
        let Instance::TableStep(step) = &step.instance else { return None };
        let by = step.harmonises()?;
        let batch = row.beside(by.batch)?.first()?.as_deref()?;
        let known = step.batches(state).ok()?;
        if known.iter().any(|known| known == batch) {
            return None;
        }
        let (name, known) = (by.batch, known.join(", "));
        if by.refuses_unseen {
            return Some(format!(
                "`{name}` is none that the model knows, and its study did not say what others mean: it \
                 predicts rows of {known} alone; for others ask its author for a model with `unseen:`"
            ));
        }
        step.transductive().then(|| {
            format!(
                "`{name}` is none that the model knows ({known}); it harmonises rows of others with each \
                 other, which takes at least two of them that differ in one table"
            )
        })
    })
}

fn fill_all(
    ready: &Ready,
    rows: &[usize],
    (probabilities, novelty): &Both,
    predicted: &mut [Predicted],
) {
    for (at, &row) in rows.iter().enumerate() {
        let novelty = novelty.as_ref().map(|novelty| novelty[at]);
        fill(ready, &mut predicted[row], probabilities[at], novelty);
    }
}

/// Above this the distance is that of no development row in a hundred.
const NOVEL: f64 = 1.0;

fn fill(
    ready: &Ready,
    predicted: &mut Predicted,
    probability: f64,
    novelty: Option<f64>,
) {
    predicted.probability = Some(probability);
    let threshold = ready.model.threshold.as_ref();
    predicted.positive = threshold.map(|threshold| probability >= threshold.value);
    // Without a value there is no distance.
    predicted.novelty = novelty.filter(|novelty| !novelty.is_nan());
    if novelty.is_some_and(|novelty| novelty > NOVEL) {
        predicted.novel = true;
        predicted.reasons.push(
            "farther from the development subjects than 99 of 100 of them are from each other"
                .to_string(),
        );
    }
}

impl Source<'_> {
    /// The value of a row, with a note; or why its subject is refused.
    fn value(&self, row: usize) -> Result<(f64, Option<String>), String> {
        let ModelColumn { column: name, needed, categories, .. } = self.column;
        let cell = self.cells.map_or("", |cells| cells.cell(row));
        if !needed {
            // No prediction depends on it: what is there decides nothing, however far out it is.
            return Ok((f64::NAN, None));
        }
        if cell.is_empty() {
            // What it means is for the preparation to say, here as in a cohort of a study.
            let note = match self.column.missing {
                0 => format!("`{name}` is missing, as in no development subject"),
                1 => format!("`{name}` is missing, as in 1 development subject"),
                n => format!("`{name}` is missing, as in {n} development subjects"),
            };
            return Ok((f64::NAN, Some(note)));
        }
        if let Some(categories) = categories {
            let place = categories.iter().position(|known| known == cell);
            let known = || categories.join(", ");
            return place.map(|at| (at as f64, None)).ok_or_else(|| {
                format!(
                    "`{name}` holds {}, a category that the model does not know; it knows {}",
                    told(cell),
                    known()
                )
            });
        }
        let of_row = self.units.map(|units| units.cell(row));
        let unstated = |unit: &&str| self.unstated_units && unit.trim().is_empty();
        let stated = of_row.filter(|unit| !unstated(unit)).or(self.unit);
        if let (Some(unit), Some(stated)) = (&self.column.unit, stated)
            && !same_unit(unit, stated)
        {
            return Err(match stated.trim() {
                "" => format!(
                    "`{name}` is in no stated unit, the model's is in {unit}; state it"
                ),
                stated => format!(
                    "`{name}` is in {}, the model's is in {unit}; convert it",
                    told(stated)
                ),
            });
        }
        match cell.parse().ok().filter(|value: &f64| value.is_finite()) {
            Some(value) => Ok((value, self.outside(value))),
            None => Err(no_number(name, cell)),
        }
    }

    /// Whether no development row is like that: it lacked no value here, or had none so far out.
    fn is_unlike(&self, value: f64) -> bool {
        match value.is_nan() {
            true => self.column.needed && self.column.missing == 0,
            false => self.beyond(value) > self.reach,
        }
    }

    /// How far outside of the development range a value is, in widths of that.
    fn beyond(&self, value: f64) -> f64 {
        let range = self.column.range.filter(|_| self.column.needed);
        range.map_or(0.0, |range| beyond(range, value))
    }

    fn outside(&self, value: f64) -> Option<String> {
        let (low, high) = self.column.range?;
        let name = &self.column.column;
        let far = match self.beyond(value) {
            beyond if beyond <= 0.0 => return None,
            beyond if beyond > self.reach => "far ",
            _ => "",
        };
        let [value, low, high] = [value, low, high].map(decimal);
        Some(format!(
            "`{name}` is {value}, {far}outside of the development range {low} to {high}"
        ))
    }
}

/// Why a cell is not read as a number.
fn no_number(name: &str, cell: &str) -> String {
    let with_point = cell.replacen(',', ".", 1).parse::<f64>();
    let (what, remedy) = match (cell.parse::<f64>(), with_point) {
        (Ok(_), _) => ("finite number", UNKNOWN),
        (_, Ok(_)) => ("number", "write it with a decimal point"),
        _ => ("number", UNKNOWN),
    };
    format!("`{name}` holds {}, which is no {what}; {remedy}", told(cell))
}

/// What to do about a cell that holds no value.
const UNKNOWN: &str = "correct it, or leave it empty where it is not known";

/// A cell in quotes, cut where it is long.
fn told(cell: &str) -> String {
    /// More characters are not read.
    const MOST: usize = 40;
    match cell.trim() {
        long if long.chars().count() > MOST => {
            format!("{:?}", long.chars().take(MOST).chain(['…']).collect::<String>())
        }
        short => format!("{short:?}"),
    }
}

/// Whether two texts name one unit: mm3, mm^3 and mm³ do.
fn same_unit(a: &str, b: &str) -> bool {
    let plain = |unit: &str| -> String {
        let kept = unit.trim().chars().filter(|c| *c != '^');
        let plain = kept.map(|c| match c {
            '²' => '2',
            '³' => '3',
            'µ' | 'μ' => 'u',
            c => c,
        });
        plain.collect()
    };
    plain(a) == plain(b)
}

/// Units without a scale cannot be told apart, so nobody is asked for them.
fn has_scale(unit: &str) -> bool {
    !unit.starts_with("a.u.")
}

/// A header as name and unit: `age [years]`.
fn parsed(header: &str) -> (&str, Option<&str>) {
    let with_unit = header.strip_suffix(']').and_then(|text| text.rsplit_once('['));
    match with_unit {
        Some((name, unit)) if !name.trim().is_empty() => (name.trim(), Some(unit.trim())),
        _ => (header, None),
    }
}

/// What ends the header of a column of units: `volume:unit` beside `volume`.
const OF_UNITS: &str = ":unit";

/// The column beside the predictors that a header names: in full, or without its source where one alone
/// is called so.
fn beside_called<'a>(beside: &'a [String], name: &str) -> Option<&'a str> {
    let full = beside.iter().find(|known| *known == name);
    let without =
        |known: &&String| known.split_once('.').is_some_and(|(_, column)| column == name);
    let mut called = beside.iter().filter(without);
    let alone = called.next().filter(|_| called.next().is_none());
    full.or(alone).map(String::as_str)
}

type Matched<'a> = (Vec<Source<'a>>, BTreeMap<String, &'a TextColumn>);

fn matched<'a>(
    ready: &'a Ready,
    table: &'a Table,
    trust: Trust,
) -> Result<Matched<'a>, Vec<TableFault>> {
    let (model, reach) = (&ready.model, ready.reach());
    let mut faults: Vec<TableFault> = Vec::new();
    let mut sources: Vec<Source<'a>> = model
        .columns
        .iter()
        .map(|column| Source {
            column,
            cells: None,
            unit: None,
            units: None,
            unstated_units: trust.unstated_units,
            reach,
        })
        .collect();
    let mut beside = BTreeMap::new();
    let mut unknown: Vec<&str> = Vec::new();
    // Tables have tens of thousands of columns, and so may models.
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (at, of) in model.columns.iter().enumerate() {
        places.entry(&of.column).or_insert(at);
        places.entry(&of.name).or_insert(at);
    }
    let is_own = |name: &str| {
        places.contains_key(name) || beside_called(&model.beside, name).is_some()
    };
    let id = table.ids().name.as_str();
    let predictors = table.columns().iter().filter(|c| c.name != id);
    for cells in predictors {
        // A name may end as units do.
        let (name, unit) = match is_own(&cells.name) {
            true => (cells.name.as_str(), None),
            false => parsed(&cells.name),
        };
        let of_units = name.strip_suffix(OF_UNITS).filter(|_| !is_own(name));
        let wanted = of_units.unwrap_or(name);
        let of_beside = beside_called(&model.beside, name);
        if let Some(known) = of_beside {
            let place = beside.entry(known.to_string()).or_insert(cells);
            // A name in full counts where both are there.
            if known == name {
                *place = cells;
            }
        }
        match places.get(wanted).map(|at| &mut sources[*at]) {
            Some(source) if of_units.is_some() => source.units = Some(cells),
            Some(source) if source.cells.is_some() => faults.push(TableFault {
                message: format!("two columns of the table are `{}`", source.column.name),
                hint: "leave one of them out".to_string(),
            }),
            Some(source) => (source.cells, source.unit) = (Some(cells), unit),
            None if of_beside.is_some() => {}
            None => unknown.push(name),
        }
    }
    let missing: Vec<&str> = sources
        .iter()
        .filter(|source| source.column.needed && source.cells.is_none())
        .map(|source| source.column.column.as_str())
        .chain(
            model.beside.iter().map(String::as_str).filter(|n| !beside.contains_key(*n)),
        )
        .collect();
    for name in &missing {
        faults.push(TableFault {
            message: format!("the table has no column `{name}`, which the model needs"),
            hint: match nearest(name, unknown.iter().copied()) {
                Some(near) => format!("did you mean its column `{near}`? Rename it"),
                // Nobody is named by what a model computes with.
                None if *name == id => {
                    "its first column names the subjects unless `--id COLUMN` says which does"
                        .to_string()
                }
                None => "add it; the cells of subjects of whom it is not known stay empty"
                    .to_string(),
            },
        });
    }
    if !trust.unknown_columns {
        for name in unknown {
            faults.push(TableFault {
                message: format!("the model knows no column `{name}`"),
                hint: match nearest(name, missing.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "leave it out, or pass over such columns with \
                             `--ignore-unknown`"
                        .to_string(),
                },
            });
        }
    }
    faults.extend(sources.iter().filter_map(|source| units_fault(source, trust)));
    if faults.is_empty() { Ok((sources, beside)) } else { Err(faults) }
}

/// Whether nobody can say in which unit a needed predictor is.
fn units_fault(source: &Source<'_>, trust: Trust) -> Option<TableFault> {
    let ModelColumn { column: name, unit, needed, .. } = source.column;
    source.cells.filter(|_| *needed)?;
    let stated = source.units.is_some() || source.unit.is_some();
    match unit.as_deref().filter(|unit| has_scale(unit)) {
        Some(unit) if !stated && !trust.unstated_units => Some(TableFault {
            message: format!(
                "the table does not say in which unit `{name}` is; the model's is in {unit}"
            ),
            hint: format!(
                "call the column `{name} [{unit}]` if it is so, add a column `{name}{OF_UNITS}`, or \
                 say `--assume-units` for all columns"
            ),
        }),
        None if stated && unit.is_none() => Some(TableFault {
            message: format!("the table gives a unit for `{name}`, and the model knows none"),
            hint: "its author gave no unit; leave the unit out once you know that it is the same"
                .to_string(),
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_hold_units() {
        assert_eq!(parsed("age [years]"), ("age", Some("years")));
        assert_eq!(parsed("volume[mm³]"), ("volume", Some("mm³")));
        assert_eq!(parsed("[odd]"), ("[odd]", None));
        assert_eq!(parsed("a [b] c"), ("a [b] c", None));
    }

    #[test]
    fn a_column_beside_the_predictors_goes_without_its_source_where_that_is_clear() {
        let of = |names: &[&str], name: &str| {
            let names: Vec<String> =
                names.iter().map(|name| (*name).to_string()).collect();
            beside_called(&names, name).map(str::to_string)
        };
        assert_eq!(of(&["site", "clinic.age"], "age").as_deref(), Some("clinic.age"));
        assert_eq!(of(&["clinic.age", "age"], "age").as_deref(), Some("age"));
        assert_eq!(of(&["clinic.age"], "clinic.age").as_deref(), Some("clinic.age"));
        assert_eq!(of(&["clinic.age", "other.age"], "age"), None);
        assert_eq!(of(&["site"], "sit"), None);
    }

    #[test]
    fn what_is_wrong_with_a_cell_is_told_apart() {
        let correct = "correct it, or leave it empty where it is not known";
        let no = |cell: &str, what: &str| {
            format!("`age` holds \"{cell}\", which is no {what}")
        };
        for cell in ["1e400", "-inf"] {
            let why = format!("{}; {correct}", no(cell, "finite number"));
            assert_eq!(no_number("age", cell), why);
        }
        let point = format!("{}; write it with a decimal point", no("1,5", "number"));
        assert_eq!(no_number("age", "1,5"), point);
        let why = format!("{}; {correct}", no("1.234,5", "number"));
        assert_eq!(no_number("age", "1.234,5"), why);
        assert_eq!(told(&"x".repeat(50)), format!("\"{}…\"", "x".repeat(40)));
    }

    #[test]
    fn units_are_told_apart_by_what_they_mean() {
        assert!(same_unit("mm³", "mm3") && same_unit(" mm^3 ", "mm³"));
        assert!(!same_unit("mm", "cm") && !same_unit("mg", "Mg") && !same_unit("", "mm"));
        assert!(!has_scale("a.u.²") && has_scale("HU"));
    }
}
