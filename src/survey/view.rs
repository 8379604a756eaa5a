//! A column of a cohort, whatever it is called: of a source, derived, or the id itself.

use crate::diagnostics::{Code, Diagnostic, Place, Span};
use crate::spec::{Cohort, ColumnPlace, DERIVE, Derived, Named, Study};

use super::sources::no_column;
use super::{CohortRow, Content, Survey, SurveyedSource};

/// Why a column cannot be given, as a fault at the place that asked for it.
pub type Fault = Box<Diagnostic>;

/// A cell per row; `None` is missing.
pub type Cells = Vec<Option<String>>;

/// The rows of a cohort, as columns can be asked of them.
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub study: &'a Study,
    pub survey: &'a Survey,
    pub cohort: &'a Cohort,
    pub rows: &'a [CohortRow],
}

impl View<'_> {
    /// The cells of a column: `id`, `subject`, `site`, a derived column, `source.column`, or the
    /// column of the cohort's own table or of the one joined table that has it. Where the cohort
    /// does not join the source, or has no such column, it may hold it elsewhere by its `map`.
    pub fn cells(&self, name: &Named) -> Result<Cells, Fault> {
        self.found(&name.name, name.span, 0)
    }

    /// The source and column that a name leads to; `derive` is the source of derived columns. None
    /// for `id`, `subject`, and for what is not there.
    pub fn place(&self, name: &str) -> Option<(String, String)> {
        if self.study.derived(name).is_some() {
            return Some((DERIVE.to_string(), name.to_string()));
        }
        let site = self.cohort.site.as_ref().filter(|site| site.name != "site");
        if let ("site", Some(site)) = (name, site) {
            return self.place(&site.name);
        }
        if let Some((source, column)) = name.split_once('.')
            && self.study.source(source).is_some()
        {
            return Some((source.to_string(), column.to_string()));
        }
        let holder = *self.holders(name).first()?;
        Some((holder.to_string(), name.to_string()))
    }

    /// The tables of the cohort, its own first.
    fn tables(&self) -> Vec<&str> {
        let joined = self.cohort.join.iter().map(|join| join.source.name.as_str());
        std::iter::once(self.cohort.from.name.as_str()).chain(joined).collect()
    }

    /// Those that have a column of this name.
    fn holders(&self, name: &str) -> Vec<&str> {
        let mut tables = self.tables();
        tables.retain(|source| {
            matches!(self.survey.sources.get(*source), Some(SurveyedSource {
                content: Content::Table { table, .. }, ..
            }) if table.names().any(|known| known == name))
        });
        tables
    }

    fn found(&self, name: &str, span: Span, depth: usize) -> Result<Cells, Fault> {
        if let Some(derived) = self.study.derived(name) {
            return self.derived(derived, depth);
        }
        match name {
            "id" => {
                return Ok(self.rows.iter().map(|row| Some(row.id.clone())).collect());
            }
            "subject" => {
                return Ok(self
                    .rows
                    .iter()
                    .map(|row| Some(row.subject.clone()))
                    .collect());
            }
            "site" if depth < 10 => {
                if let Some(site) = self.cohort.site.as_ref().filter(|s| s.name != "site")
                {
                    return self.found(&site.name, site.span, depth + 1);
                }
            }
            _ => {}
        }
        if let Some((source, column)) = name.split_once('.')
            && self.study.source(source).is_some()
        {
            return match self.cohort.joins(source) {
                true => self.of_source(source, column, span),
                false => self.not_joined(source, column, span),
            };
        }
        match self.holders(name).as_slice() {
            [source, ..] if *source == self.cohort.from.name => {
                self.of_source(source, name, span)
            }
            [source] => self.of_source(source, name, span),
            [] => self.renamed(name, span),
            several => {
                let names: Vec<String> =
                    several.iter().map(|source| format!("`{source}.{name}`")).collect();
                let fault = Diagnostic::error(
                    Code::UNKNOWN_COLUMN,
                    Place::Study(span),
                    format!("several sources have a column `{name}`"),
                );
                Err(Box::new(fault.hint(format!("write {}", names.join(" or ")))))
            }
        }
    }

    /// A column of a source that the cohort does not join, but may hold elsewhere.
    fn not_joined(&self, source: &str, column: &str, span: Span) -> Result<Cells, Fault> {
        if self.cohort.map.iter().any(|map| map.of.name == source) {
            return self.elsewhere(&self.cohort.place(source, column), span);
        }
        let fault = Diagnostic::error(
            Code::UNKNOWN_NAME,
            Place::Study(span),
            format!("cohort `{}` does not join `{source}`", self.cohort.name),
        );
        Err(Box::new(fault.hint(format!("add `join: {{ {source}: optional }}`"))))
    }

    /// A column that no table of the cohort has under this name, but one may have under another.
    fn renamed(&self, name: &str, span: Span) -> Result<Cells, Fault> {
        let maps = self.cohort.map.iter();
        let places = maps.map(|map| self.cohort.place(&map.of.name, name));
        let mut renamed = places.filter(|place| place.column != name);
        if let (Some(place), None) = (renamed.next(), renamed.next()) {
            return self.elsewhere(&place, span);
        }
        let derived = self.study.derive.iter();
        let mut known: Vec<String> =
            derived.map(|derived| derived.name.clone()).collect();
        for source in self.tables() {
            if let Some(SurveyedSource {
                content: Content::Table { table, .. }, ..
            }) = self.survey.sources.get(source)
            {
                known.extend(table.names().map(|column| format!("{source}.{column}")));
            }
        }
        let fault = Diagnostic::error(
            Code::UNKNOWN_COLUMN,
            Place::Study(span),
            format!("cohort `{}` has no column `{name}`", self.cohort.name),
        );
        let bare = |known: &String| {
            known.split_once('.').map_or(known.clone(), |(_, column)| column.to_string())
        };
        let names: Vec<String> = known.iter().map(bare).collect();
        let shown: Vec<&str> = known.iter().take(12).map(String::as_str).collect();
        let hint = format!("there is: {}", shown.join(", "));
        let fault = fault.suggest(name, names.iter().map(String::as_str));
        Err(Box::new(fault.hint(hint)))
    }

    /// The cells of a column under the name that this cohort has for it, in the units of the others.
    fn elsewhere(&self, place: &ColumnPlace, span: Span) -> Result<Cells, Fault> {
        let cells = self.of_source(&place.source, &place.column, span)?;
        if (place.times, place.add) == (1.0, 0.0) {
            return Ok(cells);
        }
        let changed = |cell: Option<String>| {
            let Some(cell) = cell else { return Ok(None) };
            let number = cell.parse::<f64>().ok().filter(|number| number.is_finite());
            number
                .map(|number| Some((number * place.times + place.add).to_string()))
                .ok_or(())
        };
        cells.into_iter().map(changed).collect::<Result<Cells, ()>>().map_err(|()| {
            let message = format!(
                "column `{}.{}` holds text, and cohort `{}` maps it with a factor",
                place.source, place.column, self.cohort.name
            );
            let place = Place::Study(span);
            Box::new(Diagnostic::error(Code::NOT_A_NUMBER, place, message))
        })
    }

    fn of_source(&self, source: &str, column: &str, span: Span) -> Result<Cells, Fault> {
        let Some(SurveyedSource { content: Content::Table { table, .. }, files, .. }) =
            self.survey.sources.get(source)
        else {
            let message = format!("`{source}` is no table that could be read");
            return Err(Box::new(Diagnostic::error(
                Code::UNKNOWN_NAME,
                Place::Study(span),
                message,
            )));
        };
        let Some(found) = table.column(column) else {
            let shown = files.first().map_or(source, |file| file.shown.as_str());
            let known: Vec<&str> = table.names().collect();
            let place = Place::Study(span);
            return Err(Box::new(no_column(place, column, shown, known.into_iter())));
        };
        let rows = table.table();
        let of_maf = self.study.source(source).is_some_and(crate::spec::Source::is_maf);
        let cell = |row: &CohortRow| {
            let id = if of_maf { &row.subject } else { &row.id };
            let row = self.cohort.known_as(id).find_map(|id| rows.row(id));
            let cell = found.cell(row?);
            (!cell.is_empty()).then(|| cell.to_string())
        };
        Ok(self.rows.iter().map(cell).collect())
    }

    fn derived(&self, derived: &Derived, depth: usize) -> Result<Cells, Fault> {
        if depth > 20 {
            let message = format!("`{}` is made from itself", derived.name);
            let place = Place::Study(derived.span);
            return Err(Box::new(Diagnostic::error(Code::UNKNOWN_NAME, place, message)));
        }
        let from = self.found(&derived.from.name, derived.from.span, depth + 1)?;
        let mut without = 0;
        let mut unmapped = std::collections::BTreeMap::<String, usize>::new();
        let mut cells = Vec::with_capacity(from.len());
        for cell in from {
            let Some(cell) = cell else {
                cells.push(None);
                continue;
            };
            let Some(part) = derived.part.of(&cell) else {
                without += 1;
                cells.push(None);
                continue;
            };
            let meant =
                derived.map.iter().find(|(_, texts)| texts.iter().any(|t| t == part));
            cells.push(match (meant, &derived.otherwise) {
                _ if derived.map.is_empty() => Some(part.to_string()),
                (Some((value, _)), _) => Some(value.clone()),
                (None, Some(other)) => Some(other.clone()),
                (None, None) => {
                    *unmapped.entry(part.to_string()).or_insert(0) += 1;
                    None
                }
            });
        }
        let place = Place::Study(derived.span);
        if without > 0 {
            let message = format!(
                "{without} rows of cohort `{}` have no such part in `{}`",
                self.cohort.name, derived.from.name
            );
            return Err(Box::new(Diagnostic::error(Code::NO_PART, place, message)));
        }
        if !unmapped.is_empty() {
            let listed: Vec<String> =
                unmapped.iter().take(20).map(|(v, n)| format!("`{v}` ({n})")).collect();
            let message = format!(
                "`{}` meets {} values that its `map` does not name",
                derived.name,
                unmapped.len()
            );
            let fault = Diagnostic::error(Code::UNMAPPED, place, message)
                .hint(format!("they are: {}", listed.join(", ")))
                .hint("map each, or give `else:`");
            return Err(Box::new(fault));
        }
        Ok(cells)
    }
}
