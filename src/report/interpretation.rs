//! Interpretation and limits: those that the run shows first, then the author’s.

use serde_json::json;

use super::conflicts::limits;
use super::shown::{Shown, fill};
use crate::operation::prelude::*;

/// What limits the study as far as the run can tell, and what the author makes of it.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Interpretation {}

impl Operation for Interpretation {
    const ABOUT: About = About {
        name: "interpretation",
        title: "Interpretation and limits",
        version: 1,
        sources: &["collins2024"],
        example: "interpretation",
    };
}

impl Section for Interpretation {
    fn declared(&self) -> Declared {
        const DECLARED: Declared = Declared {
            chapter: Some(Chapter::Interpretation),
            fills: &[
                Fill::tripod("25", &[]),
                Fill::tripod("26", &[Evidence::Performance]),
                Fill::tripod("27b", &[]),
                Fill::tripod("27c", &[]),
                Fill::clear("49", &[]),
                Fill::clear("50", &[]),
                Fill::clear("51", &[]),
                Fill::clear("52", &[Evidence::Performance]),
                Fill::rqs("7a", &[]),
                Fill::rqs("15a", &[]),
            ],
            figures: &[],
        };
        DECLARED
    }

    fn shows(&self) -> Shows {
        Shows::Results
    }

    fn render(&self, record: &StudyRecord) -> Result<Fragment, Failure> {
        let shown = Shown::new(record);
        let html =
            fill("interpretation.html", json!({ "limits": limits(record, &shown) }))?;
        Ok(Fragment { html, ..Fragment::default() })
    }
}
