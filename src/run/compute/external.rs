//! Nodes of frozen models: the last fit, the seal, and what meets an external cohort.

use super::splits::{apply_path, fit_learner, locate, predicted, procedure, with_beside};
use super::{ComputeError, Computed, Inputs, input};
use crate::data::{Call, Frozen, Predictions, Sealed, Value};
use crate::operation::FittedChain;
use crate::plan::Placed;
use crate::spec::{ChainSetting, Use};

/// The settings of a candidate: preparation, selection, learner, with the places of their states.
struct Chosen<'a> {
    prepare: &'a ChainSetting,
    select: &'a ChainSetting,
    learner: &'a Use,
    prepare_path: usize,
    selector: usize,
    select_path: usize,
}

fn chosen<'a>(inputs: &Inputs<'a>, case: usize, candidate: usize) -> Chosen<'a> {
    let (prepare, select) = procedure(inputs, case);
    let learn = &inputs.study.learn;
    let (cell, place) = locate(inputs, case, candidate);
    let (selector, learner) = (cell / learn.len(), cell % learn.len());
    let (selector_chain, learner_chain) = (&select[selector], &learn[learner]);
    // Within a cell: preparation, then selection, then learner, the last fastest.
    let n_learn = learner_chain.settings.len();
    let n_select = selector_chain.settings.len();
    let (of_prepare, rest) = (place / (n_select * n_learn), place % (n_select * n_learn));
    let (of_select, of_learn) = (rest / n_learn, rest % n_learn);
    let paths = selector_chain.fit_paths();
    Chosen {
        prepare: &prepare.settings[of_prepare],
        select: &selector_chain.settings[of_select],
        learner: &learner_chain.settings[of_learn].steps[0],
        prepare_path: prepare.fit_paths().of_setting[of_prepare],
        selector,
        select_path: of_prepare * paths.setting_of.len() + paths.of_setting[of_select],
    }
}

/// Fits the choice on all development rows, and keeps everything that belongs to it.
pub fn freeze(inputs: &Inputs<'_>, case: usize, placed: &Placed) -> Computed {
    let frame = input!(&inputs.values[0], Frame, "frame");
    let frame = &*with_beside(inputs, case, case, frame);
    let choice = input!(&inputs.values[1], Choice, "choice");
    let calibration = match &*inputs.values[2] {
        Value::Calibration(intercept, slope) => Some((*intercept, *slope)),
        _ => None,
    };
    let prepare =
        FittedChain::from_bytes(input!(&inputs.values[3], Fitted, "fitted steps"))?;
    let chosen = chosen(inputs, case, choice.candidate);
    let (_, select) = procedure(inputs, case);
    let selected = &inputs.values[4 + chosen.selector];
    let selected = FittedChain::from_bytes(input!(selected, Fitted, "fitted steps"))?;
    let threshold = match inputs.values.get(4 + select.len()) {
        Some(value) => *input!(value, Threshold, "threshold"),
        None => None,
    };
    let of_case = inputs.plan.cases[case];
    let outcome = inputs.study.outcomes[of_case.outcome].name.clone();
    let cohort = inputs.study.cohorts[of_case.cohort].name.clone();
    let known = &inputs.survey.outcomes[&(outcome, cohort.clone())];
    let groups = &inputs.survey.cohorts[&cohort].groups;
    let train = placed.split.train(frame, &known.classes, groups);
    let fitted = || -> Result<Frozen, String> {
        let prepare = prepare.paths[chosen.prepare_path].clone()?;
        let select = selected.paths[chosen.select_path].clone()?;
        let mut rows = train.rows().clone();
        apply_path(chosen.prepare, &prepare, &mut rows)?;
        apply_path(chosen.select, &select, &mut rows)?;
        let names = rows.columns().iter().map(|column| column.name.clone()).collect();
        let prepared = train.with_rows(rows);
        let model = fit_learner(inputs.study, "frozen", chosen.learner, &prepared)?;
        let columns = frame.rows.columns().iter().map(|column| column.name.clone());
        Ok(Frozen {
            candidate: choice.candidate,
            columns: columns.collect(),
            prepare,
            select,
            model,
            selected: names,
            threshold,
            calibration,
            n: train.outcome().len(),
            n_positive: train.outcome().iter().filter(|positive| **positive).count(),
        })
    };
    Ok(fitted().map_or_else(Value::Failed, Value::Frozen))
}

