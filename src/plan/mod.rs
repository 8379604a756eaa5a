//! Which nodes does this study need, in which state is each, and why?
//!
//! Pure: a function of study, survey and what the store knows. No file is read here, and no value
//! that a node computes adds or removes a node.

mod build;
mod external;
mod facts;
mod fits;
mod groups;
mod inputs;
mod keys;
mod learning;
mod procedure;
mod proof;
mod state;

pub use build::build;
pub use facts::{certificate, graph};
pub use fits::{Fits, fits};
pub use groups::Groups;
pub use keys::{key_of, plan_key, preimage};
pub use proof::{Proof, prove};
pub use state::{Indexed, Remembered, State, States, read_index, states, write_index};

use std::collections::BTreeMap;
use std::sync::Arc;

use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;

use crate::data::{Scope, Split};
use crate::diagnostics::Span;
use crate::digest::{Digest, canonical_json, canonical_object};

/// A study's computations and what each reads.
pub struct Plan {
    pub graph: DiGraph<Node, Edge>,
    /// Every node after all of its inputs.
    pub order: Vec<NodeIndex>,
    /// What nodes name by number: an outcome and a model on the rows of a cohort.
    pub cases: Vec<Case>,
    /// By `alternatives` node: what is computed ahead for each of its winners. No number of the study comes
    /// from it; a study that changes its rule of choice or its primary metric finds it in the store.
    pub ahead: BTreeMap<NodeIndex, Ahead>,
    /// Nodes that share most of their work, by the first of them, which the others wait for: those of them
    /// that the store lacks are computed in one pass. Each has its own key and its own value, which is the
    /// same when it is computed alone.
    pub together: BTreeMap<NodeIndex, Vec<NodeIndex>>,
    /// The headline first, then in written order.
    pub analyses: Vec<Analysis>,
    pub frozen: Vec<FrozenModel>,
    pub external: Vec<External>,
    pub comparisons: Vec<Comparison>,
}

/// The nodes that a choice is followed by. With another choice in the place of the study's own each of them
/// has another key, and that is the one that the other choice's study would ask for.
#[derive(Debug, Clone)]
pub struct Ahead {
    pub tune: NodeIndex,
    pub winner: NodeIndex,
    pub link: Option<NodeIndex>,
    /// In order: later ones read earlier ones.
    pub then: Vec<NodeIndex>,
}

/// An outcome and a way of preparing a model, on the rows of a cohort: positions in the study.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Case {
    pub outcome: usize,
    pub model: usize,
    pub branch: usize,
    pub cohort: usize,
}

/// How a node reads another.
#[derive(Debug, Clone)]
pub struct Edge {
    /// For inputs with several outputs: which.
    pub port: Option<Box<str>>,
    pub reads: Reads,
}

/// What of an input reaches its reader's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    /// All of it.
    Content,
    /// All of it, and it decides nothing but which of the reader's values there are; what each of
    /// them says does not depend on it.
    Which,
    /// Only the part that stands among the reader's given facts: one file of a generator, the
    /// rows of one split.
    Part,
    /// States that the reader would otherwise fit itself. Its own key fixes them already.
    Shared,
    /// Nothing: it only has to be done before.
    After,
}

impl Reads {
    /// Whether the reader's value says anything of the input. What is shared saves work and changes nothing.
    pub fn tells(self) -> bool {
        !matches!(self, Self::Shared | Self::After)
    }
}

/// Outcome × model × way of preparing × scheme.
#[derive(Debug, Clone)]
pub struct Analysis {
    /// As in node names and `report.json`: `idh1.fused.internal`.
    pub name: String,
    /// Position in `cases`.
    pub case: usize,
    /// Position in the study.
    pub scheme: usize,
    /// `tune` and `predict` nodes of each outer split, in order of repeat and split.
    pub outer: Vec<OuterNodes>,
    pub measured: MeasuredNodes,
    /// The procedure on permuted outcomes by the study's own way among others, some of them in each node.
    pub permuted: Vec<NodeIndex>,
    /// The procedure on parts of the training rows, where a learning curve is drawn.
    pub learning: Option<LearningNodes>,
    /// How precisely the rows tell a calibration slope: for the headline of each primary outcome.
    pub slope: Option<NodeIndex>,
    /// Which of the columns that its fits chose say much the same: of the headline.
    pub similar: Option<NodeIndex>,
}

