//! What a frozen model meets in other cohorts: missing values that nothing fills, columns without any.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::follow::{Followed, missing, picks, refuses};
use super::tell::{and, certain, fill_before, listed, patients, remedy};
use super::{Looking, add, in_order};
use crate::data::{Frame, FrameColumn, Rows, Split, Train};
use crate::diagnostics::{Code, Diagnostic, Place};
use crate::spec::{Cohort, Model, Named, Use};
use crate::survey::{SurveyedCohort, frame};

impl Looking<'_, '_> {
    /// What a frozen model meets in other cohorts.
    pub(super) fn external(&mut self, faults: &mut Vec<Diagnostic>) {
        let study = self.study;
        let Some(scheme) = study.validate.first() else { return };
        let Some(development) = study.cohort(&scheme.cohort.name) else { return };
        for external in &study.external {
            let Some((cohort, surveyed)) = self.cohort(&external.name) else { continue };
            for model in study.frozen_models() {
                if model.added.is_some() {
                    continue;
                }
                let (Some(open), Some(met)) =
                    (self.open(model, development), self.open(model, cohort))
                else {
                    continue;
                };
                for outcome in study.outcomes.iter().filter(|o| scheme.judges(&o.name)) {
                    let place = (outcome.name.clone(), development.name.clone());
                    let Some(known) = self.survey.outcomes.get(&place) else { continue };
                    let known = &known.classes;
                    let Some((train, met)) = self.both(&open, development, &met, known)
                    else {
                        continue;
                    };
                    let met = Met { named: external, cohort, surveyed, rows: met };
                    let fault = self.meets(model, &train, &met);
                    faults.extend(fault.filter(|fault| !faults.contains(fault)));
                }
            }
        }
    }

    /// The development rows of known outcome and the rows of another cohort, with the columns that have
    /// gaps there.
    fn both(
        &self,
        open: &Rows,
        development: &Cohort,
        met: &Rows,
        classes: &[Option<bool>],
    ) -> Option<(Train, Rows)> {
        let there = numbers(met);
        if there.is_empty() {
            return None;
        }
        let mut here = numbers(open);
        let n = open.n();
        let mut whole: BTreeMap<&str, HashMap<Arc<str>, Arc<FrameColumn>>> =
            BTreeMap::new();
        let complete: Vec<String> =
            there.keys().filter(|name| !here.contains_key(*name)).cloned().collect();
        for name in complete {
            // Without gaps here: what it holds decides whether a step drops it.
            let (block, column) = name.split_once('.')?;
            if !whole.contains_key(block) {
                let frame = frame(self.study, self.survey, development, block).ok()?;
                let columns = frame.rows.columns().iter();
                let columns = columns.map(|of| (of.name.clone(), of.clone())).collect();
                whole.insert(self.study.block(block)?.name.as_str(), columns);
            }
            let values = whole[block].get(column)?.values.clone();
            here.insert(name, values);
        }
        let side = |of: &BTreeMap<String, Vec<f64>>, n: usize| {
            let column = |(name, values): (&String, &Vec<f64>)| FrameColumn {
                name: name.as_str().into(),
                values: values.clone(),
            };
            let met = of.iter().filter(|(name, _)| there.contains_key(*name));
            Rows::new(met.map(column).collect(), n)
        };
        let known = (0..n as u32).filter(|row| classes[*row as usize].is_some());
        let split = Split { train: known.collect(), held_out: Vec::new() };
        let frame = Frame { rows: side(&here, n), failed: vec![None; n] };
        let groups = &self.survey.cohorts[&development.name].groups;
        Some((split.train(&frame, classes, groups), side(&there, met.n())))
    }

