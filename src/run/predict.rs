//! A model of a file on a table: a probability for each subject, or why there is none.
//!
//! Knows no study. What a table lacks as a whole refuses it; what a subject lacks refuses the subject.

use std::collections::BTreeMap;

use super::models::Ready;
use crate::data::{FrameColumn, ModelColumn, Rows, Table, TextColumn};
use crate::diagnostics::nearest;
use crate::operation::Instance;

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
    /// Whether the subject is unlike the development rows: by distance, or by a value out of range.
    pub novel: bool,
    pub reasons: Vec<String>,
}

/// A predictor's place in the table.
struct Source<'a> {
    column: &'a ModelColumn,
    cells: Option<&'a TextColumn>,
    /// The unit of all rows, and that of each.
    unit: Option<&'a str>,
    units: Option<&'a TextColumn>,
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
    let mut predicted: Vec<Predicted> = (0..n)
        .map(|row| Predicted {
            id: table.ids().cell(row).to_string(),
            probability: None,
            positive: None,
            novelty: None,
            novel: false,
            reasons: Vec::new(),
        })
        .collect();
    let mut columns: Vec<FrameColumn> = Vec::with_capacity(sources.len());
    let mut good = vec![true; n];
    for source in &sources {
        let mut values = vec![f64::NAN; n];
        for (row, value) in values.iter_mut().enumerate() {
            match source.value(row) {
                Ok((found, note)) => {
                    *value = found;
                    predicted[row].novel |= source.is_outside(found);
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
    let categories = sources.iter().filter_map(|source| {
        Some((source.column.name.clone(), source.column.categories.clone()?))
    });
    let beside = beside.into_iter().map(|(name, cells)| {
        let cell = |row: usize| Some(cells.cell(row)).filter(|cell| !cell.is_empty());
        (name, (0..n).map(|row| cell(row).map(str::to_string)).collect())
    });
    let rows = Rows::new(columns, n)
        .with_categories(categories.collect())
        .with_beside(beside.collect());
    let good: Vec<usize> = (0..n).filter(|row| good[*row]).collect();
    say(ready, &rows, &good, &mut predicted);
    Ok(predicted)
}

/// Fills in what the model says of these rows.
fn say(ready: &Ready, rows: &Rows, good: &[usize], predicted: &mut [Predicted]) {
    if good.is_empty() {
        return;
    }
    let taken = rows.take(good);
    match both(ready, &taken) {
        Ok((probabilities, novelty)) => {
            for (at, &row) in good.iter().enumerate() {
                let novelty = novelty.as_ref().map(|novelty| novelty[at]);
                fill(ready, &mut predicted[row], probabilities[at], novelty);
            }
        }
        // One row's failure must not refuse the others; steps that look at rows together fail for all.
        Err(_) if good.len() > 1 && !looks_at_rows_together(ready) => {
            good.iter().for_each(|row| say(ready, rows, &[*row], predicted));
        }
        Err(why) => {
            for &row in good {
                predicted[row].novel = false;
                predicted[row].reasons.push(why.clone());
            }
        }
    }
}

type Both = (Vec<f64>, Option<Vec<f64>>);

fn both(ready: &Ready, rows: &Rows) -> Result<Both, String> {
    Ok((ready.probabilities(rows)?, ready.novelty(rows)?))
}

fn looks_at_rows_together(ready: &Ready) -> bool {
    ready.parts().iter().any(|part| {
        let steps = part.prepare.steps.iter().chain(&part.select.steps);
        let mut instances = steps.map(|step| &step.instance);
        instances.any(|i| matches!(i, Instance::TableStep(s) if s.transductive()))
    })
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
    predicted.novelty = novelty;
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
            // No prediction depends on it: what is there decides nothing.
            return Ok((cell.parse().unwrap_or(f64::NAN), None));
        }
        if cell.is_empty() {
            return match self.column.missing {
                0 => Err(format!("`{name}` is missing, as in no development subject")),
                n => {
                    let note =
                        format!("`{name}` is missing, as in {n} development subjects");
                    Ok((f64::NAN, Some(note)))
                }
            };
        }
        if let Some(categories) = categories {
            let place = categories.iter().position(|known| known == cell);
            let known = || categories.join(", ");
            return place.map(|at| (at as f64, None)).ok_or_else(|| {
                format!(
                    "`{name}` holds a category that the model does not know; it knows {}",
                    known()
                )
            });
        }
        let stated = self.units.map(|units| units.cell(row)).or(self.unit);
        if let (Some(unit), Some(stated)) = (&self.column.unit, stated)
            && !same_unit(unit, stated)
        {
            return Err(format!(
                "`{name}` is in {}, the model's is in {unit}",
                shown(stated)
            ));
        }
        match cell.parse().ok().filter(|value: &f64| value.is_finite()) {
            Some(value) => Ok((value, self.outside(value))),
            None => Err(format!("`{name}` is no number")),
        }
    }

    fn is_outside(&self, value: f64) -> bool {
        let range = self.column.range.filter(|_| self.column.needed);
        range.is_some_and(|(low, high)| value < low || value > high)
    }

    fn outside(&self, value: f64) -> Option<String> {
        let (low, high) = self.column.range?;
        let name = &self.column.column;
        self.is_outside(value).then(|| {
            format!(
                "`{name}` is {value}, outside of the development range {low} to {high}"
            )
        })
    }
}

fn shown(unit: &str) -> String {
    match unit.trim() {
        "" => "no stated unit".to_string(),
        unit => format!("{unit:?}"),
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

type Matched<'a> = (Vec<Source<'a>>, BTreeMap<String, &'a TextColumn>);

fn matched<'a>(
    ready: &'a Ready,
    table: &'a Table,
    trust: Trust,
) -> Result<Matched<'a>, Vec<TableFault>> {
    let model = &ready.model;
    let mut faults: Vec<TableFault> = Vec::new();
    let mut sources: Vec<Source<'a>> = model
        .columns
        .iter()
        .map(|column| Source { column, cells: None, unit: None, units: None })
        .collect();
    let mut beside = BTreeMap::new();
    let mut unknown: Vec<&str> = Vec::new();
    let predictors = table.columns().iter().filter(|c| c.name != table.ids().name);
    for cells in predictors {
        let (name, unit) = parsed(&cells.name);
        let of_units = name.strip_suffix(OF_UNITS);
        let wanted = of_units.unwrap_or(name);
        if model.beside.iter().any(|known| known == name) {
            beside.insert(name.to_string(), cells);
        }
        let found = sources
            .iter_mut()
            .find(|s| s.column.column == wanted || s.column.name == wanted);
        match found {
            Some(source) if of_units.is_some() => source.units = Some(cells),
            Some(source) if source.cells.is_some() => faults.push(TableFault {
                message: format!("two columns of the table are `{}`", source.column.name),
                hint: "leave one of them out".to_string(),
            }),
            Some(source) => (source.cells, source.unit) = (Some(cells), unit),
            None if beside.contains_key(name) => {}
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
            hint: nearest(name, unknown.iter().copied())
                .map_or_else(String::new, |near| {
                    format!("did you mean its column `{near}`? Rename it")
                }),
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
    fn units_are_told_apart_by_what_they_mean() {
        assert!(same_unit("mm³", "mm3") && same_unit(" mm^3 ", "mm³"));
        assert!(!same_unit("mm", "cm") && !same_unit("mg", "Mg") && !same_unit("", "mm"));
        assert!(!has_scale("a.u.²") && has_scale("HU"));
    }
}
