//! What every analysis has: its rows, what was measured on them, and why a figure is missing.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::graph::NodeIndex;

use super::candidates::candidates;
use super::rows::Analysed;
use super::{Context, counted_up, failure};
use crate::data::{
    AddedFacts, AnalysisRecord, Band, Better, Curve, Curves, Estimate, MetricFacts,
    Removed, Value,
};
use crate::operation::{Direction, Instance};
use crate::plan;
use crate::run::How;

impl Context<'_> {
    /// What every analysis has in common.
    pub(super) fn measured(
        &self,
        name: &str,
        case: usize,
        opened: Option<NodeIndex>,
        nodes: &plan::MeasuredNodes,
        rows: &Analysed,
    ) -> AnalysisRecord {
        let (study, found) = (self.study, self.found);
        let of = self.plan.cases[case];
        let model = &study.models[of.model];
        let mut performance: BTreeMap<String, Estimate> = BTreeMap::new();
        let mut metrics = Vec::new();
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
                    Some(known) if known.estimate().is_some() => None,
                    Some(Value::Failed(why)) => Some(why.clone()),
                    _ => Some("an earlier computation failed".to_string()),
                },
            };
            match position > study.evaluate.also.len() {
                true => standard.push(facts),
                false => metrics.push(facts),
            }
            if let Some(estimate) = value.and_then(Value::estimate) {
                performance.insert(used.about.name.to_string(), estimate.clone());
            }
        }
        let drawn = |node: NodeIndex| match found.get(&node) {
            Some(Value::Curves(drawn)) => Some(drawn.clone()),
            _ => None,
        };
        let (roc, precision_recall) = (drawn(nodes.roc), drawn(nodes.precision_recall));
        let (roc, roc_thresholds, roc_mean, roc_band) = apart(roc);
        let (precision_recall, _, precision_recall_mean, precision_recall_band) =
            apart(precision_recall);
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
            joins_clinical: {
                let blocks = model.blocks.iter();
                let mut blocks = blocks.filter_map(|named| study.block(&named.name));
                let first = blocks.next().map(|block| block.clinical);
                first.is_some_and(|first| blocks.any(|block| block.clinical != first))
            },
            within: nodes.within.and_then(|node| match found.get(&node) {
                Some(Value::Estimate(estimate)) => Some(estimate.clone()),
                _ => None,
            }),
            subgroups: Vec::new(),
            sites: Vec::new(),
            between_sites: None,
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
            precision_recall_band,
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
            learning_curve: None,
            candidates: candidates(study, of),
            folds: Vec::new(),
            roc,
            roc_thresholds,
            roc_mean,
            roc_band,
            at_target: None,
            threshold: None,
            thresholds: None,
            harmonised: None,
            permutation: None,
            prevalence_only: None,
            fallback: None,
            stand_in: None,
            failed_nodes: self.failed_nodes(name, nodes),
        }
    }

    /// What one prediction for every row gives, on the rows that were judged.
    pub(super) fn chances(&self, record: &mut AnalysisRecord) {
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
        // The learning curve says of each size why it is missing; the slope of its width.
        let named = self.plan.analyses.iter().find(|of| of.name == analysis);
        unasked.extend(named.and_then(|of| of.slope));
        let learning = named.and_then(|of| of.learning.as_ref());
        let learning = learning.into_iter().flat_map(|learning| learning.own());
        unasked.extend(learning.filter(|node| !measured.metrics.contains(node)));
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
            if let Some(why) = failure(self.study, self.found.get(index))
                && !unasked.contains(index)
            {
                count(why.to_string());
            }
        }
        // What rests on several failures repeats the reason of each.
        let each: Vec<String> = reasons.keys().cloned().collect();
        reasons.retain(|reason, _| !repeats(reason, &each));
        counted_up(reasons)
    }
}

/// Curves, their thresholds, their mean and its band; nothing of what is not there.
fn apart(drawn: Option<Curves>) -> (Vec<Curve>, Vec<Vec<f64>>, Curve, Band) {
    drawn.map_or_else(Default::default, |of| (of.curves, of.thresholds, of.mean, of.band))
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
