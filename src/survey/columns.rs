//! Which columns the `columns` blocks mean, whether a cohort holds them, and what they hold.

use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};
use std::path::PathBuf;

use serde_json::json;

use crate::data::{Frame, FrameColumn, Rows, Table, TextColumn, Value};
use crate::diagnostics::{Code, Diagnostic, Place, Span};
use crate::digest::{Digest, canonical_json};
use crate::operation::Instance;
use crate::spec::{Block, BlockKind, Cohort, DERIVE, Named, Source, Study, Use};

use super::sources::{line_of, no_column};
use super::{
    CohortRow, Content, HeldTable, Notes, Reading, Survey, SurveyedSource, View, matches,
};

/// A predictor of a `columns` block.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BlockColumn {
    /// As models know it.
    pub name: String,
    /// The source that has it, or `derive`.
    pub source: String,
    pub column: String,
    /// Whether it holds categories.
    pub categorical: bool,
    /// Its unit, if the author said so.
    pub unit: Option<String>,
}

/// Finds the columns of every `columns` block, and says what it names in vain.
pub(super) fn read(
    study: &Study,
    reading: &Reading<'_>,
    survey: &mut Survey,
    faults: &mut Vec<Diagnostic>,
) {
    for block in &study.predictors {
        let BlockKind::Columns { from, include, except } = &block.kind else { continue };
        let wanted = Wanted { block, from, include, except };
        let Some(found) = wanted.found(study, survey) else { continue };
        wanted.said_of(&found, survey, faults);
        for column in &found.columns {
            if column.categorical && !encoded(study, block) {
                faults.push(not_numeric(study, reading, survey, block, column));
            }
        }
        survey.columns.insert(block.name.clone(), found.columns);
    }
}

/// The columns that a block asks for.
#[derive(Clone, Copy)]
struct Wanted<'a> {
    block: &'a Block,
    from: &'a [Named],
    include: &'a [Named],
    except: &'a [Named],
}

/// What its tables have of them.
#[derive(Default)]
struct FoundColumns<'a> {
    columns: Vec<BlockColumn>,
    /// All that could be named.
    known: Vec<String>,
    /// The patterns that met a column.
    met: BTreeSet<&'a str>,
    /// What names the rows of the tables is no predictor.
    ids: BTreeSet<&'a str>,
    /// Columns that a pattern met and that hold no value.
    valueless: Vec<String>,
}