/// The nodes of a learning curve, on the outer splits of the first repeats of an analysis.
#[derive(Debug, Clone)]
pub struct LearningNodes {
    pub repeats: usize,
    /// By size, ascending.
    pub parts: Vec<LearnedPart>,
    /// The primary metric with all training rows.
    pub whole: NodeIndex,
    /// That less the same with the largest part.
    pub last_step: NodeIndex,
}

/// The procedure on a part of the training rows of each outer split.
#[derive(Debug, Clone)]
pub struct LearnedPart {
    pub fraction: f64,
    /// By outer split, in the order of the analysis: the rows, and what the procedure says.
    pub splits: Vec<(Arc<Placed>, NodeIndex)>,
    /// The primary metric.
    pub measured: NodeIndex,
}

impl LearningNodes {
    /// All that are there for the curve alone.
    pub fn own(&self) -> impl Iterator<Item = NodeIndex> {
        let of_part = |part: &LearnedPart| {
            let splits = part.splits.iter().map(|(_, node)| *node);
            splits.chain([part.measured]).collect::<Vec<_>>()
        };
        self.parts.iter().flat_map(of_part).chain([self.whole, self.last_step])
    }
}

/// A model that is tuned on all development rows and then left alone.
#[derive(Debug, Clone)]
pub struct FrozenModel {
    /// As in node names: `idh1.fused.frozen`.
    pub name: String,
    pub case: usize,
    /// Whether it is the one that is handed over; others meet external cohorts beside it.
    pub primary: bool,
    pub tune: NodeIndex,
    pub refit: NodeIndex,
    pub threshold: Option<NodeIndex>,
    pub freeze: NodeIndex,
    /// What it looks at, for the one that is handed over.
    pub explain: Option<NodeIndex>,
    /// How it does on the rows that it was fitted on, by metric, the primary first, then those that the
    /// author named. Empty where it meets no other cohort, beside which this would stand.
    pub apparent: Vec<NodeIndex>,
}

/// A frozen model on a cohort that had no part in it.
#[derive(Debug, Clone)]
pub struct External {
    /// As in node names and `report.json`: `idh1.fused.other_hospital`.
    pub name: String,
    /// Its cohort is the external one.
    pub case: usize,
    /// Position in `frozen`.
    pub frozen: usize,
    pub opened: NodeIndex,
    pub predict: NodeIndex,
    /// The same at the frozen threshold, if it is applied to this cohort.
    pub decide: Option<NodeIndex>,
    pub measured: MeasuredNodes,
}

/// What is measured on held-out predictions.
#[derive(Debug, Clone)]
pub struct MeasuredNodes {
    /// By metric, the primary first, then those that the author named.
    pub metrics: Vec<NodeIndex>,
    /// What is measured without being asked for: position among all metrics, and node.
    pub standard: Vec<(usize, NodeIndex)>,
    pub roc: NodeIndex,
    pub precision_recall: NodeIndex,
    pub calibration: NodeIndex,
    /// Over the declared range, if one was.
    pub decision: Option<NodeIndex>,
    /// At the threshold, if one is applied.
    pub confusion: Option<NodeIndex>,
    /// Pairs within strata, if a column was named.
    pub within: Option<NodeIndex>,
    pub groups: Option<NodeIndex>,
}

/// Two models on identical splits.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// Position in the study's list.
    pub pair: usize,
    /// Names of the two analyses.
    pub better: String,
    pub than: String,
    pub node: NodeIndex,
}

/// On what something is measured: positions in the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    /// Held-out rows of an analysis.
    Internal(usize),
    External(usize),
    /// The rows that a frozen model was fitted on.
    Apparent(usize),
    /// Held-out rows of the first repeats of an analysis, by what was learned from a part of the training
    /// rows (its position), or else from all of them.
    Learning {
        analysis: usize,
        part: Option<usize>,
    },
}

