//! Columns by which patients are divided, into strata, subgroups or sites: those that are not there, hold
//! no value, or make no groups.
//!
//! A run leaves such a division out without a word, so it is told before.

use std::collections::{BTreeMap, BTreeSet};

use super::{Survey, View};
use crate::data::Split;
use crate::diagnostics::{Code, Diagnostic, Place};
use crate::operation::{Instance, Judged};
use crate::spec::{Cohort, Named, Scheme, Study, Subgroup};

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
    for column in strata {
        faults.extend(divides(study, survey, development, column));
    }
    for subgroup in subgroups() {
        faults.extend(too_small(study, survey, development, subgroup));
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
        for name in resampling.divides_by() {
            // The site is told where the cohort names it.
            if name == "site" && cohort.site.is_some() {
                continue;
            }
            let column = Named { name, span: scheme.resampling.span };
            faults.extend(without_value(study, survey, &[cohort], &column));
            if resampling.judged() == Judged::Folds {
                faults.extend(each_alone(study, survey, cohort, &column));
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

type Cells = Result<Vec<Option<String>>, Box<Diagnostic>>;

/// The cells of a column in a cohort; none where the cohort could not be made.
fn cells(
    study: &Study,
    survey: &Survey,
    cohort: &Cohort,
    column: &Named,
) -> Option<Cells> {
    let rows = &survey.cohorts.get(&cohort.name)?.rows;
    Some(View { study, survey, cohort, rows }.cells(column))
}

/// A column that holds no value in any of these cohorts.
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
        Diagnostic::error(
            Code::NO_VALUE,
            Place::Study(column.span),
            format!(
                "column `{}` holds no value in {noun} {}, so nobody can be divided by it",
                column.name,
                empty.join(", ")
            ),
        )
        .hint("name another column, or correct the table")
    })
}

/// A stratum within which nobody can be compared: there is one, or none has both classes.
fn divides(
    study: &Study,
    survey: &Survey,
    cohort: &Cohort,
    column: &Named,
) -> Option<Diagnostic> {
    let cells = cells(study, survey, cohort, column)?.ok()?;
    let values: BTreeSet<&String> = cells.iter().flatten().collect();
    let (name, of) = (&column.name, &cohort.name);
    let fault = |message: String| {
        Diagnostic::warning(Code::NO_GROUPS, Place::Study(column.span), message)
    };
    match values.len() {
        0 => None, // Told as a column without a value.
        1 => Some(
            fault(format!(
                "column `{name}` has one value in cohort `{of}`: it divides nobody"
            ))
            .hint("name a column of several values, or leave it out"),
        ),
        n => {
            let groups = by_class(study, survey, cohort, &cells);
            let mixed = |of: &[usize; 2]| of[0] > 0 && of[1] > 0;
            (!groups.is_empty() && !groups.iter().flat_map(BTreeMap::values).any(mixed))
                .then(|| {
                    fault(format!(
                        "none of the {n} values of `{name}` in cohort `{of}` has patients of both \
                         classes: there is no performance within them"
                    ))
                    .hint("name a column of few values that many patients share")
                })
        }
    }
}

/// A subgroup none of whose groups has enough patients of the smaller class.
fn too_small(
    study: &Study,
    survey: &Survey,
    cohort: &Cohort,
    subgroup: &Subgroup,
) -> Option<Diagnostic> {
    let cells = cells(study, survey, cohort, &subgroup.by)?.ok()?;
    if cells.iter().all(Option::is_none) {
        return None; // Told as a column without a value.
    }
    let (name, of) = (&subgroup.by.name, &cohort.name);
    let fault = |message: String| {
        Diagnostic::warning(Code::NO_GROUPS, Place::Study(subgroup.by.span), message)
    };
    let numbers = cells.iter().flatten().all(|cell| cell.parse::<f64>().is_ok());
    let by_limit = |cell: &String| -> Option<String> {
        let value: f64 = cell.parse().ok()?;
        Some(subgroup.cut.iter().filter(|cut| value >= **cut).count().to_string())
    };
    let groups: Vec<Option<String>> = match subgroup.cut.is_empty() {
        true => cells,
        false => cells.iter().map(|cell| cell.as_ref().and_then(by_limit)).collect(),
    };
    let values: BTreeSet<&String> = groups.iter().flatten().collect();
    if values.is_empty() {
        let message =
            format!("`{name}` holds no number in cohort `{of}`, so `cut` makes no group");
        return Some(fault(message).hint("without `cut` each value is a group"));
    }
    if values.len() == 1 && !subgroup.cut.is_empty() {
        let message = format!("`cut` puts all patients of cohort `{of}` in one group");
        return Some(
            fault(message).hint(format!("choose limits between values of `{name}`")),
        );
    }
    let least = subgroup.minimum_events;
    let enough = |of: &[usize; 2]| of[0].min(of[1]) >= least;
    let counts = by_class(study, survey, cohort, &groups);
    if counts.is_empty() || counts.iter().flat_map(BTreeMap::values).any(enough) {
        return None;
    }
    let what = match (values.len(), subgroup.cut.is_empty()) {
        (1, _) => format!("the one value of `{name}`"),
        (n, true) => format!("none of the {n} values of `{name}`"),
        (n, false) => format!("none of the {n} groups by `{name}`"),
    };
    let has = if values.len() == 1 { "has fewer than" } else { "has" };
    let fault = fault(format!(
        "{what} in cohort `{of}` {has} {least} patients of the smaller class, so no group has a \
         result"
    ));
    Some(match numbers {
        true if subgroup.cut.is_empty() => fault.hint(format!(
            "numbers are divided at limits: `{{ by: {name}, cut: [LIMIT, …] }}`"
        )),
        true => fault.hint("use fewer limits"),
        false => fault
            .hint("name a column of few values, or join some of them under `derive:`"),
    })
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

/// A column to stratify by of which each value is of one patient.
fn each_alone(
    study: &Study,
    survey: &Survey,
    cohort: &Cohort,
    column: &Named,
) -> Option<Diagnostic> {
    let cells = cells(study, survey, cohort, column)?.ok()?;
    let known: Vec<&String> = cells.iter().flatten().collect();
    let values: BTreeSet<&&String> = known.iter().collect();
    (known.len() > 1 && values.len() == known.len()).then(|| {
        Diagnostic::warning(
            Code::NO_GROUPS,
            Place::Study(column.span),
            format!(
                "each value of `{}` in cohort `{}` is of one row: nothing is stratified by it",
                column.name, cohort.name
            ),
        )
        .hint("name a column of few values that many patients share")
    })
}

/// By outcome: negative and positive rows of each value.
fn by_class<'c>(
    study: &Study,
    survey: &Survey,
    cohort: &Cohort,
    cells: &'c [Option<String>],
) -> Vec<BTreeMap<&'c str, [usize; 2]>> {
    let known =
        |outcome: &str| survey.outcomes.get(&(outcome.to_string(), cohort.name.clone()));
    let outcomes = study.outcomes.iter().filter_map(|outcome| known(&outcome.name));
    let count = |classes: &[Option<bool>]| {
        let mut of: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
        for (cell, class) in cells.iter().zip(classes) {
            if let (Some(cell), Some(class)) = (cell, class) {
                of.entry(cell).or_default()[usize::from(*class)] += 1;
            }
        }
        of
    };
    outcomes.map(|known| count(&known.classes)).collect()
}
