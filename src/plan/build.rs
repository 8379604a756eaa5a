//! Study × survey → nodes and edges: the analyses and their splits.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use petgraph::graph::{DiGraph, NodeIndex};
use serde_json::{Value as Json, json};

use super::procedure::{Common, Procedure};
use super::{
    Ahead, Analysis, Case, Edge, Given, Groups, Identity, Judgement, MeasuredNodes, Node,
    OuterNodes, Placed, Plan, Reads, RowSets, Work, edges, preimage,
};
use crate::data::{OuterSplit, Scope, Split, Splits};
use crate::diagnostics::Span;
use crate::digest::{Digest, Naming, canonical_json, canonical_list};
use crate::operation::{Instance, Judged, Output};
use crate::spec::{Chain, Cohort, LearnedFrom, Named, Outcome, Role, Study};
use crate::store::Keep;
use crate::survey::{Survey, View};

/// Permuted outcomes in one node: what an interruption loses at most.
const PERMUTED_TOGETHER: usize = 10;

/// The plan of a study. Analyses whose splits the survey could not make are left out.
pub fn build(study: &Study, survey: &Survey) -> Plan {
    let mut builder = Builder {
        study,
        survey,
        graph: DiGraph::new(),
        sources: BTreeMap::new(),
        frames: BTreeMap::new(),
        models: BTreeMap::new(),
        common: Arc::new(Common::of(study)),
        procedures: BTreeMap::new(),
        columns: RefCell::default(),
        placed: BTreeMap::new(),
        cases: Vec::new(),
        analyses: Vec::new(),
        ahead: BTreeMap::new(),
        together: BTreeMap::new(),
        groups: groups(survey),
    };
    let mut wanted: Vec<(usize, usize, usize, usize)> = Vec::new();
    for (scheme, of_scheme) in study.validate.iter().enumerate() {
        for (outcome, of_outcome) in study.outcomes.iter().enumerate() {
            if !of_scheme.judges(&of_outcome.name) {
                continue;
            }
            for model in &of_scheme.models {
                let at = study.models.iter().position(|known| known.name == model.name);
                let Some(model) = at else { continue };
                for branch in 0..study.models[model].branches.len() {
                    wanted.push((scheme, outcome, model, branch));
                }
            }
        }
    }
    // The headline first: the primary model under the first scheme.
    let primary = study.headline_model().map(|model| model.name.as_str());
    let headline = |(scheme, outcome, model, branch): &(usize, usize, usize, usize)| {
        *scheme == 0
            && *branch == 0
            && study.outcomes[*outcome].role == Role::Primary
            && Some(study.models[*model].name.as_str()) == primary
    };
    if let Some(at) = wanted.iter().position(headline) {
        let first = wanted.remove(at);
        wanted.insert(0, first);
    }
    let (nodes, edges) = room(study, survey, &wanted);
    builder.graph.reserve_nodes(nodes);
    builder.graph.reserve_edges(edges);
    for (scheme, outcome, model, branch) in wanted {
        builder.analysis(scheme, outcome, model, branch);
    }
    let (frozen, external) = builder.externals();
    let comparisons = builder.comparisons(&external);
    // A node is added after everything that it reads, so they already stand in order.
    let order: Vec<NodeIndex> = builder.graph.node_indices().collect();
    debug_assert!(builder.graph.raw_edges().iter().all(|e| e.source() < e.target()));
    Plan {
        graph: builder.graph,
        order,
        cases: builder.cases,
        ahead: builder.ahead,
        together: builder.together,
        analyses: builder.analyses,
        frozen,
        external,
        comparisons,
    }
}

/// About as many nodes and edges as the analyses will have: a graph that grows by little is moved in
/// memory again and again.
fn room(
    study: &Study,
    survey: &Survey,
    wanted: &[(usize, usize, usize, usize)],
) -> (usize, usize) {
    let (mut nodes, mut edges) = (1000, 4000);
    for &(scheme, outcome, model, _) in wanted {
        let place =
            (study.validate[scheme].name.clone(), study.outcomes[outcome].name.clone());
        let selectors = study.models[model].select.len();
        let scores = selectors * study.learn.len();
        let repeats = survey.splits.get(&place).into_iter().flat_map(|s| &s.repeats);
        for split in repeats.flatten() {
            let n_inner = split.inner.len();
            nodes += n_inner * (1 + selectors + scores) + 10;
            // Whatever pools reads all scores of the inner splits: choice, map and threshold.
            edges += n_inner * (2 + 3 * selectors + 5 * scores) + 40;
            edges += 3 * n_inner * scores;
            // What other ways of choosing would choose.
            let ahead = study.evaluate.choosing.len();
            nodes += ahead;
            edges += ahead * (n_inner * scores + 10);
        }
    }
    (nodes, edges)
}

/// The groups of each cohort's rows, numbered over all cohorts: a patient in two of them is one.
fn groups(survey: &Survey) -> BTreeMap<String, Vec<u32>> {
    let mut number: BTreeMap<&str, u32> = BTreeMap::new();
    let mut groups = BTreeMap::new();
    for (name, cohort) in &survey.cohorts {
        let mut of_rows = Vec::with_capacity(cohort.rows.len());
        for row in &cohort.rows {
            let next = number.len() as u32;
            of_rows.push(*number.entry(&row.subject).or_insert(next));
        }
        groups.insert(name.clone(), of_rows);
    }
    groups
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
    /// What all of its procedures use.
    pub common: Arc<Common>,
    /// By model and branch.
    procedures: BTreeMap<(usize, usize), Arc<Procedure>>,
    /// What columns hold, by cohort and name.
    columns: RefCell<BTreeMap<(usize, String), Option<Given>>>,
    /// Splits, by whose they are and where they stand: all models share them.
    placed: BTreeMap<(Division, SplitPlace), Arc<Placed>>,
    pub cases: Vec<Case>,
    pub analyses: Vec<Analysis>,
    /// See [`Plan::ahead`].
    ahead: BTreeMap<NodeIndex, Ahead>,
    /// See [`Plan::together`].
    together: BTreeMap<NodeIndex, Vec<NodeIndex>>,
    /// By cohort: the group of each row.
    pub groups: BTreeMap<String, Vec<u32>>,
}

/// Whose splits. Positions in the study.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Division {
    /// Without a scheme they are those of all development rows, on which the model to be frozen is tuned.
    pub scheme: Option<usize>,
    pub outcome: usize,
    /// On which of the parts of a learning curve, if not on all training rows.
    pub part: Option<usize>,
}

/// Repeat, outer split and inner split; counts from 0.
pub type SplitPlace = (usize, usize, Option<usize>);

