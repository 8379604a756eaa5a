//! What a study found: everything that the report shows, and nothing about the run.
//!
//! A pure function of study, canonical data, engine version and, where one was locked, the protocol: no
//! clock, no host, no path and no subject's id. `report.json` is this type as JSON.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Band, CalibrationCurve, Checklist, Compared, ConflictFacts, Confusion, Count, Curve,
    DecisionAtThreshold, DecisionCurve, Estimate, ExpectedWidth, ExtractionFacts,
    FullModelFacts, GroupDifference, GroupEstimate, GroupMeasure, Heterogeneity,
    LearningFacts, MissingnessFacts, ProtocolFacts, QualityFacts, Reporting,
    RiskOfBiasFacts,
};
use crate::units::Unit;

/// The whole result of a study.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StudyRecord {
    /// Version of this layout.
    pub schema: u32,
    pub engine: String,
    pub study: StudyFacts,
    pub sources: Vec<SourceFacts>,
    pub cohorts: Vec<CohortFacts>,
    pub outcomes: Vec<OutcomeFacts>,
    /// Facts that two sources hold, compared.
    pub agreements: Vec<AgreementFacts>,
    /// How outcomes go with sites and strata in the development cohorts.
    pub associations: Vec<AssociationFacts>,
    pub predictors: Vec<BlockFacts>,
    /// How images became features: every setting here, and what columns tell of those elsewhere.
    #[serde(default)]
    pub extraction: Vec<ExtractionFacts>,
    /// Table 1: variables by cohort and class.
    #[serde(default)]
    pub characteristics: Vec<CharacteristicFacts>,
    /// Missing values of every cohort that is analysed.
    #[serde(default)]
    pub missingness: Vec<MissingnessFacts>,
    /// Names of the analyses in written order; the first is the headline.
    pub analysis_order: Vec<String>,
    pub analyses: BTreeMap<String, AnalysisRecord>,
    /// The models that are handed over, one for each outcome.
    #[serde(default)]
    pub full_models: Vec<FullModelFacts>,
    /// Models compared on identical splits.
    pub comparisons: Vec<ComparisonFacts>,
    /// What would count as success, stated beforehand, and what came of it.
    pub claims: Vec<ClaimFacts>,
    /// Departures from the plan, as the author tells them.
    pub deviations: Vec<DeviationFacts>,
    /// The protocol, if one was locked, and what differs from it.
    #[serde(default)]
    pub protocol: Option<ProtocolFacts>,
    pub methods: Vec<MethodFacts>,
    pub graph: GraphFacts,
    pub certificate: Certificate,
    pub references: Vec<Reference>,
    /// Warnings that `check` gave, in its words.
    pub warnings: Vec<String>,
    /// The author's half of the report, by field.
    #[serde(default)]
    pub reporting: Reporting,
    /// What becomes of every item of every standard: made from everything above when the report
    /// is rendered.
    #[serde(default)]
    pub checklists: Vec<Checklist>,
    /// Where the author's half contradicts the run.
    #[serde(default)]
    pub conflicts: Vec<ConflictFacts>,
    /// Points for how well it was done, made like the checklists.
    #[serde(default)]
    pub quality: Option<QualityFacts>,
    /// What an assessor of the risk of bias has to know, and what one has said.
    #[serde(default)]
    pub risk_of_bias: Option<RiskOfBiasFacts>,
    /// What was hidden so that no patient can be told from the report; none where all data are
    /// public or simulated.
    #[serde(default)]
    pub suppression: Option<SuppressionFacts>,
}

/// What a report of data that are not public hides, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SuppressionFacts {
    /// Counts from 1 to one less than this are hidden.
    pub smallest_cell: usize,
    /// Places in this record that are `null`, or not there, because they are hidden: small ones, and
    /// those that would give small ones away. Which is which is not told.
    pub hidden: Vec<String>,
    /// Places whose numbers are rounded so that no small count follows from them, with the step; `*`
    /// stands for every position of a list.
    pub coarsened: Vec<(String, f64)>,
    /// What was done, in words.
    pub rules: Vec<String>,
}

impl StudyRecord {
    /// What a finished report would have and this one has not, in words.
    pub fn missing(&self) -> Vec<String> {
        let mut missing = Vec::new();
        for name in &self.analysis_order {
            let Some(analysis) = self.analyses.get(name) else { continue };
            // Of a control that nobody asked for, what cannot be computed is told in its place.
            if analysis.added.is_some() {
                continue;
            }
            let hidden = |metric: &str| {
                let name = name.replace('~', "~0").replace('/', "~1");
                let place = format!("/analyses/{name}/performance/{metric}");
                let hides = self.suppression.as_ref();
                hides.is_some_and(|facts| facts.hidden.contains(&place))
            };
            let undefined = analysis.undefined();
            for metric in &analysis.metrics {
                // A control that says one thing of everybody has no slope: that is a result.
                if undefined.iter().any(|of| of.name == metric.name) {
                    continue;
                }
                let found = analysis.performance.contains_key(&metric.name);
                if !found && !hidden(&metric.name) {
                    missing.push(format!("analysis `{name}` has no {}", metric.name));
                }
            }
            for failed in analysis.failures() {
                missing
                    .push(format!("analysis `{name}`: {} ({})", failed.reason, failed.n));
            }
        }
        missing
    }
}

