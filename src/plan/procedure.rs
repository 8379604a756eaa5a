//! What the nodes of every split do: the same in all of them, so named once.

use std::sync::Arc;

use serde_json::json;

use super::Identity;
use super::inputs::reads_outcome_of;
use crate::digest::{canonical_json, canonical_list};
use crate::operation::Instance;
use crate::spec::{Chain, Model, Study, Use};

/// What the nodes of every split do: the same in all of them, so named once.
pub struct Procedure {
    pub prepare: Arc<Identity>,
    /// By selector.
    pub select: Vec<Arc<Identity>>,
    /// By selector: those that are fitted first and have states that it would fit again.
    pub shares: Vec<Vec<usize>>,
    /// By selector and learner.
    pub score: Vec<Vec<Arc<Identity>>>,
    pub race: Arc<Identity>,
    pub tune: Arc<Identity>,
    /// By each of [`crate::spec::Evaluate::choosing`].
    pub alternatives: Vec<Arc<Identity>>,
    /// As canonical JSON.
    pub falls_back: String,
    pub winner: Arc<Identity>,
    pub link: Arc<Identity>,
    pub threshold: Option<Arc<Identity>>,
    pub predict: Arc<Identity>,
    pub calibrate: Arc<Identity>,
    /// All candidates by what they do.
    pub candidates: Arc<Identity>,
    pub n_candidates: usize,
    pub decoded: Arc<Identity>,
    /// Whether preparation looks at outcomes.
    pub outcome_prepares: bool,
    /// The same of each selector.
    pub outcome_selects: Vec<bool>,
    /// By learner: whether any of its settings draws random numbers.
    pub random: Vec<bool>,
}