/// The nodes that decide one outer split.
#[derive(Debug, Clone, Copy)]
pub struct OuterNodes {
    pub repeat: usize,
    pub outer: usize,
    pub tune: NodeIndex,
    pub threshold: Option<NodeIndex>,
    pub predict: NodeIndex,
    /// The same at the threshold, if a rule was declared.
    pub decide: Option<NodeIndex>,
    /// The winner's fit, with the columns that reached it.
    pub fit: NodeIndex,
    /// How well the batch is told from the columns, where the preparation harmonises.
    pub decoded: Option<NodeIndex>,
    /// What the choice looks at: in the first repeat of the procedure that is frozen.
    pub importance: Option<NodeIndex>,
}

/// One computation: something that a person would name and like to see kept.
pub struct Node {
    pub name: String,
    pub work: Work,
    /// Operations, versions and changed parameters.
    pub identity: Arc<Identity>,
    /// Facts that it reads beside its inputs: files, row sets, outcomes.
    pub given: Arc<[Given]>,
    /// The study's seed, where it draws random numbers.
    pub seed: Option<u64>,
    pub keep: crate::store::Keep,
    /// The kind of node in the report's drawing.
    pub family: &'static str,
    pub scope: Scope,
    pub rows: RowSets,
    /// Where the author decided which rows it reads.
    pub span: Span,
}

/// What a node does: canonical JSON, as it enters the node's key.
#[derive(Debug)]
pub struct Identity(String);

impl Identity {
    /// The canonical JSON of what a node does.
    pub fn new(json: &serde_json::Value) -> Arc<Self> {
        Arc::new(Self(canonical_json(json)))
    }

    /// An object, from the canonical JSON of its fields.
    pub fn of(fields: &[(&str, &str)]) -> Arc<Self> {
        Arc::new(Self(canonical_object(fields)))
    }

    /// As it enters the key.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// As it is printed.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.0).expect("it was written as JSON")
    }
}

/// A fact that a node reads, with what `why` prints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    pub name: Arc<str>,
    pub digest: Digest,
    pub shown: Arc<str>,
}

/// Which rows a node reads, as groups.
#[derive(Debug, Clone, Default)]
pub struct RowSets {
    /// Rows over which it pools.
    pub fitted: Option<Arc<Groups>>,
    /// Whether it reads their outcomes.
    pub outcomes: bool,
    /// Rows that it uses as held out.
    pub held_out: Option<Arc<Groups>>,
    /// Whether a step of it is declared to look at the inputs of those rows together.
    pub transductive: bool,
    /// Whether it pools over whatever rows its inputs cover, outcomes included.
    pub pools_inputs: bool,
    /// Whether what it says of held-out rows serves a choice alone and no performance is read off
    /// it: so it is on inner splits.
    pub chooses: bool,
}

