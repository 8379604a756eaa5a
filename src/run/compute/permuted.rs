//! The whole procedure on permuted outcomes: what it achieves when there is nothing to find.
//!
//! Splits, preparation, selection, tuning, fits and scores are all done again. They live in memory
//! and are not kept: nobody asks for them twice.

use super::measured::levels;
use super::procedure::Procedure;
use super::splits::{facts, procedure, with_beside};
use super::tuning::primary;
use super::{Computed, Inputs, input};
use crate::data::{OuterSplit, Value};
use crate::math::{Stream, mean};
use crate::operation::{Failure, Instance, Scored};
use crate::statistics::permuted;
use crate::survey::population;

/// The primary metric of an analysis on permuted outcomes, one for each number in `range`.
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
    let mut found = Vec::new();
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
        found.push(match resampling.assign(&population, study.seed) {
            Ok(splits) => achieved(&procedure, &splits.repeats, permutation.repeats),
            Err(failure) => Err(failure.to_string()),
        });
    }
    Ok(Value::Permuted(found))
}

/// The mean of the primary metric over the folds of the first repeats that have both classes: a site
/// need not.
fn achieved(
    procedure: &Procedure<'_>,
    repeats: &[Vec<OuterSplit>],
    n_repeats: usize,
) -> Result<f64, String> {
    let mut folds = Vec::new();
    for (repeat, outers) in repeats.iter().enumerate().take(n_repeats) {
        for (outer, split) in outers.iter().enumerate() {
            let place = format!("r{:02}.o{}", repeat + 1, outer + 1);
            folds.extend(in_fold(procedure, &place, split)?);
        }
    }
    mean(&folds).ok_or("no fold has both classes".to_string())
}

fn in_fold(
    procedure: &Procedure<'_>,
    place: &str,
    outer: &OuterSplit,
) -> Result<Option<f64>, String> {
    let said = procedure.predictions(place, outer)?;
    let metric = primary(procedure.study);
    let scores = if metric.ranks_only() { said.ranks() } else { &said.scores };
    match metric.compute(Scored { truth: &said.truth, scores, ..Scored::default() }) {
        Ok(value) => Ok(Some(value)),
        Err(Failure::OneClass) => Ok(None),
        Err(failure) => Err(failure.to_string()),
    }
}
