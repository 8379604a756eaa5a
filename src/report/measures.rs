//! Outcome, imaging and features: how each was derived, with every setting.

use serde_json::json;

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
        let lengths = lengths(&record.outcomes, |one, next| {
            (&one.label, &one.role, &one.derivation)
                == (&next.label, &next.role, &next.derivation)
        });
        let outcomes = record.outcomes.iter().enumerate().map(|(at, outcome)| {
            let count = |what: &str| shown.count(&format!("/outcomes/{at}/{what}"));
            json!({
                // What several cohorts share stands once, beside all of them.
                "rows": lengths[at],
                "goes_on": lengths.get(at + 1) == Some(&0),
                "label": outcome.label, "derivation": coded(&outcome.derivation),
                "cohort": outcome.cohort, "role": outcome.role, "sealed": outcome.sealed,
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

/// Of each the length of the stretch of alike ones that begins with it; 0 within a stretch.
fn lengths<T>(of: &[T], alike: impl Fn(&T, &T) -> bool) -> Vec<usize> {
    let stretches = of.chunk_by(alike).map(<[T]>::len);
    let each = stretches.flat_map(|n| std::iter::once(n).chain((1..n).map(|_| 0)));
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::lengths;

    #[test]
    fn what_is_alike_stands_once() {
        assert_eq!(lengths(&[1, 1, 1, 2, 1, 3, 3], |a, b| a == b), [3, 0, 0, 1, 1, 2, 0]);
        assert!(lengths(&[0; 0], |a, b| a == b).is_empty());
    }
}
