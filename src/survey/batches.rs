//! What harmonising steps find beside the rows: batches and covariates that name patients, tell the
//! outcome or cannot be fitted, and held-out rows of a batch that no training row has.
//!
//! Says nothing of a column that is not there; `checks` names those.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Survey, SurveyedCohort, View};
use crate::data::{Rows, Split};
use crate::diagnostics::{Code, Diagnostic, Place};
use crate::operation::{AnyTableStep, Harmonising};
use crate::spec::{Cohort, Model, Named, Scheme, Study, Use};

pub(super) fn read(study: &Study, survey: &Survey, faults: &mut Vec<Diagnostic>) {
    // Models share most of what is said here.
    let mut looked: Vec<(&str, &Use, Option<&[String]>)> = Vec::new();
    for model in &study.models {
        let judges =
            |scheme: &&Scheme| scheme.models.iter().any(|m| m.name == model.name);
        for scheme in study.validate.iter().filter(judges) {
            for (used, step) in steps(model) {
                let Some(takes) = step.harmonises() else { continue };
                let scope = used.scope.as_deref();
                let same = |(place, known, on): &(&str, &Use, Option<&[String]>)| {
                    *place == scheme.name
                        && (known.span, *on) == (used.span, scope)
                        && known.changed == used.changed
                };
                if looked.iter().any(same) {
                    continue;
                }
                looked.push((&scheme.name, used, scope));
                let step = Step { study, survey, model, used, step, takes };
                let Some(known) = step.beside(&scheme.cohort.name) else { continue };
                let before = faults.len();
                step.columns(&known, faults);
                if faults.len() == before {
                    step.splits(scheme, &known, faults);
                    // What is frozen is trained as the first scheme says.
                    if study.validate.first().is_some_and(|s| s.name == scheme.name) {
                        step.external(&known, faults);
                    }
                }
            }
        }
    }
}

/// The steps of every way of preparing a model and of its selectors.
fn steps(model: &Model) -> impl Iterator<Item = (&Use, &Arc<dyn AnyTableStep>)> {
    let chains = model.branches.iter().map(|branch| &branch.prepare);
    chains.chain(&model.select).flat_map(|chain| chain.table_steps())
}

/// A harmonising step at its place.
struct Step<'a> {
    study: &'a Study,
    survey: &'a Survey,
    model: &'a Model,
    used: &'a Use,
    step: &'a Arc<dyn AnyTableStep>,
    takes: Harmonising<'a>,
}

/// What stands beside the rows of a cohort.
struct Beside<'a> {
    cohort: &'a Cohort,
    surveyed: &'a SurveyedCohort,
    /// The columns that the step wants, and no predictors.
    rows: Rows,
}

impl Beside<'_> {
    /// The cells of a column that the step wants.
    fn cells(&self, column: &str) -> &[Option<String>] {
        self.rows.beside(column).unwrap_or_default()
    }

    /// Those cells of these rows that the training rows do not hold.
    fn unseen(&self, column: &str, split: &Split) -> BTreeSet<&str> {
        let cells = self.cells(column);
        let of = |rows: &[u32]| -> BTreeSet<&str> {
            rows.iter().filter_map(|&row| cells.get(row as usize)?.as_deref()).collect()
        };
        let train = of(&split.train);
        of(&split.held_out).into_iter().filter(|cell| !train.contains(cell)).collect()
    }
}

/// How a step fares on splits.
#[derive(Default)]
struct Fared {
    splits: usize,
    /// Splits on which it fails, by the failure of the run.
    failed: BTreeMap<String, usize>,
    /// Splits that hold out unseen batches which are refused, and those batches.
    refused: usize,
    batches: BTreeSet<String>,
    /// Outer splits, and those of them on which it fails.
    outer: usize,
    outer_failed: usize,
}

impl Fared {
    /// The most frequent failure, and how many splits fail in all.
    fn failure(&self) -> Option<(&str, usize)> {
        let most = self.failed.iter().max_by_key(|(_, n)| **n)?;
        Some((most.0, self.failed.values().sum()))
    }
}

