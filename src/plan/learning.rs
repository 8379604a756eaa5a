//! The procedure on parts of the training rows, of which a learning curve is drawn, and what the rows of
//! an analysis tell of the precision to expect.
//!
//! Parts are drawn here, so that the proof knows who is in them.

use petgraph::graph::NodeIndex;
use serde_json::{Value as Json, json};

use super::build::{Builder, Context, Division, Measuring, SplitNodes};
use super::{
    Given, Identity, Judgement, LearnedPart, LearningNodes, MeasuredNodes, Node,
    OuterNodes, RowSets, Work,
};
use crate::data::{OuterSplit, Scope, Splits};
use crate::digest::canonical_json;
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
            let context_of_part = Context {
                name: format!("{}/learning_curve/{fraction}", context.name),
                division: Division { part: Some(at), ..context.division },
                looked_into: false,
                ..context.clone()
            };
            let mut of_part = Vec::new();
            for (nodes, places) in used.iter().zip(&places) {
                // The same nodes as on all training rows: whatever is chosen among grows and changes alike.
                let place = (nodes.repeat, nodes.outer);
                let SplitNodes { here, predict, .. } =
                    self.on_split(&context_of_part, place, &places[at]);
                of_part.push((here, predict));
            }
            let name = context_of_part.name;
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
        let moved = self.moved([context.case; 2]);
        let identity = Identity::new(&json!({
            // 3: sums over resamples run over the rows in their order.
            // 4: certainties are moved in folds too; no interval without spread; no test of few rows.
            // 5: nor one of few patients by resamples.
            "compare": self.study.evaluate.primary.identity(), "version": 5,
            "first": whole.len(), "external": false,
            "trained": trained.collect::<Json>(),
            "moved": moved,
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
