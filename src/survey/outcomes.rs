//! What is known of each outcome, and how each scheme divides those of whom it is known.

use std::sync::Arc;

use crate::data::{Assay, Call, Population};
use crate::diagnostics::{Code, Diagnostic, Place};
use crate::digest::Digest;
use crate::operation::{Failure, Instance};
use crate::spec::{Outcome, Scheme, SourceKind, Study};

use super::sources::no_column;
use super::{Content, Survey, SurveyedCohort, SurveyedOutcome, SurveyedSource};

pub(super) fn read(study: &Study, survey: &mut Survey, faults: &mut Vec<Diagnostic>) {
    for scheme in &study.validate {
        let Some(cohort) = survey.cohorts.get(&scheme.cohort.name).cloned() else {
            continue;
        };
        for outcome in &study.outcomes {
            let place = (outcome.name.clone(), scheme.cohort.name.clone());
            if !survey.outcomes.contains_key(&place) {
                let Some(known) = derive(study, outcome, scheme, &cohort, survey, faults)
                else {
                    continue;
                };
                survey.outcomes.insert(place.clone(), known);
            }
            let Some(known) = survey.outcomes.get(&place) else { continue };
            if known.count(Some(true)) == 0 || known.count(Some(false)) == 0 {
                continue; // Named already, where the outcome was derived.
            }
            match assign(study, scheme, &cohort, known) {
                Ok(splits) => {
                    survey
                        .splits
                        .insert((scheme.name.clone(), outcome.name.clone()), splits);
                }
                Err(failure) => faults.push(too_few(scheme, outcome, known, &failure)),
            }
        }
    }
}

fn derive(
    study: &Study,
    outcome: &Outcome,
    scheme: &Scheme,
    cohort: &SurveyedCohort,
    survey: &Survey,
    faults: &mut Vec<Diagnostic>,
) -> Option<SurveyedOutcome> {
    let Instance::Derivation(derivation) = &outcome.derivation.instance else {
        unreachable!("`spec` puts a derivation here")
    };
    let from = &study.cohort(&scheme.cohort.name)?.from.name;
    let source = derivation.source().unwrap_or(from);
    let Some(SurveyedSource { content, files }) = survey.sources.get(source) else {
        return None;
    };
    let Content::Table { table, id, assayed, .. } = content else {
        faults.push(Diagnostic::error(
            Code::WRONG_TYPE,
            Place::Study(outcome.derivation.span),
            format!("`{source}` is no table, so no outcome can come from it"),
        ));
        return None;
    };
    let ids: Vec<String> = table.column(id)?.cells().map(str::to_string).collect();
    // Tables are joined by row, mutations belong to the patient.
    let by_subject = study
        .source(source)
        .is_some_and(|source| matches!(source.kind, SourceKind::Maf { .. }));
    let asked: Vec<String> = cohort
        .rows
        .iter()
        .map(|row| if by_subject { row.subject.clone() } else { row.id.clone() })
        .collect();
    let assay =
        Assay { table, ids: &ids, assayed: assayed.as_deref().map(Vec::as_slice) };
    match derivation.derive(assay, &asked) {
        Ok(calls) => {
            let known = surveyed(calls);
            if known.count(Some(true)) == 0 || known.count(Some(false)) == 0 {
                faults.push(one_class(outcome, scheme, &known));
            }
            Some(known)
        }
        Err(failure) => {
            faults.push(underivable(outcome, &failure, &files[0].shown));
            None
        }
    }
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
) -> Result<crate::data::Splits, Failure> {
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

fn one_class(outcome: &Outcome, scheme: &Scheme, known: &SurveyedOutcome) -> Diagnostic {
    Diagnostic::error(
        Code::ONE_CLASS,
        Place::Study(outcome.derivation.span),
        format!(
            "outcome `{}` has {} positive, {} negative and {} unknown rows in cohort `{}`",
            outcome.name,
            known.count(Some(true)),
            known.count(Some(false)),
            known.count(None),
            scheme.cohort.name
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
