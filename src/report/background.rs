//! Background and objectives: the author says why and what for; the run, what was done.

use serde_json::json;

use super::shown::fill;
use crate::operation::prelude::*;

/// Why a model is wanted, for whom and for what, and whether this study develops, evaluates or both.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Background {}

impl Operation for Background {
    const ABOUT: About = About {
        name: "background",
        title: "Background and objectives",
        version: 1,
        sources: &["collins2024"],
        example: "background",
    };
}

impl Section for Background {
    fn declared(&self) -> Declared {
        const DECLARED: Declared = Declared {
            chapter: Some(Chapter::Background),
            fills: &[
                Fill::tripod("3a", &[]),
                Fill::tripod("3b", &[]),
                Fill::tripod("3c", &[]),
                Fill::tripod("4", &[Evidence::Learners]),
                Fill::clear("4", &[]),
                Fill::clear("5", &[]),
                Fill::clear("6", &[]),
            ],
            figures: &[],
        };
        DECLARED
    }

    fn shows(&self) -> Shows {
        Shows::Results
    }

    fn render(&self, record: &StudyRecord) -> Result<Fragment, Failure> {
        let kinds: Vec<&str> =
            record.analyses.values().map(|analysis| analysis.kind.as_str()).collect();
        let develops = kinds.iter().any(|kind| *kind != "external");
        let evaluates = kinds.contains(&"external");
        let html = fill(
            "background.html",
            json!({ "develops": develops, "evaluates": evaluates }),
        )?;
        Ok(Fragment { html, ..Fragment::default() })
    }
}
