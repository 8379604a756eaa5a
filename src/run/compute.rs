//! One function per kind of node: values in, value out.
//!
//! A failure of the data is a value with a reason; only a failing machine is an error here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use petgraph::graph::NodeIndex;

use crate::data::{
    CandidateScores, Curve, Estimate, Features, FoldScores, Frame, FrameColumn,
    Predictions, Roi, Rows, ScoredSplit, Split, Train, Value,
};
use crate::math::Stream;
use crate::operation::{Failure, File, FittedChain, Instance, Pooling, ReadAs, Scored};
use crate::plan::{Grid, Node, Placed, Plan, Work};
use crate::spec::{BlockKind, Chain, ChainSetting, SourceKind, Study, Use};
use crate::statistics;
use crate::store::FilesError;
use crate::survey::{Content, Reading, Survey};

/// Everything that a computation may read.
pub struct Inputs<'a> {
    pub study: &'a Study,
    pub survey: &'a Survey,
    pub plan: &'a Plan,
    pub reading: &'a Reading<'a>,
    /// In the order of the node's inputs.
    pub values: &'a [Arc<Value>],
    pub nodes: &'a [NodeIndex],
    /// Prepared matrices of a split, made once and shared by its nodes.
    pub matrices: &'a Shared<'a>,
}

/// Gives the matrices of a `prepare` node, made by the function when nobody has made them yet.
pub type Shared<'a> = dyn Fn(NodeIndex, &dyn Fn() -> Matrices) -> Arc<Matrices> + 'a;

/// Per setting of the preparation: prepared training rows and held-out rows, or why not.
pub struct Matrices {
    prepared: Vec<Result<(Train, Rows), String>>,
    held_out: Vec<u32>,
}

