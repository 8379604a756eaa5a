//! Missing values that reach what refuses them, and columns without a value where a step needs one.
//!
//! The run would name one such column late, after all else was computed, and where a candidate looks at
//! no column it would say nothing and choose that one. So the steps of each preparation are followed here
//! on the columns that have gaps, on the rows of every split ([`follow`]), and what becomes of them is told
//! in a message ([`tell`]); so is what a frozen model meets in other cohorts ([`external`]). Says nothing
//! of images, which are measured in the run.

mod external;
mod follow;
mod tell;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::json;

use self::follow::{Met, at_risk};
use self::tell::{Fared, Told, behind, certain, remedy};
use super::{Reading, Survey, SurveyedCohort, frame};
use crate::data::{FrameColumn, Rows};
use crate::diagnostics::{Code, Diagnostic};
use crate::digest::canonical_json;
use crate::operation::Failure;
use crate::spec::{
    Block, BlockKind, Branch, Cohort, Model, Named, Outcome, Scheme, Study,
};

/// Says which missing values reach what refuses them, and which columns hold no value where one is needed.
pub(super) fn read(
    study: &Study,
    reading: &Reading<'_>,
    survey: &Survey,
    faults: &mut Vec<Diagnostic>,
) {
    let mut looking = Looking { study, reading, survey, known: BTreeMap::new() };
    let mut told: BTreeMap<Told<'_>, Vec<Fared>> = BTreeMap::new();
    for scheme in &study.validate {
        let models = scheme.models.iter().filter_map(|model| study.model(&model.name));
        for model in models.filter(|model| model.added.is_none()) {
            for outcome in study.outcomes.iter().filter(|o| scheme.judges(&o.name)) {
                for branch in &model.branches {
                    let way = Way { scheme, model, outcome, branch };
                    looking.internal(&way, &mut told);
                }
            }
        }
    }
    let before = faults.len();
    let sound = told.is_empty();
    for (told, fared) in told {
        looking.faults(&told, &fared, faults);
    }
    if !faults[before..].iter().any(|fault| fault.code == Code::NO_VALUE) {
        looking.named(faults);
    }
    if sound {
        looking.external(faults);
    }
}

/// What is followed: one preparation of a model under a scheme.
struct Way<'a> {
    scheme: &'a Scheme,
    model: &'a Model,
    outcome: &'a Outcome,
    branch: &'a Branch,
}

/// The columns of a cohort's block that matter here: those with gaps, and those of categories.
type Open = Rc<Rows>;

struct Looking<'a, 'r> {
    study: &'a Study,
    reading: &'a Reading<'r>,
    survey: &'a Survey,
    /// By cohort and block.
    known: BTreeMap<(String, String), Option<Open>>,
}

