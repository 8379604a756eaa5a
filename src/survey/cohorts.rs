//! Who belongs to a cohort: the rows of its first source, less those that a join takes away.

use std::collections::{BTreeMap, BTreeSet};

use crate::data::{FlowBox, JoinFacts, Removed};
use crate::diagnostics::{Code, Diagnostic, Place};
use crate::digest::Digest;
use crate::spec::{Cohort, CohortRule, Date, Interval, Join, Study};

use super::sources::{ids_of, lines_of};
use super::{CohortRow, Content, Reading, Survey, SurveyedCohort, SurveyedSource, View};

pub(super) fn read(
    study: &Study,
    reading: &Reading<'_>,
    survey: &mut Survey,
    faults: &mut Vec<Diagnostic>,
) {
    // A cohort stands after those of which it is a part or which its rules name.
    for cohort in &study.cohorts {
        if let Some(surveyed) = rows(study, cohort, reading, survey, faults) {
            survey.cohorts.insert(cohort.name.clone(), surveyed);
        }
    }
    overlaps(study, survey, faults);
}

fn rows(
    study: &Study,
    cohort: &Cohort,
    reading: &Reading<'_>,
    survey: &Survey,
    faults: &mut Vec<Diagnostic>,
) -> Option<SurveyedCohort> {
    let (mut rows, mut flow) = match &cohort.of {
        Some(of) => {
            let base = survey.cohorts.get(&of.name)?;
            (base.rows.clone(), base.flow.clone())
        }
        None => first_rows(study, cohort, reading, survey, faults)?,
    };
    let mut own = FlowBox {
        label: format!("cohort {}", cohort.name),
        n_in: rows.len().into(),
        removed: Vec::new(),
        joins: Vec::new(),
        n_out: rows.len().into(),
        n_subjects: patients(&rows).into(),
    };
    let inherited: &[Join] = match &cohort.of {
        Some(of) => study.cohort(&of.name).map_or(&[], |base| base.join.as_slice()),
        None => &[],
    };
    for join in cohort.join.iter().filter(|join| !inherited.contains(join)) {
        joined(study, cohort, join, (reading, survey), &mut rows, &mut own, faults)?;
    }
    for rule in &cohort.rules {
        kept(study, cohort, rule, survey, &mut rows, &mut own, faults)?;
    }
    if let Some(interval) = &cohort.interval {
        timely(study, cohort, interval, survey, &mut rows, &mut own, faults)?;
    }
    for column in [&cohort.site, &cohort.rater].into_iter().flatten() {
        if let Err(fault) = (View { study, survey, cohort, rows: &rows }).cells(column) {
            faults.push(*fault);
            return None;
        }
    }
    if rows.is_empty() {
        let mut fault = Diagnostic::error(
            Code::EMPTY_COHORT,
            Place::Study(cohort.span),
            format!("cohort `{}` has no rows", cohort.name),
        );
        if cohort.of.is_none()
            && ids_of(survey, &cohort.from.name).is_some_and(|ids| ids.is_empty())
            && let Some(file) =
                survey.sources.get(&cohort.from.name).and_then(|s| s.files.first())
        {
            fault = fault.hint(format!("{} has a head and no rows", file.shown));
        }
        for removed in own.removed.iter().filter(|removed| removed.n > 0) {
            fault = fault.hint(format!("{} left: {}", removed.n, removed.reason));
        }
        faults.push(fault);
        return None;
    }
    own.n_out = rows.len().into();
    own.n_subjects = patients(&rows).into();
    flow.push(own);
    Some(grouped(rows, flow, &reading.name_key))
}

