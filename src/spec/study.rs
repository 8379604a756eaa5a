//! A study as the engine understands it: names resolved, parameters typed, places kept.

use serde_json::{Value as Json, json};

use super::{Chain, Cohort, ImageOrigin, Origin, Part, Rule, Source, SourceKind};
use crate::data::{Reporting, TargetPrevalence};
use crate::diagnostics::Span;
use crate::digest::{Digest, canonical_json};
use crate::operation::{About, AnyDerivation, Entry, Instance};

/// A checked study.
#[derive(Clone)]
pub struct Study {
    pub title: String,
    pub cancer: String,
    pub seed: u64,
    pub sources: Vec<Source>,
    pub derive: Vec<Derived>,
    pub cohorts: Vec<Cohort>,
    pub agree: Vec<Agreement>,
    pub outcomes: Vec<Outcome>,
    pub predictors: Vec<Block>,
    pub models: Vec<Model>,
    pub primary_model: Option<Named>,
    /// Whether models are frozen at all: `frozen: none` switches it off.
    pub freezes: bool,
    /// Alternatives; each setting of each is one learner.
    pub learn: Vec<Chain>,
    /// What any of them is where a selector keeps no column: the prevalence, whoever is asked about.
    pub null_model: Use,
    /// Named schemes on one procedure; the first is the headline.
    pub validate: Vec<Scheme>,
    /// Cohorts that frozen models meet once.
    pub external: Vec<Named>,
    pub evaluate: Evaluate,
    pub governance: Governance,
    /// What the author says changed since the plan.
    pub deviations: Vec<Deviation>,
    /// The author's half of the report. It enters no key: only the report reads it.
    pub reporting: Reporting,
}

/// Under which terms the data are used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Governance {
    pub public: bool,
    /// The smallest count of patients that a report of data that are not public may show.
    pub smallest_cell: Option<usize>,
    pub terms: Option<String>,
    pub ethics: Option<String>,
    pub consent: Option<String>,
}

/// A departure from the plan, as its author tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deviation {
    pub what: String,
    /// The setting that it is about.
    pub path: Option<String>,
    pub when: Option<String>,
    pub why: Option<String>,
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
    /// The same for what a step's `fit` reads, or for what a learner's random numbers depend on:
    /// see [`crate::operation::TableStep::as_fitted`], [`crate::operation::Learner::as_seeded`].
    pub changed_for_fit: serde_json::Value,
    /// The same of a setting whose state serves this one too: see
    /// [`crate::operation::TableStep::served_by`].
    pub changed_for_serving: Option<serde_json::Value>,
    /// Names of the parameters that the author wrote.
    pub written: Vec<String>,
    /// The blocks on whose columns a step acts; all when there is none.
    pub scope: Option<Vec<String>>,
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
            Instance::Learner(learner) => {
                difference(&learner.seeded_parameters(), &defaults)
            }
            _ => changed.clone(),
        };
        let serving = match &instance {
            Instance::TableStep(step) => step.serving_parameters(),
            _ => None,
        };
        let changed_for_serving = serving.map(|serving| difference(&serving, &defaults));
        Ok(Self {
            about: entry.about,
            summary: entry.summary(),
            random: entry.random,
            instance,
            parameters,
            changed,
            changed_for_fit,
            changed_for_serving,
            written: written.keys().cloned().collect(),
            scope: None,
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

    /// Whether a step acts on a column: those of models are called `block.column`.
    pub fn acts_on(&self, column: &str) -> bool {
        self.scope.as_ref().is_none_or(|blocks| {
            let block = column.split_once('.').map_or(column, |(block, _)| block);
            blocks.iter().any(|known| known == block)
        })
    }

    /// The same of a state that serves this step too, where there may be such.
    pub fn identity_for_serving(&self) -> Option<serde_json::Value> {
        self.changed_for_serving.as_ref().map(|changed| self.identified(changed))
    }

    fn identified(&self, parameters: &serde_json::Value) -> serde_json::Value {
        let mut identity = serde_json::json!({
            "operation": self.about.name,
            "version": self.about.version,
            "parameters": parameters,
        });
        if let Some(scope) = &self.scope {
            identity["on"] = serde_json::json!(scope);
        }
        identity
    }

    /// The fields of its identity, each as canonical JSON.
    pub fn identity_fields(&self) -> Vec<(&'static str, String)> {
        let name = serde_json::Value::from(self.about.name);
        let mut fields = vec![
            ("operation", canonical_json(&name)),
            ("version", self.about.version.to_string()),
            ("parameters", canonical_json(&self.changed)),
        ];
        if let Some(scope) = &self.scope {
            fields.push(("on", canonical_json(&serde_json::json!(scope))));
        }
        fields
    }

    /// Every parameter, those that have no effect beside the others at their defaults: what tells
    /// settings apart.
    pub fn applied(&self) -> serde_json::Value {
        match &self.instance {
            Instance::TableStep(step) => step.applied_parameters(),
            Instance::Learner(learner) => learner.applied_parameters(),
            _ => self.parameters.clone(),
        }
    }

    /// A name for the parameters that random numbers depend on.
    pub fn stream_digest(&self) -> Digest {
        Digest::of(canonical_json(&self.changed_for_fit).as_bytes())
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

/// A name with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pub name: String,
    pub span: Span,
}

/// What part an outcome or a model plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Primary,
    Sensitivity,
    Control,
}

impl Role {
    pub fn word(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Sensitivity => "sensitivity",
            Self::Control => "control",
        }
    }
}

