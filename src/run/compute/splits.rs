//! Nodes of a split: preparation, selection, scores, and what is chosen and predicted by them.

use std::sync::Arc;

use super::{ComputeError, Computed, Inputs, input};
use crate::data::{
    CandidateScores, FoldScores, Frame, Predictions, Rows, ScoredSplit, Train, Value,
};
use crate::math::Stream;
use crate::operation::{Failure, FittedChain, Instance, Scored};
use crate::plan::Placed;
use crate::spec::{Chain, ChainSetting, Study, Use};

/// Per setting of the preparation: prepared training rows and held-out rows, or why not.
pub struct Matrices {
    prepared: Vec<Result<(Train, Rows), String>>,
    held_out: Vec<u32>,
}

/// The outcome and the groups of an analysis, by cohort row.
fn facts<'a>(inputs: &Inputs<'a>, analysis: usize) -> (&'a [Option<bool>], &'a [u32]) {
    let analysis = &inputs.plan.analyses[analysis];
    let scheme = &inputs.study.validate[analysis.scheme];
    let outcome = inputs.study.outcomes[analysis.outcome].name.clone();
    let cohort = &inputs.survey.cohorts[&scheme.cohort.name];
    let known = &inputs.survey.outcomes[&(outcome, scheme.cohort.name.clone())];
    (&known.classes, &cohort.groups)
}

pub fn prepare(inputs: &Inputs<'_>, analysis: usize, placed: &Placed) -> Computed {
    let frame = input!(&inputs.values[0], Frame, "frame");
    let (outcome, groups) = facts(inputs, analysis);
    let train = placed.split.train(frame, outcome, groups);
    let chain = &inputs.study.prepare;
    let paths = chain.fit_paths().setting_of.into_iter();
    let paths = paths.map(|setting| fit_path(&chain.settings[setting], &train)).collect();
    Ok(Value::Fitted(FittedChain { paths }.to_bytes()))
}

/// The states of the steps of a setting, each fitted on what the one before it gives.
fn fit_path(setting: &ChainSetting, train: &Train) -> Result<Vec<Vec<u8>>, String> {
    let mut train = train.clone();
    let mut states = Vec::new();
    for (position, step) in setting.steps.iter().enumerate() {
        let Instance::TableStep(instance) = &step.instance else {
            unreachable!("`spec` puts table steps into chains")
        };
        let named = |failure: Failure| format!("{}: {failure}", step.about.name);
        let state = instance.fit(&train).map_err(named)?;
        if position + 1 < setting.steps.len() {
            let mut rows = train.rows().clone();
            instance.apply(&state, &mut rows).map_err(named)?;
            train = train.with_rows(rows);
        }
        states.push(state);
    }
    Ok(states)
}

/// Applies the states of a path, with the parameters of this setting.
fn apply_path(
    setting: &ChainSetting,
    states: &[Vec<u8>],
    rows: &mut Rows,
) -> Result<(), String> {
    for (step, state) in setting.steps.iter().zip(states) {
        let Instance::TableStep(instance) = &step.instance else {
            unreachable!("`spec` puts table steps into chains")
        };
        let named = |failure: Failure| format!("{}: {failure}", step.about.name);
        instance.apply(state, rows).map_err(named)?;
    }
    Ok(())
}

/// The prepared rows of a split; shared by all nodes that read its `prepare` node.
fn matrices(
    inputs: &Inputs<'_>,
    analysis: usize,
    placed: &Placed,
    frame: &Frame,
    fitted: &FittedChain,
) -> Arc<Matrices> {
    (inputs.matrices)(inputs.nodes[1], &|| {
        let (outcome, groups) = facts(inputs, analysis);
        let train = placed.split.train(frame, outcome, groups);
        let (held_out, held_out_rows) = placed.split.held_out(frame);
        let chain = &inputs.study.prepare;
        let paths = chain.fit_paths().of_setting;
        let prepared = chain.settings.iter().zip(paths).map(|(setting, path)| {
            let states = fitted.paths[path].as_ref().map_err(String::clone)?;
            let mut training = train.rows().clone();
            apply_path(setting, states, &mut training)?;
            let mut held_out = held_out_rows.clone();
            apply_path(setting, states, &mut held_out)?;
            Ok((train.with_rows(training), held_out))
        });
        Matrices {
            prepared: prepared.collect(),
            held_out: held_out.into_iter().map(|row| row as u32).collect(),
        }
    })
}

