//! Facts that two sources hold: how many patients both know, and on how many they differ.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::data::{AgreementFacts, Assay, Call};
use crate::diagnostics::{Code, Diagnostic, Place};
use crate::digest::{Digest, canonical_json};
use crate::operation::{Failure, Instance};
use crate::spec::{Agreement, Facts, Named, Study, Use};

use super::sources::{line_of, no_column};
use super::{Content, Reading, Survey, SurveyedSource};

/// What one source knows of each patient, by id.
type Known = BTreeMap<String, String>;

/// What a comparison found.
#[derive(Serialize, Deserialize)]
struct Compared {
    /// Patients whom both sources know.
    both: usize,
    /// Patients whom only one of them knows.
    only: [usize; 2],
    /// Who differs, with what each source says.
    apart: Vec<(String, [String; 2])>,
}

pub(super) fn read(
    study: &Study,
    reading: &Reading<'_>,
    survey: &mut Survey,
    faults: &mut Vec<Diagnostic>,
) {
    for agreement in &study.agree {
        if !there(survey, agreement, faults) {
            continue;
        }
        let node = format!("agree/{}", agreement.name);
        let preimage = preimage(survey, agreement);
        let compared = reading.stored(node, preimage, || compared(survey, agreement));
        let Compared { both, only, apart } = match compared {
            Ok((compared, _)) => compared,
            Err(failure) => {
                let message =
                    format!("`{}` cannot be compared: {failure}", agreement.name);
                let place = Place::Study(agreement.span);
                faults.push(Diagnostic::error(Code::OUTCOME_VALUE, place, message));
                continue;
            }
        };
        survey.agreements.push(AgreementFacts {
            name: agreement.name.clone(),
            facts: in_words(&agreement.facts),
            both: both.into(),
            agree: (both - apart.len()).into(),
            only: only.map(Into::into),
        });
        if both == 0 {
            faults.push(Diagnostic::error(
                Code::NO_MATCH,
                Place::Study(agreement.span),
                format!("no patient is known to both sources of `{}`", agreement.name),
            ));
        } else if apart.len() > agreement.tolerate {
            faults.push(disagreement(study, reading, survey, agreement, both, &apart));
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

/// The sources of an agreement, each with the column that it compares, if it does.
fn sources(agreement: &Agreement) -> Vec<(&str, Option<&str>)> {
    match &agreement.facts {
        Facts::Derived(facts) => {
            facts.iter().map(|fact| (derivation_source(fact), None)).collect()
        }
        Facts::Columns { columns, .. } => {
            let columns = columns.iter();
            columns
                .map(|(source, column)| (source.name.as_str(), Some(&**column)))
                .collect()
        }
    }
}

fn derivation_source(fact: &Use) -> &str {
    match &fact.instance {
        Instance::Derivation(derivation) => derivation.source().unwrap_or(""),
        _ => "",
    }
}

fn table_of<'s>(survey: &'s Survey, source: &str) -> Option<&'s SurveyedSource> {
    let surveyed = survey.sources.get(source)?;
    matches!(surveyed.content, Content::Table { .. }).then_some(surveyed)
}

/// Whether everything that is compared was read. What was not is named already, but for columns.
fn there(survey: &Survey, agreement: &Agreement, faults: &mut Vec<Diagnostic>) -> bool {
    sources(agreement).into_iter().enumerate().all(|(at, (source, column))| {
        if source.is_empty() {
            return true; // Said when the comparison is made.
        }
        let Some(SurveyedSource { content: Content::Table { table, .. }, files }) =
            table_of(survey, source)
        else {
            return false;
        };
        match (column, &agreement.facts) {
            (Some(column), Facts::Columns { columns, .. })
                if !table.names().any(|name| name == column) =>
            {
                let shown = files.first().map_or(source, |file| &file.shown);
                let place = Place::Study(columns[at].0.span);
                faults.push(no_column(place, column, shown, table.names()));
                false
            }
            _ => true,
        }
    })
}

/// What decides the outcome of a comparison.
fn preimage(survey: &Survey, agreement: &Agreement) -> String {
    let facts: Json = match &agreement.facts {
        Facts::Derived(facts) => facts.iter().map(Use::identity).collect(),
        Facts::Columns { columns, within } => {
            let columns: Json = columns.iter().map(|(_, column)| json!(column)).collect();
            json!([columns, within])
        }
    };
    let read = sources(agreement).into_iter().map(|(source, _)| {
        match table_of(survey, source).map(|surveyed| &surveyed.content) {
            Some(Content::Table { digest, assayed, .. }) => {
                let assayed = assayed.as_ref();
                json!([digest, assayed.map(|ids| Digest::of(ids.join("\n").as_bytes()))])
            }
            _ => json!(null),
        }
    });
    canonical_json(&json!({
        "work": "agree", "version": 1, "facts": facts, "read": read.collect::<Json>(),
    }))
}

fn compared(survey: &Survey, agreement: &Agreement) -> Result<Compared, Failure> {
    let [first, second]: [Known; 2] = match &agreement.facts {
        Facts::Derived([first, second]) => {
            [classes(survey, first)?, classes(survey, second)?]
        }
        Facts::Columns { columns: [first, second], .. } => {
            [cells(survey, first), cells(survey, second)]
        }
    };
    let same = |a: &str, b: &str| match &agreement.facts {
        Facts::Derived(_) => a == b,
        Facts::Columns { within, .. } => near(a, b, *within),
    };
    let (mut both, mut apart) = (0, Vec::new());
    for (id, a) in &first {
        let Some(b) = second.get(id) else { continue };
        both += 1;
        if !same(a, b) {
            apart.push((id.clone(), [a.clone(), b.clone()]));
        }
    }
    Ok(Compared { both, only: [first.len() - both, second.len() - both], apart })
}

/// The cells of a column that are not missing. Of an id that stands twice the first counts.
fn cells(survey: &Survey, (source, column): &(Named, String)) -> Known {
    let mut known = Known::new();
    if let Some(Content::Table { table, .. }) =
        table_of(survey, &source.name).map(|surveyed| &surveyed.content)
        && let Some(found) = table.column(column)
    {
        for (id, cell) in table.ids().cells().zip(found.cells()) {
            if !cell.is_empty() {
                known.entry(id.to_string()).or_insert_with(|| cell.to_string());
            }
        }
    }
    known
}

/// The class of every patient whom a derivation knows.
fn classes(survey: &Survey, fact: &Use) -> Result<Known, Failure> {
    let nothing = || Failure::Unreadable("the derivation names no source".to_string());
    let Instance::Derivation(derivation) = &fact.instance else { return Err(nothing()) };
    let source = derivation.source().ok_or_else(nothing)?;
    let Some(Content::Table { table, assayed, .. }) =
        table_of(survey, source).map(|surveyed| &surveyed.content)
    else {
        return Err(nothing());
    };
    let ids: Vec<String> = table.ids().cells().map(str::to_string).collect();
    let all = assayed.iter().flat_map(|ids| ids.iter());
    let asked: BTreeSet<&String> = ids.iter().chain(all).collect();
    let asked: Vec<String> = asked.into_iter().cloned().collect();
    let assayed = assayed.as_deref().map(Vec::as_slice);
    let calls =
        derivation.derive(Assay { table: table.table(), ids: &ids, assayed }, &asked)?;
    let word = |class: bool| if class { "positive" } else { "negative" };
    let known = asked.into_iter().zip(calls.into_iter().map(Call::class));
    Ok(known.filter_map(|(id, class)| Some((id, word(class?).to_string()))).collect())
}

/// Most patients that a message names.
const NAMED: usize = 20;

fn disagreement(
    study: &Study,
    reading: &Reading<'_>,
    survey: &Survey,
    agreement: &Agreement,
    both: usize,
    apart: &[(String, [String; 2])],
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