impl<'a> Looking<'a, '_> {
    /// Follows a preparation, its selectors and the learners on all splits of a scheme.
    fn internal(&mut self, way: &Way<'a>, told: &mut BTreeMap<Told<'a>, Vec<Fared>>) {
        let (study, survey) = (self.study, self.survey);
        let Some(cohort) = study.cohort(&way.scheme.cohort.name) else { return };
        let place = (way.scheme.name.clone(), way.outcome.name.clone());
        let Some(splits) = survey.splits.get(&place) else { return };
        let Some(open) = self.open(way.model, cohort) else { return };
        let chain = &way.branch.prepare;
        let outer = splits.repeats.iter().map(Vec::len).sum();
        let mut fared: Vec<(Told<'a>, Fared)> = Vec::new();
        let mut without_any = 0;
        for setting in &chain.settings {
            let open = at_risk(&open, setting, splits);
            if open.p() == 0 {
                continue;
            }
            let found = self.on_splits(way, setting, &open, splits);
            without_any += usize::from(found.values().any(|met| met.lost == outer));
            for ((at, why), Met { columns, stopped, lost }) in found {
                let columns = in_order(&open, &columns);
                let place = match &at {
                    Some(at) => setting.steps[*at].span,
                    None => behind(way.model, study, &stopped, setting),
                };
                let (before, late) = remedy(setting, at, &columns);
                let key =
                    Told { place, why, cohort: &cohort.name, before, late, columns };
                let several = chain.settings.len() > 1;
                let of = Fared {
                    scheme: way.scheme.name.clone(),
                    model: match way.branch.name.as_str() {
                        "" => format!("`{}`", way.model.name),
                        name => format!("`{}` prepared as `{name}`", way.model.name),
                    },
                    setting: if several { setting.text.clone() } else { String::new() },
                    stopped,
                    outer,
                    lost,
                    certain: certain(study, way.model, cohort),
                };
                fared.push((key, of));
            }
        }
        // A grid with a setting that does without them has a result.
        let sound = without_any < chain.settings.len();
        for (key, of) in fared {
            let certain = of.certain && !sound;
            told.entry(key).or_default().push(Fared { certain, ..of });
        }
    }

    /// The open columns of a model in a cohort, as the run names them; none where they are not known.
    fn open(&mut self, model: &Model, cohort: &Cohort) -> Option<Rows> {
        let n = self.survey.cohorts.get(&cohort.name)?.rows.len();
        let (mut columns, mut categories) = (Vec::new(), BTreeMap::new());
        for block in &model.blocks {
            let block = self.study.block(&block.name)?;
            if !block.steps.is_empty() {
                return None;
            }
            if !matches!(block.kind, BlockKind::Columns { .. }) {
                continue;
            }
            let open = self.of_block(block, cohort)?;
            for column in open.columns() {
                let name = format!("{}.{}", block.name, column.name);
                if let Some(of) = open.categories(&column.name) {
                    categories.insert(name.clone(), of.to_vec());
                }
                let values = column.values.clone();
                columns.push(FrameColumn { name: name.into(), values });
            }
        }
        Some(Rows::new(columns, n).with_categories(categories))
    }

    fn of_block(&mut self, block: &Block, cohort: &Cohort) -> Option<Open> {
        let place = (cohort.name.clone(), block.name.clone());
        if let Some(known) = self.known.get(&place) {
            return known.clone();
        }
        let found = self.survey.cells.get(&place).and_then(|cells| {
            let preimage =
                canonical_json(&json!({ "work": "gaps", "version": 1, "cells": cells }));
            let name = format!("gaps/{}/{}", cohort.name, block.name);
            let open = self.reading.stored(name, preimage, || {
                let read = || frame(self.study, self.survey, cohort, &block.name);
                Ok::<_, Failure>(open(self.reading.last.get(cells, read)?.rows))
            });
            open.ok().map(|(open, _)| Rc::new(open))
        });
        self.known.insert(place, found.clone());
        found
    }

    fn cohort(&self, name: &str) -> Option<(&'a Cohort, &'a SurveyedCohort)> {
        Some((self.study.cohort(name)?, self.survey.cohorts.get(name)?))
    }

    /// The values of columns that are named as models name them.
    fn values(&mut self, cohort: &Cohort, columns: &[String]) -> Vec<Vec<f64>> {
        let mut wanted: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (block, column) in columns.iter().filter_map(|name| name.split_once('.')) {
            wanted.entry(block).or_default().insert(column);
        }
        let mut found = Vec::new();
        for (block, wanted) in wanted {
            let Some(block) = self.study.block(block) else { continue };
            let Some(open) = self.of_block(block, cohort) else { continue };
            let columns = open.columns().iter();
            let columns = columns.filter(|of| is_among(&wanted, &of.name));
            found.extend(columns.map(|of| of.values.clone()));
        }
        found
    }
}

/// The columns of a block that have gaps or hold categories.
fn open(mut rows: Rows) -> Rows {
    let is_open = |column: &FrameColumn| {
        rows.categories(&column.name).is_some()
            || column.values.iter().any(|value| value.is_nan())
    };
    let columns = rows.columns().iter().enumerate();
    let kept: Vec<usize> =
        columns.filter(|(_, column)| is_open(column)).map(|(at, _)| at).collect();
    rows.keep(&kept);
    rows
}

/// These names as they stand in the table; behind them those of columns that a step has made.
fn in_order(rows: &Rows, names: &BTreeSet<String>) -> Vec<String> {
    let columns = rows.columns().iter().map(|column| column.name.to_string());
    let mut ordered: Vec<String> = columns.filter(|name| names.contains(name)).collect();
    let known: BTreeSet<String> = ordered.iter().cloned().collect();
    ordered.extend(names.difference(&known).cloned());
    ordered
}

/// Whether a column is one of these, or one of these says which of its categories holds.
fn is_among(names: &BTreeSet<&str>, column: &str) -> bool {
    let of_category = format!("{column}=");
    let next = names.range(of_category.as_str()..).next();
    names.contains(column) || next.is_some_and(|name| name.starts_with(&of_category))
}

/// Whether a column of a block is named in full; one of several tables begins with its source.
fn names(named: &Named, column: &str) -> bool {
    let bare = column.split_once('.').map(|(_, bare)| bare);
    named.name == column || bare == Some(named.name.as_str())
}

/// Adds what is not yet there.
fn add<T: PartialEq>(all: &mut Vec<T>, new: impl IntoIterator<Item = T>) {
    for one in new {
        if !all.contains(&one) {
            all.push(one);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_which_category_holds_is_of_the_column_of_categories() {
        let names = BTreeSet::from(["grade=II", "size"]);
        let among = |column: &str| is_among(&names, column);
        assert!(among("grade") && among("size"));
        assert!(!among("gr") && !among("grades") && !among("siz") && !among("z"));
    }

    #[test]
    fn columns_are_told_as_they_stand_in_the_table() {
        let column =
            |name: &&str| FrameColumn { name: (*name).into(), values: Vec::new() };
        let rows = Rows::new(["none", "gap", "late"].iter().map(column).collect(), 0);
        let told = |of: &[&str]| {
            let names = of.iter().map(|name| (*name).to_string()).collect();
            in_order(&rows, &names).join(" ")
        };
        assert_eq!(told(&["gap", "none"]), "none gap");
        assert_eq!(told(&["a=b", "late"]), "late a=b");
    }
}