/// What all procedures of a study use, as canonical JSON: named once.
pub struct Common {
    /// By learner.
    learners: Vec<String>,
    tuner: String,
    pub primary: String,
    /// The rules and the metrics that candidates may be chosen by, as a list each; by each of
    /// [`crate::spec::Evaluate::choosing`].
    choosing: Vec<[String; 2]>,
    /// By node: the ways of choosing that permuted outcomes go through.
    pub permuted: Vec<String>,
    /// The metrics of these ways, as a list.
    pub chosen_by: String,
    /// The metrics by which importance is told, as a list.
    pub importance: String,
    /// By metric: its fields.
    pub metrics: Vec<Vec<(&'static str, String)>>,
    /// By learner and setting: the step by which a prediction's certainty is moved, if any.
    pub steps: String,
}

impl Common {
    /// Written once for a study: every procedure has it in common.
    pub fn of(study: &Study) -> Self {
        let evaluate = &study.evaluate;
        let steps = study.learn.iter().flat_map(|chain| {
            chain.settings.iter().map(|setting| match &setting.steps[0].instance {
                Instance::Learner(learner) => learner.resolution(),
                _ => None,
            })
        });
        Self {
            learners: study.learn.iter().map(of_chain).collect(),
            tuner: of_use(&evaluate.tuner),
            primary: of_use(&evaluate.primary),
            choosing: evaluate
                .choosing
                .iter()
                .map(|of| [&of.rules, &of.metrics].map(|all| list_of(all.iter())))
                .collect(),
            permuted: evaluate
                .permuted_ways()
                .into_iter()
                .map(|ways| {
                    let way = |(rule, by): (&Use, &Use)| {
                        json!([rule.identity(), by.identity()])
                    };
                    canonical_json(&ways.into_iter().map(way).collect())
                })
                .collect(),
            chosen_by: list_of(evaluate.chosen_by().into_iter()),
            importance: list_of(evaluate.importance_metrics()),
            metrics: evaluate.metrics().map(Use::identity_fields).collect(),
            steps: canonical_json(&steps.collect::<Vec<_>>().into()),
        }
    }
}

impl Procedure {
    /// That of a model in one way of preparing.
    pub fn of(study: &Study, common: &Common, model: usize, branch: usize) -> Self {
        let model = &study.models[model];
        let chain = &model.branches[branch].prepare;
        let prepare = of_chain(chain);
        let selectors: Vec<String> = model.select.iter().map(of_chain).collect();
        let cells = n_candidates(study, model, chain);
        let candidates = canonical_json(&json!(cells));
        let evaluate = &study.evaluate;
        let states: Vec<_> = model.select.iter().map(Chain::all_states).collect();
        let shares = |at: usize| {
            let place = |at: usize| (model.select[at].n_steps(), at);
            let others = (0..model.select.len()).filter(|&other| {
                place(other) < place(at) && !states[at].is_disjoint(&states[other])
            });
            others.collect()
        };
        let select = model.select.iter().map(|selector| {
            let paths = canonical_json(&selector.fit_paths().identities);
            Identity::of(&[("prepare", &prepare), ("select", &paths)])
        });
        let score = selectors.iter().map(|select| {
            let learners = common.learners.iter().map(|learn| {
                Identity::of(&[
                    ("prepare", &prepare),
                    ("select", select),
                    ("learn", learn),
                    // 2: where a selector keeps no column, the null model is scored.
                    ("score", "2"),
                ])
            });
            learners.collect()
        });
        let with_candidates = |name: &str, version: &str| {
            Identity::of(&[(name, version), ("candidates", &candidates)])
        };
        let threshold = evaluate.threshold.as_ref().map(|threshold| {
            Identity::of(&[
                ("threshold", "2"),
                ("rule", &canonical_json(&threshold.rule.identity())),
                ("candidates", &candidates),
            ])
        });
        let does = Identity::of(&[
            ("prepare", &prepare),
            ("select", &canonical_list(selectors.iter().map(String::as_str))),
            ("learn", &canonical_list(common.learners.iter().map(String::as_str))),
        ]);
        let paths = canonical_json(&chain.fit_paths().identities);
        let falls_back = canonical_json(&json!(evaluate.falls_back));
        Self {
            prepare: Identity::of(&[("prepare", &paths)]),
            select: select.collect(),
            shares: (0..model.select.len()).map(shares).collect(),
            score: score.collect(),
            race: Identity::of(&[
                // 2: decision values of a single split become probabilities by maps from its rows.
                ("race", "2"),
                ("tuner", &common.tuner),
                ("metric", &common.primary),
                ("candidates", &candidates),
            ]),
            tune: Identity::of(&[
                // 4: the same as in `race`. 5: without any score it falls back, if that is asked for.
                ("tune", "5"),
                ("tuner", &common.tuner),
                ("metric", &common.primary),
                ("falls_back", &falls_back),
                ("candidates", &candidates),
            ]),
            alternatives: common
                .choosing
                .iter()
                .map(|[rules, metrics]| {
                    Identity::of(&[
                        // 2: with the choices.
                        ("alternatives", "2"),
                        ("rules", rules),
                        ("metrics", metrics),
                        ("falls_back", &falls_back),
                        // Winners are known by what they do.
                        ("candidates", does.text()),
                    ])
                })
                .collect(),
            falls_back,
            link: with_candidates("link", "1"),
            threshold,
            predict: with_candidates("predict", "5"),
            calibrate: with_candidates("calibrate", "2"),
            winner: Identity::of(&[("winner", "1"), ("candidates", does.text())]),
            candidates: does,
            n_candidates: cells.iter().flatten().sum(),
            decoded: Identity::of(&[("decodability", "1"), ("prepare", &prepare)]),
            outcome_prepares: reads_outcome(chain),
            outcome_selects: model.select.iter().map(reads_outcome).collect(),
            random: study.learn.iter().map(draws).collect(),
        }
    }
}

fn of_use(used: &Use) -> String {
    canonical_json(&used.identity())
}

fn list_of<'a>(uses: impl Iterator<Item = &'a Use>) -> String {
    canonical_json(&uses.map(Use::identity).collect())
}

fn of_chain(chain: &Chain) -> String {
    canonical_json(&chain.identity())
}

fn reads_outcome(chain: &Chain) -> bool {
    chain.settings.iter().any(|setting| setting.steps.iter().any(reads_outcome_of))
}

/// Whether any setting of a learner draws random numbers.
fn draws(learner: &Chain) -> bool {
    learner.settings.iter().any(|setting| setting.steps.iter().any(|used| used.random))
}

/// Candidates by selector × learner: the order in which `tune` numbers them.
fn n_candidates(study: &Study, model: &Model, prepare: &Chain) -> Vec<Vec<usize>> {
    let cells = model.select.iter().map(|selector| {
        let learners = study.learn.iter().map(|learner| {
            prepare.settings.len() * selector.settings.len() * learner.settings.len()
        });
        learners.collect()
    });
    cells.collect()
}
