//! What is known of each outcome, and how each scheme divides those of whom it is known.

use std::sync::Arc;

use serde_json::json;

use crate::data::{Assay, Call, Population, Splits};
use crate::diagnostics::{Code, Diagnostic, Place};
use crate::digest::{Digest, canonical_json};
use crate::operation::{Failure, Instance};
use crate::spec::{Outcome, Scheme, SourceKind, Study};

use super::sources::no_column;
use super::{Content, Reading, Survey, SurveyedCohort, SurveyedOutcome, SurveyedSource};

pub(super) fn read(
    study: &Study,
    reading: &Reading<'_>,
    survey: &mut Survey,
    faults: &mut Vec<Diagnostic>,
) {
    // Without a sound scheme outcomes are looked at all the same, so that their faults are named.
    let mut cohorts: Vec<&str> =
        study.validate.iter().map(|scheme| scheme.cohort.name.as_str()).collect();
    if cohorts.is_empty() {
        cohorts.extend(study.cohorts.iter().map(|cohort| cohort.name.as_str()));
    }
    cohorts.sort_unstable();
    cohorts.dedup();
    for cohort in cohorts {
        let Some(surveyed) = survey.cohorts.get(cohort).cloned() else { continue };
        for outcome in &study.outcomes {
            let known =
                derive(study, reading, outcome, cohort, &surveyed, survey, faults);
            if let Some(known) = known {
                survey.outcomes.insert((outcome.name.clone(), cohort.to_string()), known);
            }
        }
    }
    for scheme in &study.validate {
        let Some(cohort) = survey.cohorts.get(&scheme.cohort.name).cloned() else {
            continue;
        };
        for outcome in &study.outcomes {
            let place = (outcome.name.clone(), scheme.cohort.name.clone());
            let Some(known) = survey.outcomes.get(&place).cloned() else { continue };
            if known.count(Some(true)) == 0 || known.count(Some(false)) == 0 {
                continue; // Named already, where the outcome was derived.
            }
            match stored_splits(study, reading, scheme, outcome, &cohort, &known, survey)
            {
                Ok(splits) => {
                    let place = (scheme.name.clone(), outcome.name.clone());
                    survey.splits.insert(place, splits);
                    faults.extend(few_per_fold(scheme, outcome, &known));
                }
                Err(failure) => faults.push(too_few(scheme, outcome, &known, &failure)),
            }
        }
    }
}

/// Below this many patients of a class in a held-out fold, estimates are hardly any.
const FEW: usize = 3;

fn few_per_fold(
    scheme: &Scheme,
    outcome: &Outcome,
    known: &SurveyedOutcome,
) -> Option<Diagnostic> {
    let smaller = known.count(Some(true)).min(known.count(Some(false)));
    let outer = Study::shape(scheme).outer;
    (outer > 1 && smaller / outer < FEW).then(|| {
        Diagnostic::warning(
            Code::FEW_PER_FOLD,
            Place::Study(scheme.resampling.span),
            format!(
                "the smaller class of outcome `{}` has {smaller} rows for {outer} folds of scheme \
                 `{}`",
                outcome.name, scheme.name
            ),
        )
        .hint("use fewer folds, or read the intervals with care")
    })
}

fn derive(
    study: &Study,
    reading: &Reading<'_>,
    outcome: &Outcome,
    cohort_name: &str,
    cohort: &SurveyedCohort,
    survey: &mut Survey,
    faults: &mut Vec<Diagnostic>,
) -> Option<SurveyedOutcome> {
    let Instance::Derivation(derivation) = &outcome.derivation.instance else {
        unreachable!("`spec` puts a derivation here")
    };
    let from = &study.cohort(cohort_name)?.from.name;
    let source = derivation.source().unwrap_or(from);
    let SurveyedSource { content, files } = survey.sources.get(source)?;
    let Content::Table { table, id, assayed, digest, .. } = content else {
        faults.push(Diagnostic::error(
            Code::WRONG_TYPE,
            Place::Study(outcome.derivation.span),
            format!("`{source}` is no table, so no outcome can come from it"),
        ));
        return None;
    };
    // Tables are joined by row, mutations belong to the patient.
    let by_subject = study
        .source(source)
        .is_some_and(|source| matches!(source.kind, SourceKind::Maf { .. }));
    let asked: Vec<String> = cohort
        .rows
        .iter()
        .map(|row| if by_subject { row.subject.clone() } else { row.id.clone() })
        .collect();
    let node = format!("outcome/{}/{cohort_name}", outcome.name);
    let preimage = canonical_json(&json!({
        "work": "outcome", "identity": outcome.derivation.identity(), "table": digest,
        "assayed": assayed.as_deref().map(|ids| Digest::of(ids.join("\n").as_bytes())),
        "rows": Digest::of(asked.join("\n").as_bytes()),
    }));
    let made = reading.stored(node, preimage, || {
        let ids = table.column(id).into_iter().flat_map(|ids| ids.cells());
        let ids: Vec<String> = ids.map(str::to_string).collect();
        let assayed = assayed.as_deref().map(Vec::as_slice);
        derivation.derive(Assay { table, ids: &ids, assayed }, &asked)
    });
    match made {
        Ok((calls, performed)) => {
            survey.performed.push(performed);
            let known = surveyed(calls);
            if known.count(Some(true)) == 0 || known.count(Some(false)) == 0 {
                faults.push(one_class(outcome, cohort_name, &known));
            }
            Some(known)
        }
        Err(failure) => {
            let shown = files[0].shown.clone();
            faults.push(underivable(outcome, &failure, &shown));
            None
        }
    }
}

