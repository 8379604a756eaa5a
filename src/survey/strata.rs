//! Columns by which patients are divided, into strata, subgroups or sites: those that are not there, hold
//! no value, or make no groups.
//!
//! A run has its other results all the same, so that is a warning. It is told before, since the run is
//! silent of a division that it leaves out.

use std::collections::{BTreeMap, BTreeSet};

use super::view::{Cells, Fault};
use super::{Survey, View};
use crate::data::Split;
use crate::diagnostics::{Code, Diagnostic, Place};
use crate::operation::{Instance, Judged};
use crate::spec::{Cohort, Named, Scheme, Study};

pub(super) fn read(study: &Study, survey: &Survey, faults: &mut Vec<Diagnostic>) {
    let evaluate = &study.evaluate;
    let Some(development) = study.development() else { return };
    let permuted = evaluate.permuted.iter().filter_map(|of| of.within.as_ref());
    let strata: Vec<&Named> = evaluate.within.iter().chain(permuted).collect();
    let subgroups = || evaluate.subgroups.iter();
    for column in subgroups().map(|of| &of.by).chain(strata.iter().copied()) {
        match cells(study, survey, development, column) {
            Some(Err(fault)) => faults.push(*fault),
            Some(Ok(_)) => {
                let cohorts = analysed(study);
                faults.extend(without_value(study, survey, &cohorts, column));
            }
            None => {}
        }
    }
    let division = |column| Division::by(column, development, study, survey);
    for column in strata {
        faults.extend(division(column).and_then(|of| of.as_strata()));
    }
    for subgroup in subgroups() {
        let (cut, least) = (&subgroup.cut, subgroup.minimum_events);
        faults.extend(division(&subgroup.by).and_then(|of| of.subgroups(cut, least)));
    }
    for cohort in analysed(study) {
        if let Some(site) = &cohort.site {
            faults.extend(without_value(study, survey, &[cohort], site));
        }
    }
    for scheme in &study.validate {
        let Instance::Resampling(resampling) = &scheme.resampling.instance else {
            continue;
        };
        let Some(cohort) = study.cohort(&scheme.cohort.name) else { continue };
        // A scheme that divides nobody is told as such, with the column that it lacks.
        if !survey.splits.keys().any(|(of, _)| *of == scheme.name) {
            continue;
        }
        for name in resampling.divides_by() {
            // The site is told where the cohort names it.
            if name == "site" && cohort.site.is_some() {
                continue;
            }
            let column = Named { name, span: scheme.resampling.span };
            faults.extend(without_value(study, survey, &[cohort], &column));
            if resampling.judged() == Judged::Folds {
                let division = Division::by(&column, cohort, study, survey);
                faults.extend(division.and_then(|of| of.each_alone()));
            }
        }
        for outcome in study.outcomes.iter().filter(|of| scheme.judges(&of.name)) {
            faults.extend(unjudged(study, survey, scheme, &outcome.name));
        }
    }
}

/// Cohorts that are developed on or met later, each once.
fn analysed(study: &Study) -> Vec<&Cohort> {
    let mut cohorts: Vec<&Cohort> = Vec::new();
    let developed = study.validate.iter().map(|scheme| &scheme.cohort);
    for named in developed.chain(&study.external) {
        let known = |cohort: &&Cohort| cohort.name == named.name;
        if !cohorts.iter().any(known) {
            cohorts.extend(study.cohort(&named.name));
        }
    }
    cohorts
}

/// The cells of a column in a cohort; none where the cohort could not be made.
fn cells(
    study: &Study,
    survey: &Survey,
    cohort: &Cohort,
    column: &Named,
) -> Option<Result<Cells, Fault>> {
    let rows = &survey.cohorts.get(&cohort.name)?.rows;
    Some(View { study, survey, cohort, rows }.cells(column))
}

/// A column that holds no value in any of these cohorts. Whatever needs groups says so itself; all else
/// has its result.
fn without_value(
    study: &Study,
    survey: &Survey,
    cohorts: &[&Cohort],
    column: &Named,
) -> Option<Diagnostic> {
    let mut empty: Vec<String> = Vec::new();
    for cohort in cohorts {
        let Some(Ok(cells)) = cells(study, survey, cohort, column) else { continue };
        if cells.iter().any(Option::is_some) {
            return None;
        }
        empty.push(format!("`{}`", cohort.name));
    }
    let noun = if empty.len() == 1 { "cohort" } else { "cohorts" };
    (!empty.is_empty()).then(|| {
        no_groups(
            column,
            format!(
                "column `{}` holds no value in {noun} {}: it divides nobody",
                column.name,
                empty.join(", ")
            ),
        )
        .hint("name another column, or correct the table")
    })
}

fn no_groups(column: &Named, message: String) -> Diagnostic {
    Diagnostic::warning(Code::NO_GROUPS, Place::Study(column.span), message)
}

/// The patients of a cohort as a column divides them.
struct Division<'a> {
    column: &'a Named,
    cohort: &'a Cohort,
    /// By row of the cohort.
    groups: Cells,
    /// By outcome that is known there: the classes of the rows.
    classes: Vec<&'a [Option<bool>]>,
}

impl<'a> Division<'a> {
    /// None where the column cannot be read or holds no value: that is told elsewhere.
    fn by(
        column: &'a Named,
        cohort: &'a Cohort,
        study: &Study,
        survey: &'a Survey,
    ) -> Option<Self> {
        let groups = cells(study, survey, cohort, column)?.ok()?;
        let known = study.outcomes.iter().filter_map(|outcome| {
            survey.outcomes.get(&(outcome.name.clone(), cohort.name.clone()))
        });
        let classes = known.map(|known| known.classes.as_slice()).collect();
        let divided = groups.iter().any(Option::is_some);
        divided.then_some(Self { column, cohort, groups, classes })
    }