/// What a node does; numbers are positions in the study.
#[derive(Debug, Clone)]
pub enum Work {
    /// The files of a generator. Done by the survey.
    Simulate {
        source: usize,
    },
    /// A table. Done by the survey.
    ReadTable {
        source: usize,
    },
    /// What is known of an outcome in a cohort. Done by the survey.
    Outcome,
    /// Which rows each split holds out. Done by the survey.
    Splits,
    /// An image or a mask of one subject.
    ReadImage {
        source: usize,
        file: usize,
        what: Grid,
    },
    /// One family on one subject.
    Features {
        block: usize,
        family: usize,
    },
    /// The predictors of a block for a cohort.
    Frame {
        cohort: usize,
        block: usize,
    },
    /// A fitted step on a whole block, before any split.
    FitBefore {
        cohort: usize,
        block: usize,
        step: usize,
    },
    ApplyBefore {
        block: usize,
        step: usize,
    },
    /// The blocks of a model side by side.
    Assemble {
        model: usize,
    },
    /// Preparation, fitted on the training rows of a split.
    Prepare {
        case: usize,
        split: Arc<Placed>,
    },
    /// How well the batch of held-out rows is told before and after harmonisation.
    Decoded {
        case: usize,
        split: Arc<Placed>,
    },
    /// A selector, fitted on prepared training rows.
    Select {
        case: usize,
        split: Arc<Placed>,
        selector: usize,
    },
    /// A learner on selected training rows over its whole grid, applied to the held-out rows.
    Score {
        case: usize,
        split: Arc<Placed>,
        selector: usize,
        learner: usize,
    },
    /// Which candidates are scored on further inner splits.
    Race {
        case: usize,
        /// Counted from 0.
        rung: usize,
    },
    /// The choice among all candidates by their inner scores.
    Tune {
        case: usize,
        split: Arc<Placed>,
    },
    /// What other rules and metrics would choose; what follows is computed ahead.
    Alternatives {
        case: usize,
        split: Arc<Placed>,
        /// By which of [`crate::spec::Evaluate::choosing`].
        choosing: usize,
    },
    /// That choice by what it does.
    Winner {
        case: usize,
    },
    /// Maps from the choice's decision values to probabilities, fitted on its out-of-fold values.
    Link {
        case: usize,
    },
    /// The threshold, learned on the choice's out-of-fold predictions.
    Threshold {
        case: usize,
        split: Arc<Placed>,
    },
    /// The winner, fitted on the training rows of an outer split and applied to those held out.
    Fit {
        case: usize,
        split: Arc<Placed>,
        /// Whether the fits are kept beside what they say.
        keeps: bool,
    },
    /// The choice's predictions on the outer held-out rows.
    Predict {
        case: usize,
        split: Arc<Placed>,
    },
    /// Predictions with the threshold that decides by them, so that another threshold leaves what is
    /// measured without one alone.
    Decide,
    /// The calibration map, fitted on the choice's out-of-fold predictions.
    Calibrate {
        case: usize,
        split: Arc<Placed>,
    },
    /// The choice, fitted on all development rows.
    Refit {
        case: usize,
        split: Arc<Placed>,
    },
    /// A fitted choice with its threshold and its calibration map.
    Freeze,
    /// How much worse held-out rows are predicted when a predictor is shuffled.
    Importance {
        case: usize,
        split: Arc<Placed>,
    },
    /// What a frozen model looks at on the rows that it was developed on.
    Explain {
        case: usize,
    },
    /// What a frozen model says of the rows that it was fitted on.
    Apparent {
        case: usize,
        split: Arc<Placed>,
    },
    /// Outcomes of an external cohort, locked away.
    Seal {
        outcome: usize,
        cohort: usize,
    },
    /// The same, opened for finished models.
    Unseal,
    /// A frozen model on an external cohort.
    Apply {
        /// Whose procedure it is.
        frozen: usize,
        case: usize,
    },
    Metric {
        of: Judgement,
        metric: usize,
    },
    /// Which of the columns that outer fits chose say much the same, on the rows of a split.
    Similar {
        split: Arc<Placed>,
    },
    Roc {
        of: Judgement,
    },
    PrecisionRecall {
        of: Judgement,
    },
    /// Predictions against what happened.
    CalibrationCurve {
        of: Judgement,
    },
    /// Net benefit over the declared range.
    DecisionCurve {
        of: Judgement,
    },
    /// Rows by class and decision.
    Confusion {
        of: Judgement,
    },
    /// The primary metric over pairs within strata.
    Within {
        of: Judgement,
    },
    /// The primary metric in each subgroup.
    Groups {
        of: Judgement,
    },
    /// What a choice asks of the candidates of a selector and a learner, by their numbers, on the inner
    /// splits of permuted outcomes.
    Trials {
        scheme: usize,
        case: usize,
        from: usize,
        to: usize,
        cell: (usize, usize),
    },
    /// The whole procedure of a case under a scheme on permuted outcomes, by their numbers.
    Permute {
        scheme: usize,
        case: usize,
        from: usize,
        to: usize,
        /// By which of [`crate::spec::Evaluate::permuted_ways`].
        ways: usize,
    },
    /// How precisely the rows tell a calibration slope.
    SlopeVariance {
        of: Judgement,
    },
    /// Two models, or one that learned from more and from fewer rows, on the same held-out rows.
    Compare {
        of: [Judgement; 2],
        /// How many of the inputs are those of the first.
        first: usize,
    },
}

impl Work {
    /// Of its outputs those that are what it gives. The others name what was computed ahead, or what a fit
    /// was put together from: they are nothing of the study's.
    pub fn gives<'o, T>(&self, outputs: &'o [T]) -> &'o [T] {
        match self {
            Self::Alternatives { .. } | Self::Fit { .. } | Self::Refit { .. } => {
                &outputs[..outputs.len().min(1)]
            }
            _ => outputs,
        }
    }
}