/// What the nodes of one case share.
#[derive(Clone)]
pub struct Context<'a> {
    pub case: usize,
    pub splits: NodeIndex,
    pub division: Division,
    pub name: String,
    pub frame: NodeIndex,
    /// Outcome, groups, and columns that steps want beside the rows.
    pub given: Vec<Given>,
    /// The outcome alone.
    pub outcome: Arc<[Given]>,
    /// What a choice by inner scores reads beside them.
    pub chooses: Arc<[Given]>,
    /// What a choice by any metric reads of them.
    pub chooses_by_any: Arc<[Given]>,
    pub groups: &'a [u32],
    pub span: Span,
    pub procedure: &'a Procedure,
    pub prepare: &'a Chain,
    /// Whether it is asked what the choices of the first repeat look at.
    pub looked_into: bool,
}

/// What nodes have in common that measure the same predictions.
pub struct Measuring<'a> {
    pub name: &'a str,
    pub of: Judgement,
    /// Whose candidates the predictions are of.
    pub case: usize,
    /// How predictions are put together, as canonical JSON.
    pub judged: &'a str,
    pub given: Vec<Given>,
    pub family: &'static str,
    pub scope: Scope,
    pub span: Span,
}

impl Measuring<'_> {
    /// A node that pools over these predictions.
    fn node(
        &self,
        part: &str,
        work: Work,
        identity: Arc<Identity>,
        more: Vec<Given>,
    ) -> Node {
        Node {
            name: [self.name, "/", part].concat(),
            work,
            identity,
            given: self.given.iter().cloned().chain(more).collect(),
            seed: None,
            keep: Keep::Stored,
            family: self.family,
            scope: self.scope,
            rows: RowSets { pools_inputs: true, outcomes: true, ..RowSets::default() },
            span: self.span,
        }
    }
}

/// The choice among candidates, and what is learned with it.
#[derive(Clone, Copy)]
pub struct ChosenNodes {
    pub tune: NodeIndex,
    pub winner: NodeIndex,
    pub link: Option<NodeIndex>,
}

/// The procedure on the training rows of an outer split.
pub struct SplitNodes {
    pub here: Arc<Placed>,
    inner_scores: Vec<NodeIndex>,
    prepare: NodeIndex,
    chosen: ChosenNodes,
    fit: NodeIndex,
    pub predict: NodeIndex,
    importance: Option<NodeIndex>,
}

