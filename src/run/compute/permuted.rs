//! The whole procedure on permuted outcomes: what it achieves when there is nothing to find.
//!
//! Splits, preparation, selection, tuning, fits and scores are all done again. They live in memory. Where
//! candidates are chosen by what each of them has by itself, that is kept by selector and learner: another
//! one is then tried alone, and all that is left to do is to choose and to fit what is chosen.

use std::borrow::Cow;
use std::ops::Range;

use super::measured::levels;
use super::procedure::Procedure;
use super::splits::{facts, procedure, with_beside};
use super::tuning::{Cell, metric};
use super::{ComputeError, Computed, Inputs, input};
use crate::data::{Frame, OuterSplit, Population, Predictions, Trial, Value};
use crate::math::{Stream, mean};
use crate::operation::{AnyMetric, AnyResampling, Failure, Instance, Scored};
use crate::spec::{Chain, Permutation, Study, Use};
use crate::statistics::permuted;
use crate::survey::population;

/// What an analysis achieves on permuted outcomes, one for each number in `range`: by each way of choosing
/// its metric, as all of them judge the same fits. Inputs after the frame are the trials of each selector
/// with each learner; without them candidates are scored here.
pub fn permute(
    inputs: &Inputs<'_>,
    (scheme, case): (usize, usize),
    range: Range<usize>,
    ways: usize,
) -> Computed {
    let frame = input!(&inputs.values[0], Frame, "frame");
    let mut trials = Vec::new();
    for value in &inputs.values[1..] {
        trials.push(input!(value, Trials, "trials of candidates"));
    }
    let mut permutations = match Permutations::of(inputs, (scheme, case), frame) {
        Ok(permutations) => permutations,
        Err(why) => return Ok(Value::Failed(why)),
    };
    let ways = inputs.study.evaluate.permuted_ways().swap_remove(ways);
    let mut found = vec![Vec::new(); ways.len()];
    for (at, number) in range.enumerate() {
        let tried: Vec<&[Vec<Trial>]> =
            trials.iter().map(|trials| trials[at].as_slice()).collect();
        let tried = (!tried.is_empty()).then_some(tried.as_slice());
        let achieved = permutations
            .on(number, |procedure, outers| achieved(procedure, &ways, outers, tried))
            .unwrap_or_else(|why| vec![Err(why); ways.len()]);
        found.iter_mut().zip(achieved).for_each(|(of, value)| of.push(value));
    }
    Ok(Value::Permuted(found))
}

/// By selector and learner: the trials of their candidates on permuted outcomes, one for each number in
/// `range`. What each of them says is the same whatever others are tried with it.
pub fn trials(
    inputs: &Inputs<'_>,
    (scheme, case): (usize, usize),
    range: Range<usize>,
    cells: &[Cell],
) -> Result<Vec<Value>, ComputeError> {
    let all_failed = |why: String| Ok(vec![Value::Failed(why); cells.len()]);
    let frame = match &*inputs.values[0] {
        Value::Frame(frame) => frame,
        Value::Failed(why) => return all_failed(why.clone()),
        other => return Err(ComputeError::Kind(other.kind(), "frame")),
    };
    let mut permutations = match Permutations::of(inputs, (scheme, case), frame) {
        Ok(permutations) => permutations,
        Err(why) => return all_failed(why),
    };
    let mut found = vec![Vec::new(); cells.len()];
    for number in range {
        let mut of_cells = vec![Vec::new(); cells.len()];
        // Where it cannot be divided nobody is tried; why is told by whoever chooses.
        let _undivided = permutations.on(number, |procedure, outers| {
            for (place, outer) in outers {
                let trials = procedure.trials(place, outer, cells);
                of_cells.iter_mut().zip(trials).for_each(|(of, trials)| of.push(trials));
            }
        });
        found.iter_mut().zip(of_cells).for_each(|(all, of_cell)| all.push(of_cell));
    }
    Ok(found.into_iter().map(Value::Trials).collect())
}

/// What all permuted outcomes of an analysis have in common.
struct Permutations<'a> {
    study: &'a Study,
    permutation: &'a Permutation,
    resampling: &'a dyn AnyResampling,
    frame: Cow<'a, Frame>,
    /// By cohort row.
    outcome: &'a [Option<bool>],
    groups: &'a [u32],
    prepare: &'a Chain,
    select: &'a [Chain],
    /// The rows that are divided; their outcome is the permuted one.
    population: Population,
    observed: Vec<bool>,
    strata: Option<Vec<u32>>,
}

