//! Who belongs to a cohort: the rows of its first source, less those that a join takes away.

use std::collections::{BTreeMap, BTreeSet};

use crate::data::{FlowBox, Removed};
use crate::diagnostics::{Code, Diagnostic, Place};
use crate::digest::Digest;
use crate::spec::{Cohort, SourceKind, Study};

use super::sources::{ids_of, no_column};
use super::{CohortRow, Content, Reading, Survey, SurveyedCohort, SurveyedSource};

pub(super) fn read(
    study: &Study,
    reading: &Reading<'_>,
    survey: &mut Survey,
    faults: &mut Vec<Diagnostic>,
) {
    for cohort in &study.cohorts {
        if let Some(surveyed) = rows(study, cohort, reading, survey, faults) {
            survey.cohorts.insert(cohort.name.clone(), surveyed);
        }
    }
}

fn rows(
    study: &Study,
    cohort: &Cohort,
    reading: &Reading<'_>,
    survey: &Survey,
    faults: &mut Vec<Diagnostic>,
) -> Option<SurveyedCohort> {
    let ids = ids_of(survey, &cohort.from.name)?;
    let subjects = match &cohort.subject {
        None => ids.clone(),
        Some(column) => match subject_column(survey, &cohort.from.name, &column.name) {
            Ok(subjects) => subjects,
            Err(known) => {
                let known = known.iter().map(String::as_str);
                let place = Place::Study(column.span);
                faults.push(no_column(place, &column.name, &cohort.from.name, known));
                return None;
            }
        },
    };
    let doubles = ids.windows(2).filter(|pair| pair[0] == pair[1]).count();
    if doubles > 0 {
        faults.push(
            Diagnostic::error(
                Code::DUPLICATE_ID,
                Place::Study(cohort.from.span),
                format!("{doubles} rows of `{}` repeat an id", cohort.from.name),
            )
            .hint("give an id that is unique per row, and `subject:` for the patient"),
        );
        return None;
    }
    let mut rows: Vec<CohortRow> = ids
        .into_iter()
        .zip(subjects)
        .map(|(id, subject)| CohortRow { id, subject })
        .collect();
    let mut flow = vec![FlowBox {
        label: format!("rows of {}", cohort.from.name),
        n_in: rows.len(),
        removed: Vec::new(),
        n_out: rows.len(),
    }];
    let mut joined = FlowBox {
        label: format!("cohort {}", cohort.name),
        n_in: rows.len(),
        removed: Vec::new(),
        n_out: rows.len(),
    };
    for join in &cohort.join {
        let partners: BTreeSet<String> = match survey.sources.get(&join.source.name) {
            Some(SurveyedSource {
                content: Content::Table { assayed: Some(ids), .. },
                ..
            }) => ids.iter().cloned().collect(),
            _ => ids_of(survey, &join.source.name)?.into_iter().collect(),
        };
        let by_subject = study
            .source(&join.source.name)
            .is_some_and(|source| matches!(source.kind, SourceKind::Maf { .. }));
        let has_partner = |row: &CohortRow| {
            partners.contains(if by_subject { &row.subject } else { &row.id })
        };
        let matched = rows.iter().filter(|row| has_partner(row)).count();
        if matched == 0 && !rows.is_empty() {
            faults.push(
                Diagnostic::error(
                    Code::NO_MATCH,
                    Place::Study(join.source.span),
                    format!(
                        "none of the {} ids of `{}` is among the {} of `{}`",
                        rows.len(),
                        cohort.from.name,
                        partners.len(),
                        join.source.name
                    ),
                )
                .hint("compare their spelling: prefixes, leading zeros, barcodes"),
            );
            return None;
        }
        if join.required {
            let n = rows.len() - matched;
            rows.retain(has_partner);
            joined
                .removed
                .push(Removed { reason: format!("not in {}", join.source.name), n });
            if n > 0 {
                faults.push(Diagnostic::warning(
                    Code::UNMATCHED,
                    Place::Study(join.source.span),
                    format!(
                        "{n} of {} rows of cohort `{}` are not in `{}` and leave it",
                        matched + n,
                        cohort.name,
                        join.source.name
                    ),
                ));
            }
        }
    }
    if rows.is_empty() {
        faults.push(Diagnostic::error(
            Code::EMPTY_COHORT,
            Place::Study(cohort.span),
            format!("cohort `{}` has no rows", cohort.name),
        ));
        return None;
    }
    joined.n_out = rows.len();
    flow.push(joined);
    Some(grouped(rows, flow, &reading.name_key))
}

/// Groups are subjects in order of their ids; their printed names say nothing about the ids.
pub(super) fn grouped(
    rows: Vec<CohortRow>,
    flow: Vec<FlowBox>,
    name_key: &[u8; 32],
) -> SurveyedCohort {
    let subjects: BTreeSet<&str> = rows.iter().map(|row| row.subject.as_str()).collect();
    let position: BTreeMap<&str, u32> =
        subjects.iter().enumerate().map(|(i, subject)| (*subject, i as u32)).collect();
    let groups = rows.iter().map(|row| position[row.subject.as_str()]).collect();
    let pseudonym = |subject: &&str| {
        format!("S{}", &Digest::keyed(name_key, subject.as_bytes()).hex()[..8])
    };
    let pseudonyms = subjects.iter().map(pseudonym).collect();
    let mut bytes = Vec::new();
    for row in &rows {
        for text in [&row.id, &row.subject] {
            bytes.extend((text.len() as u64).to_le_bytes());
            bytes.extend(text.as_bytes());
        }
    }
    let digest = Some(Digest::of(&bytes));
    SurveyedCohort { groups, pseudonyms, flow, digest, rows }
}

/// The subject of each row of a table, or the columns that there are.
fn subject_column(
    survey: &Survey,
    source: &str,
    column: &str,
) -> Result<Vec<String>, Vec<String>> {
    let Some(SurveyedSource { content: Content::Table { table, .. }, .. }) =
        survey.sources.get(source)
    else {
        return Err(Vec::new());
    };
    match table.column(column) {
        Some(column) => Ok(column.cells().map(str::to_string).collect()),
        None => Err(table.names().map(str::to_string).collect()),
    }
}