pub fn select(
    inputs: &Inputs<'_>,
    analysis: usize,
    placed: &Placed,
    chain: &Chain,
) -> Computed {
    let frame = input!(&inputs.values[0], Frame, "frame");
    let fitted =
        FittedChain::from_bytes(input!(&inputs.values[1], Fitted, "fitted steps"))?;
    let matrices = matrices(inputs, analysis, placed, frame, &fitted);
    let settings = chain.fit_paths().setting_of;
    let mut paths = Vec::new();
    for prepared in &matrices.prepared {
        for &setting in &settings {
            paths.push(match prepared {
                Ok((train, _)) => fit_path(&chain.settings[setting], train),
                Err(why) => Err(why.clone()),
            });
        }
    }
    Ok(Value::Fitted(FittedChain { paths }.to_bytes()))
}

pub fn score(
    inputs: &Inputs<'_>,
    analysis: usize,
    placed: &Placed,
    selector: &Chain,
    learner: &Chain,
) -> Computed {
    let frame = input!(&inputs.values[0], Frame, "frame");
    let prepare =
        FittedChain::from_bytes(input!(&inputs.values[1], Fitted, "fitted steps"))?;
    let select =
        FittedChain::from_bytes(input!(&inputs.values[2], Fitted, "fitted steps"))?;
    let matrices = matrices(inputs, analysis, placed, frame, &prepare);
    let paths = selector.fit_paths();
    let mut candidates = Vec::new();
    for (position, prepared) in matrices.prepared.iter().enumerate() {
        for (setting, path) in selector.settings.iter().zip(&paths.of_setting) {
            let selected =
                prepared.as_ref().map_err(String::clone).and_then(|(train, held)| {
                    let states = &select.paths[position * paths.setting_of.len() + path];
                    let states = states.as_ref().map_err(String::clone)?;
                    let mut training = train.rows().clone();
                    apply_path(setting, states, &mut training)?;
                    let mut held_out = held.clone();
                    apply_path(setting, states, &mut held_out)?;
                    Ok((train.with_rows(training), held_out))
                });
            for setting in &learner.settings {
                let scores = match &selected {
                    Ok((train, held_out)) => {
                        learn(inputs.study, placed, &setting.steps[0], train, held_out)
                    }
                    Err(why) => Err(why.clone()),
                };
                candidates.push(CandidateScores { scores });
            }
        }
    }
    Ok(Value::Scores(ScoredSplit { rows: matrices.held_out.clone(), candidates }))
}

/// Fits one learner and scores the held-out rows.
fn learn(
    study: &Study,
    placed: &Placed,
    learner: &Use,
    train: &Train,
    held_out: &Rows,
) -> Result<Vec<f64>, String> {
    let Instance::Learner(instance) = &learner.instance else {
        unreachable!("`spec` puts learners here")
    };
    let digest = learner.parameter_digest().hex();
    let mut stream =
        Stream::new(study.seed, &["fit", learner.about.name, &placed.name(), &digest]);
    let named = |failure: Failure| format!("{}: {failure}", learner.about.name);
    let model = instance.fit(train, &mut stream).map_err(named)?;
    let scores = instance.predict(&model, held_out).map_err(named)?;
    if scores.len() != held_out.n()
        || scores.iter().any(|score| !(0.0..=1.0).contains(score))
    {
        return Err(named(Failure::NotFinite("a predicted probability".to_string())));
    }
    Ok(scores)
}

/// How many candidates each selector × learner has, in the order of `score` nodes.
fn cells(study: &Study) -> Vec<usize> {
    let mut cells = Vec::new();
    for selector in &study.select {
        for learner in &study.learn {
            cells.push(
                study.prepare.settings.len()
                    * selector.settings.len()
                    * learner.settings.len(),
            );
        }
    }
    cells
}

fn truth(outcome: &[Option<bool>], rows: &[u32]) -> Vec<bool> {
    rows.iter()
        .map(|&row| outcome[row as usize].expect("splits hold rows with a known outcome"))
        .collect()
}

