//! A study as the engine understands it: names resolved, parameters typed, places kept.

use std::path::PathBuf;

use crate::data::{self};
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
        let mut changed = serde_json::Map::new();
        if let (Some(all), Some(defaults)) =
            (parameters.as_object(), defaults.as_object())
        {
            for (name, value) in all {
                if defaults.get(name) != Some(value) {
                    changed.insert(name.clone(), value.clone());
                }
            }
        }
        Ok(Self {
            about: entry.about,
            summary: entry.summary(),
            random: entry.random,
            instance,
            parameters,
            changed: changed.into(),
            written: written.keys().cloned().collect(),
            span,
        })
    }

    /// Operation, version and changed parameters: its part of a node's key.
    pub fn identity(&self) -> serde_json::Value {
        serde_json::json!({
            "operation": self.about.name,
            "version": self.about.version,
            "parameters": self.changed,
        })
    }

    /// A name for the parameters, for random streams.
    pub fn parameter_digest(&self) -> Digest {
        Digest::of(canonical_json(&self.changed).as_bytes())
    }
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

    /// The splits of a scheme: how many, known without data.
    pub fn shape(scheme: &Scheme) -> data::Shape {
        match &scheme.resampling.instance {
            Instance::Resampling(resampling) => resampling.shape(),
            _ => unreachable!("`spec` puts a resampling scheme here"),
        }
    }
}
