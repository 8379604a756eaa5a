//! Open science: ethics, funding, registration, and what is available.

use serde_json::json;

use super::shown::fill;
use crate::operation::prelude::*;

/// What the author declares, beside what the run knows of licences and terms.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OpenScience {}

impl Operation for OpenScience {
    const ABOUT: About = About {
        name: "open_science",
        title: "Open science",
        version: 1,
        sources: &["collins2024"],
        example: "open_science",
    };
}

impl Section for OpenScience {
    fn declared(&self) -> Declared {
        const DECLARED: Declared = Declared {
            chapter: Some(Chapter::OpenScience),
            fills: &[
                Fill::tripod("17", &[]),
                Fill::tripod("18a", &[]),
                Fill::tripod("18b", &[]),
                Fill::tripod("18d", &[]),
                Fill::tripod("18e", &[Evidence::Sources]),
                Fill::tripod("19", &[]),
                Fill::clear("8", &[]),
                Fill::clear("53", &[]),
                Fill::clear("54", &[Evidence::Sources]),
                Fill::clear("58", &[]),
                Fill::metrics("28", &[Evidence::Sources]),
                Fill::ibsi("75", &[Evidence::FullModel]),
                Fill::ibsi("76", &[]),
                Fill::rqs("11a", &[Evidence::Prospective]),
                Fill::rqs("16a", &[]),
                Fill::rqs("16b", &[]),
                Fill::rqs("16c", &[]),
                Fill::rqs("16d", &[]),
            ],
            figures: &[],
        };
        DECLARED
    }

    fn shows(&self) -> Shows {
        Shows::Results
    }

    fn render(&self, record: &StudyRecord) -> Result<Fragment, Failure> {
        // Sources of one licence share a line.
        let mut licences: Vec<(&str, Vec<&str>)> = Vec::new();
        for source in &record.sources {
            let licence = source.licence.as_deref().unwrap_or("not stated");
            match licences.iter_mut().find(|(known, _)| *known == licence) {
                Some((_, names)) => names.push(&source.name),
                None => licences.push((licence, vec![&source.name])),
            }
        }
        let licences = licences.into_iter().map(
            |(licence, names)| json!({ "name": names.join(", "), "licence": licence }),
        );
        let html = fill(
            "open_science.html",
            json!({
                "licences": licences.collect::<Vec<_>>(),
                "terms": record.study.terms,
                "public": record.study.public,
                "hidden": record.suppression.as_ref().map(|facts| json!({ "rules": facts.rules })),
            }),
        )?;
        Ok(Fragment { html, ..Fragment::default() })
    }
}
