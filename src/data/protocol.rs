//! The study as it was locked, held against the one that was executed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether results of the study were known.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum Known {
    #[serde(rename = "before results")]
    BeforeResults,
    #[serde(rename = "after results")]
    AfterResults,
}

impl Known {
    pub fn words(self) -> &'static str {
        match self {
            Self::BeforeResults => "before results",
            Self::AfterResults => "after results",
        }
    }
}

/// A locked protocol, and every setting in which the executed study differs from it.
///
/// What was known when is as the lock file and the store beside the study tell it. There is no date:
/// the history of the lock file has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProtocolFacts {
    /// Digest of the settings that were locked.
    pub digest: String,
    /// What locked them.
    pub engine: String,
    pub locked: Known,
    /// By path.
    pub differences: Vec<DifferenceFacts>,
}

/// A setting that is not what it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DifferenceFacts {
    /// Where it stands in the study, such as `evaluate.threshold.fixed.value`.
    pub path: String,
    /// None where it was not set, or had its default.
    pub locked: Option<String>,
    pub executed: Option<String>,
    /// When a run was first asked for this value.
    pub when: Known,
}
