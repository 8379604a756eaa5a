//! Rows by group: subgroups, sites that were held out, and batches that were harmonised.

use std::collections::BTreeMap;

use super::Context;
use crate::data::{
    GroupMeasure, HarmonisedFacts, Heterogeneity, NO_VALUE, SiteFacts, SubgroupFacts,
    Value,
};
use crate::math;
use crate::plan::{self, Analysis};
use crate::spec::Named;
use crate::survey::View;

/// Where a group of a number that was cut begins, as in `40 to under 60`; that of the lowest values has no
/// number in front.
fn begins(group: &str) -> f64 {
    let first = group.split(' ').next().unwrap_or_default();
    first.parse().unwrap_or(f64::NEG_INFINITY)
}

impl Context<'_> {
    /// Groups as they were measured, and beside them the rows that are in none. `judged`: the rows that
    /// have a prediction, with their classes.
    pub(super) fn subgroups(
        &self,
        case: usize,
        judged: &BTreeMap<u32, bool>,
        nodes: &plan::MeasuredNodes,
    ) -> Vec<SubgroupFacts> {
        let Some(Value::Groups(found)) = nodes.groups.and_then(|of| self.found.get(&of))
        else {
            return Vec::new();
        };
        let cohort = &self.study.cohorts[self.plan.cases[case].cohort];
        let surveyed = &self.survey.cohorts[&cohort.name].rows;
        let view =
            View { study: self.study, survey: self.survey, cohort, rows: surveyed };
        let mut facts: Vec<SubgroupFacts> = Vec::new();
        for subgroup in &self.study.evaluate.subgroups {
            let by = &subgroup.by.name;
            let groups = found.iter().filter(|group| group.by == *by);
            let mut groups: Vec<_> = groups.collect();
            if !subgroup.cut.is_empty() {
                groups.sort_by(|one, other| {
                    begins(&one.group).total_cmp(&begins(&other.group))
                });
            }
            if facts.iter().any(|known| known.by == *by) {
                continue;
            }
            facts.extend(groups.into_iter().map(SubgroupFacts::from));
            let Ok(cells) = view.cells(&subgroup.by) else { continue };
            let in_none = |at: &u32| match &cells[*at as usize] {
                None => true,
                Some(cell) => !subgroup.cut.is_empty() && cell.parse::<f64>().is_err(),
            };
            let left = judged.iter().filter(|(at, _)| in_none(at));
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
                difference: None,
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
                against: None,
                difference: None,
                measures: measures.iter().map(none).collect(),
                note,
            });
        }
        facts
    }

    /// The sites that were held out one at a time, by name.
    pub(super) fn sites(
        &self,
        analysis: &Analysis,
        column: Option<&String>,
    ) -> Vec<SiteFacts> {
        let of = self.plan.cases[analysis.case];
        let cohort = &self.study.cohorts[of.cohort];
        let rows = &self.survey.cohorts[&cohort.name].rows;
        let view = View { study: self.study, survey: self.survey, cohort, rows };
        let named =
            Named { name: column.cloned().unwrap_or_default(), span: cohort.span };
        let cells = view.cells(&named).unwrap_or_default();
        let measured = analysis.measured.standard.iter().map(|(_, node)| node);
        let mut measured = analysis.measured.metrics.iter().chain(measured);
        let known = measured.find_map(|node| match self.found.get(node) {
            Some(Value::Sites(of)) => Some(of.sites.as_slice()),
            _ => None,
        });
        // As they were measured: by split, of those that have predictions.
        let mut known = known.unwrap_or_default().iter();
        let mut sites = Vec::new();
        for nodes in &analysis.outer {
            let Some(Value::Predictions(found)) = self.found.get(&nodes.predict) else {
                continue;
            };
            let first = found.rows.first().and_then(|row| cells.get(*row as usize));
            let name = first.cloned().flatten().unwrap_or_else(|| "unknown".to_string());
            let n_positive = found.truth.iter().filter(|class| **class).count();
            let area = known.next();
            sites.push(SiteFacts {
                name,
                n: found.rows.len().into(),
                n_positive: n_positive.into(),
                auroc: area.and_then(|area| area.auroc),
                lower: area.and_then(|area| area.lower),
                upper: area.and_then(|area| area.upper),
                pooled: area.is_some_and(|area| area.pooled),
                method: area.map_or(String::new(), |area| area.method.clone()),
            });
        }
        sites
    }

    /// How much the sites differ that were held out one at a time.
    pub(super) fn between(&self, analysis: &Analysis) -> Option<Heterogeneity> {
        let measured = analysis.measured.standard.iter().map(|(_, node)| node);
        let mut measured = analysis.measured.metrics.iter().chain(measured);
        measured.find_map(|node| match self.found.get(node) {
            Some(Value::Sites(of)) => of.between,
            _ => None,
        })
    }

    /// How well the batch was told from the columns, over outer splits.
    pub(super) fn harmonised(&self, analysis: &Analysis) -> Option<HarmonisedFacts> {
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
}

#[cfg(test)]
mod tests {
    use super::begins;

    #[test]
    fn groups_of_a_number_stand_in_its_order() {
        let mut groups =
            ["40 to under 60", "60 and over", "9.5 to under 40", "under 9.5"];
        groups.sort_by(|one, other| begins(one).total_cmp(&begins(other)));
        assert_eq!(
            groups,
            ["under 9.5", "9.5 to under 40", "40 to under 60", "60 and over"]
        );
    }
}