impl<'a> Step<'a> {
    /// The columns beside the rows of a cohort; none where one is not there.
    fn beside(&self, cohort: &str) -> Option<Beside<'a>> {
        let cohort = self.study.cohort(cohort)?;
        let surveyed = self.survey.cohorts.get(&cohort.name)?;
        let (study, survey) = (self.study, self.survey);
        let view = View { study, survey, cohort, rows: &surveyed.rows };
        let cells = |name: String| {
            let cells = view.cells(&Named { name: name.clone(), span: self.used.span });
            Some((name, cells.ok()?))
        };
        let columns: Option<BTreeMap<_, _>> =
            self.step.columns().into_iter().map(cells).collect();
        let rows = Rows::new(Vec::new(), surveyed.rows.len()).with_beside(columns?);
        Some(Beside { cohort, surveyed, rows })
    }

    fn error(&self, code: Code, message: String) -> Diagnostic {
        Diagnostic::error(code, Place::Study(self.used.span), message)
    }

    /// What the columns are, whatever the splits.
    fn columns(&self, known: &Beside<'_>, faults: &mut Vec<Diagnostic>) {
        let name = self.used.about.name;
        let batch = self.takes.batch;
        let identity = self.names_patients(known, batch);
        if identity || mostly_alone(known.cells(batch), &known.surveyed.groups) {
            let what = match identity {
                true => "it names patients or rows",
                false => "most of its values belong to one patient each",
            };
            let message = format!("`{batch}` is no batch of `{name}`: {what}");
            let hint = "a batch is what many patients share: scanner, site or protocol";
            faults.push(self.error(Code::UNHARMONISED, message).hint(hint));
            return;
        }
        for outcome in self.told(known, batch, Levels::Any) {
            let message = format!(
                "batch `{batch}` of `{name}` tells outcome `{outcome}`: each of its values has \
                 one class"
            );
            let hint = "held-out rows would be moved by their own outcome: name what they were \
                        measured with";
            faults.push(self.error(Code::RESTATES, message).hint(hint));
        }
        for covariate in self.takes.covariates {
            self.covariate(known, covariate, faults);
        }
    }

    fn covariate(&self, known: &Beside<'_>, name: &str, faults: &mut Vec<Diagnostic>) {
        let step = self.used.about.name;
        if self.names_patients(known, name) {
            let message = format!(
                "`{name}` is no covariate of `{step}`: it names patients or rows"
            );
            let hint = "a covariate is what patients share, such as sex, or a number";
            faults.push(self.error(Code::UNHARMONISED, message).hint(hint));
            return;
        }
        let values: BTreeSet<&String> = known.cells(name).iter().flatten().collect();
        if values.len() == 1 {
            let message = format!(
                "covariate `{name}` of `{step}` has one value in cohort `{}`, so that it has no \
                 effect to keep",
                known.cohort.name
            );
            faults.push(self.error(Code::UNHARMONISED, message).hint("leave it out"));
        }
        for outcome in self.told(known, name, Levels::Few) {
            let message = format!(
                "covariate `{name}` of `{step}` is outcome `{outcome}` under other names"
            );
            let hint =
                "what a covariate explains is kept in held-out rows too: leave it out";
            faults.push(self.error(Code::RESTATES, message).hint(hint));
        }
        if let Some(block) = self.harmonised(known, name) {
            let message = format!(
                "covariate `{name}` of `{step}` stands in block `{block}`, which is harmonised"
            );
            let hint = format!(
                "its own effect would be all that is kept of it: leave it out, or harmonise \
                 other blocks: `harmonise: {{ BLOCK: [{step}: …] }}`"
            );
            faults.push(self.error(Code::UNHARMONISED, message).hint(hint));
        }
    }

    /// Whether a column is an id of a source, or that of patients or rows.
    fn names_patients(&self, known: &Beside<'_>, column: &str) -> bool {
        let rows = &known.surveyed.rows;
        let (study, survey) = (self.study, self.survey);
        let view = View { study, survey, cohort: known.cohort, rows };
        let place = view.place(column);
        let is_id = |(source, column): &(String, String)| {
            let keyed = study.source(source).and_then(|source| source.keyed());
            keyed.is_some_and(|keyed| keyed.id_columns().contains(&column.as_str()))
        };
        let subject = known.cohort.subject.as_ref();
        let is_subject = |place: &(String, String)| {
            subject
                .is_some_and(|subject| view.place(&subject.name).as_ref() == Some(place))
        };
        let cells = known.cells(column);
        let mut each = cells.iter().zip(rows);
        place.is_some_and(|place| is_id(&place) || is_subject(&place))
            || !rows.is_empty()
                && each.all(|(cell, row)| {
                    cell.as_ref().is_some_and(|c| *c == row.id || *c == row.subject)
                })
    }

    /// The outcomes that a column tells: each of its values, at least two, has one class.
    fn told(&self, known: &Beside<'_>, column: &str, levels: Levels) -> Vec<&'a str> {
        let cells = known.cells(column);
        let tells = |outcome: &str| {
            let place = (outcome.to_string(), known.cohort.name.clone());
            let Some(of) = self.survey.outcomes.get(&place) else { return false };
            one_class_each(cells, &of.classes, levels)
        };
        let names = self.study.outcomes.iter().map(|outcome| outcome.name.as_str());
        names.filter(|outcome| tells(outcome)).collect()
    }

    /// The block of a predictor that the step harmonises itself.
    fn harmonised(&self, known: &Beside<'_>, column: &str) -> Option<&'a str> {
        let rows = &known.surveyed.rows;
        let (study, survey) = (self.study, self.survey);
        let place = View { study, survey, cohort: known.cohort, rows }.place(column)?;
        let blocks = self.model.blocks.iter().map(|block| block.name.as_str());
        let on = |block: &&str| {
            let scope = self.used.scope.as_ref();
            scope.is_none_or(|scope| scope.iter().any(|known| known == block))
        };
        blocks.filter(on).find(|block| {
            let mut columns = survey.columns.get(*block).into_iter().flatten();
            columns.any(|c| (&c.source, &c.column) == (&place.0, &place.1))
        })
    }

    /// How it fares on the splits of a scheme.
    fn splits(&self, scheme: &Scheme, known: &Beside<'_>, faults: &mut Vec<Diagnostic>) {
        // Outcomes share their rows; the first says which batches are held out.
        let mut outcomes = self.study.outcomes.iter();
        let splits = outcomes.find_map(|outcome| {
            self.survey.splits.get(&(scheme.name.clone(), outcome.name.clone()))
        });
        let Some(splits) = splits else { return };
        let mut fared = Fared::default();
        for outer in splits.repeats.iter().flatten() {
            fared.outer += 1;
            fared.outer_failed +=
                usize::from(self.fails(&outer.split, known, &mut fared));
            for inner in &outer.inner {
                self.fails(inner, known, &mut fared);
            }
        }
        let place = format!("scheme `{}`", scheme.name);
        match fared.failure() {
            Some((failure, _)) if fared.outer_failed == fared.outer => {
                let message = format!(
                    "`{}` has no result on any outer split of {place}: {failure}",
                    self.used.about.name
                );
                faults.push(
                    self.with_remedies(self.error(Code::UNHARMONISED, message), known),
                );
                return;
            }
            Some((failure, n)) => {
                let message = format!(
                    "`{}` fails on {n} of {} splits of {place}: {failure}",
                    self.used.about.name, fared.splits
                );
                let place = Place::Study(self.used.span);
                let fault = Diagnostic::warning(Code::PARTLY_HARMONISED, place, message);
                let fault = self.with_remedies(fault, known);
                faults.push(fault.hint(NO_RESULT));
            }
            None => {}
        }
        if fared.refused > 0 {
            let (n, of) = (fared.refused, fared.splits);
            let place = format!("splits of {place}");
            let how_many = match of {
                1 => format!("{place} has"),
                _ => format!("{n} of {of} {place} hold out"),
            };
            faults.push(self.refused(&how_many, &fared.batches, known));
        }
    }

    /// How a frozen model fares in external cohorts.
    fn external(&self, known: &Beside<'_>, faults: &mut Vec<Diagnostic>) {
        for external in &self.study.external {
            let Some(met) = self.beside(&external.name) else { continue };
            let train: BTreeSet<&String> =
                known.cells(self.takes.batch).iter().flatten().collect();
            let is_new = |cell: &&String| !train.contains(cell);
            let cells = met.cells(self.takes.batch).iter().flatten();
            let new: BTreeSet<String> = cells.filter(is_new).cloned().collect();
            let place = format!("external cohort `{}`", external.name);
            if self.takes.refuses_unseen && !new.is_empty() {
                faults.push(self.refused(&format!("{place} has"), &new, &met));
                continue;
            }
            if let Err(failure) = self.step.check_beside(&known.rows, &met.rows) {
                let name = self.used.about.name;
                let message = format!("`{name}` fails in {place}: {failure}");
                let place = Place::Study(self.used.span);
                let fault = Diagnostic::warning(Code::PARTLY_HARMONISED, place, message);
                faults.push(self.with_remedies(fault, &met).hint(NO_RESULT));
            }
        }
    }

    /// Whether it fails on a split, and why, into what is counted, as are the batches that it refuses.
    fn fails(&self, split: &Split, known: &Beside<'_>, fared: &mut Fared) -> bool {
        fared.splits += 1;
        let unseen = match self.takes.refuses_unseen {
            true => known.unseen(self.takes.batch, split),
            false => BTreeSet::new(),
        };
        fared.refused += usize::from(!unseen.is_empty());
        fared.batches.extend(unseen.iter().map(|batch| (*batch).to_string()));
        let cells = known.cells(self.takes.batch);
        let is_met = |row: &usize| {
            cells[*row].as_deref().is_none_or(|batch| !unseen.contains(batch))
        };
        let positions = |rows: &[u32]| -> Vec<usize> {
            rows.iter().map(|&row| row as usize).collect()
        };
        let train = known.rows.take(&positions(&split.train));
        let mut held_out = positions(&split.held_out);
        held_out.retain(is_met);
        let fits = self.step.check_beside(&train, &known.rows.take(&held_out));
        if let Err(failure) = &fits {
            *fared.failed.entry(failure.to_string()).or_default() += 1;
        }
        fits.is_err()
    }

    /// What can be done about batches and covariates as they are.
    fn with_remedies(&self, mut fault: Diagnostic, known: &Beside<'_>) -> Diagnostic {
        let columns = std::iter::once(self.takes.batch)
            .chain(self.takes.covariates.iter().map(String::as_str));
        for column in columns {
            if known.cells(column).iter().any(Option::is_none) {
                fault = fault.hint(format!(
                    "leave rows without `{column}` out of the cohort: `exclude: [{{ rule: \
                     \"{} is missing\", reason: REASON }}]`",
                    in_rules(column)
                ));
            }
        }
        let sizes = sizes(known.cells(self.takes.batch));
        if sizes.len() == 1 {
            fault = fault.hint(
                "a batch is one of two at least: name another column, or leave the step out",
            );
        }
        if sizes.values().any(|n| *n < ENOUGH) && sizes.len() > 1 {
            fault = fault.hint(format!(
                "some values of `{0}` have few rows: leave these out of the cohort (`exclude: \
                 [{{ rule: \"{1} in [NAME, …]\", reason: REASON }}]`), or join them under one name \
                 by `derive:`",
                self.takes.batch,
                in_rules(self.takes.batch)
            ));
        }
        match self.takes.reference.filter(|name| !sizes.contains_key(name)) {
            Some(reference) => {
                let large = sizes.iter().filter(|(_, n)| **n >= ENOUGH);
                fault.suggest(reference, large.map(|(name, _)| *name))
            }
            None => fault,
        }
    }

    fn refused(
        &self,
        how_many: &str,
        batches: &BTreeSet<String>,
        known: &Beside<'_>,
    ) -> Diagnostic {
        const SHOWN: usize = 5;
        // What one patient alone has is as good as a name.
        let sizes = sizes(known.cells(self.takes.batch));
        let names = batches.iter().map(String::as_str);
        let mut names: Vec<&str> =
            names.filter(|name| sizes.get(name).is_some_and(|n| *n > 1)).collect();
        names.truncate(SHOWN);
        let listed = match (names.join(", "), batches.len() - names.len()) {
            (listed, 0) => listed,
            (listed, more) if listed.is_empty() => format!("{more} of one row each"),
            (listed, more) => format!("{listed} and {more} more"),
        };
        Diagnostic::warning(
            Code::UNSEEN_BATCH,
            Place::Study(self.used.span),
            format!(
                "`{}` refuses rows of a `{}` that it has not met in training, and {how_many} \
                 such: {listed}",
                self.used.about.name, self.takes.batch
            ),
        )
        .hint("say what they mean: `unseen: pooled`, `unseen: reference` or `unseen: transductive`")
        .hint(NO_RESULT)
    }
}

const NO_RESULT: &str = "as it stands, what rests on these has no result";

/// Below this many rows some training set of usual schemes hardly holds two of them.
const ENOUGH: usize = 4;

/// How many values a column may have that is told to be the outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Levels {
    /// Any number: each is a group of rows that is treated alike.
    Any,
    /// Two, or few for the rows: many small groups have one class by chance.
    Few,
}