/// What is predicted.
#[derive(Clone)]
pub struct Outcome {
    pub name: String,
    pub span: Span,
    pub label: String,
    /// In order of precedence; never empty.
    pub derivations: Vec<Use>,
    pub on_conflict: OnConflict,
    /// Whether somebody of whom nothing is known refuses the study.
    pub refuse_missing: bool,
    pub role: Role,
}

/// When two derivations that know a patient disagree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnConflict {
    First,
    Missing,
    Refuse,
}

impl Outcome {
    /// What decides its calls, for keys.
    pub fn identity(&self) -> Json {
        let one = |used: &Use| used.identity();
        match self.derivations.as_slice() {
            [only] => only.identity(),
            several => json!({
                "first_of": several.iter().map(one).collect::<Json>(),
                "missing_on_conflict": self.on_conflict == OnConflict::Missing,
            }),
        }
    }

    /// The derivations themselves.
    pub fn instances(
        &self,
    ) -> impl Iterator<Item = (&Use, &std::sync::Arc<dyn AnyDerivation>)> {
        self.derivations.iter().filter_map(|used| match &used.instance {
            Instance::Derivation(instance) => Some((used, instance)),
            _ => None,
        })
    }
}

/// A column cut from an id or mapped from a column.
#[derive(Clone)]
pub struct Derived {
    pub name: String,
    pub span: Span,
    /// `id`, another derived column or `source.column`.
    pub from: Named,
    pub part: Part,
    /// Values, each with those that mean it.
    pub map: Vec<(String, Vec<String>)>,
    pub otherwise: Option<String>,
}

impl Derived {
    pub fn identity(&self) -> Json {
        json!([self.from.name, self.part.identity(), self.map, self.otherwise])
    }
}

/// One fact as two sources hold it.
#[derive(Clone)]
pub struct Agreement {
    pub name: String,
    pub span: Span,
    pub facts: Facts,
    pub tolerate: usize,
}

/// What is compared.
#[derive(Clone)]
#[allow(clippy::large_enum_variant)] // A study compares a few facts.
pub enum Facts {
    /// Two derivations of one outcome.
    Derived([Use; 2]),
    /// Two columns, by source and name; numbers may lie `within` of each other.
    Columns { columns: [(Named, String); 2], within: f64 },
}

/// A named block of predictors.
#[derive(Clone)]
pub struct Block {
    pub name: String,
    pub span: Span,
    pub kind: BlockKind,
    /// When its values are known: one of [`super::KNOWN`], if the author said so.
    pub known: Option<String>,
    /// Whether it holds what is known of patients rather than what a device measured.
    pub clinical: bool,
    /// Steps on the whole block, before any split. Fitted ones leak.
    pub steps: Vec<Use>,
}

/// Where the predictors of a block come from.
#[derive(Clone)]
pub enum BlockKind {
    /// Columns of tables by pattern; `*` stands for any text.
    Columns { from: Vec<Named>, include: Vec<Named>, except: Vec<Named> },
    /// Features of the voxels with one of `labels`; any label when empty.
    Images { from: Named, labels: Vec<u16>, features: Vec<Use> },
}

impl Block {
    /// The sources that it reads.
    pub fn sources(&self) -> &[Named] {
        match &self.kind {
            BlockKind::Columns { from, .. } => from,
            BlockKind::Images { from, .. } => std::slice::from_ref(from),
        }
    }