/// What the author wrote about the study as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StudyFacts {
    pub title: String,
    pub cancer: String,
    pub seed: u64,
    /// Digest of everything in the study that can change a result: no titles, no comments.
    pub digest: String,
    /// Whether any source is a generator: then the report says so on every page.
    pub simulated: bool,
    /// Terms under which the data are used.
    pub terms: Option<String>,
    /// Whether all data are public.
    pub public: bool,
    /// Column within whose values pairs are compared, if one was named.
    pub within: Option<String>,
    /// Why the engine adds no controls of its own, if the author said so.
    #[serde(default)]
    pub no_controls_added: Option<String>,
    /// Why the outcome is not permuted, if the author said so.
    #[serde(default)]
    pub not_permuted: Option<String>,
    /// Why no learning curve is drawn, if the author said so.
    #[serde(default)]
    pub no_learning_curve: Option<String>,
    /// How frequent the outcome is where the model is meant to be used, if the author said so.
    #[serde(default)]
    pub target_prevalence: Option<TargetPrevalence>,
}

/// The share with the outcome among those whom the model is meant for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TargetPrevalence {
    pub prevalence: f64,
    /// Where the author has it from.
    pub from: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SourceFacts {
    pub name: String,
    /// `table`, `maf` or `images`.
    pub kind: String,
    pub simulated: bool,
    /// Rows of a table, or imaged subjects.
    pub n: Count,
    /// Columns of a table, 0 for images.
    pub n_columns: usize,
    /// Rows that were read and do not count, by reason.
    pub left_out: Vec<Removed>,
    /// Digest of the canonical content, not of the file's bytes.
    pub digest: String,
    /// Whether its columns were made outside of what the proof sees, as far as the author says.
    pub prepared_outside: Option<bool>,
    /// Data sets on which something in it was trained.
    pub trained_on: Vec<String>,
    pub licence: Option<String>,
    pub citation: Option<String>,
    /// Where the bytes come from and what was done to them, if they are not published.
    pub origin: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CohortFacts {
    pub name: String,
    /// Whether it is only divided into others.
    pub base: bool,
    pub sealed: bool,
    /// How it relates to the development cohort, in the author's words.
    pub relation: Option<String>,
    pub n_rows: Count,
    pub n_subjects: Count,
    /// Distinct sites among its rows, if it names a column of sites.
    #[serde(default)]
    pub n_sites: Option<usize>,
    /// From the first source to the rows that are analysed; each box adds up.
    pub flow: Vec<FlowBox>,
}

/// One box of the flow diagram: `n_in − removed = n_out`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FlowBox {
    pub label: String,
    pub n_in: Count,
    /// Reason and count, in the order in which they were applied.
    pub removed: Vec<Removed>,
    /// Sources that were joined here, and what did not match on either side.
    pub joins: Vec<JoinFacts>,
    pub n_out: Count,
    /// Patients whose rows those are that stay.
    #[serde(default)]
    pub n_subjects: Count,
}

/// A join by id, counted on both sides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JoinFacts {
    pub source: String,
    pub required: bool,
    /// Rows with a partner.
    pub matched: Count,
    /// Rows without one.
    pub without: Count,
    /// Ids of the source that no row asked for.
    pub unused: Count,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Removed {
    pub reason: String,
    pub n: Count,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OutcomeFacts {
    pub name: String,
    pub label: String,
    /// How it was derived, in words.
    pub derivation: String,
    pub cohort: String,
    /// `primary`, `sensitivity` or `control`.
    pub role: String,
    pub positive: Count,
    pub negative: Count,
    pub unknown: Count,
    /// By derivation, in order of precedence: how many it decided.
    pub decided: Vec<Count>,
    /// Patients whom two derivations know differently.
    pub conflicts: Count,
    /// Whether it was opened only after the model was frozen.
    pub sealed: bool,
}

/// One fact as two sources hold it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AgreementFacts {
    pub name: String,
    /// The two derivations, in words.
    pub facts: [String; 2],
    /// Patients of whom both know it.
    pub both: Count,
    pub agree: Count,
    /// Patients of whom only the first or only the second knows it.
    pub only: [Count; 2],
}

/// How an outcome goes with a column that is no predictor of interest, such as the site.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssociationFacts {
    pub outcome: String,
    pub cohort: String,
    pub column: String,
    pub levels: usize,
    /// Cramér's V and the p value of the χ² test, where they can be computed.
    pub cramers_v: Option<f64>,
    pub p: Option<f64>,
    /// AUROC of the share of positives in each level, on the same rows.
    pub auroc: Option<f64>,
    /// Levels with patients of one class only.
    pub one_class_levels: usize,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BlockFacts {
    pub name: String,
    /// The cohort among whose rows its columns are described.
    #[serde(default)]
    pub cohort: String,
    /// `columns` or `images`.
    pub kind: String,
    pub source: String,
    /// When its values are known, such as `with tissue`, if the author said so.
    #[serde(default)]
    pub known: Option<String>,
    pub columns: Vec<ColumnFacts>,
    /// Subjects whose values could not be computed, by reason.
    pub failed: Vec<Removed>,
    /// The most of them that the study tolerates.
    pub failed_at_most: usize,
}

