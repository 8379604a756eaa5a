//! Missing values that reach what refuses them, and columns without a value where a step needs one.
//!
//! The run would name one such column late, after all else was computed, and where a candidate looks at
//! no column it would say nothing and choose that one. So the steps of each preparation are followed here
//! on the columns that have gaps, on the rows of every split: steps say what missing values mean to them
//! ([`TableStep::GAPS`]), and those that leave any treat each column by itself. Says nothing of images,
//! which are measured in the run.
//!
//! [`TableStep::GAPS`]: crate::operation::TableStep::GAPS

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use serde_json::json;

use super::{Reading, Survey, SurveyedCohort, frame};
use crate::data::{Frame, FrameColumn, Rows, Split, Splits, Train};
use crate::diagnostics::{Code, Diagnostic, Place, Span};
use crate::digest::canonical_json;
use crate::operation::{Failure, Gaps, Instance};
use crate::spec::{
    Block, BlockKind, Branch, ChainSetting, Cohort, Model, Named, Outcome, Scheme, Study,
    Use,
};

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

/// Why rows do not get further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Why {
    /// A step needs a value of each column, and training rows have none.
    NoValue,
    /// Missing values are refused.
    Refused,
}

/// Where rows stop: at a step of the preparation, or behind it, at selectors and learners.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Told<'a> {
    place: Span,
    why: Why,
    cohort: &'a str,
    /// The step before which missing values are to be filled.
    before: Option<&'static str>,
    /// A step that fills them, too late.
    late: Option<&'static str>,
    columns: Vec<String>,
}

/// How one setting fared on the splits of a scheme.
struct Fared {
    scheme: String,
    model: String,
    /// Of the preparation, where it has several.
    setting: String,
    stopped: Vec<&'static str>,
    outer: usize,
    lost: usize,
    /// Whether nothing that the run measures may take these rows away, and no other setting is sound.
    certain: bool,
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

/// Rows on their way: the open columns that are left of them.
#[derive(Clone)]
struct Under {
    train: Train,
    held_out: Rows,
    /// Columns that are complete in training and lack held-out values, which went through a step that looks
    /// at columns together: whether it left them out is not known, and they are followed no further.
    loose: Vec<String>,
    /// Whether a selector may leave a column out by what it holds.
    picked_later: bool,
}

impl Under {
    fn new(train: Train, held_out: Rows) -> Self {
        Self { train, held_out, loose: Vec::new(), picked_later: false }
    }

    /// The same, on the way to the selectors of a model.
    fn on_the_way_to(self, model: &Model) -> Self {
        let settings = model.select.iter().flat_map(|chain| &chain.settings);
        let picked_later = settings.flat_map(|of| &of.steps).any(picks_in_spite_of_gaps);
        Self { picked_later, ..self }
    }
}

/// Where rows do not get further: at a step, by its position, or behind all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stop {
    at: Option<usize>,
    why: Why,
    columns: Vec<String>,
    /// The operations that stop them.
    names: Vec<&'static str>,
}

/// The same over the splits of a scheme.
#[derive(Default)]
struct Met {
    /// Thousands, perhaps, on each of a hundred splits.
    columns: BTreeSet<String>,
    stopped: Vec<&'static str>,
    /// Outer splits on which nothing comes of it.
    lost: usize,
}

