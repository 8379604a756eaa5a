//! What results are held against: other models, permuted outcomes, and the claims of the study.

use std::collections::{BTreeMap, BTreeSet};

use super::{Context, counted_up};
use crate::data::{AnalysisRecord, ClaimFacts, ComparisonFacts, PermutationFacts, Value};
use crate::digest::Digest;
use crate::math;
use crate::operation::{Instance, Scored};
use crate::plan::Analysis;
use crate::statistics;

impl Context<'_> {
    /// Models compared, with p values adjusted over the pairs of one scheme and outcome.
    pub(super) fn comparisons(&self) -> Vec<ComparisonFacts> {
        let mut facts: Vec<ComparisonFacts> = Vec::new();
        let mut families: Vec<(usize, String)> = Vec::new();
        for comparison in &self.plan.comparisons {
            let result = match self.found.get(&comparison.node) {
                Some(Value::Compared(result)) => Some(result.clone()),
                _ => None,
            };
            let internal =
                self.plan.analyses.iter().find(|a| a.name == comparison.better);
            let external =
                self.plan.external.iter().find(|e| e.name == comparison.better);
            let family = match (internal, external) {
                (Some(a), _) => {
                    let outcome = self.plan.cases[a.case].outcome;
                    (outcome, self.study.validate[a.scheme].name.clone())
                }
                (None, Some(e)) => {
                    let case = self.plan.cases[e.case];
                    (case.outcome, format!("{}/", self.study.cohorts[case.cohort].name))
                }
                (None, None) => (0, String::new()),
            };
            families.push(family);
            facts.push(ComparisonFacts {
                better: comparison.better.clone(),
                than: comparison.than.clone(),
                metric: self.study.evaluate.primary.about.name.to_string(),
                result,
                p_adjusted: None,
            });
        }
        if self.study.evaluate.holm {
            let all: BTreeSet<&(usize, String)> = families.iter().collect();
            for family in all {
                let members: Vec<usize> =
                    (0..facts.len()).filter(|&at| families[at] == *family).collect();
                // A declared pair without a p stays in the count.
                let p = |at: usize| facts[at].result.as_ref()?.p;
                let known: Vec<Option<f64>> = members.iter().map(|&at| p(at)).collect();
                let counted: Vec<f64> = known.iter().map(|p| p.unwrap_or(1.0)).collect();
                let adjusted = crate::statistics::holm(&counted);
                for ((at, known), p) in members.into_iter().zip(known).zip(adjusted) {
                    facts[at].p_adjusted = known.map(|_| p);
                }
            }
        }
        facts
    }

    /// What came of permuted outcomes.
    pub(super) fn permutation(&self, analysis: &Analysis) -> Option<PermutationFacts> {
        let permuted = self.study.evaluate.permuted.as_ref()?;
        let Instance::Metric(metric) = &self.study.evaluate.primary.instance else {
            unreachable!("`spec` puts a metric here")
        };
        let own = self.study.evaluate.own_way();
        let mut values = Vec::new();
        let mut failed: BTreeMap<String, usize> = BTreeMap::new();
        for node in &analysis.permuted {
            let Some(Value::Permuted(found)) = self.found.get(node) else { continue };
            for value in found.get(own).into_iter().flatten() {
                match value {
                    Ok(value) => values.push(*value),
                    Err(why) => *failed.entry(why.clone()).or_default() += 1,
                }
            }
        }
        let mut folds = Vec::new();
        for nodes in analysis.outer.iter().filter(|nodes| nodes.repeat < permuted.repeats)
        {
            let Some(Value::Predictions(fold)) = self.found.get(&nodes.predict) else {
                return None;
            };
            let scores = if metric.ranks_only() { fold.ranks() } else { &fold.scores };
            let scored = Scored { truth: &fold.truth, scores, ..Scored::default() };
            // As in the permutations: a site of one class has no value.
            folds.extend(metric.compute(scored).ok());
        }
        let observed = math::mean(&folds)?;
        let mean = math::mean(&values)?;
        let as_extreme = values
            .iter()
            .filter(|value| !metric.scale().direction.better(observed, **value))
            .count();
        Some(PermutationFacts {
            times: values.len(),
            within: permuted.within.as_ref().map(|named| named.name.clone()),
            repeats: permuted.repeats,
            observed,
            as_extreme,
            p: statistics::permutation_p(as_extreme, values.len()),
            mean,
            sd: math::sqrt(math::variance(&values).unwrap_or(0.0)),
            values,
            failed: counted_up(failed),
        })
    }

    /// What came of the claims: results of the primary model for the first outcome.
    pub(super) fn claims(
        &self,
        analyses: &BTreeMap<String, AnalysisRecord>,
    ) -> Vec<ClaimFacts> {
        let headline = self.plan.analyses.first().and_then(|a| analyses.get(&a.name));
        let value = |name: &str| -> Option<f64> {
            let headline = headline?;
            let parts: Vec<&str> = name.split('.').collect();
            let (metric, end) = (*parts.first()?, *parts.last()?);
            let cohort = *parts.get(parts.len().checked_sub(2)?)?;
            let of_cohort = |record: &&AnalysisRecord| {
                record.cohort == cohort
                    && record.model == headline.model
                    && record.outcome == headline.outcome
                    && record.branch == headline.branch
                    && (record.kind != "sites" || headline.kind == "sites")
            };
            let order = self.plan.analyses.iter().map(|a| &a.name);
            let order = order.chain(self.plan.external.iter().map(|e| &e.name));
            let record = order.filter_map(|name| analyses.get(name)).find(of_cohort)?;
            // The name of a column may have a dot too.
            let estimate = match parts.len() > 3 {
                true => record.within.as_ref()?,
                false => record.performance.get(metric)?,
            };
            match end {
                "lower" => estimate.lower,
                "upper" => estimate.upper,
                _ => Some(estimate.estimate),
            }
        };
        let claims = self.study.evaluate.claims.iter().map(|claim| {
            let texts: BTreeMap<String, String> = claim
                .rule
                .columns()
                .into_iter()
                .filter_map(|name| Some((name.to_string(), value(name)?.to_string())))
                .collect();
            let cell = |name: &str| texts.get(name).map(String::as_str);
            ClaimFacts {
                text: claim.text.clone(),
                words: claim.words.clone(),
                digest: Digest::of(claim.text.as_bytes()).to_string(),
                holds: claim.rule.holds(&cell, &|_| false).ok().flatten(),
                values: claim
                    .rule
                    .columns()
                    .into_iter()
                    .map(|name| (name.to_string(), value(name)))
                    .collect(),
            }
        });
        claims.collect()
    }
}
