//! What is known of each outcome, and how each scheme divides those of whom it is known.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use serde_json::json;

use crate::data::{Assay, Call, Called, Population, Split, Splits, Table};
use crate::diagnostics::{Code, Diagnostic, Place};
use crate::digest::{Digest, canonical_json};
use crate::operation::{AnyDerivation, Failure, Instance, Judged};
use crate::spec::{Cohort, Named, OnConflict, Outcome, Scheme, Study};
use crate::store::Store;

use super::held::HeldTable;
use super::sources::no_column;
use super::view::Fault;
use super::{
    CohortRow, Content, Reading, Survey, SurveyedCohort, SurveyedOutcome, SurveyedSource,
    View,
};

pub(super) fn read(
    study: &Study,
    reading: &Reading<'_>,
    survey: &mut Survey,
    faults: &mut Vec<Diagnostic>,
) {
    // Without a sound scheme outcomes are looked at all the same, so that their faults are named.
    let mut cohorts: Vec<&str> =
        study.validate.iter().map(|scheme| scheme.cohort.name.as_str()).collect();
    cohorts.extend(study.external.iter().map(|cohort| cohort.name.as_str()));
    if cohorts.is_empty() {
        cohorts.extend(study.cohorts.iter().map(|cohort| cohort.name.as_str()));
    }
    cohorts.sort_unstable();
    cohorts.dedup();
    for cohort in cohorts {
        let Some(surveyed) = survey.cohorts.get(cohort).cloned() else { continue };
        let Some(of_cohort) = study.cohort(cohort) else { continue };
        // What is sealed is not looked at: a node that needs the frozen model opens it.
        if of_cohort.sealed {
            continue;
        }
        for outcome in &study.outcomes {
            if !study.looks_at(&outcome.name, cohort) {
                continue;
            }
            let known =
                derive(study, reading, outcome, of_cohort, &surveyed, survey, faults);
            if let Some(known) = known {
                survey.outcomes.insert((outcome.name.clone(), cohort.to_string()), known);
            }
        }
    }
    for scheme in &study.validate {
        let Some(cohort) = survey.cohorts.get(&scheme.cohort.name).cloned() else {
            continue;
        };
        for outcome in study.outcomes.iter().filter(|o| scheme.judges(&o.name)) {
            let place = (outcome.name.clone(), scheme.cohort.name.clone());
            let Some(known) = survey.outcomes.get(&place).cloned() else { continue };
            if known.count(Some(true)) == 0 || known.count(Some(false)) == 0 {
                continue; // Named already, where the outcome was derived.
            }
            let population = match population(study, survey, scheme, &cohort, &known) {
                Ok(population) => population,
                Err(fault) => {
                    faults.push(*fault);
                    continue;
                }
            };
            match stored_splits(
                study,
                reading,
                scheme,
                outcome,
                &known,
                &population,
                survey,
            ) {
                Ok(splits) => {
                    let place = (scheme.name.clone(), outcome.name.clone());
                    faults.extend(few_per_fold(scheme, outcome, &population, &splits));
                    survey.splits.insert(place, splits);
                }
                Err(failure) => {
                    faults.push(too_few(scheme, outcome, &population, &failure));
                }
            }
            let first = study.validate.first().is_some_and(|s| s.name == scheme.name);
            if first && study.freezes_for(outcome) {
                let Instance::Resampling(resampling) = &scheme.resampling.instance else {
                    unreachable!("`spec` puts a resampling scheme here")
                };
                // Too few for inner folds is named above.
                if let Ok(inner) = resampling.whole(&population, study.seed) {
                    survey.frozen.insert(outcome.name.clone(), inner);
                }
            }
        }
    }
}

/// Below this many patients of a class in a held-out fold, estimates are hardly any.
const FEW: usize = 3;

