//! A study as the engine understands it: names resolved, parameters typed, places kept.

use std::path::PathBuf;

use serde_json::{Value as Json, json};

use crate::diagnostics::Span;
use crate::digest::{Digest, canonical_json};
use crate::operation::{About, Entry, Instance};
use crate::units::Unit;

/// A checked study.
#[derive(Clone)]
pub struct Study {
    pub title: String,
    pub cancer: String,
    pub seed: u64,
    pub sources: Vec<Source>,
    pub cohorts: Vec<Cohort>,
    pub outcomes: Vec<Outcome>,
    pub predictors: Vec<Block>,
    pub models: Vec<Model>,
    /// Fitted on the training rows of every split, before selection. Usually one setting.
    pub prepare: Chain,
    /// Alternatives; `all` is an empty chain.
    pub select: Vec<Chain>,
    /// Alternatives; each setting of each is one learner.
    pub learn: Vec<Chain>,
    /// Named schemes on one procedure; the first is the headline.
    pub validate: Vec<Scheme>,
    pub evaluate: Evaluate,
}

/// An operation at a place in a study.
#[derive(Clone)]
pub struct Use {
    pub about: About,
    /// First sentence of its documentation.
    pub summary: String,
    pub random: bool,
    pub instance: Instance,
    /// Every parameter.
    pub parameters: serde_json::Value,
    /// The parameters that differ from their defaults: what enters the key.
    pub changed: serde_json::Value,
    /// The same for what `fit` reads: see [`crate::operation::TableStep::as_fitted`].
    pub changed_for_fit: serde_json::Value,
    /// Names of the parameters that the author wrote.
    pub written: Vec<String>,
    pub span: Span,
}

/// Parameters that do not fit their operation; a checked study has none.
#[derive(Debug, thiserror::Error)]
#[error("the parameters of `{name}` cannot be read")]
pub struct WrongParameters {
    name: &'static str,
    #[source]
    cause: serde_json::Error,
}

impl Use {
    /// `written` are the author's parameters, already checked against the schema.
    pub fn new(
        entry: &Entry,
        written: &serde_json::Map<String, serde_json::Value>,
        span: Span,
    ) -> Result<Self, WrongParameters> {
        let wrong = |cause| WrongParameters { name: entry.about.name, cause };
        let instance =
            (entry.build)(serde_json::Value::Object(written.clone())).map_err(wrong)?;
        // Written and read back by the operation's own type, so that `1` and `1.0` are one value.
        let defaults = (entry.defaults)();
        let parameters = (entry.normalise)(written.clone().into()).map_err(wrong)?;
        let changed = difference(&parameters, &defaults);
        let changed_for_fit = match &instance {
            Instance::TableStep(step) => difference(&step.fitted_parameters(), &defaults),
            _ => changed.clone(),
        };
        Ok(Self {
            about: entry.about,
            summary: entry.summary(),
            random: entry.random,
            instance,
            parameters,
            changed,
            changed_for_fit,
            written: written.keys().cloned().collect(),
            span,
        })
    }

    /// Operation, version and changed parameters: its part of a node's key.
    pub fn identity(&self) -> serde_json::Value {
        self.identified(&self.changed)
    }

    /// The same for the state that it fits.
    pub fn identity_for_fit(&self) -> serde_json::Value {
        self.identified(&self.changed_for_fit)
    }

    fn identified(&self, parameters: &serde_json::Value) -> serde_json::Value {
        serde_json::json!({
            "operation": self.about.name,
            "version": self.about.version,
            "parameters": parameters,
        })
    }

    /// A name for the parameters, for random streams.
    pub fn parameter_digest(&self) -> Digest {
        Digest::of(canonical_json(&self.changed).as_bytes())
    }
}

/// The parameters that differ from their defaults.
fn difference(
    all: &serde_json::Value,
    defaults: &serde_json::Value,
) -> serde_json::Value {
    let mut changed = serde_json::Map::new();
    for (name, value) in all.as_object().into_iter().flatten() {
        if defaults.get(name) != Some(value) {
            changed.insert(name.clone(), value.clone());
        }
    }
    changed.into()
}

/// A place where data come from.
#[derive(Clone)]
pub struct Source {
    pub name: String,
    pub span: Span,
    pub kind: SourceKind,
    pub licence: Option<String>,
}

#[derive(Clone)]
pub enum SourceKind {
    /// One row per id.
    Table { from: Origin, reader: Use, id: Named },
    /// Mutations: any number of rows per id.
    Maf {
        from: Origin,
        reader: Use,
        id: Named,
        /// The source whose ids are those of everybody who was sequenced.
        assayed: Option<Named>,
    },
    /// A volume and a mask per id.
    Images { from: ImageOrigin, reader: Use, unit: Unit },
    /// Files made from the study's seed.
    Simulate { generator: Use },
}