/// The splits of a scheme, assigned once and kept.
fn stored_splits(
    study: &Study,
    reading: &Reading<'_>,
    scheme: &Scheme,
    outcome: &Outcome,
    cohort: &SurveyedCohort,
    known: &SurveyedOutcome,
    survey: &mut Survey,
) -> Result<Splits, Failure> {
    let groups: Vec<u8> = cohort.groups.iter().flat_map(|g| g.to_le_bytes()).collect();
    let preimage = canonical_json(&json!({
        "work": "splits", "identity": scheme.resampling.identity(), "outcome": known.digest,
        "groups": Digest::of(&groups), "seed": scheme.resampling.random.then_some(study.seed),
    }));
    let node = format!("splits/{}/{}", scheme.name, outcome.name);
    let assigned =
        reading.stored(node, preimage, || assign(study, scheme, cohort, known));
    let (splits, performed) = assigned?;
    survey.performed.push(performed);
    Ok(splits)
}

pub(super) fn surveyed(calls: Vec<Call>) -> SurveyedOutcome {
    let classes: Vec<Option<bool>> = calls.into_iter().map(Call::class).collect();
    let bytes: Vec<u8> = classes.iter().map(|class| class.map_or(2, u8::from)).collect();
    SurveyedOutcome { classes: Arc::new(classes), digest: Digest::of(&bytes) }
}

/// The rows of a cohort whose outcome is known, as a scheme divides them.
pub(super) fn assign(
    study: &Study,
    scheme: &Scheme,
    cohort: &SurveyedCohort,
    known: &SurveyedOutcome,
) -> Result<Splits, Failure> {
    let Instance::Resampling(resampling) = &scheme.resampling.instance else {
        unreachable!("`spec` puts a resampling scheme here")
    };
    let mut population =
        Population { rows: Vec::new(), outcome: Vec::new(), subjects: Vec::new() };
    for (row, class) in known.classes.iter().enumerate() {
        if let Some(class) = class {
            population.rows.push(row as u32);
            population.outcome.push(*class);
            population.subjects.push(cohort.groups[row]);
        }
    }
    resampling.assign(&population, study.seed)
}

fn one_class(outcome: &Outcome, cohort: &str, known: &SurveyedOutcome) -> Diagnostic {
    Diagnostic::error(
        Code::ONE_CLASS,
        Place::Study(outcome.derivation.span),
        format!(
            "outcome `{}` has {} positive, {} negative and {} unknown rows in cohort `{}`",
            outcome.name,
            known.count(Some(true)),
            known.count(Some(false)),
            known.count(None),
            cohort
        ),
    )
    .hint("compare the spelling of gene, class or value with the source")
}

fn too_few(
    scheme: &Scheme,
    outcome: &Outcome,
    known: &SurveyedOutcome,
    failure: &Failure,
) -> Diagnostic {
    Diagnostic::error(
        Code::TOO_FEW,
        Place::Study(scheme.resampling.span),
        format!(
            "cohort `{}` has {} positive and {} negative rows for outcome `{}`, too few for \
             scheme `{}`: {failure}",
            scheme.cohort.name,
            known.count(Some(true)),
            known.count(Some(false)),
            outcome.name,
            scheme.name
        ),
    )
    .hint("use fewer folds")
}

fn underivable(outcome: &Outcome, failure: &Failure, shown: &str) -> Diagnostic {
    let place = Place::Study(outcome.derivation.span);
    match failure {
        Failure::NoColumn { column, known } => {
            no_column(place, column, shown, known.iter().map(String::as_str))
        }
        Failure::Undeclared { .. } => {
            Diagnostic::error(Code::OUTCOME_VALUE, place, failure.to_string())
                .hint("declare `negative:`, or correct the value")
        }
        Failure::NotAssayed => {
            Diagnostic::error(Code::NOT_ASSAYED, place, failure.to_string())
                .hint("add `assayed: { from: SOURCE }` to the source of mutations")
        }
        other => Diagnostic::error(
            Code::ONE_CLASS,
            place,
            format!("cannot derive outcome `{}`: {other}", outcome.name),
        ),
    }
}