fn few_per_fold(
    scheme: &Scheme,
    outcome: &Outcome,
    population: &Population,
    splits: &Splits,
) -> Option<Diagnostic> {
    let Instance::Resampling(resampling) = &scheme.resampling.instance else {
        unreachable!("`spec` puts a resampling scheme here")
    };
    // Sites are as large as they are; small ones are shown and not pooled.
    if resampling.judged() == Judged::Sites {
        return None;
    }
    // A patient's rows stay on one side, so that folds divide patients.
    let smaller = patients_of(population, true).min(patients_of(population, false));
    let outer = splits.repeats.first().map_or(0, Vec::len);
    (outer > 1 && smaller / outer < FEW).then(|| {
        Diagnostic::warning(
            Code::FEW_PER_FOLD,
            Place::Study(scheme.resampling.span),
            format!(
                "the smaller class of outcome `{}` has {smaller} {} for {outer} folds of scheme `{}`",
                outcome.name,
                if smaller == 1 { "patient" } else { "patients" },
                scheme.name
            ),
        )
        .hint("use fewer folds, or read the intervals with care")
    })
}

/// What one derivation is given: the rows of its source that belong to these.
struct Given {
    table: Table,
    ids: Vec<String>,
}

/// What one derivation asks for; its table is not looked into before [`Wanted::given`].
struct Wanted<'s> {
    held: &'s HeldTable,
    asked: Vec<String>,
    assayed: Option<Arc<Vec<String>>>,
    /// Columns under the names of the cohort: old and new.
    renamed: Vec<(&'s str, &'s str)>,
    shown: String,
}

fn wanted<'s>(
    study: &Study,
    survey: &'s Survey,
    derivation: &'s Arc<dyn AnyDerivation>,
    cohort: &'s Cohort,
    rows: &[CohortRow],
) -> Option<Result<Wanted<'s>, Failure>> {
    let asked_of = derivation.source().unwrap_or(&cohort.from.name);
    let place = match derivation.source() {
        Some(source) => cohort.place(source, "").source,
        None => cohort.from.name.clone(),
    };
    let SurveyedSource { content, files } = survey.sources.get(&place)?;
    let Content::Table { table, assayed, .. } = content else {
        let message = format!("`{place}` is no table");
        return Some(Err(Failure::Unreadable(message)));
    };
    // Tables are joined by row, mutations belong to the patient.
    let by_subject = study.source(&place).is_some_and(crate::spec::Source::is_maf);
    let known: HashSet<&str> = match assayed {
        Some(assayed) => assayed.iter().map(String::as_str).collect(),
        None => table.ids().cells().collect(),
    };
    let asked = rows
        .iter()
        .map(|row| {
            let id = if by_subject { &row.subject } else { &row.id };
            let known = cohort.known_as(id).find(|id| known.contains(id));
            known.unwrap_or(id).to_string()
        })
        .collect();
    let map = cohort.map.iter().find(|map| map.of.name == asked_of);
    let columns = map.iter().flat_map(|map| &map.columns);
    let renamed = columns.map(|m| (m.column.as_str(), m.name.name.as_str())).collect();
    let shown = files.first().map_or(place, |file| file.shown.clone());
    Some(Ok(Wanted { held: table, asked, assayed: assayed.clone(), renamed, shown }))
}