impl Builder<'_> {
    /// What the nodes of every split of a branch do.
    pub fn procedure(&mut self, model: usize, branch: usize) -> Arc<Procedure> {
        let made = || Arc::new(Procedure::of(self.study, &self.common, model, branch));
        self.procedures.entry((model, branch)).or_insert_with(made).clone()
    }

    /// Adds a node that reads the whole content of these.
    pub fn add(&mut self, node: Node, inputs: &[NodeIndex]) -> NodeIndex {
        let index = self.graph.add_node(node);
        for input in inputs {
            self.reads(index, *input, Reads::Content, None);
        }
        index
    }

    /// `node` reads `earlier`, of which `port` says which output where it has several.
    pub fn reads(
        &mut self,
        node: NodeIndex,
        earlier: NodeIndex,
        reads: Reads,
        port: Option<&str>,
    ) {
        let edge = Edge { port: port.map(Box::from), reads };
        self.graph.add_edge(earlier, node, edge);
    }

    /// `earlier` decides which values `node` has.
    fn decided(&mut self, node: NodeIndex, earlier: NodeIndex) {
        self.reads(node, earlier, Reads::Which, None);
    }

    /// `node` needs `earlier` done; what it reads of it stands among its given facts.
    pub fn follows(&mut self, node: NodeIndex, earlier: NodeIndex) {
        self.reads(node, earlier, Reads::Part, None);
    }

    /// The facts of a case: what is known of the outcome, and whose rows are whose.
    pub fn facts(&self, outcome: usize, cohort: &str) -> Option<(Given, Given, Groups)> {
        let outcome = &self.study.outcomes[outcome].name;
        let known = self.survey.outcomes.get(&(outcome.clone(), cohort.to_string()))?;
        let surveyed = self.survey.cohorts.get(cohort)?;
        let everybody: Vec<u32> = (0..surveyed.rows.len() as u32).collect();
        let groups = Groups::of_rows(&everybody, &self.groups[cohort]);
        let outcome = Given {
            name: format!("outcome {outcome}").into(),
            digest: known.digest,
            shown: format!(
                "{} positive, {} negative, {} unknown",
                known.count(Some(true)),
                known.count(Some(false)),
                known.count(None)
            )
            .into(),
        };
        let bytes: Vec<u8> =
            surveyed.groups.iter().flat_map(|g| g.to_le_bytes()).collect();
        let of_groups = Given {
            name: "groups".into(),
            digest: Digest::of(&bytes),
            shown: format!("{} patients", groups.len()).into(),
        };
        Some((outcome, of_groups, groups))
    }

    fn analysis(&mut self, scheme: usize, outcome: usize, model: usize, branch: usize) {
        let study = self.study;
        let (scheme_of, outcome_of) = (&study.validate[scheme], &study.outcomes[outcome]);
        let place = (scheme_of.name.clone(), outcome_of.name.clone());
        let cohort_name = &scheme_of.cohort.name;
        let (Some(splits), Some((outcome_given, groups_given, _)), Some(cohort)) = (
            self.survey.splits.get(&place),
            self.facts(outcome, cohort_name),
            study.cohorts.iter().position(|cohort| cohort.name == *cohort_name),
        ) else {
            return;
        };
        let Some(frame) = self.assemble(cohort, model) else { return };
        let of_branch = &study.models[model].branches[branch];
        let mut name = format!(
            "{}.{}.{}",
            outcome_of.name, study.models[model].name, scheme_of.name
        );
        if !of_branch.name.is_empty() {
            name = format!("{name}.{}", of_branch.name);
        }
        let case = self.cases.len();
        self.cases.push(Case { outcome, model, branch, cohort });
        let splits_node = self.splits(scheme, outcome);
        let procedure = self.procedure(model, branch);
        let groups = self.groups[cohort_name].clone();
        let context = Context {
            case,
            splits: splits_node,
            division: Division { scheme: Some(scheme), outcome, part: None },
            name: name.clone(),
            frame,
            given: self.given_with(
                &[&outcome_given, &groups_given],
                cohort,
                model,
                branch,
            ),
            outcome: [outcome_given.clone()].into(),
            chooses: chooses(study, [&outcome_given, &groups_given]),
            chooses_by_any: chooses_by_any(study, [&outcome_given, &groups_given]),
            groups: &groups,
            span: scheme_of.resampling.span,
            procedure: &procedure,
            prepare: &of_branch.prepare,
            looked_into: scheme == 0
                && branch == 0
                && study.freezes_for(outcome_of)
                && study
                    .primary_frozen()
                    .is_some_and(|m| m.name == study.models[model].name),
        };
        let mut outer = Vec::new();
        for (repeat, outers) in splits.repeats.iter().enumerate() {
            for (position, split) in outers.iter().enumerate() {
                outer.push(self.outer(&context, repeat, position, split));
            }
        }
        let predicted: Vec<_> = outer.iter().map(|nodes| nodes.predict).collect();
        let decided: Vec<_> = outer.iter().filter_map(|nodes| nodes.decide).collect();
        let Instance::Resampling(resampling) = &scheme_of.resampling.instance else {
            unreachable!("`spec` puts a resampling scheme here")
        };
        let how = match resampling.judged() {
            Judged::Folds => "folds",
            // 2: sites without a result are not said to have one class.
            // 3: each site's area has the interval by which it is pooled.
            // 4: τ² is that of restricted maximum likelihood, and told.
            Judged::Sites => "sites 4",
        };
        let judged = canonical_json(&json!([
            how,
            // Of how many rows each split is learned from its interval depends.
            splits
                .repeats
                .iter()
                .map(|outers| outers
                    .iter()
                    .map(|of| of.split.train.len())
                    .collect::<Json>())
                .collect::<Json>(),
        ]));
        let of = Judgement::Internal(self.analyses.len());
        let given = vec![outcome_given];
        let measured = self.measured(
            &name,
            (of, case),
            [&predicted, &decided],
            &judged,
            given.clone(),
            scheme_of.span,
        );
        let permuted = self.permuted(&context, scheme, splits);
        let is_headline = self.is_headline(&context, scheme);
        let learning = is_headline
            .then(|| self.learning(&context, splits, (&outer, &measured), how))
            .flatten();
        let slope =
            is_headline.then(|| self.slope(&context, &predicted, &judged, given.clone()));
        let similar = self.similar(&context, &outer);
        self.analyses.push(Analysis {
            name,
            case,
            scheme,
            outer,
            measured,
            permuted,
            learning,
            slope,
            similar,
        });
    }

    /// Whether an analysis is the headline of a primary outcome: that of the primary model under the
    /// first scheme.
    fn is_headline(&self, context: &Context<'_>, scheme: usize) -> bool {
        let study = self.study;
        let Case { outcome, model, branch, .. } = self.cases[context.case];
        let headline = study.headline_model().map(|model| &model.name);
        scheme == 0
            && branch == 0
            && study.outcomes[outcome].role == Role::Primary
            && headline == Some(&study.models[model].name)
    }

    /// Which columns take each other's place in the fits of the headline, the first analysis.
    fn similar(
        &mut self,
        context: &Context<'_>,
        outer: &[OuterNodes],
    ) -> Option<NodeIndex> {
        let first = outer.first().filter(|_| self.analyses.is_empty())?;
        let place = (first.repeat, first.outer, None);
        let split = self.placed.get(&(context.division, place))?.clone();
        let mut rows = split.split.train.clone();
        rows.extend(&split.split.held_out);
        let node = Node {
            name: format!("{}/similar", context.name),
            work: Work::Similar { split: split.clone() },
            identity: Identity::of(&[("similar", "1")]),
            given: [split.rows.clone()].into(),
            seed: None,
            keep: Keep::Stored,
            family: "similar columns",
            scope: Scope::Measured,
            rows: RowSets {
                fitted: Some(Arc::new(Groups::of_rows(&rows, context.groups))),
                ..RowSets::default()
            },
            span: context.span,
        };
        let fits = outer.iter().map(|nodes| nodes.fit);
        let inputs: Vec<_> = std::iter::once(context.frame).chain(fits).collect();
        Some(self.add(node, &inputs))
    }

    /// The headline of each primary outcome on permuted outcomes, where that is asked for.
    fn permuted(
        &mut self,
        context: &Context<'_>,
        scheme: usize,
        splits: &Splits,
    ) -> Vec<NodeIndex> {
        let study = self.study;
        let cohort = self.cases[context.case].cohort;
        let wanted = self.is_headline(context, scheme);
        let Some(permutation) = study.evaluate.permuted.as_ref().filter(|_| wanted)
        else {
            return Vec::new();
        };
        let mut given = context.given.clone();
        if let Some(column) = &permutation.within {
            given.extend(self.strata(cohort, column));
        }
        // The columns by which a scheme divides reach the key through the splits they give.
        let divided = format!("{splits:?}");
        given.push(Given {
            name: "splits".into(),
            digest: Digest::of(divided.as_bytes()),
            shown: format!("splits of {}", study.validate[scheme].name).into(),
        });
        let everybody: Vec<u32> = splits
            .repeats
            .first()
            .into_iter()
            .flatten()
            .flat_map(|split| split.split.held_out.iter().copied())
            .collect();
        let fitted = Arc::new(Groups::of_rows(&everybody, context.groups));
        let procedure = context.procedure;
        let score = procedure.score.iter().flatten().map(|score| score.text());
        let score = canonical_list(score);
        let given: Arc<[Given]> = given.into();
        let of_scheme = canonical_json(&study.validate[scheme].resampling.identity());
        let repeats = canonical_json(&json!(permutation.repeats));
        let within = permutation.within.is_some().to_string();
        let mut nodes = Vec::new();
        for from in (0..permutation.times).step_by(PERMUTED_TOGETHER) {
            let to = (from + PERMUTED_TOGETHER).min(permutation.times);
            let (first, last) = (from.to_string(), to.to_string());
            let numbers = [
                ("scheme", &*of_scheme),
                ("repeats", &*repeats),
                ("from", &*first),
                ("to", &*last),
                ("within", &*within),
            ];
            let node = |name: String, work, identity: &[(&str, &str)], family| Node {
                name,
                work,
                identity: Identity::of(&[identity, &numbers].concat()),
                given: given.clone(),
                seed: Some(study.seed),
                keep: Keep::Stored,
                family,
                scope: Scope::Measured,
                rows: RowSets {
                    fitted: Some(fitted.clone()),
                    outcomes: true,
                    ..RowSets::default()
                },
                span: permutation.span,
            };
            let name = format!("{}/permuted/{}-{to}", context.name, from + 1);
            let mut inputs = vec![context.frame];
            if study.evaluate.tries_apart() {
                let select = &study.models[self.cases[context.case].model].select;
                let cells = select.iter().enumerate().flat_map(|(selector, chain)| {
                    let learners = study.learn.iter().enumerate();
                    learners.map(move |(learner, learners)| {
                        let name = format!("{}/{}", chain.name, learners.name);
                        ((selector, learner), name)
                    })
                });
                let mut together: Vec<NodeIndex> = Vec::new();
                for (cell, of_cell) in cells {
                    let work =
                        Work::Trials { scheme, case: context.case, from, to, cell };
                    let identity = [
                        ("trials", "1"),
                        ("score", procedure.score[cell.0][cell.1].text()),
                        ("metrics", &self.common.chosen_by),
                        ("falls_back", &procedure.falls_back),
                    ];
                    let name = format!("{name}/{of_cell}");
                    let trials = node(name, work, &identity, "permuted trials");
                    let trials = self.add(trials, &[context.frame]);
                    if let Some(&first) = together.first() {
                        self.reads(trials, first, Reads::After, None);
                    }
                    together.push(trials);
                }
                inputs.extend(&together);
                self.together
                    .extend(together.first().map(|&first| (first, together.clone())));
            }
            let common = self.common.clone();
            let all = study.evaluate.permuted_ways();
            let own = all.len() - 1;
            for (ways, (of_node, text)) in all.iter().zip(&common.permuted).enumerate() {
                let case = context.case;
                let work = Work::Permute { scheme, case, from, to, ways };
                let identity = [
                    // 3: by each way of choosing. 4: where one candidate is chosen, from trials of all.
                    ("permute", "4"),
                    ("score", &*score),
                    ("ways", text),
                    ("falls_back", &procedure.falls_back),
                    ("candidates", procedure.candidates.text()),
                ];
                let name = match ways {
                    0 => name.clone(),
                    _ => format!("{name}/{}", of_node[0].0.about.name),
                };
                let permute = node(name, work, &identity, "permute");
                let permute = self.add(permute, &inputs);
                nodes.extend((ways == own).then_some(permute));
            }
        }
        nodes
    }

    /// The nodes that measure predictions of a case, and the same as `decided` where a threshold is
    /// applied.
    pub fn measured(
        &mut self,
        name: &str,
        (of, case): (Judgement, usize),
        [predicted, decided]: [&[NodeIndex]; 2],
        judged: &str,
        given: Vec<Given>,
        span: Span,
    ) -> MeasuredNodes {
        let study = self.study;
        let cohort = self.cases[case].cohort;
        let patients = self.patients(cohort);
        let (family, scope) = ("measure", Scope::Measured);
        let measuring = Measuring { name, of, case, judged, given, family, scope, span };
        let node =
            |part: &str, work, identity, more| measuring.node(part, work, identity, more);
        let read = if decided.is_empty() { predicted } else { decided };
        let (mut metrics, mut standard) = (Vec::new(), Vec::new());
        for (metric, used) in study.evaluate.metrics().enumerate() {
            let Instance::Metric(instance) = &used.instance else {
                unreachable!("`spec` puts a metric here")
            };
            let is_standard = metric > study.evaluate.also.len();
            let needs_threshold = instance.scale().needs_threshold;
            if is_standard && needs_threshold && decided.is_empty() {
                continue;
            }
            let node = self.metric(&measuring, metric, [predicted, decided]);
            match is_standard {
                true => standard.push((metric, node)),
                false => metrics.push(node),
            }
        }
        let mut drawn = |part: &str, work: Work, identity: Arc<Identity>| {
            let read =
                if matches!(work, Work::Confusion { .. }) { read } else { predicted };
            let mut node = node(part, work, identity, patients.iter().cloned().collect());
            node.seed = Some(study.seed);
            self.add(node, read)
        };
        let precision_recall = drawn(
            "precision_recall",
            Work::PrecisionRecall { of },
            // 3: with a band.
            Identity::of(&[("precision_recall", "3"), ("judged", judged)]),
        );
        let roc = drawn(
            "roc",
            Work::Roc { of },
            // 3: with a band and thresholds, and without points within a straight line.
            Identity::of(&[("roc", "3"), ("judged", judged)]),
        );
        let calibration = drawn(
            "calibration",
            Work::CalibrationCurve { of },
            // 3: sums run over the rows in order of their predictions.
            Identity::of(&[("calibration", "3")]),
        );
        let decision = study.evaluate.decision_range.map(|range| {
            let range = canonical_json(&json!(range));
            // 2: treating everybody is no advantage over treating everybody.
            let identity = Identity::of(&[("decision", "2"), ("range", &range)]);
            drawn("decision", Work::DecisionCurve { of }, identity)
        });
        let confusion = (!decided.is_empty()).then(|| {
            drawn(
                "confusion",
                Work::Confusion { of },
                // 2: what the decisions are worth as well.
                // 3: sums over resamples run over the rows in their order.
                Identity::of(&[("confusion", "3")]),
            )
        });
        let within = study.evaluate.within.as_ref().and_then(|column| {
            let strata = self.strata(cohort, column)?;
            let identity = Identity::of(&[
                ("within", &canonical_json(&json!(column.name))),
                ("judged", judged),
                // 4: resamples have their rows in order.
                // 5: folds of one same value have no interval by their spread; few rows a wide one.
                ("version", "5"),
            ]);
            let given = patients.iter().cloned().chain([strata]).collect();
            let mut node = node("within", Work::Within { of }, identity, given);
            node.seed = Some(study.seed); // Intervals resample patients.
            Some(node)
        });
        let within = within.map(|node| self.add(node, predicted));
        let subgroups = &study.evaluate.subgroups;
        let strata: Option<Vec<Given>> =
            subgroups.iter().map(|group| self.strata(cohort, &group.by)).collect();
        let groups = strata.filter(|strata| !strata.is_empty()).map(|mut strata| {
            strata.extend(patients.iter().cloned());
            let rules = subgroups
                .iter()
                .map(|group| json!([group.by.name, group.cut, group.minimum_events]));
            let identity = json!({
                "groups": rules.collect::<Json>(),
                // 2: sensitivity, specificity, calibration in the large and Brier score as well.
                // 3: notes tell sites from folds and one repeat from several, and how many repeats a mean is
                // over.
                // 4: intervals of rows that are drawn together, and of classes wholly apart.
                // 5: calibration intercept and slope, and differences between groups.
                // 6: how far certainties are moved is told by a power of ten where it is small.
                // 7: sums over resamples run over the rows in their order, fits begin at that of all rows.
                "version": 7,
                "judged": judged,
            });
            let identity = Identity::new(&identity);
            let mut node = node("subgroups", Work::Groups { of }, identity, strata);
            node.seed = Some(study.seed); // Intervals resample patients.
            node
        });
        let groups = groups.map(|node| self.add(node, read));
        MeasuredNodes {
            metrics,
            standard,
            roc,
            precision_recall,
            calibration,
            decision,
            confusion,
            within,
            groups,
        }
    }

    /// The node of one metric; one that counts decisions reads those of `decided`, if there are any.
    pub fn metric(
        &mut self,
        measuring: &Measuring<'_>,
        metric: usize,
        [predicted, decided]: [&[NodeIndex]; 2],
    ) -> NodeIndex {
        let used = self.study.evaluate.metrics().nth(metric);
        let used = used.expect("callers count the study's metrics");
        let Instance::Metric(instance) = &used.instance else {
            unreachable!("`spec` puts a metric here")
        };
        let scale = instance.scale();
        let Case { model, branch, cohort, .. } = self.cases[measuring.case];
        // Of which learner a prediction is, and so by how much its certainty is moved.
        let procedure = self.procedure(model, branch);
        let common = self.common.clone();
        let steps =
            canonical_list([&*common.steps, procedure.predict.text()].into_iter());
        let fields = common.metrics[metric].iter();
        let mut identity: Vec<(&str, &str)> =
            fields.map(|(name, value)| (*name, value.as_str())).collect();
        // The interval's conventions are part of the number, and so are their words.
        // 6: sums over resamples run over the rows in their order, fits begin at that of all rows.
        // 7: folds of one same value have no interval by their spread, rows of a patient count together in the
        // influence curve, and certainties are moved in the spread over folds too.
        identity.extend([("interval", "7"), ("judged", measuring.judged)]);
        if scale.logarithms {
            // 2: how far certainties are moved is told by a power of ten where it is small.
            identity.extend([("steps", &*steps), ("moved", "2")]);
        }
        let work = Work::Metric { of: measuring.of, metric };
        let patients = self.patients(cohort).into_iter().collect();
        let mut node =
            measuring.node(used.about.name, work, Identity::of(&identity), patients);
        node.seed = Some(self.study.seed); // Intervals resample patients.
        let decides = scale.needs_threshold && !decided.is_empty();
        self.add(node, if decides { decided } else { predicted })
    }

    /// By what certainties of two cases are moved where the primary metric takes logarithms: their learners.
    pub fn moved(&mut self, cases: [usize; 2]) -> Vec<String> {
        let Instance::Metric(primary) = &self.study.evaluate.primary.instance else {
            unreachable!("`spec` puts a metric here")
        };
        if !primary.scale().logarithms {
            return Vec::new();
        }
        let mut texts = vec![self.common.steps.clone()];
        for case in cases {
            let Case { model, branch, .. } = self.cases[case];
            texts.push(self.procedure(model, branch).predict.text().to_string());
        }
        texts
    }

    /// Whose rows are whose in a cohort, as a fact.
    pub fn patients(&self, cohort: usize) -> Option<Given> {
        let name = &self.study.cohorts[cohort].name;
        let surveyed = self.survey.cohorts.get(name)?;
        let bytes: Vec<u8> =
            surveyed.groups.iter().flat_map(|g| g.to_le_bytes()).collect();
        Some(Given {
            name: "patients".into(),
            digest: Digest::of(&bytes),
            shown: format!("the patients of cohort {name}").into(),
        })
    }

    /// Facts, and what the columns hold that the steps of a branch want beside the rows.
    pub fn given_with(
        &self,
        facts: &[&Given],
        cohort: usize,
        model: usize,
        branch: usize,
    ) -> Vec<Given> {
        let mut given: Vec<Given> = facts.iter().copied().cloned().collect();
        let columns = self.study.models[model].beside(branch);
        given.extend(columns.iter().filter_map(|column| self.strata(cohort, column)));
        given
    }

    /// What a column holds in a cohort, as a fact.
    pub fn strata(&self, cohort: usize, column: &Named) -> Option<Given> {
        let place = (cohort, column.name.clone());
        let looked_at = || self.held_in(cohort, column);
        self.columns.borrow_mut().entry(place).or_insert_with(looked_at).clone()
    }

    fn held_in(&self, cohort: usize, column: &Named) -> Option<Given> {
        let cohort = &self.study.cohorts[cohort];
        let surveyed = self.survey.cohorts.get(&cohort.name)?;
        let view =
            View { study: self.study, survey: self.survey, cohort, rows: &surveyed.rows };
        let cells = view.cells(column).ok()?;
        Some(Given {
            name: format!("column {}", column.name).into(),
            digest: Digest::of(format!("{cells:?}").as_bytes()),
            shown: format!("column {} of cohort {}", column.name, cohort.name).into(),
        })
    }

    /// A split at its place.
    pub fn placed(
        &mut self,
        context: &Context<'_>,
        place: SplitPlace,
        split: &Split,
        inner_splits: &[Split],
    ) -> Arc<Placed> {
        let made = || Arc::new(Placed::new(place, split, inner_splits, context.groups));
        self.placed.entry((context.division, place)).or_insert_with(made).clone()
    }

    /// A node that pools over the rows of its inputs, outcomes included.
    pub fn pooled(
        context: &Context<'_>,
        name: String,
        work: Work,
        identity: Arc<Identity>,
        family: &'static str,
        span: Span,
    ) -> Node {
        Node {
            name,
            work,
            identity,
            given: context.outcome.clone(),
            seed: None,
            keep: Keep::Stored,
            family,
            scope: Scope::Training,
            rows: RowSets { pools_inputs: true, outcomes: true, ..RowSets::default() },
            span,
        }
    }

    /// The choice among candidates by inner splits, and what is learned with it.
    pub fn chosen(
        &mut self,
        context: &Context<'_>,
        here: &Arc<Placed>,
        inner_scores: &[NodeIndex],
    ) -> ChosenNodes {
        let case = context.case;
        let place = [&*context.name, "/", &here.name].concat();
        let name = |part: &str| [&place, "/", part].concat();
        let identity = &context.procedure.tune;
        let (tune, winner, link) = (name("tune"), name("winner"), name("link"));
        let work = Work::Tune { case, split: here.clone() };
        // The scheme decides which rows it reads, so a leak through it is the scheme's.
        let tune =
            Self::pooled(context, tune, work, identity.clone(), "tune", context.span);
        let given = self.with_prevalence(here, &context.chooses);
        let tune = Node { given, ..tune };
        let tune = self.add(tune, inner_scores);
        let winner = Node {
            name: winner,
            work: Work::Winner { case },
            identity: context.procedure.winner.clone(),
            given: Default::default(),
            seed: None,
            keep: Keep::Stored,
            family: "winner",
            scope: Scope::Training,
            rows: RowSets::default(),
            span: context.span,
        };
        let winner = self.add(winner, &[tune]);
        let link = has_links(self.study).then(|| {
            let work = Work::Link { case };
            let identity = context.procedure.link.clone();
            let node = Self::pooled(context, link, work, identity, "link", context.span);
            let mut inputs = vec![tune];
            inputs.extend(inner_scores.iter().copied());
            self.add(node, &inputs)
        });
        ChosenNodes { tune, winner, link }
    }

    /// These facts, and which rows are trained on where a choice may fall back on their prevalence: then
    /// they decide beside what the inputs hold. Scores that could not be had, and a choice of none, are
    /// the same for any training rows.
    pub fn with_prevalence(&self, here: &Placed, given: &Arc<[Given]>) -> Arc<[Given]> {
        match self.study.evaluate.falls_back {
            true => given.iter().chain([&here.all_rows]).cloned().collect(),
            false => given.clone(),
        }
    }

    /// The threshold by the study's rule, learned on these scores with the choice among them.
    pub fn threshold(
        &mut self,
        context: &Context<'_>,
        here: &Arc<Placed>,
        tune: NodeIndex,
        scores: &[NodeIndex],
    ) -> Option<NodeIndex> {
        let declared = self.study.evaluate.threshold.as_ref();
        let (threshold, identity) = declared.zip(context.procedure.threshold.clone())?;
        let work = Work::Threshold { case: context.case, split: here.clone() };
        let (name, span) =
            ([&context.name, "/", &here.name, "/threshold"].concat(), threshold.span);
        let node = Self::pooled(context, name, work, identity, "threshold", span);
        let given = self.with_prevalence(here, &node.given);
        let node = Node { given, ..node };
        let mut inputs = vec![tune];
        inputs.extend(scores);
        Some(self.add(node, &inputs))
    }

    /// What is asked of these nodes, as a fact: where anything else is to be computed ahead, a record of
    /// what was is of no use.
    fn following(&self, then: &[NodeIndex]) -> Given {
        let mut naming = Naming::plain();
        for &next in then {
            naming.add(preimage(&self.graph[next], &[]).as_bytes());
        }
        let families = then.iter().map(|&next| self.graph[next].family);
        Given {
            name: "what follows the choice".into(),
            digest: naming.digest(),
            shown: families.collect::<Vec<_>>().join(", ").into(),
        }
    }

    /// What follows the study's own choice is computed ahead for each choice that it may go over to: `then`,
    /// of which later ones read earlier ones. Where there is one candidate there is one choice.
    pub fn alternatives(
        &mut self,
        context: &Context<'_>,
        here: &Arc<Placed>,
        inner_scores: &[NodeIndex],
        (chosen, then): (ChosenNodes, Vec<NodeIndex>),
    ) {
        if context.procedure.n_candidates < 2 {
            return;
        }
        for (at, choosing) in self.study.evaluate.choosing.iter().enumerate() {
            if !choosing.rules.is_empty() {
                let name = choosing.name.map(|name| ["/", name].concat());
                let name = (at, name.unwrap_or_default());
                self.alternatives_by(name, context, here, inner_scores, (chosen, &then));
            }
        }
    }

    /// The same for one part of the ways.
    fn alternatives_by(
        &mut self,
        (choosing, name): (usize, String),
        context: &Context<'_>,
        here: &Arc<Placed>,
        inner_scores: &[NodeIndex],
        (chosen, then): (ChosenNodes, &[NodeIndex]),
    ) {
        let case = self.cases[context.case];
        let name = [&*context.name, "/", &here.name, "/alternatives", &name].concat();
        let work =
            Work::Alternatives { case: context.case, split: here.clone(), choosing };
        let identity = context.procedure.alternatives[choosing].clone();
        let (family, span) = ("alternatives", context.span);
        let node = Self::pooled(context, name, work, identity, family, span);
        let held_out = (!here.held_out.is_empty()).then(|| here.held_out.clone());
        let mut given = self.with_prevalence(here, &context.chooses_by_any).to_vec();
        given.push(self.following(then));
        let node = Node {
            given: given.into(),
            scope: if held_out.is_some() { Scope::HeldOut } else { Scope::Training },
            // It does what those do that follow.
            rows: RowSets {
                fitted: Some(here.train.clone()),
                transductive: held_out.is_some()
                    && self.study.models[case.model].transductive(case.branch),
                held_out,
                ..node.rows
            },
            ..node
        };
        let node = self.add(node, inner_scores);
        let ChosenNodes { tune, winner, link } = chosen;
        let mut before = BTreeSet::new();
        for (input, edge) in then.iter().flat_map(|&next| edges(&self.graph, next)) {
            let replaced =
                input == winner || Some(input) == link || then.contains(&input);
            if !replaced && edge.reads != Reads::Part {
                before.insert(input);
            }
        }
        for earlier in before {
            self.reads(node, earlier, Reads::Shared, None);
        }
        for &next in then {
            self.reads(node, next, Reads::After, None);
        }
        self.ahead.insert(node, Ahead { tune, winner, link, then: then.to_vec() });
    }

    /// The procedure on the training rows of an outer split, and what it says of those held out.
    pub fn on_split(
        &mut self,
        context: &Context<'_>,
        (repeat, outer): (usize, usize),
        split: &OuterSplit,
    ) -> SplitNodes {
        let inner_scores = self.inner(context, (repeat, outer), &split.inner);
        let here =
            self.placed(context, (repeat, outer, None), &split.split, &split.inner);
        let prepare = self.prepare(context, &here);
        let looked_into = context.looked_into && repeat == 0;
        let chosen = self.chosen(context, &here, &inner_scores);
        let fit = self.fit(context, &here, [prepare, chosen.winner], looked_into);
        let importance =
            looked_into.then(|| self.importance(context, &here, (chosen, fit)));
        let then = [fit].into_iter().chain(importance).collect();
        self.alternatives(context, &here, &inner_scores, (chosen, then));
        let mut inputs = vec![chosen.tune, fit];
        inputs.extend(chosen.link);
        let predict = Node {
            name: format!("{}/{}/predict", context.name, here.name),
            work: Work::Predict { case: context.case, split: here.clone() },
            identity: context.procedure.predict.clone(),
            given: self.with_prevalence(&here, &context.outcome),
            seed: None,
            keep: Keep::Stored,
            family: "predict",
            scope: Scope::HeldOut,
            rows: RowSets { held_out: Some(here.held_out.clone()), ..RowSets::default() },
            span: context.span,
        };
        let predict = self.add(predict, &inputs);
        SplitNodes { here, inner_scores, prepare, chosen, fit, predict, importance }
    }

    /// The nodes of one outer split.
    fn outer(
        &mut self,
        context: &Context<'_>,
        repeat: usize,
        outer: usize,
        split: &OuterSplit,
    ) -> OuterNodes {
        let on_split = self.on_split(context, (repeat, outer), split);
        let SplitNodes { here, inner_scores, prepare, .. } = on_split;
        let SplitNodes { chosen, fit, predict, importance, .. } = on_split;
        let tune = chosen.tune;
        let decoded = self.decoded(context, &here, prepare);
        let rule = self.study.evaluate.threshold.as_ref();
        let threshold = match rule.map(|rule| rule.learned_from) {
            // A study that leaks: the proof refuses it.
            Some(LearnedFrom::HeldOut) => self.threshold(context, &here, tune, &[fit]),
            _ => self.threshold(context, &here, tune, &inner_scores),
        };
        let decide = threshold.map(|threshold| {
            let name = format!("{}/{}/decide", context.name, here.name);
            self.decide(name, [predict, threshold], here.held_out.clone(), context.span)
        });
        OuterNodes {
            repeat,
            outer,
            tune,
            threshold,
            predict,
            decide,
            fit,
            decoded,
            importance,
        }
    }

    /// Predictions with the threshold that decides by them.
    pub fn decide(
        &mut self,
        name: String,
        inputs: [NodeIndex; 2],
        held_out: Arc<Groups>,
        span: Span,
    ) -> NodeIndex {
        let node = Node {
            name,
            work: Work::Decide,
            identity: Identity::of(&[("decide", "1")]),
            given: Default::default(),
            seed: None,
            keep: Keep::Stored,
            family: "decide",
            scope: Scope::HeldOut,
            rows: RowSets { held_out: Some(held_out), ..RowSets::default() },
            span,
        };
        self.add(node, &inputs)
    }

    /// The winner on the training rows of an outer split, and what it says of those held out.
    fn fit(
        &mut self,
        context: &Context<'_>,
        here: &Arc<Placed>,
        [prepare, winner]: [NodeIndex; 2],
        keeps: bool,
    ) -> NodeIndex {
        let study = self.study;
        let case = self.cases[context.case];
        // Streams are named by the place of the split, where any learner draws from one.
        let random = context.procedure.random.contains(&true);
        let place = random.then_some(&here.place);
        let given = context.given.iter().chain([&here.rows]).chain(place).cloned();
        let node = Node {
            name: format!("{}/{}/fit", context.name, here.name),
            work: Work::Fit { case: context.case, split: here.clone(), keeps },
            // 2: with the columns that each step leaves. 3: where a selector keeps none, the null
            // model is fitted.
            identity: Identity::new(&json!({ "fit": 3, "keeps": keeps })),
            given: given.collect(),
            seed: random.then_some(study.seed),
            keep: Keep::Stored,
            family: "fit",
            scope: Scope::HeldOut,
            rows: RowSets {
                fitted: Some(here.train.clone()),
                outcomes: true,
                held_out: Some(here.held_out.clone()),
                transductive: study.models[case.model].transductive(case.branch),
                ..RowSets::default()
            },
            span: context.span,
        };
        let node = self.add(node, &[context.frame, prepare, winner]);
        self.follows(node, context.splits);
        node
    }

    /// How well the batch is told from the columns of a split, where the preparation harmonises.
    fn decoded(
        &mut self,
        context: &Context<'_>,
        placed: &Arc<Placed>,
        prepare: NodeIndex,
    ) -> Option<NodeIndex> {
        context.prepare.table_steps().find(|(_, step)| step.harmonises().is_some())?;
        let given = context.given.iter().chain([&placed.rows]).cloned();
        let node = Node {
            name: format!("{}/{}/harmonised", context.name, placed.name),
            work: Work::Decoded { case: context.case, split: placed.clone() },
            identity: context.procedure.decoded.clone(),
            given: given.collect(),
            seed: None,
            keep: Keep::Stored,
            family: "judge harmonisation",
            scope: Scope::HeldOut,
            rows: RowSets {
                fitted: Some(placed.train.clone()),
                held_out: Some(placed.held_out.clone()),
                transductive: context.prepare.transductive(),
                ..RowSets::default()
            },
            span: context.span,
        };
        let node = self.add(node, &[context.frame, prepare]);
        self.follows(node, context.splits);
        Some(node)
    }

    /// What the winner of an outer split looks at, by its held-out rows.
    fn importance(
        &mut self,
        context: &Context<'_>,
        here: &Arc<Placed>,
        (chosen, fit): (ChosenNodes, NodeIndex),
    ) -> NodeIndex {
        // Shuffles are named by the place of the split.
        let given = context.given.iter().chain([&here.rows, &here.place]).cloned();
        let case = self.cases[context.case];
        let node = Node {
            name: format!("{}/{}/importance", context.name, here.name),
            work: Work::Importance { case: context.case, split: here.clone() },
            identity: Identity::of(&[
                // 3: by each metric that candidates may be chosen by, and the study's own.
                ("importance", "3"),
                ("metrics", &self.common.importance),
            ]),
            given: given.collect(),
            seed: Some(self.study.seed),
            keep: Keep::Stored,
            family: "importance",
            scope: Scope::HeldOut,
            rows: RowSets {
                held_out: Some(here.held_out.clone()),
                transductive: self.study.models[case.model].transductive(case.branch),
                ..RowSets::default()
            },
            span: context.span,
        };
        let mut inputs = vec![context.frame, chosen.winner, fit];
        inputs.extend(chosen.link);
        let node = self.add(node, &inputs);
        self.follows(node, context.splits);
        node
    }

    /// Scores by inner split, each with one node per selector × learner. With a tuner that halves,
    /// a node after each rung says which candidates go on.
    pub fn inner(
        &mut self,
        context: &Context<'_>,
        (repeat, outer): (usize, usize),
        inner: &[Split],
    ) -> Vec<NodeIndex> {
        let halving = self.study.evaluate.halving();
        let mut scores: Vec<NodeIndex> = Vec::new();
        let (mut race, mut rung, mut end) = (None, 0, 1);
        for (position, split) in inner.iter().enumerate() {
            if let (Some(factor), true) = (halving, position == end) {
                let work = Work::Race { case: context.case, rung };
                let name = format!(
                    "{}/r{:02}.o{}/race{}",
                    context.name,
                    repeat + 1,
                    outer + 1,
                    rung + 1
                );
                let identity = context.procedure.race.clone();
                let node =
                    Self::pooled(context, name, work, identity, "race", context.span);
                let node = Node { given: context.chooses.clone(), ..node };
                race = Some(self.add(node, &scores));
                (rung, end) = (rung + 1, end.saturating_mul(factor));
            }
            let placed =
                self.placed(context, (repeat, outer, Some(position)), split, &[]);
            scores.extend(self.scores(context, &placed, race));
        }
        scores
    }

    /// The preparation, fitted on the training rows of a split.
    pub fn prepare(&mut self, context: &Context<'_>, placed: &Arc<Placed>) -> NodeIndex {
        let given = context.given.iter().chain([&placed.rows]).cloned();
        let node = Node {
            name: [&*context.name, "/", &placed.name, "/prepare"].concat(),
            work: Work::Prepare { case: context.case, split: placed.clone() },
            identity: context.procedure.prepare.clone(),
            given: given.collect(),
            seed: None,
            keep: Keep::Stored,
            family: "prepare",
            scope: Scope::Training,
            rows: RowSets {
                fitted: Some(placed.train.clone()),
                outcomes: context.procedure.outcome_prepares,
                ..RowSets::default()
            },
            span: context.span,
        };
        let prepare = self.add(node, &[context.frame]);
        self.follows(prepare, context.splits);
        prepare
    }

    /// The `score` nodes of an inner split, by selector and then learner; those of a `race` go on.
    fn scores(
        &mut self,
        context: &Context<'_>,
        placed: &Arc<Placed>,
        race: Option<NodeIndex>,
    ) -> Vec<NodeIndex> {
        let study = self.study;
        let case = context.case;
        let here = [&*context.name, "/", &placed.name].concat();
        let prepare = self.prepare(context, placed);
        let given = self.graph[prepare].given.clone();
        // Streams are named by the place of the split.
        let with_place: Arc<[Given]> = match context.procedure.random.contains(&true) {
            true => given.iter().chain([&placed.place]).cloned().collect(),
            false => given.clone(),
        };
        let select = &study.models[self.cases[case].model].select;
        let mut selects = Vec::new();
        for (selector, chain) in select.iter().enumerate() {
            let select = Node {
                name: [&here, "/", &chain.name].concat(),
                work: Work::Select { case, split: placed.clone(), selector },
                identity: context.procedure.select[selector].clone(),
                given: given.clone(),
                seed: None,
                keep: Keep::Stored,
                family: "select",
                scope: Scope::Training,
                rows: RowSets {
                    fitted: Some(placed.train.clone()),
                    outcomes: context.procedure.outcome_selects[selector],
                    ..RowSets::default()
                },
                span: context.span,
            };
            let select = self.add(select, &[context.frame, prepare]);
            self.follows(select, context.splits);
            selects.push(select);
        }
        for (selector, earlier) in context.procedure.shares.iter().enumerate() {
            for &earlier in earlier {
                self.reads(selects[selector], selects[earlier], Reads::Shared, None);
            }
        }
        let mut scores = Vec::new();
        for ((selector, chain), select) in select.iter().enumerate().zip(selects) {
            let transductive = context.prepare.transductive() || chain.transductive();
            for (learner, learners) in study.learn.iter().enumerate() {
                let random = context.procedure.random[learner];
                let score = Node {
                    name: [&here, "/", &chain.name, "/", &learners.name].concat(),
                    work: Work::Score { case, split: placed.clone(), selector, learner },
                    identity: context.procedure.score[selector][learner].clone(),
                    given: if random { with_place.clone() } else { given.clone() },
                    seed: random.then_some(study.seed),
                    keep: Keep::Stored,
                    family: "learn",
                    scope: Scope::HeldOut,
                    rows: RowSets {
                        fitted: Some(placed.train.clone()),
                        outcomes: true,
                        held_out: Some(placed.held_out.clone()),
                        transductive,
                        chooses: true,
                        ..RowSets::default()
                    },
                    span: context.span,
                };
                let score = self.add(score, &[context.frame, prepare, select]);
                if let Some(race) = race {
                    self.decided(score, race);
                }
                self.follows(score, context.splits);
                scores.push(score);
            }
        }
        scores
    }

    /// The node of an outcome in a cohort, which the survey has read.
    fn outcome_node(&mut self, outcome: &Outcome, cohort: &Cohort) -> NodeIndex {
        let name = format!("outcome/{}/{}", outcome.name, cohort.name);
        if let Some(&node) = self.sources.get(&name) {
            return node;
        }
        let node = done(
            name.clone(),
            Work::Outcome,
            Identity::new(&outcome.identity()),
            "outcome",
            outcome.derivations[0].span,
        );
        let sources = self.outcome_sources(outcome, cohort);
        let node = self.add(node, &sources);
        self.sources.insert(name, node);
        node
    }

    /// The sources that an outcome reads in a cohort.
    pub fn outcome_sources(
        &mut self,
        outcome: &Outcome,
        cohort: &Cohort,
    ) -> Vec<NodeIndex> {
        let mut names: Vec<String> = outcome
            .instances()
            .map(|(_, derivation)| match derivation.source() {
                Some(source) => cohort.place(source, "").source,
                None => cohort.from.name.clone(),
            })
            .collect();
        names.dedup();
        names.iter().filter_map(|name| self.source(name)).collect()
    }

    /// The node of a scheme's splits for an outcome, behind that of the outcome.
    pub fn splits(&mut self, scheme: usize, outcome: usize) -> NodeIndex {
        let study = self.study;
        let (scheme, outcome) = (&study.validate[scheme], &study.outcomes[outcome]);
        let name = format!("splits/{}/{}", scheme.name, outcome.name);
        if let Some(&node) = self.sources.get(&name) {
            return node;
        }
        let cohort = study.cohort(&scheme.cohort.name);
        let outcome_node = cohort.map(|cohort| self.outcome_node(outcome, cohort));
        let used = &scheme.resampling;
        let mut node = done(
            name.clone(),
            Work::Splits,
            Identity::new(&used.identity()),
            "splits",
            used.span,
        );
        node.seed = used.random.then_some(study.seed);
        let inputs: Vec<_> = outcome_node.into_iter().collect();
        let node = self.add(node, &inputs);
        self.sources.insert(name, node);
        node
    }
}