    /// Whether a device measured it, so that places may differ in how.
    pub fn measured(&self) -> bool {
        !self.clinical && self.sources().iter().any(|source| source.name != DERIVE)
    }
}

/// Where derived columns are named as if they were a source.
pub const DERIVE: &str = "derive";

/// Which blocks enter together, and what is done with them.
#[derive(Clone)]
pub struct Model {
    pub name: String,
    pub span: Span,
    pub blocks: Vec<Named>,
    /// Blocks whose columns no selector may drop.
    pub forced: Vec<Named>,
    pub role: Role,
    /// Ways of preparing it: fitted on the training rows of every split, before selection.
    /// Never empty; the first is that of the headline.
    pub branches: Vec<Branch>,
    /// Alternatives; `all` is an empty chain.
    pub select: Vec<Chain>,
    /// Why it is there, if the author does not name it.
    pub added: Option<Added>,
}

/// A control that stands beside the headline without being asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// `site or stratum`, `volume` or `clinical`.
    pub looks_at: &'static str,
    /// In words: what of the study calls for it.
    pub why: String,
    /// Whether it meets external cohorts too.
    pub outside: bool,
}

impl Model {
    /// The columns of the cohort that the steps of a branch and the selectors want beside the rows.
    pub fn beside(&self, branch: usize) -> Vec<Named> {
        let mut columns: Vec<Named> = self.branches[branch].prepare.columns();
        for column in self.select.iter().flat_map(Chain::columns) {
            if !columns.iter().any(|known| known.name == column.name) {
                columns.push(column);
            }
        }
        columns
    }

    /// Whether a step of a branch or a selector looks at held-out rows together.
    pub fn transductive(&self, branch: usize) -> bool {
        self.branches[branch].prepare.transductive()
            || self.select.iter().any(Chain::transductive)
    }
}

/// One way of preparing a model.
#[derive(Clone)]
pub struct Branch {
    /// Empty when there is only one.
    pub name: String,
    pub prepare: Chain,
}

/// A named way of validating.
#[derive(Clone)]
pub struct Scheme {
    pub name: String,
    pub span: Span,
    pub cohort: Named,
    /// The models that it judges, in written order. Never empty.
    pub models: Vec<Named>,
    /// The outcomes that it judges; all when empty.
    pub outcomes: Vec<Named>,
    pub resampling: Use,
}

impl Scheme {
    /// Whether it judges predictions of this outcome.
    pub fn judges(&self, outcome: &str) -> bool {
        self.outcomes.is_empty() || self.outcomes.iter().any(|of| of.name == outcome)
    }

    /// Whether it trains a model for an outcome that this one trains too.
    pub fn shares_with(&self, other: &Self) -> bool {
        let models = |scheme: &Self| -> Vec<String> {
            scheme.models.iter().map(|model| model.name.clone()).collect()
        };
        let theirs = models(other);
        let outcome = self.outcomes.is_empty()
            || other.outcomes.is_empty()
            || self.outcomes.iter().any(|of| other.judges(&of.name));
        outcome && models(self).iter().any(|model| theirs.contains(model))
    }
}

/// Ways of choosing among candidates: each rule with each metric.
#[derive(Clone)]
pub struct Choosing {
    /// As in node names; the first has none.
    pub name: Option<&'static str>,
    pub rules: Vec<Use>,
    pub metrics: Vec<Use>,
}

impl Choosing {
    /// Each rule with each metric, metric by metric.
    pub fn ways(&self) -> Vec<(&Use, &Use)> {
        let each = |metric| self.rules.iter().map(move |rule| (rule, metric));
        self.metrics.iter().flat_map(each).collect()
    }
}