impl Wanted<'_> {
    fn given(&self) -> Given {
        let wanted: BTreeSet<&str> = self.asked.iter().map(String::as_str).collect();
        let table = self.held.table();
        // Both ascend, so the rows stay in order.
        let kept: Vec<usize> = wanted.iter().flat_map(|id| table.rows(id)).collect();
        let mut table = table.take(&kept);
        if !self.renamed.is_empty() {
            let (ids, mut columns) = table.into_columns();
            for (old, new) in &self.renamed {
                if let Some(found) = columns.iter().find(|c| c.name == *old) {
                    let mut renamed = found.clone();
                    renamed.name = (*new).to_string();
                    columns.retain(|column| column.name != renamed.name);
                    columns.push(renamed);
                }
            }
            table = Table::sorted(ids, columns);
        }
        let ids = table.ids().cells().map(str::to_string).collect();
        Given { table, ids }
    }

    /// What is seen of the source: the rows that belong to these and no other.
    ///
    /// Which rows those are follows from the whole table, so that a table of which it is known need
    /// not be decoded for it.
    fn seen(&self, store: &Store) -> serde_json::Value {
        let assayed = self.assayed.as_deref();
        let assayed = assayed.map(|ids| Digest::of(ids.join("\n").as_bytes()));
        let asked = Digest::of(self.asked.join("\n").as_bytes());
        let whole = canonical_json(&json!([self.held.digest(), asked, self.renamed]));
        let key = Digest::derive("restudy rows seen v1", whole.as_bytes());
        let before = store.index_get(&key).and_then(|bytes| bytes.try_into().ok());
        let rows = before.map(Digest::from_bytes).unwrap_or_else(|| {
            let rows = crate::data::Value::Table(self.given().table).digest();
            // The index is disposable: without it the table is decoded.
            drop(store.index_put(&key, rows.as_bytes()));
            rows
        });
        json!([rows, assayed, asked])
    }
}

/// What an outcome is in these rows of a cohort. Looks at no other row of any source.
///
/// # Errors
/// What a derivation cannot read, with the name of its file.
pub fn call(
    study: &Study,
    survey: &Survey,
    outcome: &Outcome,
    cohort: &Cohort,
    rows: &[CohortRow],
) -> Result<Called, (Failure, String)> {
    let mut calls = vec![Call::Unknown; rows.len()];
    let mut called = Called { calls: Vec::new(), decided: Vec::new(), conflicts: 0 };
    let mut conflicting = vec![false; rows.len()];
    for (_, derivation) in outcome.instances() {
        let joins = |source| cohort.joins(&cohort.place(source, "").source);
        if outcome.derivations.len() > 1 && !derivation.source().is_none_or(joins) {
            called.decided.push(0); // It knows nobody here.
            continue;
        }
        let wanted = match wanted(study, survey, derivation, cohort, rows) {
            Some(Ok(wanted)) => wanted,
            Some(Err(failure)) => return Err((failure, String::new())),
            None => {
                let failure = Failure::Unreadable("a source is missing".to_string());
                return Err((failure, String::new()));
            }
        };
        let given = wanted.given();
        let assayed = wanted.assayed.as_deref().map(Vec::as_slice);
        let assay = Assay { table: &given.table, ids: &given.ids, assayed };
        let found = derivation
            .derive(assay, &wanted.asked)
            .map_err(|failure| (failure, wanted.shown.clone()))?;
        let mut decided = 0;
        for ((known, found), conflict) in
            calls.iter_mut().zip(found).zip(&mut conflicting)
        {
            match (*known, found) {
                (Call::Unknown, Call::Unknown) | (_, Call::Unknown) => {}
                (Call::Unknown, found) => {
                    *known = found;
                    decided += 1;
                }
                (known, found) => *conflict |= known != found,
            }
        }
        called.decided.push(decided);
    }
    called.conflicts = conflicting.iter().filter(|conflict| **conflict).count();
    if outcome.on_conflict == OnConflict::Missing {
        for (known, conflict) in calls.iter_mut().zip(conflicting) {
            if conflict {
                *known = Call::Unknown;
            }
        }
    }
    called.calls = calls;
    Ok(called)
}