    fn names(&self) -> BTreeSet<&String> {
        self.groups.iter().flatten().collect()
    }

    /// Whether no group is enough, whatever the outcome. Takes negative and positive rows of a group.
    fn none_is(&self, enough: impl Fn([usize; 2]) -> bool) -> bool {
        !self.classes.is_empty()
            && !self.classes.iter().any(|classes| {
                let mut counts: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
                for (group, class) in self.groups.iter().zip(*classes) {
                    if let (Some(group), Some(class)) = (group, class) {
                        counts.entry(group).or_default()[usize::from(*class)] += 1;
                    }
                }
                counts.into_values().any(&enough)
            })
    }

    /// A stratum within which nobody can be compared: there is one, or none has both classes.
    fn as_strata(&self) -> Option<Diagnostic> {
        let (name, of) = (&self.column.name, &self.cohort.name);
        match self.names().len() {
            1 => Some(
                no_groups(
                    self.column,
                    format!("column `{name}` has one value in cohort `{of}`: it divides nobody"),
                )
                .hint("name a column of several values, or leave it out"),
            ),
            n => self.none_is(|[negative, positive]| negative > 0 && positive > 0).then(|| {
                no_groups(
                    self.column,
                    format!(
                        "none of the {n} values of `{name}` in cohort `{of}` has patients of both \
                         classes: there is no performance within them"
                    ),
                )
                .hint("name a column of few values that many patients share")
            }),
        }
    }

    /// A subgroup none of whose groups has enough patients of the smaller class.
    fn subgroups(mut self, cut: &[f64], least: usize) -> Option<Diagnostic> {
        let (column, of) = (self.column, &self.cohort.name);
        let name = &column.name;
        let numbers =
            self.groups.iter().flatten().all(|cell| cell.parse::<f64>().is_ok());
        if !cut.is_empty() {
            let by_limit = |cell: &String| -> Option<String> {
                let value: f64 = cell.parse().ok()?;
                Some(cut.iter().filter(|limit| value >= **limit).count().to_string())
            };
            let groups = self.groups.iter();
            self.groups = groups.map(|cell| cell.as_ref().and_then(by_limit)).collect();
        }
        match (cut.is_empty(), self.names().len()) {
            (false, 0) => {
                let message = format!(
                    "`{name}` holds no number in cohort `{of}`, so `cut` makes no group"
                );
                let hint = "without `cut` each value is a group";
                return Some(no_groups(column, message).hint(hint));
            }
            (false, 1) => {
                let message =
                    format!("`cut` puts all patients of cohort `{of}` in one group");
                let hint = format!("choose limits between values of `{name}`");
                return Some(no_groups(column, message).hint(hint));
            }
            _ => {}
        }
        if !self.none_is(|[negative, positive]| negative.min(positive) >= least) {
            return None;
        }
        let (what, has) = match (self.names().len(), cut.is_empty()) {
            (1, _) => (format!("the one value of `{name}`"), "has fewer than"),
            (n, true) => (format!("none of the {n} values of `{name}`"), "has"),
            (n, false) => (format!("none of the {n} groups by `{name}`"), "has"),
        };
        let message = format!(
            "{what} in cohort `{of}` {has} {least} patients of the smaller class, so no group has a \
             result"
        );
        let hint = match (numbers, cut.is_empty()) {
            (true, true) => format!(
                "numbers are divided at limits: `{{ by: {name}, cut: [LIMIT, …] }}`"
            ),
            (true, false) => "use fewer limits".to_string(),
            (false, _) => {
                "name a column of few values, or join some of them under `derive:`"
                    .to_string()
            }
        };
        Some(no_groups(column, message).hint(hint))
    }

    /// A column to stratify by of which each value is of one row.
    fn each_alone(&self) -> Option<Diagnostic> {
        let known = self.groups.iter().flatten().count();
        (known > 1 && self.names().len() == known).then(|| {
            no_groups(
                self.column,
                format!(
                    "each value of `{}` in cohort `{}` is of one row: nothing is stratified by it",
                    self.column.name, self.cohort.name
                ),
            )
            .hint("name a column of few values that many patients share")
        })
    }
}

/// A scheme that holds out sites none of which has both classes: none can be judged by itself.
fn unjudged(
    study: &Study,
    survey: &Survey,
    scheme: &Scheme,
    outcome: &str,
) -> Option<Diagnostic> {
    let Instance::Resampling(resampling) = &scheme.resampling.instance else {
        return None;
    };
    let by_site = resampling.judged() == Judged::Sites;
    if !by_site || study.evaluate.primary.about.name != "auroc" {
        return None;
    }
    let splits = survey.splits.get(&(scheme.name.clone(), outcome.to_string()))?;
    let of = (outcome.to_string(), scheme.cohort.name.clone());
    let classes = &survey.outcomes.get(&of)?.classes;
    let mixed = |split: &Split| {
        let is = |class| {
            split.held_out.iter().any(|&row| classes[row as usize] == Some(class))
        };
        is(true) && is(false)
    };
    let sites: Vec<&Split> =
        splits.repeats.iter().flatten().map(|outer| &outer.split).collect();
    (!sites.is_empty() && !sites.iter().any(|split| mixed(split))).then(|| {
        Diagnostic::error(
            Code::TOO_FEW,
            Place::Study(scheme.resampling.span),
            format!(
                "none of the {} sites of scheme `{}` has patients of both classes of outcome \
                 `{outcome}`, so none has an AUROC",
                sites.len(),
                scheme.name
            ),
        )
        .hint("name a column of few sites that many patients share, or use another scheme")
    })
}