/// One predictor over the cohort, by class of the first outcome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ColumnFacts {
    pub name: String,
    pub unit: Unit,
    /// The unit of a table's column, if the author said so.
    pub declared_unit: Option<String>,
    pub missing: Count,
    /// None of a column of categories, like the moments of the classes.
    pub all: Option<Moments>,
    pub positive: Option<Moments>,
    pub negative: Option<Moments>,
    /// Of a column of categories: each of them, by name.
    #[serde(default)]
    pub levels: Vec<ColumnLevel>,
    /// Standardised mean difference, positive minus negative, over the pooled SD; of categories the
    /// distance between the shares of the classes, which has no sign.
    pub smd: Option<f64>,
}

/// One category of a predictor, over the cohort and by class of the first outcome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ColumnLevel {
    pub name: String,
    pub all: Share,
    pub positive: Share,
    pub negative: Share,
}

/// How many rows of a group have a category, or lack a value.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Share {
    pub n: Count,
    /// Of a category: of the rows of the group whose category is known; of what is missing: of all rows
    /// of the group. None where there are none. Units: %.
    pub percent: Option<f64>,
}

/// One variable among the rows of one cohort, or of one class of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CharacteristicFacts {
    pub block: String,
    pub variable: String,
    pub unit: Option<String>,
    pub cohort: String,
    /// Rows of this class of the primary outcome; all, also those of unknown outcome, without one.
    pub class: Option<bool>,
    /// Rows of the group, and those of them without a value.
    pub rows: Count,
    pub missing: Count,
    /// Of the rows of the group. Units: %.
    #[serde(default)]
    pub missing_percent: Option<f64>,
    pub median: Option<f64>,
    pub lower_quartile: Option<f64>,
    pub upper_quartile: Option<f64>,
    /// Of a column of zeros and ones: how many ones.
    pub ones: Option<usize>,
    /// Of the rows of the group that have a value. Units: %.
    #[serde(default)]
    pub ones_percent: Option<f64>,
    /// Of a column of categories: each that is met in any cohort, by name, in the same order in
    /// every row of the variable.
    #[serde(default)]
    pub levels: Vec<LevelFacts>,
    /// Standardised difference of the means, this cohort less the development cohort; of categories
    /// the distance between the shares of the two, which has no sign.
    pub smd_to_development: Option<f64>,
}

/// One category of a variable in a group of rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LevelFacts {
    pub name: String,
    pub share: Share,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Moments {
    pub n: Count,
    pub mean: f64,
    pub sd: f64,
}