/// How predictions are judged, and how a candidate is chosen.
#[derive(Clone)]
pub struct Evaluate {
    pub primary: Use,
    pub also: Vec<Use>,
    /// What every analysis measures whether it was asked for or not, less what is named above.
    pub standard: Vec<Use>,
    pub tuner: Use,
    /// Rules and metrics that a study may go over to. What they choose is fitted as well, so that a study
    /// that changes its rule or its primary metric fits nothing. The first are the same whatever the
    /// study's own are; others are there where its own are not among them. No rules where candidates are
    /// halved: others would have to choose among unscored ones.
    pub choosing: Vec<Choosing>,
    /// Whether the prevalence is predicted where the choice does no better on inner folds.
    pub falls_back: bool,
    pub threshold: Option<ThresholdRule>,
    /// Column within whose values pairs are also compared.
    pub within: Option<Named>,
    /// Whether it was not asked for, and is measured since the outcome goes with it.
    pub within_added: bool,
    pub decision_range: Option<(f64, f64)>,
    pub target_prevalence: Option<TargetPrevalence>,
    pub subgroups: Vec<Subgroup>,
    pub compare: Vec<Compare>,
    /// Whether p values of the comparisons are adjusted by Holm's method.
    pub holm: bool,
    pub claims: Vec<Claim>,
    pub permuted: Option<Permutation>,
    /// Why the outcome is not permuted, if the author said so.
    pub not_permuted: Option<String>,
    pub learning_curve: LearningCurve,
    pub unnamed: UnnamedControls,
}

/// What the whole procedure achieves when it learns from fewer patients.
#[derive(Debug, Clone, PartialEq)]
pub enum LearningCurve {
    Drawn {
        /// Of the training patients of each outer split; ascending, between 0 and 1.
        fractions: Vec<f64>,
        /// Of how many repeats of the first scheme the outer splits are used.
        repeats: usize,
        /// Where the author said how many.
        span: Option<Span>,
    },
    /// It is not drawn, for this reason.
    Left(String),
}

impl LearningCurve {
    pub const FRACTIONS: [f64; 3] = [0.25, 0.5, 0.75];
}

impl Default for LearningCurve {
    fn default() -> Self {
        Self::Drawn { fractions: Self::FRACTIONS.to_vec(), repeats: 1, span: None }
    }
}

/// What becomes of controls that readers will ask for and that the study does not name.
#[derive(Clone)]
pub enum UnnamedControls {
    /// They are added, prepared in one of these ways.
    Added { categories: Chain, numbers: Chain },
    /// They are left out, for this reason.
    Left(String),
}

/// The whole procedure on permuted outcomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permutation {
    pub times: usize,
    /// Column within whose values outcomes are permuted.
    pub within: Option<Named>,
    /// How many repeats of the scheme a run has.
    pub repeats: usize,
    pub span: Span,
}

/// Ways that follow each other and have the same metric.
pub fn by_metric<'w, 's>(
    ways: &'w [(&'s Use, &'s Use)],
) -> impl Iterator<Item = &'w [(&'s Use, &'s Use)]> {
    ways.chunk_by(|a, b| std::ptr::eq(a.1, b.1))
}

impl Evaluate {
    /// The ways of choosing by which permuted outcomes go through the procedure, those of each node apart:
    /// all that stand beside the study's own way, which are the last. Before them those that any study has,
    /// where they ask no more of the candidates than the study's own do.
    pub fn permuted_ways(&self) -> Vec<Vec<(&Use, &Use)>> {
        let Some((own, _)) = self.own_among() else {
            return vec![vec![(&self.tuner, &self.primary)]];
        };
        let metrics =
            |of: &Choosing| -> Vec<_> { of.metrics.iter().map(Use::identity).collect() };
        let (first, own_ways) = (&self.choosing[0], &self.choosing[own]);
        let as_well = own > 0
            && metrics(first) == metrics(own_ways)
            && own_ways.rules.iter().all(|rule| self.is_apart(rule));
        let first = as_well.then(|| first.ways());
        first.into_iter().chain([own_ways.ways()]).collect()
    }

    /// The metrics of these ways.
    pub fn chosen_by(&self) -> Vec<&Use> {
        let own = self.permuted_ways().pop().unwrap_or_default();
        by_metric(&own).map(|of_metric| of_metric[0].1).collect()
    }

    /// Whether permuted outcomes ask nothing of a candidate but what it has by itself, so that others may
    /// join it later. Where candidates are halved, which of them are scored depends on all.
    pub fn tries_apart(&self) -> bool {
        let mut ways = self.permuted_ways().into_iter().flatten();
        self.halving().is_none() && ways.all(|(rule, _)| self.is_apart(rule))
    }

    /// Whether a rule chooses by what each candidate has by itself. What several gain together over the
    /// prevalence is known from what they say of each row.
    fn is_apart(&self, rule: &Use) -> bool {
        match &rule.instance {
            Instance::Tuner(tuner) => {
                tuner.by_scores() && (tuner.chooses_one() || !self.falls_back)
            }
            _ => false,
        }
    }

