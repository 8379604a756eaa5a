//! Study × survey → nodes and edges.

use std::collections::BTreeMap;
use std::sync::Arc;

use petgraph::algo::toposort;
use petgraph::graph::{DiGraph, NodeIndex};
use serde_json::{Value as Json, json};

use super::{
    Analysis, Edge, Given, Grid, Groups, Identity, Node, OuterNodes, Placed, Plan, Reads,
    RowSets, Work,
};
use crate::data::{OuterSplit, Scope, Split};
use crate::diagnostics::Span;
use crate::digest::Digest;
use crate::operation::Instance;
use crate::spec::{
    BlockKind, Chain, ImageOrigin, LearnedFrom, Named, Origin, SourceKind, Study, Use,
};
use crate::store::Keep;
use crate::survey::{Content, Location, Survey, unread};

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

struct Builder<'a> {
    study: &'a Study,
    survey: &'a Survey,
    graph: DiGraph<Node, Edge>,
    /// By source name.
    sources: BTreeMap<String, NodeIndex>,
    /// By cohort and block.
    frames: BTreeMap<(usize, usize), NodeIndex>,
    /// By cohort and model.
    models: BTreeMap<(usize, usize), NodeIndex>,
    analyses: Vec<Analysis>,
    procedure: Procedure,
}

/// What the nodes of every split do: the same in all of them, so named once.
struct Procedure {
    prepare: Arc<Identity>,
    /// By selector.
    select: Vec<Arc<Identity>>,
    /// By selector and learner.
    score: Vec<Vec<Arc<Identity>>>,
    tune: Arc<Identity>,
    threshold: Option<Arc<Identity>>,
    predict: Arc<Identity>,
}

impl Procedure {
    fn of(study: &Study) -> Self {
        let prepare = study.prepare.identity();
        let candidates = n_candidates(study);
        let evaluate = &study.evaluate;
        let select = study.select.iter().map(|selector| {
            Identity::new(json!({
                "prepare": prepare, "select": selector.fit_paths().identities,
            }))
        });
        let score = study.select.iter().map(|selector| {
            let learners = study.learn.iter().map(|learner| {
                Identity::new(json!({
                    "prepare": prepare,
                    "select": selector.identity(),
                    "learn": learner.identity(),
                }))
            });
            learners.collect()
        });
        let threshold = evaluate.threshold.as_ref().map(|threshold| {
            let rule = threshold.rule.identity();
            Identity::new(json!({ "rule": rule, "candidates": candidates }))
        });
        Self {
            prepare: Identity::new(
                json!({ "prepare": study.prepare.fit_paths().identities }),
            ),
            select: select.collect(),
            score: score.collect(),
            tune: Identity::new(json!({
                "tuner": evaluate.tuner.identity(),
                "metric": evaluate.primary.identity(),
                "candidates": candidates,
            })),
            threshold,
            predict: Identity::new(json!({ "predict": 1, "candidates": candidates })),
        }
    }
}