pub fn tune(inputs: &Inputs<'_>, analysis: usize, placed: &Placed) -> Computed {
    let (outcome, _) = facts(inputs, analysis);
    let Instance::Metric(metric) = &inputs.study.evaluate.primary.instance else {
        unreachable!("`spec` puts a metric here")
    };
    let cells = cells(inputs.study);
    let n: usize = cells.iter().sum();
    let mut candidates = vec![FoldScores { folds: Vec::new() }; n];
    for of_inner in inputs.values.chunks(cells.len()).take(placed.inner_splits.len()) {
        let mut candidate = 0;
        for value in of_inner {
            let scored = input!(value, Scores, "scores");
            let truth = truth(outcome, &scored.rows);
            for of_candidate in &scored.candidates {
                let fold = of_candidate.scores.as_ref().map_err(String::clone);
                let fold = fold.and_then(|scores| {
                    metric
                        .compute(Scored { truth: &truth, scores, decisions: &[] })
                        .map_err(|failure| failure.to_string())
                });
                candidates[candidate].folds.push(fold);
                candidate += 1;
            }
        }
    }
    let Instance::Tuner(tuner) = &inputs.study.evaluate.tuner.instance else {
        unreachable!("`spec` puts a tuner here")
    };
    Ok(match tuner.choose(&candidates, metric.scale().direction) {
        Some(choice) => Value::Choice(choice),
        None => {
            let why =
                candidates.iter().flat_map(|c| &c.folds).find_map(|f| f.as_ref().err());
            Value::Failed(format!(
                "no candidate has a score on every inner split: {}",
                why.map_or("there are no inner splits", String::as_str)
            ))
        }
    })
}

/// Position of the `score` node of a candidate within a split, and its place there.
fn locate(study: &Study, candidate: usize) -> (usize, usize) {
    let mut left = candidate;
    for (cell, n) in cells(study).into_iter().enumerate() {
        if left < n {
            return (cell, left);
        }
        left -= n;
    }
    unreachable!("the tuner chose among these candidates")
}

pub fn threshold(inputs: &Inputs<'_>, analysis: usize) -> Computed {
    let choice = input!(&inputs.values[0], Choice, "choice");
    let (outcome, _) = facts(inputs, analysis);
    let (cell, place) = locate(inputs.study, choice.candidate);
    let n_cells = cells(inputs.study).len();
    let mut known = Vec::new();
    for of_split in inputs.values[1..].chunks(n_cells) {
        let scored = input!(&of_split[cell], Scores, "scores");
        if let Ok(scores) = &scored.candidates[place].scores {
            let truth = truth(outcome, &scored.rows);
            known.extend(scored.rows.iter().zip(truth).zip(scores.iter().copied()));
        }
    }
    // By row, so that the order of splits does not reach the rule.
    known.sort_by_key(|((row, _), _)| **row);
    let truth: Vec<bool> = known.iter().map(|((_, truth), _)| *truth).collect();
    let scores: Vec<f64> = known.iter().map(|(_, score)| *score).collect();
    let rule = inputs
        .study
        .evaluate
        .threshold
        .as_ref()
        .map(|threshold| &threshold.rule.instance);
    let Some(Instance::Calibrator(rule)) = rule else {
        unreachable!("`plan` adds this node for a threshold rule")
    };
    Ok(match rule.threshold(&truth, &scores) {
        Ok(threshold) => Value::Threshold(Some(threshold)),
        Err(failure) => Value::Failed(failure.to_string()),
    })
}

pub fn predict(inputs: &Inputs<'_>, analysis: usize) -> Computed {
    let choice = input!(&inputs.values[0], Choice, "choice");
    let (outcome, _) = facts(inputs, analysis);
    let (cell, place) = locate(inputs.study, choice.candidate);
    let scored = input!(&inputs.values[1 + cell], Scores, "scores");
    let threshold = match inputs.values.get(1 + cells(inputs.study).len()) {
        Some(value) => *input!(value, Threshold, "threshold"),
        None => None,
    };
    Ok(match &scored.candidates[place].scores {
        Ok(scores) => Value::Predictions(Predictions {
            rows: scored.rows.clone(),
            truth: truth(outcome, &scored.rows),
            scores: scores.clone(),
            threshold,
            candidate: choice.candidate,
        }),
        Err(why) => Value::Failed(why.clone()),
    })
}
