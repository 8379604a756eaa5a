//! From values to the study's record: everything that the report shows.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::graph::NodeIndex;
use serde_json::json;

use super::characteristics::{characteristics, per_level, shares};
use super::compute::{counted, without_rows};
use super::models::{needed, parts};
use super::prevalence::prevalence_only;
use super::{Done, How, describe};
use crate::data::{
    AddedFacts, AnalysisRecord, Better, BlockFacts, CandidateRecord, Certificate, Choice,
    ClaimFacts, CohortFacts, ColumnFacts, ColumnLevel, ComparisonFacts, Count, Curve,
    DeviationFacts, Estimate, FallbackFacts, FlowBox, FoldRecord, Frame, Frequency,
    Frozen, FrozenFacts, GroupEstimate, GroupMeasure, HarmonisedFacts, JudgedFacts,
    MetricFacts, Moments, NO_VALUE, OutcomeFacts, PermutationFacts, Removed,
    SampleSizeFacts, SelectionFacts, SiteFacts, SourceFacts, Stability, StudyFacts,
    StudyRecord, SubgroupFacts, ThresholdFacts, Unscored, Value,
};
use crate::digest::{Digest, canonical_json};
use crate::math;
use crate::operation::{Direction, Instance, Judged, Scored, reference};
use crate::plan::{self, Analysis, Case, External, Plan};
use crate::spec::{BlockKind, Chain, Named, Outcome, SourceKind, Study, UnnamedControls};
use crate::statistics;
use crate::store::Store;
use crate::survey::{Content, Notes, Survey, View};
use crate::units::Unit;

/// The values that the record is made from, by node; those of failed nodes are missing.
pub type Found = BTreeMap<NodeIndex, Value>;

/// Reads those values from the store. The error names nodes whose values should be there and are gone or
/// damaged.
pub fn found(plan: &Plan, done: &Done, store: &Store) -> Result<Found, Vec<String>> {
    let mut wanted: Vec<NodeIndex> = Vec::new();
    let measured = plan.analyses.iter().map(|analysis| &analysis.measured);
    for measured in measured.chain(plan.external.iter().map(|e| &e.measured)) {
        wanted.extend(&measured.metrics);
        wanted.extend(measured.standard.iter().map(|(_, node)| *node));
        wanted.extend([measured.roc, measured.precision_recall, measured.calibration]);
        wanted.extend(measured.decision);
        wanted.extend(measured.confusion);
        wanted.extend(measured.within);
        wanted.extend(measured.groups);
    }
    for model in &plan.frozen {
        wanted.extend([model.tune, model.freeze]);
        wanted.extend(model.explain);
    }
    for external in &plan.external {
        wanted.extend([external.opened, external.predict]);
    }
    wanted.extend(plan.comparisons.iter().map(|comparison| comparison.node));
    for analysis in &plan.analyses {
        wanted.extend(&analysis.permuted);
        for nodes in &analysis.outer {
            wanted.extend([nodes.tune, nodes.predict, nodes.fit]);
            wanted.extend(nodes.importance);
            wanted.extend(nodes.decoded);
        }
    }
    let frames = plan
        .graph
        .node_indices()
        .filter(|&index| matches!(plan.graph[index].work, plan::Work::Frame { .. }));
    wanted.extend(frames);
    wanted.sort_unstable();
    wanted.dedup();
    let stored = |node: NodeIndex| {
        let action = store.action(&done.states.keys[node.index()]?)?;
        Value::from_bytes(&store.value(action.outputs.first()?)?).ok()
    };
    let (mut found, mut lost) = (Found::new(), Vec::new());
    for node in wanted {
        if done.states.outputs[node.index()].is_none() {
            continue; // It failed, and the record says so.
        }
        match stored(node) {
            Some(value) => drop(found.insert(node, value)),
            None => lost.push(plan.graph[node].name.clone()),
        }
    }
    if lost.is_empty() { Ok(found) } else { Err(lost) }
}

/// The record of a study.
pub fn record(
    study: &Study,
    survey: &Survey,
    plan: &Plan,
    found: &Found,
    done: &Done,
    certificate: Certificate,
    warnings: Vec<String>,
) -> StudyRecord {
    let is_frame =
        |index: &NodeIndex| matches!(plan.graph[*index].work, plan::Work::Frame { .. });
    // Its predictions fail with it, and count.
    let is_fit =
        |index: &NodeIndex| matches!(plan.graph[*index].work, plan::Work::Fit { .. });
    let has_failed = |index: &NodeIndex| {
        matches!(done.how[index.index()], How::Panicked(_) | How::Failed(_))
            || matches!(found.get(index), Some(Value::Failed(_)) if !is_fit(index))
    };
    let frames: Vec<NodeIndex> = plan.graph.node_indices().filter(is_frame).collect();
    let failed: Vec<NodeIndex> = plan.graph.node_indices().filter(has_failed).collect();
    let context =
        Context { study, survey, plan, found, done, frames: &frames, failed: &failed };
    let mut analyses: BTreeMap<String, AnalysisRecord> = BTreeMap::new();
    let mut order = Vec::new();
    for analysis in &plan.analyses {
        order.push(analysis.name.clone());
        analyses.insert(analysis.name.clone(), context.internal(analysis));
    }
    for external in &plan.external {
        order.push(external.name.clone());
        analyses.insert(external.name.clone(), context.external(external));
    }
    let comparisons = context.comparisons();
    let claims = context.claims(&analyses);
    let methods = describe(study);
    let keys: BTreeSet<&String> =
        methods.iter().flat_map(|method| &method.sources).collect();
    let mut references: Vec<_> =
        keys.into_iter().filter_map(|key| reference(key)).collect();
    let always = [
        "cleveland1988",
        "collins2024",
        "efron1993",
        "kocak2023",
        "kocak2024",
        "ledell2015",
        "nadeau2003",
        "nogueira2018",
        "riley2020",
    ];
    references.extend(always.into_iter().filter_map(reference));
    if !plan.frozen.is_empty() {
        let of_models =
            ["breiman2001", "halko2011", "lundberg2017", "lundberg2020", "tipping1999"];
        references.extend(of_models.into_iter().filter_map(reference));
    }
    if study.evaluate.decision_range.is_some() {
        references.extend(reference("vickers2006"));
    }
    let predictors = predictors(study, survey, plan, found);
    let mut columns = predictors.iter().flat_map(|block| &block.columns);
    if columns.any(|column| !column.levels.is_empty()) {
        references.extend(reference("yang2012"));
    }
    references.sort_by(|a, b| a.key.cmp(&b.key));
    references.dedup();
    StudyRecord {
        as_json: Default::default(),
        schema: 1,
        engine: concat!("restudy ", env!("CARGO_PKG_VERSION")).to_string(),
        study: StudyFacts {
            title: study.title.clone(),
            cancer: study.cancer.clone(),
            seed: study.seed,
            digest: study.digest().to_string(),
            simulated: study.simulated(),
            terms: study.governance.terms.clone(),
            public: study.governance.public,
            within: study.evaluate.within.as_ref().map(|named| named.name.clone()),
            no_controls_added: match &study.evaluate.unnamed {
                UnnamedControls::Left(reason) => Some(reason.clone()),
                UnnamedControls::Added { .. } => None,
            },
            not_permuted: study.evaluate.not_permuted.clone(),
        },
        sources: study
            .sources
            .iter()
            .filter_map(|s| source(s, study, survey, plan, done))
            .collect(),
        cohorts: study.cohorts.iter().filter_map(|c| context.cohort(c)).collect(),
        outcomes: context.outcomes(),
        agreements: survey.agreements.clone(),
        associations: survey.associations.clone(),
        predictors,
        characteristics: characteristics(study, survey, plan, found),
        analysis_order: order,
        analyses,
        full_models: Vec::new(),
        comparisons,
        claims,
        deviations: deviations(study),
        methods,
        graph: plan::graph(plan),
        certificate,
        references,
        warnings,
        reporting: study.reporting.clone(),
        checklists: Vec::new(),
        conflicts: Vec::new(),
        suppression: None,
    }
}

