//! What a choice is and becomes: fitted in an outer split, or frozen; and outcomes that wait for it.

use serde::{Deserialize, Serialize};

use super::{Call, Choice, Familiar, Link};

/// What a procedure gives on all development rows: chosen, fitted and never changed again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Frozen {
    /// The predictors of its model, in this order.
    pub columns: Vec<FrozenColumn>,
    /// Whose probabilities are averaged; the largest weight first.
    pub members: Vec<FrozenMember>,
    /// The prevalence, where no candidate did better: then it is predicted for everybody.
    pub falls_back: Option<f64>,
    /// Learned on inner out-of-fold predictions, if a rule was declared.
    pub threshold: Option<f64>,
    /// Intercept and slope on the logit scale, fitted to inner out-of-fold predictions.
    pub calibration: Option<(f64, f64)>,
    /// Development rows that it was fitted on.
    pub n: usize,
    pub n_positive: usize,
}

/// A predictor as development rows have it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FrozenColumn {
    pub name: String,
    /// The least and the greatest known value; none for categories.
    pub range: Option<(f64, f64)>,
    /// The median of the known values; none for categories.
    pub median: Option<f64>,
    /// Development rows in which it is missing.
    pub missing: usize,
    /// Its categories, where it has such.
    pub categories: Option<Vec<String>>,
}

/// What a candidate does, whatever others there are: the identities of its operations with their
/// settings, as canonical JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipe {
    pub prepare: String,
    pub select: String,
    pub learn: String,
}

impl Frozen {
    /// Whether every member is the null model.
    pub fn all_null(&self) -> bool {
        !self.members.is_empty() && self.members.iter().all(FrozenMember::is_null)
    }
}

/// A choice by what it does: the same as long as tuning chooses the same, among however many candidates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Winner {
    /// Whose probabilities are averaged, with weights that add up to 1.
    pub members: Vec<(Recipe, f64)>,
    /// Whether the prevalence is predicted for everybody instead.
    pub falls_back: bool,
}

/// What each way of choosing chooses, and their winners.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alternatives {
    /// By way: the choice, or why there is none.
    pub choices: Vec<Result<Choice, String>>,
    /// Each winner once.
    pub winners: Vec<Alternative>,
}

/// A winner by another rule or metric, with what an averaged or mapped prediction of it needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alternative {
    pub winner: Winner,
    /// By member: the map from decision values to probabilities; none where the learner gives these itself.
    pub links: Vec<Option<Link>>,
}

/// A winner fitted on the training rows of an outer split, on the rows that this holds out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OuterFit {
    /// Held-out cohort rows, ascending.
    pub rows: Vec<u32>,
    /// By member: probabilities or decision values of those rows.
    pub scores: Vec<Vec<f64>>,
    /// The columns that reach a learner, each once.
    pub columns: Vec<String>,
    /// Columns before the first step.
    pub before: u32,
    /// By member: columns after each of its steps; none of a member that could not be fitted.
    pub steps: Vec<Option<Vec<StepColumns>>>,
    /// The fits themselves, where somebody looks into them.
    pub members: Vec<FrozenMember>,
}

impl OuterFit {
    /// Whether a member is the null model, since its selector kept no column.
    pub fn is_null(&self, member: usize) -> bool {
        let Some(Some(steps)) = self.steps.get(member) else { return false };
        let prepared = steps.iter().rev().find(|step| !step.selects);
        let prepared = prepared.map_or(self.before, |step| step.columns);
        prepared > 0 && steps.last().is_some_and(|last| last.columns == 0)
    }

    /// Whether every member is.
    pub fn all_null(&self) -> bool {
        !self.steps.is_empty() && (0..self.steps.len()).all(|member| self.is_null(member))
    }
}

/// Columns that a step leaves, or makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepColumns {
    /// The step by its name.
    pub step: String,
    /// Whether it is one of selection rather than of preparation.
    pub selects: bool,
    pub columns: u32,
}

/// Columns among those that fits chose, of which some say much the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Similar {
    /// Clusters of two columns and more: any two of one go together, with at least this |ρ|.
    pub clusters: Vec<(Vec<String>, f64)>,
    /// Columns that were compared, and those that any fit chose.
    pub among: u32,
    pub of: u32,
    /// Rows that were looked at.
    pub rows: u32,
}

/// One fitted candidate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FrozenMember {
    pub recipe: Recipe,
    pub weight: f64,
    /// States of the preparation's steps, then of the selector's, then the learner's model.
    pub prepare: Vec<Vec<u8>>,
    pub select: Vec<Vec<u8>>,
    pub model: Vec<u8>,
    /// Columns that reach the learner.
    pub selected: Vec<String>,
    /// From decision values to probabilities, where the learner gives the former.
    pub link: Option<Link>,
    /// What development rows look like in those columns; none for under ten rows, and where there are
    /// no columns.
    pub familiar: Option<Familiar>,
}

impl FrozenMember {
    /// Whether it is the null model, since its selector kept no column: its learner is `naive` then,
    /// whatever its recipe says.
    pub fn is_null(&self) -> bool {
        self.selected.is_empty()
    }

    /// Takes the map from decision values; the null model gives probabilities and has none.
    pub fn take_link(&mut self, link: Option<Link>) {
        self.link = link.filter(|_| !self.is_null());
    }
}

/// What is known of an outcome in some rows, and by which derivation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Called {
    pub calls: Vec<Call>,
    /// By derivation: how many rows it decided.
    pub decided: Vec<usize>,
    /// Rows that two derivations know differently.
    pub conflicts: usize,
}

/// Outcomes that nobody reads before a model is frozen: only [`Sealed::open`] gives them out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    called: Called,
}

impl Sealed {
    pub fn new(called: Called) -> Self {
        Self { called }
    }

    /// The outcomes, for those who hold finished models.
    pub fn open(self, frozen: &[&Frozen]) -> Option<Called> {
        (!frozen.is_empty()).then_some(self.called)
    }
}