    /// Whether it is the study's own rule with its primary metric.
    fn is_own(&self, (rule, metric): (&Use, &Use)) -> bool {
        rule.identity() == self.tuner.identity()
            && metric.identity() == self.primary.identity()
    }

    /// Where the study's own stand among all that candidates may be chosen by, if they do: in which of
    /// [`Self::choosing`], and where among its ways.
    pub fn own_among(&self) -> Option<(usize, usize)> {
        let of = |of: &Choosing| of.ways().into_iter().position(|way| self.is_own(way));
        let mut all = self.choosing.iter().map(of).enumerate();
        all.find_map(|(at, way)| Some((at, way?)))
    }

    /// Where they stand among the last of [`Self::permuted_ways`].
    pub fn own_way(&self) -> usize {
        self.own_among().map_or(0, |(_, way)| way)
    }

    /// By what it is told how much predictors matter: all metrics that candidates may be chosen by, so that
    /// a study that chooses by another looks at nothing again, and its own.
    pub fn importance_metrics(&self) -> impl Iterator<Item = &Use> {
        let metrics = self.choosing.first().map_or(&[][..], |first| &first.metrics);
        let own = Some(&self.primary)
            .filter(|own| metrics.iter().all(|known| known.identity() != own.identity()));
        metrics.iter().chain(own)
    }

    /// Every metric, the primary first, those that the author named before the standard ones.
    pub fn metrics(&self) -> impl Iterator<Item = &Use> {
        std::iter::once(&self.primary).chain(&self.also).chain(&self.standard)
    }

    /// How many times fewer candidates go on after each rung, where not all are scored everywhere.
    pub fn halving(&self) -> Option<usize> {
        match &self.tuner.instance {
            Instance::Tuner(tuner) => tuner.halving(),
            _ => None,
        }
    }

    /// How many of `n` candidates are left after a number of rungs.
    pub fn left(&self, n: usize, rungs: usize) -> usize {
        let factor = self.halving().unwrap_or(1);
        (0..rungs).fold(n, |n, _| n.div_ceil(factor))
    }
}

/// Groups in which performance is measured as well.
#[derive(Debug, Clone, PartialEq)]
pub struct Subgroup {
    pub by: Named,
    /// Ascending.
    pub cut: Vec<f64>,
    pub minimum_events: usize,
}

/// Two models on identical splits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compare {
    pub better: Named,
    pub than: Named,
}

/// What would count as success.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    pub text: String,
    pub rule: Rule,
    pub words: Option<String>,
    pub span: Span,
}

/// Where the threshold comes from at and above which a prediction is positive.
#[derive(Clone)]
pub struct ThresholdRule {
    pub rule: Use,
    /// External cohorts that it is applied to; all when empty.
    pub frozen_for: Vec<Named>,
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
    /// Whether an outcome is looked at in a cohort: by a scheme, or by what a scheme has frozen.
    pub fn looks_at(&self, outcome: &str, cohort: &str) -> bool {
        let of_scheme = |scheme: &Scheme| scheme.judges(outcome);
        let here = |scheme: &&Scheme| scheme.cohort.name == cohort;
        let is_external = self.external.iter().any(|named| named.name == cohort);
        // Without a sound scheme outcomes are looked at everywhere, so that faults are named.
        self.validate.is_empty()
            || self.validate.iter().filter(here).any(of_scheme)
            || is_external && self.validate.first().is_some_and(of_scheme)
    }

    /// The source of this name.
    pub fn source(&self, name: &str) -> Option<&Source> {
        self.sources.iter().find(|source| source.name == name)
    }

    /// The cohort of this name.
    pub fn cohort(&self, name: &str) -> Option<&Cohort> {
        self.cohorts.iter().find(|cohort| cohort.name == name)
    }

    /// Whether a block only repeats columns of others: that of a control for a volume that was added.
    pub fn repeats(&self, block: &Block) -> bool {
        let reads = |model: &&Model| model.blocks.iter().any(|b| b.name == block.name);
        let mut readers = self.models.iter().filter(reads).peekable();
        let added = |model: &Model| {
            model.added.as_ref().is_some_and(|added| added.looks_at == "volume")
        };
        readers.peek().is_some() && readers.all(added)
    }

    /// The block of predictors of this name.
    pub fn block(&self, name: &str) -> Option<&Block> {
        self.predictors.iter().find(|block| block.name == name)
    }

