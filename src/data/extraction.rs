//! How images became features, setting by setting.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One setting, and the reporting items of the IBSI that it answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExtractionFacts {
    /// The block of predictors or the source that it is of; empty where it holds for all.
    pub of: String,
    /// By number, such as `50a`; none where the list has no item for it.
    pub items: Vec<String>,
    pub what: String,
    pub value: String,
    pub set_by: SetBy,
    /// The column that tells it, where another program made the features.
    pub column: Option<String>,
    /// Whether what it tells is that something was not assessed.
    pub not_done: bool,
}

/// Where a setting has its value from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SetBy {
    /// The study file.
    Study,
    /// The study file could say otherwise and does not.
    Default,
    /// This version has no setting for it.
    Program,
    /// Another program, as a column of its table says.
    Extractor,
}

impl SetBy {
    pub fn words(self) -> &'static str {
        match self {
            Self::Study => "set by the study",
            Self::Default => "default",
            Self::Program => "fixed in this version",
            Self::Extractor => "as the table tells",
        }
    }
}