fn deviations(study: &Study) -> Vec<DeviationFacts> {
    let deviations = study.deviations.iter().map(|deviation| DeviationFacts {
        what: deviation.what.clone(),
        when: deviation.when.clone(),
        why: deviation.why.clone(),
    });
    deviations.collect()
}

/// Puts the author's half into a record of the same results.
pub fn retell(record: &mut StudyRecord, study: &Study) {
    record.reporting = study.reporting.clone();
    record.deviations = deviations(study);
    record.as_json = Default::default();
}

fn source(
    source: &crate::spec::Source,
    study: &Study,
    survey: &Survey,
    plan: &Plan,
    done: &Done,
) -> Option<SourceFacts> {
    let surveyed = survey.sources.get(&source.name)?;
    let kind = match source.kind {
        SourceKind::Table { .. } => "table",
        SourceKind::Maf { .. } => "maf",
        SourceKind::Images { .. } => "images",
        SourceKind::Simulate { .. } => "simulate",
    };
    let named =
        |digests: Vec<Digest>| Digest::of(canonical_json(&json!(digests)).as_bytes());
    let files = || named(surveyed.files.iter().map(|file| file.digest).collect());
    // The voxels that were read, not the bytes that they were packed into.
    let images = || {
        let read = plan.order.iter().filter(|&&index| match plan.graph[index].work {
            plan::Work::ReadImage { source: at, .. } => {
                study.sources[at].name == source.name
            }
            _ => false,
        });
        let mut digests: Vec<Digest> =
            read.filter_map(|&index| done.states.output(index, None)).collect();
        digests.sort();
        named(digests)
    };
    let (n, n_columns, digest) = match &surveyed.content {
        Content::Table { table, digest, .. } => {
            (table.n_rows(), table.n_columns(), *digest)
        }
        Content::Images(pairs) => (pairs.len(), 0, images()),
        Content::Generated => (surveyed.files.len(), 0, files()),
    };
    Some(SourceFacts {
        name: source.name.clone(),
        kind: kind.to_string(),
        simulated: study.from_generator(source),
        n: n.into(),
        n_columns,
        left_out: match &surveyed.content {
            Content::Table { notes, .. } => left_out(notes),
            Content::Images(_) | Content::Generated => Vec::new(),
        },
        digest: digest.to_string(),
        prepared_outside: source.prepared_outside,
        trained_on: source.trained_on.clone(),
        licence: source.licence.clone(),
        citation: source.citation.clone(),
        origin: source.provenance.as_ref().map(|origin| {
            let parts = [&origin.citation, &origin.upstream, &origin.conversion];
            parts.into_iter().flatten().cloned().collect::<Vec<_>>().join("; ")
        }),
    })
}

fn left_out(notes: &Notes) -> Vec<Removed> {
    let reasons = [
        ("no id", notes.nameless),
        ("of a sample that does not count", notes.other_samples),
        ("repeats another in every cell", notes.collapsed),
    ];
    let met = reasons.into_iter().filter(|(_, n)| *n > 0);
    met.map(|(reason, n)| Removed { reason: reason.to_string(), n: n.into() }).collect()
}

/// Everything that a record is made from.
#[derive(Clone, Copy)]
struct Context<'a> {
    study: &'a Study,
    survey: &'a Survey,
    plan: &'a Plan,
    found: &'a Found,
    done: &'a Done,
    /// The nodes of predictors before any split, and all nodes that failed.
    frames: &'a [NodeIndex],
    failed: &'a [NodeIndex],
}