impl<'a> Permutations<'a> {
    fn of(
        inputs: &Inputs<'a>,
        (scheme, case): (usize, usize),
        frame: &'a Frame,
    ) -> Result<Self, String> {
        let (study, of_case) = (inputs.study, inputs.plan.cases[case]);
        let Some(permutation) = &study.evaluate.permuted else {
            unreachable!("`plan` adds this node for a control")
        };
        let (outcome, groups) = facts(inputs, case);
        let (prepare, select) = procedure(inputs, case);
        let cohort = &study.cohorts[of_case.cohort].name;
        let of_outcome = &study.outcomes[of_case.outcome].name;
        let known = &inputs.survey.outcomes[&(of_outcome.clone(), cohort.clone())];
        let scheme = &study.validate[scheme];
        let Instance::Resampling(resampling) = &scheme.resampling.instance else {
            unreachable!("`spec` puts a resampling scheme here")
        };
        let surveyed = &inputs.survey.cohorts[cohort];
        let population = population(study, inputs.survey, scheme, surveyed, known)
            .map_err(|_| "the rows cannot be divided".to_string())?;
        let strata = match &permutation.within {
            Some(column) => {
                let levels = levels(inputs, of_case.cohort, column)
                    .ok_or("the strata cannot be read".to_string())?;
                // All rows would be one stratum: it would not be what was asked for.
                if population.rows.iter().all(|row| levels[*row as usize].is_none()) {
                    return Err(format!(
                        "no row has a value of `{}`, within which outcomes are permuted",
                        column.name
                    ));
                }
                // Rows without a stratum are one of their own.
                let stratum = |row: &u32| levels[*row as usize].map_or(0, |l| l + 1);
                Some(population.rows.iter().map(stratum).collect())
            }
            None => None,
        };
        Ok(Self {
            study,
            permutation,
            resampling: &**resampling,
            frame: with_beside(inputs, case, case, frame),
            outcome,
            groups,
            prepare,
            select,
            observed: population.outcome.clone(),
            population,
            strata,
        })
    }

    /// What is done with the procedure on one permuted outcome and the outer splits of it, each with its
    /// place and in order of repeat and split; or why it cannot be divided.
    fn on<T>(
        &mut self,
        number: usize,
        act: impl FnOnce(&Procedure<'_>, &[(String, &OuterSplit)]) -> T,
    ) -> Result<T, String> {
        let Self { study, population, strata, .. } = self;
        let mut stream =
            Stream::new(study.seed, &["permuted outcome", &number.to_string()]);
        population.outcome = permuted(
            &self.observed,
            &population.subjects,
            strata.as_deref(),
            &mut stream,
        );
        let mut classes = self.outcome.to_vec();
        for (row, class) in population.rows.iter().zip(&population.outcome) {
            classes[*row as usize] = Some(*class);
        }
        let splits = self.resampling.assign(population, study.seed);
        let splits = splits.map_err(|failure| failure.to_string())?;
        let mut outers = Vec::new();
        let repeats = splits.repeats.iter().take(self.permutation.repeats);
        for (repeat, of_repeat) in repeats.enumerate() {
            outers.extend(of_repeat.iter().enumerate().map(|(outer, split)| {
                (format!("r{:02}.o{}", repeat + 1, outer + 1), split)
            }));
        }
        let procedure = Procedure {
            study,
            frame: &self.frame,
            outcome: &classes,
            groups: self.groups,
            prepare: self.prepare,
            select: self.select,
        };
        Ok(act(&procedure, &outers))
    }
}

/// By way of choosing: the mean of its metric over the outer splits that have both classes, as a site need
/// not. `tried` has the trials of all candidates, if they are known, by selector and learner, then by outer
/// split.
fn achieved(
    procedure: &Procedure<'_>,
    ways: &[(&Use, &Use)],
    outers: &[(String, &OuterSplit)],
    tried: Option<&[&[Vec<Trial>]]>,
) -> Vec<Result<f64, String>> {
    let mut folds: Vec<Result<Vec<f64>, String>> = vec![Ok(Vec::new()); ways.len()];
    for (at, (place, split)) in outers.iter().enumerate() {
        let here: Option<Vec<&[Trial]>> = tried
            .map(|tried| tried.iter().map(|of_cell| of_cell[at].as_slice()).collect());
        let said = procedure.predictions(place, split, ways, here.as_deref());
        for ((folds, said), (_, by)) in folds.iter_mut().zip(said).zip(ways) {
            let Ok(known) = folds else { continue };
            match said.and_then(|said| in_fold(metric(by), &said)) {
                Ok(value) => known.extend(value),
                Err(why) => *folds = Err(why),
            }
        }
    }
    let whole =
        |folds: Vec<f64>| mean(&folds).ok_or("no fold has both classes".to_string());
    folds.into_iter().map(|folds| folds.and_then(whole)).collect()
}

fn in_fold(metric: &dyn AnyMetric, said: &Predictions) -> Result<Option<f64>, String> {
    let scores = if metric.ranks_only() { said.ranks() } else { &said.scores };
    match metric.compute(Scored { truth: &said.truth, scores, ..Scored::default() }) {
        Ok(value) => Ok(Some(value)),
        Err(Failure::OneClass) => Ok(None),
        Err(failure) => Err(failure.to_string()),
    }
}
