//! Facts that two sources hold: how many patients both know, and on how many they differ.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::data::{AgreementFacts, Assay, Call};
use crate::diagnostics::{Code, Diagnostic, Place};
use crate::operation::{Failure, Instance};
use crate::spec::{Agreement, Facts, Named, Study, Use};

use super::sources::{line_of, no_column};
use super::{Content, Reading, Survey, SurveyedSource};

/// What one source knows of each patient, by id.
type Known = BTreeMap<String, String>;

pub(super) fn read(
    study: &Study,
    reading: &Reading<'_>,
    survey: &mut Survey,
    faults: &mut Vec<Diagnostic>,
) {
    for agreement in &study.agree {
        let known: Option<Vec<Known>> = match &agreement.facts {
            Facts::Derived(facts) => {
                let of = |fact| derived(survey, agreement, fact, faults);
                facts.iter().map(of).collect()
            }
            Facts::Columns { columns, .. } => {
                let of = |(source, column): &(Named, String)| {
                    cells(survey, source, column, faults)
                };
                columns.iter().map(of).collect()
            }
        };
        let Some(known) = known else { continue };
        let [first, second] = known.as_slice() else { continue };
        let both: Vec<&String> =
            first.keys().filter(|id| second.contains_key(*id)).collect();
        let same = |id: &&String| match &agreement.facts {
            Facts::Derived(_) => first[*id] == second[*id],
            Facts::Columns { within, .. } => near(&first[*id], &second[*id], *within),
        };
        let apart: Vec<&String> = both.iter().copied().filter(|id| !same(id)).collect();
        survey.agreements.push(AgreementFacts {
            name: agreement.name.clone(),
            facts: in_words(&agreement.facts),
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
            let apart: Vec<(&String, [&str; 2])> = apart
                .into_iter()
                .map(|id| (id, [first[id].as_str(), second[id].as_str()]))
                .collect();
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

fn in_words(facts: &Facts) -> [String; 2] {
    match facts {
        Facts::Derived(facts) => facts.each_ref().map(|fact| match &fact.instance {
            Instance::Derivation(derivation) => derivation.in_words(),
            _ => String::new(),
        }),
        Facts::Columns { columns, .. } => columns
            .each_ref()
            .map(|(source, column)| format!("column `{column}` of `{}`", source.name)),
    }
}

/// Whether two cells say the same: as numbers where both are, else as text.
fn near(a: &str, b: &str, within: f64) -> bool {
    match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => (a - b).abs() <= within,
        _ => a == b,
    }
}

/// The cells of a column that are not missing. Of an id that stands twice the first counts.
fn cells(
    survey: &Survey,
    source: &Named,
    column: &str,
    faults: &mut Vec<Diagnostic>,
) -> Option<Known> {
    let Some(SurveyedSource { content: Content::Table { table, .. }, files }) =
        survey.sources.get(&source.name)
    else {
        return None; // Its fault is named already.
    };
    let Some(found) = table.column(column) else {
        let shown = files.first().map_or(source.name.as_str(), |file| &file.shown);
        let place = Place::Study(source.span);
        let known: Vec<&str> = table.names().collect();
        faults.push(no_column(place, column, shown, known.into_iter()));
        return None;
    };
    let mut known = Known::new();
    for (id, cell) in table.ids().cells().zip(found.cells()) {
        if !cell.is_empty() {
            known.entry(id.to_string()).or_insert_with(|| cell.to_string());
        }
    }
    Some(known)
}

/// The class of every patient whom a derivation knows.
fn derived(
    survey: &Survey,
    agreement: &Agreement,
    fact: &Use,
    faults: &mut Vec<Diagnostic>,
) -> Option<Known> {
    match classes(survey, fact) {
        Ok(known) => known,
        Err(failure) => {
            let message = format!("`{}` cannot be compared: {failure}", agreement.name);
            let place = Place::Study(fact.span);
            faults.push(Diagnostic::error(Code::OUTCOME_VALUE, place, message));
            None
        }
    }
}

fn classes(survey: &Survey, fact: &Use) -> Result<Option<Known>, Failure> {
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
    let word = |class: bool| if class { "positive" } else { "negative" };
    let known = asked.into_iter().zip(calls.into_iter().map(Call::class));
    Ok(Some(
        known.filter_map(|(id, class)| Some((id, word(class?).to_string()))).collect(),
    ))
}

/// Most patients that a message names.
const NAMED: usize = 20;

fn disagreement(
    study: &Study,
    reading: &Reading<'_>,
    survey: &Survey,
    agreement: &Agreement,
    both: usize,
    apart: &[(&String, [&str; 2])],
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
        let named = apart.iter().take(NAMED);
        let named: Vec<String> =
            named.map(|(id, [a, b])| format!("{id} ({a} and {b})")).collect();
        fault = fault.hint(format!("they are {}{}", named.join(", "), more(n)));
    }
    let sources: Vec<&str> = match &agreement.facts {
        Facts::Derived(facts) => facts
            .iter()
            .filter_map(|fact| match &fact.instance {
                Instance::Derivation(derivation) => derivation.source(),
                _ => None,
            })
            .collect(),
        Facts::Columns { columns, .. } => {
            columns.iter().map(|(source, _)| source.name.as_str()).collect()
        }
    };
    for source in sources {
        let Some(surveyed) = survey.sources.get(source) else { continue };
        let Some(file) = surveyed.files.first() else { continue };
        // A line of a mutation file says little: a patient has many, or none.
        if study.source(source).is_some_and(crate::spec::Source::is_maf) {
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