/// The rows of the first source, each with its patient.
fn first_rows(
    study: &Study,
    cohort: &Cohort,
    reading: &Reading<'_>,
    survey: &Survey,
    faults: &mut Vec<Diagnostic>,
) -> Option<(Vec<CohortRow>, Vec<FlowBox>)> {
    let ids = ids_of(survey, &cohort.from.name)?;
    let doubles = ids.windows(2).filter(|pair| pair[0] == pair[1]).count();
    if doubles > 0 {
        let fault = Diagnostic::error(
            Code::DUPLICATE_ID,
            Place::Study(cohort.from.span),
            format!("{doubles} rows of `{}` repeat an id", cohort.from.name),
        );
        let fault = match repeated(reading, survey, &cohort.from.name, &ids) {
            Some(lines) => fault.hint(lines),
            None => fault,
        };
        let fault = match differing(survey, &cohort.from.name) {
            Some((_, columns)) => {
                fault.hint(format!("under one id they differ in {}", columns.join(", ")))
            }
            None => fault,
        };
        faults.push(
            fault.hint(
                "give an id that is unique per row, and `subject:` for the patient",
            ),
        );
        return None;
    }
    let mut rows: Vec<CohortRow> =
        ids.into_iter().map(|id| CohortRow { subject: id.clone(), id }).collect();
    if let Some(column) = &cohort.subject {
        let cells = (View { study, survey, cohort, rows: &rows }).cells(column);
        let cells = match cells {
            Ok(cells) => cells,
            Err(fault) => {
                faults.push(*fault);
                return None;
            }
        };
        let unknown = cells.iter().filter(|cell| cell.is_none()).count();
        if unknown > 0 {
            faults.push(Diagnostic::error(
                Code::OUTCOME_VALUE,
                Place::Study(column.span),
                format!("{unknown} rows of cohort `{}` name no patient", cohort.name),
            ));
            return None;
        }
        let named: BTreeSet<&String> = cells.iter().flatten().collect();
        if named.len() == 1 && rows.len() > 1 {
            let message = format!(
                "all {} rows of cohort `{}` are of one patient by `{}`",
                rows.len(),
                cohort.name,
                column.name
            );
            let fault = Diagnostic::error(
                Code::OUTCOME_VALUE,
                Place::Study(column.span),
                message,
            );
            faults
                .push(fault.hint("`subject` names the column that tells patients apart"));
            return None;
        }
        for (row, subject) in rows.iter_mut().zip(cells) {
            row.subject = subject.unwrap_or_default();
        }
    }
    for row in &mut rows {
        if let Some((_, counts)) =
            cohort.same_as.iter().find(|(id, _)| *id == row.subject)
        {
            row.subject.clone_from(counts);
        }
    }
    let flow = vec![FlowBox {
        label: format!("rows of {}", cohort.from.name),
        n_in: rows.len().into(),
        removed: Vec::new(),
        joins: Vec::new(),
        n_out: rows.len().into(),
        n_subjects: patients(&rows).into(),
    }];
    Some((rows, flow))
}

/// How many patients these rows are of.
fn patients(rows: &[CohortRow]) -> usize {
    rows.iter().map(|row| row.subject.as_str()).collect::<BTreeSet<_>>().len()
}

/// Where in its file the first repeated id stands.
fn repeated(
    reading: &Reading<'_>,
    survey: &Survey,
    source: &str,
    ids: &[String],
) -> Option<String> {
    let double = ids.windows(2).find(|pair| pair[0] == pair[1])?;
    let surveyed = survey.sources.get(source)?;
    let [file] = surveyed.files.as_slice() else { return None };
    // The file is read again only to say where; what cannot be read now has no line.
    let lines = lines_of(&reading.given(file)?, &double[0]);
    let lines: Vec<String> = lines.iter().map(usize::to_string).collect();
    (lines.len() > 1)
        .then(|| format!("such as one on lines {} of {}", lines.join(", "), file.shown))
}

/// Ids of a source that stand on several rows which differ.
fn differing<'s>(survey: &'s Survey, source: &str) -> Option<&'s (usize, Vec<String>)> {
    match survey.sources.get(source) {
        Some(SurveyedSource { content: Content::Table { notes, .. }, .. }) => {
            notes.differing.as_ref()
        }
        _ => None,
    }
}

