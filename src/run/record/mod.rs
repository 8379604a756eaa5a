//! From values to the study's record: everything that the report shows.

mod candidates;
mod compared;
mod external;
mod extraction;
mod families;
mod folds;
mod groups;
mod internal;
mod learning;
mod measured;
mod predictions;
mod predictors;
mod rows;
mod selection;
mod sources;

pub use folds::threshold_words;
pub use predictions::predictions;
pub use predictors::units;

use std::collections::{BTreeMap, BTreeSet};

use petgraph::graph::NodeIndex;

use self::predictors::predictors;
use self::sources::source;
use super::characteristics::characteristics;
use super::full_model::importance_by;
use super::missingness::missingness;
use super::{Done, How, describe};
use crate::data::{
    AnalysisRecord, Certificate, DeviationFacts, Removed, StudyFacts, StudyRecord, Value,
};
use crate::operation::reference;
use crate::plan::{self, Plan};
use crate::spec::{LearningCurve, Study, UnnamedControls};
use crate::store::Store;
use crate::survey::Survey;

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
        wanted.extend(&model.apparent);
    }
    for external in &plan.external {
        wanted.extend([external.opened, external.predict]);
        wanted.extend(external.decide);
    }
    wanted.extend(plan.comparisons.iter().map(|comparison| comparison.node));
    for analysis in &plan.analyses {
        wanted.extend(&analysis.permuted);
        if let Some(learning) = &analysis.learning {
            wanted.extend(learning.parts.iter().map(|part| part.measured));
            wanted.extend([learning.whole, learning.last_step]);
        }
        wanted.extend(analysis.slope);
        wanted.extend(analysis.similar);
        for nodes in &analysis.outer {
            wanted.extend([nodes.tune, nodes.predict, nodes.fit]);
            wanted.extend(nodes.decide);
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

/// Why a node has nothing to tell of what the study asks.
fn failure<'a>(study: &Study, value: Option<&'a Value>) -> Option<&'a str> {
    match value? {
        Value::Failed(why) => Some(why),
        Value::Importance(folds) => {
            importance_by(study, folds)?.fold.as_ref().err().map(String::as_str)
        }
        _ => None,
    }
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
            || (failure(study, found.get(index)).is_some() && !is_fit(index))
    };
    let frames: Vec<NodeIndex> = plan.graph.node_indices().filter(is_frame).collect();
    // Nothing that the study says rests on what is computed ahead.
    let counts = |index: &NodeIndex| !plan.ahead.contains_key(index) && has_failed(index);
    let failed: Vec<NodeIndex> = plan.graph.node_indices().filter(counts).collect();
    let context =
        Context { study, survey, plan, found, done, frames: &frames, failed: &failed };
    let rows = context.analysed();
    let mut analyses: BTreeMap<String, AnalysisRecord> = BTreeMap::new();
    let mut order = Vec::new();
    for analysis in &plan.analyses {
        let rows = &rows[&(analysis.case, None)];
        order.push(analysis.name.clone());
        analyses.insert(analysis.name.clone(), context.internal(analysis, rows));
    }
    for external in &plan.external {
        let rows = &rows[&(external.case, Some(external.opened))];
        order.push(external.name.clone());
        analyses.insert(external.name.clone(), context.external(external, rows));
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
        "hanley1982",
        "kocak2023",
        "kocak2024",
        "lambin2017",
        "ledell2015",
        "macskassy2005",
        "moons2025",
        "nadeau2003",
        "newcombe2006",
        "nogueira2018",
        "riley2020",
        "riley2021",
        "sechidis2019",
        "tolosi2011",
        "zwanenburg2016",
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
    // What is cited where sites are pooled, groups compared, and predictive values moved.
    if analyses.values().any(|of: &AnalysisRecord| of.between_sites.is_some()) {
        let pooling = ["hartung2001", "higgins2002", "higgins2009", "viechtbauer2005"];
        references.extend(pooling.into_iter().filter_map(reference));
    }
    let groups = analyses.values().flat_map(|of| &of.subgroups);
    if groups.into_iter().any(|group| group.difference.is_some()) {
        references.extend(["newcombe1998", "zou2008"].into_iter().filter_map(reference));
    }
    if study.evaluate.target_prevalence.is_some() {
        references.extend(["altman1994b", "zou2008"].into_iter().filter_map(reference));
    }
    let predictors = predictors(study, survey, plan, found);
    let characteristics = characteristics(study, survey, plan, found);
    let mut columns = predictors.iter().flat_map(|block| &block.columns);
    if columns.any(|column| !column.levels.is_empty())
        || characteristics.iter().any(|row| !row.levels.is_empty())
    {
        references.extend(reference("yang2012"));
    }
    let missingness = missingness(study, survey, plan, found);
    let mut gaps = missingness.iter().flat_map(|facts| &facts.gaps);
    if gaps.any(|gap| gap.difference.is_some()) {
        references
            .extend(["newcombe1998", "wilson1927"].into_iter().filter_map(reference));
    }
    references.sort_by(|a, b| a.key.cmp(&b.key));
    references.dedup();
    StudyRecord {
        schema: StudyRecord::SCHEMA,
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
            no_learning_curve: match &study.evaluate.learning_curve {
                LearningCurve::Left(reason) => Some(reason.clone()),
                LearningCurve::Drawn { .. } => None,
            },
            target_prevalence: study.evaluate.target_prevalence.clone(),
        },
        sources: study
            .sources
            .iter()
            .filter_map(|s| source(s, study, survey, plan, done))
            .collect(),
        cohorts: study.cohorts.iter().filter_map(|c| context.cohort(c, &rows)).collect(),
        outcomes: context.outcomes(),
        agreements: survey.agreements.clone(),
        associations: survey.associations.clone(),
        predictors,
        extraction: extraction::extraction(study, survey),
        characteristics,
        missingness,
        analysis_order: order,
        analyses,
        full_models: Vec::new(),
        comparisons,
        claims,
        deviations: deviations(study),
        protocol: None,
        methods,
        graph: plan::graph(plan, &done.states),
        certificate,
        references,
        warnings,
        reporting: study.reporting.clone(),
        checklists: Vec::new(),
        conflicts: Vec::new(),
        quality: None,
        risk_of_bias: None,
        suppression: None,
    }
}

fn deviations(study: &Study) -> Vec<DeviationFacts> {
    let deviations = study.deviations.iter().map(|deviation| DeviationFacts {
        what: deviation.what.clone(),
        path: deviation.path.clone(),
        when: deviation.when.clone(),
        why: deviation.why.clone(),
    });
    deviations.collect()
}

/// Puts the author's half into a record of the same results.
pub fn retell(record: &mut StudyRecord, study: &Study) {
    record.reporting = study.reporting.clone();
    record.deviations = deviations(study);
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

/// Reasons with how often each was met.
fn counted_up(reasons: BTreeMap<String, usize>) -> Vec<Removed> {
    reasons.into_iter().map(|(reason, n)| Removed { reason, n: n.into() }).collect()
}
