//! Other cohorts whose predictors are not what they are in development: most values lie outside of all
//! that were met there, or are categories that it does not have.
//!
//! Often the unit, the software or the spelling is another one. A frozen model computes all the same, so
//! it is asked before. Looks at no outcome.

use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Reading, Survey, frame};
use crate::data::{FrameColumn, Rows};
use crate::diagnostics::{Code, Diagnostic, Place};
use crate::digest::canonical_json;
use crate::operation::Failure;
use crate::spec::{Block, BlockKind, Cohort, Named, Study};

/// Fewer known values, on either side, say nothing.
const ENOUGH: usize = 10;

/// A column that is another one there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Shift {
    column: String,
    /// Values outside of the range or the categories of development, and all known ones.
    outside: usize,
    known: usize,
    /// Whether it holds categories.
    categorical: bool,
}

pub(super) fn read(
    study: &Study,
    reading: &Reading<'_>,
    survey: &Survey,
    faults: &mut Vec<Diagnostic>,
) {
    let Some(development) = study.development() else { return };
    let mut blocks: Vec<&str> = Vec::new();
    for model in study.frozen_models() {
        for block in &model.blocks {
            if !blocks.contains(&block.name.as_str()) {
                blocks.push(&block.name);
            }
        }
    }
    for external in &study.external {
        let Some(cohort) = study.cohort(&external.name) else { continue };
        for block in blocks.iter().filter_map(|block| study.block(block)) {
            let shifts = shifts(study, reading, survey, (development, cohort), block);
            for categorical in [false, true] {
                let of_kind = shifts.iter().filter(|of| of.categorical == categorical);
                let of_kind: Vec<&Shift> = of_kind.collect();
                if !of_kind.is_empty() {
                    faults.push(fault(external, development, block, &of_kind));
                }
            }
        }
    }
}

fn shifts(
    study: &Study,
    reading: &Reading<'_>,
    survey: &Survey,
    (development, cohort): (&Cohort, &Cohort),
    block: &Block,
) -> Vec<Shift> {
    if !matches!(block.kind, BlockKind::Columns { .. }) {
        return Vec::new();
    }
    let cells = |cohort: &Cohort| {
        survey.cells.get(&(cohort.name.clone(), block.name.clone())).copied()
    };
    let (Some(here), Some(there)) = (cells(development), cells(cohort)) else {
        return Vec::new();
    };
    let preimage = json!({ "work": "shifted", "version": 1, "cells": [here, there] });
    let name = format!("shifted/{}/{}", cohort.name, block.name);
    let found = reading.stored(name, canonical_json(&preimage), || {
        let of = |cohort| frame(study, survey, cohort, &block.name).map(|of| of.rows);
        Ok::<_, Failure>(compared(&of(development)?, &of(cohort)?))
    });
    found.map(|(found, _)| found).unwrap_or_default()
}

/// The columns that are others there.
fn compared(here: &Rows, there: &Rows) -> Vec<Shift> {
    let mut found = Vec::new();
    let own: HashMap<&str, &FrameColumn> =
        here.columns().iter().map(|column| (&*column.name, &**column)).collect();
    for column in there.columns() {
        let Some(own) = own.get(&*column.name) else { continue };
        let known = |values: &[f64]| -> Vec<f64> {
            values.iter().copied().filter(|value| !value.is_nan()).collect()
        };
        let (own, met) = (known(&own.values), known(&column.values));
        if own.len() < ENOUGH || met.len() < ENOUGH {
            continue;
        }
        let levels = (here.categories(&column.name), there.categories(&column.name));
        let outside = match levels {
            (Some(own), Some(names)) => {
                let own: BTreeSet<&String> = own.iter().collect();
                let new = |value: &&f64| {
                    names.get(**value as usize).is_none_or(|name| !own.contains(name))
                };
                met.iter().filter(new).count()
            }
            _ => {
                let least = own.iter().copied().fold(f64::INFINITY, f64::min);
                let most = own.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                met.iter().filter(|value| **value < least || **value > most).count()
            }
        };
        if 2 * outside > met.len() {
            found.push(Shift {
                column: column.name.to_string(),
                outside,
                known: met.len(),
                categorical: levels.0.is_some(),
            });
        }
    }
    found
}

fn fault(
    external: &Named,
    development: &Cohort,
    block: &Block,
    shifts: &[&Shift],
) -> Diagnostic {
    const SHOWN: usize = 5;
    let shown = shifts.iter().take(SHOWN);
    let mut names: Vec<String> = shown
        .map(|of| format!("`{}` ({} of {} rows)", of.column, of.outside, of.known))
        .collect();
    if shifts.len() > SHOWN {
        names.push(format!("{} more columns", shifts.len() - SHOWN));
    }
    let categorical = shifts[0].categorical;
    let what = match categorical {
        true => "are categories that",
        false => "lie outside of the range that",
    };
    let fault = Diagnostic::warning(
        Code::SHIFTED,
        Place::Study(external.span),
        format!(
            "in cohort `{}` most values of block `{}` {what} cohort `{}` has: {}",
            external.name,
            block.name,
            development.name,
            names.join(", ")
        ),
    );
    match categorical {
        true => fault.hint(
            "where the spelling differs, rename in the source: `columns: { NAME: { map: { HERE: \
             [THERE] } } }`",
        ),
        false => fault.hint(
            "where the unit differs, convert in the cohort: `map: { SOURCE: { from: …, columns: { \
             NAME: { column: NAME, times: 0.001 } } } }`",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(columns: &[(&str, &dyn Fn(usize) -> f64)]) -> Rows {
        let column = |(name, of): &(&str, &dyn Fn(usize) -> f64)| FrameColumn {
            name: (*name).into(),
            values: (0..20).map(of).collect(),
        };
        Rows::new(columns.iter().map(column).collect(), 20)
    }

    #[test]
    fn another_unit_is_seen_and_other_patients_are_not() {
        let here = rows(&[
            ("size", &|row| 1.0 + row as f64),
            ("age", &|row| 40.0 + row as f64),
            ("few", &|row| row as f64),
        ]);
        let there = rows(&[
            ("size", &|row| 1000.0 * (1.0 + row as f64)),
            // Half of them are older than anybody in development: no more than another population.
            ("age", &|row| 50.0 + row as f64),
            ("few", &|row| if row < 9 { 1e6 } else { f64::NAN }),
        ]);
        let found = compared(&here, &there);
        let named: Vec<(&str, usize, usize)> =
            found.iter().map(|of| (of.column.as_str(), of.outside, of.known)).collect();
        assert_eq!(named, [("size", 20, 20)]);
    }

    #[test]
    fn categories_are_compared_by_their_names() {
        let of = |names: &[&str]| {
            let names = names.iter().map(ToString::to_string).collect();
            rows(&[("grade", &|row| (row % 2) as f64)])
                .with_categories([("grade".to_string(), names)].into())
        };
        assert_eq!(compared(&of(&["II", "III"]), &of(&["III", "II"])), []);
        let found = compared(&of(&["II", "III"]), &of(&["2", "3"]));
        assert_eq!((found.len(), found[0].outside, found[0].categorical), (1, 20, true));
    }
}