/// Why the machine, not the data, is at fault.
#[derive(Debug, thiserror::Error)]
pub enum ComputeError {
    #[error(transparent)]
    Files(#[from] FilesError),
    #[error("failed to read a stored value: {0} where {1} was expected")]
    Kind(&'static str, &'static str),
    #[error("failed to read a stored value")]
    Chain(#[from] crate::operation::NotAChain),
}

type Computed = Result<Value, ComputeError>;

/// The value of a node.
pub fn compute(node: &Node, inputs: &Inputs<'_>) -> Computed {
    match &node.work {
        Work::Simulate { .. } | Work::ReadTable { .. } | Work::Outcome | Work::Splits => {
            unreachable!("the survey has done this node")
        }
        Work::ReadImage { source, file, what } => {
            read_image(inputs, *source, *file, *what)
        }
        Work::Features { block, family } => features(inputs, *block, *family),
        Work::Frame { cohort, block } => frame(inputs, *cohort, *block),
        Work::FitBefore { cohort, block, step } => {
            fit_before(inputs, *cohort, &inputs.study.predictors[*block].steps[*step])
        }
        Work::ApplyBefore { block, step } => {
            apply_before(inputs, &inputs.study.predictors[*block].steps[*step])
        }
        Work::Assemble { .. } => assemble(inputs),
        Work::Prepare { analysis, split } => prepare(inputs, *analysis, split),
        Work::Select { analysis, split, selector } => {
            select(inputs, *analysis, split, &inputs.study.select[*selector])
        }
        Work::Score { analysis, split, selector, learner } => score(
            inputs,
            *analysis,
            split,
            &inputs.study.select[*selector],
            &inputs.study.learn[*learner],
        ),
        Work::Tune { analysis, split } => tune(inputs, *analysis, split),
        Work::Threshold { analysis, .. } => threshold(inputs, *analysis),
        Work::Predict { analysis, .. } => predict(inputs, *analysis),
        Work::Metric { analysis, metric } => measure(inputs, *analysis, *metric),
        Work::Roc { analysis } => roc(inputs, *analysis),
    }
}

macro_rules! input {
    ($value:expr, $kind:ident, $name:literal) => {
        match &**$value {
            Value::$kind(inner) => inner,
            Value::Failed(why) => return Ok(Value::Failed(why.clone())),
            other => return Err(ComputeError::Kind(other.kind(), $name)),
        }
    };
}

fn read_image(inputs: &Inputs<'_>, source: usize, file: usize, what: Grid) -> Computed {
    let source = &inputs.study.sources[source];
    let SourceKind::Images { reader, .. } = &source.kind else {
        unreachable!("`plan` reads images from image sources")
    };
    let Some(given) =
        inputs.survey.sources.get(&source.name).and_then(|source| source.files.get(file))
    else {
        return Ok(Value::Failed("no image".to_string()));
    };
    let bytes = inputs.reading.bytes(inputs.study, given)?;
    let Instance::Reader(instance) = &reader.instance else {
        unreachable!("`spec` puts a reader here")
    };
    let (what, part) = match what {
        Grid::Volume => (ReadAs::Volume, "image"),
        Grid::Mask => (ReadAs::Mask, "mask"),
    };
    let file = File { name: &given.shown, bytes: &bytes };
    Ok(instance
        .read(file, what)
        .unwrap_or_else(|failure| Value::Failed(format!("{part}: {failure}"))))
}

fn features(inputs: &Inputs<'_>, block: usize, family: usize) -> Computed {
    let BlockKind::Images { labels, features, .. } = &inputs.study.predictors[block].kind
    else {
        unreachable!("`plan` measures features in image blocks")
    };
    let Instance::FeatureFamily(instance) = &features[family].instance else {
        unreachable!("`spec` puts a feature family here")
    };
    let volume = input!(&inputs.values[0], Volume, "volume");
    let mask = input!(&inputs.values[1], Mask, "mask");
    if volume.geometry.size != mask.size {
        let sizes = format!("{:?} and {:?} voxels", volume.geometry.size, mask.size);
        return Ok(Value::Failed(Failure::Geometry(sizes).to_string()));
    }
    let Some(roi) = Roi::new(volume, mask, labels) else {
        return Ok(Value::Failed(Failure::EmptyRegion.to_string()));
    };
    Ok(match instance.compute(&roi) {
        Ok(values) => Value::Features(Features { values }),
        Err(failure) => Value::Failed(failure.to_string()),
    })
}

fn frame(inputs: &Inputs<'_>, cohort_at: usize, block: usize) -> Computed {
    let study = inputs.study;
    let block = &study.predictors[block];
    let cohort = &inputs.survey.cohorts[&study.cohorts[cohort_at].name];
    let n = cohort.rows.len();
    let tolerated = study.cohorts[cohort_at].failed_at_most;
    match &block.kind {
        BlockKind::Columns { from, .. } => {
            let table = input!(&inputs.values[0], Table, "table");
            let Some(Content::Table { id, .. }) =
                inputs.survey.sources.get(&from.name).map(|source| &source.content)
            else {
                unreachable!("the survey has read this table")
            };
            let ids = table.column(id).map(|ids| ids.cells().collect::<Vec<_>>());
            let ids = ids.unwrap_or_default();
            // Tables are sorted by id, so each row is found by halving.
            let rows: Vec<Option<usize>> = cohort
                .rows
                .iter()
                .map(|row| ids.binary_search(&row.id.as_str()).ok())
                .collect();
            let mut columns = Vec::new();
            for name in &inputs.survey.columns[&block.name] {
                let Some(numbers) = table.column(name).and_then(|c| c.numbers().ok())
                else {
                    return Ok(Value::Failed(format!("column `{name}` holds text")));
                };
                let values =
                    rows.iter().map(|row| row.map_or(f64::NAN, |row| numbers[row]));
                columns
                    .push(FrameColumn { name: name.clone(), values: values.collect() });
            }
            Ok(Value::Frame(Frame { rows: Rows::new(columns, n), failed: vec![None; n] }))
        }
        BlockKind::Images { features, .. } => {
            let mut names = Vec::new();
            for family in features {
                let Instance::FeatureFamily(instance) = &family.instance else {
                    unreachable!("`spec` puts a feature family here")
                };
                let columns = instance.columns();
                names.extend(
                    columns.iter().map(|c| format!("{}.{}", family.about.name, c.name)),
                );
            }
            let mut values = vec![vec![f64::NAN; n]; names.len()];
            let mut failed = vec![None; n];
            for (row, of_row) in inputs.values.chunks(features.len()).enumerate() {
                let mut at = 0;
                for value in of_row {
                    match &**value {
                        Value::Features(features) => {
                            for number in &features.values {
                                values[at][row] = *number;
                                at += 1;
                            }
                        }
                        Value::Failed(why) => {
                            failed[row] = Some(why.clone());
                            break;
                        }
                        other => {
                            return Err(ComputeError::Kind(other.kind(), "features"));
                        }
                    }
                }
            }
            let reasons = counted(&failed);
            if failed.iter().flatten().count() > tolerated {
                let reasons: Vec<String> =
                    reasons.iter().map(|(why, n)| format!("{why} ({n})")).collect();
                return Ok(Value::Failed(format!(
                    "{} of {n} rows could not be measured and `failed_at_most` is {tolerated}: {}",
                    failed.iter().flatten().count(),
                    reasons.join("; ")
                )));
            }
            for (row, _) in failed.iter().enumerate().filter(|(_, why)| why.is_some()) {
                values.iter_mut().for_each(|column| column[row] = f64::NAN);
            }
            let columns = names.into_iter().zip(values);
            let columns =
                columns.map(|(name, values)| FrameColumn { name, values }).collect();
            Ok(Value::Frame(Frame { rows: Rows::new(columns, n), failed }))
        }
    }
}

/// How often each reason occurs, the reasons in alphabetical order.
pub(super) fn counted(failed: &[Option<String>]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for why in failed.iter().flatten() {
        *counts.entry(why.as_str()).or_insert(0) += 1;
    }
    counts
}

fn fit_before(inputs: &Inputs<'_>, cohort: usize, step: &Use) -> Computed {
    let frame = input!(&inputs.values[0], Frame, "frame");
    let cohort = &inputs.survey.cohorts[&inputs.study.cohorts[cohort].name];
    let everybody =
        Split { train: (0..frame.rows.n() as u32).collect(), held_out: Vec::new() };
    // No outcome is known here; the proof refuses this node before it could run.
    let unknown = vec![Some(false); frame.rows.n()];
    let train = everybody.train(frame, &unknown, &cohort.groups);
    let Instance::TableStep(instance) = &step.instance else {
        unreachable!("`spec` puts table steps here")
    };
    let path = instance.fit(&train).map(|state| vec![state]);
    let path = path.map_err(|failure| failure.to_string());
    Ok(Value::Fitted(FittedChain { paths: vec![path] }.to_bytes()))
}

fn apply_before(inputs: &Inputs<'_>, step: &Use) -> Computed {
    let frame = input!(&inputs.values[0], Frame, "frame");
    let fitted =
        FittedChain::from_bytes(input!(&inputs.values[1], Fitted, "fitted steps"))?;
    let mut rows = frame.rows.clone();
    let Instance::TableStep(instance) = &step.instance else {
        unreachable!("`spec` puts table steps here")
    };
    let applied = match &fitted.paths[0] {
        Ok(states) => instance.apply(&states[0], &mut rows).map_err(|f| f.to_string()),
        Err(why) => Err(why.clone()),
    };
    Ok(match applied {
        Ok(()) => Value::Frame(Frame { rows, failed: frame.failed.clone() }),
        Err(why) => Value::Failed(why),
    })
}

fn assemble(inputs: &Inputs<'_>) -> Computed {
    let mut columns = Vec::new();
    let mut failed: Vec<Option<String>> = Vec::new();
    let mut n = 0;
    for (value, node) in inputs.values.iter().zip(inputs.nodes) {
        let frame = input!(value, Frame, "frame");
        n = frame.rows.n();
        failed.resize(n, None);
        let block = match inputs.plan.graph[*node].work {
            Work::Frame { block, .. } | Work::ApplyBefore { block, .. } => block,
            _ => unreachable!("`plan` assembles frames"),
        };
        let block = &inputs.study.predictors[block].name;
        for column in frame.rows.columns() {
            let name = format!("{block}.{}", column.name);
            columns.push(FrameColumn { name, values: column.values.clone() });
        }
        for (row, why) in failed.iter_mut().zip(&frame.failed) {
            if row.is_none() {
                row.clone_from(why);
            }
        }
    }
    Ok(Value::Frame(Frame { rows: Rows::new(columns, n), failed }))
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

fn prepare(inputs: &Inputs<'_>, analysis: usize, placed: &Placed) -> Computed {
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

fn select(
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

fn score(
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

fn tune(inputs: &Inputs<'_>, analysis: usize, placed: &Placed) -> Computed {
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

fn threshold(inputs: &Inputs<'_>, analysis: usize) -> Computed {
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

fn predict(inputs: &Inputs<'_>, analysis: usize) -> Computed {
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

/// The held-out predictions by repeat, and the outer splits that have none.
type ByRepeat<'a> = (Vec<Vec<&'a Predictions>>, Vec<String>);

fn by_repeat<'a>(
    inputs: &'a Inputs<'_>,
    analysis: usize,
) -> Result<ByRepeat<'a>, ComputeError> {
    let analysis = &inputs.plan.analyses[analysis];
    let mut repeats: Vec<Vec<&Predictions>> = Vec::new();
    let mut failed = Vec::new();
    for (value, nodes) in inputs.values.iter().zip(&analysis.outer) {
        repeats.resize(repeats.len().max(nodes.repeat + 1), Vec::new());
        match &**value {
            Value::Predictions(predictions) => repeats[nodes.repeat].push(predictions),
            Value::Failed(why) => failed.push(format!(
                "repeat {}, split {}: {why}",
                nodes.repeat + 1,
                nodes.outer + 1
            )),
            other => return Err(ComputeError::Kind(other.kind(), "predictions")),
        }
    }
    Ok((repeats, failed))
}

/// The reasons of failed splits, each once and without its place.
fn distinct(failed: &[String]) -> String {
    let reason = |text: &String| match text.split_once(": ") {
        Some((place, reason)) if place.starts_with("repeat ") => reason.to_string(),
        _ => text.clone(),
    };
    let reasons: BTreeSet<String> = failed.iter().map(reason).collect();
    reasons.into_iter().collect::<Vec<_>>().join("; ")
}

fn decisions(predictions: &Predictions) -> Vec<bool> {
    let Some(threshold) = predictions.threshold else { return Vec::new() };
    predictions.scores.iter().map(|score| *score >= threshold).collect()
}

fn measure(inputs: &Inputs<'_>, analysis: usize, metric: usize) -> Computed {
    let evaluate = &inputs.study.evaluate;
    let used = if metric == 0 { &evaluate.primary } else { &evaluate.also[metric - 1] };
    let Instance::Metric(metric) = &used.instance else {
        unreachable!("`spec` puts a metric here")
    };
    let (repeats, mut failed) = by_repeat(inputs, analysis)?;
    let scale = metric.scale();
    let estimate = match scale.pooling {
        Pooling::FoldMean => {
            let mut folds = Vec::new();
            let mut held_out = 0;
            for (repeat, predictions) in repeats.iter().enumerate() {
                for (split, fold) in predictions.iter().enumerate() {
                    let decisions = decisions(fold);
                    let (truth, scores) = (&fold.truth, &fold.scores);
                    match metric.compute(Scored { truth, scores, decisions: &decisions })
                    {
                        Ok(value) => {
                            folds.push(value);
                            held_out += fold.rows.len();
                        }
                        Err(failure) => failed.push(format!(
                            "repeat {}, split {}: {failure}",
                            repeat + 1,
                            split + 1
                        )),
                    }
                }
            }
            let Some(mean) = crate::math::mean(&folds) else {
                return Ok(Value::Failed(distinct(&failed)));
            };
            let n: usize =
                repeats.first().map_or(0, |r| r.iter().map(|f| f.rows.len()).sum());
            let n_test = held_out as f64 / folds.len() as f64;
            let interval =
                statistics::nadeau_bengio(&folds, n as f64 - n_test, n_test, 0.95);
            let (lower, upper) = interval.unzip();
            Estimate {
                estimate: mean,
                lower,
                upper,
                method: format!(
                    "mean over {} held-out folds; approximate 95 % interval from the corrected \
                     resampled variance (1/J + n_test/n_train)·S², t with J − 1 degrees of freedom",
                    folds.len()
                ),
                folds,
                failed_folds: failed,
            }
        }
        Pooling::Proportion => {
            let mut values = Vec::new();
            let mut n = 0;
            for predictions in &repeats {
                let mut truth = Vec::new();
                let mut scores = Vec::new();
                let mut decided = Vec::new();
                for fold in predictions {
                    truth.extend(&fold.truth);
                    scores.extend(&fold.scores);
                    decided.extend(decisions(fold));
                }
                n = n.max(metric.denominator(&truth));
                let scored =
                    Scored { truth: &truth, scores: &scores, decisions: &decided };
                if truth.is_empty() {
                    continue; // Why is told with the splits that failed.
                }
                match metric.compute(scored) {
                    Ok(value) => values.push(value),
                    Err(failure) => failed.push(failure.to_string()),
                }
            }
            let Some(mean) = crate::math::mean(&values) else {
                return Ok(Value::Failed(distinct(&failed)));
            };
            let (lower, upper) =
                statistics::wilson(mean * n as f64, n as f64, 0.95).unzip();
            Estimate {
                estimate: mean,
                lower,
                upper,
                method: format!(
                    "pooled within each repeat and averaged over {} repeats, each fold at its own \
                     threshold; Wilson's 95 % interval with n = {n} patients",
                    values.len()
                ),
                folds: values,
                failed_folds: failed,
            }
        }
    };
    Ok(Value::Estimate(estimate))
}

/// ROC curves pooled within each repeat, and their mean as the last curve.
fn roc(inputs: &Inputs<'_>, analysis: usize) -> Computed {
    let (repeats, failed) = by_repeat(inputs, analysis)?;
    let mut curves: Vec<Curve> = Vec::new();
    for predictions in &repeats {
        let truth: Vec<bool> = predictions.iter().flat_map(|f| f.truth.clone()).collect();
        let scores: Vec<f64> =
            predictions.iter().flat_map(|f| f.scores.clone()).collect();
        if let Some(curve) = statistics::roc_curve(&truth, &scores) {
            curves.push(curve);
        }
    }
    if curves.is_empty() {
        return Ok(Value::Failed(distinct(&failed)));
    }
    let mean = statistics::mean_curve(&curves);
    curves.push(mean);
    Ok(Value::Curves(curves))
}