/// One analysis: outcome × model × scheme.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct AnalysisRecord {
    pub outcome: String,
    pub model: String,
    pub cohort: String,
    pub scheme: String,
    /// `internal`, `sites` or `external`.
    pub kind: String,
    /// The way of preparing, where there are several; empty for the primary one.
    pub branch: String,
    /// What the model is there for: `primary`, `sensitivity` or `control`.
    pub role: String,
    /// What the engine added to what the study names; none for models that the study names.
    #[serde(default)]
    pub added: Option<AddedFacts>,
    /// Whether all its predictors are clinical.
    #[serde(default)]
    pub clinical: bool,
    /// Whether some of its predictors are clinical, and others are not.
    #[serde(default)]
    pub joins_clinical: bool,
    /// The primary metric over pairs within strata, if a column was named.
    pub within: Option<Estimate>,
    pub subgroups: Vec<SubgroupFacts>,
    /// Sites that were held out one at a time.
    pub sites: Vec<SiteFacts>,
    /// How much the pooled sites differ.
    #[serde(default)]
    pub between_sites: Option<Heterogeneity>,
    /// What was frozen, for an external cohort.
    pub frozen: Option<FrozenFacts>,
    /// The scheme in words, such as "nested 5 × 5, 10 repeats".
    pub scheme_text: String,
    pub n: Count,
    pub n_positive: Count,
    /// Those that were held out and predicted, where these are not all.
    #[serde(default)]
    pub judged: Option<JudgedFacts>,
    /// Patients whose rows these are, and those of them with the outcome in any row.
    #[serde(default)]
    pub n_subjects: Count,
    #[serde(default)]
    pub n_positive_subjects: Count,
    /// Predictors before selection.
    pub n_predictors: usize,
    /// By metric name, standard metrics included; the primary metric is named in `primary`.
    pub performance: BTreeMap<String, Estimate>,
    pub primary: String,
    /// The metrics that the author named, the primary first.
    pub metrics: Vec<MetricFacts>,
    /// Those that every analysis has, less the ones above, in reading order.
    pub standard: Vec<MetricFacts>,
    pub candidates: Vec<CandidateRecord>,
    pub folds: Vec<FoldRecord>,
    /// ROC curves pooled within each repeat.
    pub roc: Vec<Curve>,
    /// Mean over repeats of the sensitivity at each 1 − specificity of a fixed grid.
    pub roc_mean: Curve,
    /// By curve of `roc`, for each of its points but the first: the probability from which on rows are
    /// called positive there.
    #[serde(default)]
    pub roc_thresholds: Vec<Vec<f64>>,
    /// Around `roc_mean`.
    #[serde(default)]
    pub roc_band: Band,
    /// Precision (y) against recall (x), pooled within each repeat; a step holds the precision of
    /// its right end. Chance is the prevalence, `n_positive / n`.
    pub precision_recall: Vec<Curve>,
    /// Mean over repeats of the precision at each recall of a fixed grid.
    pub precision_recall_mean: Curve,
    /// Around `precision_recall_mean`.
    #[serde(default)]
    pub precision_recall_band: Band,
    /// Predicted probability against the share of events.
    pub calibration: Option<CalibrationCurve>,
    /// Net benefit over the range that the author declared, if one was.
    pub decision: Option<DecisionCurve>,
    /// Rows by class and decision at the threshold, if one is applied.
    pub confusion: Option<ConfusionFacts>,
    /// Which columns, selectors and learners the outer fits chose; none for a frozen model.
    pub selection: Option<SelectionFacts>,
    /// Events for each candidate predictor, and how many patients such a model needs; none for a
    /// cohort on which nothing was fitted.
    pub sample_size: Option<SampleSizeFacts>,
    /// What the procedure achieves when it learns from fewer patients, if that was drawn for this
    /// analysis.
    #[serde(default)]
    pub learning_curve: Option<LearningFacts>,
    /// Predictive values where the outcome is as frequent as the author expects it, if sensitivity
    /// and specificity are known and that was declared.
    #[serde(default)]
    pub at_target: Option<AtTarget>,
    /// Rule and where it was learned, if a threshold was declared.
    pub threshold: Option<String>,
    /// The thresholds that the folds learned, if they did.
    #[serde(default)]
    pub thresholds: Option<ThresholdFacts>,
    /// What the whole procedure achieves on permuted outcomes, if that was asked for.
    pub permutation: Option<PermutationFacts>,
    /// What the prevalence among training rows alone achieves on the same held-out rows.
    #[serde(default)]
    pub prevalence_only: Option<PrevalenceFacts>,
    /// In how many outer splits nothing beat the prevalence, if the study falls back to it then.
    pub fallback: Option<FallbackFacts>,
    /// In how many outer splits the prevalence was predicted, if in any: for want of a better choice, or
    /// since it was itself the choice.
    #[serde(default)]
    pub stand_in: Option<StandInFacts>,
    /// What harmonisation did, where the preparation harmonises.
    pub harmonised: Option<HarmonisedFacts>,
    /// Nodes of this analysis that failed, and why: then figures are missing.
    pub failed_nodes: Vec<Removed>,
}

impl AnalysisRecord {
    /// How many rows the performance rests on, and how many of them are positive.
    pub fn judged_rows(&self) -> Option<(usize, usize)> {
        let (n, n_positive) = match &self.judged {
            Some(judged) => (judged.n, judged.n_positive),
            None => (self.n, self.n_positive),
        };
        n.known().zip(n_positive.known())
    }

    /// Which values of the primary metric are better.
    pub fn better(&self) -> Better {
        let primary = self.metrics.iter().find(|metric| metric.name == self.primary);
        primary.map_or(Better::Higher, |metric| metric.better)
    }

    /// The value of the primary metric, larger for a better one.
    pub fn merit(&self) -> Option<f64> {
        Some(self.better().merit(self.performance.get(&self.primary)?.estimate))
    }

    /// Whether the probabilities of several candidates are averaged in a split.
    pub fn averages(&self) -> bool {
        let chosen: usize =
            self.candidates.iter().map(|candidate| candidate.chosen).sum();
        chosen > self.folds.len().max(1)
    }

    /// Measures that are not defined for the predictions of a control, with the reason: those it has, since
    /// its primary measure could be computed.
    pub fn undefined(&self) -> Vec<&MetricFacts> {
        if self.role != "control" || !self.performance.contains_key(&self.primary) {
            return Vec::new();
        }
        self.metrics.iter().filter(|metric| metric.missing.is_some()).collect()
    }

    /// The nodes that failed, without measures that are not defined.
    pub fn failures(&self) -> Vec<&Removed> {
        let undefined = self.undefined();
        let is_undefined = |failed: &&Removed| {
            undefined.iter().any(|of| of.missing.as_ref() == Some(&failed.reason))
        };
        self.failed_nodes.iter().filter(|failed| !is_undefined(failed)).collect()
    }

    /// How often the prevalence stood in, from folds and candidates.
    pub fn stood_in(&self) -> Option<StandInFacts> {
        let naive = |at: Option<usize>| {
            let chosen = at.and_then(|at| self.candidates.get(at));
            chosen.is_some_and(|of| of.learner == "naive") && !self.averages()
        };
        let folds = self.folds.iter();
        let stands_in = |fold: &&FoldRecord| {
            fold.falls_back || fold.without_columns || naive(fold.candidate)
        };
        let folds = folds.filter(stands_in).count();
        let without = |fold: &&FoldRecord| fold.without_columns && !fold.falls_back;
        let without_columns = self.folds.iter().filter(without).count();
        let of = self.folds.len();
        let mut others = self.candidates.iter().filter(|of| of.learner != "naive");
        let all_failed = others.all(|other| other.failed >= of);
        (folds > 0).then_some(StandInFacts { folds, of, all_failed, without_columns })
    }
}

