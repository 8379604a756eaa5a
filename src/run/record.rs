//! From values to the study's record: everything that the report shows.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::graph::NodeIndex;
use serde_json::json;

use super::compute::counted;
use super::{Done, How, describe};
use crate::data::{
    AnalysisRecord, BlockFacts, CandidateRecord, Certificate, CohortFacts, ColumnFacts,
    Curve, Estimate, FlowBox, FoldRecord, Frame, MetricFacts, Moments, OutcomeFacts,
    Removed, SourceFacts, StudyFacts, StudyRecord, Value,
};
use crate::digest::{Digest, canonical_json};
use crate::math;
use crate::operation::{Instance, Scored, reference};
use crate::plan::{self, Analysis, Plan};
use crate::spec::{BlockKind, Chain, SourceKind, Study};
use crate::store::Store;
use crate::survey::{Content, Survey};
use crate::units::Unit;

/// The values that the record is made from, by node; those of failed nodes are missing.
pub type Found = BTreeMap<NodeIndex, Value>;

/// Reads those values from the store. `None`: one that should be there is gone or damaged.
pub fn found(plan: &Plan, done: &Done, store: &Store) -> Option<Found> {
    let mut wanted: Vec<NodeIndex> = Vec::new();
    for analysis in &plan.analyses {
        wanted.extend(&analysis.metrics);
        wanted.push(analysis.roc);
        for nodes in &analysis.outer {
            wanted.extend([nodes.tune, nodes.predict]);
        }
    }
    let frames = plan
        .graph
        .node_indices()
        .filter(|&index| matches!(plan.graph[index].work, plan::Work::Frame { .. }));
    wanted.extend(frames);
    let mut found = Found::new();
    for node in wanted {
        if done.states.outputs[node.index()].is_none() {
            continue; // It failed, and the record says so.
        }
        let key = done.states.keys[node.index()]?;
        let action = store.action(&key)?;
        let bytes = store.value(action.outputs.first()?)?;
        found.insert(node, Value::from_bytes(&bytes).ok()?);
    }
    Some(found)
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
    let analyses = plan.analyses.iter();
    let analyses =
        analyses.map(|a| (a.name.clone(), analysis(study, survey, plan, a, found, done)));
    let methods = describe(study);
    let keys: BTreeSet<&String> =
        methods.iter().flat_map(|method| &method.sources).collect();
    let mut references: Vec<_> =
        keys.into_iter().filter_map(|key| reference(key)).collect();
    references.extend(["collins2024", "nadeau2003"].into_iter().filter_map(reference));
    references.sort_by(|a, b| a.key.cmp(&b.key));
    references.dedup();
    StudyRecord {
        schema: 1,
        engine: concat!("restudy ", env!("CARGO_PKG_VERSION")).to_string(),
        study: StudyFacts {
            title: study.title.clone(),
            cancer: study.cancer.clone(),
            seed: study.seed,
            digest: study.digest().to_string(),
            simulated: study.simulated(),
        },
        sources: study
            .sources
            .iter()
            .filter_map(|s| source(s, study, survey, plan, done))
            .collect(),
        cohorts: study
            .cohorts
            .iter()
            .filter_map(|c| cohort(c, study, survey, plan, found))
            .collect(),
        outcomes: outcomes(study, survey),
        predictors: predictors(study, survey, plan, found),
        analysis_order: plan
            .analyses
            .iter()
            .map(|analysis| analysis.name.clone())
            .collect(),
        analyses: analyses.collect(),
        methods,
        graph: plan::graph(plan),
        certificate,
        references,
        warnings,
    }
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
            (table.n_rows(), table.columns().len(), *digest)
        }
        Content::Images(pairs) => (pairs.len(), 0, images()),
        Content::Generated => (surveyed.files.len(), 0, files()),
    };
    Some(SourceFacts {
        name: source.name.clone(),
        kind: kind.to_string(),
        simulated: study.from_generator(source),
        n,
        n_columns,
        digest: digest.to_string(),
        licence: source.licence.clone(),
    })
}

