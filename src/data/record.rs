//! What a study found: everything that the report shows, and nothing about the run.
//!
//! A pure function of study, canonical data and engine version: no clock, no host, no path and no
//! subject's id. `report.json` is this type as JSON.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Curve, Estimate};
use crate::units::Unit;

/// The whole result of a study.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StudyRecord {
    /// Version of this layout.
    pub schema: u32,
    pub engine: String,
    pub study: StudyFacts,
    pub sources: Vec<SourceFacts>,
    pub cohorts: Vec<CohortFacts>,
    pub outcomes: Vec<OutcomeFacts>,
    pub predictors: Vec<BlockFacts>,
    /// Names of the analyses in written order; the first is the headline.
    pub analysis_order: Vec<String>,
    pub analyses: BTreeMap<String, AnalysisRecord>,
    pub methods: Vec<MethodFacts>,
    pub graph: GraphFacts,
    pub certificate: Certificate,
    pub references: Vec<Reference>,
    /// Warnings that `check` gave, in its words.
    pub warnings: Vec<String>,
}

impl StudyRecord {
    /// What a finished report would have and this one has not, in words.
    pub fn missing(&self) -> Vec<String> {
        let mut missing = Vec::new();
        for name in &self.analysis_order {
            let Some(analysis) = self.analyses.get(name) else { continue };
            for metric in &analysis.metrics {
                if !analysis.performance.contains_key(&metric.name) {
                    missing.push(format!("analysis `{name}` has no {}", metric.name));
                }
            }
            for failed in &analysis.failed_nodes {
                missing
                    .push(format!("analysis `{name}`: {} ({})", failed.reason, failed.n));
            }
        }
        missing
    }
}

/// What the author wrote about the study as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StudyFacts {
    pub title: String,
    pub cancer: String,
    pub seed: u64,
    /// Digest of everything in the study that can change a result: no titles, no comments.
    pub digest: String,
    /// Whether any source is a generator: then the report says so on every page.
    pub simulated: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceFacts {
    pub name: String,
    /// `table`, `maf` or `images`.
    pub kind: String,
    pub simulated: bool,
    /// Rows of a table, or imaged subjects.
    pub n: usize,
    /// Columns of a table, 0 for images.
    pub n_columns: usize,
    /// Digest of the canonical content, not of the file's bytes.
    pub digest: String,
    pub licence: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CohortFacts {
    pub name: String,
    pub n_rows: usize,
    pub n_subjects: usize,
    /// From the first source to the rows that are analysed; each box adds up.
    pub flow: Vec<FlowBox>,
}

/// One box of the flow diagram: `n_in − removed = n_out`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FlowBox {
    pub label: String,
    pub n_in: usize,
    /// Reason and count, in the order in which they were applied.
    pub removed: Vec<Removed>,
    pub n_out: usize,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Removed {
    pub reason: String,
    pub n: usize,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutcomeFacts {
    pub name: String,
    pub label: String,
    /// How it was derived, in words.
    pub derivation: String,
    pub cohort: String,
    pub positive: usize,
    pub negative: usize,
    pub unknown: usize,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BlockFacts {
    pub name: String,
    /// `columns` or `images`.
    pub kind: String,
    pub source: String,
    pub columns: Vec<ColumnFacts>,
    /// Subjects whose values could not be computed, by reason.
    pub failed: Vec<Removed>,
    /// The most of them that the study tolerates.
    pub failed_at_most: usize,
}

/// One predictor over the cohort, by class of the first outcome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnFacts {
    pub name: String,
    pub unit: Unit,
    pub missing: usize,
    pub all: Option<Moments>,
    pub positive: Option<Moments>,
    pub negative: Option<Moments>,
    /// Standardised mean difference, positive minus negative, over the pooled SD.
    pub smd: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    pub n: usize,
    pub mean: f64,
    pub sd: f64,
}

/// One analysis: outcome × model × scheme.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnalysisRecord {
    pub outcome: String,
    pub model: String,
    pub cohort: String,
    pub scheme: String,
    /// The scheme in words, such as "nested 5 × 5, 10 repeats".
    pub scheme_text: String,
    pub n: usize,
    pub n_positive: usize,
    /// Predictors before selection.
    pub n_predictors: usize,
    /// By metric name; the primary metric is named in `primary`.
    pub performance: BTreeMap<String, Estimate>,
    pub primary: String,
    pub metrics: Vec<MetricFacts>,
    pub candidates: Vec<CandidateRecord>,
    pub folds: Vec<FoldRecord>,
    /// ROC curves pooled within each repeat.
    pub roc: Vec<Curve>,
    /// Mean over repeats of the sensitivity at each 1 − specificity of a fixed grid.
    pub roc_mean: Curve,
    /// Rule and where it was learned, if a threshold was declared.
    pub threshold: Option<String>,
    /// Nodes of this analysis that failed, and why: then figures are missing.
    pub failed_nodes: Vec<Removed>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricFacts {
    pub name: String,
    pub title: String,
    pub chance: Option<f64>,
}

/// A candidate and how it fared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CandidateRecord {
    pub selector: String,
    pub learner: String,
    /// Its grid point in words, such as `k = 8, c = 0.1`.
    pub settings: String,
    /// In how many outer splits it was chosen.
    pub chosen: usize,
    /// Mean over outer splits of its inner mean.
    pub inner: Option<f64>,
    /// Inner splits on which it failed, with one of the reasons.
    pub failed: usize,
    pub failure: Option<String>,
}

/// One outer split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoldRecord {
    /// From 1.
    pub repeat: usize,
    /// From 1.
    pub outer: usize,
    pub n_train: usize,
    pub n_held_out: usize,
    pub positive_held_out: usize,
    /// The primary metric on the held-out rows.
    pub value: Option<f64>,
    /// Position in `candidates`.
    pub candidate: usize,
    pub threshold: Option<f64>,
}

/// An operation as it was used: the methods text is made from these.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    pub name: String,
    pub value: String,
    pub set_by_author: bool,
}

/// The graph, folded to one box per kind of node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GraphFacts {
    pub n_nodes: usize,
    pub groups: Vec<NodeGroup>,
    /// From → to, as positions in `groups`.
    pub edges: Vec<(usize, usize)>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeGroup {
    pub name: String,
    pub n: usize,
    pub scope: Scope,
    /// Column of the drawing, from 0: the longest path from a leaf.
    pub rank: usize,
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
    /// Fitted on the training rows of a split.
    Training,
    /// Applied to rows held out.
    HeldOut,
    /// Measured over held-out predictions.
    Measured,
}

/// What the proof of no leakage covered, and what it cannot see.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    /// Groups that are kept whole: subjects.
    pub n_groups: usize,
    pub n_splits: usize,
    pub n_nodes: usize,
    /// Uses of rows as held out, each checked against what the value had seen.
    pub n_held_out_uses: usize,
    /// The rules that were checked, in words.
    pub rules: Vec<String>,
    /// What cohort rules, splits and counts read without being tracked.
    pub not_tracked: Vec<String>,
    /// What no proof inside the graph can see.
    pub cannot_see: Vec<String>,
}

/// A citation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    pub key: String,
    pub text: String,
    pub doi: Option<String>,
}

/// How a run went: everything about the machine and the moment, kept apart from the results.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    pub engine: String,
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
    pub spec_path: String,
    pub spec_digest: String,
    /// Digest of each file as it lay on disk.
    pub files: BTreeMap<String, String>,
}