impl<'a> Looking<'a, '_> {
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

    /// Where rows stop on the splits of a scheme, and how many outer splits are lost to it: a candidate
    /// without a score on one inner split is not chosen.
    fn on_splits(
        &self,
        way: &Way<'_>,
        setting: &ChainSetting,
        open: &Rows,
        splits: &Splits,
    ) -> BTreeMap<(Option<usize>, Why), Met> {
        let cohort = &self.survey.cohorts[&way.scheme.cohort.name];
        let known = (way.outcome.name.clone(), way.scheme.cohort.name.clone());
        let Some(known) = self.survey.outcomes.get(&known) else {
            return BTreeMap::new();
        };
        let n = open.n();
        let frame = Frame { rows: open.clone(), failed: vec![None; n] };
        let mut found: BTreeMap<(Option<usize>, Why), Met> = BTreeMap::new();
        for outer in splits.repeats.iter().flatten() {
            let mut lost = BTreeSet::new();
            for split in std::iter::once(&outer.split).chain(&outer.inner) {
                let train = split.train(&frame, &known.classes, &cohort.groups);
                let under = Under::new(train, split.held_out(&frame).1);
                let under = under.on_the_way_to(way.model);
                let Some(stop) = self.stop(way.model, setting, under) else { continue };
                let met = found.entry((stop.at, stop.why)).or_default();
                met.columns.extend(stop.columns);
                add(&mut met.stopped, stop.names);
                lost.insert((stop.at, stop.why));
            }
            for place in lost {
                found.entry(place).or_default().lost += 1;
            }
        }
        found
    }

    /// Where the rows of one split stop: at a step of the preparation, else at selectors and learners.
    fn stop(
        &self,
        model: &Model,
        setting: &ChainSetting,
        mut under: Under,
    ) -> Option<Stop> {
        match under.through(&setting.steps) {
            Ok(()) if under.has_gaps() => {}
            Err(Some(stop)) => return Some(stop),
            _ => return None,
        }
        let (mut columns, mut names) = (BTreeSet::new(), Vec::new());
        for select in model.select.iter().flat_map(|chain| &chain.settings) {
            let mut under = under.clone();
            match under.through(&select.steps) {
                Ok(()) if under.has_gaps() => {}
                Err(Some(stop)) => {
                    columns.extend(stop.columns);
                    add(&mut names, stop.names);
                    continue;
                }
                _ => continue,
            }
            let learners = self.study.learn.iter().flat_map(|chain| &chain.settings);
            let refusing: Vec<&'static str> =
                learners.filter_map(|learner| refuses(&learner.steps[0])).collect();
            if !refusing.is_empty() {
                columns.extend(missing(under.train.rows()));
                columns.extend(missing(&under.held_out));
                add(&mut names, refusing);
            }
        }
        let columns = columns.into_iter().collect();
        (!names.is_empty()).then_some(Stop {
            at: None,
            why: Why::Refused,
            columns,
            names,
        })
    }

    /// What is said of one place.
    fn faults(&mut self, told: &Told<'a>, fared: &[Fared], faults: &mut Vec<Diagnostic>) {
        let never = |of: &&Fared| of.lost == of.outer && of.certain;
        let (all, some): (Vec<&Fared>, Vec<&Fared>) = fared.iter().partition(never);
        for (fared, never) in [(all, true), (some, false)] {
            if !fared.is_empty() {
                faults.push(self.fault(told, &fared, never));
            }
        }
    }

    fn fault(&mut self, told: &Told<'a>, fared: &[&Fared], never: bool) -> Diagnostic {
        let mut stopped: Vec<String> = Vec::new();
        let mut models: Vec<String> = Vec::new();
        let mut schemes: Vec<String> = Vec::new();
        for of in fared {
            add(&mut stopped, of.stopped.iter().map(|name| format!("`{name}`")));
            add(
                &mut models,
                [match of.setting.as_str() {
                    "" => of.model.clone(),
                    setting => format!("{} with `{setting}`", of.model),
                }],
            );
            add(&mut schemes, [format!("`{}`", of.scheme)]);
        }
        let of = |noun: &str, names: &[String]| match names.len() {
            1 => format!("{noun} {}", names[0]),
            _ => format!("{noun}s {}", and(names)),
        };
        let place = match never {
            true => format!("any outer split of {}", of("scheme", &schemes)),
            false => {
                let outer: usize = fared.iter().map(|of| of.outer).sum();
                let lost: usize = fared.iter().map(|of| of.lost).sum();
                format!("{lost} of {outer} outer splits of {}", of("scheme", &schemes))
            }
        };
        let model = of("model", &models);
        let code = match (told.why, never) {
            (_, false) => Code::PARTLY_FILLED,
            (Why::Refused, true) => Code::UNFILLED,
            (Why::NoValue, true) => Code::NO_VALUE,
        };
        let has = if stopped.len() == 1 { "has" } else { "have" };
        let columns = listed(&told.columns);
        let lacking = self.lacking(told);
        let empty = told.why == Why::NoValue && self.empty(told);
        let why = match (told.why, empty) {
            (Why::Refused, _) => format!(
                "missing values are refused, and nothing fills those of {columns} ({lacking})"
            ),
            (Why::NoValue, true) => {
                format!("no patient of cohort `{}` has a value of {columns}", told.cohort)
            }
            (Why::NoValue, false) => {
                format!("training rows hold no value of {columns}, which {lacking} lack")
            }
        };
        let message =
            format!("{} {has} no result on {place} in {model}: {why}", and(&stopped));
        let span = match empty {
            true => self.written(&told.columns).unwrap_or(told.place),
            false => told.place,
        };
        let fault = match never {
            true => Diagnostic::error(code, Place::Study(span), message),
            false => Diagnostic::warning(code, Place::Study(span), message),
        };
        let fault = fault.hint(match (told.why, told.late, told.before) {
            (Why::NoValue, _, _) => {
                format!(
                    "leave these columns out, or add `drop_missing` before {}",
                    stopped[0]
                )
            }
            (_, Some(late), Some(before)) => format!("move `{late}` before `{before}`"),
            (_, None, Some(before)) => format!("add `impute_median` before `{before}`"),
            (_, _, None) => "add `impute_median` at the end of `prepare`".to_string(),
        });
        match told.why {
            Why::Refused => fault.hint(
                "or leave out such columns (`except`, `drop_missing`), or such patients by a rule \
                 of the cohort",
            ),
            Why::NoValue => fault,
        }
    }

    /// Where the first of these columns is named, in full or by its block.
    fn written(&self, columns: &[String]) -> Option<Span> {
        let (block, column) = columns.first()?.split_once('.')?;
        let block = self.study.block(block)?;
        let BlockKind::Columns { include, .. } = &block.kind else { return None };
        let named = include.iter().find(|named| names(named, column));
        Some(named.map_or(block.span, |named| named.span))
    }

    /// The patients of a cohort who lack a value of these columns.
    fn lacking(&mut self, told: &Told<'a>) -> String {
        let Some((cohort, surveyed)) = self.cohort(told.cohort) else {
            return String::new();
        };
        let columns = self.values(cohort, &told.columns);
        let n = patients(surveyed, &columns);
        format!("{n} of {} patients of cohort `{}`", surveyed.n_subjects(), cohort.name)
    }

    /// Whether these columns hold no value in the whole cohort.
    fn empty(&mut self, told: &Told<'a>) -> bool {
        let Some((cohort, _)) = self.cohort(told.cohort) else { return false };
        let columns = self.values(cohort, &told.columns);
        columns.iter().all(|values| values.iter().all(|value| value.is_nan()))
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

    /// Columns that were named in full and hold no value in a cohort that is analysed, where no step
    /// fails on them.
    fn named(&mut self, faults: &mut Vec<Diagnostic>) {
        let study = self.study;
        for block in &study.predictors {
            let BlockKind::Columns { include, .. } = &block.kind else { continue };
            let cohorts: Vec<&Cohort> = study
                .validate
                .iter()
                .filter_map(|scheme| study.cohort(&scheme.cohort.name))
                .collect();
            let mut told: BTreeSet<(&str, &str)> = BTreeSet::new();
            for cohort in cohorts {
                let Some(open) = self.of_block(block, cohort) else { continue };
                for column in open.columns() {
                    let by_name = |named: &&Named| names(named, &column.name);
                    let Some(named) = include.iter().find(by_name) else { continue };
                    let none = column.values.iter().all(|value| value.is_nan());
                    if none && told.insert((&named.name, &cohort.name)) {
                        faults.push(
                            Diagnostic::warning(
                                Code::VALUELESS,
                                Place::Study(named.span),
                                format!(
                                    "column `{}` holds no value in cohort `{}`",
                                    named.name, cohort.name
                                ),
                            )
                            .hint("take it out of `include`, or correct the table"),
                        );
                    }
                }
            }
        }
    }

    /// What a frozen model meets in other cohorts.
    fn external(&mut self, faults: &mut Vec<Diagnostic>) {
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
                    let fault =
                        self.meets(model, train, met, (external, cohort, surveyed));
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

    /// What a model says of rows of another cohort with missing values.
    fn meets(
        &self,
        model: &Model,
        train: Train,
        met: Rows,
        (external, cohort, surveyed): (&Named, &Cohort, &SurveyedCohort),
    ) -> Option<Diagnostic> {
        let whole = met.clone();
        let count = |names: &BTreeSet<String>| {
            let columns = whole.columns().iter();
            let columns = columns.filter(|column| names.contains(&*column.name));
            let values: Vec<Vec<f64>> = columns.map(|c| c.values.clone()).collect();
            (patients(surveyed, &values), surveyed.n_subjects())
        };
        // A frozen model is of the first way of preparing.
        let preparation = &model.branches.first()?.prepare;
        let (mut drops, mut filled) = (false, BTreeSet::new());
        for setting in &preparation.settings {
            let under = Under::new(train.clone(), met.clone());
            let mut under = under.on_the_way_to(model);
            under.through(&setting.steps).ok()?;
            drops |= setting.steps.iter().any(picks);
            let here = under.held_out.columns().iter();
            filled.extend(here.map(|column| column.name.to_string()));
            let mut left: BTreeSet<String> =
                missing(&under.held_out).into_iter().collect();
            left.extend(under.loose);
            if left.is_empty() {
                continue;
            }
            let select = || model.select.iter().flat_map(|chain| &chain.settings);
            drops |= select().flat_map(|setting| &setting.steps).any(picks);
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
            if refusing.is_empty() {
                continue;
            }
            let meets_all = !drops
                && preparation.settings.len() == 1
                && learners.iter().all(|used| refuses(used).is_some());
            let (n, all) = count(&left);
            // Only patients of known outcome are judged, and outcomes are not looked at here.
            let everybody = n == all && certain(self.study, model, cohort);
            let certain = meets_all && everybody;
            let unless = match (meets_all, everybody) {
                (true, true) => "",
                (false, _) => " unless the model does without these columns",
                (true, false) => " unless nobody who lacks a value has a known outcome",
            };
            let left = in_order(&whole, &left);
            let columns = listed(&left);
            let message = format!(
                "model `{}` has no result in cohort `{}`{unless}: {} {} no missing values, and \
                 nothing fills those of {columns} ({n} of {all} patients of cohort `{}`)",
                model.name,
                external.name,
                and(&refusing),
                if refusing.len() == 1 { "takes" } else { "take" },
                external.name,
            );
            let place = Place::Study(external.span);
            let (before, _) = remedy(setting, None, &left);
            let fault = match certain {
                true => Diagnostic::error(Code::UNFILLED, place, message),
                false => Diagnostic::warning(Code::PARTLY_FILLED, place, message),
            };
            return Some(fault.hint(match before {
                Some(before) => format!("add `impute_median` before `{before}`"),
                None => "add `impute_median` at the end of `prepare`".to_string(),
            }));
        }
        let none = |column: &&Arc<FrameColumn>| {
            !column.values.is_empty() && column.values.iter().all(|value| value.is_nan())
        };
        let empty: Vec<String> =
            whole.columns().iter().filter(none).map(|c| c.name.to_string()).collect();
        // What a step drops is filled for nobody.
        let empty: Vec<String> =
            empty.into_iter().filter(|name| filled.contains(name)).collect();
        let hold = if empty.len() == 1 { "holds" } else { "hold" };
        (!empty.is_empty()).then(|| {
            Diagnostic::warning(
                Code::VALUELESS,
                Place::Study(external.span),
                format!(
                    "{} {hold} no value in cohort `{}`: every patient there gets what was filled \
                     in from development",
                    listed(&empty),
                    external.name
                ),
            )
            .hint(
                "say under which name the cohort holds it: `map: { SOURCE: { from: …, columns: { … } \
                 } }`, or develop a model without it",
            )
        })
    }
}

impl Stop {
    fn at(at: usize, used: &Use, why: Why, columns: Vec<String>) -> Self {
        Self { at: Some(at), why, columns, names: vec![used.about.name] }
    }
}

impl Under {
    /// Takes the rows through steps. Fails where they stop; with nothing where that is not known.
    fn through(&mut self, steps: &[Use]) -> Result<(), Option<Stop>> {
        for (at, used) in steps.iter().enumerate() {
            let Instance::TableStep(step) = &used.instance else { return Err(None) };
            let mut rows = self.train.rows().clone();
            let (mut part, place) = rows.take_out(|column| used.acts_on(column));
            // Other values tell nothing new where no step looks at them: fitting takes long.
            let picked_later =
                self.picked_later || steps[at + 1..].iter().any(picks_in_spite_of_gaps);
            let same_gaps =
                step.gaps() == Gaps::Kept && !step.picks() && !step.reads_categories();
            if same_gaps && !picked_later && part.categorical().is_none() && is_met(&part)
            {
                continue;
            }
            let (mut held, held_place) =
                self.held_out.take_out(|column| used.acts_on(column));
            if step.gaps() == Gaps::Filled {
                self.loose.retain(|column| !used.acts_on(column));
            }
            if part.p() == 0 {
                continue;
            }
            if step.gaps() == Gaps::Refused {
                let columns = missing(&part);
                if !columns.is_empty() {
                    return Err(Some(Stop::at(at, used, Why::Refused, columns)));
                }
                self.loose.extend(missing(&held));
                self.train = self.train.with_rows(rows);
                continue;
            }
            if part.categorical().is_some() && !step.reads_categories() {
                return Err(None);
            }
            let state = match step.fit(&self.train.with_rows(part.clone())) {
                Ok(state) => state,
                Err(Failure::AllMissing(_)) => {
                    let none = |column: &&Arc<FrameColumn>| {
                        column.values.iter().all(|value| value.is_nan())
                    };
                    let columns = part.columns().iter().filter(none);
                    let columns = columns.map(|column| column.name.to_string()).collect();
                    return Err(Some(Stop::at(at, used, Why::NoValue, columns)));
                }
                Err(_) => return Err(None),
            };
            for part in [&mut part, &mut held] {
                step.apply(&state, part).map_err(|_| None)?;
            }
            rows.put_in(part, place);
            self.train = self.train.with_rows(rows);
            self.held_out.put_in(held, held_place);
        }
        Ok(())
    }

    fn has_gaps(&self) -> bool {
        self.train.rows().missing().is_some() || self.held_out.missing().is_some()
    }
}

/// Adds what is not yet there.
fn add<T: PartialEq>(all: &mut Vec<T>, new: impl IntoIterator<Item = T>) {
    for one in new {
        if !all.contains(&one) {
            all.push(one);
        }
    }
}

/// Whether a column is one of these, or one of these says which of its categories holds.
fn is_among(names: &BTreeSet<&str>, column: &str) -> bool {
    let of_category = format!("{column}=");
    let next = names.range(of_category.as_str()..).next();
    names.contains(column) || next.is_some_and(|name| name.starts_with(&of_category))
}

/// These names as they stand in the table; behind them those of columns that a step has made.
fn in_order(rows: &Rows, names: &BTreeSet<String>) -> Vec<String> {
    let columns = rows.columns().iter().map(|column| column.name.to_string());
    let mut ordered: Vec<String> = columns.filter(|name| names.contains(name)).collect();
    let known: BTreeSet<String> = ordered.iter().cloned().collect();
    ordered.extend(names.difference(&known).cloned());
    ordered
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

/// The columns that a setting may stop at. Where missing values are filled before anything refuses them,
/// those alone that some training set holds no value of: following others would cost time and find
/// nothing.
fn at_risk(open: &Rows, setting: &ChainSetting, splits: &Splits) -> Rows {
    let filled = |column: &str| {
        let steps = setting.steps.iter().filter(|used| used.acts_on(column));
        let mut gaps = steps.filter_map(|used| match &used.instance {
            Instance::TableStep(step) => Some(step.gaps()),
            _ => None,
        });
        gaps.find(|gaps| *gaps != Gaps::Kept) == Some(Gaps::Filled)
    };
    let all = || splits.repeats.iter().flatten();
    let trains = || {
        all().flat_map(|outer| {
            std::iter::once(&outer.split).chain(&outer.inner).map(|split| &split.train)
        })
    };
    let has_none = |values: &[f64]| {
        trains().any(|train| train.iter().all(|&row| values[row as usize].is_nan()))
    };
    let mut rows = open.clone();
    let columns = open.columns().iter().enumerate().filter(|(_, column)| {
        open.categories(&column.name).is_some()
            || !filled(&column.name)
            || has_none(&column.values)
    });
    let kept: Vec<usize> = columns.map(|(at, _)| at).collect();
    rows.keep(&kept);
    rows
}

/// The columns of numbers of some rows. Categories are positions in lists that two cohorts do not share.
fn numbers(rows: &Rows) -> BTreeMap<String, Vec<f64>> {
    let columns = rows.columns().iter();
    let columns = columns.filter(|column| rows.categories(&column.name).is_none());
    columns.map(|column| (column.name.to_string(), column.values.clone())).collect()
}

/// Whether a column of a block is named in full; one of several tables begins with its source.
fn names(named: &Named, column: &str) -> bool {
    let bare = column.split_once('.').map(|(_, bare)| bare);
    named.name == column || bare == Some(named.name.as_str())
}

/// The learner's name, if it takes no missing values.
fn refuses(used: &Use) -> Option<&'static str> {
    match &used.instance {
        Instance::Learner(learner) if !learner.takes_missing() => Some(used.about.name),
        _ => None,
    }
}

/// Whether a step may leave columns out.
fn picks(used: &Use) -> bool {
    match &used.instance {
        Instance::TableStep(step) => step.picks(),
        _ => false,
    }
}

/// Whether a step leaves columns out by what they hold beside their gaps.
fn picks_in_spite_of_gaps(used: &Use) -> bool {
    match &used.instance {
        Instance::TableStep(step) => step.picks() && step.gaps() == Gaps::Kept,
        _ => false,
    }
}

/// Whether each column holds a value.
fn is_met(rows: &Rows) -> bool {
    rows.columns().iter().all(|column| column.values.iter().any(|value| !value.is_nan()))
}

/// The columns of rows with missing values.
fn missing(rows: &Rows) -> Vec<String> {
    let columns = rows.columns().iter();
    let gaps = columns.filter(|column| column.values.iter().any(|value| value.is_nan()));
    gaps.map(|column| column.name.to_string()).collect()
}

/// Whether the run itself takes no rows away: those whose image cannot be measured leave.
fn certain(study: &Study, model: &Model, cohort: &Cohort) -> bool {
    let mut blocks = model.blocks.iter().filter_map(|block| study.block(&block.name));
    cohort.failed_at_most == 0
        || blocks.all(|block| matches!(block.kind, BlockKind::Columns { .. }))
}

/// Where missing values that pass the preparation are to be told: at the step before which they are to
/// be filled, else at what refuses them.
fn behind(
    model: &Model,
    study: &Study,
    stopped: &[&str],
    setting: &ChainSetting,
) -> Span {
    let last = setting.steps.last().map(|used| used.span);
    let chains = model.select.iter().chain(&study.learn);
    let mut steps = chains.flat_map(|chain| &chain.settings).flat_map(|s| &s.steps);
    let mut refusing = || steps.find(|used| stopped.contains(&used.about.name));
    let first = setting.steps.iter().find(|used| !is_before(used)).map(|used| used.span);
    first.or(last).or_else(|| refusing().map(|used| used.span)).unwrap_or(model.span)
}

/// Whether a step stands before imputing: it leaves columns out, or makes numbers of categories.
fn is_before(used: &Use) -> bool {
    match &used.instance {
        Instance::TableStep(step) => {
            step.gaps() == Gaps::Kept && (step.picks() || step.reads_categories())
        }
        _ => false,
    }
}

/// The step of a setting before which these columns are to be filled, and one behind it that fills them
/// too late.
fn remedy(
    setting: &ChainSetting,
    at: Option<usize>,
    columns: &[String],
) -> (Option<&'static str>, Option<&'static str>) {
    let acts = |used: &&Use| columns.iter().any(|column| used.acts_on(column));
    let steps = || setting.steps.iter().filter(acts);
    let before = steps().find(|used| !is_before(used)).map(|used| used.about.name);
    let behind = setting.steps[at.map_or(setting.steps.len(), |at| at + 1)..].iter();
    let fills = |used: &&Use| match &used.instance {
        Instance::TableStep(step) => step.gaps() == Gaps::Filled,
        _ => false,
    };
    let late = behind.filter(acts).find(fills).map(|used| used.about.name);
    (before, late)
}

/// How many patients of a cohort lack a value in any of these columns.
fn patients(cohort: &SurveyedCohort, columns: &[Vec<f64>]) -> usize {
    let lacks = |row: &usize| columns.iter().any(|values| values[*row].is_nan());
    let rows = (0..cohort.groups.len()).filter(lacks);
    rows.map(|row| cohort.groups[row]).collect::<BTreeSet<u32>>().len()
}

/// The first columns by name, and how many more there are.
fn listed(columns: &[String]) -> String {
    const SHOWN: usize = 5;
    let mut names: Vec<String> =
        columns.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    if columns.len() > SHOWN {
        names.push(format!("{} more columns", columns.len() - SHOWN));
    }
    and(&names)
}

/// As in "a, b and c".
fn and(of: &[String]) -> String {
    match of {
        [first @ .., last] if !first.is_empty() => {
            format!("{} and {last}", first.join(", "))
        }
        _ => of.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    fn steps(names: &[&str]) -> Vec<Use> {
        let catalog = Catalog::standard();
        let used = |name: &&str| {
            let entry = catalog.get(name).unwrap();
            Use::new(entry, &serde_json::Map::new(), Span::default()).unwrap()
        };
        names.iter().map(used).collect()
    }

    /// Twelve rows, eight of them for training; `gap` lacks a training value, `late` a held-out one, `none`
    /// all training values.
    fn under(columns: &[&str]) -> Under {
        let column = |name: &&str| {
            let lacks = |row: usize| match *name {
                "gap" => row == 3,
                "late" => row == 9,
                _ => row < 8,
            };
            let value = |row: usize| if lacks(row) { f64::NAN } else { row as f64 };
            let name = format!("block.{name}");
            let values = (0..12).map(value).collect();
            FrameColumn { name: name.as_str().into(), values }
        };
        let rows = Rows::new(columns.iter().map(column).collect(), 12);
        let frame = Frame { rows, failed: vec![None; 12] };
        let classes: Vec<Option<bool>> = (0..12).map(|row| Some(row % 2 == 0)).collect();
        let groups: Vec<u32> = (0..12).collect();
        let split = Split { train: (0..8).collect(), held_out: (8..12).collect() };
        Under::new(split.train(&frame, &classes, &groups), split.held_out(&frame).1)
    }

    #[test]
    fn rows_stop_where_a_step_refuses_them_or_has_nothing_to_learn_from() {
        let stopped = |names: &[&str], columns: &[&str]| {
            let stop = under(columns).through(&steps(names)).err().flatten()?;
            Some((stop.at?, stop.why, stop.columns.join(" ")))
        };
        let at = |at, why, columns: &str| Some((at, why, columns.to_string()));
        let gap = ["gap", "late"];
        assert_eq!(stopped(&["impute_median", "drop_correlated"], &gap), None);
        assert_eq!(
            stopped(&["scale_zscore", "drop_correlated"], &gap),
            at(1, Why::Refused, "block.gap")
        );
        assert_eq!(
            stopped(&["impute_median"], &["gap", "none"]),
            at(0, Why::NoValue, "block.none")
        );
        // What holds no value is dropped before.
        assert_eq!(stopped(&["drop_constant", "impute_median"], &["gap", "none"]), None);
        assert_eq!(stopped(&["anova"], &["late"]), None);
    }

    #[test]
    fn a_step_that_leaves_all_gaps_is_fitted_where_a_later_one_looks_at_values() {
        let changed = |names: &[&str], picked_later: bool| {
            let mut under = Under { picked_later, ..under(&["gap"]) };
            let first = |under: &Under| under.train.rows().columns()[0].values[0];
            let before = first(&under);
            under.through(&steps(names)).unwrap();
            (missing(under.train.rows()).len(), first(&under) != before)
        };
        assert_eq!(
            changed(&["transform_yeo_johnson", "scale_robust"], false),
            (1, false)
        );
        assert_eq!(changed(&["drop_constant", "scale_zscore"], false), (1, false));
        assert_eq!(changed(&["scale_zscore", "drop_constant"], false), (1, true));
        assert_eq!(changed(&["scale_zscore"], true), (1, true));
    }

    #[test]
    fn what_says_which_category_holds_is_of_the_column_of_categories() {
        let names = BTreeSet::from(["grade=II", "size"]);
        let among = |column: &str| is_among(&names, column);
        assert!(among("grade") && among("size"));
        assert!(!among("gr") && !among("grades") && !among("siz") && !among("z"));
    }

    #[test]
    fn columns_are_told_as_they_stand_in_the_table() {
        let names = |names: &[&str]| -> BTreeSet<String> {
            names.iter().map(|name| format!("block.{name}")).collect()
        };
        let under = under(&["none", "gap", "late"]);
        let told = |of: &[&str]| in_order(under.train.rows(), &names(of)).join(" ");
        assert_eq!(told(&["gap", "none"]), "block.none block.gap");
        assert_eq!(told(&["a=b", "late"]), "block.late block.a=b");
    }

    #[test]
    fn what_is_left_behind_the_steps_is_known_or_told_to_be_open() {
        let after = |names: &[&str]| {
            let mut under = under(&["late"]);
            under.through(&steps(names)).unwrap();
            (missing(&under.held_out), under.loose)
        };
        let late = || vec!["block.late".to_string()];
        assert_eq!(after(&["scale_zscore"]), (late(), vec![]));
        assert_eq!(after(&["scale_zscore", "drop_correlated"]), (vec![], late()));
        assert_eq!(after(&["drop_correlated", "impute_median"]), (vec![], vec![]));
        assert_eq!(after(&["impute_median", "drop_correlated"]), (vec![], vec![]));
    }

    #[test]
    fn what_is_to_be_filled_is_filled_before_the_first_step_that_compares() {
        let of = |names: &[&str], at: Option<usize>| {
            let setting = ChainSetting { steps: steps(names), text: String::new() };
            remedy(&setting, at, &["block.gap".to_string()])
        };
        assert_eq!(
            of(&["drop_constant", "scale_zscore"], None),
            (Some("scale_zscore"), None)
        );
        assert_eq!(of(&["drop_constant"], None), (None, None));
        assert_eq!(
            of(&["drop_correlated", "impute_median"], Some(0)),
            (Some("drop_correlated"), Some("impute_median"))
        );
    }
}
