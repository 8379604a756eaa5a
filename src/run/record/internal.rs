//! Analyses by resampling of the cohort that their models are developed on.

use std::collections::BTreeMap;

use super::Context;
use super::candidates::fared;
use super::folds::{threshold_words, thresholds};
use super::learning::{expected_auroc, expected_slope};
use super::predictions::said;
use super::rows::Analysed;
use super::selection::sample_size;
use crate::data::{AnalysisRecord, FallbackFacts, JudgedFacts, Value};
use crate::math;
use crate::operation::{Instance, Judged};
use crate::plan::Analysis;
use crate::run::prevalence::prevalence_only;
use crate::run::target::at_target;

impl Context<'_> {
    pub(super) fn internal(
        &self,
        analysis: &Analysis,
        rows: &Analysed,
    ) -> AnalysisRecord {
        let (study, survey) = (self.study, self.survey);
        let of = self.plan.cases[analysis.case];
        let scheme = &study.validate[analysis.scheme];
        let outcome = &study.outcomes[of.outcome];
        let splits = &survey.splits[&(scheme.name.clone(), outcome.name.clone())];
        let Instance::Resampling(resampling) = &scheme.resampling.instance else {
            unreachable!("`spec` puts a resampling scheme here")
        };
        let mut record =
            self.measured(&analysis.name, analysis.case, None, &analysis.measured, rows);
        record.scheme.clone_from(&scheme.name);
        record.scheme_text = resampling.in_words();
        record.threshold = threshold_words(self.study);
        let mut inner: Vec<Vec<f64>> = vec![Vec::new(); record.candidates.len()];
        let mut judged: BTreeMap<u32, bool> = BTreeMap::new();
        for nodes in &analysis.outer {
            let split = &splits.repeats[nodes.repeat][nodes.outer];
            let tuned = self.found.get(&nodes.tune);
            let choice = match tuned {
                Some(Value::Choice(choice)) => Some(choice),
                _ => None,
            };
            for (all, mean) in inner.iter_mut().zip(choice.iter().flat_map(|c| &c.inner))
            {
                all.extend(mean);
            }
            if let Some(tuned) = tuned {
                fared(&mut record.candidates, tuned);
            }
            let Some(predictions) = said(self.found, nodes.predict, nodes.decide) else {
                continue;
            };
            for member in choice.iter().flat_map(|choice| &choice.members) {
                record.candidates[member.candidate].chosen += 1;
            }
            let truth = predictions.rows.iter().copied().zip(predictions.truth.clone());
            judged.extend(truth);
            let place = (nodes.repeat + 1, nodes.outer + 1);
            let without_columns = match self.found.get(&nodes.fit) {
                Some(Value::Fit(fit)) => fit.all_null(),
                _ => false,
            };
            let trained = (split.split.train.len(), without_columns);
            record.folds.push(self.fold(analysis.case, place, trained, predictions));
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
        record.subgroups = self.subgroups(analysis.case, &judged, &analysis.measured);
        record.thresholds = thresholds(&record.folds);
        record.permutation = self.permutation(analysis);
        record.fallback = study.evaluate.falls_back.then(|| FallbackFacts {
            folds: record.folds.iter().filter(|fold| fold.falls_back).count(),
            of: record.folds.len(),
        });
        record.stand_in = record.stood_in();
        let columns = self.encoded(analysis.case, rows);
        let mut size =
            sample_size(rows.n_subjects, rows.n_positive_subjects, columns.len());
        if let Some(node) = analysis.slope {
            let auroc = record.performance.get("auroc").map(|found| found.estimate);
            let patients = (rows.n_subjects, rows.n_positive_subjects);
            size.auroc = Some(expected_auroc(patients, auroc));
            size.slope = Some(expected_slope(rows.n_subjects, self.found.get(&node)));
        }
        record.sample_size = Some(size);
        record.learning_curve = self.learning_curve(analysis);
        record.selection = self.selection(analysis, &record, columns);
        record.harmonised = self.harmonised(analysis);
        record.kind = "internal".to_string();
        if resampling.judged() == Judged::Sites {
            record.kind = "sites".to_string();
            record.sites = self.sites(analysis, resampling.columns().first());
            record.between_sites = self.between(analysis);
        }
        record.prevalence_only = prevalence_only(&record);
        record.at_target = at_target(&record, study.evaluate.target_prevalence.as_ref());
        record
    }
}