impl<'a> Wanted<'a> {
    /// None where one of the tables could not be read: that is told there.
    fn found(self, study: &'a Study, survey: &Survey) -> Option<FoundColumns<'a>> {
        let mut found = FoundColumns::default();
        let mut taken: BTreeSet<(&str, [Digest; 2])> = BTreeSet::new();
        for source in self.from {
            if source.name == DERIVE {
                self.find_derived(study, &mut found);
                continue;
            }
            let of_source = study.source(&source.name)?;
            let (table, notes, _) = table_of(study, survey, &source.name)?;
            self.find_in(source, (table, notes, of_source), &mut taken, &mut found);
        }
        Some(found)
    }

    fn find_derived(self, study: &Study, found: &mut FoundColumns<'a>) {
        for derived in &study.derive {
            found.known.push(derived.name.clone());
            if chosen(&derived.name, self.include, self.except, &mut found.met) {
                found.columns.push(BlockColumn {
                    name: derived.name.clone(),
                    source: DERIVE.to_string(),
                    column: derived.name.clone(),
                    categorical: true,
                    unit: None,
                });
            }
        }
    }

    /// `taken`: the columns that earlier tables gave, by name and cells.
    fn find_in<'s>(
        self,
        source: &Named,
        (table, notes, of_source): (&'s HeldTable, &Notes, &'a Source),
        taken: &mut BTreeSet<(&'s str, [Digest; 2])>,
        found: &mut FoundColumns<'a>,
    ) {
        let keyed = of_source.keyed();
        let ids = keyed.map_or(Vec::new(), |keyed| keyed.id_columns());
        for id in &ids {
            found.ids.insert(id);
            // Whoever leaves out the id says what happens anyway.
            chosen(id, &[], self.except, &mut found.met);
        }
        let by_name = |name: &str| self.include.iter().any(|named| named.name == name);
        let no_value = table.valueless();
        for (name, cells) in table.columns().filter(|(name, _)| !ids.contains(name)) {
            found.known.push(name.to_string());
            if !chosen(name, self.include, self.except, &mut found.met) {
                continue;
            }
            if Some(cells[1]) == no_value && !by_name(name) {
                found.valueless.push(name.to_string());
                continue;
            }
            // The same column of several tables is taken once.
            if !taken.insert((name, cells)) {
                continue;
            }
            let cells = keyed.and_then(|keyed| {
                keyed.cells.iter().find(|cells| cells.column.name == name)
            });
            let mapped = cells.is_some_and(|cells| !cells.map.is_empty());
            found.columns.push(BlockColumn {
                name: match self.from.len() {
                    1 => name.to_string(),
                    _ => format!("{}.{name}", source.name),
                },
                source: source.name.clone(),
                column: name.to_string(),
                categorical: mapped || notes.words.contains_key(name),
                unit: cells.and_then(|cells| cells.unit.clone()),
            });
        }
    }

    /// Says which of its names meet nothing, and that nothing is left where that is so.
    fn said_of(
        self,
        found: &FoundColumns<'_>,
        survey: &Survey,
        faults: &mut Vec<Diagnostic>,
    ) {
        let (name, place) = (&self.block.name, Place::Study(self.block.span));
        if found.columns.is_empty() && !found.valueless.is_empty() {
            let message = format!("no column of block `{name}` holds a value");
            let fault = Diagnostic::error(Code::NO_VALUE, place.clone(), message);
            faults.push(fault.hint("name other columns under `include`"));
        } else if !found.valueless.is_empty() {
            faults.push(left_out(self.block, &found.valueless));
        }
        let said = faults.len();
        let in_vain = |pattern: &&Named| !found.met.contains(pattern.name.as_str());
        for pattern in self.include.iter().chain(self.except).filter(in_vain) {
            if found.ids.contains(pattern.name.as_str()) {
                let message = format!(
                    "column `{}` is the id of its source, and no predictor",
                    pattern.name
                );
                let place = Place::Study(pattern.span);
                let fault = Diagnostic::error(Code::UNKNOWN_COLUMN, place, message);
                faults.push(fault.hint("take it out of `include`"));
                continue;
            }
            let shown = self.from.first().map_or("", |from| from.name.as_str());
            let shown = match survey.sources.get(shown) {
                Some(surveyed) if self.from.len() == 1 => surveyed.files[0].shown.clone(),
                _ => shown.to_string(),
            };
            let names: Vec<&str> = found.known.iter().map(String::as_str).collect();
            faults.push(unknown(pattern, &shown, &names));
        }
        let nothing = found.columns.is_empty() && found.valueless.is_empty();
        if nothing && faults.len() == said {
            let message = format!("block `{name}` is left without a column");
            let fault = Diagnostic::error(Code::UNKNOWN_COLUMN, place, message);
            faults.push(fault.hint(
                match self.include.is_empty() || self.except.is_empty() {
                    true => "the table has no column beside its id",
                    false => "`except` takes away every column that `include` names",
                },
            ));
        }
    }
}

/// Columns that no model can learn from.
fn left_out(block: &Block, columns: &[String]) -> Diagnostic {
    const SHOWN: usize = 5;
    let (number, hold, are) = match columns.len() {
        1 => ("1 column".to_string(), "holds", "is"),
        n => (format!("{n} columns"), "hold", "are"),
    };
    let mut names: Vec<String> =
        columns.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    if columns.len() > SHOWN {
        names.push(format!("{} more", columns.len() - SHOWN));
    }
    let listed = names.join(", ");
    Diagnostic::warning(
        Code::VALUELESS,
        Place::Study(block.span),
        format!("{number} of block `{}` {hold} no value and {are} left out", block.name),
    )
    .hint(format!("left out: {listed}; name them under `except` to say so yourself"))
}

/// Whether a column is one of the block's; patterns that met one are remembered.
fn chosen<'p>(
    name: &str,
    include: &'p [Named],
    except: &'p [Named],
    met: &mut BTreeSet<&'p str>,
) -> bool {
    let mut by = |patterns: &'p [Named]| {
        let meeting = patterns.iter().filter(|pattern| matches(&pattern.name, name));
        let meeting: Vec<&str> = meeting.map(|pattern| pattern.name.as_str()).collect();
        met.extend(&meeting);
        !meeting.is_empty()
    };
    let (included, excepted) = (by(include), by(except));
    (include.is_empty() || included) && !excepted
}

