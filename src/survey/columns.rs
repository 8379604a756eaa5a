//! Which columns the `columns` blocks mean, and whether they hold numbers.

use std::path::PathBuf;

use crate::diagnostics::{Code, Diagnostic, Place};
use crate::spec::{Block, BlockKind, Named, Study};

use super::sources::{line_of, no_column};
use super::{Content, Reading, Survey, SurveyedSource, matches};

pub(super) fn read(
    study: &Study,
    reading: &Reading<'_>,
    survey: &mut Survey,
    faults: &mut Vec<Diagnostic>,
) {
    for block in &study.predictors {
        let BlockKind::Columns { from, include, except } = &block.kind else { continue };
        let Some(SurveyedSource { content, files }) = survey.sources.get(&from.name)
        else {
            continue;
        };
        let Content::Table { table, id, words, .. } = content else { continue };
        let shown = &files[0].shown;
        let names: Vec<&str> = table.names().filter(|name| name != id).collect();
        for pattern in include.iter().chain(except) {
            if !names.iter().any(|name| matches(&pattern.name, name)) {
                faults.push(unknown(pattern, shown, &names));
            }
        }
        let chosen = |name: &&&str| {
            let by = |patterns: &[Named]| patterns.iter().any(|p| matches(&p.name, name));
            (include.is_empty() || by(include)) && !by(except)
        };
        let columns: Vec<String> =
            names.iter().filter(chosen).map(|n| (*n).into()).collect();
        for column in &columns {
            let Some(&row) = words.get(column) else { continue };
            let id = table.column(id).map_or("", |ids| ids.cell(row));
            let line = reading.bytes(study, &files[0]).ok().and_then(|b| line_of(&b, id));
            faults.push(not_numeric(block, column, shown, line));
        }
        survey.columns.insert(block.name.clone(), columns);
    }
}

fn unknown(pattern: &Named, table: &str, names: &[&str]) -> Diagnostic {
    let place = Place::Study(pattern.span);
    if pattern.name.contains('*') {
        return Diagnostic::error(
            Code::UNKNOWN_COLUMN,
            place,
            format!("no column of `{table}` matches `{}`", pattern.name),
        )
        .hint(format!("its columns are: {}", names.join(", ")));
    }
    no_column(place, &pattern.name, table, names.iter().copied())
}

fn not_numeric(
    block: &Block,
    column: &str,
    table: &str,
    line: Option<usize>,
) -> Diagnostic {
    Diagnostic::error(
        Code::NOT_A_NUMBER,
        Place::File { path: PathBuf::from(table), line },
        format!(
            "column `{column}` of block `{}` holds text where numbers are needed",
            block.name
        ),
    )
    .hint(format!("leave it out with `except: [{column}]`, or correct the cell"))
}
