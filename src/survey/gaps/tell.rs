//! What is said of missing values that are refused, and of columns without a value.

use std::collections::BTreeSet;

use super::follow::Why;
use super::{Looking, add, names};
use crate::diagnostics::{Code, Diagnostic, Place, Span};
use crate::operation::{Gaps, Instance};
use crate::spec::{BlockKind, ChainSetting, Cohort, Model, Named, Study, Use};
use crate::survey::SurveyedCohort;

/// Where rows stop: at a step of the preparation, or behind it, at selectors and learners.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Told<'a> {
    pub(super) place: Span,
    pub(super) why: Why,
    pub(super) cohort: &'a str,
    /// The step before which missing values are to be filled.
    pub(super) before: Option<&'static str>,
    /// A step that fills them, too late.
    pub(super) late: Option<&'static str>,
    pub(super) columns: Vec<String>,
}

/// How one setting fared on the splits of a scheme.
pub(super) struct Fared {
    pub(super) scheme: String,
    pub(super) model: String,
    /// Of the preparation, where it has several.
    pub(super) setting: String,
    pub(super) stopped: Vec<&'static str>,
    pub(super) outer: usize,
    pub(super) lost: usize,
    /// Whether nothing that the run measures may take these rows away, and no other setting is sound.
    pub(super) certain: bool,
}

impl<'a> Looking<'a, '_> {
    /// What is said of one place.
    pub(super) fn faults(
        &mut self,
        told: &Told<'a>,
        fared: &[Fared],
        faults: &mut Vec<Diagnostic>,
    ) {
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
            (_, _, before) => fill_before(before),
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

    /// Columns that were named in full and hold no value in a cohort that is analysed, where no step
    /// fails on them.
    pub(super) fn named(&mut self, faults: &mut Vec<Diagnostic>) {
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
}

/// Where missing values that pass the preparation are to be told: at the step before which they are to
/// be filled, else at what refuses them.
pub(super) fn behind(
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
pub(super) fn remedy(
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

/// Whether the run itself takes no rows away: those whose image cannot be measured leave.
pub(super) fn certain(study: &Study, model: &Model, cohort: &Cohort) -> bool {
    let mut blocks = model.blocks.iter().filter_map(|block| study.block(&block.name));
    cohort.failed_at_most == 0
        || blocks.all(|block| matches!(block.kind, BlockKind::Columns { .. }))
}

/// The advice to fill missing values before a step, else behind all of them.
pub(super) fn fill_before(step: Option<&str>) -> String {
    match step {
        Some(step) => format!("add `impute_median` before `{step}`"),
        None => "add `impute_median` at the end of `prepare`".to_string(),
    }
}

/// How many patients of a cohort lack a value in any of these columns.
pub(super) fn patients(cohort: &SurveyedCohort, columns: &[Vec<f64>]) -> usize {
    let lacks = |row: &usize| columns.iter().any(|values| values[*row].is_nan());
    let rows = (0..cohort.groups.len()).filter(lacks);
    rows.map(|row| cohort.groups[row]).collect::<BTreeSet<u32>>().len()
}

/// The first columns by name, and how many more there are.
pub(super) fn listed(columns: &[String]) -> String {
    const SHOWN: usize = 5;
    let mut names: Vec<String> =
        columns.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    if columns.len() > SHOWN {
        names.push(format!("{} more columns", columns.len() - SHOWN));
    }
    and(&names)
}

/// As in "a, b and c".
pub(super) fn and(of: &[String]) -> String {
    match of {
        [first @ .., last] if !first.is_empty() => {
            format!("{} and {last}", first.join(", "))
        }
        _ => of.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::super::follow::tests::steps;
    use super::*;

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
