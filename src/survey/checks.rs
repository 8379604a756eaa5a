//! Columns that restate the outcome, columns known too late, outcomes that go with the site.
//!
//! Looks at development rows alone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::data::{AssociationFacts, Frame};
use crate::diagnostics::{Code, Diagnostic, Place};
use crate::digest::canonical_json;
use crate::operation::Failure;
use crate::spec::{Cohort, Named, Outcome, Study, UnnamedControls};
use crate::statistics::{auroc_by_level, cramers_v};

use super::{Reading, Survey, SurveyedOutcome, View};

pub(super) fn read(
    study: &Study,
    reading: &Reading<'_>,
    survey: &mut Survey,
    faults: &mut Vec<Diagnostic>,
) {
    let mut cohorts: Vec<&Cohort> = Vec::new();
    for scheme in &study.validate {
        if let Some(cohort) = study.cohort(&scheme.cohort.name)
            && !cohorts.iter().any(|known| known.name == cohort.name)
        {
            cohorts.push(cohort);
        }
    }
    let mut said: Vec<(String, String)> = Vec::new();
    for cohort in cohorts {
        for outcome in &study.outcomes {
            let place = (outcome.name.clone(), cohort.name.clone());
            let Some(known) = survey.outcomes.get(&place).cloned() else { continue };
            restating(study, reading, survey, cohort, outcome, &known, &mut said, faults);
            associated(study, survey, cohort, outcome, &known, faults);
        }
    }
    late(study, survey, faults);
    beside(study, survey, faults);
}

/// How much a column says of an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum Says {
    /// It is the outcome under other names.
    All,
    /// Nearly that: with this AUROC on the rows at hand.
    Nearly(f64),
}

/// An AUROC of one column from which it is worth a question.
const NEARLY: f64 = 0.98;
/// Fewer rows say nothing.
const ENOUGH: usize = 20;

#[expect(clippy::too_many_arguments, reason = "what is looked at and where it is said")]
fn restating(
    study: &Study,
    reading: &Reading<'_>,
    survey: &Survey,
    cohort: &Cohort,
    outcome: &Outcome,
    known: &SurveyedOutcome,
    said: &mut Vec<(String, String)>,
    faults: &mut Vec<Diagnostic>,
) {
    for block in &study.predictors {
        let place = (cohort.name.clone(), block.name.clone());
        let Some(cells) = survey.cells.get(&place) else { continue };
        let preimage = canonical_json(&json!({
            "work": "restating", "version": 1, "cells": cells, "outcome": known.digest,
        }));
        let name = format!("restating/{}/{}/{}", cohort.name, block.name, outcome.name);
        let found = reading.stored(name, preimage, || {
            let frame = reading
                .last
                .get(cells, || super::frame(study, survey, cohort, &block.name))?;
            Ok::<_, Failure>(says(&frame, &known.classes))
        });
        let Ok((found, _)) = found else { continue };
        for (column, says) in found {
            let what = (column.clone(), outcome.name.clone());
            if said.contains(&what) {
                continue;
            }
            said.push(what);
            // A control is there to show what such a column achieves.
            let control = study
                .models
                .iter()
                .filter(|model| model.blocks.iter().any(|b| b.name == block.name))
                .all(|model| model.role == crate::spec::Role::Control);
            let place = Place::Study(block.span);
            let hint = format!("leave it out: `except: [{column}]`");
            faults.push(match says {
                Says::All if !control => Diagnostic::error(
                    Code::RESTATES,
                    place,
                    format!(
                        "column `{column}` of block `{}` is outcome `{}` under other names",
                        block.name, outcome.name
                    ),
                )
                .hint(hint),
                Says::All => Diagnostic::warning(
                    Code::NEARLY_RESTATES,
                    place,
                    format!(
                        "column `{column}` of control `{}` is outcome `{}` itself",
                        block.name, outcome.name
                    ),
                ),
                Says::Nearly(auroc) => Diagnostic::warning(
                    Code::NEARLY_RESTATES,
                    place,
                    format!(
                        "column `{column}` of block `{}` alone orders outcome `{}` with an AUROC \
                         of {auroc:.3} where it is known",
                        block.name, outcome.name
                    ),
                )
                .hint("is it the outcome in other words, or known only after it?")
                .hint(hint),
            });
        }
    }
}