    /// Whether any source is a generator.
    pub fn simulated(&self) -> bool {
        self.sources
            .iter()
            .any(|source| matches!(source.kind, SourceKind::Simulate { .. }))
    }

    /// The smallest count of patients that may be shown; none where anything may, as all data are
    /// public or there is no patient in them.
    pub fn smallest_cell(&self) -> Option<usize> {
        /// As most holders of health data ask for, where they do not ask for more.
        const USUAL: usize = 5;
        let patients = self.sources.iter().any(|source| !self.from_generator(source));
        let protects = patients && !self.governance.public;
        protects.then(|| self.governance.smallest_cell.unwrap_or(USUAL))
    }

    /// The derived column of this name.
    pub fn derived(&self, name: &str) -> Option<&Derived> {
        self.derive.iter().find(|derived| derived.name == name)
    }

    /// The model of this name.
    pub fn model(&self, name: &str) -> Option<&Model> {
        self.models.iter().find(|model| model.name == name)
    }

    /// The model of the headline: the named one, else the first.
    pub fn headline_model(&self) -> Option<&Model> {
        let named = self.primary_model.as_ref().and_then(|named| self.model(&named.name));
        named.or(self.models.first())
    }

    /// The model that is handed over: tuned on all development rows, then frozen. The named one, or
    /// the only one of the first scheme that is no control; none where nobody says which.
    pub fn primary_frozen(&self) -> Option<&Model> {
        let scheme = self.validate.first().filter(|_| self.freezes)?;
        let judged = |model: &&Model| scheme.models.iter().any(|m| m.name == model.name);
        if let Some(named) = &self.primary_model {
            return self.model(&named.name).filter(judged);
        }
        let mut candidates =
            self.models.iter().filter(judged).filter(|m| m.role != Role::Control);
        candidates.next().filter(|_| candidates.next().is_none())
    }

    /// The models that are tuned on all development rows: the primary one, and beside it those that
    /// external cohorts compare it with.
    pub fn frozen_models(&self) -> Vec<&Model> {
        let Some(scheme) = self.validate.first().filter(|_| self.freezes) else {
            return Vec::new();
        };
        if self.external.is_empty() {
            return self.primary_frozen().into_iter().collect();
        }
        let named = scheme.models.iter().filter_map(|model| self.model(&model.name));
        let outside = |model: &&Model| model.added.as_ref().is_none_or(|of| of.outside);
        named.filter(outside).collect()
    }

    /// Whether models for this outcome are frozen.
    pub fn freezes_for(&self, outcome: &Outcome) -> bool {
        let judged = self.validate.first().is_some_and(|s| s.judges(&outcome.name));
        let wanted = outcome.role != Role::Control || !self.external.is_empty();
        judged && wanted && !self.frozen_models().is_empty()
    }

    /// The cohort on whose rows models are developed: that of the first scheme.
    pub fn development(&self) -> Option<&Cohort> {
        self.cohort(&self.validate.first()?.cohort.name)
    }

    /// Whether the content of `source` was made by a generator.
    pub fn from_generator(&self, source: &Source) -> bool {
        match &source.kind {
            SourceKind::Simulate { .. } => true,
            SourceKind::Table { files, .. } | SourceKind::Maf { files, .. } => {
                files.iter().all(|from| matches!(from, Origin::Simulated { .. }))
            }
            SourceKind::Images { from, .. } => {
                matches!(from, ImageOrigin::Simulated { .. })
            }
        }
    }

    /// The digest of everything here that can change a result: no title, label, path or place.
    /// Controls that were added follow from the rest and from the data, so they are no part of it.
    pub fn digest(&self) -> Digest {
        let written = |name: &str| self.model(name).is_none_or(|m| m.added.is_none());
        let of_added = |block: &Block| {
            let mut models = self.models.iter().filter(|model| {
                model.blocks.iter().any(|known| known.name == block.name)
            });
            models.next().is_some_and(|model| model.added.is_some())
        };
        let blocks = self.predictors.iter().filter(|block| !of_added(block));
        let models = self.models.iter().filter(|model| model.added.is_none());
        let validate = self.validate.iter().map(|scheme| {
            let models = scheme.models.iter().filter(|model| written(&model.name));
            json!([
                scheme.cohort.name,
                scheme.resampling.identity(),
                models.map(|model| model.name.clone()).collect::<Json>(),
                names(&scheme.outcomes)
            ])
        });
        let mut whole = json!({
            "seed": self.seed,
            "sources": self.sources.iter().map(Source::identity).collect::<Json>(),
            "derive": self.derive.iter().map(Derived::identity).collect::<Json>(),
            "cohorts": self.cohorts.iter().map(Cohort::identity).collect::<Json>(),
            "outcomes": self.outcomes.iter().map(Outcome::identity).collect::<Json>(),
            "predictors": blocks.map(Block::identity).collect::<Json>(),
            "models": models.map(Model::identity).collect::<Json>(),
            "primary_model": self.primary_model.as_ref().map(|named| &named.name),
            "learn": chains(&self.learn),
            "validate": validate.collect::<Json>(),
            "external": names(&self.external),
            "freezes": self.freezes,
        });
        self.evaluate.add_to_identity(&mut whole);
        Digest::derive("restudy study v3", canonical_json(&whole).as_bytes())
    }