fn table_of<'s>(
    study: &'s Study,
    survey: &'s Survey,
    source: &str,
) -> Option<(&'s HeldTable, &'s Notes, &'s Source)> {
    let of_source = study.source(source)?;
    match survey.sources.get(source) {
        Some(SurveyedSource { content: Content::Table { table, notes, .. }, .. }) => {
            Some((table, notes, of_source))
        }
        _ => None,
    }
}

/// Whether every model that takes the block encodes its categories before any step that takes none.
fn encoded(study: &Study, block: &Block) -> bool {
    let mut models = study
        .models
        .iter()
        .filter(|model| model.blocks.iter().any(|known| known.name == block.name));
    models.all(|model| {
        model.branches.iter().all(|branch| {
            branch.prepare.settings.iter().all(|setting| {
                let acts = |step: &&Use| {
                    step.scope.as_ref().is_none_or(|scope| scope.contains(&block.name))
                };
                let reads = |step: &Use| match &step.instance {
                    Instance::TableStep(step) => step.reads_categories(),
                    _ => unreachable!("`spec` puts table steps into chains"),
                };
                setting.steps.iter().find(acts).is_some_and(reads)
            })
        })
    })
}

/// Whether the cohorts that are analysed hold every column, and what its cells are there.
pub(super) fn held(
    study: &Study,
    reading: &Reading<'_>,
    survey: &mut Survey,
    faults: &mut Vec<Diagnostic>,
) {
    for (cohort, block, span) in uses(study) {
        held_in(study, reading, survey, (cohort, block, span), faults);
    }
}

