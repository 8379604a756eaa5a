//! Nodes of a split: preparation, selection, scores, and what is chosen and predicted by them.

use std::borrow::Cow;
use std::sync::Arc;

use super::{ComputeError, Computed, Inputs, input};
use crate::data::{
    CandidateScores, FoldScores, Frame, Predictions, Rows, ScoredSplit, Train, Value,
};
use crate::math::Stream;
use crate::operation::{AnyLearner, Failure, FittedChain, Instance, Output, Scored};
use crate::plan::Placed;
use crate::spec::{Chain, ChainSetting, Study, Use};
use crate::survey::View;

/// Per setting of the preparation: prepared training rows and held-out rows, or why not.
pub struct Matrices {
    prepared: Vec<Result<(Train, Rows), String>>,
    held_out: Vec<u32>,
}

/// The outcome and the groups of a case, by cohort row.
fn facts<'a>(inputs: &Inputs<'a>, case: usize) -> (&'a [Option<bool>], &'a [u32]) {
    let case = inputs.plan.cases[case];
    let outcome = inputs.study.outcomes[case.outcome].name.clone();
    let cohort = &inputs.study.cohorts[case.cohort].name;
    let known = &inputs.survey.outcomes[&(outcome, cohort.clone())];
    (&known.classes, &inputs.survey.cohorts[cohort].groups)
}

/// The preparation of a case, and its selectors.
pub fn procedure<'a>(inputs: &Inputs<'a>, case: usize) -> (&'a Chain, &'a [Chain]) {
    let case = inputs.plan.cases[case];
    let model = &inputs.study.models[case.model];
    (&model.branches[case.branch].prepare, &model.select)
}

/// A frame with the columns beside it that the steps of a case ask for; `rows` is the case whose
/// cohort it is of.
pub fn with_beside<'f>(
    inputs: &Inputs<'_>,
    steps: usize,
    rows: usize,
    frame: &'f Frame,
) -> Cow<'f, Frame> {
    let (steps, rows) = (inputs.plan.cases[steps], inputs.plan.cases[rows]);
    let columns = inputs.study.models[steps.model].beside(steps.branch);
    if columns.is_empty() {
        return Cow::Borrowed(frame);
    }
    let (study, survey) = (inputs.study, inputs.survey);
    let cohort = &study.cohorts[rows.cohort];
    let view = View { study, survey, cohort, rows: &survey.cohorts[&cohort.name].rows };
    // A column that is not there is missed by the step, by name.
    let cells = columns.into_iter().filter_map(|column| {
        let cells = view.cells(&column).ok()?;
        Some((column.name, cells))
    });
    let beside = frame.rows.clone().with_beside(cells.collect());
    Cow::Owned(Frame { rows: beside, failed: frame.failed.clone() })
}

pub fn prepare(inputs: &Inputs<'_>, case: usize, placed: &Placed) -> Computed {
    let frame = input!(&inputs.values[0], Frame, "frame");
    let frame = &*with_beside(inputs, case, case, frame);
    let (outcome, groups) = facts(inputs, case);
    let train = placed.split.train(frame, outcome, groups);
    let (chain, _) = procedure(inputs, case);
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
        let mut rows = train.rows().clone();
        let (part, _) = rows.take_out(|column| acts_on(step, column));
        if let Some(column) = part.categorical()
            && !instance.reads_categories()
        {
            return Err(named(Failure::Categories(column.to_string())));
        }
        let state = instance.fit(&train.with_rows(part)).map_err(named)?;
        if position + 1 < setting.steps.len() {
            let mut rows = train.rows().clone();
            apply_step(step, &state, &mut rows)?;
            train = train.with_rows(rows);
        }
        states.push(state);
    }
    Ok(states)
}

/// Whether a step acts on a column: those of models are called `block.column`.
fn acts_on(step: &Use, column: &str) -> bool {
    step.scope.as_ref().is_none_or(|blocks| {
        let block = column.split_once('.').map_or(column, |(block, _)| block);
        blocks.iter().any(|known| known == block)
    })
}

/// Applies one step to the columns that it acts on; the others stay as they are.
pub fn apply_step(step: &Use, state: &[u8], rows: &mut Rows) -> Result<(), String> {
    let Instance::TableStep(instance) = &step.instance else {
        unreachable!("`spec` puts table steps into chains")
    };
    let named = |failure: Failure| format!("{}: {failure}", step.about.name);
    if step.scope.is_none() {
        return instance.apply(state, rows).map_err(named);
    }
    let (mut part, place) = rows.take_out(|column| acts_on(step, column));
    instance.apply(state, &mut part).map_err(named)?;
    rows.put_in(part, place);
    Ok(())
}

