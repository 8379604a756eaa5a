//! The candidates of an analysis, and how they fared where one was chosen.

use crate::data::{CandidateRecord, Choice, Unscored};
use crate::plan::Case;
use crate::spec::{Chain, Study};

/// Every candidate in the order in which `tune` numbers them.
pub(super) fn candidates(study: &Study, case: Case) -> Vec<CandidateRecord> {
    let mut candidates = Vec::new();
    let model = &study.models[case.model];
    let of_prepare = &model.branches[case.branch].prepare;
    for selector in &model.select {
        for learner in &study.learn {
            let settings = |chain: &Chain| -> Vec<String> {
                chain.settings.iter().map(|setting| setting.text.clone()).collect()
            };
            for prepare in settings(of_prepare) {
                for select in settings(selector) {
                    for learn in settings(learner) {
                        let texts = [
                            ("prepare", &prepare),
                            (&selector.name, &select),
                            (&learner.name, &learn),
                        ];
                        let texts: Vec<(&str, &str)> = texts
                            .into_iter()
                            .map(|(of, text)| (of, text.as_str()))
                            .filter(|(_, text)| !text.is_empty())
                            .collect();
                        // Two operations may have a parameter of one name.
                        let settings = match texts.as_slice() {
                            [(_, only)] => (*only).to_string(),
                            texts => {
                                let named: Vec<String> = texts
                                    .iter()
                                    .map(|(of, t)| format!("{of}: {t}"))
                                    .collect();
                                named.join("; ")
                            }
                        };
                        candidates.push(CandidateRecord {
                            selector: selector.name.clone(),
                            learner: learner.name.clone(),
                            settings,
                            chosen: 0,
                            inner: None,
                            failed: 0,
                            failure: None,
                            left_behind: 0,
                        });
                    }
                }
            }
        }
    }
    candidates
}

/// Counts which candidates a choice could not fall on, and why.
pub(super) fn fared(candidates: &mut [CandidateRecord], choice: &Choice) {
    for (candidate, why) in candidates.iter_mut().zip(&choice.unscored) {
        match why {
            None => {}
            Some(Unscored::LeftBehind) => candidate.left_behind += 1,
            Some(Unscored::Failed(why)) => {
                candidate.failed += 1;
                candidate.failure.get_or_insert_with(|| why.clone());
            }
        }
    }
}