impl Context<'_> {
    /// What is known of the outcome of a case, by cohort row.
    fn classes(&self, case: usize, opened: Option<NodeIndex>) -> Vec<Option<bool>> {
        let case = self.plan.cases[case];
        let cohort = &self.study.cohorts[case.cohort].name;
        if let Some(opened) = opened {
            return match self.found.get(&opened) {
                Some(Value::Opened(called)) => {
                    called.calls.iter().map(|call| call.class()).collect()
                }
                _ => vec![None; self.survey.cohorts[cohort].rows.len()],
            };
        }
        let outcome = self.study.outcomes[case.outcome].name.clone();
        self.survey.outcomes[&(outcome, cohort.clone())].classes.to_vec()
    }

    fn cohort(&self, cohort: &crate::spec::Cohort) -> Option<CohortFacts> {
        let surveyed = self.survey.cohorts.get(&cohort.name)?;
        let mut flow = surveyed.flow.clone();
        let internal = self.plan.analyses.iter().map(|a| (&a.name, a.case, None));
        let external =
            self.plan.external.iter().map(|e| (&e.name, e.case, Some(e.opened)));
        let mut shown: Vec<(FlowBox, Vec<String>)> = Vec::new();
        for (name, case, opened) in internal.chain(external) {
            let of = self.plan.cases[case];
            if self.study.cohorts[of.cohort].name != cohort.name {
                continue;
            }
            let rows = self.analysed(case, opened);
            let unknown = "outcome unknown".to_string();
            let mut removed = vec![Removed { reason: unknown, n: rows.unknown.into() }];
            for (reason, n) in rows.failed {
                removed.push(Removed { reason, n: n.into() });
            }
            let of_box = FlowBox {
                label: String::new(),
                n_in: surveyed.rows.len().into(),
                removed,
                joins: Vec::new(),
                n_out: rows.n.into(),
            };
            // Analyses of the same rows share a box.
            match shown.iter_mut().find(|(known, _)| *known == of_box) {
                Some((_, names)) => names.push(name.clone()),
                None => shown.push((of_box, vec![name.clone()])),
            }
        }
        for (of_box, names) in shown {
            let label = match names.as_slice() {
                [only] => format!("analysed: {only}"),
                [first, rest @ ..] => {
                    format!("analysed: {first} and {} more", rest.len())
                }
                [] => String::new(),
            };
            flow.push(FlowBox { label, ..of_box });
        }
        Some(CohortFacts {
            name: cohort.name.clone(),
            base: cohort.base,
            sealed: cohort.sealed,
            relation: cohort.relation.clone(),
            n_rows: surveyed.rows.len().into(),
            n_subjects: surveyed.n_subjects().into(),
            n_sites: cohort.site.as_ref().and_then(|site| {
                let (study, survey, rows) = (self.study, self.survey, &surveyed.rows);
                let cells = View { study, survey, cohort, rows }.cells(site).ok()?;
                Some(cells.into_iter().flatten().collect::<BTreeSet<_>>().len())
            }),
            flow,
        })
    }

    /// The rows of a case: those whose outcome is known and whose predictors were measured.
    fn analysed(&self, case: usize, opened: Option<NodeIndex>) -> Analysed {
        let of = self.plan.cases[case];
        let classes = self.classes(case, opened);
        let blocks = &self.study.models[of.model].blocks;
        let mut why: Vec<Option<String>> = vec![None; classes.len()];
        let mut n_predictors = 0;
        for index in self.frames {
            let plan::Work::Frame { cohort, block } = self.plan.graph[*index].work else {
                continue;
            };
            let name = &self.study.predictors[block].name;
            if cohort != of.cohort || !blocks.iter().any(|b| b.name == *name) {
                continue;
            }
            match self.found.get(index) {
                Some(Value::Frame(frame)) => {
                    n_predictors += frame.rows.p();
                    for (why, failed) in why.iter_mut().zip(&frame.failed) {
                        if why.is_none() {
                            why.clone_from(failed);
                        }
                    }
                }
                Some(Value::Failed(reason)) => why.fill(Some(reason.clone())),
                _ => why.fill(Some("an earlier computation failed".to_string())),
            }
        }
        let mut rows = Analysed { n_predictors, ..Analysed::default() };
        let groups = &self.survey.cohorts[&self.study.cohorts[of.cohort].name].groups;
        let mut subjects: BTreeMap<u32, bool> = BTreeMap::new();
        for (at, (class, why)) in classes.into_iter().zip(why).enumerate() {
            match (class, why) {
                (None, _) => rows.unknown += 1,
                (Some(_), Some(why)) => *rows.failed.entry(why).or_insert(0) += 1,
                (Some(positive), None) => {
                    rows.classes.insert(at, positive);
                    rows.n_positive += usize::from(positive);
                    *subjects.entry(groups[at]).or_default() |= positive;
                }
            }
        }
        rows.n = rows.classes.len();
        rows.n_subjects = subjects.len();
        rows.n_positive_subjects =
            subjects.values().filter(|positive| **positive).count();
        rows
    }

    /// The columns of a case that reach selection, without those that preparation makes of them but
    /// for encoded categories. In a model, columns are called `block.column`.
    fn encoded(&self, case: usize, rows: &Analysed) -> BTreeSet<String> {
        let of = self.plan.cases[case];
        let blocks = &self.study.models[of.model].blocks;
        let mut columns = BTreeSet::new();
        for index in self.frames {
            let plan::Work::Frame { cohort, block } = self.plan.graph[*index].work else {
                continue;
            };
            let name = &self.study.predictors[block].name;
            if cohort == of.cohort
                && blocks.iter().any(|b| b.name == *name)
                && let Some(Value::Frame(frame)) = self.found.get(index)
            {
                columns.extend(encoded(name, frame, &rows.classes));
            }
        }
        columns
    }

    /// Groups as they were measured, and beside them the rows that are in none.
    fn subgroups(
        &self,
        case: usize,
        rows: &Analysed,
        found: &[GroupEstimate],
    ) -> Vec<SubgroupFacts> {
        let cohort = &self.study.cohorts[self.plan.cases[case].cohort];
        let surveyed = &self.survey.cohorts[&cohort.name].rows;
        let view =
            View { study: self.study, survey: self.survey, cohort, rows: surveyed };
        let mut facts: Vec<SubgroupFacts> = Vec::new();
        for subgroup in &self.study.evaluate.subgroups {
            let by = &subgroup.by.name;
            let groups = found.iter().filter(|group| group.by == *by);
            if facts.iter().any(|known| known.by == *by) {
                continue;
            }
            facts.extend(groups.map(SubgroupFacts::from));
            let Ok(cells) = view.cells(&subgroup.by) else { continue };
            let in_none = |at: &usize| match &cells[*at] {
                None => true,
                Some(cell) => !subgroup.cut.is_empty() && cell.parse::<f64>().is_err(),
            };
            let left = rows.classes.iter().filter(|(at, _)| in_none(at));
            let left: Vec<bool> = left.map(|(_, positive)| *positive).collect();
            if left.is_empty() {
                continue;
            }
            let note = "in no group".to_string();
            let measures = found.iter().find(|group| group.by == *by);
            let measures = measures.map_or(&[][..], |group| group.measures.as_slice());
            let none = |measure: &GroupMeasure| GroupMeasure {
                estimate: None,
                lower: None,
                upper: None,
                note: "in no group".to_string(),
                ..measure.clone()
            };
            facts.push(SubgroupFacts {
                by: by.clone(),
                group: NO_VALUE.to_string(),
                n: left.len().into(),
                n_positive: left.iter().filter(|positive| **positive).count().into(),
                estimate: None,
                lower: None,
                upper: None,
                measures: measures.iter().map(none).collect(),
                note,
            });
        }
        facts
    }

    /// Why figures of an analysis are missing, by reason.
    ///
    /// A standard metric or a drawing that cannot be computed on these rows, such as a slope where
    /// classes are wholly apart, says so in its own place.
    fn failed_nodes(
        &self,
        analysis: &str,
        measured: &plan::MeasuredNodes,
    ) -> Vec<Removed> {
        let mut unasked: BTreeSet<NodeIndex> =
            measured.standard.iter().map(|(_, node)| *node).collect();
        unasked.extend([measured.precision_recall, measured.calibration]);
        unasked.extend(measured.decision);
        unasked.extend(measured.confusion);
        let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
        let mut count = |why: String| *reasons.entry(why).or_insert(0) += 1;
        let of_analysis = format!("{analysis}/");
        for index in self.failed {
            let name = &self.plan.graph[*index].name;
            if !name.starts_with(&of_analysis) {
                continue;
            }
            match &self.done.how[index.index()] {
                How::Panicked(why) => count(format!("`{name}` panicked: {why}")),
                How::Failed(why) => count(format!("`{name}` failed: {why}")),
                _ => {}
            }
            if let Some(Value::Failed(why)) = self.found.get(index)
                && !unasked.contains(index)
            {
                count(why.clone());
            }
        }
        // What rests on several failures repeats the reason of each.
        let each: Vec<String> = reasons.keys().cloned().collect();
        reasons.retain(|reason, _| !repeats(reason, &each));
        counted_up(reasons)
    }

    fn outcomes(&self) -> Vec<OutcomeFacts> {
        let mut facts = Vec::new();
        for (position, outcome) in self.study.outcomes.iter().enumerate() {
            let words: Vec<String> = outcome
                .instances()
                .map(|(_, derivation)| derivation.in_words())
                .collect();
            for (at, cohort) in self.study.cohorts.iter().enumerate() {
                let place = (outcome.name.clone(), cohort.name.clone());
                let opened = self.plan.external.iter().find(|external| {
                    let case = self.plan.cases[external.case];
                    case.outcome == position && case.cohort == at
                });
                let opened = opened.and_then(|external| self.found.get(&external.opened));
                let (classes, decided, conflicts) =
                    match (self.survey.outcomes.get(&place), opened) {
                        (Some(known), _) => (
                            known.classes.to_vec(),
                            known.decided.clone(),
                            known.conflicts,
                        ),
                        (None, Some(Value::Opened(called))) => (
                            called.calls.iter().map(|call| call.class()).collect(),
                            called.decided.clone(),
                            called.conflicts,
                        ),
                        _ => continue,
                    };
                let count = |class| {
                    classes
                        .iter()
                        .filter(|known: &&Option<bool>| **known == class)
                        .count()
                };
                facts.push(OutcomeFacts {
                    name: outcome.name.clone(),
                    label: outcome.label.clone(),
                    derivation: words.join("; else "),
                    cohort: cohort.name.clone(),
                    role: outcome.role.word().to_string(),
                    positive: count(Some(true)).into(),
                    negative: count(Some(false)).into(),
                    unknown: count(None).into(),
                    decided: decided.into_iter().map(Count::from).collect(),
                    conflicts: conflicts.into(),
                    sealed: cohort.sealed,
                });
            }
        }
        facts
    }

    /// What came of permuted outcomes.
    fn permutation(&self, analysis: &Analysis) -> Option<PermutationFacts> {
        let permuted = self.study.evaluate.permuted.as_ref()?;
        let Instance::Metric(metric) = &self.study.evaluate.primary.instance else {
            unreachable!("`spec` puts a metric here")
        };
        let mut values = Vec::new();
        let mut failed: BTreeMap<String, usize> = BTreeMap::new();
        for node in &analysis.permuted {
            let Some(Value::Permuted(found)) = self.found.get(node) else { continue };
            for value in found {
                match value {
                    Ok(value) => values.push(*value),
                    Err(why) => *failed.entry(why.clone()).or_default() += 1,
                }
            }
        }
        let mut folds = Vec::new();
        for nodes in analysis.outer.iter().filter(|nodes| nodes.repeat < permuted.repeats)
        {
            let Some(Value::Predictions(fold)) = self.found.get(&nodes.predict) else {
                return None;
            };
            let scores = if metric.ranks_only() { fold.ranks() } else { &fold.scores };
            let scored = Scored { truth: &fold.truth, scores, ..Scored::default() };
            folds.push(metric.compute(scored).ok()?);
        }
        let observed = math::mean(&folds)?;
        let mean = math::mean(&values)?;
        let as_extreme = values
            .iter()
            .filter(|value| !metric.scale().direction.better(observed, **value))
            .count();
        Some(PermutationFacts {
            times: values.len(),
            within: permuted.within.as_ref().map(|named| named.name.clone()),
            repeats: permuted.repeats,
            observed,
            as_extreme,
            p: statistics::permutation_p(as_extreme, values.len()),
            mean,
            sd: math::sqrt(math::variance(&values).unwrap_or(0.0)),
            values,
            failed: counted_up(failed),
        })
    }

    fn internal(&self, analysis: &Analysis) -> AnalysisRecord {
        let (study, survey) = (self.study, self.survey);
        let of = self.plan.cases[analysis.case];
        let scheme = &study.validate[analysis.scheme];
        let outcome = &study.outcomes[of.outcome];
        let splits = &survey.splits[&(scheme.name.clone(), outcome.name.clone())];
        let Instance::Resampling(resampling) = &scheme.resampling.instance else {
            unreachable!("`spec` puts a resampling scheme here")
        };
        let mut record =
            self.measured(&analysis.name, analysis.case, None, &analysis.measured);
        record.scheme.clone_from(&scheme.name);
        record.scheme_text = resampling.in_words();
        record.threshold = threshold_words(self.study);
        let mut inner: Vec<Vec<f64>> = vec![Vec::new(); record.candidates.len()];
        let mut judged: BTreeMap<u32, bool> = BTreeMap::new();
        for nodes in &analysis.outer {
            let split = &splits.repeats[nodes.repeat][nodes.outer];
            let choice = match self.found.get(&nodes.tune) {
                Some(Value::Choice(choice)) => Some(choice),
                _ => None,
            };
            for (all, mean) in inner.iter_mut().zip(choice.iter().flat_map(|c| &c.inner))
            {
                all.extend(mean);
            }
            if let Some(choice) = choice {
                fared(&mut record.candidates, choice);
            }
            let Some(Value::Predictions(predictions)) = self.found.get(&nodes.predict)
            else {
                continue;
            };
            for member in choice.iter().flat_map(|choice| &choice.members) {
                record.candidates[member.candidate].chosen += 1;
            }
            let truth = predictions.rows.iter().copied().zip(predictions.truth.clone());
            judged.extend(truth);
            let place = (nodes.repeat + 1, nodes.outer + 1);
            record.folds.push(self.fold(place, split.split.train.len(), predictions));
        }
        for (candidate, inner) in record.candidates.iter_mut().zip(&inner) {
            candidate.inner = math::mean(inner);
        }
        let (n_splits, of_splits) = (record.folds.len(), analysis.outer.len());
        if n_splits < of_splits || record.n.known() != Some(judged.len()) {
            record.judged = Some(JudgedFacts {
                n: judged.len().into(),
                n_positive: judged.values().filter(|class| **class).count().into(),
                n_splits,
                of_splits,
            });
            self.chances(&mut record);
        }
        record.thresholds = thresholds(&record.folds);
        record.permutation = self.permutation(analysis);
        record.fallback = study.evaluate.falls_back.then(|| FallbackFacts {
            folds: record.folds.iter().filter(|fold| fold.falls_back).count(),
            of: record.folds.len(),
        });
        let rows = self.analysed(analysis.case, None);
        let columns = self.encoded(analysis.case, &rows);
        record.sample_size =
            Some(sample_size(rows.n_subjects, rows.n_positive_subjects, columns.len()));
        record.selection = self.selection(analysis, &record, columns);
        record.harmonised = self.harmonised(analysis);
        record.kind = "internal".to_string();
        if resampling.judged() == Judged::Sites {
            record.kind = "sites".to_string();
            record.sites = self.sites(analysis, resampling.columns().first());
        }
        record.prevalence_only = prevalence_only(&record);
        record
    }

    fn external(&self, external: &External) -> AnalysisRecord {
        let of = self.plan.cases[external.case];
        let cohort = &self.study.cohorts[of.cohort];
        let model = &self.plan.frozen[external.frozen];
        let mut record = self.measured(
            &external.name,
            external.case,
            Some(external.opened),
            &external.measured,
        );
        record.kind = "external".to_string();
        record.scheme = "external".to_string();
        record.scheme_text = match &cohort.relation {
            Some(relation) => format!("frozen model on {relation}"),
            None => "frozen model on another cohort".to_string(),
        };
        let choice = match self.found.get(&model.tune) {
            Some(Value::Choice(choice)) => Some(choice),
            _ => None,
        };
        if let Some(choice) = choice {
            for (candidate, inner) in record.candidates.iter_mut().zip(&choice.inner) {
                candidate.inner = *inner;
            }
            fared(&mut record.candidates, choice);
        }
        if let (Some(choice), Some(Value::Frozen(frozen))) =
            (choice, self.found.get(&model.freeze))
        {
            for member in &choice.members {
                record.candidates[member.candidate].chosen = 1;
            }
            let digest = self.done.states.output(model.freeze, None);
            record.frozen = Some(FrozenFacts {
                digest: digest.map_or(String::new(), |digest| digest.to_string()),
                n: frozen.n.into(),
                n_positive: frozen.n_positive.into(),
                n_predictors: frozen.columns.len(),
                n_selected: frozen
                    .members
                    .iter()
                    .flat_map(|member| &member.selected)
                    .collect::<BTreeSet<_>>()
                    .len(),
                candidate: choice.candidate,
                members: frozen.members.len(),
                threshold: frozen.threshold,
                calibration: frozen.calibration,
                sealed: cohort.sealed,
                filled: Count::from(0),
                filled_columns: Vec::new(),
            });
            if let Some(Value::Predictions(predictions)) =
                self.found.get(&external.predict)
            {
                if let Some(facts) = &mut record.frozen {
                    let case = self.plan.cases[model.case];
                    let (rows, columns) =
                        self.filled(frozen, case, of, &predictions.rows);
                    (facts.filled, facts.filled_columns) = (rows.into(), columns);
                }
                record.folds.push(self.fold((1, 1), frozen.n, predictions));
                if predictions.threshold.is_some() {
                    record.threshold = threshold_words(self.study);
                }
            }
        }
        record.prevalence_only = prevalence_only(&record);
        record
    }

    /// How many of these rows of a cohort lack a predictor on which a frozen model depends, and
    /// which predictors those are.
    fn filled(
        &self,
        frozen: &Frozen,
        of_model: Case,
        of_cohort: Case,
        rows: &[u32],
    ) -> (usize, Vec<String>) {
        if frozen.falls_back.is_some() {
            return (0, Vec::new());
        }
        let needed = needed(&parts(self.study, of_model, frozen), &without_rows(frozen));
        let needed: BTreeSet<&str> =
            needed.into_iter().map(|at| frozen.columns[at].name.as_str()).collect();
        let (mut lacking, mut columns) = (BTreeSet::new(), Vec::new());
        for index in self.frames {
            let plan::Work::Frame { cohort, block } = self.plan.graph[*index].work else {
                continue;
            };
            let block = &self.study.predictors[block].name;
            let Some(Value::Frame(frame)) = self.found.get(index) else { continue };
            for column in
                frame.rows.columns().iter().filter(|_| cohort == of_cohort.cohort)
            {
                let name = format!("{block}.{}", column.name);
                if !needed.contains(name.as_str()) {
                    continue;
                }
                let missing = |row: &&u32| column.values[**row as usize].is_nan();
                let of_column: Vec<u32> = rows.iter().filter(missing).copied().collect();
                if !of_column.is_empty() {
                    lacking.extend(of_column);
                    columns.push(name);
                }
            }
        }
        (lacking.len(), columns)
    }

    /// What every analysis has in common.
    fn measured(
        &self,
        name: &str,
        case: usize,
        opened: Option<NodeIndex>,
        nodes: &plan::MeasuredNodes,
    ) -> AnalysisRecord {
        let (study, found) = (self.study, self.found);
        let of = self.plan.cases[case];
        let model = &study.models[of.model];
        let mut performance: BTreeMap<String, Estimate> = BTreeMap::new();
        let mut metrics = Vec::new();
        let rows = self.analysed(case, opened);
        let mut standard = Vec::new();
        let named = nodes.metrics.iter().copied().enumerate();
        for (position, node) in named.chain(nodes.standard.iter().copied()) {
            let used = study.evaluate.metrics().nth(position);
            let used = used.expect("`plan` counts the study's metrics");
            let Instance::Metric(metric) = &used.instance else {
                unreachable!("`spec` puts a metric here")
            };
            let value = found.get(&node);
            // A rule that was not frozen for this cohort decides nothing here.
            let not_applied = opened.is_some()
                && metric.scale().needs_threshold
                && matches!(value, Some(Value::Failed(why)) if why.starts_with("no threshold"));
            if not_applied {
                continue;
            }
            let facts = MetricFacts {
                name: used.about.name.to_string(),
                title: used.about.title.to_string(),
                chance: match rows.n {
                    0 => metric.scale().chance,
                    n => metric.chance(rows.n_positive as f64 / n as f64),
                },
                better: match metric.scale().direction {
                    Direction::HigherIsBetter => Better::Higher,
                    Direction::LowerIsBetter => Better::Lower,
                    Direction::Closest(best) => Better::Nearer(best),
                },
                missing: match value {
                    Some(Value::Estimate(_)) => None,
                    Some(Value::Failed(why)) => Some(why.clone()),
                    _ => Some("an earlier computation failed".to_string()),
                },
            };
            match position > study.evaluate.also.len() {
                true => standard.push(facts),
                false => metrics.push(facts),
            }
            if let Some(Value::Estimate(estimate)) = value {
                performance.insert(used.about.name.to_string(), estimate.clone());
            }
        }
        let mut roc = match found.get(&nodes.roc) {
            Some(Value::Curves(curves)) => curves.clone(),
            _ => Vec::new(),
        };
        let roc_mean = roc.pop().unwrap_or(Curve { points: Vec::new() });
        let mut precision_recall = match found.get(&nodes.precision_recall) {
            Some(Value::Curves(curves)) => curves.clone(),
            _ => Vec::new(),
        };
        let precision_recall_mean =
            precision_recall.pop().unwrap_or(Curve { points: Vec::new() });
        AnalysisRecord {
            outcome: study.outcomes[of.outcome].name.clone(),
            model: model.name.clone(),
            cohort: study.cohorts[of.cohort].name.clone(),
            scheme: String::new(),
            kind: String::new(),
            branch: model.branches[of.branch].name.clone(),
            role: model.role.word().to_string(),
            added: model.added.as_ref().map(|added| AddedFacts {
                looks_at: added.looks_at.to_string(),
                why: added.why.clone(),
            }),
            clinical: !model.blocks.is_empty()
                && model.blocks.iter().all(|named| {
                    study.block(&named.name).is_some_and(|block| block.clinical)
                }),
            within: nodes.within.and_then(|node| match found.get(&node) {
                Some(Value::Estimate(estimate)) => Some(estimate.clone()),
                _ => None,
            }),
            subgroups: match nodes.groups.and_then(|node| found.get(&node)) {
                Some(Value::Groups(groups)) => self.subgroups(case, &rows, groups),
                _ => Vec::new(),
            },
            sites: Vec::new(),
            frozen: None,
            scheme_text: String::new(),
            n: rows.n.into(),
            n_positive: rows.n_positive.into(),
            judged: None,
            n_subjects: rows.n_subjects.into(),
            n_positive_subjects: rows.n_positive_subjects.into(),
            n_predictors: rows.n_predictors,
            performance,
            primary: study.evaluate.primary.about.name.to_string(),
            metrics,
            standard,
            precision_recall,
            precision_recall_mean,
            calibration: match found.get(&nodes.calibration) {
                Some(Value::Calibrated(curve)) => Some(curve.clone()),
                _ => None,
            },
            decision: match nodes.decision.and_then(|node| found.get(&node)) {
                Some(Value::Decided(curve)) => Some(curve.clone()),
                _ => None,
            },
            confusion: match nodes.confusion.and_then(|node| found.get(&node)) {
                Some(Value::Confusion(cells)) => Some(cells.into()),
                _ => None,
            },
            selection: None,
            sample_size: None,
            candidates: candidates(study, of),
            folds: Vec::new(),
            roc,
            roc_mean,
            threshold: None,
            thresholds: None,
            harmonised: None,
            permutation: None,
            prevalence_only: None,
            fallback: None,
            failed_nodes: self.failed_nodes(name, nodes),
        }
    }

    /// What one prediction for every row gives, on the rows that were judged.
    fn chances(&self, record: &mut AnalysisRecord) {
        let Some((n @ 1.., n_positive)) = record.judged_rows() else { return };
        let share = n_positive as f64 / n as f64;
        for facts in record.metrics.iter_mut().chain(&mut record.standard) {
            let mut known = self.study.evaluate.metrics();
            let used = known.find(|used| used.about.name == facts.name);
            if let Some(Instance::Metric(metric)) = used.map(|used| &used.instance) {
                facts.chance = metric.chance(share);
            }
        }
    }

    /// How well the batch was told from the columns, over outer splits.
    fn harmonised(&self, analysis: &Analysis) -> Option<HarmonisedFacts> {
        let nodes = analysis.outer.iter().filter_map(|nodes| nodes.decoded);
        let found = nodes.filter_map(|node| match self.found.get(&node) {
            Some(Value::Decoded(decoded)) => Some(decoded),
            _ => None,
        });
        let found: Vec<_> = found.collect();
        let column = found.first()?.column.clone();
        let pairs = found.iter().filter_map(|decoded| decoded.before.zip(decoded.after));
        let (before, after): (Vec<f64>, Vec<f64>) = pairs.unzip();
        let of = self.plan.cases[analysis.case];
        let cohort = &self.study.cohorts[of.cohort];
        let rows = &self.survey.cohorts[&cohort.name].rows;
        let view = View { study: self.study, survey: self.survey, cohort, rows };
        let named = Named { name: column.clone(), span: cohort.span };
        let outcome = self.study.outcomes[of.outcome].name.clone();
        let known = &self.survey.outcomes[&(outcome, cohort.name.clone())];
        let cells = view.cells(&named).unwrap_or_default();
        let mut levels: BTreeMap<&str, u32> = BTreeMap::new();
        let (mut truth, mut level) = (Vec::new(), Vec::new());
        for (cell, class) in cells.iter().zip(known.classes.iter()) {
            if let (Some(cell), Some(class)) = (cell, class) {
                let next = levels.len() as u32;
                level.push(*levels.entry(cell).or_insert(next));
                truth.push(*class);
            }
        }
        Some(HarmonisedFacts {
            column,
            n_splits: before.len(),
            before: math::mean(&before),
            after: math::mean(&after),
            outcome_by_batch: crate::statistics::auroc_by_level(&truth, &level),
        })
    }

    /// What the outer fits chose, and how alike it is.
    fn selection(
        &self,
        analysis: &Analysis,
        record: &AnalysisRecord,
        mut all: BTreeSet<String>,
    ) -> Option<SelectionFacts> {
        let mut fits: Vec<&Vec<String>> = Vec::new();
        let (mut selectors, mut learners) = (BTreeMap::new(), BTreeMap::new());
        for nodes in &analysis.outer {
            if let Some(Value::Fit(fit)) = self.found.get(&nodes.fit) {
                fits.push(&fit.columns);
                all.extend(fit.columns.iter().cloned());
            }
            if let Some(Value::Choice(choice)) = self.found.get(&nodes.tune) {
                let members =
                    || choice.members.iter().map(|of| &record.candidates[of.candidate]);
                let of_fit: BTreeSet<&String> =
                    members().map(|of| &of.selector).collect();
                for selector in of_fit {
                    *selectors.entry(selector.clone()).or_insert(0) += 1;
                }
                let of_fit: BTreeSet<&String> = members().map(|of| &of.learner).collect();
                for learner in of_fit {
                    *learners.entry(learner.clone()).or_insert(0) += 1;
                }
            }
        }
        let number: BTreeMap<&String, usize> =
            all.iter().enumerate().map(|(at, name)| (name, at)).collect();
        let numbered: Vec<Vec<usize>> = fits
            .iter()
            .map(|fit| fit.iter().map(|name| number[name]).collect())
            .collect();
        let mut columns: BTreeMap<String, usize> = BTreeMap::new();
        for name in fits.iter().copied().flatten() {
            *columns.entry(name.clone()).or_insert(0) += 1;
        }
        let sizes: Vec<f64> = fits.iter().map(|fit| fit.len() as f64).collect();
        let stability = crate::statistics::stability(&numbered, all.len());
        Some(SelectionFacts {
            fits: fits.len(),
            of_columns: all.len(),
            mean_columns: math::mean(&sizes)?,
            columns: frequencies(columns),
            selectors: frequencies(selectors),
            learners: frequencies(learners),
            stability: stability.map(|found| {
                let (lower, upper) = found.interval();
                Stability { index: found.index, lower, upper }
            }),
        })
    }

    fn fold(
        &self,
        (repeat, outer): (usize, usize),
        n_train: usize,
        predictions: &crate::data::Predictions,
    ) -> FoldRecord {
        let Instance::Metric(primary) = &self.study.evaluate.primary.instance else {
            unreachable!("`spec` puts a metric here")
        };
        let (truth, probabilities) = (&predictions.truth, &predictions.scores);
        let decisions: Vec<bool> = match predictions.threshold {
            Some(threshold) => probabilities.iter().map(|p| *p >= threshold).collect(),
            None => Vec::new(),
        };
        let scores =
            if primary.ranks_only() { predictions.ranks() } else { probabilities };
        FoldRecord {
            repeat,
            outer,
            n_train: n_train.into(),
            n_held_out: predictions.rows.len().into(),
            positive_held_out: truth.iter().filter(|positive| **positive).count().into(),
            value: primary
                .compute(Scored {
                    truth,
                    scores,
                    decisions: &decisions,
                    ..Scored::default()
                })
                .ok(),
            candidate: predictions.candidate,
            falls_back: predictions.falls_back,
            threshold: predictions.threshold,
        }
    }

    /// The sites that were held out one at a time, by name.
    fn sites(&self, analysis: &Analysis, column: Option<&String>) -> Vec<SiteFacts> {
        let of = self.plan.cases[analysis.case];
        let cohort = &self.study.cohorts[of.cohort];
        let rows = &self.survey.cohorts[&cohort.name].rows;
        let view = View { study: self.study, survey: self.survey, cohort, rows };
        let named =
            Named { name: column.cloned().unwrap_or_default(), span: cohort.span };
        let cells = view.cells(&named).unwrap_or_default();
        let mut sites = Vec::new();
        for nodes in &analysis.outer {
            let Some(Value::Predictions(found)) = self.found.get(&nodes.predict) else {
                continue;
            };
            let first = found.rows.first().and_then(|row| cells.get(*row as usize));
            let name = first.cloned().flatten().unwrap_or_else(|| "unknown".to_string());
            let area = crate::statistics::delong(&found.truth, &found.scores);
            let interval = area.and_then(|area| {
                crate::statistics::logit_interval(area.auroc, area.variance, 0.95)
            });
            let n_positive = found.truth.iter().filter(|class| **class).count();
            let smaller = n_positive.min(found.truth.len() - n_positive);
            sites.push(SiteFacts {
                name,
                n: found.rows.len().into(),
                n_positive: n_positive.into(),
                auroc: area.map(|area| area.auroc),
                lower: interval.map(|(lower, _)| lower),
                upper: interval.map(|(_, upper)| upper),
                pooled: interval.is_some() && smaller >= 5,
            });
        }
        sites
    }

    /// Models compared, with p values adjusted over the pairs of one scheme and outcome.
    fn comparisons(&self) -> Vec<ComparisonFacts> {
        let mut facts: Vec<ComparisonFacts> = Vec::new();
        let mut families: Vec<(usize, String)> = Vec::new();
        for comparison in &self.plan.comparisons {
            let result = match self.found.get(&comparison.node) {
                Some(Value::Compared(result)) => Some(result.clone()),
                _ => None,
            };
            let internal =
                self.plan.analyses.iter().find(|a| a.name == comparison.better);
            let external =
                self.plan.external.iter().find(|e| e.name == comparison.better);
            let family = match (internal, external) {
                (Some(a), _) => {
                    let outcome = self.plan.cases[a.case].outcome;
                    (outcome, self.study.validate[a.scheme].name.clone())
                }
                (None, Some(e)) => {
                    let case = self.plan.cases[e.case];
                    (case.outcome, format!("{}/", self.study.cohorts[case.cohort].name))
                }
                (None, None) => (0, String::new()),
            };
            families.push(family);
            facts.push(ComparisonFacts {
                better: comparison.better.clone(),
                than: comparison.than.clone(),
                metric: self.study.evaluate.primary.about.name.to_string(),
                result,
                p_adjusted: None,
            });
        }
        if self.study.evaluate.holm {
            let all: BTreeSet<&(usize, String)> = families.iter().collect();
            for family in all {
                let members: Vec<usize> = (0..facts.len())
                    .filter(|&at| families[at] == *family)
                    .filter(|&at| {
                        facts[at].result.as_ref().is_some_and(|r| r.p.is_some())
                    })
                    .collect();
                let p = members.iter().filter_map(|&at| facts[at].result.as_ref()?.p);
                let adjusted = crate::statistics::holm(&p.collect::<Vec<_>>());
                for (at, p) in members.into_iter().zip(adjusted) {
                    facts[at].p_adjusted = Some(p);
                }
            }
        }
        facts
    }

    /// What came of the claims: results of the primary model for the first outcome.
    fn claims(&self, analyses: &BTreeMap<String, AnalysisRecord>) -> Vec<ClaimFacts> {
        let headline = self.plan.analyses.first().and_then(|a| analyses.get(&a.name));
        let value = |name: &str| -> Option<f64> {
            let headline = headline?;
            let parts: Vec<&str> = name.split('.').collect();
            let (metric, end) = (*parts.first()?, *parts.last()?);
            let cohort = *parts.get(parts.len().checked_sub(2)?)?;
            let of_cohort = |record: &&AnalysisRecord| {
                record.cohort == cohort
                    && record.model == headline.model
                    && record.outcome == headline.outcome
                    && record.branch == headline.branch
                    && record.kind != "sites"
            };
            let order = self.plan.analyses.iter().map(|a| &a.name);
            let order = order.chain(self.plan.external.iter().map(|e| &e.name));
            let record = order.filter_map(|name| analyses.get(name)).find(of_cohort)?;
            let estimate = match parts.len() {
                4 => record.within.as_ref()?,
                _ => record.performance.get(metric)?,
            };
            match end {
                "lower" => estimate.lower,
                "upper" => estimate.upper,
                _ => Some(estimate.estimate),
            }
        };
        let claims = self.study.evaluate.claims.iter().map(|claim| {
            let texts: BTreeMap<String, String> = claim
                .rule
                .columns()
                .into_iter()
                .filter_map(|name| Some((name.to_string(), value(name)?.to_string())))
                .collect();
            let cell = |name: &str| texts.get(name).map(String::as_str);
            ClaimFacts {
                text: claim.text.clone(),
                words: claim.words.clone(),
                digest: Digest::of(claim.text.as_bytes()).to_string(),
                holds: claim.rule.holds(&cell, &|_| false).ok().flatten(),
                values: claim
                    .rule
                    .columns()
                    .into_iter()
                    .map(|name| (name.to_string(), value(name)))
                    .collect(),
            }
        });
        claims.collect()
    }
}