/// Applies the states of a path, with the parameters of this setting.
pub fn apply_path(
    setting: &ChainSetting,
    states: &[Vec<u8>],
    rows: &mut Rows,
) -> Result<(), String> {
    for (step, state) in setting.steps.iter().zip(states) {
        apply_step(step, state, rows)?;
    }
    Ok(())
}

/// The prepared rows of a split; shared by all nodes that read its `prepare` node.
fn matrices(
    inputs: &Inputs<'_>,
    case: usize,
    placed: &Placed,
    frame: &Frame,
    fitted: &FittedChain,
) -> Arc<Matrices> {
    (inputs.matrices)(inputs.nodes[1], &|| {
        let frame = &*with_beside(inputs, case, case, frame);
        let (outcome, groups) = facts(inputs, case);
        let train = placed.split.train(frame, outcome, groups);
        let (held_out, held_out_rows) = placed.split.held_out(frame);
        let (chain, _) = procedure(inputs, case);
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
    case: usize,
    placed: &Placed,
    chain: &Chain,
) -> Computed {
    let frame = input!(&inputs.values[0], Frame, "frame");
    let fitted =
        FittedChain::from_bytes(input!(&inputs.values[1], Fitted, "fitted steps"))?;
    let matrices = matrices(inputs, case, placed, frame, &fitted);
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
    case: usize,
    placed: &Placed,
    selector: &Chain,
    learner: &Chain,
) -> Computed {
    let frame = input!(&inputs.values[0], Frame, "frame");
    let prepare =
        FittedChain::from_bytes(input!(&inputs.values[1], Fitted, "fitted steps"))?;
    let select =
        FittedChain::from_bytes(input!(&inputs.values[2], Fitted, "fitted steps"))?;
    let matrices = matrices(inputs, case, placed, frame, &prepare);
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
            candidates.extend(match &selected {
                Ok((train, held_out)) => {
                    learn(inputs.study, &placed.name(), learner, train, held_out)
                }
                Err(why) => vec![Err(why.clone()); learner.settings.len()],
            });
        }
    }
    let candidates =
        candidates.into_iter().map(|scores| CandidateScores { scores }).collect();
    Ok(Value::Scores(ScoredSplit { rows: matrices.held_out.clone(), candidates }))
}

/// Fits every setting of a learner and scores the held-out rows with each.
fn learn(
    study: &Study,
    place: &str,
    learner: &Chain,
    train: &Train,
    held_out: &Rows,
) -> Vec<Result<Vec<f64>, String>> {
    let uses: Vec<&Use> = learner.settings.iter().map(|s| &s.steps[0]).collect();
    if let Some(column) = train.rows().categorical() {
        let failure = Failure::Categories(column.to_string());
        return vec![Err(named(uses[0], failure)); uses.len()];
    }
    let settings: Vec<&dyn AnyLearner> = uses.iter().map(|used| instance(used)).collect();
    let mut streams: Vec<Stream> =
        uses.iter().map(|used| stream(study, place, used)).collect();
    let scores = settings[0].fit_and_predict(&settings, train, &mut streams, held_out);
    let checked = scores.into_iter().zip(uses);
    checked.map(|(scores, used)| in_range(used, scores, held_out.n())).collect()
}

fn instance(learner: &Use) -> &dyn AnyLearner {
    match &learner.instance {
        Instance::Learner(instance) => &**instance,
        _ => unreachable!("`spec` puts learners here"),
    }
}

/// The random numbers of a fit, named by its place and by what they may depend on.
fn stream(study: &Study, place: &str, learner: &Use) -> Stream {
    let digest = learner.stream_digest().hex();
    Stream::new(study.seed, &["fit", learner.about.name, place, &digest])
}

fn named(learner: &Use, failure: Failure) -> String {
    format!("{}: {failure}", learner.about.name)
}

/// Fits one learner; `place` names its stream of random numbers.
pub fn fit_learner(
    study: &Study,
    place: &str,
    learner: &Use,
    train: &Train,
) -> Result<Vec<u8>, String> {
    if let Some(column) = train.rows().categorical() {
        return Err(named(learner, Failure::Categories(column.to_string())));
    }
    let mut stream = stream(study, place, learner);
    instance(learner).fit(train, &mut stream).map_err(|failure| named(learner, failure))
}

/// What a fitted learner says of each row: probabilities or decision values.
pub fn predicted(learner: &Use, model: &[u8], rows: &Rows) -> Result<Vec<f64>, String> {
    in_range(learner, instance(learner).predict(model, rows), rows.n())
}

