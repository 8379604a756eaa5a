//! Study × survey → nodes and edges.

use std::collections::BTreeMap;
use std::sync::Arc;

use petgraph::algo::toposort;
use petgraph::graph::{DiGraph, NodeIndex};
use serde_json::json;

use super::inputs::reads_outcome_of;
use super::procedure::Procedure;
use super::{
    Analysis, Edge, Given, Groups, Identity, Node, OuterNodes, Placed, Plan, Reads,
    RowSets, Work,
};
use crate::data::{OuterSplit, Scope, Split};
use crate::diagnostics::Span;
use crate::digest::Digest;
use crate::operation::Instance;
use crate::spec::{Chain, LearnedFrom, Named, Study};
use crate::store::Keep;
use crate::survey::Survey;

/// The plan of a study. Analyses whose splits the survey could not make are left out.
pub fn build(study: &Study, survey: &Survey) -> Plan {
    let mut builder = Builder {
        study,
        survey,
        graph: DiGraph::new(),
        sources: BTreeMap::new(),
        frames: BTreeMap::new(),
        models: BTreeMap::new(),
        analyses: Vec::new(),
        procedure: Procedure::of(study),
    };
    for (scheme, _) in study.validate.iter().enumerate() {
        for (outcome, _) in study.outcomes.iter().enumerate() {
            for model in study.validate[scheme].models.iter() {
                builder.analysis(scheme, outcome, model);
            }
        }
    }
    let order =
        toposort(&builder.graph, None).expect("inputs are added before their readers");
    Plan { graph: builder.graph, order, analyses: builder.analyses }
}

/// Nodes as they are added; what other nodes share is remembered by name.
pub struct Builder<'a> {
    pub study: &'a Study,
    pub survey: &'a Survey,
    graph: DiGraph<Node, Edge>,
    /// By source name.
    pub sources: BTreeMap<String, NodeIndex>,
    /// By cohort and block.
    pub frames: BTreeMap<(usize, usize), NodeIndex>,
    /// By cohort and model.
    pub models: BTreeMap<(usize, usize), NodeIndex>,
    analyses: Vec<Analysis>,
    procedure: Procedure,
}