/// A control that the study does not name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AddedFacts {
    /// `site or stratum`, `volume` or `clinical`.
    pub looks_at: String,
    /// What of the study calls for it.
    pub why: String,
}

/// A control that every analysis has: for each held-out row the prevalence among the rows that the
/// model was trained on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PrevalenceFacts {
    /// The least and the greatest of the predictions, which differ between splits.
    pub lowest: f64,
    pub highest: f64,
    /// By metric: pooled within each repeat and averaged over repeats, like the model's own.
    pub performance: BTreeMap<String, f64>,
    /// By metric: how much better the model is; negative where it is worse.
    pub gains: BTreeMap<String, f64>,
    pub method: String,
}

/// How often the prevalence was predicted instead of the choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FallbackFacts {
    /// Outer splits in which the choice did not beat the prevalence on inner splits.
    pub folds: usize,
    /// Outer splits with predictions.
    pub of: usize,
}

/// How often the prevalence among training rows stood in for a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StandInFacts {
    pub folds: usize,
    /// Outer splits with predictions.
    pub of: usize,
    /// Whether no other candidate could be fitted in any of them.
    pub all_failed: bool,
    /// Of them those in which a candidate was chosen whose selector then kept no column.
    #[serde(default)]
    pub without_columns: usize,
}

/// Thresholds over the folds that learned them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ThresholdFacts {
    pub n: usize,
    pub median: f64,
    pub lowest: f64,
    pub highest: f64,
}

/// The whole procedure on permuted outcomes: splits, preparation, tuning and fits included.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PermutationFacts {
    /// Permutations that came to an end.
    pub times: usize,
    /// Column within whose values outcomes were permuted.
    pub within: Option<String>,
    /// Repeats of the scheme in each run.
    pub repeats: usize,
    /// The primary metric on the true outcomes over as many repeats.
    pub observed: f64,
    /// Permutations that came out at least as well.
    pub as_extreme: usize,
    /// (`as_extreme` + 1) / (`times` + 1).
    pub p: f64,
    pub mean: f64,
    pub sd: f64,
    /// The primary metric on each permutation.
    pub values: Vec<f64>,
    /// Permutations without a result, by reason.
    pub failed: Vec<Removed>,
}

impl PermutationFacts {
    /// Of fewer permutations no p comes out below 0.05, as 1 / (19 + 1) is its least.
    pub const LEAST: usize = 20;
}

/// How alike the fits of the outer splits are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SelectionFacts {
    /// Outer fits whose columns are known.
    pub fits: usize,
    /// Columns that could have been chosen: those of the model before preparation, of categories all
    /// but the first of each, with those that preparation made of them.
    pub of_columns: usize,
    /// Mean number of columns that reached the learner; of averaged candidates any of theirs.
    pub mean_columns: f64,
    /// Outer fits in which no column reached a learner, since the selector kept none: the prevalence of
    /// their training rows is predicted.
    #[serde(default)]
    pub without_columns: usize,
    /// The columns that any fit chose, the most frequent first.
    pub columns: Vec<ChosenColumn>,
    /// Which of them each outer fit chose; empty where every fit chose all of them.
    #[serde(default)]
    pub by_fit: Vec<ChosenInFit>,
    /// Columns after each step, from the tables to the learner.
    #[serde(default)]
    pub reduction: Vec<ReductionFacts>,
    /// Which of the columns say much the same: of the headline.
    #[serde(default)]
    pub similar: Option<SimilarFacts>,
    /// In how many outer fits; one that averages candidates counts for each of theirs.
    pub selectors: Vec<Frequency>,
    pub learners: Vec<Frequency>,
    /// Nogueira's index: 1 when all fits chose the same columns, about 0 for columns drawn at
    /// random. None below two fits, or when every fit kept all columns.
    pub stability: Option<Stability>,
}

/// A column that any outer fit chose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChosenColumn {
    pub name: String,
    /// What it measures, as far as its block or its name says: a family of the IBSI, `Clinical`, or the
    /// name of its block.
    #[serde(default)]
    pub family: String,
    /// Outer fits that chose it.
    pub n: usize,
}

/// What one outer fit chose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChosenInFit {
    /// Counted from 1, as the outer split.
    pub repeat: usize,
    pub outer: usize,
    /// Positions among the columns that any fit chose, ascending.
    pub columns: Vec<usize>,
}

/// Columns after one step, over the outer fits that take it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReductionFacts {
    /// `tables`, `preparation`, `selection` or `learner`.
    pub stage: String,
    /// Whose step it is, in selection.
    pub selector: Option<String>,
    /// The step by its name; none of the tables and of the learner.
    pub step: Option<String>,
    /// Fits that take it, averaged candidates one by one.
    pub fits: usize,
    pub median: f64,
    pub lowest: usize,
    pub highest: usize,
}

