//! One function per kind of node: values in, value out.
//!
//! A failure of the data is a value with a reason; only a failing machine is an error here.

mod decoded;
mod drawn;
mod explained;
mod external;
mod measured;
mod permuted;
mod pools;
mod procedure;
mod resamples;
mod rows;
mod similar;
mod splits;
mod trails;
mod tuning;
mod winner;

pub use external::{Part, say};
pub use measured::in_fold;
pub use resamples::Resamples;
pub use rows::counted;
pub use similar::ALIKE;
pub use splits::{KnownStates, Matrices};
pub use trails::{
    Straight, Trail, Trails, on_raw_scale, rows_of, straight, trails, without_rows,
};
pub use winner::Chosen;

use std::cell::RefCell;
use std::sync::Arc;

use petgraph::graph::NodeIndex;

use crate::data::{Value, Winner};
use crate::plan::{Case, Node, Plan, Work};
use crate::spec::Study;
use crate::store::FilesError;
use crate::survey::{Reading, Survey};

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
    /// Of patients, drawn once and shared by all nodes.
    pub resamples: &'a Resamples,
    /// States of steps that were fitted on this node's rows before, by whatever was chosen there.
    pub known: &'a RefCell<KnownStates>,
    /// The nodes that share states with this one, with their values.
    pub shared: &'a dyn Fn() -> Vec<(NodeIndex, Arc<Value>)>,
}

/// Gives the matrices of a `prepare` node, made by the function when nobody has made them yet.
pub type Shared<'a> = dyn Fn(NodeIndex, &dyn Fn() -> Matrices) -> Arc<Matrices> + 'a;

