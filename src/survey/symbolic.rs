//! A survey without data: as many rows as a scheme needs to fill each of its splits.
//!
//! The proof of no leakage runs on it, so that a study that leaks by design is refused before
//! anybody has the data.

use crate::data::Call;
use crate::digest::Digest;
use crate::spec::{BlockKind, Study};

use super::cohorts::grouped;
use super::outcomes::{assign, surveyed};
use super::{CohortRow, Survey};

/// The survey of a cohort in which every subject has one row and every class is large enough.
pub fn symbolic(study: &Study) -> Survey {
    let mut survey = Survey::default();
    for scheme in &study.validate {
        let shape = Study::shape(scheme);
        let n = 4 * shape.outer.max(2) * shape.inner.max(2);
        // Two schemes may share a cohort: it is as large as the larger needs.
        let n =
            n.max(survey.cohorts.get(&scheme.cohort.name).map_or(0, |c| c.rows.len()));
        let row =
            |i: usize| CohortRow { id: format!("{i:06}"), subject: format!("{i:06}") };
        let cohort = grouped((0..n).map(row).collect(), Vec::new(), &[0; 32]);
        survey.cohorts.insert(scheme.cohort.name.clone(), cohort);
    }
    for scheme in &study.validate {
        let cohort = survey.cohorts[&scheme.cohort.name].clone();
        for outcome in &study.outcomes {
            let alternate = |i| if i % 2 == 0 { Call::Positive } else { Call::Negative };
            let known = surveyed((0..cohort.rows.len()).map(alternate).collect());
            if let Ok(mut splits) = assign(study, scheme, &cohort, &known) {
                // Repeats differ in their random numbers alone: one stands for all.
                splits.repeats.truncate(1);
                survey.splits.insert((scheme.name.clone(), outcome.name.clone()), splits);
            }
            let place = (outcome.name.clone(), scheme.cohort.name.clone());
            survey.outcomes.insert(place, known);
        }
    }
    for block in &study.predictors {
        if let BlockKind::Columns { .. } = block.kind {
            survey.columns.insert(block.name.clone(), Vec::new());
        }
    }
    survey
}

/// The digest of a source that has not been read.
pub fn unread(source: &str) -> Digest {
    Digest::derive("restudy unread source v1", source.as_bytes())
}
