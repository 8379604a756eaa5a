//! Which cohorts a sentence of the author speaks of.

use super::wording::{is, words};
use crate::data::{AnalysisRecord, StudyRecord};

#[derive(Debug, Clone, PartialEq)]
pub enum Place {
    Cohort(String),
    /// The cohorts that a frozen model met.
    Outside,
    /// The cohort that the models were made in.
    Inside,
}

impl Place {
    /// As in "a number for …".
    pub fn words(&self) -> String {
        match self {
            Self::Cohort(cohort) => format!("the cohort {cohort}"),
            Self::Outside => "cohorts outside".to_string(),
            Self::Inside => "the development cohort".to_string(),
        }
    }

    /// Whether an analysis was judged there.
    pub fn holds(&self, analysis: &AnalysisRecord) -> bool {
        match self {
            Self::Cohort(cohort) => analysis.cohort == *cohort,
            Self::Outside => analysis.kind == "external",
            Self::Inside => analysis.kind != "external",
        }
    }
}

/// The cohorts that a sentence names, else whether it speaks of others or of the development cohort.
pub fn places(record: &StudyRecord, words: &[String]) -> Vec<Place> {
    const NEAR: [&str; 14] = [
        "cohort",
        "cohorts",
        "set",
        "sets",
        "data",
        "dataset",
        "patients",
        "sample",
        "hospital",
        "centre",
        "center",
        "institution",
        "in",
        "at",
    ];
    let near =
        |word: Option<&String>| word.is_some_and(|word| NEAR.contains(&word.as_str()));
    let mut places = Vec::new();
    for cohort in &record.cohorts {
        let name = parts(&cohort.name);
        let mut windows = words.windows(name.len().max(1)).enumerate();
        let named = windows.any(|(at, window)| {
            let behind = words.get(at + name.len());
            let before = at.checked_sub(1).and_then(|at| words.get(at));
            window == name.as_slice() && (near(before) || near(behind))
        });
        if named {
            places.push(Place::Cohort(cohort.name.clone()));
        }
    }
    if places.is_empty() {
        let says =
            |stems: &[&str]| words.iter().any(|word| stems.iter().any(|s| is(word, s)));
        if says(&["external*", "outside", "elsewhere"]) {
            places.push(Place::Outside);
        }
        if says(&["internal*", "cross"]) {
            places.push(Place::Inside);
        }
    }
    places
}

/// `clinical_radiomics` → clinical, radiomics.
pub fn parts(name: &str) -> Vec<String> {
    words(&name.replace(['_', '-', ','], " "))
}
