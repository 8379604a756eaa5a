//! Held-out predictions as a table.

use petgraph::graph::NodeIndex;

use super::Found;
use crate::data::Value;
use crate::plan::Plan;
use crate::spec::Study;
use crate::survey::Survey;

/// Every held-out prediction as CSV, under names that say nothing about ids.
pub fn predictions(study: &Study, survey: &Survey, plan: &Plan, found: &Found) -> String {
    let simulated = if study.simulated() { ",simulated" } else { "" };
    let mut text = format!(
        "analysis,repeat,split,patient,outcome,probability,threshold,decision_value{simulated}\n"
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