/// The same for one block in one cohort.
pub(super) fn held_in(
    study: &Study,
    reading: &Reading<'_>,
    survey: &mut Survey,
    (cohort, block, span): (&Cohort, &Block, Span),
    faults: &mut Vec<Diagnostic>,
) {
    let Some(columns) = survey.columns.get(&block.name) else { return };
    let Some(surveyed) = survey.cohorts.get(&cohort.name) else { return };
    let mut missing: Vec<String> = Vec::new();
    let mut words: Vec<(String, String)> = Vec::new();
    let mut unread = false;
    let mut tables: BTreeMap<String, Digest> = BTreeMap::new();
    let mut names: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let mut derived = Vec::new();
    // Numbers that are taken for names of categories, as codes of sites are.
    let mut named_by_numbers: Vec<&str> = Vec::new();
    for column in columns {
        if column.source == DERIVE {
            let view = View { study, survey, cohort, rows: &surveyed.rows };
            match view.cells(&Named { name: column.column.clone(), span }) {
                Ok(cells) => derived.push(cells),
                Err(fault) => {
                    faults.push(*fault);
                    unread = true;
                }
            }
            continue;
        }
        let place = cohort.place(&column.source, &column.column);
        let Some(SurveyedSource {
            content: Content::Table { table, digest, notes, .. },
            ..
        }) = survey.sources.get(&place.source)
        else {
            unread = true;
            continue;
        };
        tables.insert(place.source.clone(), *digest);
        let names =
            names.entry(place.source.clone()).or_insert_with(|| table.names().collect());
        if column.categorical && !notes.words.contains_key(&place.column) {
            named_by_numbers.push(&column.name);
        }
        if column.categorical && !encoded(study, block) {
            unread = true; // Named already: nobody can learn from it as it is.
        } else if !names.contains(place.column.as_str()) {
            missing.push(place.column.clone());
        } else if !column.categorical
            && let Some((_, found)) = notes.words.get(&place.column)
        {
            words.push((place.column, found.clone()));
        }
    }
    if unread {
        return;
    }
    if !missing.is_empty() {
        faults.push(lacking(cohort, block, span, &missing));
        return;
    }
    if let Some((column, found)) = words.first().filter(|_| !cohort.map.is_empty()) {
        let fault = Diagnostic::error(
            Code::NOT_A_NUMBER,
            Place::Study(cohort.span),
            format!(
                "column `{column}` holds text where block `{}` needs numbers in cohort `{}`",
                block.name, cohort.name
            ),
        );
        faults.push(fault.hint(format!("such as `{found}`")));
        return;
    }
    if !words.is_empty() {
        return; // Named already, where the block's columns were looked at.
    }
    let named: Vec<_> = columns
        .iter()
        .map(|column| {
            let place = cohort.place(&column.source, &column.column);
            json!([column.name, place.source, place.column, place.times, place.add])
        })
        .collect();
    let mut preimage = json!({
        "work": "cells", "columns": named, "tables": tables,
        "rows": surveyed.digest, "derived": Digest::of(format!("{derived:?}").as_bytes()),
        "simulated_rows": surveyed.rows.len(),
    });
    if !named_by_numbers.is_empty() {
        preimage["categories"] = json!(named_by_numbers);
    }
    let preimage = canonical_json(&preimage);
    let name = format!("cells/{}/{}", cohort.name, block.name);
    let made = reading.stored(name, preimage, || {
        let frame = frame(study, survey, cohort, &block.name)?;
        let value = Value::Frame(frame.clone());
        let digest = value.digest();
        reading.last.get(&digest, || Ok(frame))?;
        Ok(digest)
    });
    match made {
        Ok((digest, _)) => {
            survey.cells.insert((cohort.name.clone(), block.name.clone()), digest);
        }
        Err(failure) => faults.push(Diagnostic::error(
            Code::NOT_A_NUMBER,
            Place::Study(span),
            failure.to_string(),
        )),
    }
}

/// Every cohort that is analysed with every block of tables that it is analysed with.
fn uses(study: &Study) -> Vec<(&Cohort, &Block, Span)> {
    let mut uses: Vec<(&Cohort, &Block, Span)> = Vec::new();
    let mut add = |cohort: &Named, model: &Named| {
        let (Some(of_cohort), Some(model)) =
            (study.cohort(&cohort.name), study.model(&model.name))
        else {
            return;
        };
        for block in &model.blocks {
            let Some(block) = study.block(&block.name) else { continue };
            let known = uses
                .iter()
                .any(|(c, b, _)| c.name == of_cohort.name && b.name == block.name);
            if !known && matches!(block.kind, BlockKind::Columns { .. }) {
                uses.push((of_cohort, block, cohort.span));
            }
        }
    };
    for scheme in &study.validate {
        scheme.models.iter().for_each(|model| add(&scheme.cohort, model));
    }
    for cohort in &study.external {
        let frozen = study.validate.first().map(|scheme| scheme.models.as_slice());
        frozen.unwrap_or(&[]).iter().for_each(|model| add(cohort, model));
    }
    uses
}

