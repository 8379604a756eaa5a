//! What the nodes of every split do: the same in all of them, so named once.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::Identity;
use super::inputs::reads_outcome_of;
use crate::spec::{Chain, Model, Study};

/// What the nodes of every split do: the same in all of them, so named once.
pub struct Procedure {
    pub prepare: Arc<Identity>,
    /// By selector.
    pub select: Vec<Arc<Identity>>,
    /// By selector and learner.
    pub score: Vec<Vec<Arc<Identity>>>,
    pub race: Arc<Identity>,
    pub tune: Arc<Identity>,
    pub link: Arc<Identity>,
    pub threshold: Option<Arc<Identity>>,
    pub predict: Arc<Identity>,
    pub calibrate: Arc<Identity>,
    pub refit: Arc<Identity>,
    pub kept: Arc<Identity>,
    pub decoded: Arc<Identity>,
    /// Whether preparation looks at outcomes.
    pub outcome_prepares: bool,
    /// The same of each selector.
    pub outcome_selects: Vec<bool>,
    /// By learner: whether any of its settings draws random numbers.
    pub random: Vec<bool>,
}

impl Procedure {
    pub fn of(study: &Study, model: usize, branch: usize) -> Self {
        let model = &study.models[model];
        let chain = &model.branches[branch].prepare;
        let prepare = chain.identity();
        let candidates = n_candidates(study, model, chain);
        let evaluate = &study.evaluate;
        let select = model.select.iter().map(|selector| {
            Identity::new(json!({
                "prepare": prepare, "select": selector.fit_paths().identities,
            }))
        });
        let score = model.select.iter().map(|selector| {
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
            Identity::new(
                json!({ "threshold": 2, "rule": rule, "candidates": candidates }),
            )
        });
        let whole = json!({
            "refit": 1, "prepare": prepare,
            "select": model.select.iter().map(Chain::identity).collect::<Json>(),
            "learn": study.learn.iter().map(Chain::identity).collect::<Json>(),
        });
        Self {
            prepare: Identity::new(json!({ "prepare": chain.fit_paths().identities })),
            select: select.collect(),
            score: score.collect(),
            race: Identity::new(json!({
                "tuner": evaluate.tuner.identity(),
                "metric": evaluate.primary.identity(),
                "candidates": candidates,
            })),
            tune: Identity::new(json!({
                "tune": 2,
                "tuner": evaluate.tuner.identity(),
                "metric": evaluate.primary.identity(),
                "falls_back": evaluate.falls_back,
                "candidates": candidates,
            })),
            link: Identity::new(json!({ "link": 1, "candidates": candidates })),
            threshold,
            predict: Identity::new(json!({ "predict": 2, "candidates": candidates })),
            calibrate: Identity::new(json!({ "calibrate": 2, "candidates": candidates })),
            kept: Identity::new(json!({ "kept": 1, "procedure": whole })),
            refit: Identity::new(whole),
            decoded: Identity::new(json!({ "decodability": 1, "prepare": prepare })),
            outcome_prepares: reads_outcome(chain),
            outcome_selects: model.select.iter().map(reads_outcome).collect(),
            random: study.learn.iter().map(draws).collect(),
        }
    }
}

fn reads_outcome(chain: &Chain) -> bool {
    chain.settings.iter().any(|setting| setting.steps.iter().any(reads_outcome_of))
}

/// Whether any setting of a learner draws random numbers.
fn draws(learner: &Chain) -> bool {
    learner.settings.iter().any(|setting| setting.steps.iter().any(|used| used.random))
}

/// Candidates by selector × learner: the order in which `tune` numbers them.
fn n_candidates(study: &Study, model: &Model, prepare: &Chain) -> Json {
    let cells = model.select.iter().map(|selector| {
        let learners = study.learn.iter().map(|learner| {
            prepare.settings.len() * selector.settings.len() * learner.settings.len()
        });
        learners.collect::<Json>()
    });
    cells.collect()
}