fn derive(
    study: &Study,
    reading: &Reading<'_>,
    outcome: &Outcome,
    cohort: &Cohort,
    surveyed_cohort: &SurveyedCohort,
    survey: &mut Survey,
    faults: &mut Vec<Diagnostic>,
) -> Option<SurveyedOutcome> {
    let mut seen = Vec::new();
    for (_, derivation) in outcome.instances() {
        match wanted(study, survey, derivation, cohort, &surveyed_cohort.rows)? {
            Ok(wanted) => seen.push(wanted.seen(reading.store)),
            Err(failure) => {
                faults.push(Diagnostic::error(
                    Code::WRONG_TYPE,
                    Place::Study(outcome.span),
                    format!("no outcome can come from there: {failure}"),
                ));
                return None;
            }
        }
    }
    let node = format!("outcome/{}/{}", outcome.name, cohort.name);
    let preimage = canonical_json(&json!({
        "work": "outcome", "identity": outcome.identity(), "seen": seen,
    }));
    let mut shown = String::new();
    let made = reading.stored(node, preimage, || {
        call(study, survey, outcome, cohort, &surveyed_cohort.rows).map_err(
            |(failure, file)| {
                shown = file;
                failure
            },
        )
    });
    match made {
        Ok((called, performed)) => {
            survey.performed.push(performed);
            let known = surveyed(called);
            faults.extend(disagreeing(outcome, cohort, &known));
            if known.count(Some(true)) == 0 || known.count(Some(false)) == 0 {
                faults.push(one_class(outcome, &cohort.name, &known, survey));
            }
            if outcome.refuse_missing && known.count(None) > 0 {
                faults.push(Diagnostic::error(
                    Code::OUTCOME_VALUE,
                    Place::Study(outcome.span),
                    format!(
                        "outcome `{}` is unknown for {} {} of cohort `{}`, and `missing: \
                         refuse` was said",
                        outcome.name,
                        known.count(None),
                        if known.count(None) == 1 { "row" } else { "rows" },
                        cohort.name
                    ),
                ));
            }
            Some(known)
        }
        Err(failure) => {
            faults.push(underivable(outcome, &failure, &shown));
            None
        }
    }
}

/// What is said when derivations know the same rows differently.
fn disagreeing(
    outcome: &Outcome,
    cohort: &Cohort,
    known: &SurveyedOutcome,
) -> Option<Diagnostic> {
    let n = known.conflicts;
    if n == 0 {
        return None;
    }
    let place = Place::Study(outcome.span);
    let message = format!(
        "the derivations of outcome `{}` disagree on {n} {} of cohort `{}`",
        outcome.name,
        if n == 1 { "row" } else { "rows" },
        cohort.name
    );
    Some(match outcome.on_conflict {
        OnConflict::Refuse => Diagnostic::error(Code::DISAGREEMENT, place, message)
            .hint("`on_conflict: first` or `missing` says what counts then"),
        OnConflict::First => Diagnostic::warning(
            Code::CONFLICT,
            place,
            format!("{message}; the first counts"),
        ),
        OnConflict::Missing => Diagnostic::warning(
            Code::CONFLICT,
            place,
            format!("{message}; those are unknown"),
        ),
    })
}

/// The splits of a scheme, assigned once and kept.
fn stored_splits(
    study: &Study,
    reading: &Reading<'_>,
    scheme: &Scheme,
    outcome: &Outcome,
    known: &SurveyedOutcome,
    population: &Population,
    survey: &mut Survey,
) -> Result<Splits, Failure> {
    let subjects: Vec<u8> =
        population.subjects.iter().flat_map(|subject| subject.to_le_bytes()).collect();
    let columns = json!(population.columns);
    let preimage = canonical_json(&json!({
        "work": "splits", "identity": scheme.resampling.identity(), "outcome": known.digest,
        "groups": Digest::of(&subjects), "seed": scheme.resampling.random.then_some(study.seed),
        "columns": Digest::of(canonical_json(&columns).as_bytes()),
    }));
    let node = format!("splits/{}/{}", scheme.name, outcome.name);
    let Instance::Resampling(resampling) = &scheme.resampling.instance else {
        unreachable!("`spec` puts a resampling scheme here")
    };
    let assigned =
        reading.stored(node, preimage, || resampling.assign(population, study.seed));
    let (splits, performed) = assigned?;
    survey.performed.push(performed);
    Ok(splits)
}

pub(super) fn surveyed(called: Called) -> SurveyedOutcome {
    let classes: Vec<Option<bool>> = called.calls.into_iter().map(Call::class).collect();
    let bytes: Vec<u8> = classes.iter().map(|class| class.map_or(2, u8::from)).collect();
    SurveyedOutcome {
        classes: Arc::new(classes),
        digest: Digest::of(&bytes),
        decided: called.decided,
        conflicts: called.conflicts,
    }
}