/// Columns that say much the same, so that a fit may choose either.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SimilarFacts {
    /// Any two columns of a cluster have at least this |ρ| (Spearman).
    pub at_least: f64,
    /// Clusters of two columns and more, the most frequently chosen first.
    pub clusters: Vec<ClusterFacts>,
    /// Columns that were compared, of how many that any fit chose.
    pub among: usize,
    pub of: usize,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClusterFacts {
    pub columns: Vec<String>,
    /// Outer fits that chose any of them.
    pub n: usize,
    /// The smallest |ρ| between two of them.
    pub least: f64,
}

/// How many outer fits chose it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Frequency {
    pub name: String,
    pub n: usize,
}

/// An index of stability with its approximate 95 % interval, which fits on overlapping rows make
/// too narrow.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Stability {
    pub index: f64,
    pub lower: f64,
    pub upper: f64,
}

/// Whether there are enough patients to develop a model of so many candidate predictors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SampleSizeFacts {
    /// Patients.
    pub n: usize,
    /// Patients of the smaller class; one with the outcome in any row has it.
    pub events: usize,
    /// Candidate predictor parameters before selection: one for each predictor, and one less than it
    /// has categories for one of categories.
    pub candidates: usize,
    pub events_per_candidate: Option<f64>,
    /// The Cox–Snell R² that was assumed, and the largest possible one at this prevalence.
    pub assumed_r2: Option<f64>,
    pub largest_r2: Option<f64>,
    /// Patients needed by each criterion: shrinkage of at most a tenth, an optimism in R² of at
    /// most 0.05, a prevalence known within 0.05.
    pub for_shrinkage: Option<f64>,
    pub for_optimism: Option<f64>,
    pub for_prevalence: Option<f64>,
    /// The largest of the three.
    pub needed: Option<f64>,
    /// What to expect of the AUROC and of the calibration slope where a model like this is validated on
    /// as many patients; none where no learning curve could be drawn either.
    #[serde(default)]
    pub auroc: Option<ExpectedWidth>,
    #[serde(default)]
    pub slope: Option<ExpectedWidth>,
    /// What was assumed, in words.
    pub assumptions: Vec<String>,
}

/// How well the batch is told from the columns of held-out rows, before and after harmonisation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HarmonisedFacts {
    /// The column that names the batch.
    pub column: String,
    /// Mean over outer splits of the mean AUROC of each batch against the others; 0.5 is chance.
    pub before: Option<f64>,
    pub after: Option<f64>,
    /// Outer splits in which both could be computed.
    pub n_splits: usize,
    /// AUROC of the outcome by the batch alone, on the rows of the cohort.
    pub outcome_by_batch: Option<f64>,
}

/// Rows by class and decision, as means over repeats; none where a cell is hidden.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConfusionFacts {
    pub true_positive: Option<f64>,
    pub false_positive: Option<f64>,
    pub false_negative: Option<f64>,
    pub true_negative: Option<f64>,
    /// Over how many repeats.
    pub repeats: usize,
    /// What these decisions are worth, where the threshold is a probability under 1.
    #[serde(default)]
    pub benefit: Option<DecisionAtThreshold>,
}

impl From<&Confusion> for ConfusionFacts {
    fn from(found: &Confusion) -> Self {
        Self {
            true_positive: Some(found.true_positive),
            false_positive: Some(found.false_positive),
            false_negative: Some(found.false_negative),
            true_negative: Some(found.true_negative),
            repeats: found.repeats,
            benefit: found.benefit,
        }
    }
}

/// What the block of columns by which a study divides its rows is called among the variables of a report.
pub const DIVIDING: &str = "sites, strata and subgroups";

/// Predictive values at the prevalence that the author declared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AtTarget {
    /// None where no row is called so.
    pub positive: Option<PredictiveValue>,
    pub negative: Option<PredictiveValue>,
    pub method: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PredictiveValue {
    pub estimate: f64,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
}

/// The name of the rows that are in no group of a column, as they have no value there.
pub const NO_VALUE: &str = "no value";

/// The model in one group of the rows that it was judged on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SubgroupFacts {
    pub by: String,
    pub group: String,
    pub n: Count,
    pub n_positive: Count,
    /// The AUROC.
    pub estimate: Option<f64>,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
    /// Why there is no estimate, or how it was made.
    pub note: String,
    /// The group of the same column that this one is compared with; none of that group itself and
    /// where either has too few.
    #[serde(default)]
    pub against: Option<String>,
    /// The AUROC less that of the group it is compared with.
    #[serde(default)]
    pub difference: Option<GroupDifference>,
    /// Calibration, sensitivity and specificity at the applied threshold, and error.
    #[serde(default)]
    pub measures: Vec<GroupMeasure>,
}

impl From<&GroupEstimate> for SubgroupFacts {
    fn from(found: &GroupEstimate) -> Self {
        Self {
            by: found.by.clone(),
            group: found.group.clone(),
            n: found.n.into(),
            n_positive: found.n_positive.into(),
            estimate: found.estimate,
            lower: found.lower,
            upper: found.upper,
            note: found.note.clone(),
            against: found.against.clone(),
            difference: found.difference.clone(),
            measures: found.measures.clone(),
        }
    }
}

