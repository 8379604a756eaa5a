//! What the nodes of every split do: the same in all of them, so named once.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::Identity;
use crate::spec::Study;

/// What the nodes of every split do: the same in all of them, so named once.
pub struct Procedure {
    pub prepare: Arc<Identity>,
    /// By selector.
    pub select: Vec<Arc<Identity>>,
    /// By selector and learner.
    pub score: Vec<Vec<Arc<Identity>>>,
    pub tune: Arc<Identity>,
    pub threshold: Option<Arc<Identity>>,
    pub predict: Arc<Identity>,
}

impl Procedure {
    pub fn of(study: &Study) -> Self {
        let prepare = study.prepare.identity();
        let candidates = n_candidates(study);
        let evaluate = &study.evaluate;
        let select = study.select.iter().map(|selector| {
            Identity::new(json!({
                "prepare": prepare, "select": selector.fit_paths().identities,
            }))
        });
        let score = study.select.iter().map(|selector| {
            let learners = study.learn.iter().map(|learner| {
                Identity::new(json!({
                    "prepare": prepare,
                    "select": selector.identity(),
                    "learn": learner.identity(),
                }))
            });
            learners.collect()
        });
        let threshold = evaluate.threshold.as_ref().map(|threshold| {
            let rule = threshold.rule.identity();
            Identity::new(json!({ "rule": rule, "candidates": candidates }))
        });
        Self {
            prepare: Identity::new(
                json!({ "prepare": study.prepare.fit_paths().identities }),
            ),
            select: select.collect(),
            score: score.collect(),
            tune: Identity::new(json!({
                "tuner": evaluate.tuner.identity(),
                "metric": evaluate.primary.identity(),
                "candidates": candidates,
            })),
            threshold,
            predict: Identity::new(json!({ "predict": 1, "candidates": candidates })),
        }
    }
}

/// Candidates by selector × learner: the order in which `tune` numbers them.
fn n_candidates(study: &Study) -> Json {
    let cells = study.select.iter().map(|selector| {
        let learners = study.learn.iter().map(|learner| {
            study.prepare.settings.len()
                * selector.settings.len()
                * learner.settings.len()
        });
        learners.collect::<Json>()
    });
    cells.collect()
}