/// The rows of a cohort whose outcome is known, with what a scheme divides them by.
pub fn population(
    study: &Study,
    survey: &Survey,
    scheme: &Scheme,
    cohort: &SurveyedCohort,
    known: &SurveyedOutcome,
) -> Result<Population, Fault> {
    let mut population = divided(cohort, known);
    let Instance::Resampling(resampling) = &scheme.resampling.instance else {
        unreachable!("`spec` puts a resampling scheme here")
    };
    let of_cohort = study.cohort(&scheme.cohort.name);
    for column in resampling.columns() {
        let Some(of_cohort) = of_cohort else { break };
        let named = Named { name: column.clone(), span: scheme.resampling.span };
        let from = column.split_once('.').map(|(source, _)| source);
        let mut joined = of_cohort.clone();
        // A file of folds is read by id without being joined.
        if let Some(from) = from
            && study.source(from).is_some()
            && !joined.joins(from)
        {
            let source = Named { name: from.to_string(), span: named.span };
            joined.join.push(crate::spec::Join { source, required: false });
        }
        let view = View { study, survey, cohort: &joined, rows: &cohort.rows };
        // `outcome` is no column, but may be meant.
        let meant = |fault: Fault| match fault.label {
            None => Box::new(fault.suggest(&column, ["outcome"])),
            Some(_) => fault,
        };
        let cells = view.cells(&named).map_err(meant)?;
        let cells = population
            .rows
            .iter()
            .map(|row| cells[*row as usize].clone().unwrap_or_default());
        let cells = cells.collect();
        population.columns.push((column, cells));
    }
    Ok(population)
}

/// The rows of a cohort whose outcome is known.
pub(super) fn divided(cohort: &SurveyedCohort, known: &SurveyedOutcome) -> Population {
    let mut population = Population {
        rows: Vec::new(),
        outcome: Vec::new(),
        subjects: Vec::new(),
        columns: Vec::new(),
    };
    for (row, class) in known.classes.iter().enumerate() {
        if let Some(class) = class {
            population.rows.push(row as u32);
            population.outcome.push(*class);
            population.subjects.push(cohort.groups[row]);
        }
    }
    population
}

/// The splits of a population without data behind it.
pub(super) fn assign(
    study: &Study,
    scheme: &Scheme,
    population: &Population,
) -> Result<(Splits, Vec<Split>), Failure> {
    let Instance::Resampling(resampling) = &scheme.resampling.instance else {
        unreachable!("`spec` puts a resampling scheme here")
    };
    Ok((
        resampling.assign(population, study.seed)?,
        resampling.whole(population, study.seed)?,
    ))
}

fn one_class(
    outcome: &Outcome,
    cohort: &str,
    known: &SurveyedOutcome,
    survey: &Survey,
) -> Diagnostic {
    let fault = Diagnostic::error(
        Code::ONE_CLASS,
        Place::Study(outcome.derivations[0].span),
        format!(
            "outcome `{}` has {} positive, {} negative and {} unknown rows in cohort `{}`",
            outcome.name,
            known.count(Some(true)),
            known.count(Some(false)),
            known.count(None),
            cohort
        ),
    )
    .hint(match known.count(None) == known.classes.len() {
        true => "nobody's outcome is known: is it the right column, and is anybody joined to it?",
        false => "compare the spelling of gene, class or value with the source",
    });
    // Who leaves may be all of a class.
    let flow = survey.cohorts.get(cohort).map_or(&[][..], |of| of.flow.as_slice());
    let removed = flow.iter().flat_map(|of| &of.removed).filter(|of| of.n > 0);
    removed.fold(fault, |fault, of| fault.hint(format!("{} left: {}", of.n, of.reason)))
}

