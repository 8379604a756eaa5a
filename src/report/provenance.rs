//! Provenance: what this was made from, and how to make it again.

use serde_json::json;

use super::shown::{Shown, fill};
use crate::operation::prelude::*;

/// Sources with licence, citation and origin, digests, engine and seed, how to run it again, and the
/// references.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Provenance {}

impl Operation for Provenance {
    const ABOUT: About = About {
        name: "provenance",
        title: "Provenance",
        version: 1,
        sources: &["collins2024"],
        example: "provenance",
    };
}

impl Section for Provenance {
    fn declared(&self) -> Declared {
        const DECLARED: Declared = Declared {
            chapter: Some(Chapter::OpenScience),
            fills: &[
                Fill::tripod("18f", &[Evidence::Identity]),
                Fill::clear("55", &[Evidence::Identity]),
                Fill::clear("56", &[Evidence::Identity]),
                Fill::metrics("29", &[Evidence::Identity]),
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
        let sources = record.sources.iter().enumerate().map(|(at, source)| {
            json!({
                "name": source.name,
                "kind": source.kind,
                "simulated": source.simulated,
                "n": shown.count(&format!("/sources/{at}/n")),
                // Scans, and what makes others, have no columns.
                "columns": (source.n_columns != 0)
                    .then(|| shown.count(&format!("/sources/{at}/n_columns"))),
                "licence": source.licence.as_deref().unwrap_or("not stated"),
                "citation": source.citation,
                "origin": source.origin,
                "prepared": match source.prepared_outside {
                    Some(true) => "prepared outside of what the proof sees",
                    Some(false) => "not prepared outside, as the author says",
                    None => "",
                },
                "trained_on": source.trained_on.join(", "),
                "digest": source.digest,
            })
        });
        let html = fill(
            "provenance.html",
            json!({
                "sources": sources.collect::<Vec<_>>(),
                "study_digest": record.study.digest,
                "engine": record.engine,
                "seed": shown.label("/study/seed"),
                "schema": shown.label("/schema"),
                "references": record.references,
            }),
        )?;
        Ok(Fragment { html, ..Fragment::default() })
    }
}