/// The outcomes of an external cohort, as nobody can read them yet.
pub fn seal(inputs: &Inputs<'_>, outcome: usize, cohort: usize) -> Computed {
    let study = inputs.study;
    let cohort = &study.cohorts[cohort];
    let rows = &inputs.survey.cohorts[&cohort.name].rows;
    let outcome = &study.outcomes[outcome];
    let called = crate::survey::call(study, inputs.survey, outcome, cohort, rows);
    Ok(match called {
        Ok(called) => Value::Sealed(Sealed::new(called)),
        Err((failure, _)) => Value::Failed(failure.to_string()),
    })
}

/// Opens sealed outcomes for finished models.
pub fn unseal(inputs: &Inputs<'_>) -> Computed {
    let sealed = input!(&inputs.values[0], Sealed, "sealed outcomes");
    let mut frozen = Vec::new();
    for value in &inputs.values[1..] {
        match &**value {
            Value::Frozen(model) => frozen.push(model),
            Value::Failed(_) => {} // A model that could not be made asks for nothing.
            other => return Err(ComputeError::Kind(other.kind(), "frozen model")),
        }
    }
    Ok(match sealed.clone().open(&frozen) {
        Some(called) => Value::Opened(called),
        None => Value::Failed("no frozen model could be made".to_string()),
    })
}

/// What a frozen model says of the rows of an external cohort whose outcome is known.
pub fn apply(inputs: &Inputs<'_>, frozen_case: usize, case: usize) -> Computed {
    let frozen = input!(&inputs.values[0], Frozen, "frozen model");
    let frame = input!(&inputs.values[1], Frame, "frame");
    let frame = &*with_beside(inputs, frozen_case, case, frame);
    let opened = input!(&inputs.values[2], Opened, "opened outcomes");
    let chosen = chosen(inputs, frozen_case, frozen.candidate);
    let names = frame.rows.columns().iter().map(|column| &column.name);
    if !names.eq(&frozen.columns) {
        let why = "the predictors are not those of the frozen model";
        return Ok(Value::Failed(why.to_string()));
    }
    let (mut rows, mut truth) = (Vec::new(), Vec::new());
    for (row, call) in opened.calls.iter().enumerate() {
        if let Some(class) = Call::class(*call)
            && frame.failed[row].is_none()
        {
            rows.push(row);
            truth.push(class);
        }
    }
    if rows.is_empty() {
        return Ok(Value::Failed("no row has a known outcome".to_string()));
    }
    let threshold = &inputs.study.evaluate.threshold;
    let cohort = &inputs.study.cohorts[inputs.plan.cases[case].cohort].name;
    let applied = threshold.as_ref().is_some_and(|threshold| {
        threshold.frozen_for.is_empty()
            || threshold.frozen_for.iter().any(|named| named.name == *cohort)
    });
    let mut prepared = frame.rows.take(&rows);
    let scores = apply_path(chosen.prepare, &frozen.prepare, &mut prepared)
        .and_then(|()| apply_path(chosen.select, &frozen.select, &mut prepared))
        .and_then(|()| predicted(chosen.learner, &frozen.model, &prepared));
    Ok(match scores {
        Ok(scores) => Value::Predictions(Predictions {
            rows: rows.into_iter().map(|row| row as u32).collect(),
            truth,
            scores,
            threshold: frozen.threshold.filter(|_| applied),
            candidate: frozen.candidate,
        }),
        Err(why) => Value::Failed(why),
    })
}