/// Whether each value of a column, at least two, has rows of one class only.
fn one_class_each(
    cells: &[Option<String>],
    classes: &[Option<bool>],
    levels: Levels,
) -> bool {
    let mut of: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    for (cell, class) in cells.iter().zip(classes) {
        if let (Some(cell), Some(class)) = (cell, class) {
            of.entry(cell).or_default()[usize::from(*class)] += 1;
        }
    }
    let rows: usize = of.values().flatten().sum();
    let few = levels == Levels::Any || of.len() == 2 || of.len() * 5 <= rows;
    of.len() >= 2
        && few
        && of.values().all(|[negative, positive]| negative * positive == 0)
}

/// A column as rules write it.
fn in_rules(column: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let starts = column.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    match starts && column.chars().all(plain) {
        true => column.to_string(),
        false => format!("`{column}`"),
    }
}

/// The number of rows of each value.
fn sizes(cells: &[Option<String>]) -> BTreeMap<&str, usize> {
    let mut sizes = BTreeMap::new();
    for cell in cells.iter().flatten() {
        *sizes.entry(cell.as_str()).or_insert(0) += 1;
    }
    sizes
}

/// Whether most values of a column belong to one patient each.
fn mostly_alone(cells: &[Option<String>], groups: &[u32]) -> bool {
    let mut patients: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
    for (cell, group) in cells.iter().zip(groups) {
        if let Some(cell) = cell {
            patients.entry(cell).or_default().insert(*group);
        }
    }
    let alone = patients.values().filter(|of| of.len() == 1).count();
    // One batch alone is another fault.
    patients.len() > 1 && 2 * alone > patients.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(of: &[&str]) -> Vec<Option<String>> {
        of.iter().map(|cell| (!cell.is_empty()).then(|| cell.to_string())).collect()
    }

    #[test]
    fn a_batch_whose_values_have_one_class_each_tells_the_outcome() {
        let classes = [true, true, false, false, true, false].map(Some);
        let told = |of: &[&str], levels| one_class_each(&cells(of), &classes, levels);
        assert!(told(&["p", "p", "n", "n", "p", "n"], Levels::Any));
        assert!(told(&["p", "p", "n", "n", "p", "n"], Levels::Few));
        assert!(told(&["a", "a", "n", "n", "b", "m"], Levels::Any));
        // Four values of six rows may well do so by chance.
        assert!(!told(&["a", "a", "n", "n", "b", "m"], Levels::Few));
        assert!(!told(&["p", "p", "p", "n", "p", "n"], Levels::Any));
        assert!(!told(&["p"; 6], Levels::Any));
        assert!(!told(&["", "", "n", "n", "", "n"], Levels::Any));
    }

    #[test]
    fn a_column_of_which_most_values_are_of_one_patient_is_no_batch() {
        let groups = [0, 1, 2, 3, 4, 5];
        let alone = |of: &[&str]| mostly_alone(&cells(of), &groups);
        assert!(alone(&["0.1", "0.2", "0.3", "0.4", "0.4", "0.5"]));
        assert!(!alone(&["a", "a", "b", "b", "b", "Solo"]));
        assert!(!alone(&["a"; 6]));
        // Two rows of one patient are one patient.
        assert!(mostly_alone(&cells(&["a", "a", "b", "b"]), &[7, 7, 8, 8]));
    }
}