/// Reasons with how often each was met.
fn counted_up(reasons: BTreeMap<String, usize>) -> Vec<Removed> {
    reasons.into_iter().map(|(reason, n)| Removed { reason, n: n.into() }).collect()
}

/// Where the thresholds of the folds lie.
fn thresholds(folds: &[FoldRecord]) -> Option<ThresholdFacts> {
    let mut learned: Vec<f64> = folds.iter().filter_map(|fold| fold.threshold).collect();
    learned.retain(|threshold| threshold.is_finite());
    learned.sort_by(f64::total_cmp);
    Some(ThresholdFacts {
        n: learned.len(),
        median: math::median(&learned)?,
        lowest: *learned.first()?,
        highest: *learned.last()?,
    })
}

/// The most frequent first, then by name.
fn frequencies(counts: BTreeMap<String, usize>) -> Vec<Frequency> {
    let mut all: Vec<Frequency> =
        counts.into_iter().map(|(name, n)| Frequency { name, n }).collect();
    all.sort_by(|a, b| b.n.cmp(&a.n).then_with(|| a.name.cmp(&b.name)));
    all
}

/// The columns of a block that reach selection, in the words of a model: `block.column`, and
/// `block.column=category` for each category but the first that is met among the rows.
fn encoded(block: &str, frame: &Frame, rows: &BTreeMap<usize, bool>) -> Vec<String> {
    let mut names = Vec::new();
    for column in frame.rows.columns() {
        let name = format!("{block}.{}", column.name);
        // `survey` sees to it that categories are encoded in every model.
        let Some(categories) = frame.rows.categories(&column.name) else {
            names.push(name);
            continue;
        };
        let values = rows.keys().map(|row| column.values[*row]);
        let values = values.filter(|value| !value.is_nan());
        let met: BTreeSet<usize> = values.map(|value| value as usize).collect();
        let met = met.iter().filter_map(|at| categories.get(*at));
        names.extend(met.skip(1).map(|category| format!("{name}={category}")));
    }
    names
}