/// The file of an image source that a node reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grid {
    Volume,
    Mask,
}

/// A split with its place in the scheme.
#[derive(Debug)]
pub struct Placed {
    pub split: Split,
    /// Inner splits of an outer one.
    pub inner_splits: Vec<Split>,
    /// As in node names, counted from 1: `r03.o2.i4`.
    pub name: String,
    /// Whether it divides the training rows of another split.
    pub is_inner: bool,
    /// The groups of its training rows and of those held out.
    pub train: Arc<Groups>,
    pub held_out: Arc<Groups>,
    /// Its rows, as a fact.
    pub rows: Given,
    /// The same with its inner splits.
    pub all_rows: Given,
    /// Its place, as a fact: streams of random numbers are named by it.
    pub place: Given,
}

impl Placed {
    /// The place counts from 0, by repeat, outer and inner split; `group_of` is by row of the cohort.
    pub fn new(
        (repeat, outer, inner): (usize, usize, Option<usize>),
        split: &Split,
        inner_splits: &[Split],
        group_of: &[u32],
    ) -> Self {
        let within = inner.map_or(String::new(), |inner| format!(".i{}", inner + 1));
        let name = format!("r{:02}.o{}{within}", repeat + 1, outer + 1);
        let (n_train, n_held_out) = (split.train.len(), split.held_out.len());
        let rows = Given {
            name: format!("split {name}").into(),
            digest: split.digest(),
            shown: format!("{n_train} training rows, {n_held_out} held out").into(),
        };
        let digests = [split].into_iter().chain(inner_splits);
        let digests: Vec<String> =
            digests.map(|split| split.digest().to_string()).collect();
        let all_rows = Given {
            name: format!("split {name} with its inner splits").into(),
            digest: Digest::of(digests.concat().as_bytes()),
            shown: format!("{} inner splits", inner_splits.len()).into(),
        };
        let place = Given {
            name: "place".into(),
            digest: Digest::of(name.as_bytes()),
            shown: name.as_str().into(),
        };
        Self {
            split: split.clone(),
            inner_splits: inner_splits.to_vec(),
            name,
            is_inner: inner.is_some(),
            train: Arc::new(Groups::of_rows(&split.train, group_of)),
            held_out: Arc::new(Groups::of_rows(&split.held_out, group_of)),
            rows,
            all_rows,
            place,
        }
    }
}

/// Everything that must be done before a node is, with how it reads it, in the order in which it was said.
fn edges(graph: &DiGraph<Node, Edge>, node: NodeIndex) -> Vec<(NodeIndex, &Edge)> {
    let edges = graph.edges_directed(node, Direction::Incoming);
    let mut edges: Vec<_> = edges.map(|edge| (edge.source(), edge.weight())).collect();
    edges.reverse(); // petgraph gives the latest edge first.
    edges
}

impl Plan {
    /// The inputs whose content a node reads, in the order in which it reads them.
    pub fn inputs(&self, node: NodeIndex) -> Vec<NodeIndex> {
        self.ports(node).into_iter().map(|(input, _)| input).collect()
    }

    /// The same with the port that it reads of each.
    pub fn ports(&self, node: NodeIndex) -> Vec<(NodeIndex, Option<&str>)> {
        let mut ports = self.edges(node);
        ports.retain(|(_, edge)| matches!(edge.reads, Reads::Content | Reads::Which));
        ports.into_iter().map(|(input, edge)| (input, edge.port.as_deref())).collect()
    }

    /// Everything that must be done before a node is, with how it reads it.
    pub fn edges(&self, node: NodeIndex) -> Vec<(NodeIndex, &Edge)> {
        edges(&self.graph, node)
    }

    /// The nodes that read this one.
    pub fn readers(&self, node: NodeIndex) -> impl Iterator<Item = NodeIndex> {
        self.graph.neighbors_directed(node, Direction::Outgoing)
    }

    /// The node of this name.
    pub fn find(&self, name: &str) -> Option<NodeIndex> {
        self.graph.node_indices().find(|&node| self.graph[node].name == name)
    }
}
