//! The candidates of an analysis, and how they fared where one was chosen.

use crate::data::{CandidateRecord, Unscored, Value};
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

/// Counts which candidates could not be chosen in a split, and why, by the value of its `tune`.
///
/// Where that failed, nothing could be chosen, and its reason is that of every candidate.
pub(super) fn fared(candidates: &mut [CandidateRecord], tuned: &Value) {
    match tuned {
        Value::Choice(choice) => {
            for (candidate, why) in candidates.iter_mut().zip(&choice.unscored) {
                match why {
                    None => {}
                    Some(Unscored::LeftBehind) => candidate.left_behind += 1,
                    Some(Unscored::Failed(why)) => has_failed(candidate, why),
                }
            }
        }
        Value::Failed(why) => {
            for candidate in candidates {
                has_failed(candidate, why);
            }
        }
        _ => {}
    }
}

fn has_failed(candidate: &mut CandidateRecord, why: &str) {
    candidate.failed += 1;
    candidate.failure.get_or_insert_with(|| why.to_string());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Choice;

    fn candidate(learner: &str) -> CandidateRecord {
        CandidateRecord {
            selector: "all".to_string(),
            learner: learner.to_string(),
            settings: String::new(),
            chosen: 0,
            inner: None,
            failed: 0,
            failure: None,
            left_behind: 0,
        }
    }

    #[test]
    fn a_split_without_a_choice_is_a_failure_of_every_candidate() {
        let mut candidates = ["lasso", "forest", "boosting"].map(candidate);
        let mut choice = Choice::of(0, vec![Some(0.7), None, None]);
        let singular = Unscored::Failed("forest: one class".to_string());
        choice.unscored = vec![None, Some(singular), Some(Unscored::LeftBehind)];
        let none = "there are no inner splits to choose by";
        fared(&mut candidates, &Value::Choice(choice));
        fared(&mut candidates, &Value::Failed(none.to_string()));
        fared(&mut candidates, &Value::Failed("another reason".to_string()));
        let told = candidates.map(|of| (of.failed, of.failure, of.left_behind));
        let first = |why: &str| Some(why.to_string());
        assert_eq!(
            told,
            [
                (2, first(none), 0),
                (3, first("forest: one class"), 0),
                (2, first(none), 1),
            ]
        );
    }
}