/// Events for each candidate predictor parameter, and what Riley's criteria ask for.
fn sample_size(n: usize, n_positive: usize, candidates: usize) -> SampleSizeFacts {
    use crate::statistics::{
        DIFFERENCE, MARGIN, SHARE_OF_R2, SHRINKAGE, largest_r2, sample_size,
    };
    let events = n_positive.min(n - n_positive);
    let prevalence = n_positive as f64 / n.max(1) as f64;
    let largest = (events > 0).then(|| largest_r2(prevalence));
    let assumed = largest.map(|largest| SHARE_OF_R2 * largest);
    let found = assumed.and_then(|r2| sample_size(candidates, prevalence, r2));
    SampleSizeFacts {
        n,
        events,
        candidates,
        events_per_candidate: (candidates > 0).then(|| events as f64 / candidates as f64),
        assumed_r2: assumed,
        largest_r2: largest,
        for_shrinkage: found.map(|found| found.for_shrinkage),
        for_optimism: found.map(|found| found.for_optimism),
        for_prevalence: found.map(|found| found.for_prevalence),
        needed: found.map(|found| found.needed()),
        assumptions: vec![
            format!(
                "the model explains {} % of the largest possible Cox–Snell R², as nothing better is known",
                SHARE_OF_R2 * 100.0
            ),
            format!(
                "a shrinkage of at least {SHRINKAGE}, an optimism in Nagelkerke's R² of at most \
                 {DIFFERENCE}, a prevalence within {MARGIN} of that of the cohort"
            ),
            "each candidate predictor is one parameter of an unpenalised regression, one of k \
             categories k − 1; penalties, selection and learners that bend have no such formula"
                .to_string(),
        ],
    }
}

