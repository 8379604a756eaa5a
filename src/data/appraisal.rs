//! How well a study was done, and what an assessor of its risk of bias has to know. Neither is what is
//! told: that is a checklist.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AuthorFacts, EvidenceFacts, Status};

/// A score by points, one row for each of its questions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QualityFacts {
    pub name: String,
    pub title: String,
    /// Which version of the score it is, and whose proposal the points are.
    pub note: String,
    /// The sum over rows.
    pub points: i32,
    /// The least and the most that it can be.
    pub lowest: i32,
    pub highest: i32,
    /// Points of the most there are, and 0 for a sum below 0. Units: %.
    pub percent: f64,
    pub rows: Vec<QualityRow>,
}

/// One question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QualityRow {
    pub item: String,
    pub topic: String,
    pub points: i32,
    pub lowest: i32,
    pub highest: i32,
    /// `met` for all points, `partial` for some, `declared` where the author says that it was not done,
    /// else `missing`.
    pub status: Status,
    /// How the points follow from the parts, in words.
    pub rule: String,
    pub parts: Vec<QualityPart>,
}

/// What a question gives points for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QualityPart {
    /// The question with a letter, such as `9a`.
    pub part: String,
    pub requirement: String,
    /// What it is worth.
    pub worth: i32,
    pub reached: bool,
    /// `A`: the run alone can show it; `M`: the author's word alone.
    pub fill: String,
    /// The report section where it stands.
    pub section: String,
    pub evidence: Vec<EvidenceFacts>,
    pub author: Vec<AuthorFacts>,
    /// Why it is reached or not, in words.
    pub why: String,
}

/// What an assessor needs to judge the risk of bias, question by question. The program judges nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RiskOfBiasFacts {
    pub name: String,
    pub title: String,
    pub note: String,
    /// Who judged, and when, if somebody did.
    pub assessor: Option<String>,
    pub date: Option<String>,
    pub n_questions: usize,
    /// Questions that a named assessor has answered.
    pub answered: usize,
    pub open: usize,
    pub questions: Vec<BiasQuestion>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BiasQuestion {
    /// Such as `D1.1`; D for the development of a model, E for its evaluation.
    pub item: String,
    pub part: String,
    pub domain: String,
    pub topic: String,
    pub question: String,
    /// The author's field for its answer.
    pub field: String,
    pub evidence: Vec<BiasEvidence>,
    /// The assessor's answer; none while the question is open.
    pub answer: Option<BiasAnswer>,
    /// Why an answer that stands in the field does not count.
    pub lack: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BiasAnswer {
    /// `Y`, `PY`, `PN`, `N`, `NI` or `NA`.
    pub answer: String,
    pub words: String,
    pub why: String,
}

/// A sentence about the run or about what the author says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BiasEvidence {
    /// The report section where more stands.
    pub section: String,
    pub parts: Vec<EvidencePart>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EvidencePart {
    Text(String),
    /// The number at this place of `report.json`.
    Number(NumberAt),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NumberAt {
    pub at: String,
    pub digits: usize,
}