/// The predictors of a block for a cohort.
///
/// # Errors
/// A column that is not there or holds text where numbers are needed.
pub fn frame(
    study: &Study,
    survey: &Survey,
    cohort: &Cohort,
    block: &str,
) -> Result<Frame, crate::operation::Failure> {
    use crate::operation::Failure;
    let rows = &survey.cohorts[&cohort.name].rows;
    let no_column = |column: &str| Failure::NoColumn {
        column: column.to_string(),
        known: Vec::new(),
    };
    let mut tables: BTreeMap<String, Placed<'_>> = BTreeMap::new();
    let mut columns = Vec::new();
    let mut categories: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for column in &survey.columns[block] {
        let cells: Vec<Option<&str>>;
        let derived;
        let place = cohort.place(&column.source, &column.column);
        if column.source == DERIVE {
            let view = View { study, survey, cohort, rows };
            let name = Named { name: column.column.clone(), span: Span::default() };
            derived = view.cells(&name).map_err(|_| no_column(&column.column))?;
            cells = derived.iter().map(Option::as_deref).collect();
        } else {
            let table = match tables.entry(place.source) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => {
                    let (table, ..) = table_of(study, survey, new.key())
                        .ok_or_else(|| no_column(&column.column))?;
                    new.insert(Placed::of(table.table(), cohort, rows))
                }
            };
            let found = table.columns.get(place.column.as_str());
            let found = *found.ok_or_else(|| no_column(&place.column))?;
            cells = table.rows.iter().map(|row| cell(found, *row)).collect();
        }
        let name = column.name.clone();
        if column.categorical {
            let levels: BTreeSet<&str> = cells.iter().flatten().copied().collect();
            let levels: Vec<String> = levels.into_iter().map(str::to_string).collect();
            let position = |cell: &str| levels.iter().position(|level| level == cell);
            let values = cells.iter().map(|cell| {
                cell.and_then(position).map_or(f64::NAN, |position| position as f64)
            });
            columns.push(FrameColumn {
                name: name.as_str().into(),
                values: values.collect(),
            });
            categories.insert(name, levels);
        } else {
            let mut values = Vec::with_capacity(cells.len());
            for cell in cells {
                let number = match cell {
                    None => f64::NAN,
                    Some(cell) => match cell.parse().ok().filter(|n: &f64| n.is_finite())
                    {
                        Some(number) => number * place.times + place.add,
                        None => {
                            let found = format!("`{cell}`");
                            return Err(Failure::Undeclared { column: name, found });
                        }
                    },
                };
                values.push(number);
            }
            columns.push(FrameColumn { name: name.into(), values });
        }
    }
    let frame = Rows::new(columns, rows.len()).with_categories(categories);
    Ok(Frame { rows: frame, failed: vec![None; rows.len()] })
}

/// A table as the rows of a cohort stand in it.
struct Placed<'t> {
    columns: BTreeMap<&'t str, &'t TextColumn>,
    /// By row of the cohort, if the table has it.
    rows: Vec<Option<usize>>,
}

impl<'t> Placed<'t> {
    fn of(table: &'t Table, cohort: &Cohort, rows: &[CohortRow]) -> Self {
        let row = |id| cohort.known_as(id).find_map(|id| table.row(id));
        let columns = table.columns().iter();
        Self {
            columns: columns.map(|column| (column.name.as_str(), column)).collect(),
            rows: rows.iter().map(|of| row(&of.id)).collect(),
        }
    }
}

fn cell(column: &TextColumn, row: Option<usize>) -> Option<&str> {
    let cell = column.cell(row?);
    (!cell.is_empty()).then_some(cell)
}

