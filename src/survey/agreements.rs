//! Facts that two sources hold: how many patients both know, and on how many they differ.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::data::{AgreementFacts, Assay, Call};
use crate::diagnostics::{Code, Diagnostic, Place};
use crate::operation::{Failure, Instance};
use crate::spec::{Agreement, Study, Use};

use super::sources::line_of;
use super::{Content, Reading, Survey, SurveyedSource};

pub(super) fn read(
    study: &Study,
    reading: &Reading<'_>,
    survey: &mut Survey,
    faults: &mut Vec<Diagnostic>,
) {
    for agreement in &study.agree {
        let known: Option<Vec<BTreeMap<String, bool>>> = agreement
            .facts
            .iter()
            .map(|fact| match known(survey, fact) {
                Ok(known) => known,
                Err(failure) => {
                    let message =
                        format!("`{}` cannot be compared: {failure}", agreement.name);
                    let place = Place::Study(fact.span);
                    faults.push(Diagnostic::error(Code::OUTCOME_VALUE, place, message));
                    None
                }
            })
            .collect();
        let Some(known) = known else { continue };
        let [first, second] = known.as_slice() else { continue };
        let both: Vec<&String> =
            first.keys().filter(|id| second.contains_key(*id)).collect();
        let apart: Vec<&String> =
            both.iter().copied().filter(|id| first[*id] != second[*id]).collect();
        let words = |fact: &Use| match &fact.instance {
            Instance::Derivation(derivation) => derivation.in_words(),
            _ => String::new(),
        };
        survey.agreements.push(AgreementFacts {
            name: agreement.name.clone(),
            facts: [words(&agreement.facts[0]), words(&agreement.facts[1])],
            both: both.len(),
            agree: both.len() - apart.len(),
            only: [first.len() - both.len(), second.len() - both.len()],
        });
        if both.is_empty() {
            faults.push(Diagnostic::error(
                Code::NO_MATCH,
                Place::Study(agreement.span),
                format!("no patient is known to both sources of `{}`", agreement.name),
            ));
        } else if apart.len() > agreement.tolerate {
            let apart: Vec<(&String, bool)> =
                apart.into_iter().map(|id| (id, first[id])).collect();
            faults.push(disagreement(
                study,
                reading,
                survey,
                agreement,
                both.len(),
                &apart,
            ));
        }
    }
}

/// The class of every patient whom a derivation knows.
fn known(survey: &Survey, fact: &Use) -> Result<Option<BTreeMap<String, bool>>, Failure> {
    let Instance::Derivation(derivation) = &fact.instance else { return Ok(None) };
    let source = derivation.source().unwrap_or("");
    let Some(SurveyedSource { content: Content::Table { table, assayed, .. }, .. }) =
        survey.sources.get(source)
    else {
        return match source.is_empty() {
            true => {
                Err(Failure::Unreadable("the derivation names no source".to_string()))
            }
            false => Ok(None), // Its fault is named already.
        };
    };
    let ids: Vec<String> = table.ids().cells().map(str::to_string).collect();
    let all = assayed.iter().flat_map(|ids| ids.iter());
    let asked: BTreeSet<&String> = ids.iter().chain(all).collect();
    let asked: Vec<String> = asked.into_iter().cloned().collect();
    let assayed = assayed.as_deref().map(Vec::as_slice);
    let calls = derivation.derive(Assay { table, ids: &ids, assayed }, &asked)?;
    let known = asked.into_iter().zip(calls.into_iter().map(Call::class));
    Ok(Some(known.filter_map(|(id, class)| Some((id, class?))).collect()))
}

/// Most patients that a message names.
const NAMED: usize = 20;

fn disagreement(
    study: &Study,
    reading: &Reading<'_>,
    survey: &Survey,
    agreement: &Agreement,
    both: usize,
    apart: &[(&String, bool)],
) -> Diagnostic {
    let n = apart.len();
    let mut fault = Diagnostic::error(
        Code::DISAGREEMENT,
        Place::Study(agreement.span),
        format!(
            "the sources of `{}` disagree on {n} of {both} patients, and {} are tolerated",
            agreement.name, agreement.tolerate
        ),
    );
    // Ids of public data may be named; of others the lines are.
    if study.governance.public || reading.show_ids {
        let class = |class: bool| if class { "positive" } else { "negative" };
        let named = apart.iter().take(NAMED);
        let named: Vec<String> = named
            .map(|(id, first)| format!("{id} ({} and {})", class(*first), class(!*first)))
            .collect();
        fault = fault.hint(format!("they are {}{}", named.join(", "), more(n)));
    }
    for fact in &agreement.facts {
        let Instance::Derivation(derivation) = &fact.instance else { continue };
        let Some(surveyed) = derivation.source().and_then(|s| survey.sources.get(s))
        else {
            continue;
        };
        let Some(file) = surveyed.files.first() else { continue };
        let is_maf = derivation
            .source()
            .and_then(|source| study.source(source))
            .is_some_and(crate::spec::Source::is_maf);
        // A line of a mutation file says little: a patient has many, or none.
        if is_maf {
            continue;
        }
        let Ok(bytes) = reading.bytes(study, file) else { continue };
        let lines: Vec<String> = apart
            .iter()
            .take(NAMED)
            .filter_map(|(id, _)| line_of(&bytes, id))
            .map(|line| line.to_string())
            .collect();
        if !lines.is_empty() {
            let path = PathBuf::from(&file.shown);
            let lines = lines.join(", ");
            let hint =
                format!("in {} they stand on lines {lines}{}", path.display(), more(n));
            fault = fault.hint(hint);
        }
    }
    fault.hint(format!("correct one of the two, or say `tolerate: {n}`"))
}

fn more(n: usize) -> String {
    match n > NAMED {
        true => format!(" and {} more", n - NAMED),
        false => String::new(),
    }
}