/// The columns that say nearly everything.
fn says(frame: &Frame, classes: &[Option<bool>]) -> Vec<(String, Says)> {
    let mut found = Vec::new();
    for column in frame.rows.columns() {
        let rows = column.values.iter().zip(classes);
        let known: Vec<(f64, bool)> = rows
            .filter(|(value, _)| !value.is_nan())
            .filter_map(|(value, class)| Some((*value, (*class)?)))
            .collect();
        let positive = known.iter().filter(|(_, class)| *class).count();
        if known.len() < ENOUGH || positive < 3 || known.len() - positive < 3 {
            continue;
        }
        let mut values: Vec<f64> = known.iter().map(|(value, _)| *value).collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        let truth: Vec<bool> = known.iter().map(|(_, class)| *class).collect();
        let categorical = frame.rows.categories(&column.name).is_some();
        // Many small levels order any outcome by chance.
        if categorical && values.len() * 5 > known.len() {
            continue;
        }
        let auroc = if categorical || values.len() <= 5 {
            let level = |value: f64| values.iter().position(|v| *v == value).unwrap_or(0);
            let levels: Vec<u32> =
                known.iter().map(|(value, _)| level(*value) as u32).collect();
            if pure(&levels, &truth, values.len()) && values.len() <= 5 {
                found.push((column.name.to_string(), Says::All));
                continue;
            }
            // Levels that only say that nothing was asked are left aside.
            match telling(&levels, &truth, values.len()) {
                Some((truth, levels)) => auroc_by_level(&truth, &levels),
                None => auroc_by_level(&truth, &levels),
            }
        } else {
            let scores: Vec<f64> = known.iter().map(|(value, _)| *value).collect();
            crate::statistics::delong(&truth, &scores).map(|d| d.auroc.max(1.0 - d.auroc))
        };
        if let Some(auroc) = auroc.filter(|auroc| *auroc >= NEARLY) {
            found.push((column.name.to_string(), Says::Nearly(auroc)));
        }
    }
    found
}

/// Whether each level has one class only.
fn pure(levels: &[u32], truth: &[bool], n_levels: usize) -> bool {
    (0..n_levels as u32).all(|level| {
        let mut classes = levels
            .iter()
            .zip(truth)
            .filter(|(l, _)| **l == level)
            .map(|(_, class)| *class);
        let first = classes.next();
        classes.all(|class| Some(class) == first)
    })
}

/// The rows without the most frequent level, when the others still hold both classes: a column
/// that is mostly "not available" may restate the outcome where it is not.
fn telling(
    levels: &[u32],
    truth: &[bool],
    n_levels: usize,
) -> Option<(Vec<bool>, Vec<u32>)> {
    if n_levels < 3 {
        return None;
    }
    let count = |level: &u32| levels.iter().filter(|known| *known == level).count();
    let most = (0..n_levels as u32).max_by_key(count)?;
    let left = levels.iter().zip(truth).filter(|(level, _)| **level != most);
    let (left_levels, left_truth): (Vec<u32>, Vec<bool>) = left.unzip();
    let positive = left_truth.iter().filter(|class| **class).count();
    let enough =
        left_truth.len() >= ENOUGH && positive >= 3 && left_truth.len() - positive >= 3;
    enough.then_some((left_truth, left_levels))
}

/// Whether the outcome goes with the site, the source of the rows or the stratum.
fn associated(
    study: &Study,
    survey: &mut Survey,
    cohort: &Cohort,
    outcome: &Outcome,
    known: &SurveyedOutcome,
    faults: &mut Vec<Diagnostic>,
) {
    let mut columns: Vec<Named> = Vec::new();
    columns.extend(cohort.site.clone());
    columns.extend(study.evaluate.within.clone());
    columns.dedup_by(|a, b| a.name == b.name);
    for column in columns {
        let rows = &survey.cohorts[&cohort.name].rows;
        let view = View { study, survey, cohort, rows };
        // What is wrong with it is said where it is asked for.
        let Ok(cells) = view.cells(&column) else { continue };
        let mut level_of: BTreeMap<&str, u32> = BTreeMap::new();
        for cell in cells.iter().flatten() {
            level_of.entry(cell).or_insert(0);
        }
        for (position, level) in level_of.values_mut().enumerate() {
            *level = position as u32;
        }
        let (mut truth, mut levels) = (Vec::new(), Vec::new());
        for (cell, class) in cells.iter().zip(known.classes.iter()) {
            if let (Some(cell), Some(class)) = (cell, class) {
                truth.push(*class);
                levels.push(level_of[cell.as_str()]);
            }
        }
        let mut counts = vec![vec![0; 2]; level_of.len()];
        for (level, class) in levels.iter().zip(&truth) {
            counts[*level as usize][usize::from(*class)] += 1;
        }
        counts.retain(|count| count[0] + count[1] > 0);
        if counts.len() < 2 {
            continue;
        }
        let association = cramers_v(&counts);
        let facts = AssociationFacts {
            outcome: outcome.name.clone(),
            cohort: cohort.name.clone(),
            column: column.name.clone(),
            levels: counts.len(),
            cramers_v: association.map(|(v, _)| v),
            p: association.map(|(_, p)| p),
            auroc: auroc_by_level(&truth, &levels),
            one_class_levels: counts.iter().filter(|c| c[0] == 0 || c[1] == 0).count(),
        };
        let goes_along = facts.p.is_some_and(|p| p < 0.05);
        if goes_along && study.evaluate.within.is_none() {
            faults.push(
                Diagnostic::warning(
                    Code::CONFOUNDED,
                    Place::Study(column.span),
                    format!(
                        "outcome `{}` goes with `{}` in cohort `{}` (Cramér's V {:.2})",
                        outcome.name,
                        column.name,
                        cohort.name,
                        facts.cramers_v.unwrap_or(0.0)
                    ),
                )
                .hint(match &study.evaluate.unnamed {
                    UnnamedControls::Added { .. } => format!(
                        "performance within the closest such column is measured as well; permuted \
                         outcomes keep to it by `permuted_outcome: {{ times: 1000, within: {} }}`",
                        column.name
                    ),
                    UnnamedControls::Left(_) => format!(
                        "measure within it as well: `evaluate: {{ within: {} }}`",
                        column.name
                    ),
                }),
            );
        }
        survey.associations.push(facts);
    }
}

