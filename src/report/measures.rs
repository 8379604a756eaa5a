//! Outcome, imaging and features: how each was derived, with every setting.

use serde_json::{Value as Json, json};

use super::author::coded;
use super::shown::{Shown, counted, fill};
use crate::operation::prelude::*;

/// How the outcome is derived and features are made, each setting with whether the author set it, and how many features there are.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Measures {}

impl Operation for Measures {
    const ABOUT: About = About {
        name: "measures",
        title: "Outcome, imaging, features",
        version: 1,
        sources: &["collins2024"],
        example: "measures",
    };
}

impl Section for Measures {
    fn declared(&self) -> Declared {
        const DECLARED: Declared = Declared {
            chapter: Some(Chapter::Measures),
            fills: &[
                Fill::tripod("8a", &[Evidence::Outcomes]),
                Fill::tripod("8b", &[]),
                Fill::tripod("8c", &[]),
                Fill::tripod("9a", &[Evidence::Predictors]),
                Fill::tripod("9b", &[Evidence::Predictors]),
                Fill::tripod("9c", &[]),
                Fill::clear("16", &[]),
                Fill::clear("17", &[Evidence::Predictors]),
                Fill::clear("18", &[Evidence::Outcomes]),
                Fill::clear("19", &[]),
                Fill::clear("20", &[]),
                Fill::clear("21", &[Evidence::Extraction]),
                Fill::clear("22", &[Evidence::Extraction]),
                Fill::clear("23", &[Evidence::Extraction]),
                Fill::clear("24", &[Evidence::Extraction]),
                Fill::clear("25", &[Evidence::Extraction]),
                Fill::clear("26", &[Evidence::Predictors]),
                Fill::clear("27", &[Evidence::Predictors]),
                Fill::clear("28", &[Evidence::Preparation]),
                Fill::clear("31", &[]),
                Fill::metrics("3", &[Evidence::Outcomes]),
                Fill::metrics("5", &[]),
                Fill::metrics("6", &[]),
                Fill::metrics("7", &[]),
                Fill::metrics("8", &[]),
                Fill::metrics("9", &[]),
                Fill::metrics("10", &[]),
                Fill::metrics("11", &[Evidence::Extraction]),
                Fill::metrics("12", &[Evidence::Extraction]),
                Fill::metrics("13", &[Evidence::Predictors, Evidence::Extraction]),
                Fill::rqs("1a", &[]),
                Fill::rqs("1b", &[]),
                Fill::rqs("2a", &[]),
                Fill::rqs("3a", &[]),
                Fill::rqs("4a", &[]),
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
        // What an outcome is stands once beside the cohorts in which it is asked for.
        let mut outcomes: Vec<((&str, &str, &str), Vec<Json>)> = Vec::new();
        for (at, outcome) in record.outcomes.iter().enumerate() {
            let count = |what: &str| shown.count(&format!("/outcomes/{at}/{what}"));
            let row = json!({
                "cohort": outcome.cohort, "sealed": outcome.sealed,
                "positive": count("positive"), "negative": count("negative"),
                "unknown": count("unknown"),
                "decided": match outcome.decided.len() {
                    0 | 1 => String::new(),
                    n => (0..n)
                        .map(|position| count(&format!("decided/{position}")))
                        .collect::<Vec<_>>()
                        .join(" / "),
                },
                "conflicts": count("conflicts"),
            });
            let what = (
                outcome.label.as_str(),
                outcome.role.as_str(),
                outcome.derivation.as_str(),
            );
            match outcomes.last_mut() {
                Some((known, rows)) if *known == what => rows.push(row),
                _ => outcomes.push((what, vec![row])),
            }
        }
        let outcomes = outcomes.into_iter().map(|((label, role, derivation), rows)| {
            json!({
                "label": label, "role": role, "derivation": coded(derivation), "rows": rows,
            })
        });
        let blocks = record.predictors.iter().map(|block| {
            let units = block.columns.iter().map(|column| {
                column.declared_unit.as_deref().unwrap_or(column.unit.symbol())
            });
            let mut units: Vec<&str> = units.collect();
            units.sort_unstable();
            units.dedup();
            units.retain(|unit| !unit.is_empty());
            json!({
                "name": block.name, "kind": block.kind, "source": block.source,
                "n": counted(block.columns.len()), "units": units.join(", "),
            })
        });
        let here = ["read", "features", "outcome"];
        let methods: Vec<_> = record
            .methods
            .iter()
            .filter(|method| here.contains(&method.role.as_str()))
            .collect();
        let html = fill(
            "measures.html",
            json!({
                "simulated": record.study.simulated,
                "outcomes": outcomes.collect::<Vec<_>>(),
                // One derivation decides all, and differs from none.
                "several": record.outcomes.iter().any(|outcome| outcome.decided.len() > 1),
                "blocks": blocks.collect::<Vec<_>>(),
                "methods": methods,
            }),
        )?;
        Ok(Fragment { html, ..Fragment::default() })
    }
}