    /// The splits of a scheme: how many, known without data.
    pub fn shape(scheme: &Scheme) -> crate::data::Shape {
        match &scheme.resampling.instance {
            Instance::Resampling(resampling) => resampling.shape(),
            _ => unreachable!("`spec` puts a resampling scheme here"),
        }
    }
}

impl Block {
    fn identity(&self) -> Json {
        let steps = self.steps.iter().map(Use::identity).collect::<Json>();
        match &self.kind {
            BlockKind::Columns { from, include, except } => json!({
                "columns": names(from), "include": names(include),
                "except": names(except), "steps": steps,
            }),
            BlockKind::Images { from, labels, features } => json!({
                "images": from.name, "labels": labels, "steps": steps,
                "features": features.iter().map(Use::identity).collect::<Json>(),
            }),
        }
    }
}

impl Model {
    fn identity(&self) -> Json {
        let branches = self.branches.iter().map(|branch| branch.prepare.identity());
        json!({
            "blocks": names(&self.blocks), "forced": names(&self.forced),
            "prepare": branches.collect::<Json>(), "select": chains(&self.select),
        })
    }
}

impl Evaluate {
    /// Adds what can change a result of how a study is judged.
    fn add_to_identity(&self, whole: &mut Json) {
        let threshold = self.threshold.as_ref().map(|threshold| {
            let held_out = threshold.learned_from == LearnedFrom::HeldOut;
            json!([threshold.rule.identity(), held_out])
        });
        let compare = self.compare.iter().map(|c| json!([c.better.name, c.than.name]));
        let subgroups =
            self.subgroups.iter().map(|s| json!([s.by.name, s.cut, s.minimum_events]));
        let own = json!({
            "primary": self.primary.identity(),
            "also": self.also.iter().map(Use::identity).collect::<Json>(),
            "tuner": self.tuner.identity(),
            "threshold": threshold,
            "within": self
                .within
                .as_ref()
                .filter(|_| !self.within_added)
                .map(|named| &named.name),
            "compare": [compare.collect::<Json>(), json!(self.holm)],
            "subgroups": subgroups.collect::<Json>(),
            "claims": self.claims.iter().map(|c| c.text.clone()).collect::<Json>(),
        });
        for (key, value) in own.as_object().into_iter().flatten() {
            whole[key] = value.clone();
        }
        if let Some(target) = &self.target_prevalence {
            whole["target_prevalence"] = json!(target.prevalence);
        }
        if matches!(self.unnamed, UnnamedControls::Left(_)) {
            whole["controls_added"] = json!(false);
        }
        // What is not said is left out, so that studies that do not say it keep their names.
        if self.falls_back {
            whole["fallback"] = json!(true);
        }
        if let Some(range) = self.decision_range {
            whole["decision_range"] = json!(range);
        }
        if let Some(permuted) = &self.permuted {
            let within = permuted.within.as_ref().map(|named| &named.name);
            whole["permuted"] = json!([permuted.times, within, permuted.repeats]);
        }
        match &self.learning_curve {
            LearningCurve::Left(_) => whole["learning_curve"] = json!(false),
            LearningCurve::Drawn { fractions, repeats, .. }
                if *fractions != LearningCurve::FRACTIONS || *repeats != 1 =>
            {
                whole["learning_curve"] = json!([fractions, repeats]);
            }
            LearningCurve::Drawn { .. } => {}
        }
    }
}

fn names(names: &[Named]) -> Json {
    names.iter().map(|named| named.name.clone()).collect()
}

fn chains(chains: &[Chain]) -> Json {
    chains.iter().map(Chain::identity).collect()
}