/// Parts of names that tell of what is known only later.
const LATE: [&str; 12] = [
    "death",
    "dead",
    "vital",
    "survival",
    "os",
    "pfs",
    "pfi",
    "dss",
    "dfi",
    "recurrence",
    "progression",
    "followup",
];

fn late(study: &Study, survey: &Survey, faults: &mut Vec<Diagnostic>) {
    for block in &study.predictors {
        if let Some(known) = block.known.as_deref() {
            let control = study
                .models
                .iter()
                .filter(|model| model.blocks.iter().any(|b| b.name == block.name))
                .all(|model| model.role == crate::spec::Role::Control);
            if known == "after outcome" && !control {
                faults.push(Diagnostic::warning(
                    Code::KNOWN_LATE,
                    Place::Study(block.span),
                    format!("block `{}` is known only after the outcome", block.name),
                ));
            }
            continue;
        }
        let columns = survey.columns.get(&block.name).into_iter().flatten();
        let late: Vec<String> = columns
            .filter(|column| {
                let words = column.column.to_lowercase();
                let mut words = words.split(|c: char| !c.is_alphanumeric());
                words.any(|word| LATE.contains(&word))
            })
            .map(|column| format!("`{}`", column.column))
            .collect();
        if !late.is_empty() {
            let listed = late.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
            faults.push(
                Diagnostic::warning(
                    Code::KNOWN_LATE,
                    Place::Study(block.span),
                    format!(
                        "block `{}` holds columns whose names tell of what is known later: {listed}",
                        block.name
                    ),
                )
                .hint("say `known: before imaging` if they are not, or leave them out"),
            );
        }
    }
}

/// Columns that steps want beside the rows and that are not there.
fn beside(study: &Study, survey: &Survey, faults: &mut Vec<Diagnostic>) {
    let schemes = study.validate.iter();
    let mut wanted: Vec<(&str, &str, bool)> = schemes
        .flat_map(|scheme| {
            let models = scheme.models.iter();
            models.map(|model| (scheme.cohort.name.as_str(), model.name.as_str(), true))
        })
        .collect();
    if let Some(first) = study.validate.first() {
        for cohort in &study.external {
            let models = first.models.iter();
            wanted.extend(models.map(|model| (&*cohort.name, &*model.name, false)));
        }
    }
    let mut said: Vec<(String, String)> = Vec::new();
    for (cohort, model, development) in wanted {
        let (Some(cohort), Some(surveyed)) =
            (study.cohort(cohort), survey.cohorts.get(cohort))
        else {
            continue;
        };
        let Some(model) = study.models.iter().find(|known| known.name == model) else {
            continue;
        };
        let view = View { study, survey, cohort, rows: &surveyed.rows };
        // A frozen model is of the first branch.
        let branches = if development { model.branches.len() } else { 1 };
        let columns = (0..branches).flat_map(|branch| model.beside(branch));
        for column in columns {
            let what = (cohort.name.clone(), column.name.clone());
            if said.contains(&what) {
                continue;
            }
            said.push(what);
            if let Err(fault) = view.cells(&column) {
                faults.push(*fault);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{FrameColumn, Rows};

    #[test]
    fn columns_that_are_the_outcome_are_recognised() {
        let classes: Vec<Option<bool>> = (0..60).map(|i| Some(i % 3 == 0)).collect();
        let column = |name: &str, value: &dyn Fn(usize) -> f64| FrameColumn {
            name: name.into(),
            values: (0..60).map(value).collect(),
        };
        let columns = vec![
            column("recoded", &|i| if i % 3 == 0 { 7.0 } else { -1.0 }),
            column("nearly", &|i| if i % 3 == 0 && i != 0 { 2.0 } else { 1.0 }),
            column("score", &|i| (i % 3 == 0) as u8 as f64 * 10.0 + i as f64 / 100.0),
            column("noise", &|i| (i * 37 % 11) as f64),
            column("asked", &|i| match i {
                0..=29 => 0.0,
                i if i % 3 == 0 => 1.0,
                _ => 2.0,
            }),
            column("absent", &|_| f64::NAN),
        ];
        let frame = Frame { rows: Rows::new(columns, 60), failed: vec![None; 60] };
        let found = says(&frame, &classes);
        let named: Vec<(&str, bool)> = found
            .iter()
            .map(|(name, says)| (name.as_str(), *says == Says::All))
            .collect();
        assert_eq!(named, [("recoded", true), ("score", false), ("asked", false)]);
    }
}
