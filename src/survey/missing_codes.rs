//! Numbers that may stand for missing values: −999 where all other ages are between 20 and 80.
//!
//! Only those that are far from everything else and stand several times; a program cannot know more.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Reading, Survey, frame};
use crate::data::Rows;
use crate::diagnostics::{Code, Diagnostic, Place};
use crate::digest::canonical_json;
use crate::operation::Failure;
use crate::spec::{Block, BlockKind, Cohort, Study};

/// What is written for "not known" where a cell must hold a number.
const CODES: [f64; 10] =
    [-9.0, -99.0, -999.0, -9999.0, -99999.0, 99.0, 999.0, 9999.0, 99999.0, 999999.0];

/// Fewer other values say nothing of where values lie.
const ENOUGH: usize = 10;

/// A number that stands far from all others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Found {
    column: String,
    code: f64,
    rows: usize,
}

pub(super) fn read(
    study: &Study,
    reading: &Reading<'_>,
    survey: &Survey,
    faults: &mut Vec<Diagnostic>,
) {
    for block in &study.predictors {
        if !matches!(block.kind, BlockKind::Columns { .. }) {
            continue;
        }
        let mut told: BTreeSet<(String, String)> = BTreeSet::new();
        for cohort in &study.cohorts {
            let place = (cohort.name.clone(), block.name.clone());
            let Some(cells) = survey.cells.get(&place) else { continue };
            let preimage =
                json!({ "work": "missing codes", "version": 1, "cells": cells });
            let name = format!("codes/{}/{}", cohort.name, block.name);
            let found = reading.stored(name, canonical_json(&preimage), || {
                let read = || frame(study, survey, cohort, &block.name);
                let frame = reading.last.get(cells, read)?;
                Ok::<_, Failure>(codes(&frame.rows))
            });
            let Ok((found, _)) = found else { continue };
            let new: Vec<Found> = found
                .into_iter()
                .filter(|of| told.insert((of.column.clone(), of.code.to_string())))
                .collect();
            faults.extend(CODES.iter().filter_map(|code| {
                let of_code: Vec<&Found> =
                    new.iter().filter(|of| of.code == *code).collect();
                fault(block, cohort, &of_code)
            }));
        }
    }
}

/// What is said of the columns that hold one code: a table may hold it in all of thousands.
fn fault(block: &Block, cohort: &Cohort, of_code: &[&Found]) -> Option<Diagnostic> {
    const SHOWN: usize = 5;
    let first = of_code.first()?;
    let shown = of_code.iter().take(SHOWN).map(|of| format!("`{}`", of.column));
    let shown = shown.collect::<Vec<_>>().join(", ");
    let most = of_code.iter().map(|of| of.rows).max().unwrap_or(0);
    let found = match of_code.len() {
        1 => format!("column {shown} of block `{}` holds", block.name),
        n if n > SHOWN => {
            format!(
                "columns {shown} and {} more of block `{}` hold",
                n - SHOWN,
                block.name
            )
        }
        _ => format!("columns {shown} of block `{}` hold", block.name),
    };
    let up_to = if of_code.len() == 1 { "" } else { "up to " };
    let message = format!(
        "{found} {} on {up_to}{most} rows of cohort `{}`, far from all other values: does it stand for \
         a missing value?",
        first.code, cohort.name
    );
    let fault =
        Diagnostic::warning(Code::MISSING_CODE, Place::Study(block.span), message);
    Some(fault.hint(format!(
        "declare it in the source, as it is written there: `columns: {{ {}: {{ missing: ['{}'] }} }}`",
        first.column, first.code
    )))
}

/// The codes in columns of numbers.
fn codes(rows: &Rows) -> Vec<Found> {
    let columns = rows.columns().iter();
    let numbers = columns.filter(|column| rows.categories(&column.name).is_none());
    let found = numbers.filter_map(|column| {
        let known = || column.values.iter().copied().filter(|value| !value.is_nan());
        CODES.iter().find_map(|&code| {
            let n = known().filter(|value| *value == code).count();
            if n < 2 {
                return None;
            }
            let others = || known().filter(|value| *value != code);
            let least = others().fold(f64::INFINITY, f64::min);
            let most = others().fold(f64::NEG_INFINITY, f64::max);
            // Beyond all others, and by more than twice what they lie apart.
            let distance = (code - most).max(least - code);
            (others().count() >= ENOUGH && distance > 2.0 * (most - least))
                .then(|| Found { column: column.name.to_string(), code, rows: n })
        })
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::FrameColumn;

    #[test]
    fn codes_are_far_from_all_other_values_and_stand_several_times() {
        let column = |name: &str, of: &dyn Fn(usize) -> f64| FrameColumn {
            name: name.into(),
            values: (0..30).map(of).collect(),
        };
        let age = |row: usize| 40.0 + row as f64;
        let rows = Rows::new(
            vec![
                column("coded", &|row| if row % 9 == 4 { -999.0 } else { age(row) }),
                column("high", &|row| if row % 9 == 4 { 999.0 } else { age(row) }),
                column("once", &|row| if row == 4 { -999.0 } else { age(row) }),
                // Old, and no code.
                column("old", &|row| if row % 9 == 4 { 99.0 } else { age(row) }),
                column("wide", &|row| {
                    if row % 9 == 4 { 9999.0 } else { 400.0 * row as f64 }
                }),
                column("plain", &age),
                column("few", &|row| if row < 25 { -9.0 } else { 1.0 }),
            ],
            30,
        );
        let found = codes(&rows);
        let named: Vec<(&str, f64, usize)> =
            found.iter().map(|of| (of.column.as_str(), of.code, of.rows)).collect();
        assert_eq!(named, [("coded", -999.0, 3), ("high", 999.0, 3)]);
    }
}
