//! Analyses of frozen models on other cohorts.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::graph::NodeIndex;

use super::Context;
use super::candidates::fared;
use super::folds::threshold_words;
use super::predictions::said;
use super::rows::Analysed;
use crate::data::{
    AnalysisRecord, ApparentFacts, Count, Estimate, Frozen, FrozenFacts, Value,
};
use crate::plan::{self, Analysis, Case, External, FrozenModel};
use crate::run::compute::without_rows;
use crate::run::models::{needed, parts, traced};
use crate::run::prevalence::prevalence_only;
use crate::run::target::at_target;

impl Context<'_> {
    pub(super) fn external(
        &self,
        external: &External,
        rows: &Analysed,
    ) -> AnalysisRecord {
        let of = self.plan.cases[external.case];
        let cohort = &self.study.cohorts[of.cohort];
        let model = &self.plan.frozen[external.frozen];
        let mut record = self.measured(
            &external.name,
            external.case,
            Some(external.opened),
            &external.measured,
            rows,
        );
        record.kind = "external".to_string();
        record.scheme = "external".to_string();
        record.scheme_text = match &cohort.relation {
            Some(relation) => format!("frozen model on {relation}"),
            None => "frozen model on another cohort".to_string(),
        };
        let tuned = self.found.get(&model.tune);
        let choice = match tuned {
            Some(Value::Choice(choice)) => Some(choice),
            _ => None,
        };
        if let Some(choice) = choice {
            for (candidate, inner) in record.candidates.iter_mut().zip(&choice.inner) {
                candidate.inner = *inner;
            }
        }
        if let Some(tuned) = tuned {
            fared(&mut record.candidates, tuned);
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
                accesses: self.accesses(of.cohort),
                apparent: self.apparent(model),
            });
            if let Some(predictions) = said(self.found, external.predict, external.decide)
            {
                if let Some(facts) = &mut record.frozen {
                    let case = self.plan.cases[model.case];
                    let (rows, columns) =
                        self.filled(frozen, case, of, &predictions.rows);
                    (facts.filled, facts.filled_columns) = (rows.into(), columns);
                }
                let trained = (frozen.n, frozen.all_null());
                let fold = self.fold(external.case, (1, 1), trained, predictions);
                record.folds.push(fold);
                let truth =
                    predictions.rows.iter().copied().zip(predictions.truth.clone());
                let judged = truth.collect();
                record.subgroups =
                    self.subgroups(external.case, &judged, &external.measured);
                if predictions.threshold.is_some() {
                    record.threshold = threshold_words(self.study);
                }
            }
        }
        record.prevalence_only = prevalence_only(&record);
        let target = self.study.evaluate.target_prevalence.as_ref();
        record.at_target = at_target(&record, target);
        record
    }

    /// How many finished models are judged on a cohort.
    fn accesses(&self, cohort: usize) -> usize {
        let met = self.plan.external.iter();
        met.filter(|other| self.plan.cases[other.case].cohort == cohort).count()
    }

    /// A frozen model on the rows that it was fitted on, and against the same procedure on held-out ones.
    fn apparent(&self, model: &FrozenModel) -> ApparentFacts {
        let (study, found) = (self.study, self.found);
        let estimates = |nodes: &[NodeIndex]| {
            let named = study.evaluate.metrics().zip(nodes);
            let known = named.filter_map(|(used, node)| {
                let estimate = found.get(node)?.estimate()?;
                Some((used.about.name.to_string(), estimate.clone()))
            });
            known.collect::<BTreeMap<String, Estimate>>()
        };
        let performance = estimates(&model.apparent);
        // The scheme whose rows it was developed on comes first.
        let same = |analysis: &&Analysis| {
            self.plan.cases[analysis.case] == self.plan.cases[model.case]
        };
        let held_out = self.plan.analyses.iter().filter(same).min_by_key(|of| of.scheme);
        let judged = held_out.map(|of| estimates(&of.measured.metrics));
        let optimism = performance.iter().filter_map(|(metric, apparent)| {
            let held_out = judged.as_ref()?.get(metric)?;
            Some((metric.clone(), apparent.estimate - held_out.estimate))
        });
        ApparentFacts {
            optimism: optimism.collect(),
            against: held_out.map(|of| of.name.clone()),
            performance,
        }
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
        let predictors = without_rows(frozen);
        let trails = traced(&parts(self.study, of_model, frozen), &predictors);
        let needed = needed(&trails, predictors.p());
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
}
