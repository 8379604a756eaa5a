//! The columns that reach selection: which of them were kept, how alike the fits are, and how many
//! patients that many columns ask for.

use std::collections::{BTreeMap, BTreeSet};

use super::Context;
use super::families::family;
use super::rows::Analysed;
use crate::data::{
    AnalysisRecord, ChosenColumn, ChosenInFit, ClusterFacts, Frame, Frequency,
    ReductionFacts, SampleSizeFacts, SelectionFacts, Similar, SimilarFacts, Stability,
    Value,
};
use crate::math;
use crate::plan::{self, Analysis};
use crate::run::compute::ALIKE;

/// Which of the chosen columns each fit has; none where each has all.
fn by_fit(
    chosen: &[ChosenColumn],
    fits: &[&Vec<String>],
    places: &[(usize, usize)],
) -> Vec<ChosenInFit> {
    if chosen.iter().all(|column| column.n == fits.len()) {
        return Vec::new();
    }
    let position: BTreeMap<&str, usize> =
        chosen.iter().enumerate().map(|(at, column)| (&*column.name, at)).collect();
    let of_fit = |(fit, (repeat, outer)): (&&Vec<String>, &(usize, usize))| {
        let mut columns: Vec<usize> =
            fit.iter().map(|name| position[name.as_str()]).collect();
        columns.sort_unstable();
        ChosenInFit { repeat: *repeat, outer: *outer, columns }
    };
    fits.iter().zip(places).map(of_fit).collect()
}

impl Context<'_> {
    /// What the outer fits chose, and how alike it is.
    pub(super) fn selection(
        &self,
        analysis: &Analysis,
        record: &AnalysisRecord,
        mut all: BTreeSet<String>,
    ) -> Option<SelectionFacts> {
        let mut fits: Vec<&Vec<String>> = Vec::new();
        let mut places: Vec<(usize, usize)> = Vec::new();
        let (mut selectors, mut learners) = (BTreeMap::new(), BTreeMap::new());
        let mut without_columns = 0;
        for nodes in &analysis.outer {
            if let Some(Value::Fit(fit)) = self.found.get(&nodes.fit) {
                without_columns += usize::from(fit.all_null());
                fits.push(&fit.columns);
                places.push((nodes.repeat + 1, nodes.outer + 1));
                all.extend(fit.columns.iter().cloned());
            }
            if let Some(Value::Choice(choice)) = self.found.get(&nodes.tune) {
                let members =
                    || choice.members.iter().map(|of| &record.candidates[of.candidate]);
                let of_fit: BTreeSet<&String> =
                    members().map(|of| &of.selector).collect();
                for selector in of_fit {
                    *selectors.entry(selector.clone()).or_insert(0) += 1;
                }
                let of_fit: BTreeSet<&String> = members().map(|of| &of.learner).collect();
                for learner in of_fit {
                    *learners.entry(learner.clone()).or_insert(0) += 1;
                }
            }
        }
        let number: BTreeMap<&String, usize> =
            all.iter().enumerate().map(|(at, name)| (name, at)).collect();
        let numbered: Vec<Vec<usize>> = fits
            .iter()
            .map(|fit| fit.iter().map(|name| number[name]).collect())
            .collect();
        let mut columns: BTreeMap<String, usize> = BTreeMap::new();
        for name in fits.iter().copied().flatten() {
            *columns.entry(name.clone()).or_insert(0) += 1;
        }
        let similar = analysis.similar.and_then(|node| match self.found.get(&node) {
            Some(Value::Similar(found)) => Some(similar(found, &fits)),
            _ => None,
        });
        let chosen = frequencies(columns).into_iter().map(|of| ChosenColumn {
            family: family(self.study, &of.name),
            name: of.name,
            n: of.n,
        });
        let chosen: Vec<ChosenColumn> = chosen.collect();
        let sizes: Vec<f64> = fits.iter().map(|fit| fit.len() as f64).collect();
        let stability = crate::statistics::stability(&numbered, all.len());
        Some(SelectionFacts {
            fits: fits.len(),
            of_columns: all.len(),
            mean_columns: math::mean(&sizes)?,
            without_columns,
            by_fit: by_fit(&chosen, &fits, &places),
            columns: chosen,
            reduction: self.reduction(analysis, record),
            similar,
            selectors: frequencies(selectors),
            learners: frequencies(learners),
            stability: stability.map(|found| {
                let (lower, upper) = found.interval();
                Stability { index: found.index, lower, upper }
            }),
        })
    }

    /// Columns after each step over the outer fits, in the order of the steps.
    fn reduction(
        &self,
        analysis: &Analysis,
        record: &AnalysisRecord,
    ) -> Vec<ReductionFacts> {
        // Tables, preparation, selection, learner; then selector, position and name of the step.
        type Step<'a> = (usize, &'a str, usize, &'a str);
        let mut counts: BTreeMap<Step<'_>, Vec<usize>> = BTreeMap::new();
        for nodes in &analysis.outer {
            let (Some(Value::Fit(fit)), Some(Value::Choice(choice))) =
                (self.found.get(&nodes.fit), self.found.get(&nodes.tune))
            else {
                continue;
            };
            let fitted = choice.members.iter().zip(&fit.steps);
            for (member, steps) in
                fitted.filter_map(|(of, steps)| Some((of, steps.as_ref()?)))
            {
                let selector = &record.candidates[member.candidate].selector;
                let before = fit.before as usize;
                counts.entry((0, "", 0, "")).or_default().push(before);
                for (at, of) in steps.iter().enumerate() {
                    let step: Step<'_> = match of.selects {
                        false => (1, "", at, &of.step),
                        true => (2, selector, at, &of.step),
                    };
                    counts.entry(step).or_default().push(of.columns as usize);
                }
                let last = steps.last().map_or(before, |of| of.columns as usize);
                counts.entry((3, "", 0, "")).or_default().push(last);
            }
        }
        let named = |name: &str| (!name.is_empty()).then(|| name.to_string());
        let facts = counts.into_iter().filter_map(|((stage, selector, _, step), of)| {
            let columns: Vec<f64> = of.iter().map(|n| *n as f64).collect();
            Some(ReductionFacts {
                stage: ["tables", "preparation", "selection", "learner"][stage]
                    .to_string(),
                selector: named(selector),
                step: named(step),
                fits: of.len(),
                median: math::median(&columns)?,
                lowest: *of.iter().min()?,
                highest: *of.iter().max()?,
            })
        });
        facts.collect()
    }

    /// The columns of a case that reach selection, without those that preparation makes of them but
    /// for encoded categories. In a model, columns are called `block.column`.
    pub(super) fn encoded(&self, case: usize, rows: &Analysed) -> BTreeSet<String> {
        let of = self.plan.cases[case];
        let blocks = &self.study.models[of.model].blocks;
        let mut columns = BTreeSet::new();
        for index in self.frames {
            let plan::Work::Frame { cohort, block } = self.plan.graph[*index].work else {
                continue;
            };
            let name = &self.study.predictors[block].name;
            if cohort == of.cohort
                && blocks.iter().any(|b| b.name == *name)
                && let Some(Value::Frame(frame)) = self.found.get(index)
            {
                columns.extend(encoded(name, frame, &rows.classes));
            }
        }
        columns
    }
}

