//! Held-out predictions as a table.

use petgraph::graph::NodeIndex;

use super::Found;
use crate::data::{Predictions, Value};
use crate::plan::Plan;
use crate::spec::Study;
use crate::survey::Survey;

/// Held-out predictions, with their threshold where one could be learned.
pub(super) fn said(
    found: &Found,
    predict: NodeIndex,
    decide: Option<NodeIndex>,
) -> Option<&Predictions> {
    let predictions = |node: &NodeIndex| match found.get(node) {
        Some(Value::Predictions(predictions)) => Some(predictions),
        _ => None,
    };
    decide.as_ref().and_then(predictions).or_else(|| predictions(&predict))
}

/// Every held-out prediction as CSV, under names that say nothing about ids.
pub fn predictions(study: &Study, survey: &Survey, plan: &Plan, found: &Found) -> String {
    let simulated = if study.simulated() { ",simulated" } else { "" };
    let mut text = format!(
        "analysis,repeat,split,patient,outcome,probability,threshold,decision_value{simulated}\n"
    );
    let mut all: Vec<(&str, usize, usize, usize, Option<&Predictions>)> = Vec::new();
    for analysis in &plan.analyses {
        for nodes in &analysis.outer {
            let (repeat, outer) = (nodes.repeat + 1, nodes.outer + 1);
            let said = said(found, nodes.predict, nodes.decide);
            all.push((&analysis.name, analysis.case, repeat, outer, said));
        }
    }
    for external in &plan.external {
        let said = said(found, external.predict, external.decide);
        all.push((&external.name, external.case, 1, 1, said));
    }
    for (name, case, repeat, outer, said) in all {
        let cohort = &survey.cohorts[&study.cohorts[plan.cases[case].cohort].name];
        let Some(found) = said else { continue };
        let rows = found.rows.iter().zip(&found.truth).zip(&found.scores);
        for (at, ((row, truth), score)) in rows.enumerate() {
            let patient = &cohort.pseudonyms[cohort.groups[*row as usize] as usize];
            let threshold = found.threshold.map_or(String::new(), |t| t.to_string());
            // What a learner without probabilities of its own ranks by.
            let decision = found.decision_values.as_ref().and_then(|of| of.get(at));
            let decision = decision.map_or(String::new(), f64::to_string);
            text.push_str(&format!(
                "{name},{repeat},{outer},{patient},{},{score},{threshold},{decision}{}\n",
                u8::from(*truth),
                if study.simulated() { ",yes" } else { "" }
            ));
        }
    }
    text
}