/// Why a scheme cannot divide these patients, with their class and what would be held out.
fn too_few(
    scheme: &Scheme,
    outcome: &Outcome,
    population: &Population,
    failure: &Failure,
) -> Diagnostic {
    let (cohort, outcome, name) = (&scheme.cohort.name, &outcome.name, &scheme.name);
    let of_class = |positive: bool| patients_of(population, positive);
    let patients = |n: usize, positive: bool| {
        let class = if positive { "positive" } else { "negative" };
        format!("{n} {class} {}", if n == 1 { "patient" } else { "patients" })
    };
    let (message, hint) = match failure {
        Failure::TooFewForFolds { needed, found, positive, held_out: None } => (
            format!(
                "outcome `{outcome}` has {} in cohort `{cohort}`, and scheme `{name}` needs {needed}",
                patients(*found, *positive)
            ),
            match *found {
                0 | 1 => FEWEST.to_string(),
                most => format!("use at most {most} folds"),
            },
        ),
        Failure::TooFewForFolds { needed, found, positive, held_out: Some(held) } => {
            let all = of_class(*positive);
            let message = format!(
                "where {held} of scheme `{name}` is held out, {} of outcome `{outcome}` {} left in \
                 cohort `{cohort}`, too few for {needed} inner folds",
                patients(*found, *positive),
                if *found == 1 { "is" } else { "are" }
            );
            let hint = match *found {
                _ if all < 3 => FEWEST.to_string(),
                0 => format!("{held} holds all of them: divide these patients otherwise"),
                1 => "hold out fewer of them at a time: more outer folds, a smaller share, or other \
                      folds"
                    .to_string(),
                most => format!("use at most {most} inner folds: `inner: {most}`"),
            };
            (message, hint)
        }
        Failure::TooFewParts { column, needed, found } => (
            format!(
                "column `{column}` has {found} {} in cohort `{cohort}`, and scheme `{name}` needs \
                 {needed}",
                if *found == 1 { "value" } else { "values" }
            ),
            "name a column that divides the patients, or use another scheme".to_string(),
        ),
        other => (
            format!(
                "scheme `{name}` cannot divide the {} and {} of outcome `{outcome}` in cohort \
                 `{cohort}`: {other}",
                patients(of_class(true), true),
                patients(of_class(false), false)
            ),
            "correct the columns that the scheme reads".to_string(),
        ),
    };
    Diagnostic::error(Code::TOO_FEW, Place::Study(scheme.resampling.span), message)
        .hint(hint)
}

/// What no number of folds can make up for.
const FEWEST: &str = "every scheme needs 3 patients of each class at least: one is held out, and inner \
                      folds divide the others";

/// How many patients are of a class; those with any positive row are positive.
fn patients_of(population: &Population, positive: bool) -> usize {
    let mut of: BTreeMap<u32, bool> = BTreeMap::new();
    for (subject, class) in population.subjects.iter().zip(&population.outcome) {
        *of.entry(*subject).or_default() |= class;
    }
    of.values().filter(|class| **class == positive).count()
}

fn underivable(outcome: &Outcome, failure: &Failure, shown: &str) -> Diagnostic {
    let place = Place::Study(outcome.derivations[0].span);
    match failure {
        Failure::NoColumn { column, known } => {
            no_column(place, column, shown, known.iter().map(String::as_str))
        }
        Failure::Undeclared { .. } => {
            Diagnostic::error(Code::OUTCOME_VALUE, place, failure.to_string())
                .hint(format!("the column stands in {shown}"))
                .hint(
                    "declare `negative:`, and what further values are: `other: missing` or `other: \
                     negative`; or correct the value",
                )
        }
        Failure::NotAssayed => {
            Diagnostic::error(Code::NOT_ASSAYED, place, failure.to_string())
                .hint("add `assayed: { from: SOURCE }` to the source of mutations")
        }
        other => Diagnostic::error(
            Code::WRONG_TYPE,
            place,
            format!("cannot derive outcome `{}`: {other}", outcome.name),
        ),
    }
}