/// Clusters with how many fits chose any column of each.
fn similar(found: &Similar, fits: &[&Vec<String>]) -> SimilarFacts {
    let facts = found.clusters.iter().map(|(columns, least)| {
        let any = |fit: &&&Vec<String>| fit.iter().any(|name| columns.contains(name));
        let n = fits.iter().filter(any).count();
        ClusterFacts { columns: columns.clone(), n, least: *least }
    });
    let mut clusters: Vec<ClusterFacts> = facts.collect();
    clusters.sort_by(|a, b| b.n.cmp(&a.n).then_with(|| a.columns.cmp(&b.columns)));
    SimilarFacts {
        at_least: ALIKE,
        clusters,
        among: found.among as usize,
        of: found.of as usize,
    }
}

/// The most frequent first, then by name.
fn frequencies(counts: BTreeMap<String, usize>) -> Vec<Frequency> {
    let mut all: Vec<Frequency> =
        counts.into_iter().map(|(name, n)| Frequency { name, n }).collect();
    all.sort_by(|a, b| b.n.cmp(&a.n).then_with(|| a.name.cmp(&b.name)));
    all
}

/// The columns of a block that reach selection, in the words of a model: `block.column`, and
/// `block.column=category` for each category but the first that is met among the rows.
fn encoded(block: &str, frame: &Frame, rows: &BTreeMap<usize, bool>) -> Vec<String> {
    let mut names = Vec::new();
    for column in frame.rows.columns() {
        let name = format!("{block}.{}", column.name);
        // `survey` sees to it that categories are encoded in every model.
        let Some(categories) = frame.rows.categories(&column.name) else {
            names.push(name);
            continue;
        };
        let values = rows.keys().map(|row| column.values[*row]);
        let values = values.filter(|value| !value.is_nan());
        let met: BTreeSet<usize> = values.map(|value| value as usize).collect();
        let met = met.iter().filter_map(|at| categories.get(*at));
        names.extend(met.skip(1).map(|category| format!("{name}={category}")));
    }
    names
}

/// Events for each candidate predictor parameter, and what Riley's criteria ask for.
pub(super) fn sample_size(
    n: usize,
    n_positive: usize,
    candidates: usize,
) -> SampleSizeFacts {
    use crate::statistics::{
        DIFFERENCE, MARGIN, SHARE_OF_R2, SHRINKAGE, largest_r2, sample_size,
    };
    let events = n_positive.min(n - n_positive);
    let prevalence = n_positive as f64 / n.max(1) as f64;
    let largest = (events > 0).then(|| largest_r2(prevalence));
    let assumed = largest.map(|largest| SHARE_OF_R2 * largest);
    let found = assumed.and_then(|r2| sample_size(candidates, prevalence, r2));
    SampleSizeFacts {
        n,
        events,
        candidates,
        events_per_candidate: (candidates > 0).then(|| events as f64 / candidates as f64),
        assumed_r2: assumed,
        largest_r2: largest,
        for_shrinkage: found.map(|found| found.for_shrinkage),
        for_optimism: found.map(|found| found.for_optimism),
        for_prevalence: found.map(|found| found.for_prevalence),
        needed: found.map(|found| found.needed()),
        auroc: None,
        slope: None,
        assumptions: vec![
            format!(
                "the model explains {} % of the largest possible Cox–Snell R², as nothing better is known",
                SHARE_OF_R2 * 100.0
            ),
            format!(
                "a shrinkage of at least {SHRINKAGE}, an optimism in Nagelkerke's R² of at most \
                 {DIFFERENCE}, a prevalence within {MARGIN} of that of the cohort"
            ),
            "each candidate predictor is one parameter of an unpenalised regression, one of k \
             categories k − 1; penalties, selection and learners that bend have no such formula"
                .to_string(),
        ],
    }
}