/// A name with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pub name: String,
    pub span: Span,
}

#[derive(Clone)]
pub enum Origin {
    /// Relative paths are relative to the study file.
    File { path: PathBuf, digest: Option<Digest>, span: Span },
    /// A file of a simulated source.
    Simulated { source: Named },
}

#[derive(Clone)]
pub enum ImageOrigin {
    /// `path` and `mask` hold `{id}`.
    Files {
        root: PathBuf,
        path: String,
        mask: String,
        span: Span,
    },
    Simulated {
        source: Named,
    },
}

/// Subjects under one definition.
#[derive(Clone)]
pub struct Cohort {
    pub name: String,
    pub span: Span,
    pub from: Named,
    pub join: Vec<Join>,
    /// Column of `from` that says to which subject a row belongs; without it the id does.
    pub subject: Option<Named>,
    /// How many subjects may fail to be measured before the run fails.
    pub failed_at_most: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Join {
    pub source: Named,
    /// Whether a row without a partner leaves the cohort.
    pub required: bool,
}

#[derive(Clone)]
pub struct Outcome {
    pub name: String,
    pub span: Span,
    pub label: String,
    pub derivation: Use,
}

/// A named block of predictors.
#[derive(Clone)]
pub struct Block {
    pub name: String,
    pub span: Span,
    pub kind: BlockKind,
    /// Steps on the whole block, before any split. Fitted ones leak.
    pub steps: Vec<Use>,
}

#[derive(Clone)]
pub enum BlockKind {
    /// Columns of a table by pattern; `*` stands for any text.
    Columns { from: Named, include: Vec<Named>, except: Vec<Named> },
    /// Features of the voxels with one of `labels`; any label when empty.
    Images { from: Named, labels: Vec<u16>, features: Vec<Use> },
}

/// Which blocks enter together.
#[derive(Clone)]
pub struct Model {
    pub name: String,
    pub span: Span,
    pub blocks: Vec<Named>,
}

/// Steps in order, with every setting of their grids.
#[derive(Clone)]
pub struct Chain {
    /// As in node names: `anova`, or `variance+anova`; `all` for an empty selector.
    pub name: String,
    pub span: Span,
    /// In written order, the last parameter fastest. Never empty.
    pub settings: Vec<ChainSetting>,
}

#[derive(Clone)]
pub struct ChainSetting {
    pub steps: Vec<Use>,
    /// The grid point in words, such as `k = 8`; empty when there is no grid.
    pub text: String,
}

/// Which settings of a chain are fitted alike.
pub struct FitPaths {
    /// The path of each setting.
    pub of_setting: Vec<usize>,
    /// One setting of each path.
    pub setting_of: Vec<usize>,
    /// What names each path's states: identities of its steps.
    pub identities: serde_json::Value,
}

impl Chain {
    /// Every setting, each as its steps' identities.
    pub fn identity(&self) -> Json {
        let steps =
            |setting: &ChainSetting| setting.steps.iter().map(Use::identity).collect();
        self.settings.iter().map(steps).collect::<Vec<Json>>().into()
    }

    /// The distinct ways of fitting this chain, in written order.
    ///
    /// The last step's state serves every value of the parameters that its `fit` does not read;
    /// earlier steps change the rows that later ones are fitted on, so all of theirs count.
    pub fn fit_paths(&self) -> FitPaths {
        let mut paths: Vec<serde_json::Value> = Vec::new();
        let mut of_setting = Vec::new();
        let mut setting_of = Vec::new();
        for (position, setting) in self.settings.iter().enumerate() {
            let last = setting.steps.len().saturating_sub(1);
            let identities =
                setting.steps.iter().enumerate().map(|(i, step)| match i == last {
                    true => step.identity_for_fit(),
                    false => step.identity(),
                });
            let path = identities.collect::<serde_json::Value>();
            let known = paths.iter().position(|known| *known == path);
            of_setting.push(known.unwrap_or(paths.len()));
            if known.is_none() {
                paths.push(path);
                setting_of.push(position);
            }
        }
        FitPaths { of_setting, setting_of, identities: paths.into() }
    }
}

/// A named way of validating.
#[derive(Clone)]
pub struct Scheme {
    pub name: String,
    pub span: Span,
    pub cohort: Named,
    /// The models that it judges, in written order. Never empty.
    pub models: Vec<Named>,
    pub resampling: Use,
}

#[derive(Clone)]
pub struct Evaluate {
    pub primary: Use,
    pub also: Vec<Use>,
    pub tuner: Use,
    pub threshold: Option<ThresholdRule>,
}

#[derive(Clone)]
pub struct ThresholdRule {
    pub rule: Use,
    pub learned_from: LearnedFrom,
    pub span: Span,
}

/// On which predictions a threshold is learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LearnedFrom {
    InnerOutOfFold,
    /// Refused by the proof: the rows it is applied to.
    HeldOut,
}

