//! The procedure on parts of the training rows, of which a learning curve is drawn, and what the rows of
//! an analysis tell of the precision to expect.
//!
//! Parts are drawn here, so that the proof knows who is in them.

use std::sync::Arc;

use petgraph::graph::NodeIndex;
use serde_json::{Value as Json, json};

use super::build::{Builder, Context, Measuring};
use super::{
    Given, Identity, Judgement, LearnedPart, LearningNodes, MeasuredNodes, Node,
    OuterNodes, Placed, RowSets, Work,
};
use crate::data::{OuterSplit, Scope, Splits};
use crate::digest::{Digest, canonical_json, canonical_list};
use crate::math::Stream;
use crate::spec::LearningCurve;
use crate::statistics::nested_parts;
use crate::store::Keep;

impl Builder<'_> {
    /// A learning curve on the outer splits of the first repeats, unless the author wants none.
    pub fn learning(
        &mut self,
        context: &Context<'_>,
        splits: &Splits,
        (outer, measured): (&[OuterNodes], &MeasuredNodes),
        how: &str,
    ) -> Option<LearningNodes> {
        let LearningCurve::Drawn { fractions, repeats, .. } =
            &self.study.evaluate.learning_curve
        else {
            return None;
        };
        let analysis = self.analyses.len();
        let used: Vec<&OuterNodes> =
            outer.iter().filter(|nodes| nodes.repeat < *repeats).collect();
        let places: Vec<Vec<OuterSplit>> = used
            .iter()
            .map(|nodes| {
                let split = &splits.repeats[nodes.repeat][nodes.outer];
                self.parts(context, (nodes.repeat, nodes.outer), split, fractions)
            })
            .collect::<Option<_>>()?;
        let mut parts = Vec::new();
        for (at, fraction) in fractions.iter().enumerate() {
            let mut of_part = Vec::new();
            for (nodes, places) in used.iter().zip(&places) {
                let OuterSplit { split, inner } = &places[at];
                let place = (nodes.repeat, nodes.outer, None);
                let placed = Placed::new(place, split, inner, context.groups);
                let placed = Arc::new(placed);
                let node = self.learn_part(context, &placed, *fraction);
                of_part.push((placed, node));
            }
            let name = format!("{}/learning_curve/{fraction}", context.name);
            let of = Judgement::Learning { analysis, part: Some(at) };
            let nodes: Vec<NodeIndex> = of_part.iter().map(|(_, node)| *node).collect();
            let trained = by_repeat(&used, |at| of_part[at].0.split.train.len());
            let measured = self.learned(context, &name, of, (&nodes, how, trained));
            parts.push(LearnedPart { fraction: *fraction, splits: of_part, measured });
        }
        let nodes: Vec<NodeIndex> = used.iter().map(|nodes| nodes.predict).collect();
        let n_train = |at: usize| {
            let OuterNodes { repeat, outer, .. } = used[at];
            splits.repeats[*repeat][*outer].split.train.len()
        };
        let whole = match used.len() == outer.len() {
            true => *measured.metrics.first()?,
            false => {
                let name = format!("{}/learning_curve/1", context.name);
                let of = Judgement::Learning { analysis, part: None };
                let trained = by_repeat(&used, n_train);
                self.learned(context, &name, of, (&nodes, how, trained))
            }
        };
        let last_step = self.last_step(context, (analysis, &parts), &nodes);
        Some(LearningNodes { repeats: *repeats, parts, whole, last_step })
    }

    /// Parts of the training rows of an outer split, by fraction.
    fn parts(
        &self,
        context: &Context<'_>,
        (repeat, outer): (usize, usize),
        split: &OuterSplit,
        fractions: &[f64],
    ) -> Option<Vec<OuterSplit>> {
        let case = self.cases[context.case];
        let outcome = self.study.outcomes[case.outcome].name.clone();
        let cohort = self.study.cohorts[case.cohort].name.clone();
        let known = self.survey.outcomes.get(&(outcome, cohort))?;
        let names = ["learning curve", &repeat.to_string(), &outer.to_string()];
        let mut stream = Stream::new(self.study.seed, &names);
        let groups = context.groups;
        Some(nested_parts(split, fractions, &known.classes, groups, &mut stream))
    }

    /// The whole procedure on a part of the training rows of an outer split. The scores of the candidates
    /// are a node of their own, so that another way of choosing fits none of them again.
    fn learn_part(
        &mut self,
        context: &Context<'_>,
        placed: &Arc<Placed>,
        fraction: f64,
    ) -> NodeIndex {
        let procedure = context.procedure;
        let case = self.cases[context.case];
        let score = procedure.score.iter().flatten().map(|score| score.text());
        let score = canonical_list(score);
        let mut fields = vec![("score_part", "1"), ("score", score.as_str())];
        // All are scored on all inner splits otherwise.
        if self.halving().is_some() {
            fields.push(("race", procedure.race.text()));
        }
        let scores = Identity::of(&fields);
        let identity = Identity::of(&[
            // To be raised with `fit` as well.
            ("learn_part", "1"),
            ("score", &score),
            ("tune", procedure.tune.text()),
            ("link", procedure.link.text()),
            ("predict", procedure.predict.text()),
        ]);
        // Its rows are in the key, and so is the seed by which they were drawn.
        let random = procedure.random.contains(&true);
        let inner = Given {
            name: "inner splits".into(),
            digest: Digest::of(format!("{:?}", placed.inner_splits).as_bytes()),
            shown: format!("{} inner splits", placed.inner_splits.len()).into(),
        };
        let place = random.then(|| placed.place.clone());
        let rows = [placed.rows.clone(), inner].into_iter().chain(place);
        let given: Arc<[Given]> = context.given.iter().cloned().chain(rows).collect();
        let name = format!("{}/learning_curve/{fraction}/{}", context.name, placed.name);
        let scores = Node {
            name: format!("{name}/scores"),
            work: Work::ScorePart { case: context.case, split: placed.clone() },
            identity: scores,
            given: given.clone(),
            seed: random.then_some(self.study.seed),
            keep: Keep::Stored,
            family: "learn from fewer",
            scope: Scope::Training,
            rows: RowSets {
                fitted: Some(placed.train.clone()),
                outcomes: true,
                ..RowSets::default()
            },
            span: context.span,
        };
        let scores = self.add(scores, &[context.frame]);
        self.follows(scores, context.splits);
        let node = Node {
            name,
            work: Work::LearnPart { case: context.case, split: placed.clone() },
            identity,
            given,
            seed: random.then_some(self.study.seed),
            keep: Keep::Stored,
            family: "learn from fewer",
            scope: Scope::HeldOut,
            rows: RowSets {
                fitted: Some(placed.train.clone()),
                outcomes: true,
                held_out: Some(placed.held_out.clone()),
                transductive: self.study.models[case.model].transductive(case.branch),
                ..RowSets::default()
            },
            span: context.span,
        };
        let node = self.add(node, &[context.frame, scores]);
        self.follows(node, context.splits);
        node
    }

    /// The primary metric of what was learned from some of the rows.
    fn learned(
        &mut self,
        context: &Context<'_>,
        name: &str,
        of: Judgement,
        (nodes, how, trained): (&[NodeIndex], &str, Json),
    ) -> NodeIndex {
        let judged = canonical_json(&json!([how, trained]));
        let measuring = Measuring {
            name,
            of,
            case: context.case,
            judged: &judged,
            given: context.outcome.to_vec(),
            family: "measure",
            scope: Scope::Measured,
            span: context.span,
        };
        self.metric(&measuring, 0, [nodes, &[]])
    }

    /// All training rows less the largest part of them.
    fn last_step(
        &mut self,
        context: &Context<'_>,
        (analysis, parts): (usize, &[LearnedPart]),
        whole: &[NodeIndex],
    ) -> NodeIndex {
        let largest = parts.len() - 1;
        let splits = &parts[largest].splits;
        let trained = splits.iter().map(|(placed, _)| placed.split.train.len());
        let identity = Identity::new(&json!({
            "compare": self.study.evaluate.primary.identity(), "version": 2,
            "first": whole.len(), "external": false,
            "trained": trained.collect::<Json>(),
        }));
        let of = [None, Some(largest)].map(|part| Judgement::Learning { analysis, part });
        let given: Vec<Given> =
            self.patients(self.cases[context.case].cohort).into_iter().collect();
        let node = Node {
            name: format!("{}/learning_curve/last_step", context.name),
            work: Work::Compare { of, first: whole.len() },
            identity,
            given: given.into(),
            seed: Some(self.study.seed), // It may resample patients.
            keep: Keep::Stored,
            family: "compare",
            scope: Scope::Measured,
            rows: RowSets { pools_inputs: true, outcomes: true, ..RowSets::default() },
            span: context.span,
        };
        let inputs: Vec<NodeIndex> =
            whole.iter().copied().chain(splits.iter().map(|(_, node)| *node)).collect();
        self.add(node, &inputs)
    }

    /// How precisely the rows of an analysis tell a calibration slope.
    pub fn slope(
        &mut self,
        context: &Context<'_>,
        predicted: &[NodeIndex],
        judged: &str,
        mut given: Vec<Given>,
    ) -> NodeIndex {
        let of = Judgement::Internal(self.analyses.len());
        // By how much the certainty of a prediction is moved.
        let (procedure, steps) = (context.procedure, self.common.steps.clone());
        let identity = Identity::of(&[
            ("slope_variance", "1"),
            ("judged", judged),
            ("steps", &steps),
            ("predict", procedure.predict.text()),
        ]);
        given.extend(self.patients(self.cases[context.case].cohort));
        let node = Node {
            name: format!("{}/slope_variance", context.name),
            work: Work::SlopeVariance { of },
            identity,
            given: given.into(),
            seed: None,
            keep: Keep::Stored,
            family: "measure",
            scope: Scope::Measured,
            rows: RowSets { pools_inputs: true, outcomes: true, ..RowSets::default() },
            span: context.span,
        };
        self.add(node, predicted)
    }
}

/// A number of each outer split, by repeat.
fn by_repeat(used: &[&OuterNodes], of: impl Fn(usize) -> usize) -> Json {
    let mut repeats: Vec<Vec<usize>> = Vec::new();
    for (at, nodes) in used.iter().enumerate() {
        repeats.resize(repeats.len().max(nodes.repeat + 1), Vec::new());
        repeats[nodes.repeat].push(of(at));
    }
    json!(repeats)
}