impl Builder<'_> {
    pub fn add(
        &mut self,
        node: Node,
        inputs: &[(NodeIndex, Option<String>)],
    ) -> NodeIndex {
        let index = self.graph.add_node(node);
        for (input, port) in inputs {
            let edge = Edge { port: port.clone(), reads: Reads::Content };
            self.graph.add_edge(*input, index, edge);
        }
        index
    }

    /// `node` needs `earlier` done; what it reads of it stands among its given facts.
    pub fn follows(&mut self, node: NodeIndex, earlier: NodeIndex, port: Option<String>) {
        self.graph.add_edge(earlier, node, Edge { port, reads: Reads::Part });
    }

    fn analysis(&mut self, scheme: usize, outcome: usize, model: &Named) {
        let study = self.study;
        let (scheme_of, outcome_of) = (&study.validate[scheme], &study.outcomes[outcome]);
        let place = (scheme_of.name.clone(), outcome_of.name.clone());
        let known = (outcome_of.name.clone(), scheme_of.cohort.name.clone());
        let cohort_name = &scheme_of.cohort.name;
        let (Some(splits), Some(known), Some(cohort), Some(position), Some(model)) = (
            self.survey.splits.get(&place),
            self.survey.outcomes.get(&known),
            self.survey.cohorts.get(cohort_name),
            study.cohorts.iter().position(|cohort| cohort.name == *cohort_name),
            study.models.iter().position(|known| known.name == model.name),
        ) else {
            return;
        };
        let Some(frame) = self.assemble(position, model) else { return };
        let name = format!(
            "{}.{}.{}",
            outcome_of.name, study.models[model].name, scheme_of.name
        );
        let analysis = self.analyses.len();
        let groups = Groups::of_rows(
            &(0..cohort.rows.len() as u32).collect::<Vec<_>>(),
            &cohort.groups,
        );
        let outcome_given = Given {
            name: format!("outcome {}", outcome_of.name),
            digest: known.digest,
            shown: format!(
                "{} positive, {} negative, {} unknown",
                known.count(Some(true)),
                known.count(Some(false)),
                known.count(None)
            ),
        };
        let group_bytes: Vec<u8> =
            cohort.groups.iter().flat_map(|g| g.to_le_bytes()).collect();
        let groups_given = Given {
            name: "groups".into(),
            digest: Digest::of(&group_bytes),
            shown: format!("{} patients", groups.len()),
        };
        let splits_node = self.splits(scheme, outcome);
        let context = Context {
            analysis,
            splits: splits_node,
            name: name.clone(),
            frame,
            given: vec![outcome_given.clone(), groups_given],
            groups: &cohort.groups,
            span: scheme_of.resampling.span,
        };
        let mut outer = Vec::new();
        for (repeat, outers) in splits.repeats.iter().enumerate() {
            for (position, split) in outers.iter().enumerate() {
                outer.push(self.outer(&context, repeat, position, split));
            }
        }
        let predictions: Vec<_> =
            outer.iter().map(|nodes| (nodes.predict, None)).collect();
        let measured = |name: String, work: Work, identity: Arc<Identity>| Node {
            name,
            work,
            identity,
            given: vec![outcome_given.clone()],
            seed: None,
            keep: Keep::Stored,
            family: "measure",
            scope: Scope::Measured,
            rows: RowSets { pools_inputs: true, outcomes: true, ..RowSets::default() },
            span: scheme_of.span,
        };
        let metrics =
            std::iter::once(&study.evaluate.primary).chain(&study.evaluate.also);
        let metrics = metrics.enumerate().map(|(metric, used)| {
            let name = format!("{name}/{}", used.about.name);
            let work = Work::Metric { analysis, metric };
            let shape = Study::shape(scheme_of);
            let mut identity = used.identity();
            // The interval's conventions are part of the number.
            identity["interval"] = json!(1);
            identity["shape"] = json!([shape.repeats, shape.outer]);
            measured(name, work, Identity::new(identity))
        });
        let metrics: Vec<Node> = metrics.collect();
        let roc = measured(
            format!("{name}/roc"),
            Work::Roc { analysis },
            Identity::new(json!({"roc": 1})),
        );
        let metrics =
            metrics.into_iter().map(|node| self.add(node, &predictions)).collect();
        let roc = self.add(roc, &predictions);
        self.analyses.push(Analysis {
            name,
            outcome,
            model,
            scheme,
            outer,
            metrics,
            roc,
        });
    }

    /// The nodes of one outer split.
    fn outer(
        &mut self,
        context: &Context<'_>,
        repeat: usize,
        outer: usize,
        split: &OuterSplit,
    ) -> OuterNodes {
        let study = self.study;
        let placed = |inner: Option<usize>, split: &Split, inner_splits: &[Split]| {
            Arc::new(Placed {
                repeat,
                outer,
                inner,
                split: split.clone(),
                inner_splits: inner_splits.to_vec(),
                digest: split.digest(),
            })
        };
        // Scores by inner split, each with one node per selector × learner.
        let mut inner_scores: Vec<(NodeIndex, Option<String>)> = Vec::new();
        for (position, inner) in split.inner.iter().enumerate() {
            let scores = self.scores(context, &placed(Some(position), inner, &[]));
            inner_scores.extend(scores.into_iter().map(|node| (node, None)));
        }
        let here = placed(None, &split.split, &split.inner);
        let outer_scores = self.scores(context, &here);
        let analysis = context.analysis;
        let name = |part: &str| format!("{}/{}/{part}", context.name, here.name());
        let given = vec![context.given[0].clone()];
        let pooled = |name: String,
                      work: Work,
                      identity: Arc<Identity>,
                      family: &'static str,
                      span: Span| {
            Node {
                name,
                work,
                identity,
                given: given.clone(),
                seed: None,
                keep: Keep::Stored,
                family,
                scope: Scope::Training,
                rows: RowSets {
                    pools_inputs: true,
                    outcomes: true,
                    ..RowSets::default()
                },
                span,
            }
        };
        let evaluate = &study.evaluate;
        let identity = self.procedure.tune.clone();
        let work = Work::Tune { analysis, split: here.clone() };
        // The scheme decides which rows it reads, so a leak through it is the scheme's.
        let tune = pooled(name("tune"), work, identity, "tune", context.span);
        let tune = self.add(tune, &inner_scores);
        let declared = evaluate.threshold.as_ref().zip(self.procedure.threshold.clone());
        let threshold = declared.map(|(threshold, identity)| {
            let work = Work::Threshold { analysis, split: here.clone() };
            let node =
                pooled(name("threshold"), work, identity, "threshold", threshold.span);
            let mut inputs = vec![(tune, None)];
            match threshold.learned_from {
                LearnedFrom::InnerOutOfFold => {
                    inputs.extend(inner_scores.iter().cloned())
                }
                LearnedFrom::HeldOut => {
                    inputs.extend(outer_scores.iter().map(|node| (*node, None)));
                }
            }
            self.add(node, &inputs)
        });
        let mut inputs = vec![(tune, None)];
        inputs.extend(outer_scores.iter().map(|node| (*node, None)));
        inputs.extend(threshold.map(|node| (node, None)));
        let held_out = Groups::of_rows(&split.split.held_out, context.groups);
        let predict = Node {
            name: name("predict"),
            work: Work::Predict { analysis, split: here.clone() },
            identity: self.procedure.predict.clone(),
            given,
            seed: None,
            keep: Keep::Stored,
            family: "predict",
            scope: Scope::HeldOut,
            rows: RowSets { held_out: Some(Arc::new(held_out)), ..RowSets::default() },
            span: context.span,
        };
        let predict = self.add(predict, &inputs);
        OuterNodes { repeat, outer, tune, threshold, predict }
    }

    /// The `score` nodes of one split, by selector and then learner.
    fn scores(&mut self, context: &Context<'_>, placed: &Arc<Placed>) -> Vec<NodeIndex> {
        let study = self.study;
        let analysis = context.analysis;
        let here = format!("{}/{}", context.name, placed.name());
        let train = Arc::new(Groups::of_rows(&placed.split.train, context.groups));
        let held_out = Arc::new(Groups::of_rows(&placed.split.held_out, context.groups));
        let mut given = context.given.clone();
        given.push(Given {
            name: format!("split {}", placed.name()),
            digest: placed.digest,
            shown: format!(
                "{} training rows, {} held out",
                placed.split.train.len(),
                placed.split.held_out.len()
            ),
        });
        let fitted = |name: String,
                      work: Work,
                      identity: Arc<Identity>,
                      family,
                      outcomes| Node {
            name,
            work,
            identity,
            given: given.clone(),
            seed: None,
            keep: Keep::Stored,
            family,
            scope: Scope::Training,
            rows: RowSets { fitted: Some(train.clone()), outcomes, ..RowSets::default() },
            span: context.span,
        };
        let prepare = fitted(
            format!("{here}/prepare"),
            Work::Prepare { analysis, split: placed.clone() },
            self.procedure.prepare.clone(),
            "prepare",
            reads_outcome(&study.prepare),
        );
        let prepare = self.add(prepare, &[(context.frame, None)]);
        self.follows(prepare, context.splits, None);
        let mut scores = Vec::new();
        for (selector, chain) in study.select.iter().enumerate() {
            let select = fitted(
                format!("{here}/{}", chain.name),
                Work::Select { analysis, split: placed.clone(), selector },
                self.procedure.select[selector].clone(),
                "select",
                reads_outcome(chain),
            );
            let select = self.add(select, &[(context.frame, None), (prepare, None)]);
            self.follows(select, context.splits, None);
            for (learner, learners) in study.learn.iter().enumerate() {
                let mut node = fitted(
                    format!("{here}/{}/{}", chain.name, learners.name),
                    Work::Score { analysis, split: placed.clone(), selector, learner },
                    self.procedure.score[selector][learner].clone(),
                    "learn",
                    true,
                );
                node.rows.held_out = Some(held_out.clone());
                node.scope = Scope::HeldOut;
                let random =
                    learners.settings.iter().any(|s| s.steps.iter().any(|u| u.random));
                if random {
                    node.seed = Some(study.seed);
                    // Streams are named by the place of the split.
                    node.given.push(Given {
                        name: "place".to_string(),
                        digest: Digest::of(placed.name().as_bytes()),
                        shown: placed.name(),
                    });
                }
                let inputs = [(context.frame, None), (prepare, None), (select, None)];
                let score = self.add(node, &inputs);
                self.follows(score, context.splits, None);
                scores.push(score);
            }
        }
        scores
    }

    /// The node of a scheme's splits for an outcome, behind that of the outcome.
    fn splits(&mut self, scheme: usize, outcome: usize) -> NodeIndex {
        let study = self.study;
        let (scheme, outcome) = (&study.validate[scheme], &study.outcomes[outcome]);
        let cohort = &scheme.cohort.name;
        let done =
            |name: String, work: Work, identity: Arc<Identity>, family, span| Node {
                name,
                work,
                identity,
                given: Vec::new(),
                seed: None,
                keep: Keep::Stored,
                family,
                scope: Scope::Given,
                rows: RowSets::default(),
                span,
            };
        let name = format!("outcome/{}/{cohort}", outcome.name);
        let outcome_node = match self.sources.get(&name) {
            Some(&node) => node,
            None => {
                let used = &outcome.derivation;
                let node = done(
                    name.clone(),
                    Work::Outcome,
                    Identity::new(used.identity()),
                    "outcome",
                    used.span,
                );
                let from = study.cohort(cohort).map(|cohort| cohort.from.name.as_str());
                let source = match &used.instance {
                    Instance::Derivation(derivation) => derivation.source().or(from),
                    _ => unreachable!("`spec` puts a derivation here"),
                };
                let source = source.and_then(|source| self.source(source));
                let inputs: Vec<_> =
                    source.into_iter().map(|node| (node, None)).collect();
                let node = self.add(node, &inputs);
                self.sources.insert(name, node);
                node
            }
        };
        let name = format!("splits/{}/{}", scheme.name, outcome.name);
        if let Some(&node) = self.sources.get(&name) {
            return node;
        }
        let used = &scheme.resampling;
        let mut node = done(
            name.clone(),
            Work::Splits,
            Identity::new(used.identity()),
            "splits",
            used.span,
        );
        node.seed = used.random.then_some(study.seed);
        let node = self.add(node, &[(outcome_node, None)]);
        self.sources.insert(name, node);
        node
    }
}

/// What the nodes of one analysis share.
struct Context<'a> {
    analysis: usize,
    splits: NodeIndex,
    name: String,
    frame: NodeIndex,
    /// Outcome, groups.
    given: Vec<Given>,
    groups: &'a [u32],
    span: Span,
}

fn reads_outcome(chain: &Chain) -> bool {
    chain.settings.iter().any(|setting| setting.steps.iter().any(reads_outcome_of))
}