impl Study {
    pub fn source(&self, name: &str) -> Option<&Source> {
        self.sources.iter().find(|source| source.name == name)
    }

    pub fn cohort(&self, name: &str) -> Option<&Cohort> {
        self.cohorts.iter().find(|cohort| cohort.name == name)
    }

    pub fn block(&self, name: &str) -> Option<&Block> {
        self.predictors.iter().find(|block| block.name == name)
    }

    /// Whether any source is a generator.
    pub fn simulated(&self) -> bool {
        self.sources
            .iter()
            .any(|source| matches!(source.kind, SourceKind::Simulate { .. }))
    }

    /// Whether the content of `source` was made by a generator.
    pub fn from_generator(&self, source: &Source) -> bool {
        match &source.kind {
            SourceKind::Simulate { .. } => true,
            SourceKind::Table { from, .. } | SourceKind::Maf { from, .. } => {
                matches!(from, Origin::Simulated { .. })
            }
            SourceKind::Images { from, .. } => {
                matches!(from, ImageOrigin::Simulated { .. })
            }
        }
    }

    /// The digest of everything here that can change a result: no title, label, path or place.
    pub fn digest(&self) -> Digest {
        let sources = self.sources.iter().map(|source| match &source.kind {
            SourceKind::Table { reader, id, .. } => {
                json!({ "table": reader.identity(), "id": id.name })
            }
            SourceKind::Maf { reader, id, assayed, .. } => json!({
                "maf": reader.identity(), "id": id.name,
                "assayed": assayed.as_ref().map(|named| &named.name),
            }),
            SourceKind::Images { reader, unit, .. } => {
                json!({ "images": reader.identity(), "unit": unit })
            }
            SourceKind::Simulate { generator } => {
                json!({ "simulate": generator.identity() })
            }
        });
        let cohorts = self.cohorts.iter().map(|cohort| {
            let join =
                cohort.join.iter().map(|join| json!([join.source.name, join.required]));
            json!({
                "from": cohort.from.name, "join": join.collect::<Json>(),
                "subject": cohort.subject.as_ref().map(|named| &named.name),
                "failed_at_most": cohort.failed_at_most,
            })
        });
        let predictors = self.predictors.iter().map(|block| {
            let steps = block.steps.iter().map(Use::identity).collect::<Json>();
            let names = |names: &[Named]| names.iter().map(|n| n.name.clone()).collect::<Json>();
            match &block.kind {
                BlockKind::Columns { from, include, except } => json!({
                    "columns": from.name, "include": names(include), "except": names(except),
                    "steps": steps,
                }),
                BlockKind::Images { from, labels, features } => json!({
                    "images": from.name, "labels": labels, "steps": steps,
                    "features": features.iter().map(Use::identity).collect::<Json>(),
                }),
            }
        });
        let models = self.models.iter().map(|model| {
            model.blocks.iter().map(|block| block.name.clone()).collect::<Json>()
        });
        let validate = self.validate.iter().map(|scheme| {
            let models = scheme.models.iter().map(|model| model.name.clone());
            json!([
                scheme.cohort.name,
                scheme.resampling.identity(),
                models.collect::<Json>()
            ])
        });
        let evaluate = &self.evaluate;
        let threshold = evaluate.threshold.as_ref().map(|threshold| {
            let held_out = threshold.learned_from == LearnedFrom::HeldOut;
            json!([threshold.rule.identity(), held_out])
        });
        let chains =
            |chains: &[Chain]| chains.iter().map(Chain::identity).collect::<Json>();
        let whole = json!({
            "seed": self.seed,
            "sources": sources.collect::<Json>(),
            "cohorts": cohorts.collect::<Json>(),
            "outcomes":
                self.outcomes.iter().map(|o| o.derivation.identity()).collect::<Json>(),
            "predictors": predictors.collect::<Json>(),
            "models": models.collect::<Json>(),
            "prepare": self.prepare.identity(),
            "select": chains(&self.select),
            "learn": chains(&self.learn),
            "validate": validate.collect::<Json>(),
            "primary": evaluate.primary.identity(),
            "also": evaluate.also.iter().map(Use::identity).collect::<Json>(),
            "tuner": evaluate.tuner.identity(),
            "threshold": threshold,
        });
        Digest::derive("restudy study v1", canonical_json(&whole).as_bytes())
    }

    /// The splits of a scheme: how many, known without data.
    pub fn shape(scheme: &Scheme) -> crate::data::Shape {
        match &scheme.resampling.instance {
            Instance::Resampling(resampling) => resampling.shape(),
            _ => unreachable!("`spec` puts a resampling scheme here"),
        }
    }
}