/// The threshold rule in words, if one was declared.
pub fn threshold_words(study: &Study) -> Option<String> {
    let threshold = study.evaluate.threshold.as_ref()?;
    let Instance::Calibrator(rule) = &threshold.rule.instance else {
        unreachable!("`spec` puts a threshold rule here")
    };
    Some(match rule.is_learned() {
        true => {
            format!("{}, learned on inner out-of-fold predictions", rule.in_words())
        }
        false => format!("{}, stated beforehand", rule.in_words()),
    })
}

/// The rows of an analysis: those whose outcome is known and whose predictors were measured.
#[derive(Default)]
struct Analysed {
    /// Their classes, by cohort row.
    classes: BTreeMap<usize, bool>,
    n: usize,
    n_positive: usize,
    /// Patients whose rows they are, and those of them with the outcome in any row.
    n_subjects: usize,
    n_positive_subjects: usize,
    unknown: usize,
    /// Rows of known outcome that were not measured, by reason.
    failed: BTreeMap<String, usize>,
    n_predictors: usize,
}

/// The predictors of each block, in the first cohort that is analysed with it.
fn predictors(
    study: &Study,
    survey: &Survey,
    plan: &Plan,
    found: &Found,
) -> Vec<BlockFacts> {
    let mut facts = Vec::new();
    for (position, block) in study.predictors.iter().enumerate() {
        if study.repeats(block) {
            continue;
        }
        let frame = found.iter().find_map(|(node, value)| match plan.graph[*node].work {
            plan::Work::Frame { cohort, block } if block == position => {
                Some((cohort, value))
            }
            _ => None,
        });
        let Some((cohort, value)) = frame else { continue };
        let cohort = &study.cohorts[cohort];
        // By the first outcome that this cohort is asked about.
        let asked = |outcome: &Outcome| {
            survey.outcomes.get(&(outcome.name.clone(), cohort.name.clone()))
        };
        let classes = study.outcomes.iter().find_map(asked);
        let kind = match &block.kind {
            BlockKind::Columns { .. } => "columns",
            BlockKind::Images { .. } => "images",
        };
        let sources: Vec<&str> =
            block.sources().iter().map(|from| from.name.as_str()).collect();
        let units = units(study, block);
        let declared = survey.columns.get(&block.name);
        let (columns, failed) = match (value, classes) {
            (Value::Frame(frame), Some(known)) => (
                frame
                    .rows
                    .columns()
                    .iter()
                    .enumerate()
                    .map(|(at, column)| {
                        let unit = units.get(at).copied().unwrap_or_default();
                        let declared = declared.and_then(|columns| columns.get(at));
                        ColumnFacts {
                            declared_unit: declared
                                .and_then(|column| column.unit.clone()),
                            ..describe_column(column, unit, frame, &known.classes)
                        }
                    })
                    .collect(),
                counted(&frame.failed)
                    .into_iter()
                    .map(|(why, n)| Removed { reason: why.to_string(), n: n.into() })
                    .collect(),
            ),
            (Value::Failed(why), _) => (
                Vec::new(),
                vec![Removed {
                    reason: why.clone(),
                    n: survey.cohorts[&cohort.name].rows.len().into(),
                }],
            ),
            _ => (Vec::new(), Vec::new()),
        };
        facts.push(BlockFacts {
            name: block.name.clone(),
            cohort: cohort.name.clone(),
            kind: kind.to_string(),
            source: sources.join(", "),
            columns,
            failed,
            failed_at_most: cohort.failed_at_most,
        });
    }
    facts
}

