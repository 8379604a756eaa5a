//! The rows of cohorts: which of them are analysed, and what is known of their outcomes.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::graph::NodeIndex;

use super::Context;
use crate::data::{CohortFacts, Count, FlowBox, OutcomeFacts, Removed, Value};
use crate::plan;
use crate::survey::View;

/// The rows of an analysis: those whose outcome is known and whose predictors were measured.
#[derive(Default)]
pub(super) struct Analysed {
    /// Their classes, by cohort row.
    pub(super) classes: BTreeMap<usize, bool>,
    pub(super) n: usize,
    pub(super) n_positive: usize,
    /// Patients whose rows they are, and those of them with the outcome in any row.
    pub(super) n_subjects: usize,
    pub(super) n_positive_subjects: usize,
    unknown: usize,
    /// Rows of known outcome that were not measured, by reason.
    failed: BTreeMap<String, usize>,
    pub(super) n_predictors: usize,
}

/// Those of each case; of an external one also the node that opens its outcome is named.
pub(super) type AnalysedCases = BTreeMap<(usize, Option<NodeIndex>), Analysed>;

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

    pub(super) fn cohort(
        &self,
        cohort: &crate::spec::Cohort,
        analysed: &AnalysedCases,
    ) -> Option<CohortFacts> {
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
            let rows = &analysed[&(case, opened)];
            let unknown = "outcome unknown".to_string();
            let mut removed = vec![Removed { reason: unknown, n: rows.unknown.into() }];
            for (reason, n) in &rows.failed {
                removed.push(Removed { reason: reason.clone(), n: (*n).into() });
            }
            let of_box = FlowBox {
                label: String::new(),
                n_in: surveyed.rows.len().into(),
                removed,
                joins: Vec::new(),
                n_out: rows.n.into(),
                n_subjects: rows.n_subjects.into(),
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
                let sites: BTreeSet<String> = cells.into_iter().flatten().collect();
                // Without any value it is not known how many there are.
                Some(sites.len()).filter(|n| *n > 0)
            }),
            flow,
        })
    }

    /// The rows of every case: several analyses share one, and cohorts ask for all of them.
    pub(super) fn analysed(&self) -> AnalysedCases {
        let internal = self.plan.analyses.iter().map(|a| (a.case, None));
        let external = self.plan.external.iter().map(|e| (e.case, Some(e.opened)));
        let mut analysed = AnalysedCases::new();
        for (case, opened) in internal.chain(external) {
            let rows = analysed.entry((case, opened));
            rows.or_insert_with(|| self.analysed_of(case, opened));
        }
        analysed
    }

    fn analysed_of(&self, case: usize, opened: Option<NodeIndex>) -> Analysed {
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

    pub(super) fn outcomes(&self) -> Vec<OutcomeFacts> {
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
}
