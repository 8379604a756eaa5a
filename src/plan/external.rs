//! Frozen models, the cohorts that they meet once, and models compared with each other.

use std::sync::Arc;

use petgraph::graph::NodeIndex;
use serde_json::json;

use super::build::{Builder, Context, Division, Measuring, chooses, chooses_by_any};
use super::{
    Case, Comparison, External, FrozenModel, Given, Groups, Identity, Judgement, Node,
    Placed, RowSets, Work,
};
use crate::data::{Scope, Split};
use crate::store::Keep;
use crate::survey::unread;

/// How predictions of one set of rows are put together, as canonical JSON.
const ONCE: &str = "\"once\"";

impl Builder<'_> {
    /// The frozen models of each outcome, and each of them on each external cohort.
    pub fn externals(&mut self) -> (Vec<FrozenModel>, Vec<External>) {
        let study = self.study;
        let mut frozen = Vec::new();
        let mut external = Vec::new();
        for outcome in 0..study.outcomes.len() {
            if !study.freezes_for(&study.outcomes[outcome]) {
                continue;
            }
            let first = frozen.len();
            for model in study.frozen_models() {
                let at = study.models.iter().position(|known| known.name == model.name);
                let place = frozen.len();
                frozen.extend(at.and_then(|model| self.frozen(outcome, model, place)));
            }
            let of_outcome = first..frozen.len();
            for named in &study.external {
                let at = study.cohorts.iter().position(|c| c.name == named.name);
                let Some(cohort) = at else { continue };
                if of_outcome.is_empty() {
                    continue;
                }
                let opened = self.opened(outcome, cohort, &frozen[of_outcome.clone()]);
                for position in of_outcome.clone() {
                    let place = external.len();
                    let of = (place, position, &frozen[position]);
                    external.extend(self.external(cohort, of, opened, named.span));
                }
            }
        }
        (frozen, external)
    }

    /// A model tuned on all development rows, and fitted on them once; `place` is its position among the
    /// frozen ones.
    fn frozen(
        &mut self,
        outcome: usize,
        model: usize,
        place: usize,
    ) -> Option<FrozenModel> {
        let study = self.study;
        let scheme = study.validate.first()?;
        let cohort_name = &scheme.cohort.name;
        let cohort = study.cohorts.iter().position(|c| c.name == *cohort_name)?;
        let inner = self.survey.frozen.get(&study.outcomes[outcome].name)?.clone();
        let (outcome_given, groups_given, _) = self.facts(outcome, cohort_name)?;
        let frame = self.assemble(cohort, model)?;
        let name = format!(
            "{}.{}.frozen",
            study.outcomes[outcome].name, study.models[model].name
        );
        let case = self.cases.len();
        self.cases.push(Case { outcome, model, branch: 0, cohort });
        let procedure = self.procedure(model, 0);
        let groups = self.groups[cohort_name].clone();
        let context = Context {
            case,
            splits: self.splits(0, outcome),
            division: Division { scheme: None, outcome, part: None },
            name: name.clone(),
            frame,
            given: self.given_with(&[&outcome_given, &groups_given], cohort, model, 0),
            outcome: [outcome_given.clone()].into(),
            chooses: chooses(study, [&outcome_given, &groups_given]),
            chooses_by_any: chooses_by_any(study, [&outcome_given, &groups_given]),
            groups: &groups,
            span: scheme.resampling.span,
            procedure: &procedure,
            prepare: &study.models[model].branches[0].prepare,
            looked_into: false,
        };
        let mut all: Vec<u32> =
            inner.iter().flat_map(|split| split.held_out.iter().copied()).collect();
        all.sort_unstable();
        let whole = Split { train: all, held_out: Vec::new() };
        let inner_scores = self.inner(&context, (0, 0), &inner);
        let here = self.placed(&context, (0, 0, None), &whole, &inner);
        let prepare = self.prepare(&context, &here);
        let chosen = self.chosen(&context, &here, &inner_scores);
        let tune = chosen.tune;
        let threshold = self.threshold(&context, &here, tune, &inner_scores);
        let calibrate = Self::pooled(
            &context,
            format!("{name}/{}/calibrate", here.name),
            Work::Calibrate { case, split: here.clone() },
            procedure.calibrate.clone(),
            "calibrate",
            context.span,
        );
        let given = self.with_prevalence(&here, &calibrate.given);
        let calibrate = Node { given, ..calibrate };
        let mut inputs = vec![tune];
        inputs.extend(inner_scores.iter().copied());
        let calibrate = self.add(calibrate, &inputs);
        let fitted = here.train.clone();
        let mut given = context.given.clone();
        given.push(Given {
            name: "all development rows".into(),
            digest: here.rows.digest,
            shown: format!("{} rows", whole.train.len()).into(),
        });
        let primary = study.primary_frozen().map(|model| model.name.as_str());
        let primary = primary == Some(study.models[model].name.as_str());
        let rows = RowSets { fitted: Some(fitted), ..RowSets::default() };
        let refit = Node {
            name: format!("{name}/refit"),
            work: Work::Refit { case, split: here.clone() },
            // 3: where a selector keeps no column, the null model is fitted. 4: what is familiar leaves out
            // columns that decide nothing, and knows how far outside of ranges rows may be.
            identity: Identity::new(&json!({ "refit": 4 })),
            given: given.clone().into(),
            seed: procedure.random.contains(&true).then_some(study.seed),
            keep: Keep::Stored,
            family: "refit",
            scope: Scope::Training,
            rows: RowSets { outcomes: true, ..rows.clone() },
            span: context.span,
        };
        let mut inputs = vec![frame, prepare, chosen.winner];
        inputs.extend(chosen.link);
        let refit = self.add(refit, &inputs);
        let explain = primary.then(|| {
            let node = Node {
                name: format!("{name}/explain"),
                work: Work::Explain { case },
                // 5: of the prevalence it says that no predictor is looked at.
                identity: Identity::new(&json!({ "explain": 5 })),
                given: context.given.clone().into(),
                seed: Some(study.seed),
                keep: Keep::Stored,
                family: "explain",
                // Its rows are those that the model has seen: nothing about them is held out.
                scope: Scope::Training,
                rows,
                span: context.span,
            };
            self.add(node, &[frame, refit])
        });
        let then = [refit].into_iter().chain(explain).collect();
        self.alternatives(&context, &here, &inner_scores, (chosen, then));
        // Another threshold makes no fit anew, and looks at nothing that was not looked at.
        let freeze = Node {
            name: format!("{name}/freeze"),
            work: Work::Freeze,
            identity: Identity::new(&json!({ "freeze": 4 })),
            given: Default::default(),
            seed: None,
            keep: Keep::Stored,
            family: "freeze",
            scope: Scope::Training,
            rows: RowSets::default(),
            span: context.span,
        };
        let mut inputs = vec![refit, calibrate];
        inputs.extend(threshold);
        let freeze = self.add(freeze, &inputs);
        let apparent = match study.external.is_empty() {
            true => Vec::new(),
            false => {
                let read = (frame, refit, threshold);
                self.apparent(&context, place, &here, given, read)
            }
        };
        Some(FrozenModel {
            name,
            case,
            primary,
            tune,
            refit,
            threshold,
            freeze,
            explain,
            apparent,
        })
    }

    /// A fitted model on the rows that it was fitted on, by the metrics that the author named. Nothing
    /// about these rows is held out, so that no node here says so and the proof counts none of them.
    fn apparent(
        &mut self,
        context: &Context<'_>,
        place: usize,
        split: &Arc<Placed>,
        given: Vec<Given>,
        (frame, refit, threshold): (NodeIndex, NodeIndex, Option<NodeIndex>),
    ) -> Vec<NodeIndex> {
        let name = format!("{}/apparent", context.name);
        let (family, scope, span) = ("apparent", Scope::Training, context.span);
        let node = |part: &str, work: Work, identity, given: Vec<Given>| Node {
            name: format!("{name}/{part}"),
            work,
            identity,
            given: given.into(),
            seed: None,
            keep: Keep::Stored,
            family,
            scope,
            rows: RowSets {
                fitted: Some(split.train.clone()),
                outcomes: true,
                ..RowSets::default()
            },
            span,
        };
        let work = Work::Apparent { case: context.case, split: split.clone() };
        // Its predictions name the candidate by number.
        let identity = Identity::of(&[
            ("apparent", context.procedure.candidates.text()),
            ("version", "1"),
        ]);
        let predict = self.add(node("predict", work, identity, given), &[frame, refit]);
        let decide = threshold.map(|threshold| {
            let identity = Identity::of(&[("decide", "1")]);
            let node = node("decide", Work::Decide, identity, Vec::new());
            self.add(node, &[predict, threshold])
        });
        let measuring = Measuring {
            name: &name,
            of: Judgement::Apparent(place),
            case: context.case,
            judged: ONCE,
            given: Vec::new(),
            family,
            scope,
            span,
        };
        let read: [&[NodeIndex]; 2] = [&[predict], decide.as_slice()];
        let named = 0..=self.study.evaluate.also.len();
        named.map(|metric| self.metric(&measuring, metric, read)).collect()
    }

    /// The outcomes of an external cohort: locked away, and opened for finished models.
    fn opened(
        &mut self,
        outcome: usize,
        cohort: usize,
        frozen: &[FrozenModel],
    ) -> NodeIndex {
        let study = self.study;
        let (of_outcome, of_cohort) = (&study.outcomes[outcome], &study.cohorts[cohort]);
        let digest = self.survey.cohorts.get(&of_cohort.name).and_then(|c| c.digest);
        let seal = Node {
            name: format!("sealed/{}/{}", of_outcome.name, of_cohort.name),
            work: Work::Seal { outcome, cohort },
            identity: Identity::new(&json!({
                "seal": of_outcome.identity(), "cohort": of_cohort.identity(),
            })),
            given: [Given {
                name: format!("rows of cohort {}", of_cohort.name).into(),
                digest: digest.unwrap_or_else(|| unread(&of_cohort.name)),
                shown: "the rows of an external cohort".into(),
            }]
            .into(),
            seed: None,
            keep: Keep::Stored,
            family: "seal",
            scope: Scope::Given,
            rows: RowSets::default(),
            span: of_cohort.span,
        };
        let sources = self.outcome_sources(of_outcome, of_cohort);
        let seal = self.add(seal, &sources);
        let unseal = Node {
            name: format!("unsealed/{}/{}", of_outcome.name, of_cohort.name),
            work: Work::Unseal,
            identity: Identity::new(&json!({ "unseal": 1 })),
            given: Default::default(),
            seed: None,
            keep: Keep::Stored,
            family: "unseal",
            scope: Scope::Given,
            rows: RowSets::default(),
            span: of_cohort.span,
        };
        let mut inputs = vec![seal];
        inputs.extend(frozen.iter().map(|model| model.freeze));
        self.add(unseal, &inputs)
    }

    fn external(
        &mut self,
        cohort: usize,
        (place, position, frozen): (usize, usize, &FrozenModel),
        opened: NodeIndex,
        span: crate::diagnostics::Span,
    ) -> Option<External> {
        let study = self.study;
        let of = self.cases[frozen.case];
        let of_cohort = &study.cohorts[cohort];
        let frame = self.assemble(cohort, of.model)?;
        let rows = self.groups.get(&of_cohort.name)?;
        let everybody: Vec<u32> = (0..rows.len() as u32).collect();
        let held_out = Arc::new(Groups::of_rows(&everybody, rows));
        let name = format!(
            "{}.{}.{}",
            study.outcomes[of.outcome].name, study.models[of.model].name, of_cohort.name
        );
        let case = self.cases.len();
        self.cases.push(Case { cohort, ..of });
        let named_for = study.evaluate.threshold.as_ref().is_none_or(|threshold| {
            threshold.frozen_for.is_empty()
                || threshold.frozen_for.iter().any(|named| named.name == of_cohort.name)
        });
        let apply = Node {
            name: format!("{name}/predict"),
            work: Work::Apply { frozen: frozen.case, case },
            identity: Identity::of(&[
                ("apply", self.procedure(of.model, of.branch).candidates.text()),
                ("version", "3"),
            ]),
            given: self.given_with(&[], cohort, of.model, of.branch).into(),
            seed: None,
            keep: Keep::Stored,
            family: "apply frozen model",
            scope: Scope::HeldOut,
            rows: RowSets {
                held_out: Some(held_out.clone()),
                transductive: study.models[of.model].transductive(of.branch),
                ..RowSets::default()
            },
            span,
        };
        // The model as it was fitted: what threshold it was handed over with is not asked for here.
        let predict = self.add(apply, &[frozen.refit, frame, opened]);
        let decide = frozen.threshold.filter(|_| named_for).map(|threshold| {
            self.decide(format!("{name}/decide"), [predict, threshold], held_out, span)
        });
        let of = Judgement::External(place);
        // Intervals may resample its sites.
        let cohort = self.cases[case].cohort;
        let sites = study.cohorts[cohort].site.as_ref();
        let given = sites.and_then(|column| self.strata(cohort, column)).into_iter();
        let given = given.collect();
        let read: [&[NodeIndex]; 2] = [&[predict], decide.as_slice()];
        let measured = self.measured(&name, (of, case), read, ONCE, given, span);
        Some(External { name, case, frozen: position, opened, predict, decide, measured })
    }

    /// Pairs of models on identical splits: under each scheme, on each external cohort.
    pub fn comparisons(&mut self, external: &[External]) -> Vec<Comparison> {
        let study = self.study;
        let mut comparisons = Vec::new();
        for (pair, compare) in study.evaluate.compare.iter().enumerate() {
            let is = |case: usize, model: &str| {
                study.models[self.cases[case].model].name == model
                    && self.cases[case].branch == 0
            };
            let mut found: Vec<Pair> = Vec::new();
            for (at, a) in self.analyses.iter().enumerate() {
                let other = self.analyses.iter().find(|b| {
                    b.scheme == a.scheme
                        && self.cases[b.case].outcome == self.cases[a.case].outcome
                        && is(b.case, &compare.than.name)
                });
                if let (true, Some(b)) = (is(a.case, &compare.better.name), other) {
                    let mut nodes: Vec<NodeIndex> =
                        a.outer.iter().map(|outer| outer.predict).collect();
                    nodes.extend(b.outer.iter().map(|outer| outer.predict));
                    let scheme = &study.validate[a.scheme].name;
                    let outcome = &study.outcomes[self.cases[a.case].outcome].name;
                    let splits = &self.survey.splits[&(scheme.clone(), outcome.clone())];
                    let all = splits.repeats.iter().flatten();
                    found.push(Pair {
                        of: Judgement::Internal(at),
                        cohort: self.cases[a.case].cohort,
                        external: false,
                        better: a.name.clone(),
                        than: b.name.clone(),
                        nodes,
                        first: a.outer.len(),
                        trained: all.map(|of| of.split.train.len()).collect(),
                        cases: [a.case, b.case],
                    });
                }
            }
            for (at, a) in external.iter().enumerate() {
                let other = external
                    .iter()
                    .find(|b| b.opened == a.opened && is(b.case, &compare.than.name));
                if let (true, Some(b)) = (is(a.case, &compare.better.name), other) {
                    found.push(Pair {
                        of: Judgement::External(at),
                        cohort: self.cases[a.case].cohort,
                        external: true,
                        better: a.name.clone(),
                        than: b.name.clone(),
                        nodes: vec![a.predict, b.predict],
                        first: 1,
                        trained: Vec::new(),
                        cases: [a.case, b.case],
                    });
                }
            }
            for pair_of in found {
                let Pair { of, cohort, better, than, nodes, first, .. } = pair_of;
                let moved = self.moved(pair_of.cases);
                let mut given: Vec<Given> = self.patients(cohort).into_iter().collect();
                if let (true, Some(site)) =
                    (pair_of.external, &study.cohorts[cohort].site)
                {
                    given.extend(self.strata(cohort, site));
                }
                let node = Node {
                    name: format!("{better}/against/{}", compare.than.name),
                    work: Work::Compare { of: [of, of], first },
                    identity: Identity::new(&json!({
                        // 3: sums over resamples run over the rows in their order.
                        // 4: certainties are moved in folds too; no interval without spread; no test of few rows.
                        // 5: nor one of few patients by resamples.
                        "compare": study.evaluate.primary.identity(), "version": 5,
                        "first": first, "external": pair_of.external,
                        "trained": pair_of.trained, "moved": moved,
                    })),
                    given: given.into(),
                    seed: Some(study.seed), // It may resample patients.
                    keep: Keep::Stored,
                    family: "compare",
                    scope: Scope::Measured,
                    rows: RowSets {
                        pools_inputs: true,
                        outcomes: true,
                        ..RowSets::default()
                    },
                    span: compare.better.span,
                };
                let node = self.add(node, &nodes);
                comparisons.push(Comparison { pair, better, than, node });
            }
        }
        comparisons
    }
}

/// Two models judged on the same rows.
struct Pair {
    of: Judgement,
    cases: [usize; 2],
    cohort: usize,
    external: bool,
    better: String,
    than: String,
    /// The predictions of both, those of the first before those of the other.
    nodes: Vec<NodeIndex>,
    first: usize,
    /// How many rows each split is learned from, on which the interval depends; empty for frozen models.
    trained: Vec<usize>,
}