fn cohort(
    cohort: &crate::spec::Cohort,
    study: &Study,
    survey: &Survey,
    plan: &Plan,
    found: &Found,
) -> Option<CohortFacts> {
    let surveyed = survey.cohorts.get(&cohort.name)?;
    let mut flow = surveyed.flow.clone();
    for analysis in &plan.analyses {
        if study.validate[analysis.scheme].cohort.name != cohort.name {
            continue;
        }
        let rows = Analysed::of(study, survey, plan, analysis, found);
        let mut removed =
            vec![Removed { reason: "outcome unknown".to_string(), n: rows.unknown }];
        for (reason, n) in rows.failed {
            removed.push(Removed { reason, n });
        }
        flow.push(FlowBox {
            label: format!("analysed: {}", analysis.name),
            n_in: surveyed.rows.len(),
            removed,
            n_out: rows.n,
        });
    }
    Some(CohortFacts {
        name: cohort.name.clone(),
        n_rows: surveyed.rows.len(),
        n_subjects: surveyed.n_subjects(),
        flow,
    })
}

/// The rows of an analysis: those whose outcome is known and whose predictors were measured.
struct Analysed {
    n: usize,
    n_positive: usize,
    unknown: usize,
    /// Rows of known outcome that were not measured, by reason.
    failed: BTreeMap<String, usize>,
    n_predictors: usize,
}

