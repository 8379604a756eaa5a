//! Reporting standards and what a study's report does for each of their items.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What has become of an item. Computed from what sections declare, the run and the author's half;
/// nothing sets it by hand.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Met,
    /// The author says that it was not done, and why.
    Declared,
    /// The run or the author answers it, not both.
    Partial,
    Missing,
    /// The author's text contradicts the run.
    Conflict,
    /// A rule that was checked says so; it is printed.
    NotApplicable,
    /// Left to a person's judgement.
    Open,
}

impl Status {
    pub const ALL: [Status; 7] = [
        Status::Met,
        Status::Declared,
        Status::Partial,
        Status::Missing,
        Status::Conflict,
        Status::NotApplicable,
        Status::Open,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Met => "Met",
            Self::Declared => "Declared not done",
            Self::Partial => "Partly reported",
            Self::Missing => "Missing",
            Self::Conflict => "Conflict",
            Self::NotApplicable => "Not applicable",
            Self::Open => "Open",
        }
    }

    /// Class of its mark.
    pub fn class(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Declared => "declared",
            Self::Partial => "partial",
            Self::Missing => "missing",
            Self::Conflict => "conflict",
            Self::NotApplicable => "na",
            Self::Open => "open",
        }
    }

    /// Whether the item counts as reported.
    pub fn is_reported(self) -> bool {
        matches!(self, Self::Met | Self::Declared)
    }
}

/// One standard with all of its items.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Checklist {
    /// `tripod_ai`, `tripod_ai_abstract`, `clear` or `metrics`.
    pub name: String,
    pub title: String,
    pub items: Vec<ItemFacts>,
    /// Items that are met or declared, of those that apply and are not merely recommended.
    pub reported: usize,
    pub applicable: usize,
    /// Items by status, those that are merely recommended among them.
    pub counts: BTreeMap<String, usize>,
    /// The weighted score, where the standard has one.
    pub score: Option<ScoreFacts>,
}

impl Checklist {
    pub fn count(&self, status: Status) -> usize {
        self.items.iter().filter(|item| item.status == status).count()
    }
}

/// One item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ItemFacts {
    pub item: String,
    pub topic: String,
    pub requirement: String,
    /// `A`: the run alone can satisfy it; `P`: run and author, both needed; `M`: the author alone.
    pub fill: String,
    pub status: Status,
    /// The report section that answers it.
    pub section: String,
    /// What of the run shows it.
    pub evidence: Vec<EvidenceFacts>,
    /// The author's fields that it needs.
    pub author: Vec<AuthorFacts>,
    /// Why the status is what it is, in words.
    pub why: String,
    /// Recommended only: it stands outside of the count.
    pub recommended: bool,
    /// Weight and whether it scores, in a weighted standard.
    pub weight: Option<f64>,
    pub scores: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EvidenceFacts {
    pub what: String,
    pub found: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AuthorFacts {
    /// As the author would write it, such as `reporting.context.rationale`.
    pub field: String,
    /// Whether it counts as answered.
    pub given: bool,
    /// Whether the answer is that it was not done.
    pub negative: bool,
    /// What is wrong with what stands there, if something does.
    pub lack: Option<String>,
}

/// A weighted score: 100 · Σ(weights that score) / Σ(weights that apply).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScoreFacts {
    pub score: f64,
    /// Sum of the weights that apply.
    pub denominator: f64,
    pub category: String,
    /// Conditions that were false, so that their items have no part in it.
    pub left_out: Vec<String>,
}

/// The author's text against the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConflictFacts {
    /// Short name of the check.
    pub check: String,
    /// The author's field.
    pub field: String,
    /// What it says, and what the run says.
    pub text: String,
    /// `conflict`, or `warning` where the run cannot decide.
    pub level: String,
    /// Items that it puts into question, such as `tripod_ai 1`.
    pub items: Vec<String>,
}