/// One site, held out as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SiteFacts {
    pub name: String,
    pub n: Count,
    pub n_positive: Count,
    pub auroc: Option<f64>,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
    /// Whether it is among those that are pooled.
    pub pooled: bool,
    /// How the interval was made, or why there is none: it is that by which sites are pooled.
    #[serde(default)]
    pub method: String,
}

/// A model that was finished before it met an external cohort.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct FrozenFacts {
    /// Digest of everything that was frozen.
    pub digest: String,
    /// Development rows that it was fitted on.
    pub n: Count,
    pub n_positive: Count,
    /// Predictors that it needs, and those that reach the learner.
    pub n_predictors: usize,
    pub n_selected: usize,
    /// The candidate that weighs most, and how many are averaged; none where no candidate had a score.
    pub candidate: Option<usize>,
    #[serde(default)]
    pub members: usize,
    pub threshold: Option<f64>,
    /// Intercept and slope of the calibration map, on the logit scale.
    pub calibration: Option<(f64, f64)>,
    /// Whether its cohort was sealed until then.
    pub sealed: bool,
    /// Rows that it judged although they lack a predictor on which its predictions depend: the
    /// preparation, as it was fitted on development rows, says what stands in its place.
    #[serde(default)]
    pub filled: Count,
    /// Those predictors.
    #[serde(default)]
    pub filled_columns: Vec<String>,
    /// Of how many finished models of this study predictions were made for its cohort and judged by the
    /// outcomes there, over all outcomes. Of other runs and other studies nothing is known here.
    #[serde(default)]
    pub accesses: usize,
    /// How it does on the rows that it was fitted on.
    #[serde(default)]
    pub apparent: ApparentFacts,
}

/// A frozen model on the development rows that it was fitted on. This is no estimate of performance: what a
/// model was chosen and fitted by, it predicts too well.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ApparentFacts {
    /// By metric that the author named. Intervals are those of one set of rows and leave out that the model
    /// has seen it.
    pub performance: BTreeMap<String, Estimate>,
    /// The analysis that judges the same procedure on held-out rows of the same cohort.
    pub against: Option<String>,
    /// By metric: the apparent value less that of `against`.
    pub optimism: BTreeMap<String, f64>,
}

/// Two models on identical splits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ComparisonFacts {
    /// Names of the two analyses; the first was expected to be better.
    pub better: String,
    pub than: String,
    pub metric: String,
    pub result: Option<Compared>,
    /// p adjusted for all comparisons under the same scheme, if it was asked for.
    pub p_adjusted: Option<f64>,
}

/// A claim and its verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClaimFacts {
    pub text: String,
    pub words: Option<String>,
    /// Digest of the claim as it was stated.
    pub digest: String,
    /// Whether it holds; none when a result is missing.
    pub holds: Option<bool>,
    /// The results that it names, with their values.
    pub values: Vec<(String, Option<f64>)>,
}

/// A departure from the plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeviationFacts {
    pub what: String,
    /// The setting that it is about, as in the differences from a locked protocol.
    #[serde(default)]
    pub path: Option<String>,
    pub when: Option<String>,
    pub why: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct MetricFacts {
    pub name: String,
    pub title: String,
    /// What one prediction for every row gives: 0.5 for an AUROC, the prevalence for average
    /// precision, p(1 − p) for a Brier score.
    pub chance: Option<f64>,
    #[serde(default)]
    pub better: Better,
    /// Why there is no value, if there is none.
    pub missing: Option<String>,
}

/// The rows that performance rests on, where some were never held out or their split has no result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JudgedFacts {
    pub n: Count,
    pub n_positive: Count,
    /// Outer splits with predictions, and how many there are.
    pub n_splits: usize,
    pub of_splits: usize,
}

/// Which values of a metric are better.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    #[default]
    Higher,
    Lower,
    /// Those nearer to this one.
    Nearer(f64),
}

impl Better {
    /// Larger for a better value.
    pub fn merit(self, value: f64) -> f64 {
        match self {
            Self::Higher => value,
            Self::Lower => -value,
            Self::Nearer(best) => -(value - best).abs(),
        }
    }
}

/// A candidate and how it fared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CandidateRecord {
    pub selector: String,
    pub learner: String,
    /// Its grid point in words, such as `k = 8, c = 0.1`.
    pub settings: String,
    /// In how many outer splits it was chosen, alone or as one of those that are averaged.
    pub chosen: usize,
    /// Mean over outer splits of its inner mean.
    pub inner: Option<f64>,
    /// Outer splits in which it could not be chosen since it failed on an inner one or since no choice
    /// could be made, with the reason in the first of them.
    pub failed: usize,
    pub failure: Option<String>,
    /// Outer splits in which it was left behind, where candidates race.
    #[serde(default)]
    pub left_behind: usize,
}