/// The units of an image block's columns; a table's columns carry none yet.
pub fn units(study: &Study, block: &crate::spec::Block) -> Vec<Unit> {
    let BlockKind::Images { from, features, .. } = &block.kind else { return Vec::new() };
    let image = study.source(&from.name).and_then(|source| match source.kind {
        SourceKind::Images { unit, .. } => Some(unit),
        _ => None,
    });
    let families = features.iter().filter_map(|family| match &family.instance {
        Instance::FeatureFamily(instance) => Some(instance.columns()),
        _ => None,
    });
    let resolved = families.flatten().map(|column| match (column.unit, image) {
        (Unit::Intensity, Some(unit)) => unit,
        (unit, _) => unit,
    });
    resolved.collect()
}

fn describe_column(
    column: &crate::data::FrameColumn,
    unit: Unit,
    frame: &Frame,
    classes: &[Option<bool>],
) -> ColumnFacts {
    let rows: Vec<usize> =
        (0..frame.rows.n()).filter(|&r| frame.failed[r].is_none()).collect();
    let values = |wanted: &dyn Fn(usize) -> bool| -> Vec<f64> {
        let known =
            rows.iter().filter(|&&row| wanted(row)).map(|&row| column.values[row]);
        known.filter(|value| !value.is_nan()).collect()
    };
    let missing = rows.iter().filter(|&&row| column.values[row].is_nan()).count();
    if let Some(names) = frame.rows.categories(&column.name) {
        let levels: Vec<&String> = names.iter().collect();
        let count =
            |wanted: &dyn Fn(usize) -> bool| per_level(&values(wanted), names, &levels);
        let positive = count(&|row| classes[row] == Some(true));
        let negative = count(&|row| classes[row] == Some(false));
        let shares = [count(&|_| true), positive.clone(), negative.clone()]
            .map(|counts| shares(&counts));
        let level = |(at, name): (usize, &String)| ColumnLevel {
            name: name.clone(),
            all: shares[0][at],
            positive: shares[1][at],
            negative: shares[2][at],
        };
        return ColumnFacts {
            name: column.name.to_string(),
            unit,
            declared_unit: None,
            missing: missing.into(),
            all: None,
            positive: None,
            negative: None,
            levels: names.iter().enumerate().map(level).collect(),
            smd: statistics::standardised_difference(&positive, &negative),
        };
    }
    let moments = |values: &[f64]| {
        let (mean, variance) = (math::mean(values)?, math::variance(values)?);
        Some(Moments { n: values.len().into(), mean, sd: math::sqrt(variance) })
    };
    let positive = moments(&values(&|row| classes[row] == Some(true)));
    let negative = moments(&values(&|row| classes[row] == Some(false)));
    let smd = positive.zip(negative).and_then(|(positive, negative)| {
        let pooled =
            math::sqrt((positive.sd * positive.sd + negative.sd * negative.sd) / 2.0);
        (pooled > 0.0).then(|| (positive.mean - negative.mean) / pooled)
    });
    ColumnFacts {
        name: column.name.to_string(),
        unit,
        declared_unit: None,
        missing: missing.into(),
        all: moments(&values(&|_| true)),
        positive,
        negative,
        levels: Vec::new(),
        smd,
    }
}