/// Why the machine, not the data, is at fault.
#[derive(Debug, thiserror::Error)]
pub enum ComputeError {
    #[error("{}", .0.without_path())]
    Files(#[from] FilesError),
    #[error("failed to read a stored value: {0} where {1} was expected")]
    Kind(&'static str, &'static str),
    #[error("failed to read a stored value")]
    Chain(#[from] crate::operation::NotAChain),
}

type Computed = Result<Value, ComputeError>;

/// The number of the first candidate of a selector and a learner of a case.
pub fn first_candidate(
    study: &Study,
    of: Case,
    (selector, learner): (usize, usize),
) -> usize {
    let model = &study.models[of.model];
    let prepare = &model.branches[of.branch].prepare;
    let candidates = tuning::Candidates::new(study, prepare, &model.select);
    candidates.first(selector * study.learn.len() + learner)
}

/// The values of nodes that share most of their work (see [`Plan::together`]) in one pass: the same as those
/// that each of them has alone.
pub fn together(
    nodes: &[&Node],
    inputs: &Inputs<'_>,
) -> Result<Vec<Value>, ComputeError> {
    let Work::Trials { scheme, case, from, to, .. } = nodes[0].work else {
        unreachable!("`plan` puts trials together")
    };
    let cells = nodes.iter().map(|node| match node.work {
        Work::Trials { cell, .. } => cell,
        _ => unreachable!("`plan` puts trials together"),
    });
    let cells: Vec<_> = cells.collect();
    permuted::trials(inputs, (scheme, case), from..to, &cells)
}

/// What a choice of several candidates gives, from what each of them gives alone: the same as when all are
/// fitted at once. Nothing where these are of another kind.
pub fn of_members(winner: &Winner, alone: &[Arc<Value>]) -> Option<Value> {
    // Whoever fails first says why.
    if let Some(failed) = alone.iter().find(|value| matches!(***value, Value::Failed(_)))
    {
        return Some(failed.as_ref().clone());
    }
    winner::fits_of(winner, alone)
        .map(Value::Fit)
        .or_else(|| external::frozen_of(winner, alone).map(Value::Frozen))
}

/// The value of a node.
pub fn compute(node: &Node, inputs: &Inputs<'_>) -> Computed {
    match &node.work {
        Work::Simulate { .. } | Work::ReadTable { .. } | Work::Outcome | Work::Splits => {
            unreachable!("the survey has done this node")
        }
        Work::ReadImage { source, file, what } => {
            rows::read_image(inputs, *source, *file, *what)
        }
        Work::Features { block, family } => rows::features(inputs, *block, *family),
        Work::Frame { cohort, block } => rows::frame(inputs, *cohort, *block),
        Work::FitBefore { cohort, block, step } => rows::fit_before(
            inputs,
            *cohort,
            &inputs.study.predictors[*block].steps[*step],
        ),
        Work::ApplyBefore { block, step } => {
            rows::apply_before(inputs, &inputs.study.predictors[*block].steps[*step])
        }
        Work::Assemble { .. } => rows::assemble(inputs),
        Work::Prepare { case, split } => splits::prepare(inputs, *case, split),
        Work::Decoded { case, split } => decoded::decoded(inputs, *case, split),
        Work::Select { case, split, selector } => {
            let (_, select) = splits::procedure(inputs, *case);
            splits::select(inputs, *case, split, &select[*selector])
        }
        Work::Score { case, split, selector, learner } => {
            let (_, select) = splits::procedure(inputs, *case);
            let learners = &inputs.study.learn;
            let of = inputs.plan.cases[*case];
            let first = first_candidate(inputs.study, of, (*selector, *learner));
            let chains = (&select[*selector], &learners[*learner]);
            splits::score(inputs, *case, split, chains, first)
        }
        Work::Race { case, rung } => tuning::race(inputs, *case, *rung),
        Work::Tune { case, split } => tuning::tune(inputs, *case, split),
        Work::Alternatives { case, split, choosing } => {
            winner::alternatives(inputs, *case, split, *choosing)
        }
        Work::Winner { case } => winner::winner(inputs, *case),
        Work::Link { case } => tuning::link(inputs, *case),
        Work::Threshold { case, split } => tuning::threshold(inputs, *case, split),
        Work::Fit { case, split, keeps } => winner::fit(inputs, *case, split, *keeps),
        Work::Predict { case, split } => tuning::predict(inputs, *case, split),
        Work::Decide => tuning::decide(inputs),
        Work::Calibrate { case, split } => tuning::calibrate(inputs, *case, split),
        Work::Refit { case, split } => external::refit(inputs, *case, split),
        Work::Freeze => external::freeze(inputs),
        Work::Importance { case, split } => explained::importance(inputs, *case, split),
        Work::Explain { case } => explained::explain(inputs, *case),
        Work::Apparent { case, split } => external::apparent(inputs, *case, split),
        Work::Seal { outcome, cohort } => external::seal(inputs, *outcome, *cohort),
        Work::Unseal => external::unseal(inputs),
        Work::Apply { frozen, case } => external::apply(inputs, *frozen, *case),
        Work::Metric { of, metric } => measured::measure(inputs, *of, *metric),
        Work::Similar { split } => similar::similar(inputs, split),
        Work::Roc { of } => drawn::roc(inputs, *of),
        Work::PrecisionRecall { of } => drawn::precision_recall(inputs, *of),
        Work::CalibrationCurve { of } => drawn::calibration(inputs, *of),
        Work::DecisionCurve { of } => drawn::decision(inputs, *of),
        Work::Confusion { of } => drawn::confusion(inputs, *of),
        Work::Within { of } => measured::within(inputs, *of),
        Work::Groups { of } => measured::groups(inputs, *of),
        Work::Permute { scheme, case, from, to, ways } => {
            permuted::permute(inputs, (*scheme, *case), *from..*to, *ways)
        }
        Work::Trials { scheme, case, from, to, cell } => {
            let of = (*scheme, *case);
            let mut trials = permuted::trials(inputs, of, *from..*to, &[*cell])?;
            Ok(trials.pop().expect("there are trials of the one that was asked for"))
        }
        Work::SlopeVariance { of } => measured::slope_variance(inputs, *of),
        Work::Compare { of, first } => measured::compare(inputs, *of, *first),
    }
}

macro_rules! input {
    ($value:expr, $kind:ident, $name:literal) => {
        match &**$value {
            Value::$kind(inner) => inner,
            Value::Failed(why) => return Ok(Value::Failed(why.clone())),
            other => {
                return Err($crate::run::compute::ComputeError::Kind(
                    other.kind(),
                    $name,
                ));
            }
        }
    };
}

use input;
