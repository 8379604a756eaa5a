//! The whole procedure on permuted outcomes: what it achieves when there is nothing to find.
//!
//! Splits, preparation, selection, tuning, fits and scores are all done again. They live in memory
//! and are not kept: nobody asks for them twice.

use super::measured::levels;
use super::procedure::Procedure;
use super::splits::{facts, procedure, with_beside};
use super::tuning::metric;
use super::{Computed, Inputs, input};
use crate::data::{OuterSplit, Predictions, Value};
use crate::math::{Stream, mean};
use crate::operation::{AnyMetric, Failure, Instance, Scored};
use crate::spec::Use;
use crate::statistics::permuted;
use crate::survey::population;

/// What an analysis achieves on permuted outcomes, one for each number in `range`: by each way of choosing
/// its metric, as all of them judge the same fits.
pub fn permute(
    inputs: &Inputs<'_>,
    scheme: usize,
    case: usize,
    range: std::ops::Range<usize>,
) -> Computed {
    let frame = input!(&inputs.values[0], Frame, "frame");
    let frame = &*with_beside(inputs, case, case, frame);
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
    let Ok(mut population) = population(study, inputs.survey, scheme, surveyed, known)
    else {
        return Ok(Value::Failed("the rows cannot be divided".to_string()));
    };
    let strata = match &permutation.within {
        Some(column) => match levels(inputs, of_case.cohort, column) {
            // Rows without a stratum are one of their own.
            Some(levels) => {
                Some(levels.into_iter().map(|l| l.map_or(0, |l| l + 1)).collect())
            }
            None => return Ok(Value::Failed("the strata cannot be read".to_string())),
        },
        None => None,
    };
    let strata: Option<Vec<u32>> = strata.map(|levels: Vec<u32>| {
        population.rows.iter().map(|row| levels[*row as usize]).collect()
    });
    let observed = population.outcome.clone();
    let ways = study.evaluate.ways();
    let mut found = vec![Vec::new(); ways.len()];
    for number in range {
        let mut stream =
            Stream::new(study.seed, &["permuted outcome", &number.to_string()]);
        population.outcome =
            permuted(&observed, &population.subjects, strata.as_deref(), &mut stream);
        let mut classes = outcome.to_vec();
        for (row, class) in population.rows.iter().zip(&population.outcome) {
            classes[*row as usize] = Some(*class);
        }
        let procedure =
            Procedure { study, frame, outcome: &classes, groups, prepare, select };
        let achieved = match resampling.assign(&population, study.seed) {
            Ok(splits) => {
                let repeats = splits.repeats.iter().take(permutation.repeats);
                achieved(&procedure, &ways, repeats)
            }
            Err(failure) => vec![Err(failure.to_string()); ways.len()],
        };
        found.iter_mut().zip(achieved).for_each(|(of, value)| of.push(value));
    }
    Ok(Value::Permuted(found))
}

/// By way of choosing: the mean of its metric over the folds of these repeats that have both classes, as a
/// site need not.
fn achieved<'a>(
    procedure: &Procedure<'_>,
    ways: &[(&Use, &Use)],
    repeats: impl Iterator<Item = &'a Vec<OuterSplit>>,
) -> Vec<Result<f64, String>> {
    let mut folds: Vec<Result<Vec<f64>, String>> = vec![Ok(Vec::new()); ways.len()];
    for (repeat, outers) in repeats.enumerate() {
        for (outer, split) in outers.iter().enumerate() {
            let place = format!("r{:02}.o{}", repeat + 1, outer + 1);
            let said = procedure.predictions(&place, split, ways);
            for ((folds, said), (_, by)) in folds.iter_mut().zip(said).zip(ways) {
                let Ok(known) = folds else { continue };
                match said.and_then(|said| in_fold(metric(by), &said)) {
                    Ok(value) => known.extend(value),
                    Err(why) => *folds = Err(why),
                }
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