/// One outer split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FoldRecord {
    /// From 1.
    pub repeat: usize,
    /// From 1.
    pub outer: usize,
    pub n_train: Count,
    pub n_held_out: Count,
    pub positive_held_out: Count,
    /// The primary metric on the held-out rows.
    pub value: Option<f64>,
    /// Position in `candidates`; of those that are averaged, the one that weighs most. None where no
    /// candidate had a score.
    pub candidate: Option<usize>,
    /// Whether the prevalence was predicted instead of what that candidate says.
    pub falls_back: bool,
    /// Whether what it says is the prevalence, since its selector kept no column.
    #[serde(default)]
    pub without_columns: bool,
    pub threshold: Option<f64>,
}

/// An operation as it was used: the methods text is made from these.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MethodFacts {
    /// `read`, `features`, `outcome`, `prepare`, `select`, `learn`, `validate`, `tune`,
    /// `threshold` or `evaluate`.
    pub role: String,
    pub name: String,
    pub title: String,
    pub version: u32,
    /// First sentence of its documentation.
    pub summary: String,
    /// Every parameter, with whether the author set it.
    pub settings: Vec<Setting>,
    /// Keys into `references`.
    pub sources: Vec<String>,
    /// Whether only controls that the program added are prepared or selected so.
    #[serde(default)]
    pub added: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Setting {
    pub name: String,
    pub value: String,
    pub set_by_author: bool,
}

/// The graph, folded to one box per kind of node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GraphFacts {
    pub n_nodes: usize,
    pub groups: Vec<NodeGroup>,
    /// From → to, as positions in `groups`.
    pub edges: Vec<(usize, usize)>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NodeGroup {
    pub name: String,
    pub n: usize,
    pub scope: Scope,
    /// Column of the drawing, from 0: the longest path from a leaf.
    pub rank: usize,
    /// Its nodes by the rows on which they are fitted.
    #[serde(default)]
    pub parts: Vec<NodePart>,
}

/// Nodes of one kind that are fitted on rows of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NodePart {
    /// None where nothing is fitted.
    pub fitted_on: Option<FittedOn>,
    pub n: usize,
    /// Over what its nodes give: the same for equal content, however it is stored or was computed.
    pub digest: String,
}

/// On which rows of its cohort a node is fitted.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum FittedOn {
    InnerTraining,
    OuterTraining,
    AllDevelopment,
}

/// On which rows the nodes of a group are computed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// A file, a parameter or a fact of the survey.
    Given,
    /// One subject at a time.
    PerSubject,
    /// Each row from its own inputs.
    RowWise,
    /// Fitted on the training rows of a split, or looked at on them: nothing about them is held out.
    Training,
    /// Applied to rows held out.
    HeldOut,
    /// Measured over held-out predictions.
    Measured,
}

/// What the proof of no leakage covered, and what it cannot see.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Certificate {
    /// Groups that are kept whole: subjects.
    pub n_groups: usize,
    pub n_splits: usize,
    pub n_nodes: usize,
    /// Uses of rows as held out, each checked against what the value had seen.
    pub n_held_out_uses: usize,
    /// Those of them in which a declared transductive step has looked at the inputs of the rows.
    #[serde(default)]
    pub n_transductive: usize,
    /// The rules that were checked, in words.
    pub rules: Vec<String>,
    /// What cohort rules, splits and counts read without being tracked.
    pub not_tracked: Vec<String>,
    /// What no proof inside the graph can see.
    pub cannot_see: Vec<String>,
}

/// A citation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reference {
    pub key: String,
    pub text: String,
    pub doi: Option<String>,
}

/// How a run went: everything about the machine and the moment, kept apart from the results.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunRecord {
    pub engine: String,
    /// Digest over all operations with their versions.
    #[serde(default)]
    pub engine_digest: String,
    /// Seconds since 1970, UTC.
    pub started: u64,
    pub seconds: f64,
    pub host: String,
    pub platform: String,
    pub threads: usize,
    pub nodes: usize,
    pub computed: usize,
    pub stored: usize,
    pub failed: usize,
    /// Stored results that were damaged and made anew.
    pub healed: usize,
    /// Nodes computed again with the same bytes as before, so that nothing after them ran.
    pub cut_off: usize,
    /// The same by kind of node.
    #[serde(default)]
    pub kinds: Vec<KindRun>,
    pub spec_path: String,
    pub spec_digest: String,
    /// Digest of each file as it lay on disk.
    pub files: BTreeMap<String, String>,
    /// What was written beside this record, by places in its folder: what a later run does not write it
    /// takes away.
    #[serde(default)]
    pub written: Vec<String>,
    /// What `report.json` among them consists of; empty in records of older runs.
    #[serde(default)]
    pub report: Vec<Part>,
}

/// A part of a file, by which it is told whether the file is as it was written. One behind the other they
/// are the whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Part {
    pub bytes: u64,
    /// Of these bytes.
    pub digest: String,
}

impl StudyRecord {
    /// The version of this layout.
    pub const SCHEMA: u32 = 1;
}

/// What became of the nodes of one kind in a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KindRun {
    pub kind: String,
    pub computed: usize,
    pub stored: usize,
    pub failed: usize,
    /// What they took when they were computed, in this run or in an earlier one, added up; none where
    /// nobody looked at their records.
    pub seconds: Option<f64>,
}