fn lacking(cohort: &Cohort, block: &Block, span: Span, missing: &[String]) -> Diagnostic {
    let listed: Vec<String> =
        missing.iter().take(5).map(|column| format!("`{column}`")).collect();
    let more = match missing.len() {
        0..=5 => String::new(),
        n => format!(" and {} more", n - 5),
    };
    Diagnostic::error(
        Code::NO_PREDICTOR,
        Place::Study(span),
        format!(
            "cohort `{}` lacks {} predictors of block `{}`",
            cohort.name,
            missing.len(),
            block.name
        ),
    )
    .hint(format!("they are {}{more}", listed.join(", ")))
    .hint("say under which name it holds them: `map: { SOURCE: { from: …, columns: { … } } }`")
}

fn unknown(pattern: &Named, table: &str, names: &[&str]) -> Diagnostic {
    let place = Place::Study(pattern.span);
    if pattern.name.contains('*') {
        let shown: Vec<&str> = names.iter().take(12).copied().collect();
        let more = match names.len() - shown.len() {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        return Diagnostic::error(
            Code::UNKNOWN_COLUMN,
            place,
            format!("no column of `{table}` matches `{}`", pattern.name),
        )
        .hint(format!("its columns are: {}{more}", shown.join(", ")));
    }
    no_column(place, &pattern.name, table, names.iter().copied())
}

/// Whether a cell reads as a number once its one comma is a point.
fn with_decimal_comma(cell: &str) -> bool {
    cell.matches(',').count() == 1 && cell.replace(',', ".").parse::<f64>().is_ok()
}

/// Whether a text is one of those that are written where nothing is known; it names nobody.
fn says_missing(cell: &str) -> bool {
    const WRITTEN: [&str; 10] = [
        "n/a",
        "na",
        "n.a.",
        "none",
        "missing",
        "unknown",
        "not available",
        "-",
        "?",
        ".",
    ];
    WRITTEN.contains(&cell.to_lowercase().as_str())
}

fn not_numeric(
    study: &Study,
    reading: &Reading<'_>,
    survey: &Survey,
    block: &Block,
    column: &BlockColumn,
) -> Diagnostic {
    let message = format!(
        "column `{}` of block `{}` holds text where numbers are needed",
        column.column, block.name
    );
    let encode = format!(
        "or encode it: `prepare: {{ {}: [encode_onehot] }}`, or a list that begins with it",
        block.name
    );
    let Some((table, notes, _)) = table_of(study, survey, &column.source) else {
        let fault =
            Diagnostic::error(Code::NOT_A_NUMBER, Place::Study(block.span), message);
        return fault.hint(encode);
    };
    let file = &survey.sources[&column.source].files[0];
    let mut fault = match notes.words.get(&column.column) {
        Some((row, found)) => {
            let id = table.ids().cell(*row);
            let line = reading.bytes(study, file).ok().and_then(|b| line_of(&b, id));
            let place = Place::File { path: PathBuf::from(&file.shown), line };
            if found.parse::<f64>().is_ok_and(|number| !number.is_finite()) {
                let message = format!(
                    "column `{}` of block `{}` holds `{found}`, which is no finite number",
                    column.column, block.name
                );
                let fault = Diagnostic::error(Code::NOT_A_NUMBER, place, message);
                return fault.hint(format!(
                    "correct the cell, or declare it: `missing: ['{found}']` in the source"
                ));
            }
            let fault = Diagnostic::error(Code::NOT_A_NUMBER, place, message);
            match found {
                found if with_decimal_comma(found) => fault.hint(
                    "where commas stand before fractions, say so in the source: `read: { csv: { \
                     decimal: comma } }`",
                ),
                found if says_missing(found) => fault.hint(format!(
                    "where `{found}` stands for a missing value, declare it: `columns: {{ {}: {{ \
                     missing: ['{found}'] }} }}` in the source",
                    column.column
                )),
                _ => fault,
            }
        }
        None => Diagnostic::error(Code::NOT_A_NUMBER, Place::Study(block.span), message),
    };
    fault.hints.push(format!(
        "leave it out with `except: [{}]`, or correct the cell",
        column.column
    ));
    fault.hint(encode)
}