impl Analysed {
    fn of(
        study: &Study,
        survey: &Survey,
        plan: &Plan,
        analysis: &Analysis,
        found: &Found,
    ) -> Self {
        let scheme = &study.validate[analysis.scheme];
        let outcome = study.outcomes[analysis.outcome].name.clone();
        let known = &survey.outcomes[&(outcome, scheme.cohort.name.clone())];
        let blocks = &study.models[analysis.model].blocks;
        let mut why: Vec<Option<String>> = vec![None; known.classes.len()];
        let mut n_predictors = 0;
        for index in plan.graph.node_indices() {
            let plan::Work::Frame { cohort, block } = plan.graph[index].work else {
                continue;
            };
            let of_model = blocks.iter().any(|b| b.name == study.predictors[block].name);
            if !of_model || study.cohorts[cohort].name != scheme.cohort.name {
                continue;
            }
            match found.get(&index) {
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
        let mut rows = Self {
            n: 0,
            n_positive: 0,
            unknown: 0,
            failed: BTreeMap::new(),
            n_predictors,
        };
        for (class, why) in known.classes.iter().zip(why) {
            match (class, why) {
                (None, _) => rows.unknown += 1,
                (Some(_), Some(why)) => *rows.failed.entry(why).or_insert(0) += 1,
                (Some(positive), None) => {
                    rows.n += 1;
                    rows.n_positive += usize::from(*positive);
                }
            }
        }
        rows
    }
}

fn outcomes(study: &Study, survey: &Survey) -> Vec<OutcomeFacts> {
    let mut facts = Vec::new();
    for outcome in &study.outcomes {
        let Instance::Derivation(derivation) = &outcome.derivation.instance else {
            unreachable!("`spec` puts a derivation here")
        };
        for cohort in &study.cohorts {
            let place = (outcome.name.clone(), cohort.name.clone());
            let Some(known) = survey.outcomes.get(&place) else { continue };
            facts.push(OutcomeFacts {
                name: outcome.name.clone(),
                label: outcome.label.clone(),
                derivation: derivation.in_words(),
                cohort: cohort.name.clone(),
                positive: known.count(Some(true)),
                negative: known.count(Some(false)),
                unknown: known.count(None),
            });
        }
    }
    facts
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
        let frame = found.iter().find_map(|(node, value)| match plan.graph[*node].work {
            plan::Work::Frame { cohort, block } if block == position => {
                Some((cohort, value))
            }
            _ => None,
        });
        let Some((cohort, value)) = frame else { continue };
        let cohort = &study.cohorts[cohort];
        let outcome =
            study.outcomes.first().map(|o| (o.name.clone(), cohort.name.clone()));
        let classes = outcome.and_then(|place| survey.outcomes.get(&place));
        let (kind, source) = match &block.kind {
            BlockKind::Columns { from, .. } => ("columns", &from.name),
            BlockKind::Images { from, .. } => ("images", &from.name),
        };
        let units = units(study, block);
        let (columns, failed) = match (value, classes) {
            (Value::Frame(frame), Some(known)) => (
                frame
                    .rows
                    .columns()
                    .iter()
                    .enumerate()
                    .map(|(at, column)| {
                        let unit = units.get(at).copied().unwrap_or_default();
                        describe_column(column, unit, frame, &known.classes)
                    })
                    .collect(),
                counted(&frame.failed)
                    .into_iter()
                    .map(|(why, n)| Removed { reason: why.to_string(), n })
                    .collect(),
            ),
            (Value::Failed(why), _) => (
                Vec::new(),
                vec![Removed {
                    reason: why.clone(),
                    n: survey.cohorts[&cohort.name].rows.len(),
                }],
            ),
            _ => (Vec::new(), Vec::new()),
        };
        facts.push(BlockFacts {
            name: block.name.clone(),
            kind: kind.to_string(),
            source: source.clone(),
            columns,
            failed,
            failed_at_most: cohort.failed_at_most,
        });
    }
    facts
}

/// The units of an image block's columns; a table's columns carry none yet.
fn units(study: &Study, block: &crate::spec::Block) -> Vec<Unit> {
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
    let moments = |values: &[f64]| {
        let (mean, variance) = (math::mean(values)?, math::variance(values)?);
        Some(Moments { n: values.len(), mean, sd: math::sqrt(variance) })
    };
    let positive = moments(&values(&|row| classes[row] == Some(true)));
    let negative = moments(&values(&|row| classes[row] == Some(false)));
    let smd = positive.zip(negative).and_then(|(positive, negative)| {
        let pooled =
            math::sqrt((positive.sd * positive.sd + negative.sd * negative.sd) / 2.0);
        (pooled > 0.0).then(|| (positive.mean - negative.mean) / pooled)
    });
    ColumnFacts {
        name: column.name.clone(),
        unit,
        missing: rows.iter().filter(|&&row| column.values[row].is_nan()).count(),
        all: moments(&values(&|_| true)),
        positive,
        negative,
        smd,
    }
}

fn analysis(
    study: &Study,
    survey: &Survey,
    plan: &Plan,
    analysis: &Analysis,
    found: &Found,
    done: &Done,
) -> AnalysisRecord {
    let scheme = &study.validate[analysis.scheme];
    let outcome = &study.outcomes[analysis.outcome];
    let model = &study.models[analysis.model];
    let splits = &survey.splits[&(scheme.name.clone(), outcome.name.clone())];
    let mut performance: BTreeMap<String, Estimate> = BTreeMap::new();
    let mut metrics = Vec::new();
    let used = std::iter::once(&study.evaluate.primary).chain(&study.evaluate.also);
    for (used, node) in used.zip(&analysis.metrics) {
        let Instance::Metric(metric) = &used.instance else {
            unreachable!("`spec` puts a metric here")
        };
        metrics.push(MetricFacts {
            name: used.about.name.to_string(),
            title: used.about.title.to_string(),
            chance: metric.scale().chance,
        });
        if let Some(Value::Estimate(estimate)) = found.get(node) {
            performance.insert(used.about.name.to_string(), estimate.clone());
        }
    }
    let mut roc = match found.get(&analysis.roc) {
        Some(Value::Curves(curves)) => curves.clone(),
        _ => Vec::new(),
    };
    let roc_mean = roc.pop().unwrap_or(Curve { points: Vec::new() });
    let mut candidates = candidates(study);
    let mut inner: Vec<Vec<f64>> = vec![Vec::new(); candidates.len()];
    let mut folds = Vec::new();
    let Instance::Metric(primary) = &study.evaluate.primary.instance else {
        unreachable!("`spec` puts a metric here")
    };
    for nodes in &analysis.outer {
        let split = &splits.repeats[nodes.repeat][nodes.outer];
        if let Some(Value::Choice(choice)) = found.get(&nodes.tune) {
            for (all, mean) in inner.iter_mut().zip(&choice.inner) {
                all.extend(mean);
            }
        }
        let Some(Value::Predictions(predictions)) = found.get(&nodes.predict) else {
            continue;
        };
        candidates[predictions.candidate].chosen += 1;
        let decisions: Vec<bool> = match predictions.threshold {
            Some(threshold) => {
                predictions.scores.iter().map(|s| *s >= threshold).collect()
            }
            None => Vec::new(),
        };
        let (truth, scores) = (&predictions.truth, &predictions.scores);
        folds.push(FoldRecord {
            repeat: nodes.repeat + 1,
            outer: nodes.outer + 1,
            n_train: split.split.train.len(),
            n_held_out: predictions.rows.len(),
            positive_held_out: truth.iter().filter(|positive| **positive).count(),
            value: primary.compute(Scored { truth, scores, decisions: &decisions }).ok(),
            candidate: predictions.candidate,
            threshold: predictions.threshold,
        });
    }
    for (candidate, inner) in candidates.iter_mut().zip(&inner) {
        candidate.inner = math::mean(inner);
        candidate.failed = analysis.outer.len() - inner.len();
    }
    let assembled = plan.analyses.iter().position(|other| other.name == analysis.name);
    let rows = Analysed::of(study, survey, plan, analysis, found);
    let Instance::Resampling(resampling) = &scheme.resampling.instance else {
        unreachable!("`spec` puts a resampling scheme here")
    };
    AnalysisRecord {
        outcome: outcome.name.clone(),
        model: model.name.clone(),
        cohort: scheme.cohort.name.clone(),
        scheme: scheme.name.clone(),
        scheme_text: resampling.in_words(),
        n: rows.n,
        n_positive: rows.n_positive,
        n_predictors: rows.n_predictors,
        performance,
        primary: study.evaluate.primary.about.name.to_string(),
        metrics,
        candidates,
        folds,
        roc,
        roc_mean,
        threshold: study.evaluate.threshold.as_ref().map(|threshold| {
            let Instance::Calibrator(rule) = &threshold.rule.instance else {
                unreachable!("`spec` puts a threshold rule here")
            };
            format!("{}, learned on inner out-of-fold predictions", rule.in_words())
        }),
        failed_nodes: assembled
            .map_or(Vec::new(), |a| failed_nodes(plan, a, found, done)),
    }
}

/// Every candidate in the order in which `tune` numbers them.
fn candidates(study: &Study) -> Vec<CandidateRecord> {
    let mut candidates = Vec::new();
    for selector in &study.select {
        for learner in &study.learn {
            let settings = |chain: &Chain| -> Vec<String> {
                chain.settings.iter().map(|setting| setting.text.clone()).collect()
            };
            for prepare in settings(&study.prepare) {
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
                        });
                    }
                }
            }
        }
    }
    candidates
}