    /// What is to be said of a model on rows of another cohort with missing values.
    fn meets(&self, model: &Model, train: &Train, met: &Met<'_>) -> Option<Diagnostic> {
        // A frozen model is of the first way of preparing.
        let preparation = &model.branches.first()?.prepare;
        let select = || model.select.iter().flat_map(|chain| &chain.settings);
        let learners: Vec<&Use> = self
            .study
            .learn
            .iter()
            .flat_map(|chain| &chain.settings)
            .map(|setting| &setting.steps[0])
            .collect();
        let mut refusing: Vec<String> = Vec::new();
        let names = learners.iter().filter_map(|used| refuses(used));
        add(&mut refusing, names.map(|name| format!("`{name}`")));
        let (mut drops, mut filled) = (false, BTreeSet::new());
        for setting in &preparation.settings {
            let followed = Followed::new(train.clone(), met.rows.clone());
            let mut followed = followed.on_the_way_to(model);
            followed.through(&setting.steps).ok()?;
            drops |= setting.steps.iter().any(picks);
            let here = followed.held_out.columns().iter();
            filled.extend(here.map(|column| column.name.to_string()));
            let mut left: BTreeSet<String> =
                missing(&followed.held_out).into_iter().collect();
            left.extend(followed.loose);
            if left.is_empty() || refusing.is_empty() {
                continue;
            }
            drops |= select().flat_map(|setting| &setting.steps).any(picks);
            let meets_all = !drops
                && preparation.settings.len() == 1
                && learners.iter().all(|used| refuses(used).is_some());
            let left = in_order(&met.rows, &left);
            let everybody = met.lacking(&left) == met.surveyed.n_subjects()
                && certain(self.study, model, met.cohort);
            let (before, _) = remedy(setting, None, &left);
            let fault = met.refused(model, &refusing, &left, (meets_all, everybody));
            return Some(fault.hint(fill_before(before)));
        }
        met.valueless(&filled)
    }
}

/// Another cohort as a frozen model meets it.
struct Met<'a> {
    named: &'a Named,
    cohort: &'a Cohort,
    surveyed: &'a SurveyedCohort,
    /// The columns that have gaps there.
    rows: Rows,
}

impl Met<'_> {
    /// How many patients lack a value in any of these columns.
    fn lacking(&self, columns: &[String]) -> usize {
        let names: BTreeSet<&str> = columns.iter().map(String::as_str).collect();
        let columns = self.rows.columns().iter();
        let columns = columns.filter(|column| names.contains(&*column.name));
        let values: Vec<Vec<f64>> = columns.map(|c| c.values.clone()).collect();
        patients(self.surveyed, &values)
    }

    /// Learners refuse the missing values that are left in these columns.
    fn refused(
        &self,
        model: &Model,
        refusing: &[String],
        left: &[String],
        (meets_all, everybody): (bool, bool),
    ) -> Diagnostic {
        // Only patients of known outcome are judged, and outcomes are not looked at here.
        let unless = match (meets_all, everybody) {
            (true, true) => "",
            (false, _) => " unless the model does without these columns",
            (true, false) => " unless nobody who lacks a value has a known outcome",
        };
        let message = format!(
            "model `{}` has no result in cohort `{}`{unless}: {} {} no missing values, and \
             nothing fills those of {} ({} of {} patients of cohort `{}`)",
            model.name,
            self.named.name,
            and(refusing),
            if refusing.len() == 1 { "takes" } else { "take" },
            listed(left),
            self.lacking(left),
            self.surveyed.n_subjects(),
            self.named.name,
        );
        let place = Place::Study(self.named.span);
        match meets_all && everybody {
            true => Diagnostic::error(Code::UNFILLED, place, message),
            false => Diagnostic::warning(Code::PARTLY_FILLED, place, message),
        }
    }

    /// Columns without a value, which a step fills for everybody.
    fn valueless(&self, filled: &BTreeSet<String>) -> Option<Diagnostic> {
        let none = |column: &&Arc<FrameColumn>| {
            !column.values.is_empty() && column.values.iter().all(|value| value.is_nan())
        };
        let empty = self.rows.columns().iter().filter(none);
        let empty = empty.map(|column| column.name.to_string());
        // What a step drops is filled for nobody.
        let empty: Vec<String> = empty.filter(|name| filled.contains(name)).collect();
        let hold = if empty.len() == 1 { "holds" } else { "hold" };
        (!empty.is_empty()).then(|| {
            Diagnostic::warning(
                Code::VALUELESS,
                Place::Study(self.named.span),
                format!(
                    "{} {hold} no value in cohort `{}`: every patient there gets what was filled \
                     in from development",
                    listed(&empty),
                    self.named.name
                ),
            )
            .hint(
                "say under which name the cohort holds it: `map: { SOURCE: { from: …, columns: { … } \
                 } }`, or develop a model without it",
            )
        })
    }
}

/// The columns of numbers of some rows. Categories are positions in lists that two cohorts do not share.
fn numbers(rows: &Rows) -> BTreeMap<String, Vec<f64>> {
    let columns = rows.columns().iter();
    let columns = columns.filter(|column| rows.categories(&column.name).is_none());
    columns.map(|column| (column.name.to_string(), column.values.clone())).collect()
}