/// A node that the survey performs.
fn done(
    name: String,
    work: Work,
    identity: Arc<Identity>,
    family: &'static str,
    span: Span,
) -> Node {
    Node {
        name,
        work,
        identity,
        given: Default::default(),
        seed: None,
        keep: Keep::Stored,
        family,
        scope: Scope::Given,
        rows: RowSets::default(),
        span,
    }
}

/// The facts that a choice by inner scores reads: decision values become probabilities by maps that
/// have not seen the patient whom they judge.
pub fn chooses(study: &Study, [outcome, groups]: [&Given; 2]) -> Arc<[Given]> {
    let evaluate = &study.evaluate;
    let ranks = match &evaluate.primary.instance {
        Instance::Metric(metric) => metric.ranks_only(),
        _ => unreachable!("`spec` puts a metric here"),
    };
    match has_links(study) && (!ranks || evaluate.falls_back) {
        true => [outcome.clone(), groups.clone()].into(),
        false => [outcome.clone()].into(),
    }
}

/// The same of a choice by any metric.
pub fn chooses_by_any(study: &Study, [outcome, groups]: [&Given; 2]) -> Arc<[Given]> {
    match has_links(study) {
        true => [outcome.clone(), groups.clone()].into(),
        false => [outcome.clone()].into(),
    }
}

/// Whether any learner gives decision values, which a map turns into probabilities.
fn has_links(study: &Study) -> bool {
    study.learn.iter().flat_map(|chain| &chain.settings).any(|setting| {
        matches!(&setting.steps[0].instance,
            Instance::Learner(learner) if learner.output() == Output::DecisionValue)
    })
}