impl Builder<'_> {
    fn add(&mut self, node: Node, inputs: &[(NodeIndex, Option<String>)]) -> NodeIndex {
        let index = self.graph.add_node(node);
        for (input, port) in inputs {
            let edge = Edge { port: port.clone(), reads: Reads::Content };
            self.graph.add_edge(*input, index, edge);
        }
        index
    }

    /// `node` needs `earlier` done; what it reads of it stands among its given facts.
    fn follows(&mut self, node: NodeIndex, earlier: NodeIndex, port: Option<String>) {
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

    /// The predictors of a model for a cohort.
    fn assemble(&mut self, cohort: usize, model: usize) -> Option<NodeIndex> {
        if let Some(&node) = self.models.get(&(cohort, model)) {
            return Some(node);
        }
        let study = self.study;
        let mut inputs = Vec::new();
        for block in &study.models[model].blocks {
            let block =
                study.predictors.iter().position(|known| known.name == block.name)?;
            inputs.push((self.frame(cohort, block)?, None));
        }
        let names: Vec<&str> =
            study.models[model].blocks.iter().map(|block| block.name.as_str()).collect();
        let node = Node {
            name: format!(
                "predictors/{}/{}",
                study.cohorts[cohort].name, study.models[model].name
            ),
            work: Work::Assemble { model },
            identity: Identity::new(json!({ "assemble": names })),
            given: Vec::new(),
            seed: None,
            keep: Keep::Stored,
            family: "assemble",
            scope: Scope::RowWise,
            rows: RowSets::default(),
            span: study.models[model].span,
        };
        let node = self.add(node, &inputs);
        self.models.insert((cohort, model), node);
        Some(node)
    }

    /// The predictors of a block for a cohort.
    fn frame(&mut self, cohort: usize, block: usize) -> Option<NodeIndex> {
        if let Some(&node) = self.frames.get(&(cohort, block)) {
            return Some(node);
        }
        let study = self.study;
        let of = &study.predictors[block];
        let surveyed = self.survey.cohorts.get(&study.cohorts[cohort].name)?;
        let rows = Given {
            name: format!("rows of cohort {}", study.cohorts[cohort].name),
            digest: surveyed.digest?,
            shown: format!("{} rows", surveyed.rows.len()),
        };
        let (inputs, identity, given) = match &of.kind {
            BlockKind::Columns { from, .. } => {
                let source = self.source(&from.name)?;
                let columns = self.survey.columns.get(&of.name)?;
                (vec![(source, None)], json!({ "columns": columns }), vec![rows])
            }
            BlockKind::Images { .. } => {
                let (inputs, columns) = self.features(cohort, block)?;
                let tolerated = study.cohorts[cohort].failed_at_most;
                let identity =
                    json!({ "features": columns, "failed_at_most": tolerated });
                (inputs, identity, Vec::new())
            }
        };
        let name = format!("predictors/{}/{}", study.cohorts[cohort].name, of.name);
        let step_name = |step: &Use| format!("{name}/before-split/{}", step.about.name);
        let node = Node {
            // A model of the same name is another node.
            name: format!("blocks/{}/{}", study.cohorts[cohort].name, of.name),
            work: Work::Frame { cohort, block },
            identity: Identity::new(identity),
            given,
            seed: None,
            keep: Keep::Stored,
            family: "gather",
            scope: Scope::RowWise,
            rows: RowSets::default(),
            span: of.span,
        };
        let mut frame = self.add(node, &inputs);
        let everybody = (0..surveyed.rows.len() as u32).collect::<Vec<_>>();
        let everybody = Arc::new(Groups::of_rows(&everybody, &surveyed.groups));
        for (position, step) in of.steps.iter().enumerate() {
            let fit = Node {
                name: step_name(step),
                work: Work::FitBefore { cohort, block, step: position },
                identity: Identity::new(step.identity()),
                given: Vec::new(),
                seed: None,
                keep: Keep::Stored,
                family: "fit before the split",
                scope: Scope::Training,
                rows: RowSets {
                    fitted: Some(everybody.clone()),
                    outcomes: reads_outcome_of(step),
                    ..RowSets::default()
                },
                span: step.span,
            };
            let fit = self.add(fit, &[(frame, None)]);
            let apply = Node {
                name: format!("{}/applied", step_name(step)),
                work: Work::ApplyBefore { block, step: position },
                identity: Identity::new(json!({ "apply": step.identity() })),
                given: Vec::new(),
                seed: None,
                keep: Keep::Stored,
                family: "apply before the split",
                scope: Scope::RowWise,
                rows: RowSets::default(),
                span: step.span,
            };
            frame = self.add(apply, &[(frame, None), (fit, None)]);
        }
        self.frames.insert((cohort, block), frame);
        Some(frame)
    }

    /// The `features` nodes of a block: by row of the cohort, then by family.
    #[expect(
        clippy::type_complexity,
        reason = "inputs as `add` takes them, and column names"
    )]
    fn features(
        &mut self,
        cohort: usize,
        block: usize,
    ) -> Option<(Vec<(NodeIndex, Option<String>)>, Vec<String>)> {
        let study = self.study;
        let BlockKind::Images { from, labels, features } = &study.predictors[block].kind
        else {
            return None;
        };
        let source = study.sources.iter().position(|source| source.name == from.name)?;
        let SourceKind::Images { from: origin, reader, .. } = &study.sources[source].kind
        else {
            return None;
        };
        let generator = match origin {
            ImageOrigin::Simulated { source } => self.source(&source.name),
            ImageOrigin::Files { .. } => None,
        };
        let reading = ["image", "mask"]
            .map(|part| Identity::new(json!({ "read": reader.identity(), "as": part })));
        let measuring: Vec<Arc<Identity>> = features
            .iter()
            .map(|family| {
                Identity::new(json!({ "family": family.identity(), "labels": labels }))
            })
            .collect();
        let surveyed = self.survey.cohorts.get(&study.cohorts[cohort].name)?;
        let content = self.survey.sources.get(&from.name);
        let mut inputs = Vec::new();
        for (row, group) in surveyed.rows.iter().zip(&surveyed.groups) {
            let name = &surveyed.pseudonyms[*group as usize];
            // Several rows of one patient are told apart by a digest of the row's id.
            let name = match row.id == row.subject {
                true => name.clone(),
                false => format!("{name}-{}", &Digest::of(row.id.as_bytes()).hex()[..4]),
            };
            let files = match content.map(|content| (&content.content, &content.files)) {
                Some((Content::Images(pairs), files)) => {
                    pairs.get(&row.id).map(|(image, mask)| {
                        [(*image, &files[*image]), (*mask, &files[*mask])]
                    })
                }
                _ => None,
            };
            let read = |graph: &mut Self, position: usize, grid: Grid| -> NodeIndex {
                let part = if grid == Grid::Volume { "image" } else { "mask" };
                let node_name = format!("read/{}/{name}/{part}", from.name);
                if let Some(&node) = graph.sources.get(&node_name) {
                    return node;
                }
                let (file, given, port) = match files.map(|files| files[position]) {
                    Some((file, given)) => (
                        file,
                        vec![Given {
                            name: "file".into(),
                            digest: given.digest,
                            shown: format!("{}/{name}/{part}", from.name),
                        }],
                        match &given.location {
                            Location::Generated { name, .. } => Some(name.clone()),
                            Location::Disk(_) => None,
                        },
                    ),
                    None => (usize::MAX, Vec::new(), None),
                };
                let node = Node {
                    name: node_name.clone(),
                    work: Work::ReadImage { source, file, what: grid },
                    identity: reading[usize::from(grid == Grid::Mask)].clone(),
                    given,
                    seed: None,
                    keep: Keep::DigestOnly,
                    family: "read image",
                    scope: Scope::PerSubject,
                    rows: RowSets::default(),
                    span: study.sources[source].span,
                };
                let node = graph.add(node, &[]);
                if let Some(generator) = generator {
                    // Only this file of what it makes counts.
                    graph.follows(node, generator, port);
                }
                graph.sources.insert(node_name, node);
                node
            };
            let image = read(self, 0, Grid::Volume);
            let mask = read(self, 1, Grid::Mask);
            for (position, family) in features.iter().enumerate() {
                let node_name = format!(
                    "features/{name}/{}/{}",
                    study.predictors[block].name, family.about.name
                );
                let node = match self.sources.get(&node_name) {
                    Some(&node) => node,
                    None => {
                        let node = Node {
                            name: node_name.clone(),
                            work: Work::Features { block, family: position },
                            identity: measuring[position].clone(),
                            given: Vec::new(),
                            seed: None,
                            keep: Keep::Stored,
                            family: "features",
                            scope: Scope::PerSubject,
                            rows: RowSets::default(),
                            span: family.span,
                        };
                        let node = self.add(node, &[(image, None), (mask, None)]);
                        self.sources.insert(node_name, node);
                        node
                    }
                };
                inputs.push((node, None));
            }
        }
        let columns = features.iter().flat_map(|family| match &family.instance {
            Instance::FeatureFamily(instance) => instance
                .columns()
                .iter()
                .map(|column| format!("{}.{}", family.about.name, column.name))
                .collect::<Vec<_>>(),
            _ => unreachable!("`spec` puts feature families here"),
        });
        Some((inputs, columns.collect()))
    }

    /// The node of a source that the survey has read.
    fn source(&mut self, name: &str) -> Option<NodeIndex> {
        if let Some(&node) = self.sources.get(name) {
            return Some(node);
        }
        let study = self.study;
        let position = study.sources.iter().position(|source| source.name == name)?;
        let source = &study.sources[position];
        let surveyed = self.survey.sources.get(name);
        let files = surveyed.map_or(&[][..], |surveyed| &surveyed.files);
        let given = |name: &str, shown: String, digest: Digest| {
            vec![Given { name: name.into(), digest, shown }]
        };
        let (work, identity, family, given, inputs, seed) = match &source.kind {
            SourceKind::Simulate { generator } => (
                Work::Simulate { source: position },
                json!({ "simulate": generator.identity() }),
                "simulate",
                Vec::new(),
                Vec::new(),
                generator.random.then_some(study.seed),
            ),
            SourceKind::Table { from, reader, id }
            | SourceKind::Maf { from, reader, id, .. } => {
                let inputs = match from {
                    Origin::Simulated { source } => self.source(&source.name)?,
                    Origin::File { .. } => NodeIndex::end(),
                };
                let bytes = match files.first() {
                    Some(file) => given("file", file.shown.clone(), file.digest),
                    None => given("file", name.to_string(), unread(name)),
                };
                let port = files.first().and_then(|file| match &file.location {
                    Location::Generated { name, .. } => Some(name.clone()),
                    Location::Disk(_) => None,
                });
                let inputs = if inputs == NodeIndex::end() {
                    Vec::new()
                } else {
                    vec![(inputs, port)]
                };
                (
                    Work::ReadTable { source: position },
                    json!({ "read": reader.identity(), "as": { "table": id.name } }),
                    "read table",
                    bytes,
                    inputs,
                    None,
                )
            }
            SourceKind::Images { .. } => return None,
        };
        let prefix = if family == "simulate" { "simulate" } else { "read" };
        let node = Node {
            name: format!("{prefix}/{name}"),
            work,
            identity: Identity::new(identity),
            given,
            seed,
            keep: Keep::Stored,
            family,
            scope: Scope::Given,
            rows: RowSets::default(),
            span: source.span,
        };
        let node = self.add(node, &inputs);
        self.sources.insert(name.to_string(), node);
        Some(node)
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

fn reads_outcome_of(step: &Use) -> bool {
    match &step.instance {
        Instance::TableStep(instance) => instance.reads_outcome(),
        _ => unreachable!("`spec` puts table steps into chains"),
    }
}

/// Candidates by selector × learner: the order in which `tune` numbers them.
fn n_candidates(study: &Study) -> Json {
    let cells = study.select.iter().map(|selector| {
        let learners = study.learn.iter().map(|learner| {
            study.prepare.settings.len()
                * selector.settings.len()
                * learner.settings.len()
        });
        learners.collect::<Json>()
    });
    cells.collect()
}
