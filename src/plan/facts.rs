//! The plan as the report shows it: one box per kind of node, and the certificate.

use std::collections::BTreeMap;

use super::{Placed, Plan, Proof, Reads, States, Work};
use crate::data::{Certificate, FittedOn, GraphFacts, NodeGroup, NodePart, Scope};
use crate::digest::Digest;
use crate::spec::{BlockKind, SourceKind, Study};

/// The graph folded to one box per kind of node.
pub fn graph(plan: &Plan, states: &States) -> GraphFacts {
    let mut groups: Vec<NodeGroup> = Vec::new();
    let mut group_of: BTreeMap<(&str, Scope), usize> = BTreeMap::new();
    let mut of_node = vec![0; plan.graph.node_count()];
    let mut edges = std::collections::BTreeSet::new();
    for &index in &plan.order {
        let node = &plan.graph[index];
        let group = *group_of.entry((node.family, node.scope)).or_insert_with(|| {
            groups.push(NodeGroup {
                name: node.family.to_string(),
                n: 0,
                scope: node.scope,
                rank: 0,
                parts: Vec::new(),
            });
            groups.len() - 1
        });
        of_node[index.index()] = group;
        groups[group].n += 1;
        for (input, edge) in plan.edges(index) {
            let from = of_node[input.index()];
            // What only waits reads nothing.
            if from != group && edge.reads != Reads::After {
                edges.insert((from, group));
            }
        }
    }
    let fitted = fitted_on(plan);
    let mut parts: BTreeMap<(usize, Option<FittedOn>), (usize, Vec<Digest>)> =
        BTreeMap::new();
    for &index in &plan.order {
        let at = index.index();
        let (n, outputs) = parts.entry((of_node[at], fitted[at])).or_default();
        *n += 1;
        // What a node gives and not what it was asked: the same voxels may be packed otherwise, and a
        // table may have its rows in another order.
        let all = states.outputs[at].as_deref().unwrap_or_default();
        let gave = plan.graph[index].work.gives(all).iter();
        outputs.extend(gave.map(|(_, digest)| *digest));
    }
    for ((group, fitted_on), (n, mut outputs)) in parts {
        // Patients are in the order of names that are random.
        outputs.sort_unstable();
        let bytes: Vec<u8> =
            outputs.iter().flat_map(|output| *output.as_bytes()).collect();
        let digest = Digest::derive("restudy nodes v1", &bytes).to_string();
        groups[group].parts.push(NodePart { fitted_on, n, digest });
    }
    // Groups were met in order, so one pass gives the longest path to each.
    for &(from, to) in &edges {
        groups[to].rank = groups[to].rank.max(groups[from].rank + 1);
    }
    GraphFacts {
        n_nodes: plan.graph.node_count(),
        groups,
        edges: edges.into_iter().collect(),
    }
}

/// By node: the rows on which it is fitted. A node without a split of its own is as what it reads.
fn fitted_on(plan: &Plan) -> Vec<Option<FittedOn>> {
    let mut fitted = vec![None; plan.graph.node_count()];
    for &index in &plan.order {
        let node = &plan.graph[index];
        let fits = matches!(node.scope, Scope::Training | Scope::HeldOut);
        let of_inputs = || {
            plan.edges(index).into_iter().filter_map(|(input, _)| fitted[input.index()])
        };
        fitted[index.index()] = match split(&node.work) {
            _ if !fits => None,
            Some(placed) if placed.held_out.is_empty() => Some(FittedOn::AllDevelopment),
            Some(placed) if placed.is_inner => Some(FittedOn::InnerTraining),
            Some(_) => Some(FittedOn::OuterTraining),
            None => match node.work {
                Work::FitBefore { .. } => Some(FittedOn::AllDevelopment),
                _ => of_inputs().max(),
            },
        };
    }
    fitted
}

/// The split of a node that has one.
fn split(work: &Work) -> Option<&Placed> {
    match work {
        Work::Prepare { split, .. }
        | Work::Decoded { split, .. }
        | Work::Select { split, .. }
        | Work::Score { split, .. }
        | Work::Tune { split, .. }
        | Work::Alternatives { split, .. }
        | Work::Threshold { split, .. }
        | Work::Fit { split, .. }
        | Work::Predict { split, .. }
        | Work::Calibrate { split, .. }
        | Work::Refit { split, .. }
        | Work::Importance { split, .. }
        | Work::Apparent { split, .. } => Some(split),
        _ => None,
    }
}

