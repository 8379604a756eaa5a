//! Deviations: what was done otherwise than planned, under which terms, and what is not there.

use serde_json::json;

use super::shown::fill;
use crate::operation::prelude::*;

/// Departures from the plan, the terms of use, and what was declared and not computed.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Deviations {}

impl Operation for Deviations {
    const ABOUT: About = About {
        name: "deviations",
        title: "Deviations and open ends",
        version: 1,
        sources: &["collins2024"],
        example: "deviations",
    };
}

impl Section for Deviations {
    fn declared(&self) -> Declared {
        const DECLARED: Declared = Declared {
            chapter: Some(Chapter::OpenScience),
            fills: &[Fill::tripod("18c", &[Evidence::Identity])],
            figures: &["F17"],
        };
        DECLARED
    }

    fn render(&self, record: &StudyRecord) -> Result<Fragment, Failure> {
        let rows = record.deviations.iter().map(|deviation| {
            json!({
                "what": deviation.what,
                "when": deviation.when.as_deref().unwrap_or("not stated"),
                "why": deviation.why.as_deref().unwrap_or("not stated"),
            })
        });
        let html = fill(
            "deviations.html",
            json!({
                "rows": rows.collect::<Vec<_>>(),
                "missing": record.missing(),
            }),
        )?;
        Ok(Fragment { html, ..Fragment::default() })
    }
}