/// Every candidate in the order in which `tune` numbers them.
fn candidates(study: &Study, case: Case) -> Vec<CandidateRecord> {
    let mut candidates = Vec::new();
    let model = &study.models[case.model];
    let of_prepare = &model.branches[case.branch].prepare;
    for selector in &model.select {
        for learner in &study.learn {
            let settings = |chain: &Chain| -> Vec<String> {
                chain.settings.iter().map(|setting| setting.text.clone()).collect()
            };
            for prepare in settings(of_prepare) {
                for select in settings(selector) {
                    for learn in settings(learner) {
                        let texts = [
                            ("prepare", &prepare),
                            (&selector.name, &select),
                            (&learner.name, &learn),
                        ];
                        let texts: Vec<(&str, &str)> = texts
                            .into_iter()
                            .map(|(of, text)| (of, text.as_str()))
                            .filter(|(_, text)| !text.is_empty())
                            .collect();
                        // Two operations may have a parameter of one name.
                        let settings = match texts.as_slice() {
                            [(_, only)] => (*only).to_string(),
                            texts => {
                                let named: Vec<String> = texts
                                    .iter()
                                    .map(|(of, t)| format!("{of}: {t}"))
                                    .collect();
                                named.join("; ")
                            }
                        };
                        candidates.push(CandidateRecord {
                            selector: selector.name.clone(),
                            learner: learner.name.clone(),
                            settings,
                            chosen: 0,
                            inner: None,
                            failed: 0,
                            failure: None,
                            left_behind: 0,
                        });
                    }
                }
            }
        }
    }
    candidates
}

/// Counts which candidates a choice could not fall on, and why.
fn fared(candidates: &mut [CandidateRecord], choice: &Choice) {
    for (candidate, why) in candidates.iter_mut().zip(&choice.unscored) {
        match why {
            None => {}
            Some(Unscored::LeftBehind) => candidate.left_behind += 1,
            Some(Unscored::Failed(why)) => {
                candidate.failed += 1;
                candidate.failure.get_or_insert_with(|| why.clone());
            }
        }
    }
}

/// Whether a reason is a list of at least two others.
fn repeats(reason: &str, others: &[String]) -> bool {
    let mut left = reason;
    let mut found = 0;
    while !left.is_empty() {
        let begins =
            |other: &&String| *other != reason && left.starts_with(other.as_str());
        let Some(longest) = others.iter().filter(begins).max_by_key(|other| other.len())
        else {
            return false;
        };
        found += 1;
        left = &left[longest.len()..];
        left = left.strip_prefix("; ").unwrap_or(left);
    }
    found > 1
}

/// Every held-out prediction as CSV, under names that say nothing about ids.
pub fn predictions(study: &Study, survey: &Survey, plan: &Plan, found: &Found) -> String {
    let simulated = if study.simulated() { ",simulated" } else { "" };
    let mut text = format!(
        "analysis,repeat,split,patient,outcome,probability,threshold{simulated}\n"
    );
    let mut all: Vec<(&str, usize, usize, usize, NodeIndex)> = Vec::new();
    for analysis in &plan.analyses {
        for nodes in &analysis.outer {
            let (repeat, outer) = (nodes.repeat + 1, nodes.outer + 1);
            all.push((&analysis.name, analysis.case, repeat, outer, nodes.predict));
        }
    }
    for external in &plan.external {
        all.push((&external.name, external.case, 1, 1, external.predict));
    }
    for (name, case, repeat, outer, node) in all {
        let cohort = &survey.cohorts[&study.cohorts[plan.cases[case].cohort].name];
        let Some(Value::Predictions(found)) = found.get(&node) else { continue };
        for ((row, truth), score) in
            found.rows.iter().zip(&found.truth).zip(&found.scores)
        {
            let patient = &cohort.pseudonyms[cohort.groups[*row as usize] as usize];
            let threshold = found.threshold.map_or(String::new(), |t| t.to_string());
            text.push_str(&format!(
                "{name},{repeat},{outer},{patient},{},{score},{threshold}{}\n",
                u8::from(*truth),
                if study.simulated() { ",yes" } else { "" }
            ));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::repeats;

    #[test]
    fn a_list_of_reasons_is_told_from_a_reason() {
        let others = ["a; b", "a", "c", "a; b; c", "a; d"].map(String::from);
        assert!(repeats("a; b; c", &others));
        assert!(repeats("c; a", &others));
        assert!(!repeats("a; b", &others), "no reason `b` stands alone");
        assert!(!repeats("a", &others));
        assert!(!repeats("a; d", &others));
    }
}