fn joined(
    study: &Study,
    cohort: &Cohort,
    join: &Join,
    (reading, survey): (&Reading<'_>, &Survey),
    rows: &mut Vec<CohortRow>,
    own: &mut FlowBox,
    faults: &mut Vec<Diagnostic>,
) -> Option<()> {
    let source = &join.source.name;
    if let Some((n, columns)) = differing(survey, source) {
        let fault = Diagnostic::error(
            Code::DUPLICATE_ID,
            Place::Study(join.source.span),
            format!("{n} ids of `{source}` stand on several rows that differ"),
        );
        let ids = ids_of(survey, source).unwrap_or_default();
        let fault = match repeated(reading, survey, source, &ids) {
            Some(lines) => fault.hint(lines),
            None => fault,
        };
        faults.push(
            fault
                .hint(format!("they differ in {}", columns.join(", ")))
                .hint("keep one row per id, or choose among samples with `sample:`"),
        );
        return None;
    }
    let partners: BTreeSet<String> = match survey.sources.get(source) {
        Some(SurveyedSource {
            content: Content::Table { assayed: Some(ids), .. },
            ..
        }) => ids.iter().cloned().collect(),
        _ => ids_of(survey, source)?.into_iter().collect(),
    };
    let by_subject = study.source(source).is_some_and(crate::spec::Source::is_maf);
    let has_partner = |row: &CohortRow| {
        let id = if by_subject { &row.subject } else { &row.id };
        cohort.known_as(id).any(|id| partners.contains(id))
    };
    let matched = rows.iter().filter(|row| has_partner(row)).count();
    if matched == 0 && !rows.is_empty() {
        faults.push(
            Diagnostic::error(
                Code::NO_MATCH,
                Place::Study(join.source.span),
                format!(
                    "none of the {} ids of `{}` is among the {} of `{source}`",
                    rows.len(),
                    cohort.from.name,
                    partners.len(),
                ),
            )
            .hint("compare their spelling: prefixes, leading zeros, barcodes"),
        );
        return None;
    }
    own.joins.push(JoinFacts {
        source: source.clone(),
        required: join.required,
        matched: matched.into(),
        without: (rows.len() - matched).into(),
        unused: partners.len().saturating_sub(matched).into(),
    });
    if join.required {
        let n = rows.len() - matched;
        rows.retain(has_partner);
        own.removed.push(Removed { reason: format!("not in {source}"), n: n.into() });
        if n > 0 {
            faults.push(Diagnostic::warning(
                Code::UNMATCHED,
                Place::Study(join.source.span),
                format!(
                    "{n} of {} rows of cohort `{}` are not in `{source}` and leave it",
                    matched + n,
                    cohort.name,
                ),
            ));
        }
    }
    Some(())
}

/// Removes the rows that a rule does not keep.
fn kept(
    study: &Study,
    cohort: &Cohort,
    rule: &CohortRule,
    survey: &Survey,
    rows: &mut Vec<CohortRow>,
    own: &mut FlowBox,
    faults: &mut Vec<Diagnostic>,
) -> Option<()> {
    let before = rows.len();
    let stays = match stays(study, cohort, rule, survey, rows) {
        Ok(stays) => stays,
        Err(fault) => {
            faults.push(*fault);
            return None;
        }
    };
    faults.extend(misspelt(study, cohort, rule, survey, rows));
    let mut stays = stays.into_iter();
    rows.retain(|_| stays.next().unwrap_or(false));
    // What an `include` rule asks for is not why somebody leaves.
    let reason = match rule.keeps {
        true => format!("outside “{}”", rule.reason),
        false => rule.reason.clone(),
    };
    own.removed.push(Removed { reason, n: (before - rows.len()).into() });
    if rows.is_empty() && before > 0 {
        faults.push(
            Diagnostic::error(
                Code::EMPTY_COHORT,
                Place::Study(rule.span),
                format!(
                    "this rule leaves nobody of the {before} rows in cohort `{}`",
                    cohort.name
                ),
            )
            .hint("compare the spelling of its values with the source; text is compared exactly"),
        );
        return None;
    }
    Some(())
}

/// Texts of a rule that no row holds, but for case, spaces and signs: rules compare exactly.
fn misspelt(
    study: &Study,
    cohort: &Cohort,
    rule: &CohortRule,
    survey: &Survey,
    rows: &[CohortRow],
) -> Vec<Diagnostic> {
    let view = View { study, survey, cohort, rows };
    let texts = rule.rule.texts();
    let mut found = Vec::new();
    for (column, text) in &texts {
        let named = crate::spec::Named { name: (*column).to_string(), span: rule.span };
        let Ok(cells) = view.cells(&named) else { continue };
        let values: BTreeSet<&str> = cells.iter().flatten().map(String::as_str).collect();
        let alike = |value: &&&str| {
            same_letters(value, text) && !texts.contains(&(*column, **value))
        };
        if values.contains(text) {
            continue;
        }
        let Some(meant) = values.iter().find(alike) else { continue };
        // What one patient alone has is as good as a name.
        let n = cells.iter().flatten().filter(|cell| cell.as_str() == *meant).count();
        let message = format!(
            "`{column}` never holds '{text}' in cohort `{}`: the rule passes those rows by",
            cohort.name
        );
        let fault = Diagnostic::warning(Code::MISSPELT, Place::Study(rule.span), message);
        found.push(match n {
            0 | 1 => fault.hint("it holds another spelling of it"),
            n => fault.hint(format!(
                "it holds '{meant}' on {n} rows; text is compared exactly"
            )),
        });
    }
    found
}

/// Whether two texts differ in case, spaces and signs alone; not in signs that say what is meant, as in
/// "HER2+" and "HER2-", "<2 cm" and ">2 cm".
fn same_letters(a: &str, b: &str) -> bool {
    let letters = |text: &str| -> String {
        text.chars()
            .filter(|c| c.is_alphanumeric() || "+<>≤≥=".contains(*c))
            .flat_map(char::to_lowercase)
            .collect()
    };
    let a = letters(a);
    !a.is_empty() && a == letters(b)
}

fn stays(
    study: &Study,
    cohort: &Cohort,
    rule: &CohortRule,
    survey: &Survey,
    rows: &[CohortRow],
) -> Result<Vec<bool>, Box<Diagnostic>> {
    let view = View { study, survey, cohort, rows };
    let mut columns: BTreeMap<&str, Vec<Option<String>>> = BTreeMap::new();
    for name in rule.rule.columns() {
        let named = crate::spec::Named { name: name.to_string(), span: rule.span };
        columns.insert(name, view.cells(&named)?);
    }
    let mut members: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for name in rule.rule.cohorts() {
        let other = survey.cohorts.get(name).ok_or_else(|| {
            let message = format!("cohort `{name}` could not be made");
            Box::new(Diagnostic::error(
                Code::EMPTY_COHORT,
                Place::Study(rule.span),
                message,
            ))
        })?;
        let subjects = other.rows.iter().map(|row| row.subject.as_str());
        members.insert(name, subjects.collect());
    }
    let mut stays = Vec::with_capacity(rows.len());
    for (at, row) in rows.iter().enumerate() {
        let cell = |name: &str| columns.get(name).and_then(|cells| cells[at].as_deref());
        let member = |name: &str| {
            members
                .get(name)
                .is_some_and(|members| members.contains(row.subject.as_str()))
        };
        let holds = rule.rule.holds(&cell, &member).map_err(|wrong| {
            let fault = Diagnostic::error(
                Code::NOT_A_NUMBER,
                Place::Study(rule.span),
                format!(
                    "column `{}` holds `{}`, where the rule needs {}",
                    wrong.column, wrong.cell, wrong.needed
                ),
            );
            Box::new(fault.hint("text is compared with text in quotes: `site == '02'`"))
        })?;
        stays.push(match rule.keeps {
            true => holds == Some(true),
            false => holds != Some(true),
        });
    }
    Ok(stays)
}

/// Removes the rows whose imaging and outcome lie too far apart, or at unknown days.
fn timely(
    study: &Study,
    cohort: &Cohort,
    interval: &Interval,
    survey: &Survey,
    rows: &mut Vec<CohortRow>,
    own: &mut FlowBox,
    faults: &mut Vec<Diagnostic>,
) -> Option<()> {
    let view = View { study, survey, cohort, rows };
    let mut days = Vec::new();
    for column in [&interval.imaging, &interval.outcome] {
        let cells = match view.cells(column) {
            Ok(cells) => cells,
            Err(fault) => {
                faults.push(*fault);
                return None;
            }
        };
        let mut found = Vec::new();
        for cell in cells {
            found.push(match cell {
                None => None,
                Some(cell) => match Date::parse(&cell) {
                    Some(date) => Some(date.days()),
                    None => {
                        faults.push(Diagnostic::error(
                            Code::NOT_A_NUMBER,
                            Place::Study(column.span),
                            format!(
                                "`{}` holds `{cell}`, which is no day (YYYY-MM-DD)",
                                column.name
                            ),
                        ));
                        return None;
                    }
                },
            });
        }
        days.push(found);
    }
    let apart: Vec<Option<i64>> = days[0]
        .iter()
        .zip(&days[1])
        .map(|(imaging, outcome)| Some((imaging.as_ref()? - outcome.as_ref()?).abs()))
        .collect();
    let unknown = apart.iter().filter(|days| days.is_none()).count();
    let late = apart.iter().flatten().filter(|days| **days > interval.days).count();
    let mut apart = apart.into_iter();
    rows.retain(|_| apart.next().flatten().is_some_and(|days| days <= interval.days));
    own.removed.push(Removed {
        reason: format!("imaging and outcome more than {} days apart", interval.days),
        n: late.into(),
    });
    own.removed.push(Removed {
        reason: "days of imaging or outcome unknown".to_string(),
        n: unknown.into(),
    });
    Some(())
}

/// Nobody on whom a model is judged may be among those on whom it was developed.
fn overlaps(study: &Study, survey: &Survey, faults: &mut Vec<Diagnostic>) {
    // What a scheme of other models trains on is none of the frozen ones' business.
    let developed: BTreeSet<&str> = study
        .validate
        .iter()
        .filter(|scheme| study.validate.first().is_some_and(|s| scheme.shares_with(s)))
        .map(|scheme| scheme.cohort.name.as_str())
        .collect();
    let external: Vec<&str> =
        study.external.iter().map(|cohort| cohort.name.as_str()).collect();
    let subjects = |name: &str| -> BTreeSet<&str> {
        let cohort = survey.cohorts.get(name);
        cohort.into_iter().flat_map(|c| &c.rows).map(|row| row.subject.as_str()).collect()
    };
    for (position, name) in external.iter().enumerate() {
        let own = subjects(name);
        for other in developed.iter().chain(&external[..position]) {
            let shared = own.intersection(&subjects(other)).count();
            if shared > 0 {
                let place = Place::Study(study.external[position].span);
                let message =
                    format!("cohorts `{name}` and `{other}` share {shared} patients");
                faults.push(Diagnostic::error(Code::OVERLAP, place, message).hint(
                    format!(
                        "exclude them: `exclude: [{{ rule: in {other}, reason: … }}]`"
                    ),
                ));
            }
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_spelling_differs_in_nothing_that_means_something() {
        for (a, b) in [("Site A", "site-a"), ("IDH mutant", "IDH-Mutant"), ("c", "C")] {
            assert!(same_letters(a, b), "{a} {b}");
        }
        for (a, b) in [("HER2+", "HER2-"), ("<2 cm", ">2 cm"), ("A", "B"), ("-", "?")] {
            assert!(!same_letters(a, b), "{a} {b}");
        }
    }
}
