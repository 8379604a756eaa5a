//! Held-out rows of a batch that no training row has, where the preparation refuses them.

use std::collections::BTreeSet;

use super::{Survey, View};
use crate::data::Split;
use crate::diagnostics::{Code, Diagnostic, Place};
use crate::spec::{Cohort, Model, Named, Study, Use};

pub(super) fn read(study: &Study, survey: &Survey, faults: &mut Vec<Diagnostic>) {
    for model in &study.models {
        let mut said: Vec<(&str, String)> = Vec::new();
        for (position, branch) in model.branches.iter().enumerate() {
            for (used, step) in branch.prepare.table_steps() {
                let Some(harmonising) = step.harmonises().filter(|of| of.refuses_unseen)
                else {
                    continue;
                };
                let batch = harmonising.batch;
                let named = model.beside(position).into_iter().find(|c| c.name == batch);
                let Some(column) = named else { continue };
                for (place, refused) in refused(study, survey, model, &column) {
                    let what = (batch, place.clone());
                    if !said.contains(&what) {
                        said.push(what);
                        faults.push(told(used, batch, &place, &refused));
                    }
                }
            }
        }
    }
}

/// Splits that hold out unseen batches.
struct Refused {
    splits: usize,
    of: usize,
    batches: BTreeSet<String>,
}

/// Where a model meets batches that it was not trained on: schemes and external cohorts, in words.
fn refused(
    study: &Study,
    survey: &Survey,
    model: &Model,
    column: &Named,
) -> Vec<(String, Refused)> {
    let mut found = Vec::new();
    for scheme in &study.validate {
        if !scheme.models.iter().any(|judged| judged.name == model.name) {
            continue;
        }
        let Some(cells) = cells(study, survey, &scheme.cohort.name, column) else {
            continue;
        };
        // Outcomes share their rows; the first says which batches are held out.
        let mut outcomes = study.outcomes.iter();
        let splits = outcomes.find_map(|outcome| {
            survey.splits.get(&(scheme.name.clone(), outcome.name.clone()))
        });
        let Some(splits) = splits else { continue };
        let mut refused = Refused { splits: 0, of: 0, batches: BTreeSet::new() };
        let outer = splits.repeats.iter().flatten();
        for split in
            outer.flat_map(|outer| [&outer.split].into_iter().chain(&outer.inner))
        {
            let unseen = unseen(split, &cells);
            refused.of += 1;
            refused.splits += usize::from(!unseen.is_empty());
            refused.batches.extend(unseen);
        }
        found.push((format!("splits of scheme `{}`", scheme.name), refused));
    }
    found.extend(study.external.iter().filter_map(|external| {
        let development = study.validate.first()?;
        let known = cells(study, survey, &development.cohort.name, column)?;
        let known: BTreeSet<&String> = known.iter().flatten().collect();
        let met = cells(study, survey, &external.name, column)?;
        let new = met.into_iter().flatten().filter(|cell| !known.contains(cell));
        let batches: BTreeSet<String> = new.collect();
        let splits = usize::from(!batches.is_empty());
        let place = format!("external cohort `{}`", external.name);
        Some((place, Refused { splits, of: 1, batches }))
    }));
    found.retain(|(_, refused)| refused.splits > 0);
    found
}

fn cells(
    study: &Study,
    survey: &Survey,
    cohort: &str,
    column: &Named,
) -> Option<Vec<Option<String>>> {
    let cohort: &Cohort = study.cohort(cohort)?;
    let rows = &survey.cohorts.get(&cohort.name)?.rows;
    View { study, survey, cohort, rows }.cells(column).ok()
}

/// The batches of held-out rows that no training row has.
fn unseen(split: &Split, cells: &[Option<String>]) -> BTreeSet<String> {
    let of = |rows: &[u32]| -> BTreeSet<&String> {
        rows.iter().filter_map(|&row| cells.get(row as usize)?.as_ref()).collect()
    };
    let (train, held_out) = (of(&split.train), of(&split.held_out));
    held_out.difference(&train).map(|batch| (*batch).clone()).collect()
}

fn told(used: &Use, batch: &str, place: &str, refused: &Refused) -> Diagnostic {
    const SHOWN: usize = 5;
    let names: Vec<&str> = refused.batches.iter().map(String::as_str).collect();
    let more = match names.len() > SHOWN {
        true => format!(" and {} more", names.len() - SHOWN),
        false => String::new(),
    };
    let names = names[..names.len().min(SHOWN)].join(", ");
    let how_many = match refused.of {
        1 => format!("{place} has"),
        of => format!("{} of {of} {place} hold out", refused.splits),
    };
    Diagnostic::warning(
        Code::UNSEEN_BATCH,
        Place::Study(used.span),
        format!(
            "`{}` refuses rows of a `{batch}` that it has not met in training, and {how_many} \
             such: {names}{more}",
            used.about.name
        ),
    )
    .hint("say what they mean: `unseen: pooled`, `unseen: reference` or `unseen: transductive`")
    .hint("as it stands, what rests on these has no result")
}
