//! A survey without data: as many rows as a scheme needs to fill each of its splits.
//!
//! The proof of no leakage runs on it, so that a study that leaks by design is refused before
//! anybody has the data.

use std::collections::BTreeMap;

use crate::data::{Call, Called};
use crate::digest::Digest;
use crate::operation::Instance;
use crate::spec::{BlockKind, Scheme, Study};

use super::cohorts::grouped;
use super::outcomes::{assign, divided, surveyed};
use super::{CohortRow, Survey};

/// The survey of cohorts in which every subject has one row and every class is large enough.
pub fn symbolic(study: &Study) -> Survey {
    let mut survey = Survey::default();
    let size = |scheme: &Scheme| {
        let shape = Study::shape(scheme);
        4 * shape.outer.max(2) * shape.inner.max(2)
    };
    let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
    for scheme in &study.validate {
        // Two schemes may share a cohort: it is as large as the larger needs.
        let n = sizes.entry(&scheme.cohort.name).or_insert(0);
        *n = (*n).max(size(scheme));
    }
    for cohort in &study.external {
        sizes.entry(&cohort.name).or_insert(8);
    }
    for (position, (name, n)) in sizes.into_iter().enumerate() {
        let row = |i: usize| {
            let id = format!("{position}-{i:06}");
            CohortRow { id: id.clone(), subject: id }
        };
        let cohort = grouped((0..n).map(row).collect(), Vec::new(), &[0; 32]);
        survey.cohorts.insert(name.to_string(), cohort);
    }
    for scheme in &study.validate {
        let cohort = survey.cohorts[&scheme.cohort.name].clone();
        let first = study.validate.first().is_some_and(|s| s.name == scheme.name);
        for outcome in study.outcomes.iter().filter(|o| scheme.judges(&o.name)) {
            let alternate = |i| if i % 2 == 0 { Call::Positive } else { Call::Negative };
            let calls = (0..cohort.rows.len()).map(alternate).collect();
            let known = surveyed(Called { calls, decided: Vec::new(), conflicts: 0 });
            let mut population = divided(&cohort, &known);
            if let Instance::Resampling(resampling) = &scheme.resampling.instance {
                // As many sites, folds or strata as there may be.
                let cell = |i: usize| ["a", "b", "c"][i / 2 % 3].to_string();
                for column in resampling.columns() {
                    let cells = (0..population.rows.len()).map(cell).collect();
                    population.columns.push((column, cells));
                }
            }
            if let Ok((mut splits, whole)) = assign(study, scheme, &population) {
                // Repeats differ in their random numbers alone: one stands for all.
                splits.repeats.truncate(1);
                survey.splits.insert((scheme.name.clone(), outcome.name.clone()), splits);
                if first && study.freezes_for(outcome) {
                    survey.frozen.insert(outcome.name.clone(), whole);
                }
            }
            let place = (outcome.name.clone(), scheme.cohort.name.clone());
            survey.outcomes.insert(place, known);
        }
    }
    for block in &study.predictors {
        if let BlockKind::Columns { .. } = block.kind {
            survey.columns.insert(block.name.clone(), Vec::new());
            for cohort in survey.cohorts.keys() {
                let place = (cohort.clone(), block.name.clone());
                survey.cells.insert(place, unread(&block.name));
            }
        }
    }
    survey
}

/// The digest of a source that has not been read.
pub fn unread(source: &str) -> Digest {
    Digest::derive("restudy unread source v1", source.as_bytes())
}