/// Why figures of an analysis are missing, by reason.
fn failed_nodes(
    plan: &Plan,
    analysis: usize,
    found: &Found,
    done: &Done,
) -> Vec<Removed> {
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let mut count = |why: String| *reasons.entry(why).or_insert(0) += 1;
    for index in plan.graph.node_indices() {
        let node = &plan.graph[index];
        if !node.name.starts_with(&format!("{}/", plan.analyses[analysis].name)) {
            continue;
        }
        match &done.how[index.index()] {
            How::Panicked(why) => count(format!("`{}` panicked: {why}", node.name)),
            How::Failed(why) => count(format!("`{}` failed: {why}", node.name)),
            _ => {}
        }
        if let Some(Value::Failed(why)) = found.get(&index) {
            count(why.clone());
        }
    }
    reasons.into_iter().map(|(reason, n)| Removed { reason, n }).collect()
}

/// Every held-out prediction as CSV, under names that say nothing about ids.
pub fn predictions(study: &Study, survey: &Survey, plan: &Plan, found: &Found) -> String {
    let simulated = if study.simulated() { ",simulated" } else { "" };
    let mut text = format!(
        "analysis,repeat,split,patient,outcome,probability,threshold{simulated}\n"
    );
    for analysis in &plan.analyses {
        let cohort = &survey.cohorts[&study.validate[analysis.scheme].cohort.name];
        for nodes in &analysis.outer {
            let Some(Value::Predictions(found)) = found.get(&nodes.predict) else {
                continue;
            };
            for ((row, truth), score) in
                found.rows.iter().zip(&found.truth).zip(&found.scores)
            {
                let patient = &cohort.pseudonyms[cohort.groups[*row as usize] as usize];
                let threshold = found.threshold.map_or(String::new(), |t| t.to_string());
                text.push_str(&format!(
                    "{},{},{},{patient},{},{score},{threshold}{}\n",
                    analysis.name,
                    nodes.repeat + 1,
                    nodes.outer + 1,
                    u8::from(*truth),
                    if study.simulated() { ",yes" } else { "" }
                ));
            }
        }
    }
    text
}