/// The same, if there is one for each row and each means something.
fn in_range(
    learner: &Use,
    scores: Result<Vec<f64>, Failure>,
    n: usize,
) -> Result<Vec<f64>, String> {
    let scores = scores.map_err(|failure| named(learner, failure))?;
    let fits = |score: &f64| match instance(learner).output() {
        Output::Probability => (0.0..=1.0).contains(score),
        Output::DecisionValue => score.is_finite(),
    };
    if scores.len() != n || !scores.iter().all(fits) {
        return Err(named(learner, Failure::NotFinite("a prediction".to_string())));
    }
    Ok(scores)
}

/// How many candidates each selector × learner of a case has, in the order of `score` nodes.
fn cells(inputs: &Inputs<'_>, case: usize) -> Vec<usize> {
    let (prepare, select) = procedure(inputs, case);
    let mut cells = Vec::new();
    for selector in select {
        for learner in &inputs.study.learn {
            cells.push(
                prepare.settings.len() * selector.settings.len() * learner.settings.len(),
            );
        }
    }
    cells
}

pub fn truth(outcome: &[Option<bool>], rows: &[u32]) -> Vec<bool> {
    rows.iter()
        .map(|&row| outcome[row as usize].expect("splits hold rows with a known outcome"))
        .collect()
}

pub fn tune(inputs: &Inputs<'_>, case: usize, placed: &Placed) -> Computed {
    let (outcome, _) = facts(inputs, case);
    let Instance::Metric(metric) = &inputs.study.evaluate.primary.instance else {
        unreachable!("`spec` puts a metric here")
    };
    let cells = cells(inputs, case);
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
pub fn locate(inputs: &Inputs<'_>, case: usize, candidate: usize) -> (usize, usize) {
    let mut left = candidate;
    for (cell, n) in cells(inputs, case).into_iter().enumerate() {
        if left < n {
            return (cell, left);
        }
        left -= n;
    }
    unreachable!("the tuner chose among these candidates")
}

/// The choice's predictions on inner held-out rows, in order of the rows: truth and scores.
type OutOfFold = (Vec<bool>, Vec<f64>);

fn out_of_fold(
    inputs: &Inputs<'_>,
    case: usize,
    candidate: usize,
) -> Result<Result<OutOfFold, String>, ComputeError> {
    let (outcome, _) = facts(inputs, case);
    let (cell, place) = locate(inputs, case, candidate);
    let n_cells = cells(inputs, case).len();
    let mut known = Vec::new();
    for of_split in inputs.values[1..].chunks(n_cells) {
        let scored = match &*of_split[cell] {
            Value::Scores(scored) => scored,
            Value::Failed(why) => return Ok(Err(why.clone())),
            other => return Err(ComputeError::Kind(other.kind(), "scores")),
        };
        if let Ok(scores) = &scored.candidates[place].scores {
            let truth = truth(outcome, &scored.rows);
            known.extend(scored.rows.iter().zip(truth).zip(scores.iter().copied()));
        }
    }
    // By row, so that the order of splits does not reach the rule.
    known.sort_by_key(|((row, _), _)| **row);
    let truth = known.iter().map(|((_, truth), _)| *truth).collect();
    Ok(Ok((truth, known.iter().map(|(_, score)| *score).collect())))
}

/// Intercept and slope that make the choice's inner out-of-fold predictions calibrated.
pub fn calibrate(inputs: &Inputs<'_>, case: usize) -> Computed {
    let choice = input!(&inputs.values[0], Choice, "choice");
    let known = out_of_fold(inputs, case, choice.candidate)?;
    Ok(match known {
        Ok((truth, scores)) => match crate::statistics::recalibration(&truth, &scores) {
            Some((intercept, slope)) => Value::Calibration(intercept, slope),
            None => Value::Failed("no calibration map could be fitted".to_string()),
        },
        Err(why) => Value::Failed(why),
    })
}

pub fn threshold(inputs: &Inputs<'_>, case: usize) -> Computed {
    let choice = input!(&inputs.values[0], Choice, "choice");
    let (truth, scores) = match out_of_fold(inputs, case, choice.candidate)? {
        Ok(known) => known,
        Err(why) => return Ok(Value::Failed(why)),
    };
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

pub fn predict(inputs: &Inputs<'_>, case: usize) -> Computed {
    let choice = input!(&inputs.values[0], Choice, "choice");
    let (outcome, _) = facts(inputs, case);
    let (cell, place) = locate(inputs, case, choice.candidate);
    let scored = input!(&inputs.values[1 + cell], Scores, "scores");
    let threshold = match inputs.values.get(1 + cells(inputs, case).len()) {
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