/// What was proved, and what no proof inside the graph can see.
pub fn certificate(study: &Study, proof: &Proof) -> Certificate {
    let mut not_tracked = vec![
        "Cohort membership and the assignment of rows to splits read ids, subjects and, where \
         stratified, outcomes of all rows."
            .to_string(),
        "Descriptive counts, means and standardised differences read all rows.".to_string(),
    ];
    if study.cohorts.iter().any(|cohort| !cohort.join.is_empty()) {
        not_tracked.push("Joins read the ids of all sources.".to_string());
    }
    if study.cohorts.iter().any(|cohort| !cohort.rules.is_empty()) {
        not_tracked.push(
            "Cohort rules read the columns that they name, of all rows.".to_string(),
        );
    }
    if !study.agree.is_empty() {
        not_tracked.push(
            "The comparison of sources reads what is compared of every patient whom two sources know, \
             sealed ones too; only its counts leave it."
                .to_string(),
        );
    }
    let several = |block: &crate::spec::Block| block.sources().len() > 1;
    if study.predictors.iter().any(several) {
        not_tracked.push(
            "Columns of one name that hold the same values in several tables are taken once; that \
             they are the same is seen on all rows, no outcome among them."
                .to_string(),
        );
    }
    if proof.n_transductive > 0 {
        not_tracked.push(format!(
            "A transductive step is declared: in {} of {} uses of held-out rows, the inputs of those \
             rows were looked at together before they were judged; their outcomes were not.",
            proof.n_transductive, proof.n_held_out_uses
        ));
    }
    let mut cannot_see = Vec::new();
    let mut made_outside = Vec::new();
    for source in &study.sources {
        let from_file = source
            .files()
            .iter()
            .any(|file| !matches!(file, crate::spec::Origin::Simulated { .. }));
        let table = matches!(source.kind, SourceKind::Table { .. });
        if table && from_file && source.prepared_outside != Some(false) {
            made_outside.push(format!("`{}`", source.name));
        }
        if !source.trained_on.is_empty() {
            cannot_see.push(format!(
                "Whether patients of this study are among those on whom something in source `{}` \
                 was trained: {}.",
                source.name,
                source.trained_on.join(", ")
            ));
        }
    }
    if let Some((last, others)) = made_outside.split_last() {
        let named = match others {
            [] => format!("source {last}"),
            others => format!("sources {} and {last}", others.join(", ")),
        };
        let sentence = format!(
            "How the columns of {named} were made before they reached this study: features \
             normalised or selected on all patients elsewhere leak unseen."
        );
        cannot_see.insert(0, sentence);
    }
    for block in &study.predictors {
        if let BlockKind::Images { from, .. } = &block.kind {
            cannot_see.push(format!(
                "Whether whoever drew the masks of source `{}` knew the outcome.",
                from.name
            ));
        }
    }
    cannot_see.push(
        "A predictor that restates the outcome, or is known only after it.".to_string(),
    );
    let mut rules = vec![
        "Every step, selector and learner is fitted on the training rows of its split alone."
            .to_string(),
        "A candidate is chosen by its scores on inner splits of the training rows.".to_string(),
        "A threshold is learned on inner out-of-fold predictions of the training rows."
            .to_string(),
        "All rows of a patient stand on one side of every split.".to_string(),
        "A frozen model, its threshold and its calibration map come from development rows \
         alone; sealed outcomes are opened only for finished models."
            .to_string(),
    ];
    if proof.n_chosen > 0 {
        rules.push(format!(
            "In {} of {} uses of held-out rows, all of them on inner splits, scores of other inner \
             splits decided which candidates were fitted at all: outcomes of the held-out rows had a \
             part in that, and none in what a candidate says of them. These scores choose; no \
             performance is read off them.",
            proof.n_chosen, proof.n_held_out_uses
        ));
    }
    Certificate {
        n_groups: proof.n_groups,
        n_splits: proof.n_splits,
        n_nodes: proof.n_nodes,
        n_held_out_uses: proof.n_held_out_uses,
        n_transductive: proof.n_transductive,
        rules,
        not_tracked,
        cannot_see,
    }
}
